"""The process dies between any two writes of a deposit or an erasure; the next start completes what is stated.

private store -> concealing statement -> its deposit; erasure statement -> private store.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from sekisho.adapters.keys.deposit_keys import ShamirSharing
from sekisho.ledger.sequencer import Sequencer, Submission
from sekisho.model.errors import Unavailable
from sekisho.model.statements import parse_payload
from sekisho.operations.disclosing import find_concealed
from sekisho.signing import concealed_of, parse_envelope
from sekisho.signing.deposit import combine_shares, open_share
from tests.deposited import HOLDERS
from tests.desks import TestDesk
from tests.fakes import Crashed
from tests.operations.test_depositing import BASIS, closed, kinds


def crash(
    monkeypatch: pytest.MonkeyPatch, kind: str, *, after: bool, error: BaseException | None = None
) -> None:
    """Die just before, or just after, a statement of this kind becomes durable in the log."""
    append = Sequencer.append

    def dying(self: Sequencer, submissions: Sequence[Submission]) -> object:
        stated = {parse_payload(parse_envelope(each.envelope).payload).kind for each in submissions}
        if kind not in stated:
            return append(self, submissions)
        if after:
            append(self, submissions)
        raise error or Crashed(kind)

    monkeypatch.setattr(Sequencer, "append", dying)


def open_desk(folder: Path) -> TestDesk:
    return TestDesk(folder, holders=3)


def opens(desk: TestDesk, digest: str) -> tuple[str, ...]:
    """What two holders read out of the public log."""
    desk.desk.mark_time()
    desk.cosigned()
    found = find_concealed(desk.tiles, desk.root, digest)
    deposit = found.require_deposit()
    shares = [open_share(deposit, holder) for holder in HOLDERS[:2]]
    concealed = concealed_of(found.require().verified.predicate)
    return combine_shares(deposit, shares, concealed, ShamirSharing())


def die_while_granting(
    folder: Path, monkeypatch: pytest.MonkeyPatch, kind: str, *, after: bool
) -> bytes:
    """A lease is asked for, and the process dies around a write; the request."""
    with open_desk(folder) as desk:
        request = desk.request(desk.licensed())
        with monkeypatch.context() as dying:
            crash(dying, kind, after=after)
            with pytest.raises(Crashed):
                desk.leases.grant(request)
        return request


def test_after_the_private_store_nothing_is_owed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An orphan disclosure: no statement, no deposit; the host asks again and gets its lease."""
    request = die_while_granting(tmp_path, monkeypatch, "lease-granted", after=False)
    with open_desk(tmp_path) as desk:
        assert len(desk.private.load_disclosures()) == 1
        assert "lease-granted" not in kinds(desk)
        assert "disclosure-deposited" not in kinds(desk)
        lease = desk.leases.grant(request)
        assert kinds(desk).count("disclosure-deposited") == 1
        assert opens(desk, lease.admitted.digest) == lease.disclosures


@pytest.mark.parametrize("after", [True, False], ids=["after the statement", "before the deposit"])
def test_after_the_statement_the_next_start_makes_its_deposit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, after: bool
) -> None:
    """Exactly one, before anybody asks, and it opens."""
    kind = "lease-granted" if after else "disclosure-deposited"
    request = die_while_granting(tmp_path, monkeypatch, kind, after=after)
    with open_desk(tmp_path) as desk:
        assert desk.deposits.deposits_missing() == ()
        assert kinds(desk).count("lease-granted") == 1
        assert kinds(desk).count("disclosure-deposited") == 1
        lease = desk.leases.grant(request)
        assert not lease.admitted.fresh
        assert opens(desk, lease.admitted.digest) == lease.disclosures


def test_after_the_deposit_nothing_is_left_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The entry is durable though nobody was told: no second deposit, at this start or the next."""
    die_while_granting(tmp_path, monkeypatch, "disclosure-deposited", after=True)
    for _ in range(2):
        with open_desk(tmp_path) as desk:
            assert kinds(desk).count("disclosure-deposited") == 1


def test_a_deposit_that_the_disk_refused_is_made_when_there_is_room(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The host is told to try again and gets the same lease; the sweep, not a restart, makes the deposit."""
    with open_desk(tmp_path) as desk:
        request = desk.request(desk.licensed())
        with monkeypatch.context() as full:
            crash(full, "disclosure-deposited", after=False, error=Unavailable("no space left"))
            with pytest.raises(Unavailable):
                desk.leases.grant(request)
            assert len(desk.deposits.deposits_missing()) == 1
            with pytest.raises(Unavailable):
                desk.deposits.complete()
        lease = desk.leases.grant(request)
        desk.deposits.complete()
        assert kinds(desk).count("lease-granted") == kinds(desk).count("disclosure-deposited") == 1
        assert opens(desk, lease.admitted.digest) == lease.disclosures


def test_a_deposit_whose_outcome_is_unknown_is_not_made_twice(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The append went through and the answer got lost."""
    with open_desk(tmp_path) as desk:
        request = desk.request(desk.licensed())
        with monkeypatch.context() as lost:
            crash(lost, "disclosure-deposited", after=True, error=Unavailable("no answer"))
            with pytest.raises(Unavailable):
                desk.leases.grant(request)
        desk.deposits.complete()
        assert desk.deposits.deposits_missing() == ()
        assert kinds(desk).count("disclosure-deposited") == 1


def test_before_the_erasure_is_stated_nothing_is_destroyed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Destroyed and not stated would look like a demand that failed."""
    with open_desk(tmp_path) as desk:
        closing = closed(desk)
        with monkeypatch.context() as dying:
            crash(dying, "disclosure-erased", after=False)
            with pytest.raises(Crashed):
                desk.deposits.erase(closing.digest, BASIS)
    with open_desk(tmp_path) as desk:
        assert desk.private.load_disclosures()[closing.digest]
        assert "disclosure-erased" not in kinds(desk)
        assert desk.deposits.erase(closing.digest, BASIS).fresh


def test_an_erasure_that_is_stated_is_carried_out_at_the_next_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Died between the two: the amount is unknown from the start on, and its bytes are gone."""
    with open_desk(tmp_path) as desk:
        closing = closed(desk)
        (text,) = desk.desk.disclosures_of(closing.digest)
        with monkeypatch.context() as dying:
            crash(dying, "disclosure-erased", after=True)
            with pytest.raises(Crashed):
                desk.deposits.erase(closing.digest, BASIS)
        assert desk.private.load_disclosures()[closing.digest] == (text,)
    with open_desk(tmp_path) as desk:
        assert closing.digest not in desk.private.load_disclosures()
        (state,) = desk.desk.state.licences.licences.values()
        assert (state.undisclosed, state.leases[0].consumed_flop) == (1, None)
        assert kinds(desk).count("disclosure-erased") == 1
        left = b"".join(path.read_bytes() for path in tmp_path.glob("private.sqlite*"))
        assert text.encode() not in left


def test_an_erasure_that_the_private_store_refused_is_carried_out_by_the_sweep(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Stated, then the disk refuses; the keeper tries each second until it is done."""
    with open_desk(tmp_path) as desk:
        closing = closed(desk)

        def refuse(_digest: str) -> None:
            raise Unavailable("no space left")

        with monkeypatch.context() as full:
            full.setattr(desk.private, "erase_disclosures", refuse)
            with pytest.raises(Unavailable):
                desk.deposits.erase(closing.digest, BASIS)
            with pytest.raises(Unavailable):
                desk.deposits.complete()
        desk.deposits.complete()
        assert closing.digest not in desk.private.load_disclosures()
        assert kinds(desk).count("disclosure-erased") == 1
