"""Capturing documents: read in the threads that bring them, decided and saved in groups by one writer.

    document -> size, digest -> captured before? -> endorsement -> events, hash ids, keys      (each caller's thread)
    -> in line -> numbers -> take -> one Change, one transaction -> answers -> log statement    (the writer's thread)

What a crash means: before the transaction nothing of the group is stored, and nobody was told that it was; after it
all is, and whoever got no answer hands the document in again and gets the same one. A batch whose log statement is
missing is stated at the next start, with the same bytes.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from typing import Final, Protocol, TypeVar

import msgspec

from sekisho.model.errors import (
    Corrupt,
    InvalidInput,
    SekishoError,
    Unavailable,
    VerificationError,
)
from sekisho.model.wire import MAX_DOCUMENT, sha256_hex
from sekisho.operations.register.book import epcs_of
from sekisho.operations.register.endorsing import Endorsed, Voices
from sekisho.operations.register.grouping import Grounds, decide_group
from sekisho.operations.register.line import ErrorBehaviour, Line, Reading, Waiting
from sekisho.ports.clock import Clock
from sekisho.ports.register_store import (
    CaptureRow,
    Change,
    Numbers,
    RegisterStore,
)
from sekisho.registry.balance import Areas
from sekisho.registry.commitments import capture_id
from sekisho.registry.epcis import event_document, hash_and_key, parse_document
from sekisho.registry.terms import RegisterTerms

__all__ = ["MAX_DOCUMENT", "MAX_NAMED", "Capturing", "Committing", "capture_id"]

MAX_NAMED: Final = 200_000
"""Chips and things that one document names: each takes a kilobyte or two while it is decided."""
_log = logging.getLogger("sekisho.register")
T = TypeVar("T")


class Committing(Protocol):
    """What states saved batches in the log (operations.register.committing)."""

    def commit(self, change: Change) -> None:
        """State the batch that a change saved, soon or at once. Asked again, nothing changes."""
        ...

    def complete(self) -> None:
        """State whatever a crash, a full disk or a busy log left unstated."""
        ...


class _Brought(msgspec.Struct, frozen=True):
    """What somebody handed in."""

    document: bytes
    sha256: str
    endorsement: bytes | None
    behaviour: ErrorBehaviour
    is_single: bool

    @property
    def capture(self) -> str:
        return capture_id(self.sha256, self.endorsement, self.behaviour)


class Capturing:
    """The one writer of a register, and the line in front of it."""

    problem: str = ""
    """What the writer last failed with; for people, not for a decision."""

    def __init__(
        self,
        *,
        store: RegisterStore,
        terms: RegisterTerms,
        voices: Voices,
        clock: Clock,
        committer: Committing | None,
        draw_salt: Callable[[], bytes],
    ) -> None:
        self._store = store
        self._voices = voices
        self._clock = clock
        self._committer = committer
        self._grounds = Grounds(
            store=store, terms=terms, areas=Areas.of(terms), draw_salt=draw_salt
        )
        self._line = Line()
        self._under_way: dict[str, Future[CaptureRow]] = {}
        self._lock = threading.Lock()
        # Held while the store is written: by the writer, and by whoever must have it to himself.
        self._writing = threading.RLock()
        self._listeners: list[Callable[[], None]] = []
        # The store's numbers, as long as nobody but the writer can have changed them.
        self._numbers: Numbers | None = None
        self._thread = threading.Thread(target=self._work, name="register", daemon=True)

    def start(self) -> None:
        """State what a crash left unstated, then begin. What the log refuses stops nobody: it is tried again."""
        if self._committer is not None:
            try:
                self._committer.complete()
            except Corrupt:
                raise
            except SekishoError:
                self._committer.commit(Change())
        self._line.open()
        self._thread.start()

    def stop(self) -> None:
        """Serve who stands in line, then end."""
        self._line.close()
        if self._thread.is_alive():
            self._thread.join()

    def on_saved(self, listener: Callable[[], None]) -> None:
        self._listeners.append(listener)

    def quietly(self, act: Callable[[], T]) -> T:
        """Do something to the store while nothing is captured."""
        with self._writing:
            self._numbers = None
            return act()

    def complete(self) -> None:
        """State what is unstated; raises what the log raises."""
        if self._committer is not None:
            with self._writing:
                self._committer.complete()

    # --- in the caller's thread ----------------------------------------------------------------

    def hand_in(
        self,
        document: bytes,
        endorsement: bytes | None,
        *,
        behaviour: ErrorBehaviour,
        single: bool = False,
    ) -> Future[CaptureRow]:
        """Read a document and put it in line; raises what reading it raises."""
        if len(document) > MAX_DOCUMENT:
            raise InvalidInput(
                f"is longer than {MAX_DOCUMENT} bytes", path="document", remedy="send it in parts"
            )
        brought = _Brought(document, sha256_hex(document), endorsement, behaviour, single)
        self._line.enter(len(document))
        try:
            answer, waiting = self._begin(brought)
        except BaseException:
            self._line.leave(len(document))
            raise
        answer.add_done_callback(lambda _: self._line.leave(len(document)))
        if waiting is not None and not self._line.join(waiting):
            self._finish(waiting, Unavailable("the register is stopping", remedy="send it again"))
        return answer

    def _begin(self, brought: _Brought) -> tuple[Future[CaptureRow], Waiting | None]:
        """The answer to come, and what must be put in line for it; None where it is there or on its way."""
        capture = brought.capture
        with self._lock:
            known = self._under_way.get(capture)
        if known is not None:
            return known, None
        try:
            waiting = Waiting(_read(brought, self._verify(brought)))
        except VerificationError:
            # Whoever endorsed it may have left since: what was captured then stays as it was answered.
            row = self._store.find_capture(capture)
            if row is None:
                raise
            answer: Future[CaptureRow] = Future()
            answer.set_result(row)
            return answer, None
        with self._lock:
            known = self._under_way.setdefault(capture, waiting.answer)
        return known, waiting if known is waiting.answer else None

    def _verify(self, brought: _Brought) -> Endorsed:
        if brought.endorsement is None:
            return Endorsed()
        return self._voices.verify(brought.endorsement, brought.sha256)

    # --- in the writer's thread ----------------------------------------------------------------

    def _work(self) -> None:
        while group := self._line.take_group():
            try:
                with self._writing:
                    self._take(group)
            except Exception as error:  # noqa: BLE001  # carried to the callers; the writer must outlive a defect
                self._numbers = None
                _log.exception("unforeseen error while capturing")
                self.problem = f"{type(error).__name__}: {error}"
                for waiting in group:
                    self._finish(waiting, error)

    def _take(self, group: Sequence[Waiting]) -> None:
        """Save a group at once; where that is refused for a reason of its own, one after the other."""
        try:
            known = self._store.find_captures([waiting.reading.capture for waiting in group])
            fresh = [waiting for waiting in group if waiting.reading.capture not in known]
            change = self._save([waiting.reading for waiting in fresh]) if fresh else Change()
        except SekishoError as error:
            self._numbers = None
            if len(group) == 1 or isinstance(error, Unavailable):
                self.problem = str(error)
                for waiting in group:
                    self._finish(waiting, error)
                return
            for waiting in group:
                self._take((waiting,))
            return
        # Crash here: stored and not stated; `complete` states it at the next start.
        self.problem = ""
        self._commit(change)
        rows = {**known, **{row.capture: row for row in change.captures}}
        for waiting in group:
            self._finish(waiting, rows[waiting.reading.capture])
        for listener in self._listeners:
            listener()

    def _save(self, readings: Sequence[Reading]) -> Change:
        if self._numbers is None:
            self._numbers = self._store.load_numbers()
        change, following = decide_group(
            self._grounds, readings, self._numbers, now=self._clock.now()
        )
        # Crash here: nothing is stored, and nobody was told otherwise.
        self._store.save(change)
        self._numbers = following
        return change

    def _commit(self, change: Change) -> None:
        if self._committer is None or change.batch is None:
            return
        try:
            self._committer.commit(change)
        except SekishoError as error:
            # What is captured stays captured; the keeper states it later.
            self.problem = f"batch {change.batch.batch} is not in the log yet: {error}"

    def _finish(self, waiting: Waiting, outcome: CaptureRow | Exception) -> None:
        with self._lock:
            self._under_way.pop(waiting.reading.capture, None)
        if waiting.answer.done():
            return
        if isinstance(outcome, Exception):
            waiting.answer.set_exception(outcome)
        else:
            waiting.answer.set_result(outcome)


def _read(brought: _Brought, endorsed: Endorsed) -> Reading:
    read = parse_document(brought.document)
    if brought.is_single and read.total != 1:
        raise InvalidInput(
            f"holds {read.total} events", path="document", remedy="send one, or use /capture"
        )
    named = sum(1 for event in read.events for _ in epcs_of(event))
    if named > MAX_NAMED:
        raise InvalidInput(
            f"names {named} chips and things, more than {MAX_NAMED}",
            path="document",
            remedy="send it in parts",
        )
    hashed = [hash_and_key(event) for event in read.events]
    return Reading(
        capture=brought.capture,
        sha256=brought.sha256,
        size=len(brought.document),
        whole=brought.document if brought.endorsement is not None else b"",
        endorsement=brought.endorsement or b"",
        endorsed=endorsed,
        behaviour=brought.behaviour,
        document=read,
        hash_ids=tuple(hash_id for hash_id, _ in hashed),
        keys=tuple(key for _, key in hashed),
        documents=tuple(event_document(event) for event in read.events),
    )
