"""`inbox/` in an agent's home: where a person drops a lease or feed file, and where the agent answers.

Only whoever owns the home, or root, can drop something here; it is read bounded, and believed no more than what comes
by network. A file goes only once it is taken in or refused, so that one dropped before a crash is met again at the
next start; taking the same lease twice changes nothing.
"""

from __future__ import annotations

import os
import re
import stat
from pathlib import Path

import msgspec

from sekisho.model.errors import InvalidInput, Unavailable
from sekisho.model.wire import canonical, from_json, parse_json

__all__ = ["Inbox", "Outcome", "drop", "find_outcome", "load_request"]

MAX_FILE = 8 * 1024 * 1024
MAX_REQUEST = 64 * 1024
MAX_WAITING = 16
MOST_LEFT = 4096
_NAME = re.compile(r"[0-9a-f]{32}\.json")


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """What became of a dropped file: whether all of it was taken, how many items, and why what was not was not."""

    taken: bool
    items: int = 0
    lease: int | None = None
    details: tuple[str, ...] = ()


class Inbox:
    """The agent's side: looks, bounded in number and size, and answers."""

    def __init__(self, home: Path) -> None:
        """Makes the folder, for its owner alone. Raises OSError where the home cannot be written."""
        self._folder = home / "inbox"
        self._folder.mkdir(mode=0o700, exist_ok=True)
        self._untold: dict[str, Outcome] = {}
        self._left: set[str] = set()

    def look(self) -> list[tuple[str, bytes | InvalidInput]]:
        """What was dropped, by name, in the order of names; what cannot be read as the error that says why.

        No more at a time than the longest file may hold: whoever drops many of those makes the agent neither large nor
        late. One that was taken in and could not be answered is not taken in again: its answer is tried again.
        """
        for name, outcome in list(self._untold.items()):
            self.answer(name, outcome)
        try:
            with os.scandir(self._folder) as entries:
                names = sorted(e.name for e in entries if _NAME.fullmatch(e.name))
        except OSError:
            return []
        found: list[tuple[str, bytes | InvalidInput]] = []
        read = 0
        waiting = [name for name in names if name not in self._untold and name not in self._left]
        for name in waiting[:MAX_WAITING]:
            raw = self._read(name)
            read += len(raw) if isinstance(raw, bytes) else 0
            if found and read > MAX_FILE:
                break
            found.append((name, raw))
        return found

    def answer(self, name: str, outcome: Outcome) -> None:
        """Say what became of it, then remove it: a crash in between answers once more.

        Where that cannot be done it is tried again at each look, and the person waits; no work depends on it.
        """
        try:
            _write_whole(self._folder / f"{name}.answer", canonical(outcome), like=self._folder)
        except OSError:
            if len(self._untold) < MAX_WAITING:
                self._untold[name] = outcome
            return
        self._untold.pop(name, None)
        try:
            (self._folder / name).unlink(missing_ok=True)
        except OSError:
            # A folder, or what else cannot be taken away: answered, it must not stand before those that come after it.
            if len(self._left) < MOST_LEFT:
                self._left.add(name)

    def _read(self, name: str) -> bytes | InvalidInput:
        try:
            return _read_owned(self._folder / name, MAX_FILE)
        except InvalidInput as error:
            return error
        except OSError as error:
            return InvalidInput(f"cannot be read: {error.strerror}", path=name)


# --- the person's side -----------------------------------------------------------------------


def load_request(home: Path) -> bytes | None:
    """The lease request that waits for an answer, None where this host asks for none. Raises InvalidInput."""
    path = home / "request.dsse"
    try:
        return _read_owned(path, MAX_REQUEST) or None
    except FileNotFoundError:
        return None


def drop(home: Path, raw: bytes, *, token: str) -> str:
    """Put a file into the inbox under a fresh name (`token`: 32 hex digits); gives that name.

    Raises InvalidInput where there is no inbox: no agent has run here.
    """
    folder, name = home / "inbox", f"{token}.json"
    if not folder.is_dir():
        raise InvalidInput(
            "has no inbox: no agent has run there",
            path=str(home),
            remedy="name the folder that the agent was given as --home",
        )
    try:
        _write_whole(folder / name, raw, like=folder)
    except OSError as error:
        raise Unavailable(f"{folder / name} cannot be written: {error.strerror}") from None
    return name


def find_outcome(home: Path, name: str) -> Outcome | None:
    """What the agent says became of a dropped file; None where it has not answered yet. The answer is removed."""
    told = home / "inbox" / f"{name}.answer"
    try:
        raw = _read_owned(told, MAX_FILE)
    except FileNotFoundError:
        return None
    told.unlink(missing_ok=True)
    return from_json(Outcome, parse_json(raw, path=str(told)), path=str(told))


# --- within ----------------------------------------------------------------------------------


def _read_owned(path: Path, limit: int) -> bytes:
    """A plain file of ours or root's that nobody else may write. Raises InvalidInput, FileNotFoundError."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except FileNotFoundError:
        raise
    except OSError as error:
        raise InvalidInput(f"cannot be read: {error.strerror}", path=str(path)) from None
    try:
        status = os.fstat(descriptor)
        ours = status.st_uid in (os.geteuid(), 0) or os.geteuid() == 0
        if not stat.S_ISREG(status.st_mode) or not ours or status.st_mode & 0o022:
            raise InvalidInput("is not a plain file of this host's own", path=str(path))
        with os.fdopen(os.dup(descriptor), "rb") as file:
            raw = file.read(limit + 1)
    finally:
        os.close(descriptor)
    if len(raw) > limit:
        raise InvalidInput(f"is over {limit} bytes", path=str(path))
    return raw


def _write_whole(path: Path, raw: bytes, *, like: Path) -> None:
    """Beside it under a name that nobody looks for, then renamed: whole or not there at all. Owned as `like` is."""
    beside = path.with_name(f".{path.name}.new")
    descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(raw)
        file.flush()
        os.fsync(descriptor)
        if os.geteuid() == 0:
            owner = like.stat()
            os.fchown(descriptor, owner.st_uid, owner.st_gid)
    beside.replace(path)
