"""An older log database is brought up to date; a newer one is refused."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import Connection

from sekisho.adapters.storage.log_schema import SCHEMA_VERSION, revision_of
from sekisho.model.errors import InvalidInput

__all__ = ["upgrade_schema"]

MIGRATIONS = Path(__file__).parent / "migrations"


def upgrade_schema(connection: Connection, version: int, path: str) -> None:
    """Run the migrations from `version` on, all in the caller's transaction: the old database, or the new one.

    Raises InvalidInput where a later release wrote the database, StateConflict where the release that wrote it
    has to finish something first.
    """
    if version == SCHEMA_VERSION:
        return
    if not 1 <= version < SCHEMA_VERSION:
        raise InvalidInput(
            f"schema version {version}, this program knows 1 to {SCHEMA_VERSION}",
            path=path,
            remedy="run the release that wrote it",
        )
    run_migrations(connection, version)


def run_migrations(connection: Connection, version: int) -> None:
    """From `version` (0: from nothing) to this release's; the library is loaded only where there is work."""
    from alembic import command  # noqa: PLC0415 - half a second, once in a release
    from alembic.config import Config  # noqa: PLC0415

    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    config.attributes["connection"] = connection
    if version:
        # Release 0.1 kept no table of versions.
        command.stamp(config, revision_of(version))
    command.upgrade(config, "head")
