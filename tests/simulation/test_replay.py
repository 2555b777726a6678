"""Random traces of the model, walked through the real state machines of host and issuer."""

from __future__ import annotations

import os
from functools import cache

import msgspec
import pytest

from sekisho.agent.memory import Memory
from sekisho.licensing import Book, HostState
from sekisho.model.errors import SekishoError
from tests.simulation.replaying import Differs, Machines, replay
from tests.simulation.spinning import HONEST, Row, simulate

SEED = int(os.environ.get("SEKISHO_SEED", "0"))
LONGER = tuple(msgspec.structs.replace(row, ticks=12) for row in HONEST[:3])
STEPS = 1_500
WALKS = 40


@cache
def walked_lines() -> tuple[tuple[tuple[int, int], list[str]], ...]:
    """Traces for the mutants, with their tiers."""
    return tuple((row.tiers, simulate(row, s, STEPS)) for row in LONGER for s in range(WALKS))


def walk(row: Row, seeds: range) -> int:
    """Steps that model and code went the same way."""
    walked = 0
    for seed in seeds:
        try:
            walked += replay(simulate(row, seed, STEPS), Machines(row.tiers, row.leases))
        except Differs as error:
            raise AssertionError(f"{row.name}, seed {seed}: {error}") from None
    return walked


@pytest.mark.spin
@pytest.mark.parametrize("row", LONGER, ids=lambda row: row.name)
def test_model_and_code_go_the_same_way(row: Row) -> None:
    """After each step of a random walk the state file, the counter, the permit and the books are equal."""
    assert walk(row, range(SEED, SEED + 20)) > 400


@pytest.mark.spin
@pytest.mark.soak
@pytest.mark.parametrize("row", LONGER, ids=lambda row: row.name)
def test_model_and_code_go_the_same_way_for_long(row: Row) -> None:
    """The same over many walks."""
    assert walk(row, range(SEED, SEED + 1_000)) > 20_000


def _credits_all(self: HostState, _: int) -> HostState:
    """A mutant: a quantum that ends gives its whole reservation back."""
    lease = self.lease
    if lease is None:
        return self
    return msgspec.structs.replace(self, lease=msgspec.structs.replace(lease, reserved=lease.spent))


def _keeps_credit(self: HostState) -> HostState:
    """A mutant: after a crash the quantum counts as unused."""
    return _credits_all(self, 0)


def _returns_all(self: Book, allowed: int, used: int, *, rest_forfeited: bool) -> Book:
    """A mutant: what a lease did not use comes back even where no receipt says so."""
    del rest_forfeited
    left = self.leased - allowed
    return msgspec.structs.replace(
        self, leased=left, consumed=self.consumed + used, available=self.available + allowed - used
    )


def _steps_not(self: Memory) -> None:
    """A mutant: the counter stands still."""


@pytest.mark.spin
@pytest.mark.parametrize(
    ("owner", "name", "mutant"),
    [
        (HostState, "credit", _credits_all),
        (HostState, "forget_quantum", _keeps_credit),
        (HostState, "switch", lambda self: msgspec.structs.replace(self, lease=None, waiting=())),
        (Book, "close", _returns_all),
        (Memory, "step", _steps_not),
    ],
    ids=["credit", "forget_quantum", "switch", "close", "step"],
)
def test_a_defect_in_the_code_is_met_by_a_walk(
    owner: type, name: str, mutant: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Replay is no ornament: a state machine with one defect goes another way than the model."""
    lines = walked_lines()
    monkeypatch.setattr(owner, name, mutant)
    assert any(_is_met(trace, tiers) for tiers, trace in lines)


def _is_met(trace: list[str], tiers: tuple[int, int]) -> bool:
    try:
        replay(trace, Machines(tiers))
    except (Differs, SekishoError, ValueError):
        return True
    return False
