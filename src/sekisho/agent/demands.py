"""What the orders in force ask of this host's work, since when, and whether all of them are known.

An order that is lacking drains work, which then ends with its lease. Not so a hold: few keys sign it, so what nobody
has shown of it freezes work at most, as it would itself. Else a hold that is shown and never proved would kill.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

import msgspec

from sekisho.agent.host import Host
from sekisho.orders import Demand, HostFacts, KnownOrder

__all__ = ["Demands"]


class Demands:
    """The orders of one charter over one host. Where `is_bound` says no, they ask nothing of the work here.

    `outstanding_since_s` and `demanded_since_s` are elapsed seconds: since when an order is lacking, and since when
    the present demand refuses new work. Where holds alone are lacking the first ends with the fetch delay: from then on
    they are acted on as if they were for this host.
    """

    def __init__(self, host: Host, is_bound: Callable[[], bool]) -> None:
        self._host = host
        self._is_bound = is_bound
        self.outstanding_since_s: float | None = None
        self.demanded_since_s: float | None = None
        self._lacking_since_s: float | None = None
        self._is_held = False

    def demand(self) -> tuple[Demand, tuple[KnownOrder, ...]]:
        """The strictest of all orders in force over this work, and the orders that make it rest."""
        if not self._is_bound():
            return Demand(), ()
        demand, halting = self._host.follower.demand(self._host.latest(), self._facts())
        return self._with_holds(demand) if self._is_held else demand, halting

    def caps(self) -> tuple[KnownOrder, ...]:
        """The caps in force over this work."""
        return (
            self._host.follower.caps(self._host.latest(), self._facts()) if self._is_bound() else ()
        )

    def note(self, now_s: float, demand: Demand) -> bool:
        """Take down since when orders are outstanding and the demand is acted on; whether it has just begun."""
        lacking = self._lacking()
        if lacking is None:
            self._lacking_since_s = None
        elif self._lacking_since_s is None:
            self._lacking_since_s = now_s
        since = self._lacking_since_s
        self._is_held = (
            lacking == "holds" and since is not None and now_s - since >= self._delay_s()
        )
        self.outstanding_since_s = None if self._is_held else since
        if not demand.refuses_new_work:
            self.demanded_since_s = None
        elif self.demanded_since_s is None:
            self.demanded_since_s = now_s
            return True
        return False

    def waits_s(self) -> list[float]:
        """Seconds until an order that is known begins: by the latest clock, a resume by the earliest."""
        latest, earliest = self._host.latest(), self._host.follower.earliest()
        return [
            known.order.not_before.since(earliest if known.order.kind == "resume" else latest)
            for book in self._host.follower.book.orders.values()
            for known in book.values()
            if known.order.not_before > earliest
        ]

    def _lacking(self) -> Literal["orders", "holds"] | None:
        """Whether an order must exist that is not known, or one is known that nobody has shown to be for others.

        What stands in a register of holds can only be a hold.
        """
        follower, charter = self._host.follower, self._host.follower.regime.charter
        rows = charter.terms.registers if charter is not None else ()
        held = {row.name for row in rows if row.power == "hold"}
        names = {name for name, _ in follower.book.outstanding()}
        names |= {known.order.register for known in self._unshown()}
        if not names:
            return None
        return "holds" if names <= held else "orders"

    def _unshown(self) -> tuple[KnownOrder, ...]:
        return self._host.follower.unproven(self._host.latest(), self._facts())

    def _with_holds(self, demand: Demand) -> Demand:
        """The demand, and of the holds that nobody showed to be for others the strictest that a hold can ask."""
        if demand.refuses_new_work:
            return demand
        unshown = tuple(known.reference for known in self._unshown())
        return msgspec.structs.replace(
            demand,
            effect="freeze",
            grace_s=0,
            orders=(*demand.orders, *unshown),
            only_holds=not demand.orders,
        )

    def _delay_s(self) -> float:
        charter = self._host.follower.regime.charter
        return float(charter.terms.order_fetch_delay_s) if charter is not None else 0.0

    def _facts(self) -> HostFacts:
        licence = self._host.licence()
        return self._host.follower.facts(licence.licence if licence else None)
