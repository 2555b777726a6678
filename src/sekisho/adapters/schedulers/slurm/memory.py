"""What the driver must not forget while its watchdog is away: `slurm.json` in its own folder."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import msgspec

from sekisho.adapters.durable_files import create_private_folder, replace_file
from sekisho.adapters.schedulers.slurm.device_book import DeviceBook
from sekisho.model.errors import Corrupt, InvalidInput
from sekisho.model.wire import canonical, from_json, parse_json

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


class DriverMemory:
    """The file, and the book of device-seconds beside it."""

    def __init__(self, folder: Path) -> None:
        create_private_folder(folder)
        self._path = folder / "slurm.json"
        self.known = self._load()
        self.book = DeviceBook(settled=float(self.known.settled))

    def keep(self, **changes: object) -> None:
        """Change what is known and have it on the disk.

        A crash before leaves the older knowledge: the next look at the queue finds the jobs by their comment again.
        """
        known = msgspec.structs.replace(self.known, **changes)
        if known == self.known:
            return
        self.known = known
        replace_file(self._path, canonical(known))

    def _load(self) -> Known:
        try:
            raw = self._path.read_bytes()
        except FileNotFoundError:
            return Known()
        try:
            return from_json(Known, parse_json(raw, path=str(self._path)), path=str(self._path))
        except InvalidInput as error:
            raise Corrupt(
                str(error), remedy=f"end the run's jobs, then remove {self._path}"
            ) from None
