"""Live projections, and the same made again from log and private store: byte for byte, or it is said where not."""

from __future__ import annotations

import shutil
import sqlite3
import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Final

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sekisho.adapters.storage.private_sqlite import PrivateSqlite
from sekisho.adapters.storage.projections_sql import (
    ProjectionsSql,
    open_projections,
    remove_projections,
    scratch_projections,
)
from sekisho.model.errors import SekishoError, StateConflict, Unavailable
from sekisho.model.statements import KeyDrilled
from sekisho.operations import projecting, projector
from sekisho.operations.projecting import Telling, make_projections
from sekisho.operations.projections import TABLES
from sekisho.ports.projection_store import Place, Position, ProjectionStore, Row
from tests import factory as f
from tests.desks import MovingClock, TestDesk
from tests.projected import Projected, check_home, document, rows_of
from tests.stories import STEPS

ALLOWANCE: Final = "62000000000"
RUNS: Final = "WHERE name = 'runs'"
LICENSED: Final = ("license", "lease")


@pytest.fixture
def at(tmp_path: Path) -> Iterator[Projected]:
    with Projected(tmp_path) as made:
        yield made


def go(at: Projected, *steps: str) -> None:
    """Steps that the desk must take."""
    for step in steps:
        assert at.story.go(step), step
    at.settle()


@settings(max_examples=12)
@given(st.lists(st.sampled_from([*STEPS, "start again"]), max_size=60))
def test_live_projections_equal_those_made_again(steps: list[str]) -> None:
    """After any history, with starts in between: every table, every byte, every index."""
    with tempfile.TemporaryDirectory() as folder:
        clock = MovingClock()
        parts: list[list[str]] = [[]]
        for step in ("license", "lease", "work", *steps):
            if step == "start again":
                parts.append([])
            else:
                parts[-1].append(step)
        for part in parts:
            with Projected(Path(folder), clock=clock) as at:
                for step in part:
                    at.story.go(step)
                check = at.check()
                assert (check.verdict, check.first, check.why) == ("holds", None, "")
                assert check.size == at.desk.desk.state.size


def test_a_long_history_holds_in_every_table(at: Projected) -> None:
    """One that brings rows to nearly all of them."""
    for _ in range(4):
        for step in STEPS:
            at.story.go(step)
    check = at.check()
    assert check.verdict == "holds"
    empty = {name for name in TABLES if not check.tables[name]}
    assert empty <= {"announcements", "doubts", "drills", "emergencies"}


def test_a_row_bears_the_index_of_the_last_entry_that_changed_it(at: Projected) -> None:
    """A host's is its enrolment; a licence's moves with its leases, whatever else comes in between."""
    go(at, "license", "beat")
    host, licence = (
        _row(at.store, *place) for place in (("hosts", "host-1"), ("licences", "LIC-1"))
    )
    kinds = [r.verified.kind for r in at.desk.desk.recorded()]
    assert kinds[host.index] == "host-enrolled"
    assert kinds[licence.index] == "licence-issued"
    go(at, "lease", "beat")
    kinds = [r.verified.kind for r in at.desk.desk.recorded()]
    assert kinds[_row(at.store, "licences", "LIC-1").index] == "lease-granted"
    assert _row(at.store, "hosts", "host-1") == host


def test_a_licence_stands_with_its_books(at: Projected) -> None:
    """Four accounts whose sum is the budget, and the lease beside it."""
    go(at, *LICENSED)
    licence = document(at.store, "licences", "LIC-1")
    books = {name: int(flop) for name, flop in licence["books"].items()}
    assert books["leased_flop"] == int(ALLOWANCE)
    assert books.pop("budget_flop") == sum(books.values())
    (lease,) = rows_of(at.store, "leases")
    shown = document(at.store, "leases", lease.key)
    assert (shown["allowance_flop"], shown["licence"]) == (ALLOWANCE, licence["leaf"])
    assert "consumed_flop" not in shown
    go(at, "finish")
    shown = document(at.store, "leases", lease.key)
    assert (shown["consumed_flop"], shown["ended"]) == ("4000000000", "final-receipt")


def test_a_retired_host_has_no_row_and_its_key_speaks_for_nobody(at: Projected) -> None:
    """What no state holds any more is in no table."""
    for _ in range(9):
        at.story.go("enrol")
    at.settle()
    before = {row.key for row in rows_of(at.store, "keys")}
    assert {"host/host-2", "host/host-3", "host/host-4"} <= before
    for _ in range(9):
        at.story.go("retire")
    at.settle()
    assert [row.key for row in rows_of(at.store, "hosts")] == ["host-1"]
    assert not {"host/host-2", "host/host-3"} & {row.key for row in rows_of(at.store, "keys")}
    assert at.check().verdict == "holds"


def test_every_key_of_the_charter_stands_under_its_holder(at: Projected) -> None:
    """Constituency, organisation and role; the log's own key beside them."""
    go(at)
    key = document(at.store, "keys", f"charter/{f.AUTHORITY[0].public.key_id}")
    assert (key["constituency"], key["organisation"]) == ("authority", "Authority")
    log = [row for row in rows_of(at.store, "keys") if row.key.startswith("log/")]
    assert [row.key for row in log] == [f"log/{f.LOG.public.key_id}"]


def test_a_drill_and_a_report_stand_under_their_keys(at: Projected) -> None:
    """What became of a key has a row of its own."""
    go(at, "mark", "mark")
    newest = at.desk.desk.state.regime.marks.newest
    assert newest is not None
    key = f.AUTHORITY[0]
    fact = KeyDrilled(
        effective=at.desk.clock.now(),
        key=key.public.key_id,
        challenge=newest.root,
        size=newest.size,
    )
    at.story.admit(fact, key)
    go(at, "compromise")
    assert document(at.store, "drills", key.public.key_id)["size"] == newest.size
    assert isinstance(document(at.store, "silenced", f.AUTHORITY[4].public.key_id), int)
    assert at.check().verdict == "holds"


def test_a_changed_byte_is_named_with_both_documents(at: Projected) -> None:
    """The check says which table and key, what is kept, and what log and private store give."""
    go(at, *LICENSED)
    kept = _row(at.store, "licences", "LIC-1")
    spoilt = kept.document.replace(b'"number":"LIC-1"', b'"number":"LIC-2"')
    _spoil(at, "UPDATE projections SET document = ? WHERE name = 'licences'", spoilt)
    check = at.check()
    assert (check.verdict, check.differences) == ("fails", 1)
    assert check.first is not None
    assert (check.first.table, check.first.key) == ("licences", "LIC-1")
    assert check.first.kept is not None
    assert (check.first.kept.document, check.first.made) == (spoilt, kept)


@pytest.mark.parametrize(
    ("statement", "table", "missing"),
    [
        ("DELETE FROM projections WHERE name = 'hosts'", "hosts", "kept"),
        ("INSERT INTO projections VALUES ('orders', 'x', 0, '{}')", "orders", "made"),
        ("UPDATE projections SET idx = idx + 1 WHERE name = 'parties'", "parties", ""),
        ("UPDATE projections SET document = x'ff00' WHERE name = 'runs'", "runs", ""),
        ("UPDATE projections SET key = 'host-9' WHERE name = 'hosts'", "hosts", "kept"),
        (f"UPDATE projections SET key = CAST(x'ff' AS TEXT) {RUNS}", "runs", "kept"),
        (f"UPDATE projections SET idx = 'many' {RUNS}", "runs", ""),
        (f"UPDATE projections SET document = CAST(document AS TEXT) || ' ' {RUNS}", "runs", ""),
    ],
    ids=["gone", "more", "index", "bytes", "key", "key no text", "index no number", "text"],
)
def test_whatever_is_changed_is_found(
    at: Projected, statement: str, table: str, missing: str
) -> None:
    """A row that is gone, one too many, another index, other bytes, another key."""
    go(at, "license")
    _spoil(at, statement)
    check = at.check()
    assert check.verdict == "fails"
    assert check.first is not None
    assert check.first.table == table
    if missing:
        assert getattr(check.first, missing) is None


def test_a_changed_position_is_found(at: Projected) -> None:
    """As if they told of more than the log holds, or of another log."""
    go(at)
    size = at.desk.desk.state.size
    _spoil(at, "UPDATE projected SET size = size + 5")
    assert at.check().why == f"the projections tell of {size + 5} entries, the log has {size}"
    _spoil(at, "UPDATE projected SET size = size - 5, leaf = ''")
    check = at.check()
    assert check.verdict == "fails"
    assert "another than the projections tell of" in check.why


def test_nothing_projected_is_unverifiable_and_not_equal(at: Projected) -> None:
    """An empty store beside a log that has entries is missing evidence."""
    go(at)
    with scratch_projections() as empty:
        check = check_home(at.desk.root, at.desk.store, at.desk.private, empty)
    assert (check.verdict, check.why) == ("unverifiable", "nothing is projected yet")
    assert check.behind == at.desk.desk.state.size


def test_a_lost_disclosure_makes_a_figure_unverifiable_and_never_zero(tmp_path: Path) -> None:
    """The check names the row that rests on it; made again, the field says so, and so does the count."""
    with Projected(tmp_path) as at:
        go(at, *LICENSED, "finish")
        assert at.check().hidden == 0
    with sqlite3.connect(tmp_path / "private.sqlite") as private:
        private.execute("DELETE FROM disclosures")
    private.close()
    with TestDesk(tmp_path) as desk, open_projections(tmp_path / "projections.sqlite") as store:
        check = check_home(desk.root, desk.store, desk.private, store)
    assert check.verdict == "fails"
    assert check.first is not None
    assert check.first.table == "leases"
    with Projected(tmp_path) as at:
        check = at.check()
        assert (check.verdict, check.hidden) == ("holds", 2)
        books = document(at.store, "licences", "LIC-1")["books"]
        assert books.pop("budget_flop") == "1000000000000"
        assert set(books.values()) == {"unverifiable"}
        (lease,) = rows_of(at.store, "leases")
        assert b'"allowance_flop":"unverifiable"' in lease.document
        assert b'"consumed_flop":"unverifiable"' in lease.document


def test_an_erasure_leaves_no_byte_of_the_amount(tmp_path: Path) -> None:
    """Not in the rows, and not in the files that held them."""
    with Projected(tmp_path) as at:
        go(at, *LICENSED, "finish")
        assert ALLOWANCE.encode() in _bytes_of(tmp_path)
        go(at, "erase")
        assert at.check().verdict == "holds"
        assert ALLOWANCE.encode() not in _bytes_of(tmp_path)
        (lease,) = rows_of(at.store, "leases")
        assert b'"allowance_flop":"unverifiable"' in lease.document
        assert rows_of(at.store, "erasures")


@pytest.mark.parametrize(
    "how", ["lost", "emptied", "of another program", "of an older release", "without a position"]
)
def test_a_lost_database_is_made_again(tmp_path: Path, how: str) -> None:
    """Whatever happened to it, the next start gives what was there."""
    path = tmp_path / "projections.sqlite"
    with Projected(tmp_path) as at:
        go(at, *LICENSED, "pause", "obey")
        before = rows_of(at.store)
    if how == "without a position":
        _spoil(at, "DELETE FROM projected")
    else:
        remove_projections(path)
    if how == "emptied":
        path.touch()
    elif how == "of another program":
        path.write_bytes(b"not a database at all, but some other file" * 100)
    elif how == "of an older release":
        other = sqlite3.connect(path)
        other.execute("CREATE TABLE projections (name, body)")
        other.close()
    with Projected(tmp_path) as at:
        assert at.check().verdict == "holds"
        assert rows_of(at.store) == before


def test_projections_of_another_log_are_made_again(tmp_path: Path) -> None:
    """A position that is no beginning of this log is believed in nothing."""
    for name, steps in (("one", ("accuse", "pause")), ("two", ("beat", "license"))):
        (tmp_path / name).mkdir()
        with Projected(tmp_path / name) as at:
            go(at, *steps)
    shutil.copy(tmp_path / "one" / "projections.sqlite", tmp_path / "two" / "projections.sqlite")
    with Projected(tmp_path / "two") as at:
        assert at.check().verdict == "holds"
        assert not rows_of(at.store, "findings")


def test_projections_ahead_of_a_restored_log_are_made_again(tmp_path: Path) -> None:
    """The log decides, however much they tell."""
    with Projected(tmp_path) as at:
        go(at, "license")
    shutil.copytree(tmp_path, tmp_path / "backup")
    with Projected(tmp_path) as at:
        go(at, "accuse", "pause", "beat")
    ahead = (tmp_path / "projections.sqlite").read_bytes()
    (tmp_path / "backup" / "projections.sqlite").write_bytes(ahead)
    with Projected(tmp_path / "backup") as at:
        assert at.check().verdict == "holds"
        assert not rows_of(at.store, "findings")


def test_rows_of_another_release_are_made_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What told them is part of the position."""
    with Projected(tmp_path) as at:
        go(at, "license")
    with monkeypatch.context() as patch:
        patch.setattr(projecting, "FORMAT", b"sekisho projections v2\n")
        with TestDesk(tmp_path) as desk, open_projections(tmp_path / "projections.sqlite") as store:
            assert check_home(desk.root, desk.store, desk.private, store).verdict == "fails"
        with Projected(tmp_path) as at:
            assert at.check().verdict == "holds"


def test_it_makes_no_difference_how_many_entries_a_transaction_takes(
    at: Projected, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One at a time, three, or all at once: the same rows with the same indices."""
    for step in STEPS:
        at.story.go(step)
    made = []
    for group in (1, 3, 1_000):
        monkeypatch.setattr(projecting, "GROUP", group)
        with scratch_projections() as store:
            telling = Telling(at.desk.root, at.desk.desk.disclosures_of)
            make_projections(store, telling, at.desk.desk.recorded())
            made.append(rows_of(store))
    assert made[0] == made[1] == made[2] == rows_of(at.store)


def test_a_rebuild_beside_the_live_projector_is_taken_over(at: Projected) -> None:
    """Somebody else moved the position: it is read anew, and nothing is written twice or left out."""
    go(at, "license")
    with scratch_projections() as made:
        telling = Telling(at.desk.root, at.desk.desk.disclosures_of)
        make_projections(made, telling, at.desk.desk.recorded()[:3])
        with made.view() as view:
            at.store.replace(telling.position, view.rows())
    go(at, "accuse")
    assert at.check().verdict == "holds"
    assert len(rows_of(at.store, "findings")) == 1


class Refusing:
    """A store that refuses, or takes and does not say so, as often as told."""

    def __init__(self, inner: ProjectionsSql) -> None:
        self.inner = inner
        self.view = inner.view
        self.before = 0
        self.after = 0
        self.error: Callable[[str], SekishoError] = Unavailable

    def save(
        self, old: Position, new: Position, rows: Sequence[Row], gone: Sequence[Place]
    ) -> None:
        self._refuse_before()
        self.inner.save(old, new, rows, gone)
        self._refuse_after()

    def replace(self, new: Position, rows: Iterable[Row]) -> None:
        self._refuse_before()
        self.inner.replace(new, rows)
        self._refuse_after()

    def _refuse_before(self) -> None:
        if self.before:
            self.before -= 1
            raise self.error("the disk is full")

    def _refuse_after(self) -> None:
        if self.after:
            self.after -= 1
            raise self.error("the connection broke")


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("step", ["accuse", "erase"])
@pytest.mark.parametrize("error", [Unavailable, StateConflict])
def test_a_database_that_refuses_holds_nothing_up(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    when: str,
    step: str,
    error: Callable[[str], SekishoError],
) -> None:
    """The desk goes on; the rows follow, whether or not the refused transaction had been taken."""
    monkeypatch.setattr(projector, "RETRY_S", 0.02)
    monkeypatch.setattr(projector, "PACE_S", 0.0)  # each entry its own transaction
    with open_projections(tmp_path / "projections.sqlite") as inner:
        store = Refusing(inner)
        with Projected(tmp_path, store=store) as at:
            go(at, *LICENSED, "finish")
            store.error = error
            setattr(store, when, 2)
            go(at, step, "beat")
            assert at.check().verdict == "holds"
            assert (store.before, store.after) == (0, 0)
            assert at.projector.wait_written(at.desk.desk.state.size, 5)


def test_a_database_that_refuses_for_good_is_told_and_given_up_at_the_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The problem stands in words; ending does not wait for the disk."""
    monkeypatch.setattr(projector, "RETRY_S", 0.02)
    with open_projections(tmp_path / "projections.sqlite") as inner:
        store = Refusing(inner)
        with Projected(tmp_path, store=store) as at:
            go(at)
            store.before = 10**9
            at.story.go("accuse")
            assert not at.projector.wait_written(at.desk.desk.state.size, 0.2)
            assert at.projector.last_problem == "the disk is full"
        with TestDesk(tmp_path) as desk:
            check = check_home(desk.root, desk.store, desk.private, inner)
        assert (check.verdict, check.behind > 0) == ("holds", True)


def _row(store: ProjectionStore, table: str, key: str) -> Row:
    (row,) = [row for row in rows_of(store, table) if row.key == key]
    return row


def _spoil(at: Projected, statement: str, *values: object) -> None:
    other = sqlite3.connect(at.folder / "projections.sqlite", isolation_level=None)
    other.execute(statement, values)
    other.close()


def _bytes_of(folder: Path) -> bytes:
    return b"".join(path.read_bytes() for path in folder.glob("projections.sqlite*"))


def test_private_store_and_projections_are_for_their_owner_alone(at: Projected) -> None:
    """Both hold figures that the log conceals."""
    go(at)
    assert isinstance(at.desk.private, PrivateSqlite)
    assert (at.folder / "projections.sqlite").stat().st_mode & 0o077 == 0


def test_the_guide_names_every_table_and_no_other() -> None:
    """Whoever reads the tables finds each of them described."""
    page = Path(__file__).parents[2] / "docs" / "guide" / "projections.md"
    rows = [line.split("|")[1] for line in page.read_text("utf-8").splitlines() if "| `" in line]
    named = {name for row in rows for name in row.replace("`", " ").replace(",", " ").split()}
    assert set(TABLES) <= named
