"""A log's database read beside its writer: all entries, nothing held, nothing changed."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from sekisho.adapters.storage.log_reading import LogEntries
from sekisho.adapters.storage.postgres_log import PostgresLogStore
from sekisho.adapters.storage.projections_sql import ProjectionsSql
from sekisho.ledger import leaf_hash
from sekisho.model.errors import Corrupt, InvalidInput, Unavailable
from sekisho.ports.log_store import Recorded
from sekisho.ports.projection_store import START
from tests import factory as f
from tests.desks import TestDesk
from tests.stories import Story


def test_entries_are_read_while_their_writer_goes_on(tmp_path: Path) -> None:
    """In order, as many as there were when it was opened; the writer waits for nobody."""
    with TestDesk(tmp_path) as desk:
        story = Story(desk)
        with LogEntries.of_file(tmp_path / "log.sqlite", origin=f.ORIGIN) as log:
            before = [r.verified.envelope.raw for r in desk.desk.recorded()]
            entries = log.envelopes()
            first = next(entries)
            assert story.go("accuse")
            assert [first, *entries] == before
        with LogEntries.of_file(tmp_path / "log.sqlite", origin=f.ORIGIN) as log:
            assert log.size == len(desk.desk.recorded()) > len(before)


def test_nothing_is_made_by_reading(tmp_path: Path) -> None:
    """Where there is no log there is none afterwards; another log's is not taken for this one's."""
    with pytest.raises(InvalidInput, match="no log"):
        LogEntries.of_file(tmp_path / "log.sqlite", origin=f.ORIGIN)
    assert list(tmp_path.iterdir()) == []
    with TestDesk(tmp_path), pytest.raises(InvalidInput, match=r"other\.example"):
        LogEntries.of_file(tmp_path / "log.sqlite", origin="other.example/log")


def test_a_gap_is_corrupt(tmp_path: Path) -> None:
    """Entries that the head counts and that are not there."""
    with TestDesk(tmp_path):
        pass
    with closing(sqlite3.connect(tmp_path / "log.sqlite", isolation_level=None)) as other:
        other.execute("DELETE FROM entries WHERE idx = 1")
    with (
        LogEntries.of_file(tmp_path / "log.sqlite", origin=f.ORIGIN) as log,
        pytest.raises(Corrupt),
    ):
        list(log.envelopes())


def test_what_is_no_database_is_corrupt(tmp_path: Path) -> None:
    """In words, with the path."""
    path = tmp_path / "log.sqlite"
    path.write_bytes(b"something else" * 100)
    with pytest.raises(Corrupt, match=str(path)):
        LogEntries.of_file(path, origin=f.ORIGIN)


@pytest.mark.postgres
def test_a_log_on_a_server_is_read_beside_its_writer(postgres_url: str) -> None:
    """Its lock is not asked for, and its tables cannot be changed by reading."""
    envelopes = [f"entry {n}".encode() for n in range(3)]
    with PostgresLogStore(postgres_url, origin=f.ORIGIN) as store:
        entries = [
            Recorded(index=n, leaf_hash=leaf_hash(raw), envelope=raw)
            for n, raw in enumerate(envelopes)
        ]
        store.sequence(0, entries)
        with LogEntries.of_server(postgres_url, origin=f.ORIGIN) as log:
            assert list(log.envelopes()) == envelopes
        with pytest.raises(InvalidInput):
            LogEntries.of_server(postgres_url, origin="other.example/log")
        # The tables lie beside the log, in its own database.
        with ProjectionsSql.connect(postgres_url) as projections, projections.view() as view:
            assert view.position == START
    with PostgresLogStore(postgres_url, origin=f.ORIGIN) as store:
        assert store.load_size() == 3


@pytest.mark.postgres
def test_a_server_that_does_not_answer_is_unavailable(tmp_path: Path) -> None:
    """Its address, with whatever password, stands in no message."""
    with pytest.raises(Unavailable) as caught:
        LogEntries.of_server(f"postgresql://me:secret@/x?host={tmp_path}", origin=f.ORIGIN)
    assert "secret" not in str(caught.value)
