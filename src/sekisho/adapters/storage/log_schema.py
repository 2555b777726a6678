"""The tables of a log's database, the same in SQLite and PostgreSQL, and what makes a database ours.

`entries` holds each entry once, its unique keys included; `claims` says which entry took a payload digest or a
unique key. `head` has one row: how many entries have an index, below which of them all claims stand in `claims`
(SQLite, see sqlite_claims; PostgreSQL files each at once and leaves 0), and the tree whose tiles are written.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import TypeVar

from sqlalchemy import (
    BigInteger,
    Column,
    Connection,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    insert,
    select,
)

from sekisho.ledger.tree import EMPTY_ROOT
from sekisho.model.errors import InvalidInput

__all__ = [
    "SCHEMA_VERSION",
    "check_origin",
    "claim_of_name",
    "claim_of_payload",
    "claims",
    "claims_of",
    "cosigned",
    "create_schema",
    "decode_names",
    "encode_names",
    "entries",
    "head",
    "in_steps",
    "log",
    "revision_of",
    "schema",
]

SCHEMA_VERSION = 2
ONE = 1
_BOUND = 512
T = TypeVar("T")

# SQLite's row number is an INTEGER and nothing else; PostgreSQL's integer ends at 2^31.
_Index = BigInteger().with_variant(Integer, "sqlite")

schema = MetaData()
log = Table(
    "log",
    schema,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("origin", String, nullable=False),
)
entries = Table(
    "entries",
    schema,
    Column("idx", _Index, primary_key=True, autoincrement=False),
    Column("leaf_hash", LargeBinary, nullable=False),
    Column("payload_sha256", LargeBinary),
    Column("unique_keys", String),
    # Last: whoever reads only the columns before it never touches the pages that a long one flows over to.
    Column("envelope", LargeBinary, nullable=False),
)
claims = Table(
    "claims",
    schema,
    Column("key", LargeBinary, primary_key=True),
    Column("idx", _Index, nullable=False),
    sqlite_with_rowid=False,
)
head = Table(
    "head",
    schema,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("entries", _Index, nullable=False),
    Column("claimed", _Index, nullable=False),
    Column("size", _Index, nullable=False),
    Column("root", LargeBinary, nullable=False),
)
cosigned = Table(
    "cosigned",
    schema,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("size", _Index, nullable=False),
    Column("note", LargeBinary, nullable=False),
)
_revision = Table(
    "alembic_version",
    schema,
    Column("version_num", String(32), primary_key=True),
)


def create_schema(connection: Connection, origin: str) -> None:
    """The tables of a new log, in the caller's transaction."""
    schema.create_all(connection)
    connection.execute(insert(_revision).values(version_num=revision_of(SCHEMA_VERSION)))
    connection.execute(insert(log).values(id=ONE, origin=origin))
    connection.execute(insert(head).values(id=ONE, entries=0, claimed=0, size=0, root=EMPTY_ROOT))


def check_origin(connection: Connection, origin: str, path: str) -> None:
    """One database belongs to one log for ever. Raises InvalidInput."""
    held = connection.execute(select(log.c.origin)).scalar_one()
    if held != origin:
        raise InvalidInput(
            f"the database of {held!r}, not of {origin!r}", path=path, remedy="name another one"
        )


def revision_of(version: int) -> str:
    """A schema version as the migrations write it."""
    return f"{version:04d}"


def claim_of_payload(payload_sha256: bytes) -> bytes:
    """What an entry takes by its payload."""
    return b"p" + payload_sha256


def claim_of_name(name: str) -> bytes:
    """What an entry takes by one unique key; the letter keeps it apart from every payload."""
    return b"u" + name.encode("utf-8", "surrogatepass")


def claims_of(payload_sha256: bytes | None, names: Sequence[str]) -> list[bytes]:
    """All that one entry takes; a key that it names twice is taken once."""
    claimed = [] if payload_sha256 is None else [b"p" + payload_sha256]
    if names:
        claimed += [claim_of_name(name) for name in dict.fromkeys(names)]
    return claimed


def encode_names(names: tuple[str, ...]) -> str | None:
    """Unique keys as a column holds them."""
    return json.dumps(names) if names else None


def decode_names(column: str | None) -> tuple[str, ...]:
    """The other way."""
    return tuple(json.loads(column)) if column else ()


def in_steps(items: Sequence[T]) -> Iterator[Sequence[T]]:
    """A statement takes a bounded number of bound values."""
    for start in range(0, len(items), _BOUND):
        yield items[start : start + _BOUND]
