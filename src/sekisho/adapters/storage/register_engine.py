"""What a register asks of a database: transactions that write, transactions that read, many rows at once."""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence
from contextlib import AbstractContextManager
from functools import cache
from typing import Literal

from sqlalchemy import ColumnElement, Connection, Table, Text, bindparam, delete, func, select
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.sql import any_

from sekisho.model.errors import Unavailable

__all__ = ["READERS", "WAIT_S", "RegisterEngine", "Rows", "conflict", "overrun"]

Rows = Sequence[tuple[object, ...]]


READERS = 8
"""Connections kept for readers; so many more for a rush, and whoever comes then waits for one of them."""

WAIT_S = 10.0


class RegisterEngine(ABC):
    """One database. Its own errors leave it translated: Unavailable, Corrupt, InvalidInput or StateConflict."""

    kind: Literal["sqlite", "postgresql"]

    @abstractmethod
    def writing(self, *, long: bool = False) -> AbstractContextManager[Connection]:
        """All or nothing, one at a time, durable when it ends; a `long` one is waited for, however long it takes."""

    @abstractmethod
    def reading(self) -> AbstractContextManager[Connection]:
        """One moment, on a connection of its own."""

    @abstractmethod
    def put(self, connection: Connection, table: Table, rows: Rows, ending: str = "") -> None:
        """Insert many rows, each in the order of the table's columns."""

    @abstractmethod
    def close(self) -> None: ...

    def clear(self, connection: Connection, table: Table) -> None:
        """Drop every row of a table."""
        connection.execute(delete(table))

    def add(self, connection: Connection, table: Table, rows: Rows) -> None:
        """Rows that are not there yet. Raises StateConflict where one is."""
        self.put(connection, table, rows)

    def keep(self, connection: Connection, table: Table, rows: Rows) -> None:
        """Rows of which those that are there stay as they are."""
        self.put(connection, table, rows, " ON CONFLICT DO NOTHING")

    def replace(
        self, connection: Connection, table: Table, rows: Rows, *, but: tuple[str, ...] = ()
    ) -> None:
        """Rows that take the place of those with the same key, except for the columns `but`."""
        if rows:
            self.put(connection, table, rows, replacing(table, but))

    def among(
        self, column: ColumnElement[int] | ColumnElement[str], name: str
    ) -> ColumnElement[bool]:
        """Whether a column holds one of the values bound to `name` as `wanted` makes them."""
        if self.kind == "sqlite":
            values = func.json_each(bindparam(name)).table_valued("value")
            return column.in_(select(values.c.value))
        kind = Text() if isinstance(column.type, Text) else column.type
        return column == any_(bindparam(name, type_=ARRAY(kind)))

    def wanted(self, values: Iterable[int] | Iterable[str]) -> object:
        """Any number of values as one: the statement stays the same, and is prepared once."""
        listed = list(values)
        return json.dumps(listed) if self.kind == "sqlite" else listed


@cache
def replacing(table: Table, but: tuple[str, ...]) -> str:
    """The ending of an insertion whose rows take the place of those with the same key, except for the columns `but`."""
    return conflict(table, [column.name for column in table.primary_key.columns], but=but)


def overrun() -> Unavailable:
    """What a reader is told who waited in vain for a connection."""
    return Unavailable(
        f"{2 * READERS} readers are asking the register's database already", remedy="try again"
    )


def conflict(
    table: Table, keys: Iterable[str], *, but: Iterable[str] = (), adding: Iterable[str] = ()
) -> str:
    """What an insertion does where a row with these keys is there: take its place, or add to it."""
    keys, but, adding = list(keys), set(but), set(adding)
    left = [column.name for column in table.columns if column.name not in {*keys, *but}]
    sets = [
        f'"{name}" = excluded."{name}"' + (f' + {table.name}."{name}"' if name in adding else "")
        for name in left
    ]
    return f" ON CONFLICT ({', '.join(keys)}) DO UPDATE SET {', '.join(sets)}"
