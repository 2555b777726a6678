"""The projections as rows: what log and private store say, table by table, for programs that read this regime."""

from __future__ import annotations

from http import HTTPStatus
from itertools import islice
from typing import Annotated, Final

import msgspec
from litestar import Controller, get
from litestar.params import PathParameter, QueryParameter

from sekisho.app import TABLES
from sekisho.model.errors import Unavailable
from sekisho.web.description import ReadOperation
from sekisho.web.plane import Lent, Plane
from sekisho.web.problems import NotFound, declare_problems

__all__ = ["TableAnswer", "TableRow", "Tables", "TablesAnswer"]

MOST_ROWS: Final = 500
WRITTEN_WITHIN_S: Final = 2.0
TablePart = Annotated[str, PathParameter(pattern=r"^[a-z_]{1,40}$")]
_PROBLEMS: Final = declare_problems(
    HTTPStatus.NOT_FOUND, HTTPStatus.UNPROCESSABLE_ENTITY, HTTPStatus.SERVICE_UNAVAILABLE
)


class TablesAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """Every table, and how many entries of the log they tell of."""

    size: int
    tables: tuple[str, ...]


class TableRow(msgspec.Struct, frozen=True, kw_only=True):
    """A document as the text of its RFC 8785 form, and the index of the last entry that changed it."""

    key: str
    document: str
    entry: int


class TableAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """Rows by key, all of one moment; `next` is what to ask `after` for those that follow, none at the end."""

    size: int
    table: str
    rows: tuple[TableRow, ...]
    next: str | None


class Tables(Controller):
    """Every route of /api/v1/tables."""

    path = "/api/v1/tables"

    @get(operation_class=ReadOperation, responses=_PROBLEMS, sync_to_thread=True)
    def list_tables(self, plane: Lent) -> TablesAnswer:
        """The names of all tables."""
        _wait_written(plane)
        with plane.control.projections.view() as view:
            return TablesAnswer(size=view.position.size, tables=TABLES)

    @get("/{table:str}", operation_class=ReadOperation, responses=_PROBLEMS, sync_to_thread=True)
    def read_table(
        self,
        table: TablePart,
        plane: Lent,
        after: Annotated[str, QueryParameter(max_length=400)] = "",
    ) -> TableAnswer:
        """Up to 500 rows of one table behind a key."""
        if table not in TABLES:
            raise NotFound(f"there is no table {table}")
        _wait_written(plane)
        with plane.control.projections.view() as view:
            rows = list(islice(view.rows(table, after=after), MOST_ROWS + 1))
            return TableAnswer(
                size=view.position.size,
                table=table,
                rows=tuple(
                    TableRow(key=row.key, document=row.document.decode(), entry=row.index)
                    for row in rows[:MOST_ROWS]
                ),
                next=rows[MOST_ROWS - 1].key if len(rows) > MOST_ROWS else None,
            )


def _wait_written(plane: Plane) -> None:
    """Whoever reads here has read what he wrote: the rows tell of every entry that the desk had answered for."""
    control = plane.control
    if not control.projector.wait_written(control.desk.state.size, WRITTEN_WITHIN_S):
        why = control.projector.last_problem or "they are being written"
        raise Unavailable(f"the tables do not tell of the newest entries yet: {why}")
