"""A disk that refuses for a moment, in the middle of an admission: what came of it must not brick the log later."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from sekisho.model.errors import Unavailable
from sekisho.operations.desk import Admitted
from sekisho.ports.log_store import Recorded
from tests.desks import TestDesk
from tests.operations.test_desk import issue, pause_plan


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[TestDesk]:
    with TestDesk(tmp_path) as made:
        yield made


def refuse_commits(desk: TestDesk, patch: pytest.MonkeyPatch, *, applied: bool) -> None:
    """Each commit of the log's database fails, as on a full disk: before it did anything, or after it was done."""
    real = desk.store.sequence

    def sequence(first: int, entries: Sequence[Recorded]) -> None:
        if applied:
            real(first, entries)
        raise Unavailable("the log's database cannot be written: no space left")

    patch.setattr(desk.store, "sequence", sequence)


def refuse_tiles(desk: TestDesk, patch: pytest.MonkeyPatch) -> None:
    """Each tile write fails, while the database has room."""

    def write_all(files: Sequence[tuple[str, bytes]]) -> None:
        raise Unavailable(f"{len(files)} files cannot be written: no space left")

    patch.setattr(desk.tiles, "write_all", write_all)


commits = pytest.mark.parametrize("applied", [False, True], ids=["refused", "done but unanswered"])


@commits
def test_a_lease_that_the_disk_refused_and_is_asked_for_again_is_granted_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, applied: bool
) -> None:
    """Whether or not the first one reached the log, one lease stands; the log can be folded again from its start."""
    with TestDesk(tmp_path) as desk:
        request = desk.request(desk.licensed())
        with monkeypatch.context() as full:
            refuse_commits(desk, full, applied=applied)
            with pytest.raises(Unavailable):
                desk.leases.grant(request)
        desk.clock.move(1)
        first = desk.leases.grant(request)
        assert desk.leases.grant(request).envelope == first.envelope
        kinds = [recorded.verified.kind for recorded in desk.desk.recorded()]
        assert kinds.count("lease-granted") == 1
    with TestDesk(tmp_path) as again:
        assert again.desk.state.licences.lease_numbers == {"host-1": 1}


@commits
def test_leases_that_run_out_while_the_disk_is_full_are_closed_once(
    desk: TestDesk, monkeypatch: pytest.MonkeyPatch, applied: bool
) -> None:
    """The keeper tries each second; when there is room again, one closing stands and the books are whole."""
    desk.leases.grant(desk.request(desk.licensed()))
    desk.clock.move(60 + 2 + 5 + 1)
    with monkeypatch.context() as full:
        refuse_commits(desk, full, applied=applied)
        with pytest.raises(Unavailable):
            desk.leases.close_overdue()
        for _ in range(2):
            desk.clock.move(1)
            if applied:
                # The next try finds the closing that stands, and has nothing left to close.
                assert desk.leases.close_overdue() == 0
            else:
                with pytest.raises(Unavailable):
                    desk.leases.close_overdue()
    desk.clock.move(1)
    desk.leases.close_overdue()
    kinds = [recorded.verified.kind for recorded in desk.desk.recorded()]
    assert kinds.count("lease-closed") == 1
    (state,) = desk.desk.state.licences.licences.values()
    assert state.book.leased == 0


def test_a_folder_without_room_delays_the_checkpoint_and_no_admission(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A statement stands once the database has it; its tiles come when there is room again, after a restart too."""
    with TestDesk(tmp_path) as desk:
        with monkeypatch.context() as full:
            refuse_tiles(desk, full)
            lease = desk.leases.grant(desk.request(desk.licensed()))
            with pytest.raises(Unavailable):
                desk.cosigned()
        assert desk.cosigned().checkpoint.size > lease.admitted.index
        with monkeypatch.context() as full:
            refuse_tiles(desk, full)
            order = issue(desk, pause_plan())
            index = desk.desk.recorded()[-1].index
            assert desk.desk.recorded()[-1].verified.digest == order.digest
    with TestDesk(tmp_path) as again:
        cosigned = again.cosigned()
        assert cosigned.checkpoint.size > index
        entries = list(again.reader.entries(0, cosigned.checkpoint.size, cosigned.checkpoint))
        assert entries[index] == again.desk.recorded()[index].verified.envelope.raw


def test_a_private_store_without_room_says_so_by_name(desk: TestDesk) -> None:
    """An error that nobody knows would end the thread that keeps the registers; this one is tried again."""
    licence = desk.licensed()
    with desk.private._transaction() as connection:
        pages = connection.exec_driver_sql("PRAGMA page_count").scalar_one()
        connection.exec_driver_sql(f"PRAGMA max_page_count={pages}")
    with pytest.raises(Unavailable, match="private"):
        _take_leases(desk, licence, 29)


def _take_leases(desk: TestDesk, licence: Admitted, count: int) -> None:
    for number in range(1, count + 1):
        desk.leases.grant(desk.request(licence, number=number, nonce=f"{number:02x}" * 16))
