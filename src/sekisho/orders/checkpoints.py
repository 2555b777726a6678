"""The newest model checkpoint that is known of each run at each host, as the log tells it. A pure fold.

A checkpoint is known by `checkpoint-recorded`, or by an order's receipt that names one. Its age counts from the instant
that it was written by its host's word, or from when the log recorded it where the host dated it later.
"""

from __future__ import annotations

from typing import TypeAlias

import msgspec

from sekisho.model.instants import Instant
from sekisho.model.persistent import PersistentMap
from sekisho.model.statements import CheckpointRecorded, ReceiptGiven
from sekisho.signing.regime import Recorded

__all__ = ["CheckpointBook", "CheckpointKnown"]

_Rows: TypeAlias = PersistentMap[str, "CheckpointKnown"]


class CheckpointKnown(msgspec.Struct, frozen=True, kw_only=True):
    """A checkpoint of a run at a host: its digest, and when it was written."""

    host: str
    run: str
    sha256: str
    at: Instant
    index: int


class CheckpointBook(msgspec.Struct, frozen=True, kw_only=True):
    """The newest checkpoint of each host's newest runs, by host and run."""

    newest: PersistentMap[str, _Rows] = PersistentMap()

    def after(self, recorded: Recorded) -> CheckpointBook:
        """The book once a statement is in the log."""
        fact = recorded.verified.predicate
        if not isinstance(fact, CheckpointRecorded | ReceiptGiven):
            return self
        if fact.checkpoint is None or not fact.run:
            return self
        rows = self.newest.get(fact.host, _NONE)
        before = rows.get(fact.run)
        if before is not None and before.at > fact.effective:
            return self
        known = CheckpointKnown(
            host=fact.host,
            run=fact.run,
            sha256=fact.checkpoint.sha256,
            at=fact.effective,
            index=recorded.index,
        )
        return CheckpointBook(newest=self.newest.plus(fact.host, rows.plus(fact.run, known)))

    def of(self, host: str, run: str | None = None) -> CheckpointKnown | None:
        """The newest checkpoint at a host, of one run or of any."""
        rows = self.newest.get(host, _NONE)
        if run is not None:
            return rows.get(run)
        return max(rows.values(), key=lambda known: known.at, default=None)


_NONE: _Rows = PersistentMap()
