"""From alerts to findings in the log: which, how many at once, and each only once.

An alert that nobody's signature stands behind makes no finding, else whoever can send a document could fill the log.
Nor does one of an event that is only early: it is settled when the event takes effect.
Of many at once the first are stated one by one, the rest as one finding for each code with their count.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import msgspec

from sekisho.model.wire import canonical, sha256_hex
from sekisho.operations.desk import Admitted
from sekisho.operations.register.irregularities import Irregularities
from sekisho.ports.register_store import AlertRow, RegisterStore
from sekisho.registry.irregularity import SERIOUS

__all__ = ["Findings"]

MOST: Final = 20
PAGE: Final = 500


class Findings:
    """States one register's serious alerts. Not for several threads at once."""

    def __init__(self, store: RegisterStore, irregularities: Irregularities) -> None:
        self._store = store
        self._irregularities = irregularities
        self._behind: int | None = None

    def state_new(self) -> None:
        """State what was raised since the last call; at the first call, what a crash left unstated."""
        if self._behind is None:
            self._behind = self._start()
        while rows := self._store.load_alerts(after=self._behind, limit=PAGE):
            self._state([row for row in rows if self._is_due(row)])
            # Crash before: the same alerts are looked at again, and give the same findings.
            self._behind = rows[-1].place

    def _start(self) -> int:
        """Behind which alert to go on: those raised before the newest settled batch was made were seen to then."""
        numbers = self._store.load_numbers()
        unlogged = self._store.load_batches(unlogged=True, limit=1)
        settled = (unlogged[0].batch if unlogged else numbers.batch + 1) - 1
        row = self._store.find_batch(settled) if settled else None
        if row is None:
            return 0
        newest = self._store.load_alerts(after=0, limit=1, newest=True)
        low, high = 0, newest[0].place if newest else 0
        while low < high:
            middle = (low + high) // 2
            found = self._store.load_alerts(after=middle, limit=1)
            low, high = (
                (found[0].place, high) if found and found[0].raised < row.made else (low, middle)
            )
        return low

    def _is_due(self, row: AlertRow) -> bool:
        return row.code in SERIOUS and self._is_grave(row)

    def _is_grave(self, row: AlertRow) -> bool:
        events = self._store.load_events(after=row.number - 1, limit=1)
        if not events or events[0].number != row.number:
            return True  # no event raised it: the passing of time did
        event = events[0]
        is_early = row.refused and event.outcome != "refused"
        return bool(event.parties or event.powers) and not is_early

    def _state(self, due: Sequence[AlertRow]) -> None:
        for row in due[:MOST]:
            if row.leaf:
                continue
            about = canonical([row.number, row.epc]).decode()
            stated = self._irregularities.raise_irregularity(
                "custody", row.code, about, row.detail, at=row.raised
            )
            self._keep([row], stated)
        by_code: dict[str, list[AlertRow]] = {}
        for row in due[MOST:]:
            by_code.setdefault(row.code, []).append(row)
        for code, rows in by_code.items():
            if all(row.leaf for row in rows):
                continue
            named = canonical([[row.number, row.epc] for row in rows])
            stated = self._irregularities.raise_irregularity(
                "custody",
                code,
                f"sha256:{sha256_hex(named)}",
                named.decode(),
                at=rows[-1].raised,
                count=len(rows),
            )
            self._keep(rows, stated)

    def _keep(self, rows: Sequence[AlertRow], stated: Admitted) -> None:
        self._store.save_alerts([msgspec.structs.replace(row, leaf=stated.leaf) for row in rows])
