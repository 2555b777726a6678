"""Saved batches in the log: who reads it later can tell that no event was changed, left out or put in afterwards.

For each batch in its order, in a thread of its own so that capture never waits for the log:

    content (where the charter has deposit holders) -> custody-moved -> chip-registered -> findings -> settled

What a crash means: before `custody-moved` an encrypted content that nobody knows the key of, harmless; after it the
next start finds the batch's entry in the log, goes on behind it, and settles it. The same batch is never stated twice.
"""

from __future__ import annotations

import bisect
import logging
import secrets
import threading
from collections.abc import Callable
from typing import Final

from sekisho.model.errors import SekishoError
from sekisho.model.instants import Instant
from sekisho.model.statements import ChipRegistered, CustodyMoved, IrregularityIn, TimeMarked
from sekisho.operations.desk import Admitted, Desk
from sekisho.operations.register.findings import Findings
from sekisho.operations.register.irregularities import Irregularities
from sekisho.operations.register.tagging import Tagging
from sekisho.ports.content_store import ContentStore
from sekisho.ports.register_store import BatchRow, Change, RegisterStore
from sekisho.registry.disclosed import event_lines
from sekisho.registry.sealed_content import CONTENT_FIELD, KEY_BYTES, SealedAt, seal_content
from sekisho.signing import Recorded, conceal
from sekisho.signing.deposit_book import deposit_keys
from sekisho.signing.tag import TagKey

__all__ = ["Committer"]

PAGE: Final = 100
RETRY_S: Final = 2.0
_SALT_BYTES: Final = 16
_log = logging.getLogger("sekisho.register")


class Committer:
    """States the batches of one register in one desk's log. Make it before the desk loads.

    `contents` keeps encrypted contents; None where nothing is ever deposited. `draw` gives random bytes.
    """

    problem: str = ""
    """What stating last failed with; for people, not for a decision."""

    def __init__(
        self,
        desk: Desk,
        store: RegisterStore,
        tag_key: TagKey,
        *,
        contents: ContentStore | None = None,
        draw: Callable[[int], bytes] = secrets.token_bytes,
    ) -> None:
        self._desk = desk
        self._store = store
        self._contents = contents
        self._draw = draw
        self.irregularities = Irregularities(desk, tag_key)
        self._findings = Findings(store, self.irregularities)
        self._tagging = Tagging(desk, store, tag_key, self.irregularities)
        # The newest batch that the log holds: only it can be stated and not settled.
        self._newest: tuple[int, Admitted] | None = None
        # Entries of settled batches that no mark followed yet, in their order, and how many marks were looked at.
        self._unknown: list[int] | None = None
        self._marked = 0
        self._stating = threading.Lock()
        self._wanted = threading.Event()
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None
        self._starting = threading.Lock()
        desk.on_recorded(self._take)

    def commit(self, change: Change) -> None:
        """A group was saved: state its batch soon. Returns at once."""
        if change.batch is not None:
            self._tagging.note(change)
        self._start()
        self._wanted.set()

    def complete(self) -> None:
        """State whatever a crash, a full disk or a busy log left unstated. Raises what the desk and the store raise."""
        with self._stating:
            if self._desk.state.regime.charter is None:
                return
            while batches := self._store.load_batches(unlogged=True, limit=PAGE):
                for row in batches:
                    self._state_batch(row)
            self._findings.state_new()
            self._pass_marks_on()

    def raise_irregularity(
        self,
        books: IrregularityIn,
        code: str,
        about: str,
        detail: str,
        *,
        at: Instant | None = None,
        count: int = 1,
    ) -> Admitted:
        """State that something does not fit, once for the same three words (operations.register.irregularities)."""
        return self.irregularities.raise_irregularity(
            books, code, about, detail, at=at, count=count
        )

    def stop(self) -> None:
        """End the thread; what is not stated is at the next start."""
        self._stopping.set()
        self._wanted.set()
        with self._starting:
            thread = self._thread
        if thread is not None:
            thread.join()

    # --- the thread ----------------------------------------------------------------------------

    def _start(self) -> None:
        with self._starting:
            if self._thread is None and not self._stopping.is_set():
                self._thread = threading.Thread(target=self._work, name="committer", daemon=True)
                self._thread.start()

    def _work(self) -> None:
        while not self._stopping.is_set():
            self._wanted.wait()
            self._wanted.clear()
            if self._stopping.is_set():
                return
            try:
                self.complete()
            except SekishoError as error:
                self._fail(str(error))
            except Exception as error:  # noqa: BLE001  # a defect must be seen and must not end the thread
                _log.exception("unforeseen error while stating a batch")
                self._fail(f"{type(error).__name__}: {error}")
            else:
                self.problem = ""

    def _fail(self, why: str) -> None:
        self.problem = f"batches are not in the log yet: {why}"
        self._stopping.wait(RETRY_S)
        self._wanted.set()

    # --- one batch -----------------------------------------------------------------------------

    def _state_batch(self, row: BatchRow) -> None:
        admitted = self._admit(row)
        self._tagging.register(row)
        self._findings.state_new()
        # Crash here: stated and not settled; the next start finds the entry and comes back to here.
        self._store.settle_batch(row.batch, admitted.index, admitted.leaf)
        if self._unknown is not None:
            self._unknown.append(admitted.index)

    def _admit(self, row: BatchRow) -> Admitted:
        """The batch's entry: the one that the log holds already, or a new one."""
        if self._newest is not None and self._newest[0] == row.batch:
            return self._newest[1]
        fact = CustodyMoved(
            effective=row.made, batch=row.batch, events=row.events, root=row.root.hex()
        )
        holders = self._holders()
        if not holders or self._contents is None:
            return self._desk.state_fact(fact)
        digest, text = self._deposit_content(row, self._contents)
        fact = CustodyMoved(
            effective=row.made,
            batch=row.batch,
            events=row.events,
            root=row.root.hex(),
            concealed=(digest,),
        )
        return self._desk.state_fact(fact, disclosures=(text,))

    def _holders(self) -> bool:
        charter = self._desk.state.regime.charter
        return charter is not None and bool(deposit_keys(charter.terms))

    def _deposit_content(self, row: BatchRow, contents: ContentStore) -> tuple[str, str]:
        key = self._draw(KEY_BYTES)
        content = event_lines(self._store.load_batch_events(row.batch))
        # Crash here or behind it: a content under a key that is gone with us. The next try makes another.
        sha256 = contents.save(seal_content(key, content, row.root))
        place = SealedAt.of(key, sha256).to_text()
        digest, disclosure = conceal(CONTENT_FIELD, place, self._draw(_SALT_BYTES))
        return digest, disclosure.text

    # --- what the log says ---------------------------------------------------------------------

    def _take(self, recorded: Recorded) -> None:
        """An entry is in the log, ours or read at the start; under the desk's lock."""
        fact = recorded.verified.predicate
        if isinstance(fact, CustodyMoved):
            entry = Admitted(
                index=recorded.index,
                leaf=recorded.leaf,
                digest=recorded.verified.digest,
                fresh=False,
            )
            self._newest = (fact.batch, entry)
            self._tagging.begin(fact.root)
        elif isinstance(fact, ChipRegistered):
            self._tagging.take(fact)
        elif isinstance(fact, TimeMarked) and self._unknown:
            self._wanted.set()

    def _pass_marks_on(self) -> None:
        """Tell the store since when batches are known: the first witnessed tree that holds a batch's entry says so."""
        rows = self._desk.state.regime.marks.rows
        if self._unknown is None:
            self._unknown = self._unknown_entries()
            first = self._unknown[0] if self._unknown else self._desk.state.size
            self._marked = bisect.bisect_right(
                range(len(rows)), first, key=lambda place: rows[place].size
            )
        while self._marked < len(rows):
            mark = rows[self._marked]
            count = bisect.bisect_left(self._unknown, mark.size)
            if count:
                # Crash here: the next start looks for the same mark again.
                self._store.mark_known(mark.size, mark.at)
                del self._unknown[:count]
            self._marked += 1

    def _unknown_entries(self) -> list[int]:
        """The entries of settled batches without a known time. They are the newest: what is known is so in order."""
        low, high = 0, self._store.load_numbers().batch
        while low < high:
            middle = (low + high) // 2
            row = self._store.find_batch(middle + 1)
            low, high = (middle + 1, high) if row is not None and row.known else (low, middle)
        found: list[int] = []
        while batches := self._store.load_batches(after=low, limit=PAGE):
            found += (row.entry for row in batches if row.entry is not None)
            low = batches[-1].batch
        return found
