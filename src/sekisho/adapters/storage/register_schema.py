"""The tables of a register's database, the same in SQLite and PostgreSQL.

`words`, `epcs`, `captures`, `documents`, `batches`, `events` are the only copy and only grow (a capture's counts and a
batch's entry are filled in later). All tables in `DERIVED` follow from them and can be made again; of `alerts` the
leaves, and those that no event raised, stay. Words of small number (types, parties, sites, models) and EPCs are stored
once and meant by number; times are microseconds.
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Column,
    ColumnElement,
    Connection,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
    insert,
)

__all__ = [
    "DERIVED",
    "DIMENSIONS",
    "SCHEMA_VERSION",
    "VERSION_TABLE",
    "alerts",
    "batches",
    "captures",
    "containment",
    "create_schema",
    "documents",
    "epcs",
    "events",
    "holdings",
    "lines",
    "movements",
    "outcomes",
    "progress",
    "revision_of",
    "schema",
    "standings",
    "touches",
    "waits",
    "words",
]

SCHEMA_VERSION = 1
VERSION_TABLE = "register_version"
ONE = 1
DIMENSIONS = ("component", "model", "state", "custodian", "holder", "owner", "site", "country")

# SQLite's row number is an INTEGER and nothing else; PostgreSQL's integer ends at 2^31.
_Big = BigInteger().with_variant(Integer, "sqlite")
# Compared by their bytes, whatever language the database was made for.
_Text = Text().with_variant(Text(collation="C"), "postgresql")

schema = MetaData()


def _table(name: str, *parts: Column[object] | Index, rows: bool = True) -> Table:
    """A table that holds every column's type to its word also in SQLite; `rows`: with a row number of its own."""
    return Table(name, schema, *parts, sqlite_strict=True, sqlite_with_rowid=rows)


def _number(name: str, *, null: bool = False) -> Column[object]:
    return Column(name, _Big, nullable=null)


def _word(name: str) -> Column[object]:
    return Column(name, Integer, nullable=False)


def _key(name: str) -> Column[object]:
    return Column(name, _Big, primary_key=True, autoincrement=False)


def _word_key(name: str) -> Column[object]:
    return Column(name, Integer, primary_key=True, autoincrement=False)


def _text(name: str) -> Column[object]:
    return Column(name, _Text, nullable=False)


def _bytes(name: str, *, null: bool = False) -> Column[object]:
    return Column(name, LargeBinary, nullable=null)


def _index_where(name: str, column: Column[object], where: ColumnElement[bool]) -> None:
    """An index over the few rows that are looked for by it."""
    Index(name, column, sqlite_where=where, postgresql_where=where)


_revision = _table(VERSION_TABLE, Column("version_num", _Text, primary_key=True))
words = _table("words", _word_key("id"), Column("word", _Text, nullable=False, unique=True))
epcs = _table("epcs", _key("id"), Column("epc", _Text, nullable=False, unique=True))
captures = _table(
    "captures",
    _key("number"),
    Column("id", _Text, nullable=False, unique=True),
    _number("received"),
    _bytes("sha256"),
    _number("size"),
    _bytes("endorsement"),
    _word("parties"),
    _word("powers"),
    _word("running"),
    _number("finished", null=True),
    _number("events"),
    _number("taken"),
    _number("waiting"),
    _number("refused"),
    _number("repeated"),
    _bytes("problems"),
)
# By capture: what somebody endorsed, byte for byte, since the signature is over it.
documents = _table("documents", _key("number"), _bytes("document"))
batches = _table(
    "batches",
    _key("batch"),
    _number("made"),
    _number("events"),
    # The span of its events' numbers.
    _number("first", null=True),
    _number("last", null=True),
    _bytes("root"),
    _number("entry", null=True),
    _bytes("leaf"),
    _number("known", null=True),
)
_index_where("batches_unlogged", batches.c.batch, batches.c.entry.is_(None))
_index_where("batches_unknown", batches.c.entry, batches.c.known.is_(None))
events = _table(
    "events",
    _key("number"),
    # Eight bytes of each find it, all of it is compared: an index over whole digests is four times as large. One index
    # for both, since digests are spread evenly: each index costs the journal a page for every event.
    _number("hash_mark"),
    _number("key_mark"),
    _number("at"),
    _word("type"),
    _word("action"),
    _word("biz_step"),
    _word("disposition"),
    _word("read_point"),
    _word("biz_location"),
    _number("capture"),
    _number("batch"),
    _number("place"),
    _number("received"),
    _word("parties"),
    _word("powers"),
    _bytes("key"),
    _bytes("hash"),
    _bytes("salt"),
    _bytes("document"),
)
Index("events_by_hash", events.c.hash_mark, events.c.key_mark)
Index("events_by_location", events.c.biz_location)

# --- derived --------------------------------------------------------------------------------

# One row: the newest effect, the newest batch in which one happened, the newest line.
progress = _table("progress", _word_key("id"), _number("effect"), _number("batch"), _number("line"))
outcomes = _table(
    "outcomes",
    _key("number"),
    _word("outcome"),
    _number("effect", null=True),
    # The batch in which the effect happened: its own, or that of the event that ended its wait.
    _number("batch", null=True),
    _number("voided_by", null=True),
)
touches = _table("touches", _key("epc"), _key("number"), _word_key("role"), rows=False)
waits = _table("waits", _key("epc"), _key("number"), rows=False)
Index("waits_by_number", waits.c.number)
standings = _table(
    "standings",
    _key("epc"),
    *(_word(name) for name in DIMENSIONS),
    _word("maker"),
    _text("serial"),
    _bytes("device_key", null=True),
    _number("parent", null=True),
    _text("movement"),
    _text("licence"),
    _number("made"),
    _number("at"),
    _number("number"),
)
Index("standings_by_serial", standings.c.serial, standings.c.maker)
_index_where("standings_by_device_key", standings.c.device_key, standings.c.device_key.is_not(None))
Index("standings_by_site", standings.c.site)
containment = _table("containment", _key("epc"), _number("parent"))
Index("containment_by_parent", containment.c.parent)
movements = _table(
    "movements",
    Column("reference", _Text, primary_key=True),
    _word("state"),
    _number("due"),
    # The movement itself, as compressed JSON.
    _bytes("document"),
    rows=False,
)
Index("movements_by_due", movements.c.state, movements.c.due)
alerts = _table(
    "alerts",
    _key("place"),
    _number("number"),
    _word("code"),
    _number("epc"),
    _text("detail"),
    _word("refused"),
    _number("raised"),
    _bytes("leaf"),
    # 0 while what raised it is made again; 1: an event raised it, 2: nothing but time did.
    _word("stands"),
)
Index("alerts_once", alerts.c.number, alerts.c.code, alerts.c.epc, unique=True)
Index("alerts_by_epc", alerts.c.epc)
lines = _table(
    "lines",
    _word_key("area"),
    _key("place"),
    _number("number"),
    _word("code"),
    _number("epc"),
    _number("at"),
    _word("other"),
    _word("reverses"),
    _number("batch"),
    rows=False,
)
# All that a period's sum asks for.
Index("lines_by_time", lines.c.area, lines.c.at, lines.c.code, lines.c.reverses, lines.c.batch)
holdings = _table(
    "holdings", *(_word_key(name) for name in DIMENSIONS), _number("count"), rows=False
)

DERIVED = (outcomes, touches, waits, standings, containment, movements, lines, holdings)


def create_schema(connection: Connection) -> None:
    """The tables of a new register, in the caller's transaction."""
    schema.create_all(connection)
    connection.execute(insert(_revision).values(version_num=revision_of(SCHEMA_VERSION)))
    connection.execute(insert(progress).values(id=ONE, effect=0, batch=0, line=0))


def revision_of(version: int) -> str:
    """A schema version as the migrations write it."""
    return f"r{version:04d}"
