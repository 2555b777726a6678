"""The register of chips in use: what firms hand in is captured durably, folded at once, and can be made again.

One writer takes what many threads hand in, in groups: one transaction and one log entry for each group. Everything
derived is a replay of the captured events in the order of their numbers (registry.custody.take), so that a rebuilt
register equals the live one.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Sequence
from concurrent.futures import Future

from sekisho.model.errors import Unavailable
from sekisho.model.instants import Instant
from sekisho.operations.register.capturing import Capturing, Committing
from sekisho.operations.register.endorsing import Voices
from sekisho.operations.register.line import ErrorBehaviour
from sekisho.operations.register.querying import answer_query, find_event, show_event
from sekisho.operations.register.rebuilding import (
    Checked,
    Heard,
    Rebuilt,
    Scratch,
    check_register,
    is_unfinished,
    rebuild_register,
)
from sekisho.operations.register.ticking import raise_overdue
from sekisho.ports.clock import Clock
from sekisho.ports.register_store import (
    AlertRow,
    CaptureRow,
    EventFilter,
    EventRow,
    Page,
    RegisterStore,
)
from sekisho.registry.terms import RegisterTerms

__all__ = ["Register"]


class Register:
    """One register over its store. Safe for many threads; one process at a time writes.

    `start` before the first capture, `stop` at the end. `voices` says who may endorse, and which log this is;
    `committer` states each batch in the log (None: nothing is stated, for tools and tests without a log).
    """

    def __init__(  # noqa: PLR0913  # the ports of the one writer
        self,
        *,
        store: RegisterStore,
        terms: RegisterTerms,
        voices: Voices,
        clock: Clock,
        committer: Committing | None = None,
        scratch: Scratch | None = None,
        draw_salt: Callable[[], bytes] = lambda: secrets.token_bytes(16),
    ) -> None:
        self.store = store
        self.terms = terms
        self.voices = voices
        self.clock = clock
        self._scratch = scratch
        self._capturing = Capturing(
            store=store,
            terms=terms,
            voices=voices,
            clock=clock,
            committer=committer,
            draw_salt=draw_salt,
        )

    @property
    def origin(self) -> str:
        """The origin of the log that endorsements must name."""
        return self.voices.origin

    @property
    def problem(self) -> str:
        """What the writer last failed with, for people; empty when the newest group went well."""
        return self._capturing.problem

    def start(self) -> None:
        """Make good what a crash left undone, then begin to take captures. Raises what store and committer raise."""
        if is_unfinished(self.store):
            self.rebuild()
        self._capturing.start()

    def stop(self) -> None:
        """Finish what stands in line and take no more."""
        self._capturing.stop()

    def capture(
        self,
        document: bytes,
        endorsement: bytes | None = None,
        *,
        behaviour: ErrorBehaviour = "proceed",
    ) -> CaptureRow:
        """Take a document; durable when this returns. The same document and endorsement again give the same answer.

        Events with problems are named in the answer's `problems`; the good ones are taken, or with `rollback` none.
        Raises InvalidInput where the document cannot be read at all or is too large, VerificationError for a bad
        endorsement, Overloaded where too much stands in line, Unavailable where the store refuses; then nothing of
        the document is stored.
        """
        return self.hand_in(document, endorsement, behaviour=behaviour).result()

    def hand_in(
        self,
        document: bytes,
        endorsement: bytes | None = None,
        *,
        behaviour: ErrorBehaviour = "proceed",
        single: bool = False,
    ) -> Future[CaptureRow]:
        """As `capture`, but for a caller that waits in its own way; with `single` only one event by itself is taken."""
        return self._capturing.hand_in(document, endorsement, behaviour=behaviour, single=single)

    def on_saved(self, listener: Callable[[], None]) -> None:
        """Call `listener` after each group that was saved, in the writer's thread; it must return at once."""
        self._capturing.on_saved(listener)

    def find_capture(self, capture: str) -> CaptureRow | None:
        """The job of a capture by its id."""
        return self.store.find_capture(capture)

    def find_events(self, wanted: EventFilter, *, after: int = 0, limit: int = 30) -> Page:
        """Captured events, whatever became of them, in the order of their numbers."""
        return self.store.find_events(wanted, after=after, limit=limit)

    def newest_before(self, since: Instant | None) -> int:
        """The number of the newest event that was captured before an instant; None: of all."""
        newest = self.store.load_numbers().event
        if since is None:
            return newest
        after: int | None = 0
        while after is not None:
            page = self.find_events(EventFilter(received_since=since), after=after, limit=1)
            if page.events:
                return page.events[0].number - 1
            after = page.following
        return newest

    def answer(self, rows: Sequence[EventRow], *, query: str = "SimpleEventQuery") -> bytes:
        """Events as an EPCIS query document, with how each stands in the register beside them."""
        return answer_query(rows, created=self.clock.now(), query=query)

    def show_event(self, event_id: str) -> bytes | None:
        """One event by its hash id, as JSON-LD; None where there is none."""
        row = find_event(self.store, event_id)
        return None if row is None else show_event(row)

    def tick(self, now: Instant) -> Sequence[AlertRow]:
        """Raise what passing time makes due: shipments whose receipt is overdue, each once."""
        return self._capturing.quietly(lambda: raise_overdue(self.store, now))

    def complete(self) -> None:
        """State in the log what is not stated yet; raises what the log raises."""
        self._capturing.complete()

    def rebuild(self, heard: Heard = lambda *_: None) -> Rebuilt:
        """Make everything derived again from the captured events, in its place; captures wait meanwhile."""
        return self._capturing.quietly(lambda: rebuild_register(self.store, self.terms, heard))

    def check(self, heard: Heard = lambda *_: None) -> Checked:
        """Compare what is derived with what the captured events give, made apart; captures wait meanwhile."""
        scratch = self._scratch
        if scratch is None:
            raise Unavailable("no place is named for a register that is made apart")
        return self._capturing.quietly(
            lambda: check_register(self.store, self.terms, scratch, heard)
        )
