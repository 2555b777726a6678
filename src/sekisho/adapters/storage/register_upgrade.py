"""An older register's database is brought up to date; a newer one is refused."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import Connection

from sekisho.adapters.storage.register_schema import SCHEMA_VERSION
from sekisho.model.errors import InvalidInput

__all__ = ["run_register_migrations", "upgrade_register"]

MIGRATIONS = Path(__file__).parent / "register_migrations"


def upgrade_register(connection: Connection, version: int, path: str) -> None:
    """Run the migrations from `version` on, all in the caller's transaction. Raises InvalidInput for a newer one."""
    if version == SCHEMA_VERSION:
        return
    if not 1 <= version < SCHEMA_VERSION:
        raise InvalidInput(
            f"schema version {version}, this program knows 1 to {SCHEMA_VERSION}",
            path=path,
            remedy="run the release that wrote it",
        )
    run_register_migrations(connection)


def run_register_migrations(connection: Connection, revision: str = "head") -> None:
    """From where the database stands to a revision; the library is loaded only where there is work."""
    from alembic import command  # noqa: PLC0415 - half a second, once in a release
    from alembic.config import Config  # noqa: PLC0415

    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    config.attributes["connection"] = connection
    command.upgrade(config, revision)
