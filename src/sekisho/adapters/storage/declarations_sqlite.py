"""What firms declare, in the SQLite file of inventories.

A table of a million lines is written in groups, so that nobody waits long for the write lock; it counts from the
moment when its last group stands and the place of its site and kind is given to it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from itertools import islice

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Connection,
    Index,
    Integer,
    LargeBinary,
    String,
    Table,
    delete,
    func,
    insert,
    select,
    update,
)

from sekisho.adapters.storage.inventories_file import SCHEMA, InventoriesFile
from sekisho.model.instants import Instant
from sekisho.ports.declaration_store import DeclarationRow, DeclaredLine

__all__ = ["DeclarationsSqlite"]

_GROUP = 5_000
_declarations = Table(
    "declarations",
    SCHEMA,
    Column("id", Integer, primary_key=True),
    Column("site", String, nullable=False),
    Column("kind", String, nullable=False),
    Column("source", String, nullable=False),
    Column("received", BigInteger, nullable=False),
    Column("taken", Integer, nullable=False),
    Column("refused", Integer, nullable=False),
    Column("whole", Boolean, nullable=False),
    sqlite_autoincrement=True,
)
_lines = Table(
    "declared_lines",
    SCHEMA,
    Column("id", Integer, primary_key=True),
    Column("declaration", Integer, nullable=False),
    Column("site", String, nullable=False),
    Column("document", LargeBinary, nullable=False),
    Index("declared_lines_by_site", "site", "id"),
    Index("declared_lines_by_declaration", "declaration"),
)


class DeclarationsSqlite:
    """A `DeclarationStore`."""

    def __init__(self, file: InventoriesFile) -> None:
        self._file = file

    def save_declaration(
        self, row: DeclarationRow, lines: Iterable[DeclaredLine], *, refused: Callable[[], int]
    ) -> DeclarationRow:
        made = self._begin(row)
        # Crash or error from here on: lines of a table that is not whole, which nobody reads and the next sweeps away.
        taken, rest = 0, iter(lines)
        while group := list(islice(rest, _GROUP)):
            taken += len(group)
            with self._file.transaction() as connection:
                connection.execute(
                    insert(_lines),
                    [
                        {"declaration": made, "site": line.site, "document": line.document}
                        for line in group
                    ],
                )
        with self._file.transaction() as connection:
            # Crash before the commit: the last table stands. After: the new one, and the old one's lines go with it.
            connection.execute(
                update(_declarations)
                .where(_declarations.c.id == made)
                .values(whole=True, taken=taken, refused=refused())
            )
            older = select(_declarations.c.id).where(
                _declarations.c.site == row.site,
                _declarations.c.kind == row.kind,
                _declarations.c.id < made,
            )
            _drop(connection, list(connection.scalars(older)))
        return DeclarationRow(
            site=row.site,
            kind=row.kind,
            source=row.source,
            received=row.received,
            taken=taken,
            refused=refused(),
        )

    def _begin(self, row: DeclarationRow) -> int:
        values = {
            "site": row.site,
            "kind": row.kind,
            "source": row.source,
            "received": row.received.us,
            "taken": 0,
            "refused": 0,
            "whole": False,
        }
        with self._file.transaction() as connection:
            broken = select(_declarations.c.id).where(
                _declarations.c.site == row.site,
                _declarations.c.kind == row.kind,
                ~_declarations.c.whole,
            )
            _drop(connection, list(connection.scalars(broken)))
            return int(connection.execute(insert(_declarations), values).inserted_primary_key[0])  # type: ignore[index]  # one row with one key

    def load_declarations(self) -> tuple[DeclarationRow, ...]:
        query = (
            select(_declarations)
            .where(_declarations.c.whole)
            .order_by(_declarations.c.site, _declarations.c.kind)
        )
        with self._file.transaction() as connection:
            return tuple(
                DeclarationRow(
                    site=row.site,
                    kind=row.kind,
                    source=row.source,
                    received=Instant(row.received),
                    taken=row.taken,
                    refused=row.refused,
                )
                for row in connection.execute(query)
            )

    def load_sites(self) -> tuple[str, ...]:
        whole = select(_declarations.c.id).where(_declarations.c.whole)
        # From site to site along the index: a million lines of ten sites cost ten steps.
        following = select(func.min(_lines.c.site)).where(_lines.c.declaration.in_(whole))
        found: list[str] = []
        with self._file.transaction() as connection:
            asked = following.where(_lines.c.site != "")
            while (site := connection.scalar(asked)) is not None:
                found.append(site)
                asked = following.where(_lines.c.site > site)
        return tuple(found)

    def iterate_lines(self, site: str, *, kind: str = "") -> Iterator[bytes]:
        whole = select(_declarations.c.id).where(_declarations.c.whole)
        if kind:
            whole = whole.where(_declarations.c.kind == kind)
        query = select(_lines.c.id, _lines.c.document).where(
            _lines.c.site == site, _lines.c.declaration.in_(whole)
        )
        after = 0
        while True:
            page = query.where(_lines.c.id > after).order_by(_lines.c.id).limit(_GROUP)
            with self._file.transaction() as connection:
                rows = connection.execute(page).all()
            yield from (row.document for row in rows)
            if len(rows) < _GROUP:
                return
            after = rows[-1].id


def _drop(connection: Connection, declarations: list[int]) -> None:
    connection.execute(delete(_lines).where(_lines.c.declaration.in_(declarations)))
    connection.execute(delete(_declarations).where(_declarations.c.id.in_(declarations)))
