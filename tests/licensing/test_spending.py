from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from sekisho.licensing import (
    AllowanceSpent,
    HeldLease,
    HostState,
    RolledBack,
    check_start,
    parse_state,
)
from sekisho.model.errors import StateConflict
from sekisho.model.wire import canonical, from_json, parse_canonical, to_plain
from tests.factory import NOW, REFERENCE

QUANTUM = 40
ALLOWANCE = 100
AHEAD = 3


def held(number: int = 1, allowance: int = ALLOWANCE) -> HeldLease:
    """A lease in the host's hands, unspent."""
    return HeldLease(
        lease=REFERENCE,
        licence=REFERENCE,
        number=number,
        run="run-1",
        not_after=NOW.plus(60),
        allowance=str(allowance),
    )


def spending(state: HostState) -> tuple[int, int]:
    """(spent, reserved) of the lease held."""
    assert state.lease is not None
    return int(state.lease.spent), int(state.lease.reserved)


HOLDING = HostState().take(held())


def test_a_quantum_is_reserved_before_it_is_spent() -> None:
    """Reserving counts the quantum; crediting frees what the bound shows unspent."""
    reserved = HOLDING.reserve(QUANTUM)
    assert (reserved.quantum, spending(reserved)) == (1, (0, 40))
    credited = reserved.credit(25)
    assert (credited.quantum, spending(credited)) == (1, (25, 25))
    assert spending(credited.reserve(QUANTUM)) == (25, 65)


def test_a_lease_without_room_takes_no_quantum() -> None:
    """To the FLOP, and the state is as it was."""
    two = HOLDING.reserve(QUANTUM).credit(40).reserve(QUANTUM).credit(40)
    assert spending(two.reserve(20)) == (80, 100)
    with pytest.raises(AllowanceSpent, match="101 FLOP would be reserved, the lease allows 100"):
        two.reserve(21)
    with pytest.raises(StateConflict, match="no lease"):
        HostState().reserve(1)


def test_a_crash_loses_the_credit_and_nothing_else() -> None:
    """The whole reservation counts as spent."""
    crashed = HOLDING.reserve(QUANTUM).forget_quantum()
    assert (crashed.quantum, spending(crashed)) == (1, (40, 40))
    assert HostState().forget_quantum() == HostState()


def test_a_bound_above_the_reservation_shows() -> None:
    """The excess is kept, not cut off."""
    assert spending(HOLDING.reserve(QUANTUM).credit(55)) == (55, 55)


@pytest.mark.parametrize("flop", [-1, -(10**30)])
def test_a_negative_figure_makes_no_allowance(flop: int) -> None:
    """A metering fault below zero is refused, in reserving and in crediting."""
    with pytest.raises(StateConflict, match="below zero"):
        HOLDING.reserve(flop)
    with pytest.raises(StateConflict, match="below zero"):
        HOLDING.reserve(QUANTUM).credit(flop)


def test_the_next_lease_waits_until_the_first_is_closed() -> None:
    """A lease requested ahead is held beside, and taken over at the switch with its own books."""
    ahead = HOLDING.reserve(QUANTUM).take(held(2, 500))
    assert ahead.lease_number == 2
    assert spending(ahead) == (0, 40)
    switched = ahead.credit(30).switch()
    assert switched.lease == held(2, 500)
    assert (switched.waiting, switched.quantum) == ((), 1)
    assert switched.switch().lease is None
    with pytest.raises(StateConflict, match="waiting already"):
        ahead.take(held(3))


def test_after_a_rollback_nothing_held_counts() -> None:
    """Leases are dropped; numbers and the receipt chain stay."""
    state = HOLDING.take(held(2)).receipted("a" * 64).receipted("b" * 64)
    fresh = state.without_leases()
    assert (fresh.lease, fresh.waiting) == (None, ())
    assert (fresh.lease_number, fresh.sequence, fresh.receipt) == (2, 2, "b" * 64)


@given(st.integers(0, 2**40), st.integers(-5, 5))
def test_state_and_counter_tell_a_crash_from_a_rollback(counter: int, ahead: int) -> None:
    """Equal is sound, the state one ahead is a crash, everything else was set back."""
    if ahead in (0, 1):
        assert check_start(counter + ahead, counter) == ("equal", "crash")[ahead]
    else:
        with pytest.raises(RolledBack, match=str(counter)):
            check_start(counter + ahead, counter)


def test_the_state_file_goes_there_and_back() -> None:
    """What is made durable is read again exactly."""
    state = HOLDING.take(held(2)).reserve(QUANTUM).receipted("a" * 64)
    assert from_json(HostState, parse_canonical(canonical(state))) == state


class Host(RuleBasedStateMachine):
    """A host that runs, crashes and changes leases; the sum of what it reserved never exceeds what it was given."""

    def __init__(self) -> None:
        super().__init__()
        self.state = HostState()
        self.stored, self.counter = self.state, 0
        self.running = False
        self.given, self.closed = 0, 0

    @precondition(lambda self: len(self.state.waiting) < AHEAD)
    @rule(allowance=st.integers(1, 300))
    def take(self, allowance: int) -> None:
        lease = held(self.state.lease_number + 1, allowance)
        self.state = self.stored = self.state.take(lease, ahead=AHEAD)
        self.given += allowance

    @precondition(lambda self: self.state.lease is not None and not self.running)
    @rule(crash=st.sampled_from(["no", "before the write", "before the step", "while running"]))
    def quantum(self, crash: str) -> None:
        try:
            reserved = self.state.reserve(QUANTUM)
        except AllowanceSpent:
            return None
        if crash == "before the write":
            return self.restart()
        self.stored = reserved
        if crash == "before the step":
            return self.restart()
        self.counter += 1
        self.state, self.running = reserved, True
        if crash == "while running":
            self.restart()
        return None

    @precondition(lambda self: self.running)
    @rule(bound=st.integers(0, QUANTUM))
    def finish(self, bound: int) -> None:
        self.state = self.stored = self.state.credit(bound)
        self.running = False

    @precondition(lambda self: self.state.lease is not None and not self.running)
    @rule()
    def switch(self) -> None:
        self.closed += spending(self.state)[1]
        self.state = self.stored = self.state.switch()

    def restart(self) -> None:
        if check_start(self.stored.quantum, self.counter) == "crash":
            self.counter += 1
        self.state = self.stored = self.stored.forget_quantum()
        self.running = False

    @invariant()
    def reserved_is_within_what_was_given(self) -> None:
        if self.state.lease is not None:
            spent, reserved = spending(self.state)
            assert spent <= reserved <= int(self.state.lease.allowance)
            assert self.closed + reserved <= self.given
        assert self.stored.quantum - self.counter in (0, 1)


TestHost = Host.TestCase


def test_a_state_file_of_before_keeps_the_lease_that_waited() -> None:
    """Until several could wait there was one, under another name; no lease is lost on the way."""
    state = HOLDING.take(held(2, 500)).receipted("a" * 64)
    document = to_plain(state)
    assert isinstance(document, dict)
    document.pop("waiting")
    following = to_plain(held(2, 500))

    assert parse_state(canonical({**document, "following": following})) == state
    nobody = parse_state(canonical({**document, "following": None}))
    assert nobody == msgspec.structs.replace(state, waiting=())
    assert parse_state(canonical(state)) == state


def test_several_leases_wait_and_take_over_in_their_order() -> None:
    """As many as are allowed ahead, and no more."""
    state = HOLDING.take(held(2), ahead=2).take(held(3), ahead=2)
    assert [lease.number for lease in state.in_hand] == [1, 2, 3]
    with pytest.raises(StateConflict, match="2 leases are waiting already"):
        state.take(held(4), ahead=2)
    assert [lease.number for lease in state.switch().in_hand] == [2, 3]
    assert state.switch().switch().switch().in_hand == ()


def test_the_newest_challenge_is_kept() -> None:
    """That of a lease, then that of an acknowledgement; one that is missing takes nothing away."""
    lease = msgspec.structs.replace(held(2), challenge="a" * 32)
    state = HOLDING.take(lease)
    assert (HOLDING.challenge, state.challenge) == (None, "a" * 32)
    assert state.challenged("b" * 32).challenge == "b" * 32
    assert state.challenged(None).challenge == "a" * 32
    assert state.take(held(3), ahead=2).challenge == "a" * 32
