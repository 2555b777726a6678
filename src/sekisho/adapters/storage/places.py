"""Where a log's database is, told by one word: a file for SQLite, an address for PostgreSQL."""

from __future__ import annotations

from pathlib import Path

from sekisho.adapters.storage.sql_log import SqlLogStore
from sekisho.adapters.storage.sqlite_log import SqliteLogStore
from sekisho.model.errors import InvalidInput, Unavailable

__all__ = ["is_server", "open_log_store"]

_POSTGRES = ("postgresql://", "postgres://")


def is_server(place: str) -> bool:
    """Whether a place is the address of a PostgreSQL database."""
    return place.startswith(_POSTGRES)


def open_log_store(place: str, *, origin: str) -> SqlLogStore:
    """The database at `place`; an address may hold a password, which is never shown.

    Raises what SqliteLogStore and PostgresLogStore raise; InvalidInput for another kind of address.
    """
    if is_server(place):
        try:
            # Here, so that a log on SQLite does without the driver.
            from sekisho.adapters.storage.postgres_log import PostgresLogStore  # noqa: PLC0415
        except ModuleNotFoundError as error:
            raise Unavailable(
                f"this needs {error.name}, which is not installed",
                remedy="install the package with its extra: server",
            ) from None
        return PostgresLogStore(place, origin=origin)
    if "://" in place:
        raise InvalidInput(
            f"{place.partition('://')[0]!r} is no kind of database that we know",
            path="database",
            remedy="name a file, or postgresql://...",
        )
    return SqliteLogStore(Path(place), origin=origin)
