"""Sealed orders for tests: drafted, sealed, signed and handed in as the real ones are."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from sekisho.model.instants import Instant
from sekisho.model.statements import OrderIssued, OrderSealed, Scope, parse_payload
from sekisho.operations.ordering import OrderPlan, draft_order
from sekisho.operations.sealing import seal_order
from sekisho.orders.sealed import Salts, make_sealed
from sekisho.signing import Envelope, parse_envelope
from sekisho.signing.keys import Signer
from tests import factory as f
from tests.desks import TestDesk
from tests.scoped import QUORUM, resolved

__all__ = ["BIG", "DAY_S", "SALTS", "drafted", "forge", "order_in", "resigned", "seal", "sealed_of"]

BIG = ("devices at-least 8",)
DAY_S = 86_400
SALTS = Salts(order=bytes(range(16)), salt=bytes(range(16, 32)), hosts=bytes(range(32)))


def drafted(desk: TestDesk, where: Sequence[str] = BIG, **changes: object) -> OrderIssued:
    """A pause of three days for whom the predicate names, next in its register."""
    fields: dict[str, object] = {
        "kind": "pause",
        "scope": Scope(),
        "effect": "checkpoint-then-stop",
        "lasts_s": 3 * DAY_S,
        "legal_basis": "a law",
        "appeal": "a court",
        "grace_s": 30,
        "resolved": resolved(desk, where),
        **changes,
    }
    return draft_order(desk.desk.state, OrderPlan(**fields), now=desk.clock.now())  # type: ignore[arg-type]  # a test's own fields


def seal(
    desk: TestDesk,
    order: OrderIssued | None = None,
    *,
    opens: Instant | None = None,
    signers: Sequence[Signer] = QUORUM,
) -> tuple[Envelope, tuple[str, ...]]:
    """An order sealed for two days, signed by its quorum, with what it conceals."""
    order = order or drafted(desk)
    sealed, texts = seal_order(
        desk.desk.state, order, SALTS, opens=opens or order.effective.plus(2 * DAY_S)
    )
    return f.signed(sealed, *signers), texts


def forge(
    desk: TestDesk,
    order: OrderIssued,
    hosts: Sequence[str] = ("host-2",),
    *,
    shown: OrderIssued | None = None,
    **outside: object,
) -> tuple[Envelope, tuple[str, ...]]:
    """A sealed order that no sound drafter makes: `shown` inside where another was meant, fields changed outside."""
    sealed, texts = make_sealed(shown or order, hosts, SALTS, opens=order.effective.plus(2 * DAY_S))
    outer, _ = make_sealed(order, hosts, SALTS, opens=order.effective.plus(2 * DAY_S))
    fields = {**outside, "concealed": outside.get("concealed", sealed.concealed)}
    return f.signed(msgspec.structs.replace(outer, **fields), *QUORUM), texts


def sealed_of(envelope: Envelope) -> OrderSealed:
    """The statement in an envelope."""
    fact = parse_payload(parse_envelope(envelope.raw).payload).predicate
    if not isinstance(fact, OrderSealed):
        raise TypeError("no sealed order")
    return fact


def order_in(desk: TestDesk, envelope: Envelope) -> OrderIssued:
    """What the desk knows to be inside."""
    found = desk.desk.find(envelope.digest)
    if found is None or not isinstance(found.verified.predicate, OrderSealed):
        raise TypeError("the desk took no sealed order")
    fact = found.verified.predicate
    return desk.desk.state.orders.orders[fact.register][fact.number].order


def resigned(
    sealed: OrderSealed, signers: Sequence[Signer] = QUORUM, **changes: object
) -> Envelope:
    """Another sealed order with these fields, signed as well."""
    return f.signed(msgspec.structs.replace(sealed, **changes), *signers)
