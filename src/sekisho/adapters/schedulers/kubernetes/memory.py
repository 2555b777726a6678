"""What the driver must not forget while its watchdog is away: `kubernetes.json` in its own folder."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import msgspec

from sekisho.adapters.schedulers.kept_state import KeptState
from sekisho.model.instants import Instant

__all__ = ["DriverMemory", "Known", "RunPhase"]

RunPhase = Literal["closed", "open", "frozen"]


class Known(msgspec.Struct, frozen=True, kw_only=True):
    """`members` are live pods that were once seen as the run's, uid and path, whatever their label says now.

    `settled` is the device-seconds counted until `looked`.
    """

    phase: RunPhase = "closed"
    members: dict[str, str] = {}
    settled: str = "0"
    looked: Instant | None = None


class DriverMemory(KeptState[Known]):
    """The file."""

    def __init__(self, folder: Path) -> None:
        """Raises Corrupt where the file is there and cannot be read."""
        path = folder / "kubernetes.json"
        super().__init__(path, Known, remedy=f"end the run's pods, then remove {path}")
