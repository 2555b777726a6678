"""Schemas of the register's database: what is ours, what is older or newer, and that migrations make what we use."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from alembic.script import ScriptDirectory
from sqlalchemy import Engine, create_engine, inspect

from sekisho.adapters.storage.register_schema import (
    DERIVED,
    SCHEMA_VERSION,
    VERSION_TABLE,
    create_schema,
    revision_of,
    schema,
)
from sekisho.adapters.storage.register_sql import open_register
from sekisho.adapters.storage.register_upgrade import MIGRATIONS, run_register_migrations
from sekisho.adapters.storage.sqlite_log import SqliteLogStore
from sekisho.model.errors import InvalidInput
from tests.ledger.logs import ORIGIN
from tests.registered import chip, registering

KINDS = ["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)]
Engines = Callable[[str], Engine]


@pytest.fixture(params=KINDS)
def engines(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Engines]:
    """Empty databases by name, all of one kind: files, or schemas of one database."""
    made: list[Engine] = []

    def make(name: str) -> Engine:
        if request.param == "sqlite":
            engine = create_engine(f"sqlite:///{tmp_path / name}")
        else:
            url = request.getfixturevalue("postgres_url").replace(
                "postgresql:", "postgresql+psycopg:"
            )
            with create_engine(url).begin() as connection:
                connection.exec_driver_sql(f"CREATE SCHEMA {name}")
                engine = connection.engine
            made.append(engine)
            engine = create_engine(url, connect_args={"options": f"-c search_path={name}"})
        made.append(engine)
        return engine

    yield make
    for engine in made:
        engine.dispose()


def shape(engine: Engine) -> dict[str, Any]:
    """Tables, columns, keys and indexes as the database tells them."""
    found: dict[str, Any] = {}
    seen = inspect(engine)
    for table in seen.get_table_names():
        found[table] = (
            [
                (c["name"], repr(c["type"]), c["nullable"], c.get("autoincrement"))
                for c in seen.get_columns(table)
                if table != VERSION_TABLE
            ],
            seen.get_pk_constraint(table)["constrained_columns"],
            sorted(
                (str(i["name"]), i["column_names"], i["unique"], sorted(i["dialect_options"]))
                for i in seen.get_indexes(table)
            ),
            sorted(u["column_names"] for u in seen.get_unique_constraints(table)),
        )
    return found


def test_migrations_from_nothing_make_the_tables_that_we_use(engines: Engines) -> None:
    """Every table, column, key and index, and the version that is written down."""
    made, migrated = engines("made"), engines("migrated")
    with made.begin() as connection:
        create_schema(connection)
    with migrated.begin() as connection:
        run_register_migrations(connection)
        told = connection.exec_driver_sql(f"SELECT version_num FROM {VERSION_TABLE}").scalar_one()
        progress = connection.exec_driver_sql("SELECT * FROM progress").one()
    assert told == revision_of(SCHEMA_VERSION)
    assert tuple(progress) == (1, 0, 0, 0)
    assert set(shape(made)) == set(schema.tables)
    assert shape(migrated) == shape(made)


def test_tables_of_sqlite_hold_columns_to_their_types(tmp_path: Path) -> None:
    """A text where a number belongs is refused by the database itself, in migrated files too."""
    engine = create_engine(f"sqlite:///{tmp_path / 'migrated'}")
    with engine.begin() as connection:
        run_register_migrations(connection)
    engine.dispose()
    with closing(sqlite3.connect(tmp_path / "migrated")) as raw:
        told = [sql for (sql,) in raw.execute("SELECT sql FROM sqlite_schema WHERE type = 'table'")]
        assert sum("STRICT" in sql for sql in told) == len(schema.tables) - 1
        with pytest.raises(sqlite3.IntegrityError):
            raw.execute("INSERT INTO containment VALUES ('text', 1)")


def test_each_migration_follows_the_one_before() -> None:
    """One line of revisions, the newest of this release's number."""
    script = ScriptDirectory(str(MIGRATIONS))
    assert script.get_current_head() == revision_of(SCHEMA_VERSION)
    assert len(list(script.walk_revisions())) == SCHEMA_VERSION


def test_what_is_forgotten_is_what_can_be_made_again() -> None:
    """Events, captures, documents, batches and what numbers mean are in no table that is dropped."""
    kept = {"words", "epcs", "captures", "documents", "batches", "events", "alerts", "progress"}
    assert {table.name for table in DERIVED} == set(schema.tables) - kept - {VERSION_TABLE}


@pytest.mark.parametrize("writes", [True, False])
@pytest.mark.parametrize("version", [0, SCHEMA_VERSION + 1])
def test_a_file_of_another_schema_is_refused(tmp_path: Path, version: int, *, writes: bool) -> None:
    """With its version, this program's and what to do; nothing in it is changed."""
    path = tmp_path / "register.sqlite"
    with open_register(path) as store:
        store.save(registering(1, [1]))
    with closing(sqlite3.connect(path)) as raw:
        raw.execute(f"PRAGMA user_version={version}")
    with pytest.raises(InvalidInput, match=f"schema version {version}") as refused:
        open_register(path, writes=writes)
    assert refused.value.remedy
    with closing(sqlite3.connect(path)) as raw:
        raw.execute(f"PRAGMA user_version={SCHEMA_VERSION}")
    with open_register(path) as store:
        assert list(store.load_standings([chip(1)])) == [chip(1)]


@pytest.mark.postgres
@pytest.mark.parametrize("writes", [True, False])
def test_a_database_of_a_newer_schema_is_refused(postgres_url: str, *, writes: bool) -> None:
    """As a file is."""
    open_register(postgres_url).close()
    change(postgres_url, f"UPDATE register.{VERSION_TABLE} SET version_num = 'r0099'")
    with pytest.raises(InvalidInput, match="schema version"):
        open_register(postgres_url, writes=writes)


@pytest.mark.postgres
def test_a_schema_of_another_program_is_refused(postgres_url: str) -> None:
    """One that is called register and is not ours stays as it is."""
    change(postgres_url, "CREATE SCHEMA register; CREATE TABLE register.customers (id int)")
    with pytest.raises(InvalidInput, match="another program"):
        open_register(postgres_url)
    with pytest.raises(InvalidInput, match="no register"):
        open_register(postgres_url, writes=False)


@pytest.mark.postgres
def test_log_and_register_share_a_database(postgres_url: str) -> None:
    """Whichever came first, each in its own schema, each with its own writer's lock and version."""
    from sekisho.adapters.storage.postgres_log import PostgresLogStore

    with open_register(postgres_url) as store, PostgresLogStore(postgres_url, origin=ORIGIN) as log:
        store.save(registering(1, [1]))
        assert (log.load_size(), store.load_numbers().event) == (0, 1)
    with PostgresLogStore(postgres_url, origin=ORIGIN), open_register(postgres_url) as store:
        assert store.load_numbers().event == 1


def test_a_file_of_another_program_is_refused(tmp_path: Path) -> None:
    """Some other database, and the log's: neither becomes a register."""
    with closing(sqlite3.connect(tmp_path / "other")) as raw:
        raw.execute("CREATE TABLE customers (id)")
    SqliteLogStore(tmp_path / "log.db", origin=ORIGIN).close()
    for name in ("other", "log.db"):
        for writes in (True, False):
            with pytest.raises(InvalidInput, match="another program"):
                open_register(tmp_path / name, writes=writes)


def change(url: str, statement: str) -> None:
    """Something that somebody else does to the database."""
    import psycopg

    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(statement.encode())
