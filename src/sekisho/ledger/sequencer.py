"""The write side of the log: from a submission to an entry with an index that never changes.

Life of a submission; after a crash at any point `recover` completes it:

1. *Line.* It waits in memory, in a line that is bounded: beyond that it is refused with a time to come again.
2. *Sequence.* One database transaction gives everybody who waits an index, behind a time mark where a batch
   begins; repetitions and refused rows drop out. This is the moment at which entries exist, and only now is
   the caller answered. Entries past the tree's head are the durable queue of what follows.
3. *Tiles*, 4. *compare-and-swap of the head* (sekisho.ledger.integrator).
5. *Publish* (sekisho.ledger.publisher). Cosignatures, then the `checkpoint` file.

The tree never forks: an index is given once and durably, a head is signed only after step 4 made it the one
that follows, and a database older than the published checkpoint refuses to go on.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from itertools import islice

from sekisho.ledger.checkpoint import Checkpoint, sign_checkpoint
from sekisho.ledger.integrator import Integrator
from sekisho.ledger.line import Answer, Line, Overloaded, Ticket
from sekisho.ledger.places import (
    NOTHING_FOUND,
    Appended,
    Conflicted,
    Outcome,
    check_submission,
    decide_places,
    record_mark,
)
from sekisho.ledger.recovery import RolledBack, load_published, refuse_rollback, restore_checkpoint
from sekisho.model.errors import SekishoError, StateConflict, Unavailable
from sekisho.ports.log_store import Found, LogStore, Recorded, Submission, Taken, TreeHead
from sekisho.ports.tile_store import TileWriter
from sekisho.signing.notes import Note, NoteSigner

__all__ = [
    "Appended",
    "Conflicted",
    "Mark",
    "Outcome",
    "Overloaded",
    "RolledBack",
    "Sequencer",
    "Submission",
    "UniquenessConflict",
]

BATCH_S = 1.0
MAX_BEHIND = 65_536

Mark = Callable[[bytes | None], bytes]
"""Makes the `time-marked` envelope that opens a batch, from the newest cosigned checkpoint note (None: none)."""


class UniquenessConflict(StateConflict):
    """Another statement already carries this unique key."""

    code = "uniqueness-conflict"


class Sequencer:
    """Appends to one log. Safe to use from many threads; whoever stands first sequences for all who wait.

    `also` are further keys that sign each checkpoint while the log's key changes.
    """

    def __init__(
        self,
        *,
        signer: NoteSigner,
        store: LogStore,
        tiles: TileWriter,
        mark: Mark,
        also: Sequence[NoteSigner] = (),
        line: Line | None = None,
    ) -> None:
        self._signers = (signer, *also)
        self._store = store
        self._tiles = tiles
        self._integrator = Integrator(store=store, tiles=tiles)
        self._marks = _Marks(mark)
        self._line = line or Line()
        self._lock = threading.RLock()
        self._size: int | None = None
        self._refusal: SekishoError | None = None
        self._leaders = ThreadPoolExecutor(1, thread_name_prefix="sequencer")
        self._listeners: list[Callable[[int], None]] = []

    @property
    def origin(self) -> str:
        return self._signers[0].name

    @property
    def size(self) -> int:
        """How many entries have an index; the newest of them may not be in tiles yet."""
        with self._lock:
            return self._ready_size()

    @property
    def signers(self) -> tuple[NoteSigner, ...]:
        """Every key that signs checkpoints now."""
        return self._signers

    def root_at(self, size: int) -> bytes:
        """The root over the first `size` entries. Writes nothing."""
        return self._integrator.root_at(size)

    def integrate(self) -> TreeHead:
        """Bring everything that is sequenced into the tree: tiles, then the head."""
        return self._integrator.integrate(self.size)

    def signed_head(self) -> Note:
        """The head over everything sequenced, as a checkpoint note under the log's key."""
        head = self.integrate()
        checkpoint = Checkpoint(origin=self.origin, size=head.size, root=head.root)
        return sign_checkpoint(checkpoint, *self._signers)

    def on_sequenced(self, listener: Callable[[int], None]) -> None:
        """Call `listener` with the new size after each group, from the sequencing thread; it must return at once."""
        self._listeners.append(listener)

    def take_cosigned(self, note: bytes) -> None:
        """The newest cosigned checkpoint: the next batch opens with it, and partial tiles below it may go."""
        self._marks.take_cosigned(note)
        self._integrator.drop_partial_tiles()

    def refuse(self, error: SekishoError) -> None:
        """Take nothing in any more: going on would grow a tree that can never be published."""
        self._refusal = error

    def append(self, submissions: Sequence[Submission]) -> list[Outcome]:
        """Put statements into the log, durably, and return each one's place in the same order.

        A payload that the log holds already gives its first index with fresh=False. A unique key that another
        payload holds gives `Conflicted` for that row; the other rows stand. Raises InvalidInput, before
        anything is stored, where any row is empty or longer than 65,535 bytes; Overloaded where too many wait.
        After any other error the rows may or may not be in the log: submit them again.
        """
        ticket = self._ticket(submissions)
        # Crash before the transaction of the group: nothing is stored, the caller got no answer.
        try:
            if not self._line.join(ticket):
                ticket.wait()
            if ticket.result is None:  # it leads, at once or woken to
                self._lead()
        except (
            BaseException
        ):  # an interrupt, say: whoever waits behind must not wait for this thread
            self._line.abandon(ticket, self._lead, self._leaders)
            raise
        # Crash here: the entries exist; a caller that asks again gets their places.
        return ticket.outcomes()

    def enqueue(
        self, submissions: Sequence[Submission], answer: Answer, *, are_checked: bool = False
    ) -> None:
        """`append` without a thread that waits: `answer` is called with the outcomes, or with the error.

        It is called from whatever thread sequenced, and must return at once. What is wrong with the submissions
        themselves (unless the caller put each to `check_submission`), and Overloaded, is raised here.
        """
        ticket = self._ticket(submissions, answer, are_checked=are_checked)
        if self._line.join(ticket):
            self._leaders.submit(self._lead)

    def append_one(self, submission: Submission) -> Appended:
        """`append` for one statement. Raises UniquenessConflict where its unique key is taken."""
        outcome = self.append([submission])[0]
        if isinstance(outcome, Conflicted):
            raise UniquenessConflict(f"{outcome.unique!r} is held by entry {outcome.index}")
        return outcome

    def mark_time(self) -> Appended:
        """Append a batch of nothing but its time mark, which closes the interval of the entries before it."""
        self._refuse_if_told()
        with self._lock:
            first = self._ready_size()
            mark = record_mark(self._marks.make(), first)
            self._store_entries(first, [mark])
            self._marks.note_made()
        self._tell(first + 1)
        return Appended(index=mark.index, leaf_hash=mark.leaf_hash, fresh=True)

    def resync(self) -> int:
        """The size as the database says, after an append of which nobody knows whether it happened."""
        with self._lock:
            self._size = None
            return self._ready_size()

    def recover(self) -> None:
        """Complete what a crash left half done; to be called once before the first append.

        1. The published checkpoint must be ours and no newer than the database (else RolledBack: stop, before
        anything is written). 2. The right edge is read from the tiles; tiles that are missing or damaged are
        written again from the database. 3. The published tree is a prefix of ours; where it is ahead of the
        database's head, its root is computed before a single tile is written. 4. A cosigned checkpoint that
        did not reach its file is written there, and its tiles before it. 5. What is sequenced is integrated.
        """
        with self._lock:
            self._size = None
            self._integrator.forget()
            published = load_published(self._tiles, [s.verifier for s in self._signers])
            size = self._ready_size()
            refuse_rollback(published, size, self._integrator)
            cosigned = self._store.load_cosigned()
            if cosigned is not None:
                # A folder that is behind, or empty: proofs stand in the cosigned tree until the next one is published.
                self._integrator.complete(cosigned[0])
            self._marks.take_cosigned(restore_checkpoint(published, cosigned, self._tiles))
            self._integrator.integrate(size)

    def _ticket(
        self,
        submissions: Sequence[Submission],
        answer: Answer | None = None,
        *,
        are_checked: bool = False,
    ) -> Ticket:
        self._refuse_if_told()
        for position, submission in enumerate(() if are_checked else submissions):
            check_submission(submission, f"submission {position}")
        if self._size is not None and self._size - self._integrator.size_hint > MAX_BEHIND:
            raise Overloaded(f"{MAX_BEHIND} entries wait for their tiles")
        return Ticket(submissions, answer)

    def _refuse_if_told(self) -> None:
        if self._refusal is not None:
            raise self._refusal

    def _lead(self) -> None:
        """Sequence the next group, the leader's own ticket first in it, then hand over to who stands first."""
        group = self._line.take_group()
        broken_off = Unavailable("the sequencing was broken off", remedy="submit it again")
        results: list[Sequence[Outcome] | SekishoError] = [broken_off] * len(group)
        try:
            results = list(self._sequence_group(group))
        except SekishoError as error:
            results = [error] * len(group)
        finally:
            with ExitStack() as ends:  # each of them happens, even where another raises
                ends.callback(self._line.hand_over, self._lead, self._leaders)
                for ticket, result in zip(reversed(group), reversed(results), strict=True):
                    ends.callback(ticket.settle, result)

    def _sequence_group(self, group: Sequence[Ticket]) -> list[list[Outcome]]:
        """The outcomes of each ticket's rows, all of them in one transaction."""
        rows = [row for ticket in group for row in ticket.rows]
        with self._lock:
            try:
                outcomes = self._sequence_rows(rows, NOTHING_FOUND)
            except Taken:  # the rare case is asked for only once the database has met it
                outcomes = self._sequence_rows(rows, self._store.find_recorded(rows))
            size = self._ready_size()
        self._tell(size)
        split = iter(outcomes)
        return [list(islice(split, len(ticket.rows))) for ticket in group]

    def _sequence_rows(self, rows: Sequence[Submission], found: Found) -> list[Outcome]:
        first = self._ready_size()
        opening = [record_mark(self._marks.make(), first)] if self._marks.is_due else []
        fresh, outcomes = decide_places(rows, found, first + len(opening))
        if found is NOTHING_FOUND and any(isinstance(each, Conflicted) for each in outcomes):
            raise Taken("two of these rows want one key; one of them may stand in the log")
        if fresh:
            self._store_entries(first, [*opening, *fresh])
            if opening:
                self._marks.note_made()
        return outcomes

    def _store_entries(self, first: int, entries: list[Recorded]) -> None:
        # Until the commit is known to have happened, the database alone says how many entries there are.
        self._size = None
        try:
            # Crash before the commit: none of them exists. After it: all do, whoever asked may ask again.
            self._store.sequence(first, entries)
        except Taken:
            self._size = first
            raise
        self._size = first + len(entries)
        self._integrator.offer(entries)

    def _ready_size(self) -> int:
        if self._size is None:
            self._size = self._store.load_size()
        return self._size

    def _tell(self, size: int) -> None:
        for listener in self._listeners:
            listener(size)


class _Marks:
    """When a batch begins: at the first group, after each newly cosigned checkpoint, and every BATCH_S seconds."""

    def __init__(self, make: Mark) -> None:
        self._make = make
        self._cosigned: bytes | None = None
        self._quoting: bytes | None = None
        self._quoted: bytes | None = None
        self._made_at: float | None = None

    def take_cosigned(self, note: bytes | None) -> None:
        self._cosigned = note

    @property
    def is_due(self) -> bool:
        return (
            self._made_at is None
            or self._quoted is not self._cosigned
            or time.monotonic() - self._made_at >= BATCH_S
        )

    def make(self) -> bytes:
        """The envelope of a mark that quotes the newest cosigned checkpoint."""
        self._quoting = self._cosigned
        return self._make(self._quoting)

    def note_made(self) -> None:
        """The mark made last is in the log."""
        self._quoted = self._quoting
        self._made_at = time.monotonic()
