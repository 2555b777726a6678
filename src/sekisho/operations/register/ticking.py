"""What passing time makes due in a register: shipments that nobody received in time, told once each."""

from __future__ import annotations

from collections.abc import Sequence

from sekisho.model.instants import Instant
from sekisho.ports.register_store import AlertRow, RegisterStore
from sekisho.registry.custody import overdue

__all__ = ["raise_overdue"]


def raise_overdue(store: RegisterStore, now: Instant) -> Sequence[AlertRow]:
    """Keep an alert for each movement whose receipt is overdue, and give those that are new."""
    movements = store.load_open_movements(now)
    if not movements:
        return ()
    found = [
        AlertRow(
            number=alert.number,
            code=alert.code,
            epc=alert.epc,
            detail=alert.detail,
            refused=alert.refused,
            raised=now,
        )
        for alert in overdue(movements, now)
    ]
    known = {(row.number, row.code, row.epc) for row in _standing(store, found)}
    fresh = tuple(row for row in found if (row.number, row.code, row.epc) not in known)
    if fresh:
        # Crash before: they are found again. After: the same alerts again change nothing.
        store.save_alerts(fresh)
    return fresh


def _standing(store: RegisterStore, rows: Sequence[AlertRow]) -> list[AlertRow]:
    """Alerts that stand already for the same chips or movements."""
    found: list[AlertRow] = []
    for epc in dict.fromkeys(row.epc for row in rows):
        found += store.load_alerts(after=0, limit=10_000, epc=epc)
    return found
