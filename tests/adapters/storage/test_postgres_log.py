from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import psycopg
import pytest

from sekisho.adapters.storage import postgres_session
from sekisho.adapters.storage.postgres_log import PostgresLogStore
from sekisho.ledger.tree import leaf_hash
from sekisho.model.errors import Corrupt, InvalidInput, SekishoError, StateConflict, Unavailable
from sekisho.ports.log_store import Recorded
from tests.ledger.logs import ORIGIN, submission
from tests.postgres import Server, start_server

pytestmark = pytest.mark.postgres


@pytest.fixture(autouse=True)
def short_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    """A second writer is told at once."""
    monkeypatch.setattr(postgres_session, "LOCK_MS", 100)


@pytest.fixture
def store(postgres_url: str) -> Iterator[PostgresLogStore]:
    """A new database."""
    with closing(PostgresLogStore(postgres_url, origin=ORIGIN)) as store:
        yield store


def entry(index: int) -> Recorded:
    """A statement as entry `index`."""
    given = submission(f"statement {index}", f"serial {index}")
    return Recorded(
        index=index,
        leaf_hash=leaf_hash(given.envelope),
        envelope=given.envelope,
        payload_sha256=given.payload_sha256,
        unique=given.unique,
    )


def execute(url: str, *statements: str) -> list[tuple[object, ...]]:
    """Do something to a database behind the store's back; the last statement's rows."""
    rows: list[tuple[object, ...]] = []
    with psycopg.connect(url, autocommit=True) as connection:
        for statement in statements:
            cursor = connection.execute(statement.encode())
            rows = cursor.fetchall() if cursor.description else []
    return rows


def end_session(url: str) -> None:
    """The server's administrator ends the log's session."""
    execute(
        url,
        "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity"
        " WHERE application_name = 'sekisho log' AND datname = current_database()",
    )


def test_server_syncs_every_commit(store: PostgresLogStore) -> None:
    """The session that writes says itself that no commit is answered before it is on the disk."""
    with store._transaction() as connection:
        for name in ("fsync", "full_page_writes", "synchronous_commit"):
            assert connection.exec_driver_sql(f"SHOW {name}").scalar_one() == "on"


@pytest.mark.parametrize("setting", ["synchronous_commit"])
def test_role_that_answers_before_the_sync_is_refused(
    postgres_server: Server, postgres_url: str, setting: str
) -> None:
    """A setting that loses acknowledged commits is refused with its name and its remedy."""
    name = postgres_url.removeprefix("postgresql:///").split("?", 1)[0]
    postgres_server.execute(f'ALTER DATABASE "{name}" SET {setting} = off')
    with pytest.raises(InvalidInput, match=f"set {setting} = on"):
        PostgresLogStore(postgres_url, origin=ORIGIN)
    postgres_server.execute(f'ALTER DATABASE "{name}" SET {setting} = on')
    PostgresLogStore(postgres_url, origin=ORIGIN).close()


@pytest.mark.parametrize("setting", ["fsync", "full_page_writes"])
def test_server_that_does_not_sync_is_refused(
    postgres_server: Server, postgres_url: str, setting: str
) -> None:
    """A server that a power cut can empty is refused; after the remedy the log opens."""
    try:
        execute(postgres_url, f"ALTER SYSTEM SET {setting} = off", "SELECT pg_reload_conf()")
        wait_until(lambda: execute(postgres_url, f"SHOW {setting}") == [("off",)])
        with pytest.raises(InvalidInput, match=f"set {setting} = on"):
            PostgresLogStore(postgres_url, origin=ORIGIN)
    finally:
        execute(postgres_url, f"ALTER SYSTEM RESET {setting}", "SELECT pg_reload_conf()")
    wait_until(lambda: execute(postgres_url, f"SHOW {setting}") == [("on",)])
    PostgresLogStore(postgres_url, origin=ORIGIN).close()


def wait_until(is_so: object) -> None:
    """Wait for what another process does, for at most five seconds."""
    deadline = time.monotonic() + 60
    while not is_so():  # type: ignore[operator]  # any callable without arguments
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_one_session_writes_a_log(postgres_url: str, store: PostgresLogStore) -> None:
    """A second writer is refused while the first lives, and granted after."""
    with pytest.raises(StateConflict, match="another process"):
        PostgresLogStore(postgres_url, origin=ORIGIN)
    store.close()
    PostgresLogStore(postgres_url, origin=ORIGIN).close()


def test_lost_connection_is_unavailable_and_taken_up_again(
    postgres_url: str, store: PostgresLogStore
) -> None:
    """The call that meets it fails, the next one connects again; nothing acknowledged is gone."""
    store.sequence(0, [entry(0)])
    end_session(postgres_url)
    with pytest.raises(Unavailable):
        store.sequence(1, [entry(1)])
    assert store.load_size() == 1
    store.sequence(1, [entry(1)])
    assert [e.index for e in store.load_entries(0, 9)] == [0, 1]


def test_writer_that_came_in_between_is_respected(
    postgres_url: str, store: PostgresLogStore
) -> None:
    """Where another took the lock while the connection was lost, the first does not write on."""
    end_session(postgres_url)
    with closing(PostgresLogStore(postgres_url, origin=ORIGIN)) as other:
        with pytest.raises(Unavailable):
            store.load_size()
        for _ in range(2):
            with pytest.raises(StateConflict, match="another process"):
                store.sequence(0, [entry(0)])
        other.sequence(0, [entry(0)])
    with pytest.raises(StateConflict):
        store.sequence(0, [entry(0)])
    assert store.load_size() == 1


def test_server_that_comes_back_with_less_is_refused(
    postgres_url: str, store: PostgresLogStore
) -> None:
    """A copy that lagged behind and was put in the server's place would make the log forget."""
    store.sequence(0, [entry(0), entry(1)])
    end_session(postgres_url)
    execute(
        postgres_url,
        "DELETE FROM claims WHERE idx = 1",
        "DELETE FROM entries WHERE idx = 1",
        "UPDATE head SET entries = 1",
    )
    with pytest.raises(Unavailable):
        store.load_size()
    for _ in range(2):
        with pytest.raises(Corrupt, match="came back with 1 entries, 2 were acknowledged"):
            store.sequence(1, [entry(1)])


def test_server_that_crashed_and_recovered_has_every_acknowledged_entry() -> None:
    """The server is stopped at once in the middle of appends, and started again."""
    with (
        start_server() as server,
        closing(PostgresLogStore(server.create("log"), origin=ORIGIN)) as store,
    ):
        acknowledged: list[int] = []

        def append() -> None:
            while True:
                try:
                    store.sequence(len(acknowledged), [entry(len(acknowledged))])
                except SekishoError:
                    return
                acknowledged.append(len(acknowledged))

        writer = threading.Thread(target=append)
        writer.start()
        wait_until(lambda: len(acknowledged) > 50)
        server.restart()
        writer.join()
        # The one under way may stand, although its answer was lost.
        assert store.load_size() in (len(acknowledged), len(acknowledged) + 1)
        assert [e.index for e in store.load_entries(0, len(acknowledged))] == acknowledged


def test_server_that_stands_still_is_unavailable(
    postgres_server: Server, postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A server process that answers nothing at all does not hold the log up for ever."""
    monkeypatch.setattr(postgres_session.Patience.__init__, "__defaults__", (0.4,))
    with closing(PostgresLogStore(postgres_url, origin=ORIGIN)) as store:
        with store._transaction() as connection:
            backend = connection.exec_driver_sql("SELECT pg_backend_pid()").scalar_one()
        os.kill(backend, signal.SIGSTOP)
        try:
            began = time.monotonic()
            with pytest.raises(Unavailable):
                store.sequence(0, [entry(0)])
            assert time.monotonic() - began < 5
            # Its lock lives on with it, so nobody else may write until the server has noticed.
            with pytest.raises(StateConflict):
                store.load_size()
        finally:
            os.kill(backend, signal.SIGCONT)
        wait_until(lambda: holders(postgres_url) == [])
        assert store.load_size() == 0


def holders(url: str) -> list[tuple[object, ...]]:
    """The sessions of the log in this database."""
    return execute(
        url,
        "SELECT pid FROM pg_stat_activity"
        " WHERE application_name = 'sekisho log' AND datname = current_database()",
    )


def test_statement_that_takes_too_long_is_unavailable(
    postgres_url: str, store: PostgresLogStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The server breaks off what waits for somebody else's lock; afterwards the log goes on."""
    with store._transaction() as connection:
        connection.exec_driver_sql("SET SESSION statement_timeout = '200ms'")
    with psycopg.connect(postgres_url) as other:
        other.execute("LOCK TABLE entries IN ACCESS EXCLUSIVE MODE")
        with pytest.raises(Unavailable, match="timeout"):
            store.sequence(0, [entry(0)])
        other.rollback()
    store.sequence(0, [entry(0)])


def test_every_wait_has_an_end(store: PostgresLogStore) -> None:
    """The session asks for the timeouts that production counts on."""
    with store._transaction() as connection:
        for name, value in (("statement_timeout", "10s"), ("lock_timeout", "10s")):
            assert connection.exec_driver_sql(f"SHOW {name}").scalar_one() == value


SECRET = "geheim-und-lang"


@pytest.mark.parametrize(
    "url",
    [
        f"postgresql://log:{SECRET}@[::bad/log",
        f"postgresql://log:{SECRET}@localhost:port/log",
        f"postgresql://log:{SECRET}@localhost/log?no_such_option=1",
        f"password={SECRET} no_such_option=1",
        f"postgresql://log:{SECRET}/rest@localhost/log",
        f"postgresql://log:half@{SECRET}@localhost/log",
    ],
)
def test_address_that_cannot_be_read_is_not_repeated(url: str) -> None:
    """An error over the address names the form that it should have, and nothing of what it holds."""
    with pytest.raises(InvalidInput, match="postgresql://user@host") as refused:
        PostgresLogStore(url, origin=ORIGIN)
    assert SECRET not in str(refused.value)


def test_password_is_in_no_error_and_no_repr(
    postgres_server: Server, caplog: pytest.LogCaptureFixture
) -> None:
    """A refused password is not shown by the error, its causes or the engine."""
    caplog.set_level("DEBUG")
    server = postgres_server
    server.execute("CREATE ROLE teller LOGIN PASSWORD 'another'")
    lines = server.data.joinpath("pg_hba.conf").read_text()
    try:
        server.data.joinpath("pg_hba.conf").write_text(f"local all teller scram-sha-256\n{lines}")
        server.execute("SELECT pg_reload_conf()")
        url = f"postgresql://teller:{SECRET}@/postgres?host={server.socket}"
        wait_until(lambda: is_asked_for_password(server))
        with pytest.raises(Unavailable, match="password authentication failed") as refused:
            PostgresLogStore(url, origin=ORIGIN)
    finally:
        server.data.joinpath("pg_hba.conf").write_text(lines)
        server.execute("SELECT pg_reload_conf()")
        wait_until(lambda: not is_asked_for_password(server))
        server.execute("DROP ROLE teller")
    shown = f"{refused.value!r} {refused.value} {refused.value.__cause__!r} {caplog.text}"
    assert SECRET not in shown


def is_asked_for_password(server: Server) -> bool:
    """Whether the role without a password is turned away by now."""
    try:
        psycopg.connect(f"postgresql://teller@/postgres?host={server.socket}").close()
    except psycopg.OperationalError:
        return True
    return False


def test_password_comes_from_the_password_file(
    postgres_server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """PGPASSFILE and a service are libpq's own ways, and the address need not hold the password."""
    server = postgres_server
    server.execute("CREATE ROLE keeper LOGIN PASSWORD 'right' ")
    server.execute('CREATE DATABASE "kept" OWNER keeper')
    lines = server.data.joinpath("pg_hba.conf").read_text()
    (tmp_path / "pass").write_text("*:*:kept:keeper:right\n")
    (tmp_path / "pass").chmod(0o600)
    (tmp_path / "services").write_text(f"[log]\nhost={server.socket}\ndbname=kept\nuser=keeper\n")
    try:
        server.data.joinpath("pg_hba.conf").write_text(f"local kept keeper scram-sha-256\n{lines}")
        server.execute("SELECT pg_reload_conf()")
        time.sleep(0.1)
        monkeypatch.setenv("PGPASSFILE", str(tmp_path / "pass"))
        monkeypatch.setenv("PGSERVICEFILE", str(tmp_path / "services"))
        with closing(PostgresLogStore("service=log", origin=ORIGIN)) as store:
            store.sequence(0, [entry(0)])
        (tmp_path / "pass").write_text("*:*:kept:keeper:wrong\n")
        with pytest.raises(Unavailable):
            PostgresLogStore("postgresql://?service=log", origin=ORIGIN)
    finally:
        server.data.joinpath("pg_hba.conf").write_text(lines)
        server.execute("SELECT pg_reload_conf()")


def test_server_that_is_not_there_is_unavailable(tmp_path: Path) -> None:
    """Where nobody listens the error says what to check."""
    with pytest.raises(Unavailable, match="check that PostgreSQL runs"):
        PostgresLogStore(f"postgresql:///log?host={tmp_path}", origin=ORIGIN)


def test_database_of_another_program_is_refused(postgres_url: str) -> None:
    """A database with other tables is left as it is, even where one of them is called log."""
    execute(postgres_url, "CREATE TABLE log (origin text)")
    with pytest.raises(InvalidInput, match="another program"):
        PostgresLogStore(postgres_url, origin=ORIGIN)
    assert execute(postgres_url, "SELECT tablename FROM pg_tables WHERE schemaname = 'public'") == [
        ("log",)
    ]


def test_database_of_another_log_is_refused(postgres_url: str) -> None:
    """One database belongs to one origin for ever."""
    PostgresLogStore(postgres_url, origin=ORIGIN).close()
    with pytest.raises(InvalidInput, match="not of"):
        PostgresLogStore(postgres_url, origin="example.org/other")


def test_newer_schema_is_refused(postgres_url: str) -> None:
    """A database of a later release is not touched."""
    PostgresLogStore(postgres_url, origin=ORIGIN).close()
    execute(postgres_url, "UPDATE alembic_version SET version_num = '0003'")
    with pytest.raises(InvalidInput, match="schema version 3"):
        PostgresLogStore(postgres_url, origin=ORIGIN)


def test_role_without_rights_is_told_so(postgres_server: Server, postgres_url: str) -> None:
    """What the role may not do is the administrator's to mend, and no damage."""
    postgres_server.execute("CREATE ROLE reader LOGIN")
    try:
        PostgresLogStore(postgres_url, origin=ORIGIN).close()
        url = postgres_url.replace(f"user={postgres_server.owner}", "user=reader")
        with pytest.raises(Unavailable, match="rights"):
            PostgresLogStore(url, origin=ORIGIN)
    finally:
        postgres_server.execute("DROP ROLE reader")


def test_table_that_is_gone_is_corrupt(postgres_url: str, store: PostgresLogStore) -> None:
    """What an administrator dropped is not made anew in silence."""
    execute(postgres_url, "DROP TABLE claims")
    with pytest.raises(Corrupt, match="claims"):
        store.sequence(0, [entry(0)])
    assert store.load_size() == 0
