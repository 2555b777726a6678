"""A public log read on and on, entry by entry, each told only once a witnessed checkpoint was verified over it."""

from __future__ import annotations

from collections.abc import Callable

from sekisho.ledger import Cosigned, LogReader, verify_consistency
from sekisho.ledger.checkpoint import Checkpoint, WrongOrigin
from sekisho.ledger.tiles import CHECKPOINT_PATH
from sekisho.ledger.tree import subtree_root
from sekisho.operations.following import LogForked
from sekisho.operations.reading import policy_of
from sekisho.operations.state import State, start_state
from sekisho.ports.tile_store import TileStore
from sekisho.signing import Recorded, TrustRoot, current_root
from sekisho.signing.notes import MAX_NOTE_BYTES, Note

__all__ = ["VerifiedEntries"]

Progress = Callable[[int, int], None]


class VerifiedEntries:
    """One reader's way through one log, from its first entry on, since what counts is what the folds accept."""

    def __init__(self, store: TileStore, root: TrustRoot) -> None:
        self._store = store
        self._root = root
        self._reader = LogReader(store)
        self._state = start_state(root)
        self._seen: Cosigned | None = None

    @property
    def state(self) -> State:
        return self._state

    @property
    def size(self) -> int:
        """How many entries the newest verified checkpoint covers."""
        return self._seen.checkpoint.size if self._seen is not None else 0

    def verify_seen(self, size: int, root: bytes) -> None:
        """The tree that an earlier reading ended with is a beginning of this one. Raises LogForked where it is not."""
        if size > self.size:
            raise LogForked(f"the log went back from {size} to {self.size} entries")
        if not size or self._seen is None:
            return
        tree = self._reader.tree(self._seen.checkpoint)
        if subtree_root(0, size, tree.node) != root:
            raise LogForked(f"the first {size} entries are others than those that were read before")

    @property
    def head(self) -> tuple[int, bytes]:
        """Size and root of the newest tree that was verified."""
        if self._seen is None:
            return 0, b""
        return self._seen.checkpoint.size, self._seen.checkpoint.root

    def refresh(self, first: int, progress: Progress = lambda *_: None) -> list[Recorded]:
        """What is new since the last time, from entry `first` on.

        1. The checkpoint is of the root's log and a tree that grew from the one before; 2. every entry hashes to its
        place in it and passes the folds; 3. the checkpoint verifies under the root as the charters left it. Only then
        anything is told. Raises what `read_state` raises, LogForked where the log was rewritten.
        """
        raw = self._store.read(CHECKPOINT_PATH, MAX_NOTE_BYTES)
        note = Note.from_bytes(raw, path=CHECKPOINT_PATH)
        checkpoint = Checkpoint.from_text(note.text, path=CHECKPOINT_PATH)
        if checkpoint.origin != self._root.origin:
            raise WrongOrigin(
                f"a checkpoint of {checkpoint.origin!r}, the root is for {self._root.origin!r}"
            )
        self._verify_growth(checkpoint)
        state, fresh = self._state, list[Recorded]()
        for raw_entry in self._reader.entries(state.size, checkpoint.size, checkpoint):
            entry = state.verify(raw_entry)
            state = state.after(entry, {})
            progress(entry.index + 1, checkpoint.size)
            if entry.index >= first:
                fresh.append(entry)
        cosigned = policy_of(current_root(self._root, state.regime)).verify_cosigned(note)
        self._state, self._seen = state, cosigned
        return fresh

    def _verify_growth(self, checkpoint: Checkpoint) -> None:
        if self._seen is None or not self._seen.checkpoint.size:
            return
        old = self._seen.checkpoint
        if checkpoint.size < old.size:
            raise LogForked(f"the log went back from {old.size} to {checkpoint.size} entries")
        proof = self._reader.consistency_proof(old.size, checkpoint.size)
        verify_consistency(old.size, checkpoint.size, old.root, checkpoint.root, proof)
