"""A disk that refuses for a moment, in the middle of an admission: what was queued must not brick the log later."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from sekisho.model.errors import Unavailable
from sekisho.operations.desk import Admitted
from tests.desks import TestDesk


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[TestDesk]:
    with TestDesk(tmp_path) as made:
        yield made


def refuse_tiles(desk: TestDesk, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every tile write fails, as on a full disk; the queue in the database has the statement by then."""

    def write(path: str, data: bytes) -> None:
        raise Unavailable(f"{path} ({len(data)} bytes) cannot be written: no space left")

    monkeypatch.setattr(desk.tiles, "write", write)


def test_a_lease_that_the_disk_refused_and_is_asked_for_again_is_granted_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The queued lease is the one that the second request gets; the log can be folded again from its start."""
    with TestDesk(tmp_path) as desk:
        request = desk.request(desk.licensed())
        with monkeypatch.context() as full:
            refuse_tiles(desk, full)
            with pytest.raises(Unavailable):
                desk.leases.grant(request)
        desk.clock.move(1)
        first = desk.leases.grant(request)
        assert desk.leases.grant(request).envelope == first.envelope
        kinds = [recorded.verified.kind for recorded in desk.desk.recorded()]
        assert kinds.count("lease-granted") == 1
    with TestDesk(tmp_path) as again:
        assert again.desk.state.licences.lease_numbers == {"host-1": 1}


def test_leases_that_run_out_while_the_disk_is_full_are_closed_once(
    desk: TestDesk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The keeper tries each second; when there is room again, one closing stands and the books are whole."""
    desk.leases.grant(desk.request(desk.licensed()))
    desk.clock.move(60 + 2 + 5 + 1)
    with monkeypatch.context() as full:
        refuse_tiles(desk, full)
        for _ in range(3):
            desk.clock.move(1)
            with pytest.raises(Unavailable):
                desk.leases.close_overdue()
    desk.clock.move(1)
    desk.leases.close_overdue()
    kinds = [recorded.verified.kind for recorded in desk.desk.recorded()]
    assert kinds.count("lease-closed") == 1
    (state,) = desk.desk.state.licences.licences.values()
    assert state.book.leased == 0


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
