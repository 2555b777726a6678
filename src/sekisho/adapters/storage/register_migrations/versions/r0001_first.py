"""The first register: tables as the release that brought the register made them."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "r0001"
down_revision = None

_BIG = sa.BigInteger().with_variant(sa.Integer, "sqlite")
_WORD = sa.Integer()
_BYTES = sa.LargeBinary()
_TEXT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def _table(name: str, *columns: sa.Column[object], rows: bool = True) -> None:
    op.create_table(name, *columns, sqlite_strict=True, sqlite_with_rowid=rows)


def _key(name: str, kind: sa.types.TypeEngine[Any]) -> sa.Column[object]:
    return sa.Column(name, kind, primary_key=True, autoincrement=False)


def _column(name: str, kind: sa.types.TypeEngine[Any]) -> sa.Column[object]:
    return sa.Column(name, kind, nullable=False)


def _index_where(name: str, table: str, columns: list[str], where: str) -> None:
    rows = sa.text(where)
    op.create_index(name, table, columns, sqlite_where=rows, postgresql_where=rows)


def upgrade() -> None:
    """From nothing."""
    _create_captured()
    _create_derived()
    _create_indexes()


def _create_captured() -> None:
    _table("words", _key("id", _WORD), sa.Column("word", _TEXT, nullable=False, unique=True))
    _table("epcs", _key("id", _BIG), sa.Column("epc", _TEXT, nullable=False, unique=True))
    _table(
        "captures",
        _key("number", _BIG),
        sa.Column("id", _TEXT, nullable=False, unique=True),
        _column("received", _BIG),
        _column("sha256", _BYTES),
        _column("size", _BIG),
        _column("endorsement", _BYTES),
        _column("parties", _WORD),
        _column("powers", _WORD),
        _column("running", _WORD),
        sa.Column("finished", _BIG),
        _column("events", _BIG),
        _column("taken", _BIG),
        _column("waiting", _BIG),
        _column("refused", _BIG),
        _column("repeated", _BIG),
        _column("problems", _BYTES),
    )
    _table("documents", _key("number", _BIG), _column("document", _BYTES))
    _table(
        "batches",
        _key("batch", _BIG),
        _column("made", _BIG),
        _column("events", _BIG),
        sa.Column("first", _BIG),
        sa.Column("last", _BIG),
        _column("root", _BYTES),
        sa.Column("entry", _BIG),
        _column("leaf", _BYTES),
        sa.Column("known", _BIG),
    )
    _table(
        "events",
        _key("number", _BIG),
        _column("hash_mark", _BIG),
        _column("key_mark", _BIG),
        _column("at", _BIG),
        _column("type", _WORD),
        _column("action", _WORD),
        _column("biz_step", _WORD),
        _column("disposition", _WORD),
        _column("read_point", _WORD),
        _column("biz_location", _WORD),
        _column("capture", _BIG),
        _column("batch", _BIG),
        _column("place", _BIG),
        _column("received", _BIG),
        _column("parties", _WORD),
        _column("powers", _WORD),
        _column("key", _BYTES),
        _column("hash", _BYTES),
        _column("salt", _BYTES),
        _column("document", _BYTES),
    )


def _create_derived() -> None:
    _table(
        "progress",
        _key("id", _WORD),
        _column("effect", _BIG),
        _column("batch", _BIG),
        _column("line", _BIG),
    )
    _table(
        "outcomes",
        _key("number", _BIG),
        _column("outcome", _WORD),
        sa.Column("effect", _BIG),
        sa.Column("batch", _BIG),
        sa.Column("voided_by", _BIG),
    )
    _table("touches", _key("epc", _BIG), _key("number", _BIG), _key("role", _WORD), rows=False)
    _table("waits", _key("epc", _BIG), _key("number", _BIG), rows=False)
    _table(
        "standings",
        _key("epc", _BIG),
        _column("component", _WORD),
        _column("model", _WORD),
        _column("state", _WORD),
        _column("custodian", _WORD),
        _column("holder", _WORD),
        _column("owner", _WORD),
        _column("site", _WORD),
        _column("country", _WORD),
        _column("maker", _WORD),
        _column("serial", _TEXT),
        sa.Column("device_key", _BYTES),
        sa.Column("parent", _BIG),
        _column("movement", _TEXT),
        _column("licence", _TEXT),
        _column("made", _BIG),
        _column("at", _BIG),
        _column("number", _BIG),
    )
    _table("containment", _key("epc", _BIG), _column("parent", _BIG))
    _table(
        "movements",
        _key("reference", _TEXT),
        _column("state", _WORD),
        _column("due", _BIG),
        _column("document", _BYTES),
        rows=False,
    )
    _table(
        "alerts",
        _key("place", _BIG),
        _column("number", _BIG),
        _column("code", _WORD),
        _column("epc", _BIG),
        _column("detail", _TEXT),
        _column("refused", _WORD),
        _column("raised", _BIG),
        _column("leaf", _BYTES),
        _column("stands", _WORD),
    )
    _table(
        "lines",
        _key("area", _WORD),
        _key("place", _BIG),
        _column("number", _BIG),
        _column("code", _WORD),
        _column("epc", _BIG),
        _column("at", _BIG),
        _column("other", _WORD),
        _column("reverses", _WORD),
        _column("batch", _BIG),
        rows=False,
    )
    _table(
        "holdings",
        _key("component", _WORD),
        _key("model", _WORD),
        _key("state", _WORD),
        _key("custodian", _WORD),
        _key("holder", _WORD),
        _key("owner", _WORD),
        _key("site", _WORD),
        _key("country", _WORD),
        _column("count", _BIG),
        rows=False,
    )
    op.execute("INSERT INTO progress VALUES (1, 0, 0, 0)")


def _create_indexes() -> None:
    _index_where("batches_unknown", "batches", ["entry"], "known IS NULL")
    _index_where("batches_unlogged", "batches", ["batch"], "entry IS NULL")
    op.create_index("events_by_hash", "events", ["hash_mark", "key_mark"])
    op.create_index("events_by_location", "events", ["biz_location"])
    op.create_index("waits_by_number", "waits", ["number"])
    _index_where("standings_by_device_key", "standings", ["device_key"], "device_key IS NOT NULL")
    op.create_index("standings_by_serial", "standings", ["serial", "maker"])
    op.create_index("standings_by_site", "standings", ["site"])
    op.create_index("containment_by_parent", "containment", ["parent"])
    op.create_index("movements_by_due", "movements", ["state", "due"])
    op.create_index("alerts_by_epc", "alerts", ["epc"])
    op.create_index("alerts_once", "alerts", ["number", "code", "epc"], unique=True)
    op.create_index("lines_by_time", "lines", ["area", "at", "code", "reverses", "batch"])
