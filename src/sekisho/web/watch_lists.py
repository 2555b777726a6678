"""What people on call watch besides an order's own page: who is late, and whom orders do not reach. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Final

import msgspec

from sekisho.app import OrderPush, PushState
from sekisho.app.control_room import LateHost, Pushes, SilentAddress
from sekisho.web.host_lists import ROWS, HostsAsked

__all__ = ["LatePage", "pick_late", "tell_push", "tell_push_states"]

_SILENT_ROWS: Final = 20


class LatePage(msgspec.Struct, frozen=True, kw_only=True):
    """One page of stragglers by site and name, out of `found` that were asked for, out of `total`."""

    asked: HostsAsked
    rows: tuple[LateHost, ...]
    sites: tuple[tuple[str, int], ...]
    total: int
    found: int
    page: int
    pages: int

    @property
    def is_long(self) -> bool:
        return self.total > len(self.rows) or self.asked.is_narrowed


def pick_late(late: Sequence[LateHost], asked: HostsAsked) -> LatePage:
    """The page of stragglers that is asked for; a number behind the last page gives the last page."""
    wanted = asked.query.casefold().strip()
    found = sorted(
        (
            row
            for row in late
            if (not asked.site or row.site == asked.site) and wanted in row.late.host.casefold()
        ),
        key=lambda row: (row.site, row.late.host, row.late.due),
    )
    pages = max(1, -(-len(found) // ROWS))
    page = min(max(1, asked.page), pages)
    return LatePage(
        asked=asked,
        rows=tuple(found[(page - 1) * ROWS : page * ROWS]),
        sites=tuple(sorted(Counter(row.site for row in late).items())),
        total=len(late),
        found=len(found),
        page=page,
        pages=pages,
    )


def tell_push(push: OrderPush | None) -> Pushes | None:
    """How pushes stand now; None where orders are pushed to nobody."""
    return None if push is None else tell_push_states(push.states())


def tell_push_states(states: Sequence[PushState]) -> Pushes:
    """Counts, and the silent addresses, those first that failed most often."""
    counts = Counter(state.standing for state in states)
    silent = sorted(
        (state for state in states if state.standing == "silent"),
        key=lambda state: (-state.failed_in_a_row, state.host),
    )
    return Pushes(
        reached=counts["reached"],
        untried=counts["untried"],
        silent=counts["silent"],
        rows=tuple(
            SilentAddress(
                host=each.host, failed_in_a_row=each.failed_in_a_row, problem=each.problem
            )
            for each in silent[:_SILENT_ROWS]
        ),
    )
