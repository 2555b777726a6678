"""The user's own trust file: the roots that one person trusts. Only trust, up and drill write it."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Callable
from pathlib import Path

from sekisho.adapters.durable_files import replace_file
from sekisho.model.errors import InvalidInput, Unavailable
from sekisho.signing import TrustRoot, format_trust, parse_trust

__all__ = ["MAX_TRUST_FILE", "add_trust", "change_trust", "load_trust"]

MAX_TRUST_FILE = 1 << 20


def load_trust(path: Path) -> tuple[TrustRoot, ...]:
    """The roots in the file, none where there is no file. Raises InvalidInput naming the file and the field."""
    try:
        with path.open("rb") as file:
            data = file.read(MAX_TRUST_FILE + 1)
    except FileNotFoundError:
        return ()
    except OSError as error:
        raise InvalidInput(f"cannot be read: {error.strerror}", path=str(path)) from None
    return parse_trust(data, path=str(path))


def change_trust(
    path: Path, change: Callable[[tuple[TrustRoot, ...]], tuple[TrustRoot, ...]]
) -> tuple[TrustRoot, ...]:
    """Replace the roots by `change(roots)`, one change after the other also between processes; the new roots."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        lock = os.open(
            path.with_name(path.name + ".lock"), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600
        )
    except OSError as error:
        raise Unavailable(f"{path} cannot be written: {error.strerror}") from None
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
        before = load_trust(path)
        after = change(before)
        if after != before:
            # A crash before this line's rename leaves the old roots, after it the new ones; never a part.
            replace_file(path, format_trust(after))
        return after
    finally:
        os.close(lock)


def add_trust(path: Path, root: TrustRoot) -> bool:
    """Trust one more root, for whoever founded the regime on this machine; whether it was new."""
    if root in load_trust(path):
        return False
    change_trust(path, lambda roots: roots if root in roots else (*roots, root))
    return True
