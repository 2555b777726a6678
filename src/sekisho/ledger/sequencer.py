"""The write side of the log: from an accepted submission to an entry with an index that never changes.

Life of a submission; after a crash at any point `recover` completes it:

1. *Queue.* It is stored durably before anything else.
2. *Sequence.* The whole queue gets indices in memory, behind a time mark; repetitions and refused rows drop out.
3. *Tiles.* The files of the larger tree are written. No checkpoint names them yet, so nobody reads them, and
   writing other bytes there later harms nobody.
4. *Compare-and-swap.* One database transaction stores entries, unique keys and the new head, and empties the
   queue. This is the moment at which the entries exist; only now is the caller answered.
5. *Publish* (sekisho.ledger.publisher). Cosignatures, then the `checkpoint` file.

The tree never forks: a head is signed only after step 4 made it the one that follows, and a database older
than the published checkpoint refuses to go on.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from typing import TypeAlias

import msgspec

from sekisho.ledger.checkpoint import Checkpoint, sign_checkpoint, verify_checkpoint
from sekisho.ledger.edge import RightEdge
from sekisho.ledger.tiles import CHECKPOINT_PATH, MAX_ENTRY_BYTES, DamagedTile, TileTree
from sekisho.ledger.tree import leaf_hash, subtree_root
from sekisho.model.errors import Corrupt, InvalidInput, StateConflict, VerificationError
from sekisho.ports.log_store import Batch, Found, LogStore, Queued, Recorded, Submission, TreeHead
from sekisho.ports.tile_store import NotStored, TileStore
from sekisho.signing.notes import MAX_NOTE_BYTES, Note, NoteSigner

__all__ = [
    "Appended",
    "Conflicted",
    "Mark",
    "Outcome",
    "RolledBack",
    "Sequencer",
    "Submission",
    "UniquenessConflict",
]

MAX_BATCH = 4096
REBUILD_STEP = 4096
MAX_UNIQUE_KEY = 512

Mark = Callable[[bytes | None], bytes]
"""Makes the `time-marked` envelope that opens a batch, from the newest cosigned checkpoint note (None: none)."""


class UniquenessConflict(StateConflict):
    """Another statement already carries this unique key."""

    code = "uniqueness-conflict"


class RolledBack(Corrupt):
    """The database stands for a smaller or another tree than the one that was published."""

    code = "log-rolled-back"


class Appended(msgspec.Struct, frozen=True, kw_only=True):
    """The entry's place. `fresh` is False where the payload stood there before; the first entry's hash then."""

    index: int
    leaf_hash: bytes
    fresh: bool


class Conflicted(msgspec.Struct, frozen=True, kw_only=True):
    """The row was refused alone: `unique` is held by the entry at `index`, which has another payload."""

    unique: str
    index: int


Outcome: TypeAlias = Appended | Conflicted


class Sequencer:
    """Appends to one log. Safe to use from many threads; whoever comes first sequences for all who wait."""

    def __init__(
        self, *, signer: NoteSigner, store: LogStore, tiles: TileStore, mark: Mark
    ) -> None:
        self._signer = signer
        self._store = store
        self._tiles = tiles
        self._mark = mark
        self._lock = threading.RLock()
        self._accepting = threading.Lock()
        self._edge: RightEdge | None = None
        self._outcomes: dict[int, Outcome] = {}
        self._waited: set[int] = set()
        self._listeners: list[Callable[[TreeHead], None]] = []

    @property
    def origin(self) -> str:
        return self._signer.name

    @property
    def head(self) -> TreeHead:
        """The tree as committed; it may not be published yet."""
        with self._lock:
            edge = self._ready_edge()
            return TreeHead(size=edge.size, root=edge.root())

    def signed_head(self) -> Note:
        """The head as a checkpoint note under the log's key."""
        head = self.head
        return sign_checkpoint(
            Checkpoint(origin=self.origin, size=head.size, root=head.root), self._signer
        )

    def on_sequenced(self, listener: Callable[[TreeHead], None]) -> None:
        """Call `listener` after each committed batch, from the appending thread; it must return at once."""
        self._listeners.append(listener)

    def append(self, submissions: Sequence[Submission]) -> list[Outcome]:
        """Put statements into the log, durably, and return each one's place in the same order.

        A payload that the log holds already gives its first index with fresh=False. A unique key that another
        payload holds gives `Conflicted` for that row; the other rows stand. Raises InvalidInput, before
        anything is stored, where any row is empty or longer than 65,535 bytes. After any other error the rows
        may or may not be in the log: submit them again.
        """
        for position, submission in enumerate(submissions):
            _check_submission(submission, f"submission {position}")
        # Crash here: nothing is stored, the caller got no answer.
        with self._accepting:  # whoever sequences these rows must know that somebody waits for them
            numbers = self._store.accept(submissions)
            self._waited.update(numbers)
        # Crash here: the rows are queued; recover() gives them their indices, a caller that asks again gets them.
        with self._lock:
            try:
                while not all(number in self._outcomes for number in numbers):
                    if not self._sequence_step():
                        raise Corrupt(
                            "a queued row is gone without an outcome", remedy="stop other writers"
                        )
                return [self._outcomes[number] for number in numbers]
            finally:
                self._waited.difference_update(numbers)
                for number in numbers:
                    self._outcomes.pop(number, None)

    def append_one(self, submission: Submission) -> Appended:
        """`append` for one statement. Raises UniquenessConflict where its unique key is taken."""
        outcome = self.append([submission])[0]
        if isinstance(outcome, Conflicted):
            raise UniquenessConflict(f"{outcome.unique!r} is held by entry {outcome.index}")
        return outcome

    def mark_time(self) -> Appended:
        """Append a batch of nothing but its time mark, which closes the interval of the entries before it."""
        with self._lock:
            self._sequence_step()  # what waits comes first
            recorded = self._commit(self._ready_edge(), [], [])
            return Appended(index=recorded[0].index, leaf_hash=recorded[0].leaf_hash, fresh=True)

    def settle(self) -> TreeHead:
        """Sequence what an append that failed half way left in the queue; the head after it."""
        with self._lock:
            while self._sequence_step():
                pass
            return self.head

    def recover(self) -> None:
        """Complete what a crash left half done; to be called once before the first append.

        1. The published checkpoint must be ours and no newer than the database (else RolledBack: stop, before
        anything is written). 2. The right edge is read from the tiles; tiles that are missing or damaged are
        written again from the database. 3. The published tree is a prefix of ours. 4. A cosigned checkpoint
        that did not reach its file is written there. 5. The queue is sequenced.
        """
        with self._lock:
            self._edge = None
            published = self._load_published()
            _refuse_rollback(published, self._store.load_head())
            self._refuse_fork(published, self._ready_edge())
            self._restore_checkpoint(published)
            while self._sequence_step():
                pass

    def _ready_edge(self) -> RightEdge:
        """The edge, loaded anew where an earlier step failed half way."""
        if self._edge is None:
            self._edge = self._load_edge(self._store.load_head())
        return self._edge

    def _sequence_step(self) -> bool:
        """Settle up to MAX_BATCH rows of the queue; whether there were any."""
        edge = self._ready_edge()
        with self._accepting:
            queued = self._store.load_queued(MAX_BATCH)
        if not queued:
            return False
        found = self._store.find_recorded([row.submission for row in queued])
        fresh, outcomes = decide_places(queued, found, edge.size + 1)
        numbers = [row.number for row in queued]
        if fresh:
            self._commit(edge, fresh, numbers)
        else:
            # Crash here: the rows stay queued and are found to be settled again.
            self._store.settle(numbers)
        self._outcomes.update({n: outcome for n, outcome in outcomes.items() if n in self._waited})
        return True

    def _commit(
        self, edge: RightEdge, fresh: list[Submission], numbers: list[int]
    ) -> list[Recorded]:
        cosigned = self._store.load_cosigned()
        mark = self._mark(cosigned[1] if cosigned else None)
        _check_envelope(mark, "time mark")
        recorded = _record(mark, fresh, edge.size)
        grown, files = edge.extended(entry.envelope for entry in recorded)
        # Until the commit is known to have happened, the database alone says what is true.
        self._edge = None
        # Crash here: the queue holds everything; the next start sequences it behind a new mark.
        for path, data in files:
            self._tiles.write(path, data)
        # Crash here: files beyond every checkpoint; the next batch of this size overwrites them.
        new = TreeHead(size=grown.size, root=grown.root())
        old = TreeHead(size=edge.size, root=edge.root())
        self._store.commit_batch(
            Batch(old=old, new=new, entries=tuple(recorded), numbers=tuple(numbers))
        )
        # Crash here: the entries exist and lie in their tiles; the publisher signs and publishes this head.
        self._edge = grown
        for listener in self._listeners:
            listener(new)
        return recorded

    def _load_edge(self, head: TreeHead) -> RightEdge:
        try:
            return RightEdge.load(head.size, head.root, self._tiles.read)
        except (NotStored, DamagedTile, InvalidInput, Corrupt):
            return self._rebuild(head)

    def _rebuild(self, head: TreeHead) -> RightEdge:
        """Write every tile again from the database's entries; only if these give the head's root."""
        edge, files = RightEdge.empty(), []
        while edge.size < head.size:
            stop = min(edge.size + REBUILD_STEP, head.size)
            entries = self._store.load_entries(edge.size, stop)
            if len(entries) != stop - edge.size:
                break
            edge, more = edge.extended(entry.envelope for entry in entries)
            files += more
        if edge.size != head.size or edge.root() != head.root:
            raise Corrupt(
                f"neither tiles nor database give the root of size {head.size}",
                remedy="restore database and tiles from the newest backup; do not delete either",
            )
        # Crash here: some tiles are written again with the bytes that they had; the next start goes on.
        for path, data in files:
            self._tiles.write(path, data)
        return edge

    def _refuse_fork(self, published: Checkpoint | None, edge: RightEdge) -> None:
        if published is None:
            return
        root = subtree_root(0, published.size, TileTree(edge.size, self._tiles.read).node)
        if root != published.root:
            raise RolledBack(
                f"the published checkpoint of size {published.size} is not of the tree in the database",
                remedy="restore the database that belongs to it",
            )

    def _load_published(self) -> Checkpoint | None:
        if not self._tiles.exists(CHECKPOINT_PATH):
            return None
        try:
            note = Note.from_bytes(
                self._tiles.read(CHECKPOINT_PATH, MAX_NOTE_BYTES), path=CHECKPOINT_PATH
            )
            return verify_checkpoint(note, self._signer.verifier)
        except (InvalidInput, VerificationError) as error:
            raise Corrupt(
                f"the published checkpoint is not ours: {error}",
                remedy="check key and folder; restore the file from a copy that was served",
            ) from None

    def _restore_checkpoint(self, published: Checkpoint | None) -> None:
        """Write the file where it is behind: smaller, or the same size with fewer cosignatures."""
        cosigned = self._store.load_cosigned()
        if cosigned is None or (published is not None and published.size > cosigned[0]):
            return
        if published is None or self._tiles.read(CHECKPOINT_PATH, MAX_NOTE_BYTES) != cosigned[1]:
            # Crash here: as before; the file is behind the database and is written at the next start.
            self._tiles.write(CHECKPOINT_PATH, cosigned[1])


def decide_places(
    queued: Sequence[Queued], found: Found, first: int
) -> tuple[list[Submission], dict[int, Outcome]]:
    """Which queued rows become entries from index `first` on, and every row's outcome; pure.

    The order of the queue decides between rows of one batch that want the same key.
    """
    payloads, unique = dict(found.payloads), dict(found.unique)
    fresh: list[Submission] = []
    outcomes: dict[int, Outcome] = {}
    for row in queued:
        submission = row.submission
        known = payloads.get(submission.payload_sha256)
        taken = next((key for key in submission.unique if key in unique), None)
        if known is not None:
            outcomes[row.number] = Appended(index=known[0], leaf_hash=known[1], fresh=False)
        elif taken is not None:
            outcomes[row.number] = Conflicted(unique=taken, index=unique[taken][0])
        else:
            place = (first + len(fresh), leaf_hash(submission.envelope))
            fresh.append(submission)
            payloads[submission.payload_sha256] = place
            unique.update(dict.fromkeys(submission.unique, place))
            outcomes[row.number] = Appended(index=place[0], leaf_hash=place[1], fresh=True)
    return fresh, outcomes


def _refuse_rollback(published: Checkpoint | None, head: TreeHead) -> None:
    if published is not None and published.size > head.size:
        raise RolledBack(
            f"the published checkpoint has size {published.size}, the database only {head.size}",
            remedy="restore the newest database; appending to this one would fork the log",
        )


def _record(mark: bytes, fresh: Sequence[Submission], size: int) -> list[Recorded]:
    recorded = [Recorded(index=size, leaf_hash=leaf_hash(mark), envelope=mark)]
    for offset, submission in enumerate(fresh, start=1):
        recorded.append(
            Recorded(
                index=size + offset,
                leaf_hash=leaf_hash(submission.envelope),
                envelope=submission.envelope,
                payload_sha256=submission.payload_sha256,
                unique=submission.unique,
            )
        )
    return recorded


def _check_submission(submission: Submission, path: str) -> None:
    _check_envelope(submission.envelope, path)
    if len(submission.payload_sha256) != 32:
        raise InvalidInput("the payload digest is not 32 bytes long", path=path)
    if any(not key or len(key) > MAX_UNIQUE_KEY for key in submission.unique):
        raise InvalidInput(f"a unique key has 1 to {MAX_UNIQUE_KEY} characters", path=path)


def _check_envelope(envelope: bytes, path: str) -> None:
    if not envelope:
        raise InvalidInput("an empty entry", path=path)
    if len(envelope) > MAX_ENTRY_BYTES:
        raise InvalidInput(
            f"{len(envelope)} bytes; an entry has at most {MAX_ENTRY_BYTES}",
            path=path,
            remedy="put the content elsewhere and log its digest",
        )
