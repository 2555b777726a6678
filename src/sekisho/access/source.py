"""Where a gate gets its picture: a file that an access point writes, looked at again a few times a second."""

from __future__ import annotations

import stat
import time
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

from sekisho.access.picture import AccessPicture
from sekisho.access.shown import MAX_PICTURE, parse_picture
from sekisho.model.errors import SekishoError
from sekisho.model.instants import Instant
from sekisho.signing import PublicKey

__all__ = ["PictureFile", "PictureSource", "system_now"]

LOOK_EVERY_S = 0.2


class PictureSource(Protocol):
    """The newest picture, None where there is none to be believed; cheap enough to be asked at each chunk."""

    def current(self) -> AccessPicture | None: ...


class PictureFile:
    """Implements PictureSource over a signed file.

    An older picture than one seen before counts for nothing, whoever put it there; one that is believed counts no
    longer than it says by a clock that nobody sets, so setting the system clock back, or putting the same picture there
    once more, lengthens nothing.
    """

    def __init__(
        self,
        path: Path,
        key: PublicKey,
        *,
        elapsed_s: Callable[[], float] = time.monotonic,
        now: Callable[[], Instant] | None = None,
    ) -> None:
        self._path = path
        self._key = key
        self._elapsed_s = elapsed_s
        self._now = now or system_now
        self._stamp: tuple[int, int, int] | None = None
        self._picture: AccessPicture | None = None
        self._until_s = 0.0
        self._highest = 0
        self._longest_s = float("inf")
        self._looked_s = float("-inf")
        self.problem = ""

    def current(self) -> AccessPicture | None:
        elapsed = self._elapsed_s()
        if elapsed - self._looked_s >= LOOK_EVERY_S:
            self._looked_s = elapsed
            self._look(elapsed)
        return self._picture if elapsed < self._until_s else None

    def _look(self, elapsed: float) -> None:
        try:
            found = self._path.stat()
            if not stat.S_ISREG(found.st_mode):
                # A pipe would hold up the whole server for as long as nobody writes.
                self.problem = f"{self._path}: is no file"
                return
            stamp = (found.st_mtime_ns, found.st_ino, found.st_size)
            if stamp == self._stamp:
                return
            with self._path.open("rb") as file:
                raw = file.read(MAX_PICTURE + 1)
            self._take(parse_picture(raw, self._key, path=str(self._path)), elapsed)
            self._stamp = stamp
        except OSError as error:
            # What was believed goes on until it runs out: the access point may be replacing the file.
            self.problem = f"{self._path}: {error.strerror}"
        except SekishoError as error:
            self.problem = str(error)

    def _take(self, picture: AccessPicture, elapsed: float) -> None:
        if picture.sequence < self._highest:
            self.problem = (
                f"{self._path} holds picture {picture.sequence}, {self._highest} was seen before"
            )
            self._picture, self._until_s = None, 0.0
            return
        # As long as it was good for when it was written, and no longer than the system clock says besides.
        left = min(picture.until.since(picture.written), picture.until.since(self._now()))
        if picture.sequence > self._highest:
            self._longest_s = float("inf")
        self._longest_s = min(self._longest_s, elapsed + left)
        self._highest, self._picture, self.problem = picture.sequence, picture, ""
        self._until_s = self._longest_s


def system_now() -> Instant:
    """The system clock."""
    return Instant(time.time_ns() // 1_000)
