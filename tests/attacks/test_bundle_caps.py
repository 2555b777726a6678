"""A host that says it is capped and computes on: its own receipts are held against the cap."""

from __future__ import annotations

import pytest

from sekisho.model.statements import OrderReference, ReceiptGiven, Reference, Spend
from sekisho.signing import Envelope
from tests import factory
from tests.factory_bundle import (
    PEAK,
    QUORUM,
    T0,
    Cast,
    Item,
    LogSoFar,
    audit,
    check_of,
    honest_story,
    seal,
)

RECEIPTS = "hosts/host-1/receipts.jsonl"


def capping(log: LogSoFar) -> Envelope:
    order = factory.order_issued(
        kind="cap",
        effect="cap",
        cap_percent=40,
        charter_digest=log.digest("charter"),
        now=T0.plus(20),
    )
    return factory.signed(order, *log.cast.signers(*QUORUM))


def receipt(at: float, sequence: int, **fields: object) -> ReceiptGiven:
    return ReceiptGiven(
        effective=T0.plus(at),
        host="host-1",
        sequence=sequence,
        quantum=sequence,
        state="running",
        counter="C0",
        **fields,  # type: ignore[arg-type]  # a test's own fields
    )


def saying_capped(log: LogSoFar) -> Envelope:
    order = OrderReference(register="cap/JP", number=1, digest=log.digest("cap-1"))
    said = receipt(20, 90, stage="capped", order=order, cap="duty-cycle, 40 % left")
    return factory.signed(said, log.cast.signer("host-1"))


def quantum(at: float, sequence: int, bound: int, declared: int) -> bytes:
    spend = Spend(
        lease=Reference(log=factory.ORIGIN, leaf="1" * 64),
        lease_number=9,
        reserved_flop=str(bound + PEAK),
        bound_flop=str(bound),
        declared_flop=str(declared),
    )
    fact = receipt(at, sequence, stage="quantum", spend=spend)
    return factory.signed(fact, Cast().signer("host-1")).raw


def verdict(used: float, declared: float, *, papers: bool = True) -> str:
    """What the check says of half a minute under the cap, in shares of the host's peak."""
    story = honest_story()
    items: list[tuple[str, Item]] = [("cap-1", capping), ("capped-1", saying_capped)]
    after = "pause-1"
    for name, make in items:
        story.insert_after(after, name, make)
        after = name
    whole = 30 * 1_000_000_000
    rows = [
        quantum(21, 91, 0, 0),
        quantum(51, 92, round(used * whole), round(declared * whole)),
    ]
    story.papers[RECEIPTS] = [*story.papers[RECEIPTS], *rows]
    if not papers:
        del story.papers[RECEIPTS]
    return check_of(audit(seal(story)), "caps").verdict


@pytest.mark.parametrize(
    ("used", "declared", "expected"),
    [(0.3, 0.3, "holds"), (0.9, 0.3, "unverifiable"), (0.9, 0.8, "fails")],
)
def test_a_host_that_says_it_is_capped_is_held_to_it(
    used: float, declared: float, expected: str
) -> None:
    """Kept by its sound bound; too much by its own declaration; in between nobody can tell."""
    assert verdict(used, declared) == expected


def test_a_cap_whose_receipts_are_kept_back_is_unverifiable() -> None:
    """Missing evidence never passes."""
    assert verdict(0.1, 0.1, papers=False) == "unverifiable"
