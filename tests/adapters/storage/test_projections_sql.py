"""Where projections lie: all or nothing, one moment at a time, in SQLite, in PostgreSQL, in a file without a name."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from sekisho.adapters.storage.projections_sql import (
    ProjectionsSql,
    open_projections,
    scratch_projections,
)
from sekisho.model.errors import Corrupt, StateConflict, Unavailable
from sekisho.ports.projection_store import START, Position, Row
from tests.projected import Projected, rows_of

KINDS = ["sqlite", "scratch", pytest.param("postgres", marks=pytest.mark.postgres)]
ONE = Position(size=1, leaf="1" * 64, grounds="a" * 64)
TWO = Position(size=2, leaf="2" * 64, grounds="b" * 64)


@pytest.fixture(params=KINDS)
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[ProjectionsSql]:
    """An empty store of each kind."""
    if request.param == "sqlite":
        made = open_projections(tmp_path / "projections.sqlite")
    elif request.param == "scratch":
        made = scratch_projections()
    else:
        made = ProjectionsSql.connect(request.getfixturevalue("postgres_url"))
    with made:
        yield made


def row(table: str, key: str, document: bytes = b"{}", index: int = 0) -> Row:
    return Row(table=table, key=key, document=document, index=index)


def position_of(store: ProjectionsSql) -> Position:
    with store.view() as view:
        return view.position


def test_an_empty_store_stands_at_the_start(store: ProjectionsSql) -> None:
    """No row, and a position that no log has."""
    assert position_of(store) == START
    assert rows_of(store) == []


def test_rows_and_position_are_kept_together(store: ProjectionsSql) -> None:
    """What is put, replaced and taken away in one step stands with the position of that step."""
    store.save(START, ONE, [row("b", "1"), row("a", "2"), row("a", "1")], [])
    store.save(ONE, TWO, [row("a", "2", b'{"x":"\xc3\xa9"}', 1)], [("a", "1"), ("z", "none")])
    assert rows_of(store) == [row("a", "2", b'{"x":"\xc3\xa9"}', 1), row("b", "1")]
    assert rows_of(store, "b") == [row("b", "1")]
    assert position_of(store) == TWO


def test_a_step_from_another_position_changes_nothing(store: ProjectionsSql) -> None:
    """Two writers cannot both go on from one place."""
    store.save(START, ONE, [row("a", "1")], [])
    for wrong in (START, TWO, Position(size=1, leaf=ONE.leaf, grounds="c" * 64)):
        with pytest.raises(StateConflict):
            store.save(wrong, TWO, [row("a", "2")], [("a", "1")])
    assert rows_of(store) == [row("a", "1")]
    assert position_of(store) == ONE


def test_rows_come_in_the_order_of_their_bytes(store: ProjectionsSql) -> None:
    """Whatever language a database was made for: capitals before small letters, digits before both."""
    keys = ["a", "B", "b", "A", "1", "-", "ä", "aa", "a/b", "a-b", "手"]
    store.save(START, ONE, [row("t", key) for key in keys], [])
    assert [found.key for found in rows_of(store)] == sorted(keys, key=str.encode)


def test_replacing_leaves_nothing_of_what_was_there(store: ProjectionsSql) -> None:
    """All rows are others at once, however many."""
    store.save(START, ONE, [row("a", f"{n:04d}") for n in range(2_500)], [])
    rows = [row("b", f"{n:04d}") for n in range(2_500)]
    store.replace(TWO, iter(rows))
    assert rows_of(store) == rows
    assert position_of(store) == TWO


def test_replacing_that_fails_half_way_changes_nothing(store: ProjectionsSql) -> None:
    """Where the new rows come from breaks off: the old ones stand."""

    def broken() -> Iterator[Row]:
        yield from (row("b", f"{n:04d}") for n in range(1_500))
        raise Unavailable("the source broke off")

    store.save(START, ONE, [row("a", "1")], [])
    with pytest.raises(Unavailable):
        store.replace(TWO, broken())
    assert rows_of(store) == [row("a", "1")]
    assert position_of(store) == ONE


@pytest.mark.parametrize("kind", ["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def test_a_view_shows_one_moment(kind: str, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    """What is written while somebody looks is seen by the next who looks."""
    if kind == "sqlite":
        store = open_projections(tmp_path / "projections.sqlite")
    else:
        store = ProjectionsSql.connect(request.getfixturevalue("postgres_url"))
    with store:
        store.save(START, ONE, [row("a", "1")], [])
        with store.view() as view:
            store.save(ONE, TWO, [row("a", "2")], [("a", "1")])
            assert view.position == ONE
            assert list(view.rows()) == [row("a", "1")]
        assert rows_of(store) == [row("a", "2")]


def test_what_is_stored_is_there_after_opening_again(tmp_path: Path) -> None:
    """Rows and position."""
    path = tmp_path / "projections.sqlite"
    with open_projections(path) as store:
        store.save(START, ONE, [row("a", "1")], [])
    with open_projections(path) as store:
        assert (position_of(store), rows_of(store)) == (ONE, [row("a", "1")])


def test_a_lost_position_is_said_and_not_guessed(tmp_path: Path) -> None:
    """Rows without a word on how far they tell are no projections; replacing them mends it."""
    path = tmp_path / "projections.sqlite"
    with open_projections(path) as store:
        store.save(START, ONE, [row("a", "1")], [])
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("UPDATE projected SET size = 'many'")
    with open_projections(path) as store:
        with pytest.raises(Corrupt, match="how far"):
            position_of(store)
        store.replace(TWO, [row("b", "1")])
        assert (position_of(store), rows_of(store)) == (TWO, [row("b", "1")])


def test_a_locked_database_is_unavailable(tmp_path: Path) -> None:
    """Somebody else writes: it is said, and asking again is safe."""
    path = tmp_path / "projections.sqlite"
    with open_projections(path) as store, closing(sqlite3.connect(path)) as other:
        with store.view() as view:
            assert view.position == START
        store._engine.dispose()
        other.execute("BEGIN IMMEDIATE")
        sooner(store)
        with pytest.raises(Unavailable, match="locked"):
            store.save(START, ONE, [], [])
        other.execute("ROLLBACK")
        store.save(START, ONE, [], [])


def test_a_folder_that_cannot_be_written_is_unavailable(tmp_path: Path) -> None:
    """In words, with the path."""
    with pytest.raises(Unavailable, match="nowhere"):
        open_projections(tmp_path / "nowhere" / "projections.sqlite")


@pytest.mark.postgres
def test_a_server_that_does_not_answer_is_unavailable(tmp_path: Path) -> None:
    """And its address, with whatever password, stands in no message."""
    with pytest.raises(Unavailable) as caught:
        ProjectionsSql.connect(f"postgresql://me:secret@/x?host={tmp_path}")
    assert "secret" not in str(caught.value)


@pytest.mark.postgres
def test_a_regime_projects_into_postgresql(tmp_path: Path, postgres_url: str) -> None:
    """The same projector, the same check; made again where the log is another."""
    with ProjectionsSql.connect(postgres_url) as store:
        with Projected(tmp_path, store=store) as at:
            for step in ("license", "lease", "pause", "accuse", "finish", "erase", "mark", "beat"):
                at.story.go(step)
            assert at.check().verdict == "holds"
            before = rows_of(store)
        store.replace(START, [])
        with Projected(tmp_path, store=store) as at:
            assert at.check().verdict == "holds"
            assert rows_of(store) == before


def sooner(store: ProjectionsSql) -> None:
    """Let this store's next connection wait less long for others."""
    with store._engine.connect() as connection:
        raw = connection.connection.driver_connection
        assert isinstance(raw, sqlite3.Connection)
        raw.execute("PRAGMA busy_timeout=20")
