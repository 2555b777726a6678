"""SQLite's errors in the house's words: what the machine refuses for the moment, and what is wrong with a file."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from sqlalchemy.exc import DatabaseError, OperationalError

from sekisho.model.errors import Corrupt, Unavailable

__all__ = ["REFUSALS", "translated"]

REFUSALS: Final = {
    sqlite3.SQLITE_PERM,
    sqlite3.SQLITE_BUSY,
    sqlite3.SQLITE_LOCKED,
    sqlite3.SQLITE_NOMEM,
    sqlite3.SQLITE_READONLY,
    sqlite3.SQLITE_INTERRUPT,
    sqlite3.SQLITE_IOERR,
    sqlite3.SQLITE_FULL,
    sqlite3.SQLITE_CANTOPEN,
    sqlite3.SQLITE_PROTOCOL,
    sqlite3.SQLITE_AUTH,
}
"""What the machine refuses for the moment; every other error is about the file's content."""


@contextmanager
def translated(what: str, *, retry: str, mend: str) -> Iterator[None]:
    """Raise Unavailable (remedy `retry`) or Corrupt (remedy `mend`) for what SQLite raises about the file `what`."""
    try:
        yield
    except (OperationalError, sqlite3.OperationalError) as error:
        raise Unavailable(f"{what} refuses: {_said(error)}", remedy=retry) from None
    except (DatabaseError, sqlite3.DatabaseError) as error:
        raise Corrupt(f"{what} cannot be read: {_said(error)}", remedy=mend) from None


def _said(error: Exception) -> object:
    return getattr(error, "orig", error)
