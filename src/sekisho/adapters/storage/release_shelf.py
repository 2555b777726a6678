"""Releases on a host's disk: `releases/<sequence>/`, a list of all that ever came, and the link `current`.

A running agent keeps the folder that it began with, and holds it; nothing here is ever changed in place. Of what lies
before `current` two are kept, and what somebody holds; the list of what ever came is never shortened, since a number
must not come twice.
"""

from __future__ import annotations

import fcntl
import os
import secrets
import shutil
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import msgspec

from sekisho.adapters.durable_files import hold_folder, replace_file, sync_path
from sekisho.adapters.held_release import RELEASES
from sekisho.adapters.storage.artefacts import unpack_artefact
from sekisho.model.errors import Corrupt, InvalidInput, Unavailable
from sekisho.model.wire import canonical, from_json, parse_json
from sekisho.ports.releases import Placed, Shelf

__all__ = ["KEPT_BEFORE", "ReleaseShelf"]

KEPT_BEFORE: Final = 2
"""So many releases before the current one stay: what still runs, and what somebody may look at after a bad one."""

MAX_LIST: Final = 4 * 1024 * 1024
LIST, CURRENT = "releases.json", "current"


class _List(msgspec.Struct, frozen=True, kw_only=True):
    placed: tuple[Placed, ...] = ()


class ReleaseShelf:
    """One folder of releases, held by one process at a time."""

    def __init__(self, folder: Path) -> None:
        """Raises InvalidInput where others than its owner could write there, StateConflict where it is held."""
        folder.mkdir(mode=0o755, parents=True, exist_ok=True)
        _check_owner(folder)
        (folder / RELEASES).mkdir(mode=0o755, exist_ok=True)
        self.folder = folder
        self._hold = hold_folder(folder, "update")
        self._sweep()  # what earlier crashes left behind: nobody else is at work here

    def close(self) -> None:
        """Let the next one have the folder."""
        if self._hold >= 0:
            os.close(self._hold)
        self._hold = -1

    def load(self) -> Shelf:
        """What ever came, and what is current. Raises Corrupt where either cannot be told."""
        return Shelf(placed=self._load_list(), current=self._load_current())

    def path_of(self, sequence: int) -> Path:
        return self.folder / RELEASES / str(sequence)

    @contextmanager
    def incoming(self) -> Iterator[Path]:
        """A place for a file that is being fetched, gone afterwards."""
        path = self.folder / RELEASES / f".{secrets.token_hex(8)}.file.tmp"
        try:
            yield path
        finally:
            path.unlink(missing_ok=True)

    def place(self, placed: Placed, artefact: Path) -> None:
        """Unpack a verified file as a release and write it down; `current` stays where it is.

        Raises UnsafeRelease, Unavailable where the disk refuses.
        """
        target = self.path_of(placed.sequence)
        temporary = target.with_name(f".{secrets.token_hex(8)}.tmp")
        try:
            unpack_artefact(artefact, temporary)
            # Crash here: a folder that nothing refers to, swept away by the next update.
            if target.exists():
                # Of a crash before it was written down: it may be another file's.
                shutil.rmtree(target)
            temporary.rename(target)
            sync_path(target.parent)
        except OSError as error:
            raise Unavailable(
                f"{error.filename or target} cannot be written: {error.strerror}",
                remedy="check space and rights, then try again",
            ) from None
        finally:
            shutil.rmtree(temporary, ignore_errors=True)
        # Crash here: a whole release that is not written down, unpacked once more by the next update.
        rows = (*self._load_list(), placed)
        replace_file(self.folder / LIST, canonical(_List(placed=rows)), mode=0o644)
        # Crash here: the release is here and counts as taken, nothing older will be; `current` is the one before.

    def switch(self, sequence: int) -> None:
        """Let `current` lead to a release, in one move. Raises Unavailable, Corrupt where the release is gone."""
        if not self.path_of(sequence).is_dir():
            raise Corrupt(
                f"{self.path_of(sequence)} is written down and not there",
                remedy="release it anew, under a higher number",
            )
        temporary = self.folder / f".{secrets.token_hex(8)}.link.tmp"
        try:
            temporary.symlink_to(Path(RELEASES) / str(sequence))
            # Crash here: `current` is the one before, beside a link that nobody looks at.
            temporary.rename(self.folder / CURRENT)
            sync_path(self.folder)
        except OSError as error:
            raise Unavailable(
                f"{self.folder / CURRENT} cannot be moved: {error.strerror}",
                remedy="check space and rights, then try again",
            ) from None
        finally:
            temporary.unlink(missing_ok=True)

    def prune(self) -> tuple[int, ...]:
        """Take away what is older than the last two before `current` and held by nobody; their numbers.

        A release that cannot be taken away stays, for the next time. Raises Corrupt where `current` cannot be told.
        """
        current = self._load_current()
        folders = [path for path in (self.folder / RELEASES).iterdir() if path.name.isdigit()]
        older = sorted(int(path.name) for path in folders if int(path.name) < current)
        return tuple(n for n in older[: max(len(older) - KEPT_BEFORE, 0)] if self._take_away(n))

    def _take_away(self, sequence: int) -> bool:
        path = self.path_of(sequence)
        temporary = path.with_name(f".{secrets.token_hex(8)}.tmp")
        try:
            descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
        except OSError:
            return False
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            path.rename(temporary)
            # Crash here: a folder under a name that means nothing, swept away by the next update.
        except OSError:
            return False
        finally:
            os.close(descriptor)
        shutil.rmtree(temporary, ignore_errors=True)
        return True

    def _sweep(self) -> None:
        for left in (self.folder / RELEASES).glob(".*.tmp"):
            if left.is_dir() and not left.is_symlink():
                shutil.rmtree(left, ignore_errors=True)
            else:
                left.unlink(missing_ok=True)
        for link in self.folder.glob(".*.link.tmp"):
            link.unlink(missing_ok=True)

    def _load_list(self) -> tuple[Placed, ...]:
        path = self.folder / LIST
        try:
            with path.open("rb") as file:
                raw = file.read(MAX_LIST + 1)
        except FileNotFoundError:
            return ()
        try:
            rows = from_json(_List, parse_json(raw, path=str(path), limit=MAX_LIST), path=str(path))
        except InvalidInput as error:
            raise Corrupt(
                str(error), remedy="look who wrote it; without it an older release could come back"
            ) from None
        return rows.placed

    def _load_current(self) -> int:
        link = self.folder / CURRENT
        if not os.path.lexists(link):
            return 0
        parts = link.readlink().parts if link.is_symlink() else ()
        if len(parts) != 2 or parts[0] != RELEASES or not parts[1].isdigit():
            raise Corrupt(
                f"{link} is no link to a release", remedy="take it away after a look, then update"
            )
        return int(parts[1])


def _check_owner(folder: Path) -> None:
    """What root runs must lie where nobody else may write, and so for every user."""
    status = folder.stat()
    if status.st_uid != os.geteuid() or status.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
        raise InvalidInput(
            "others than you may write here",
            path=str(folder),
            remedy="update as the folder's owner, and let nobody else write there",
        )
