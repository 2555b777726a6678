"""What a monitor must not forget: the newest checkpoint, what could not be compared yet, and every fork."""

from __future__ import annotations

from sekisho.ledger.evidence import ForkEvidence
from sekisho.ledger.monitor import MAX_STATE_BYTES, Followed
from sekisho.model.errors import Corrupt, InvalidInput
from sekisho.ports.tile_store import TileStore

__all__ = ["MonitorMemory"]

STATE_PATH = "state.json"


class MonitorMemory:
    """One file for the state, and one for each piece of evidence under `evidence/`."""

    def __init__(self, files: TileStore) -> None:
        self._files = files

    def load(self) -> Followed:
        """The state of the last round; an empty one where there is none. Raises Corrupt."""
        if not self._files.exists(STATE_PATH):
            return Followed()
        try:
            data = self._files.read(STATE_PATH, MAX_STATE_BYTES)
            return Followed.from_bytes(data, path=STATE_PATH)
        except InvalidInput as error:
            raise Corrupt(
                f"the monitor's state cannot be read: {error}",
                remedy="restore it from a backup; without it older checkpoints are not compared with newer ones",
            ) from None

    def save(self, state: Followed) -> None:
        """Remember durably."""
        # Crash before: the round is done again from the older state and finds the same. After: nothing is lost.
        self._files.write(STATE_PATH, state.to_bytes())

    def keep_evidence(self, evidence: ForkEvidence) -> str:
        """Store it durably, before any state calls it known; its path."""
        path = f"evidence/{evidence.file_name}"
        if not self._files.exists(path):
            # Crash here: the state does not know of the fork yet; the next round finds and keeps it.
            self._files.write(path, evidence.to_bytes())
        return path
