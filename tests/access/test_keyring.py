"""The host's side of locked weights: it holds the key for a lease, asks again, and lets go."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from sekisho.access.keyring import HeldKey
from sekisho.model.errors import StateConflict, Unavailable
from sekisho.model.statements import Reference
from tests import factory as f
from tests.access.locks import KEY, Deskless, KeeperRig, header_of
from tests.desks import TestDesk


class Holding:
    """A host that holds the key of the rig's weights."""

    def __init__(self, rig: KeeperRig) -> None:
        self.rig = rig
        self.desk = Deskless(rig.keeper)
        self.dropped: list[str] = []
        self.held = HeldKey(
            header_of(licence=Reference(log=f.ORIGIN, leaf=rig.licence.leaf)),
            rig.locked.leaf,
            host="host-1",
            log=f.ORIGIN,
            signer=f.HOST,
            desk=self.desk,
            clock=rig.desk.clock,
            on_drop=self.dropped.append,
        )

    def pass_time(self, seconds: float) -> float:
        self.rig.desk.clock.move(seconds)
        return self.held.look()


@pytest.fixture
def holding(tmp_path: Path) -> Iterator[Holding]:
    with TestDesk(tmp_path) as desk:
        rig = KeeperRig(desk)
        rig.deposit()
        made = Holding(rig)
        made.held.ask()
        yield made


def test_the_key_is_renewed_half_way_through_each_lease(holding: Holding) -> None:
    """Each time with a fresh key and a fresh nonce."""
    assert holding.held.key() == KEY
    assert holding.pass_time(29) == pytest.approx(1)
    assert len(holding.desk.asked) == 1
    for _ in range(3):
        holding.pass_time(31)
    assert len(set(holding.desk.asked)) == 4
    assert holding.held.is_held


def test_a_silent_keeper_ends_it_after_lease_and_grace(holding: Holding) -> None:
    """Not before, not later; whoever serves is told once."""
    holding.desk.is_silent = True
    holding.pass_time(61)
    assert holding.held.is_held
    holding.pass_time(1)
    assert len(holding.dropped) == 1
    with pytest.raises(Unavailable, match="silent"):
        holding.held.key()


def test_a_silence_that_ends_in_time_ends_nothing(holding: Holding) -> None:
    """It asks again every few seconds."""
    holding.desk.is_silent = True
    holding.pass_time(31)
    holding.desk.is_silent = False
    holding.pass_time(6)
    assert (holding.held.is_held, len(holding.desk.asked)) == (True, 2)


def test_a_refusal_ends_it_at_once(holding: Holding) -> None:
    """An order over the host: the next renewal is refused, and the key goes."""
    holding.rig.order("pause")
    holding.pass_time(31)
    assert not holding.held.is_held
    assert "order pause/JP 1" in holding.dropped[0]


def test_a_key_that_goes_is_overwritten(holding: Holding) -> None:
    """The memory that held it holds zeros."""
    memory = holding.held._key  # the very bytes
    assert memory is not None
    holding.held.drop("done")
    assert memory == bytes(32)


def test_whoever_is_refused_at_first_holds_nothing(holding: Holding) -> None:
    """No key, the reason, and nobody is told to stop what never began."""
    holding.rig.order("pause")
    other = Holding(holding.rig)
    with pytest.raises(StateConflict, match="pause/JP 1"):
        other.held.ask()
    assert (other.held.is_held, other.dropped) == (False, [])
