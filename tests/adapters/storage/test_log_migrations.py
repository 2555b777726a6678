"""An older database becomes a newer one, whole or not at all, on both kinds of database."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import Connection, Engine, create_engine, event, inspect, text
from sqlalchemy.pool import NullPool

from sekisho.adapters.storage import postgres_log
from sekisho.adapters.storage.log_schema import SCHEMA_VERSION, create_schema
from sekisho.adapters.storage.postgres_log import PostgresLogStore
from sekisho.adapters.storage.schema_upgrade import MIGRATIONS, run_migrations
from sekisho.adapters.storage.sql_log import SqlLogStore
from sekisho.adapters.storage.sqlite_log import SqliteLogStore, open_engine
from sekisho.model.errors import StateConflict
from sekisho.ports.log_store import Recorded, Taken, TreeHead
from tests.adapters.storage.first_release import COUNT, ROOT, entries_of_old_log, make_old_log
from tests.ledger.logs import ORIGIN, submission

TABLES = {"log", "entries", "claims", "head", "cosigned", "alembic_version"}


class PowerCut(BaseException):
    """The process ends here."""


@contextmanager
def cut_before(statement: int) -> Iterator[list[str]]:
    """Every engine stops before its statement of this number; the statements until then."""
    seen: list[str] = []

    def count(_connection: object, _cursor: object, sql: str, *_: object) -> None:
        if len(seen) == statement:
            raise PowerCut
        seen.append(sql)

    event.listen(Engine, "before_cursor_execute", count)
    try:
        yield seen
    finally:
        event.remove(Engine, "before_cursor_execute", count)


def assert_migrated(store: SqlLogStore, count: int = COUNT) -> None:
    """Everything of the old log is there, and what it claimed is claimed."""
    entries = [
        (e.index, e.leaf_hash, e.envelope, e.payload_sha256) for e in store.load_entries(0, count)
    ]
    assert entries == entries_of_old_log(count)
    assert store.load_size() == count
    assert store.load_head() == TreeHead(size=count, root=ROOT)
    assert store.load_cosigned() == (count, b"note")
    found = store.find_recorded([submission("old 13", "serial 13", "größe 1099", "serial 12")])
    assert found.payloads[submission("old 13").payload_sha256][0] == 13
    assert {name: place[0] for name, place in found.unique.items()} == {
        "serial 13": 13,
        "größe 1099": 1099,
    }
    for claimed in (submission("old 1"), submission("new", "größe 1")):
        with pytest.raises(Taken):
            store.sequence(count, [entry(count, claimed.payload_sha256, claimed.unique)])
    store.sequence(count, [entry(count, bytes(32), ("new",))])


def entry(index: int, payload: bytes, unique: tuple[str, ...]) -> Recorded:
    return Recorded(
        index=index, leaf_hash=bytes(32), envelope=b"x", payload_sha256=payload, unique=unique
    )


def version_of(path: Path) -> int:
    with closing(sqlite3.connect(path)) as connection:
        return int(connection.execute("PRAGMA user_version").fetchone()[0])


def test_database_of_the_first_release_is_brought_up_to_date(tmp_path: Path) -> None:
    """Entries, unique keys, head and checkpoint of release 0.1 stand in the new tables."""
    make_old_log(tmp_path / "log.db")
    with SqliteLogStore(tmp_path / "log.db", origin=ORIGIN) as store:
        assert_migrated(store)
    assert version_of(tmp_path / "log.db") == SCHEMA_VERSION
    with SqliteLogStore(tmp_path / "log.db", origin=ORIGIN) as again:
        assert again.load_size() == COUNT + 1


def test_empty_database_of_the_first_release_too(tmp_path: Path) -> None:
    """A log in which nothing was recorded yet goes on."""
    make_old_log(tmp_path / "log.db", count=0)
    with SqliteLogStore(tmp_path / "log.db", origin=ORIGIN) as store:
        store.sequence(0, [entry(0, bytes(32), ("first",))])


def test_queue_that_still_holds_submissions_is_refused(tmp_path: Path) -> None:
    """What release 0.1 accepted and did not sequence is its to sequence; nothing is changed until then."""
    path = tmp_path / "log.db"
    make_old_log(path, waiting=3)
    with pytest.raises(StateConflict, match=r"3 submissions wait.*start release 0\.1 once"):
        SqliteLogStore(path, origin=ORIGIN)
    assert version_of(path) == 1
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("SELECT count(*) FROM queue").fetchone() == (3,)
        assert connection.execute("SELECT count(*) FROM entries").fetchone() == (COUNT,)


def describe(connection: Connection) -> dict[str, object]:
    """The tables of a database: columns, types, keys, indexes."""
    found = inspect(connection)
    return {
        table: (
            [(c["name"], str(c["type"]), c["nullable"]) for c in found.get_columns(table)],
            found.get_pk_constraint(table)["constrained_columns"],
            found.get_indexes(table),
            found.get_unique_constraints(table),
        )
        for table in found.get_table_names()
    }


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def engines(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[list[Engine]]:
    """Two empty databases of one kind."""
    made: list[Engine] = []
    if request.param == "sqlite":
        made = [open_engine(tmp_path / name) for name in ("a.db", "b.db")]
    else:
        server = request.getfixturevalue("postgres_server")
        for name in ("migrated", "created"):
            url = server.create(name)
            made.append(
                create_engine(
                    "postgresql+psycopg://",
                    creator=lambda url=url: psycopg.connect(url),
                    poolclass=NullPool,
                )
            )
    yield made
    for engine in made:
        engine.dispose()
    if request.param == "postgres":
        server.drop("migrated")
        server.drop("created")


def test_migrations_end_at_the_tables_that_a_new_log_gets(engines: list[Engine]) -> None:
    """From nothing through every version gives the same database as today's tables made at once."""
    with engines[0].begin() as connection:
        run_migrations(connection, 0)
        migrated = describe(connection)
    with engines[1].begin() as connection:
        create_schema(connection, ORIGIN)
        created = describe(connection)
    assert set(created) == TABLES
    assert migrated == created


def test_every_version_has_its_migration() -> None:
    """The newest migration is the schema that this release asks for."""
    names = sorted(path.stem for path in (MIGRATIONS / "versions").glob("v*.py"))
    assert [int(name[1:5]) for name in names] == list(range(1, SCHEMA_VERSION + 1))


def test_power_cut_at_every_statement_leaves_the_old_database_or_the_new(tmp_path: Path) -> None:
    """Stopped before any statement of the migration, the database opens afterwards as if nothing had been."""
    path, statement, cuts = tmp_path / "log.db", 0, 0
    make_old_log(path)
    while True:
        try:
            with cut_before(statement):
                store = SqliteLogStore(path, origin=ORIGIN)
        except PowerCut:
            cuts += 1
            assert version_of(path) in (1, SCHEMA_VERSION)
            statement += 1
        else:
            with store:
                assert_migrated(store)
            break
    assert cuts > 20


def old_postgres(url: str) -> None:
    """What release 0.1 would have left in PostgreSQL, had it been able to."""
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    engine = create_engine(
        "postgresql+psycopg://", creator=lambda: psycopg.connect(url), poolclass=NullPool
    )
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "0001")
        connection.execute(text(f"COMMENT ON TABLE log IS '{postgres_log.MARKER}'"))
        connection.execute(text("INSERT INTO log VALUES (1, :origin)"), {"origin": ORIGIN})
        row = {"size": COUNT, "root": ROOT, "note": b"note"}
        connection.execute(text("INSERT INTO head VALUES (1, :size, :root)"), row)
        connection.execute(text("INSERT INTO cosigned VALUES (1, :size, :note)"), row)
        connection.execute(
            text("INSERT INTO entries VALUES (:idx, :leaf, :envelope, :payload)"),
            [
                {"idx": idx, "leaf": leaf, "envelope": envelope, "payload": payload}
                for idx, leaf, envelope, payload in entries_of_old_log()
            ],
        )
        connection.execute(
            text("INSERT INTO unique_keys VALUES (:name, :idx)"),
            [
                {"name": f"{kind} {i}", "idx": i}
                for i in range(1, COUNT, 2)
                for kind in ("serial", "größe")
            ],
        )


@pytest.mark.postgres
def test_power_cuts_in_postgres_leave_the_old_database_or_the_new(postgres_url: str) -> None:
    """The same over PostgreSQL: at some statements, then to the end."""
    old_postgres(postgres_url)
    for statement in (4, 11, 18, 24):
        with pytest.raises(PowerCut), cut_before(statement):
            PostgresLogStore(postgres_url, origin=ORIGIN)
        with psycopg.connect(postgres_url) as connection:
            version = connection.execute("SELECT version_num FROM alembic_version").fetchone()
        assert version == ("0001",)
    with closing(PostgresLogStore(postgres_url, origin=ORIGIN)) as store:
        assert_migrated(store)


def test_opening_does_not_load_the_migrations_where_there_is_nothing_to_do(tmp_path: Path) -> None:
    """Alembic takes as long to import as everything else together, so it waits until it is needed."""
    script = (
        "import pathlib, sys\n"
        "from sekisho.adapters.storage.sqlite_log import SqliteLogStore\n"
        "from sekisho.adapters.storage.postgres_log import PostgresLogStore\n"
        "for _ in range(2):\n"
        "    SqliteLogStore(pathlib.Path(sys.argv[1]), origin='o').close()\n"
        "sys.exit('alembic' in sys.modules)\n"
    )
    subprocess.run([sys.executable, "-c", script, str(tmp_path / "log.db")], check=True)
