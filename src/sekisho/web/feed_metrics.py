"""How hosts hear of orders, as metrics: who waits in a long poll, and how the addresses stand that are pushed to.

A label bears a host's name only where the scraper asks for names.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Final, Literal

from sekisho.app import OrderPush
from sekisho.web.open_metrics import Family, Sample

__all__ = ["feed_families"]

STANDINGS: Final[tuple[Literal["untried", "reached", "silent"], ...]] = (
    "untried",
    "reached",
    "silent",
)


def feed_families(waiting: int, push: OrderPush | None, *, names: bool) -> Iterator[Family]:
    """The families, in the order in which they are told; those of the push only where there is one."""
    yield Family(
        name="sekisho_feed_waiting",
        type="gauge",
        help="Hosts that wait in a long poll now.",
        samples=[Sample(value=waiting)],
    )
    if push is None:
        return
    states = push.states()
    counts = Counter(state.standing for state in states)
    yield Family(
        name="sekisho_push_addresses",
        type="gauge",
        help="Addresses that orders are pushed to, by how they stand.",
        samples=[Sample(value=counts[each], labels={"standing": each}) for each in STANDINGS],
    )
    if names:
        yield Family(
            name="sekisho_push_failures",
            type="gauge",
            help="Pushes to a host that failed since the last one that arrived.",
            samples=[
                Sample(value=state.failed_in_a_row, labels={"host": state.host}) for state in states
            ],
        )
