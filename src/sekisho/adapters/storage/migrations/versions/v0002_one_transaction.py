"""Entries past the head are the queue; each holds its unique keys, and one index says what was taken."""

from __future__ import annotations

import json
from collections.abc import Iterator

import sqlalchemy as sa
from alembic import op

from sekisho.model.errors import StateConflict

revision = "0002"
down_revision = "0001"

_STEP = 1000
_INDEX = sa.BigInteger().with_variant(sa.Integer, "sqlite")

# This release's tables by name, as they were when it came: a later change of the schema must not change this file.
_old_entries = sa.table(
    "entries",
    sa.column("idx", sa.Integer),
    sa.column("leaf_hash", sa.LargeBinary),
    sa.column("envelope", sa.LargeBinary),
    sa.column("payload_sha256", sa.LargeBinary),
)
_names = sa.table("unique_keys", sa.column("name", sa.String), sa.column("idx", sa.Integer))
_queue = sa.table("queue", sa.column("number", sa.Integer))


def upgrade() -> None:
    """Refuses while submissions wait in the old queue; otherwise every entry keeps its place and its bytes."""
    connection = op.get_bind()
    waiting = connection.execute(sa.select(sa.func.count()).select_from(_queue)).scalar_one()
    if waiting:
        raise StateConflict(
            f"{waiting} submissions wait in the queue of release 0.1",
            remedy="start release 0.1 once, which sequences them, then this one",
        )
    new_entries, claims = _create_entries(), _create_claims()
    op.create_index("unique_keys_of_entry", "unique_keys", ["idx"])
    for rows, taken in _read(connection):
        connection.execute(sa.insert(new_entries), rows)
        if taken:
            connection.execute(sa.insert(claims), taken)
    for name in ("queue", "unique_keys", "entries"):
        op.drop_table(name)
    op.rename_table("entries_new", "entries")
    _widen_head(connection)
    if connection.dialect.name == "postgresql":
        op.execute("ALTER INDEX entries_new_pkey RENAME TO entries_pkey")
        op.execute("ALTER TABLE cosigned ALTER COLUMN size TYPE bigint")
        op.execute("ALTER TABLE entries ALTER COLUMN envelope SET STORAGE EXTERNAL")


def _create_entries() -> sa.Table:
    return op.create_table(
        "entries_new",
        sa.Column("idx", _INDEX, primary_key=True, autoincrement=False),
        sa.Column("leaf_hash", sa.LargeBinary, nullable=False),
        sa.Column("payload_sha256", sa.LargeBinary),
        sa.Column("unique_keys", sa.String),
        sa.Column("envelope", sa.LargeBinary, nullable=False),
    )


def _create_claims() -> sa.Table:
    return op.create_table(
        "claims",
        sa.Column("key", sa.LargeBinary, primary_key=True),
        sa.Column("idx", _INDEX, nullable=False),
        sqlite_with_rowid=False,
    )


def _read(
    connection: sa.Connection,
) -> Iterator[tuple[list[dict[str, object]], list[dict[str, object]]]]:
    """The old entries in bounded steps, as rows of the new table and as what they claim."""
    last = -1
    while True:
        span = _old_entries.c.idx > last
        query = sa.select(_old_entries).where(span).order_by(_old_entries.c.idx).limit(_STEP)
        old = connection.execute(query).all()
        if not old:
            return
        names = _names_of(connection, old[0].idx, old[-1].idx)
        rows = [
            {
                "idx": row.idx,
                "leaf_hash": row.leaf_hash,
                "payload_sha256": row.payload_sha256,
                "unique_keys": json.dumps(names[row.idx]) if row.idx in names else None,
                "envelope": row.envelope,
            }
            for row in old
        ]
        taken: list[dict[str, object]] = [
            {"key": b"p" + row.payload_sha256, "idx": row.idx} for row in old if row.payload_sha256
        ]
        taken += [{"key": b"u" + n.encode(), "idx": i} for i in names for n in names[i]]
        yield rows, taken
        last = old[-1].idx


def _names_of(connection: sa.Connection, first: int, last: int) -> dict[int, list[str]]:
    query = sa.select(_names).where(_names.c.idx >= first, _names.c.idx <= last)
    names: dict[int, list[str]] = {}
    for name, index in connection.execute(query.order_by(_names.c.idx, _names.c.name)):
        names.setdefault(index, []).append(name)
    return names


def _widen_head(connection: sa.Connection) -> None:
    """One row more than before to say: how many entries there are. In release 0.1 all of them lay in tiles."""
    old = connection.execute(sa.text("SELECT size, root FROM head")).one_or_none()
    op.drop_table("head")
    head = op.create_table(
        "head",
        sa.Column("id", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("entries", _INDEX, nullable=False),
        sa.Column("claimed", _INDEX, nullable=False),
        sa.Column("size", _INDEX, nullable=False),
        sa.Column("root", sa.LargeBinary, nullable=False),
    )
    if old is not None:
        row = {
            "id": 1,
            "entries": old.size,
            "claimed": old.size,
            "size": old.size,
            "root": old.root,
        }
        connection.execute(sa.insert(head), row)
