"""What the driver must not forget while its watchdog is away: `slurm.json` in its own folder."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import Literal

import msgspec

from sekisho.adapters.durable_files import create_private_folder, replace_file
from sekisho.adapters.schedulers.slurm.device_book import DeviceBook
from sekisho.model.errors import Corrupt, InvalidInput, Unavailable
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
        self._is_behind = False  # the disk, behind what is known
        self.book = DeviceBook(settled=float(self.known.settled))

    def keep(self, **changes: object) -> None:
        """Change what is known, and have it on the disk where that takes it; where it does not, at the next change.

        A full disk keeps nobody from stopping work: what may run again is kept by `keep_first`. A crash before leaves
        the older knowledge: the next look at the queue finds the jobs by their comment again.
        """
        known = msgspec.structs.replace(self.known, **changes)
        if known == self.known and not self._is_behind:
            return
        self.known, self._is_behind = known, True
        with contextlib.suppress(OSError):
            replace_file(self._path, canonical(known))
            self._is_behind = False

    def keep_first(self, **changes: object) -> None:
        """Change what is known once it is on the disk. Raises Unavailable where the disk does not take it."""
        known = msgspec.structs.replace(self.known, **changes)
        try:
            replace_file(self._path, canonical(known))
        except OSError as error:
            raise Unavailable(
                f"{self._path} cannot be written: {error.strerror}", remedy="make room on its disk"
            ) from None
        self.known, self._is_behind = known, False

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
