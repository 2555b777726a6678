"""Sealed orders: sealed on a drafter's machine with what was drawn, judged at the desk with what they conceal. Pure."""

from __future__ import annotations

from collections.abc import Iterable

from sekisho.model.errors import InvalidInput, StateConflict
from sekisho.model.instants import Instant
from sekisho.model.membership import Membership
from sekisho.model.statements import OrderIssued, OrderOpened, OrderSealed
from sekisho.operations.state import State
from sekisho.orders import KnownOrder, OrderFault
from sekisho.orders.membership import HostTree, sealed_leaf
from sekisho.orders.sealed import (
    SALT,
    ForgedSeal,
    Salts,
    check_sealed,
    make_sealed,
    open_sealed,
    seal_tree,
    verify_seal,
)
from sekisho.signing import parse_disclosure

__all__ = [
    "due_openings",
    "seal_order",
    "show_host",
    "shown_to",
    "verify_opening",
    "verify_sealed",
]


def seal_order(
    state: State, order: OrderIssued, salts: Salts, *, opens: Instant
) -> tuple[OrderSealed, tuple[str, ...]]:
    """A drafted order, sealed, with the disclosures for its signers. Raises InvalidInput naming what is wrong."""
    named = state.known(order).named
    if named is None:
        raise InvalidInput(
            "a sealed order names its hosts by a predicate",
            path="--where",
            remedy="give its hosts with --where, as --where 'site is S'",
        )
    sealed, texts = make_sealed(order, named, salts, opens=opens)
    problems = check_sealed(sealed, order, state.regime.in_force())
    if problems:
        raise InvalidInput("; ".join(problems), path="order")
    return sealed, texts


def verify_sealed(state: State, sealed: OrderSealed, texts: Iterable[str]) -> OrderIssued:
    """The order inside, once outside, inside and hosts agree. Raises ForgedSeal, OrderFault, StateConflict.

    Whether that order may be issued now is asked besides, as of any other.
    """
    opened = open_sealed(sealed, texts)
    if opened.order is None or opened.salt is None:
        raise StateConflict(
            "a sealed order is taken with both of its disclosures only",
            remedy="hand them in with it: sekisho order issue finds F.sealed.json beside F",
        )
    problems = check_sealed(sealed, opened.order, state.regime.in_force())
    if problems:
        raise OrderFault(f"order {sealed.register} {sealed.number}: {'; '.join(problems)}")
    named = state.known(opened.order).named
    if named is None:
        raise ForgedSeal("the predicate of the order inside does not name the hosts that it counts")
    verify_seal(sealed, opened.salt, named)
    return opened.order


def shown_to(
    state: State, sealed: OrderSealed, texts: tuple[str, ...], host: str
) -> tuple[Membership, tuple[str, ...]]:
    """What a host is shown of a sealed order, by whoever holds it whole. Raises what `verify_sealed` raises."""
    named = state.known(verify_sealed(state, sealed, texts)).named or frozenset()
    salt = open_sealed(sealed, texts).salt or b""
    return show_host(seal_tree(salt, named, sealed.leaves), salt, texts, host)


def show_host(
    tree: HostTree, salt: bytes, texts: tuple[str, ...], host: str
) -> tuple[Membership, tuple[str, ...]]:
    """A host's proof, with both disclosures where it is in the tree, and the salt alone where it is not."""
    proof = tree.prove(sealed_leaf(salt, host))
    if proof.says == "in":
        return proof, texts
    return proof, tuple(text for text in texts if parse_disclosure(text).name == SALT)


def verify_opening(state: State, fact: OrderOpened, *, now: Instant) -> None:
    """Check an opening. Raises StateConflict where it is not due or done already, ForgedSeal for another content."""
    known = state.orders.find(fact.order)
    where = f"order {fact.order.register} {fact.order.number}"
    if known is None or known.sealed is None:
        raise StateConflict(f"{where} is no sealed order of this log")
    if known.is_opened:
        raise StateConflict(f"{where} is open already")
    opened = open_sealed(known.sealed, fact.disclosures)
    if opened.order is None or opened.salt is None:
        raise ForgedSeal(f"the opening of {where} does not show the order and its salt")
    if not _is_due(state, known, now):
        raise StateConflict(f"{where} opens at {known.sealed.opens}, and nothing has lifted it")


def due_openings(state: State, now: Instant) -> tuple[KnownOrder, ...]:
    """The sealed orders that should be open by now: at their instant, or once a resume in force lifted them."""
    return tuple(
        known
        for book in state.orders.orders.values()
        for known in book.values()
        if known.sealed is not None and not known.is_opened and _is_due(state, known, now)
    )


def _is_due(state: State, known: KnownOrder, now: Instant) -> bool:
    return known.sealed is not None and (
        known.sealed.opens <= now or known.digest in state.orders.lifted(now)
    )
