"""The live projections of a desk: heard of entry by entry, written in a thread of their own.

    log entry -> desk -> projector: fold -> documents that change -> one transaction: rows and position

1. Crash before the transaction: rows and position are those of an earlier entry; the next start goes on from there.
2. Crash after it: nothing is lost; the same entries are folded again, and nothing is written for them.
3. The position is not one of this log's, or rests on other disclosures (a restored database, an erasure): everything
   is made again, apart, and put in place in one transaction. Crash before that: as found, and made again.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from typing import Final

from sekisho.model.errors import Corrupt, SekishoError, StateConflict, Unavailable
from sekisho.operations.desk import Desk
from sekisho.operations.projecting import GROUP, Telling, make_projections
from sekisho.ports.projection_store import Place, Position, ProjectionStore, Row
from sekisho.signing import Recorded

__all__ = ["Projector"]

RETRY_S: Final = 1.0
PACE_S: Final = 0.05
"""So long after a transaction the next one begins at the earliest: in a crowd they would be of an entry or two each."""
Scratch = Callable[[], AbstractContextManager[ProjectionStore]]
"""An empty store that is gone afterwards."""
_Writing = tuple[Position, Position, Sequence[Row], Sequence[Place]]


class Projector:
    """Keeps the projections of one desk. A database that refuses holds nothing else up; the rows follow later."""

    last_problem: str = ""
    """What it last failed with, empty while all is well; for the console, not for a decision."""

    def __init__(self, desk: Desk, store: ProjectionStore, scratch: Scratch) -> None:
        self._desk = desk
        self._store = store
        self._scratch = scratch
        self._heard: deque[Recorded] = deque()
        self._wake = threading.Condition()
        self._is_stopping = False
        self._must_rebuild = False
        self._telling: Telling | None = None
        self._writing: _Writing | None = None
        self._written = 0
        self._paced_until = 0.0
        self._thread = threading.Thread(target=self._work, name="projections", daemon=True)

    def start(self) -> None:
        """Begin, once the desk has loaded."""
        with self._desk.lock:
            self._desk.on_recorded(self._take)
            self._desk.on_forgotten(self._forget)
        self._thread.start()

    def stop(self) -> None:
        """Write what was heard of, as far as the database takes it, and end."""
        with self._wake:
            self._is_stopping = True
            self._wake.notify_all()
        if self._thread.is_alive():
            self._thread.join()

    def wait_written(self, size: int, timeout_s: float) -> bool:
        """Whether the projections tell of the first `size` entries, and of nothing that was forgotten."""
        with self._wake:
            return self._wake.wait_for(
                lambda: self._written >= size and not self._must_rebuild, timeout_s
            )

    def _take(self, recorded: Recorded) -> None:
        """A listener of the desk, under its lock."""
        with self._wake:
            is_first = not self._heard
            self._heard.append(recorded)
            if is_first:
                self._wake.notify_all()

    def _forget(self, _digest: str) -> None:
        """Disclosures are destroyed: rows that rest on them must go, and no byte of them stay."""
        with self._wake:
            self._must_rebuild = True
            self._wake.notify_all()

    def _work(self) -> None:
        while self._has_work():
            try:
                self._step()
                self.last_problem = ""
            except SekishoError as error:
                self.last_problem = str(error)
                if not isinstance(error, Unavailable):
                    self._telling = None
                with self._wake:
                    if self._wake.wait_for(lambda: self._is_stopping, RETRY_S):
                        return

    def _has_work(self) -> bool:
        """Waits for something to do; False where there is nothing left and nothing to come."""
        with self._wake:
            self._wake.wait_for(lambda: self._is_stopping or self._is_behind())
            rest = self._paced_until - time.monotonic()
            if rest > 0:
                self._wake.wait_for(lambda: self._is_stopping, rest)
            return self._is_behind()

    def _is_behind(self) -> bool:
        return bool(
            self._telling is None or self._must_rebuild or self._heard or self._writing is not None
        )

    def _step(self) -> None:
        """One transaction's worth."""
        if self._telling is None or self._must_rebuild:
            self._catch_up()
            return
        if self._writing is None:
            before = self._telling.position
            for recorded in self._next_group():
                if recorded.index >= self._telling.position.size:
                    self._telling.tell(recorded)
            self._writing = (before, self._telling.position, *self._telling.take_changes())
        try:
            self._store.save(*self._writing)
        except StateConflict:
            # Somebody rebuilt them meanwhile: read anew how far they tell.
            self._telling = self._writing = None
            return
        self._settle(self._writing[1].size)

    def _next_group(self) -> list[Recorded]:
        with self._wake:
            return [self._heard.popleft() for _ in range(min(GROUP, len(self._heard)))]

    def _settle(self, written: int) -> None:
        with self._wake:
            self._writing, self._written = None, written
            self._paced_until = time.monotonic() + PACE_S
            self._wake.notify_all()

    def _catch_up(self) -> None:
        """Fold what is written already, or make everything again where it is not this log's."""
        with self._desk.lock:
            entries = self._desk.recorded()
            with self._wake:
                self._heard.clear()
                must_rebuild, self._must_rebuild = self._must_rebuild, False
        try:
            self._telling = self._go_on(entries) if not must_rebuild else None
            self._writing = None
            if self._telling is None:
                self._rebuild(entries)
        except SekishoError:
            with self._wake:
                self._must_rebuild = self._must_rebuild or must_rebuild
            raise

    def _go_on(self, entries: Sequence[Recorded]) -> Telling | None:
        """The fold at the stored position, the rest of the entries as heard; None where the position is not ours."""
        try:
            with self._store.view() as view:
                kept = view.position
        except Corrupt:
            return None
        telling = Telling(self._desk.root, self._desk.disclosures_of)
        for recorded in entries[: kept.size]:
            telling.pass_over(recorded)
        if telling.position != kept:
            return None
        with self._wake:
            self._heard.extendleft(reversed(entries[kept.size :]))
        self._settle(kept.size)
        return telling

    def _rebuild(self, entries: Sequence[Recorded]) -> None:
        telling = Telling(self._desk.root, self._desk.disclosures_of)
        with self._scratch() as apart:
            make_projections(apart, telling, entries)
            with apart.view() as made:
                self._store.replace(telling.position, made.rows())
        self._telling = telling
        self._settle(telling.position.size)
