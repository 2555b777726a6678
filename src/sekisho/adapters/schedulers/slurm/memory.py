"""What the driver must not forget while its watchdog is away: `slurm.json` in its own folder."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import msgspec

from sekisho.adapters.schedulers.kept_state import KeptState
from sekisho.adapters.schedulers.slurm.device_book import DeviceBook

__all__ = ["DriverMemory", "Known", "RunPhase"]

RunPhase = Literal["closed", "open", "frozen"]


class Known(msgspec.Struct, frozen=True, kw_only=True):
    """`members` were once seen as the run's, whatever their comment says now; `held` and `suspended` are our doing.

    `doubtful` are nodes that did not answer when work of ours should have ended there. `partitions` are those that we
    closed, with the state that they had. `batch` is the agent's own job.
    """

    run: str = ""
    phase: RunPhase = "closed"
    members: tuple[int, ...] = ()
    held: tuple[int, ...] = ()
    suspended: tuple[int, ...] = ()
    doubtful: tuple[str, ...] = ()
    partitions: dict[str, str] = {}
    batch: int | None = None
    exit_code: int | None = None
    offset: int = 0
    settled: str = "0"


class DriverMemory(KeptState[Known]):
    """The file, and the book of device-seconds beside it."""

    def __init__(self, folder: Path) -> None:
        """Raises Corrupt where the file is there and cannot be read."""
        path = folder / "slurm.json"
        super().__init__(path, Known, remedy=f"end the run's jobs, then remove {path}")
        self.book = DeviceBook(settled=float(self.known.settled))
