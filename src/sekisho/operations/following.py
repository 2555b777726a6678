"""Following a public log as a verifier does: only witnessed checkpoints, only consistent growth, folded as it grows."""

from __future__ import annotations

from sekisho.ledger import Cosigned, LogReader, Policy, verify_consistency
from sekisho.model.errors import VerificationError
from sekisho.model.statements import LogPosition
from sekisho.operations.state import State, fold_log, start_state
from sekisho.ports.tile_store import TileStore
from sekisho.signing import Recorded, TrustRoot

__all__ = ["LogFollower", "LogForked"]


class LogForked(VerificationError):
    """Two witnessed checkpoints of one log that do not belong to one tree."""

    code = "log-forked"


class LogFollower:
    """One reader's view of one log under its own trust root."""

    def __init__(self, store: TileStore, root: TrustRoot) -> None:
        self.root = root
        self._reader = LogReader(store)
        self._policy = Policy.from_text(root.witnesses, path="witnesses")
        self._state = start_state(root)
        self._recorded: list[Recorded] = []
        self._seen: Cosigned | None = None

    @property
    def state(self) -> State:
        """What the log said at the last refresh; amounts that it conceals stay undisclosed."""
        return self._state

    @property
    def recorded(self) -> list[Recorded]:
        return self._recorded

    @property
    def position(self) -> LogPosition | None:
        """The newest witnessed tree that was read."""
        if self._seen is None:
            return None
        checkpoint = self._seen.checkpoint
        return LogPosition(size=checkpoint.size, root=checkpoint.root.hex())

    def refresh(self) -> State:
        """Read what is new. Raises what verification raises, LogForked where the log was rewritten."""
        cosigned = self._reader.load_checkpoint(self._policy)
        checkpoint = cosigned.checkpoint
        if self._seen is not None and self._seen.checkpoint.size:
            old = self._seen.checkpoint
            if checkpoint.size < old.size:
                raise LogForked(f"the log went back from {old.size} to {checkpoint.size} entries")
            proof = self._reader.consistency_proof(old.size, checkpoint.size)
            verify_consistency(old.size, checkpoint.size, old.root, checkpoint.root, proof)
        entries = self._reader.entries(self._state.size, checkpoint.size, checkpoint)
        self._state, fresh = fold_log(self._state, entries)
        self._recorded += fresh
        self._seen = cosigned
        return self._state
