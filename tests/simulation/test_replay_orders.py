"""Random traces of the orders' model, walked through the real followers, registers, issuer and decisions."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from functools import cache

import pytest

from sekisho.following import Follower
from sekisho.orders import KnownOrder, OrderBook
from sekisho.signing.charter import Charter
from sekisho.signing.keybook import KeyBook
from sekisho.signing.keys import PublicKey
from tests.simulation.replaying import Differs
from tests.simulation.replaying_orders import OrderMachines, replay_orders
from tests.simulation.spinning import Row, simulate

SEED = int(os.environ.get("SEKISHO_SEED", "0"))
STEPS = 6_000
WALKS = 6


def _row(name: str, *options: str) -> Row:
    return Row(name=name, model="orders", ticks=5, hosts=2, options=("LEASE=2", *options))


# A hold lasts a day, two ticks, so there both orders end then.
WALKED = (
    _row("two pauses"),
    _row("pause and hold", "HOLD", "EXPIRES=2"),
    _row("pause and cap", "CAP", "EXPIRES=2"),
    _row("two drafts of one number", "TWIN"),
    _row("witnesses' time a tick old", "LAG"),
    _row("signatures, withdrawals", "QUORUMS"),
)


@cache
def walked_lines(row: Row, seed: int) -> list[str]:
    return simulate(row, seed, STEPS)


def walk(row: Row, seeds: range) -> int:
    """Steps that model and code went the same way."""
    walked = 0
    for seed in seeds:
        try:
            walked += replay_orders(walked_lines(row, seed), OrderMachines(row.options))
        except Differs as error:
            raise AssertionError(f"{row.name}, seed {seed}: {error}") from None
    return walked


@pytest.mark.spin
@pytest.mark.parametrize("row", WALKED, ids=lambda row: row.name)
def test_model_and_code_go_the_same_way_under_orders(row: Row) -> None:
    """After each step what is known, lapsed, outstanding, demanded, leased and permitted is equal on both hosts."""
    assert walk(row, range(SEED, SEED + WALKS)) > 100


@pytest.mark.spin
@pytest.mark.soak
@pytest.mark.parametrize("row", WALKED, ids=lambda row: row.name)
def test_model_and_code_go_the_same_way_under_orders_for_long(row: Row) -> None:
    """The same over many walks."""
    assert walk(row, range(SEED, SEED + 500)) > 10_000


def _never(*_: object, **__: object) -> bool:
    return False


def _nothing(*_: object, **__: object) -> tuple[()]:
    return ()


def _ages_by_signed_time(self: Follower, known: KnownOrder) -> bool:
    """A mutant: an order on sight is older by what a newer signed time leaps."""
    if known.witnessed:
        return False
    seen = self._sighted.get(known.digest, self.earliest())
    return self.earliest().since(seen) > self.regime.in_force().terms.witness_deadline_s


def _met_by_one(self: Charter, part: object, signers: frozenset[str]) -> tuple[str, int, int]:
    """A mutant: all keys count towards each constituency."""
    del self
    name, k = getattr(part, "constituency", ""), getattr(part, "k", 0)
    return name, len(signers), k


def _lifts_all(self: OrderBook, *_: object) -> tuple[frozenset[str], frozenset[str]]:
    """A mutant: any resume lifts every order."""
    known = list(self._all())
    released = any(k.order.kind == "resume" for k in known)
    return frozenset(k.digest for k in known if released), frozenset()


def _counts_all(self: KeyBook, keys: Iterable[PublicKey], *_: object) -> list[PublicKey]:
    """A mutant: what was taken back counts on."""
    del self
    return list(keys)


PAUSES, HELD, CAPPED, TWIN, LAGGING, SIGNED = WALKED


@pytest.mark.spin
@pytest.mark.parametrize(
    ("owner", "name", "mutant", "row"),
    [
        (OrderBook, "outstanding", _nothing, PAUSES),
        (OrderBook, "_lifted", _lifts_all, PAUSES),
        (Follower, "_has_lapsed", _never, HELD),
        (Follower, "_has_lapsed", _ages_by_signed_time, LAGGING),
        (Follower, "caps", _nothing, CAPPED),
        (Follower, "_displaced", lambda *_: set(), TWIN),
        (Charter, "_count", _met_by_one, SIGNED),
        (KeyBook, "counting", _counts_all, SIGNED),
    ],
    ids=[
        "outstanding",
        "lifted",
        "has_lapsed",
        "signed_time",
        "caps",
        "displaced",
        "count",
        "counting",
    ],
)
def test_a_defect_in_the_code_is_met_by_a_walk_under_orders(
    owner: type,
    name: str,
    mutant: Callable[..., object],
    row: Row,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Replay is no ornament: code with one defect goes another way than the model."""
    monkeypatch.setattr(owner, name, mutant)
    assert any(_is_met(row, seed) for seed in range(40))


def _is_met(row: Row, seed: int) -> bool:
    try:
        replay_orders(walked_lines(row, seed), OrderMachines(row.options))
    except Differs:
        return True
    return False
