"""Named queries and subscriptions in one SQLite file that only its owner may read: secrets lie in it."""

from __future__ import annotations

import os
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec
from sqlalchemy import (
    BigInteger,
    Column,
    Connection,
    ForeignKey,
    LargeBinary,
    MetaData,
    String,
    Table,
    delete,
    event,
    insert,
    select,
    update,
)
from sqlalchemy.engine import Row
from sqlalchemy.exc import IntegrityError

from sekisho.adapters.storage.sqlite_log import open_engine
from sekisho.adapters.storage.sqlite_refusals import translated
from sekisho.model.errors import StateConflict, Unavailable
from sekisho.model.instants import Instant
from sekisho.ports.subscriptions import DeadLetter, NamedQuery, Subscription

__all__ = ["SubscriptionsSqlite"]

_schema = MetaData()
_queries = Table(
    "queries",
    _schema,
    Column("name", String, primary_key=True),
    Column("params", LargeBinary, nullable=False),
    Column("created", BigInteger, nullable=False),
)
_subscriptions = Table(
    "subscriptions",
    _schema,
    Column("subscription", String, primary_key=True),
    Column("query", ForeignKey("queries.name"), nullable=False, index=True),
    Column("url", String, nullable=False),
    Column("secret", LargeBinary, nullable=False),
    Column("created", BigInteger, nullable=False),
    Column("after", BigInteger, nullable=False),
    Column("until", BigInteger, nullable=False),
    Column("attempts", BigInteger, nullable=False),
    Column("retry_at", BigInteger),
    Column("delivered", BigInteger),
    Column("problem", String, nullable=False),
)
_letters = Table(
    "letters",
    _schema,
    Column(
        "subscription",
        ForeignKey("subscriptions.subscription", ondelete="CASCADE"),
        primary_key=True,
    ),
    Column("after", BigInteger, primary_key=True),
    Column("until", BigInteger, nullable=False),
    Column("attempts", BigInteger, nullable=False),
    Column("died", BigInteger, nullable=False),
    Column("problem", String, nullable=False),
)


class SubscriptionsSqlite:
    """A `SubscriptionStore`. The file is made with mode 0600."""

    def __init__(self, path: Path) -> None:
        try:
            os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
        except OSError as error:
            raise Unavailable(f"{path}: {error.strerror}", remedy="check rights") from None
        self._lock = threading.RLock()
        self._engine = open_engine(path)
        event.listen(self._engine, "connect", _on_connect)
        with self._transaction() as connection:
            _schema.create_all(connection)

    def close(self) -> None:
        with self._lock:
            self._engine.dispose()

    def save_query(self, query: NamedQuery) -> None:
        row = {
            "name": query.name,
            "params": msgspec.json.encode(query.params),
            "created": query.created.us,
        }
        with self._transaction() as connection:
            if _find(connection, _queries, query.name) is not None:
                raise StateConflict(
                    f"a query named {query.name} is there already", remedy="name it otherwise"
                )
            connection.execute(insert(_queries), row)

    def find_query(self, name: str) -> NamedQuery | None:
        with self._transaction() as connection:
            row = _find(connection, _queries, name)
        return None if row is None else _query_of(row)

    def load_queries(self, *, after: str = "", limit: int = 100) -> tuple[NamedQuery, ...]:
        wanted = select(_queries).where(_queries.c.name > after).order_by(_queries.c.name)
        with self._transaction() as connection:
            return tuple(_query_of(row) for row in connection.execute(wanted.limit(limit)))

    def remove_query(self, name: str) -> bool:
        with self._transaction() as connection:
            try:
                found = connection.execute(delete(_queries).where(_queries.c.name == name))
            except IntegrityError:
                raise StateConflict(
                    f"somebody is subscribed to {name}", remedy="remove its subscriptions first"
                ) from None
            return bool(found.rowcount)

    def save_subscription(self, subscription: Subscription) -> None:
        with self._transaction() as connection:
            try:
                connection.execute(insert(_subscriptions), _columns(subscription))
            except IntegrityError:
                raise StateConflict(f"there is no query named {subscription.query}") from None

    def update_subscription(self, subscription: Subscription) -> None:
        # Crash before the commit: what was delivered is delivered again, the same span under the same id.
        with self._transaction() as connection:
            _update(connection, subscription)

    def find_subscription(self, subscription: str) -> Subscription | None:
        with self._transaction() as connection:
            row = _find(connection, _subscriptions, subscription)
        return None if row is None else _subscription_of(row)

    def load_subscriptions(self, query: str | None = None) -> tuple[Subscription, ...]:
        wanted = select(_subscriptions)
        if query is not None:
            wanted = wanted.where(_subscriptions.c.query == query)
        wanted = wanted.order_by(_subscriptions.c.created, _subscriptions.c.subscription)
        with self._transaction() as connection:
            return tuple(_subscription_of(row) for row in connection.execute(wanted))

    def remove_subscription(self, subscription: str) -> bool:
        with self._transaction() as connection:
            mine = _subscriptions.c.subscription == subscription
            return bool(connection.execute(delete(_subscriptions).where(mine)).rowcount)

    def bury(self, letter: DeadLetter, subscription: Subscription) -> None:
        row = {**msgspec.structs.asdict(letter), "died": letter.died.us}
        # Crash before the commit: it is tried once more, and buried then.
        with self._transaction() as connection:
            if _update(connection, subscription):
                connection.execute(insert(_letters).prefix_with("OR REPLACE"), row)

    def load_letters(self, subscription: str) -> tuple[DeadLetter, ...]:
        mine = select(_letters).where(_letters.c.subscription == subscription)
        with self._transaction() as connection:
            rows = connection.execute(mine.order_by(_letters.c.after)).all()
        return tuple(DeadLetter(**{**row._asdict(), "died": Instant(row.died)}) for row in rows)

    def remove_letter(self, subscription: str, after: int) -> None:
        with self._transaction() as connection:
            mine = (_letters.c.subscription == subscription) & (_letters.c.after == after)
            connection.execute(delete(_letters).where(mine))

    @contextmanager
    def _transaction(self) -> Iterator[Connection]:
        """One connection for all threads, so one at a time."""
        told = translated(
            "the file of subscriptions",
            retry="check disk space and rights",
            mend="move the file away: queries and subscriptions must be made anew",
        )
        with told, self._lock, self._engine.begin() as connection:
            yield connection


def _on_connect(connection: sqlite3.Connection, _record: object) -> None:
    connection.execute("PRAGMA foreign_keys=ON")
    # A secret that was removed shall not stay in the file.
    connection.execute("PRAGMA secure_delete=ON")


def _find(connection: Connection, table: Table, key: str) -> Row[Any] | None:
    (column,) = table.primary_key
    return connection.execute(select(table).where(column == key)).first()


def _update(connection: Connection, subscription: Subscription) -> bool:
    mine = _subscriptions.c.subscription == subscription.subscription
    changed = update(_subscriptions).where(mine).values(**_columns(subscription))
    return bool(connection.execute(changed).rowcount)


def _query_of(row: Row[Any]) -> NamedQuery:
    params = msgspec.json.decode(row.params, type=tuple[tuple[str, str], ...])
    return NamedQuery(name=row.name, params=params, created=Instant(row.created))


def _columns(subscription: Subscription) -> dict[str, object]:
    return {
        name: value.us if isinstance(value, Instant) else value
        for name, value in msgspec.structs.asdict(subscription).items()
    }


def _subscription_of(row: Row[Any]) -> Subscription:
    times = {
        name: None if getattr(row, name) is None else Instant(getattr(row, name))
        for name in ("created", "retry_at", "delivered")
    }
    return Subscription(**{**row._asdict(), **times})
