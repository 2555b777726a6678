"""Who holds how much: the register's counts, turned into H100 equivalents. One query, whatever the number of chips."""

from __future__ import annotations

from typing import Final

from sekisho.model.chips import TREATY_H100, H100Constants
from sekisho.ports.register_store import Dimension, RegisterStore
from sekisho.registry.holdings import COUNTED, HeldBy, Holdings, Tally, measure_holdings

__all__ = ["load_holdings", "load_tallies"]

_PARTS: Final[tuple[Dimension, ...]] = ("component", "model", "state")


def load_holdings(
    store: RegisterStore, by: HeldBy, *, constants: H100Constants = TREATY_H100
) -> Holdings:
    """The present holdings by one dimension, everything in effect included. Raises Unavailable, Corrupt."""
    return measure_holdings(load_tallies(store, by), by, constants=constants)


def load_tallies(store: RegisterStore, by: HeldBy) -> list[Tally]:
    """Packages and boards, counted by one dimension, kind, model and state."""
    rows = store.count_holdings((by, *_PARTS), {"component": COUNTED})
    return [
        Tally(
            key=row.values[0],
            component=row.values[1],  # type: ignore[arg-type]  # the store keeps the words that it was given
            model=row.values[2],
            state=row.values[3],  # type: ignore[arg-type]  # as above
            count=row.count,
        )
        for row in rows
    ]
