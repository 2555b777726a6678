"""A desk with its live projections in a folder, and the same made again from log and private store alone."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path
from typing import Any, Self

from sekisho.adapters.storage.private_sqlite import PrivateSqlite
from sekisho.adapters.storage.projections_sql import open_projections, scratch_projections
from sekisho.adapters.storage.sqlite_log import SqliteLogStore
from sekisho.model.wire import parse_canonical
from sekisho.operations.projecting import Check, Telling, check_projections
from sekisho.operations.projector import Projector
from sekisho.ports.projection_store import ProjectionStore, Row
from sekisho.signing import TrustRoot
from tests.desks import MovingClock, TestDesk
from tests.stories import Story

__all__ = ["Projected", "check_home", "document", "rows_of"]


class Projected:
    """A desk whose entries are projected as they come; `store` is SQLite in the folder unless another is given."""

    def __init__(
        self,
        folder: Path,
        *,
        store: ProjectionStore | None = None,
        clock: MovingClock | None = None,
    ) -> None:
        self.folder = folder
        self._given = store
        self._clock = clock
        self._stack = ExitStack()

    def __enter__(self) -> Self:
        stack = self._stack
        self.desk = stack.enter_context(TestDesk(self.folder, self._clock))
        self.store = self._given or stack.enter_context(
            open_projections(self.folder / "projections.sqlite")
        )
        self.projector = Projector(self.desk.desk, self.store, scratch_projections)
        self.projector.start()
        stack.callback(self.projector.stop)
        self.story = Story(self.desk)
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def settle(self) -> None:
        """Wait until everything that the desk has recorded is written."""
        assert self.projector.wait_written(self.desk.desk.state.size, 30), (
            self.projector.last_problem
        )

    def check(self) -> Check:
        """The live projections against those that the open log and private store give."""
        self.settle()
        return check_home(self.desk.root, self.desk.store, self.desk.private, self.store)


def check_home(
    root: TrustRoot, log: SqliteLogStore, private: PrivateSqlite, kept: ProjectionStore
) -> Check:
    """Kept projections against those that a log and a private store give, with nothing else in hand."""
    disclosures = private.load_disclosures()
    telling = Telling(root, lambda digest: disclosures.get(digest, ()))
    size = log.load_size()
    envelopes = (row.envelope for row in log.load_entries(0, size))
    with scratch_projections() as made:
        return check_projections(kept, made, telling, envelopes, log_size=size)


def rows_of(store: ProjectionStore, table: str | None = None) -> list[Row]:
    with store.view() as view:
        return list(view.rows(table))


def document(store: ProjectionStore, table: str, key: str) -> Any:
    """One document, as plain values; fails where there is none."""
    (row,) = [row for row in rows_of(store, table) if row.key == key]
    return parse_canonical(row.document)
