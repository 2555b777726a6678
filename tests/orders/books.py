"""Registers of orders for tests: chains of pauses, holds and resumes with right numbers and digests."""

from __future__ import annotations

from typing import Any

import msgspec

from sekisho.model.statements import (
    EnrolledDevice,
    HostEnrolled,
    OrderIssued,
    OrderReference,
    make_payload,
)
from sekisho.model.wire import sha256_hex
from sekisho.orders import EMPTY_HEAD, HostFacts, KnownOrder, OrderBook
from tests.factory import charter, host_enrolled, order_issued

__all__ = ["CHARTER_DIGEST", "OPEN", "book_of", "known", "pauses", "resume_of", "site_host"]

CHARTER_DIGEST = "c" * 64
OPEN = OrderBook.open(charter().registers)


def known(order: OrderIssued, *, witnessed: bool = True) -> KnownOrder:
    """An order with the digest of its payload."""
    return KnownOrder(order=order, digest=sha256_hex(make_payload(order)), witnessed=witnessed)


def pauses(count: int, *, first: str = "", **changes: Any) -> list[KnownOrder]:
    """Pauses 1 to `count` of one register; `first` is another legal basis for number 1, so another chain."""
    made: list[KnownOrder] = []
    for number in range(1, count + 1):
        order = order_issued(
            number=number,
            previous=made[-1].digest if made else EMPTY_HEAD,
            charter_digest=CHARTER_DIGEST,
            **{"legal_basis": first or "Test act", **changes},
        )
        made.append(known(order))
    return made


def resume_of(*orders: KnownOrder, witnessed: bool = True, **changes: Any) -> KnownOrder:
    """Resume number 1 of everything named, with the scope of the first."""
    fields: dict[str, Any] = {
        "scope": orders[0].order.scope,
        "charter_digest": CHARTER_DIGEST,
        **changes,
    }
    lifts: tuple[OrderReference, ...] = tuple(item.reference for item in orders)
    order = order_issued(kind="resume", effect="lift", lifts=lifts, **fields)
    return known(order, witnessed=witnessed)


def book_of(*orders: KnownOrder) -> OrderBook:
    """The charter's registers with these orders, in this sequence."""
    book = OPEN
    for order in orders:
        book = book.after(order)
    return book


def site_host(**changes: object) -> HostFacts:
    """A host that knows all about itself and works under a licence."""
    facts = HostFacts(
        host="host-1",
        site="site-1",
        jurisdiction="JP",
        chips=("host CPU",),
        licensee="party-1",
        licence="LIC-1",
        run="run-1",
        lineage=("a" * 64,),
        canary="run-1",
    )
    return msgspec.structs.replace(facts, **changes)


def host_with_devices(*keys: str | None, memory_bytes: int = 1 << 20) -> HostEnrolled:
    """host-1 with one device per key; None is a device that has no key of its own."""
    first = host_enrolled().devices[0]
    devices: tuple[EnrolledDevice, ...] = tuple(
        msgspec.structs.replace(
            first, device=f"host-1/device-{n}", public=key, memory_bytes=memory_bytes
        )
        for n, key in enumerate(keys)
    )
    return msgspec.structs.replace(host_enrolled(), devices=devices)
