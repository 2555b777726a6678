"""What fleet agents said, in the SQLite file of inventories; of each node only the newest is kept."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Final

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Connection,
    Index,
    Integer,
    LargeBinary,
    Row,
    Select,
    String,
    Table,
    bindparam,
    delete,
    func,
    insert,
    select,
    tuple_,
    update,
)
from sqlalchemy.dialects.sqlite import insert as upsert

from sekisho.adapters.storage.inventories_file import SCHEMA, InventoriesFile
from sekisho.model.instants import Instant
from sekisho.ports.fleet_store import (
    EvidenceRow,
    FleetToken,
    LineageRow,
    MessageRow,
    NodeRow,
    SightingRow,
)

__all__ = ["FleetSqlite"]

MESSAGES_KEPT: Final = 24
SIGHTINGS_KEPT: Final = 2_048
EVIDENCE_KEPT: Final = 8
NONCES_KEPT: Final = 8
_PAGE: Final = 1_000

_tokens = Table(
    "fleet_tokens",
    SCHEMA,
    Column("digest", String, primary_key=True),
    Column("site", String, nullable=False),
    Column("made", BigInteger, nullable=False),
    Column("expires", BigInteger, nullable=False),
    Column("most", Integer, nullable=False),
    Column("used", Integer, nullable=False),
    Column("revoked", Boolean, nullable=False),
)
_lineages = Table(
    "fleet_lineages",
    SCHEMA,
    Column("lineage", String, primary_key=True),
    Column("token", String, nullable=False),
    Column("site", String, nullable=False),
    Column("made", BigInteger, nullable=False),
    Column("node", String, nullable=False),
    Column("released", Boolean, nullable=False),
)
_nodes = Table(
    "fleet_nodes",
    SCHEMA,
    Column("node", String, primary_key=True),
    Column("site", String, nullable=False),
    Column("lineage", String, nullable=False),
    Column("bound", BigInteger, nullable=False),
)
_messages = Table(
    "fleet_messages",
    SCHEMA,
    Column("id", Integer, primary_key=True),
    Column("node", String, nullable=False),
    Column("site", String, nullable=False),
    Column("sha256", String, nullable=False),
    Column("first", BigInteger, nullable=False),
    Column("last", BigInteger, nullable=False),
    Column("booted", BigInteger),
    Column("body", LargeBinary, nullable=False),
    Index("fleet_messages_by_node", "node", "id"),
    sqlite_autoincrement=True,
)
_sightings = Table(
    "fleet_sightings",
    SCHEMA,
    Column("serial", String, primary_key=True),
    Column("uuid", String, primary_key=True),
    Column("node", String, primary_key=True),
    Column("site", String, nullable=False),
    Column("first", BigInteger, nullable=False),
    Column("last", BigInteger, nullable=False),
    Index("fleet_sightings_by_node", "node", "last"),
)
_nonces = Table(
    "fleet_nonces",
    SCHEMA,
    Column("nonce", String, primary_key=True),
    Column("node", String, nullable=False),
    Column("made", BigInteger, nullable=False),
)
_evidence = Table(
    "fleet_evidence",
    SCHEMA,
    Column("id", Integer, primary_key=True),
    Column("node", String, nullable=False, index=True),
    Column("received", BigInteger, nullable=False),
    Column("sha256", String, nullable=False),
    Column("nonce", String, nullable=False),
    Column("body", LargeBinary, nullable=False),
    sqlite_autoincrement=True,
)


class FleetSqlite:
    """A `FleetStore`."""

    def __init__(self, file: InventoriesFile) -> None:
        self._file = file

    # --- tokens and enrolments

    def save_token(self, token: FleetToken) -> None:
        values = {
            "digest": token.digest,
            "site": token.site,
            "made": token.made.us,
            "expires": token.expires.us,
            "most": token.most,
            "used": token.used,
            "revoked": token.revoked,
        }
        # Crash before the commit: the token was not shown yet, and means nothing.
        with self._file.transaction() as connection:
            connection.execute(insert(_tokens), values)

    def find_token(self, digest: str) -> FleetToken | None:
        with self._file.transaction() as connection:
            row = connection.execute(select(_tokens).where(_tokens.c.digest == digest)).first()
        return None if row is None else _token(row)

    def load_tokens(self) -> tuple[FleetToken, ...]:
        query = select(_tokens).order_by(_tokens.c.made, _tokens.c.digest)
        with self._file.transaction() as connection:
            return tuple(_token(row) for row in connection.execute(query))

    def revoke_token(self, digest: str) -> None:
        with self._file.transaction() as connection:
            connection.execute(
                update(_tokens).where(_tokens.c.digest == digest).values(revoked=True)
            )

    def begin_lineage(self, lineage: LineageRow) -> bool:
        counted = (
            update(_tokens)
            .where(
                _tokens.c.digest == lineage.token,
                _tokens.c.used < _tokens.c.most,
                ~_tokens.c.revoked,
            )
            .values(used=_tokens.c.used + 1)
        )
        # Crash before the commit: neither counted nor kept; the agent got no answer and asks again.
        with self._file.transaction() as connection:
            if connection.execute(counted).rowcount != 1:
                return False
            connection.execute(
                insert(_lineages),
                {
                    "lineage": lineage.lineage,
                    "token": lineage.token,
                    "site": lineage.site,
                    "made": lineage.made.us,
                    "node": lineage.node,
                    "released": lineage.released,
                },
            )
        return True

    def find_lineage(self, lineage: str) -> LineageRow | None:
        query = select(_lineages).where(_lineages.c.lineage == lineage)
        with self._file.transaction() as connection:
            row = connection.execute(query).first()
        if row is None:
            return None
        return LineageRow(
            lineage=row.lineage,
            token=row.token,
            site=row.site,
            made=Instant(row.made),
            node=row.node,
            released=row.released,
        )

    # --- nodes

    def bind_node(self, node: NodeRow) -> NodeRow:
        values = {
            "node": node.node,
            "site": node.site,
            "lineage": node.lineage,
            "bound": node.bound.us,
        }
        free = (
            update(_lineages)
            .where(
                _lineages.c.lineage == node.lineage,
                _lineages.c.node.in_(("", node.node)),
                ~_lineages.c.released,
            )
            .values(node=node.node)
        )
        # Both rows or none: a crash leaves no node without its lineage's word.
        with self._file.transaction() as connection:
            known = connection.execute(select(_nodes).where(_nodes.c.node == node.node)).first()
            if known is not None:
                return _node(known)
            if connection.execute(free).rowcount:
                connection.execute(insert(_nodes), values)
                return node
        return NodeRow(node=node.node, site="", lineage="", bound=node.bound)

    def load_nodes(self) -> tuple[NodeRow, ...]:
        with self._file.transaction() as connection:
            rows = connection.execute(select(_nodes).order_by(_nodes.c.node)).all()
        return tuple(_node(row) for row in rows)

    def release_node(self, node: str) -> bool:
        with self._file.transaction() as connection:
            connection.execute(
                update(_lineages).where(_lineages.c.node == node).values(released=True)
            )
            return bool(connection.execute(delete(_nodes).where(_nodes.c.node == node)).rowcount)

    # --- messages

    def find_newest(self, node: str) -> MessageRow | None:
        with self._file.transaction() as connection:
            return _newest(connection, node)

    def save_message(self, message: MessageRow, sightings: Sequence[SightingRow]) -> None:
        # Crash before the commit: nothing of the message is there; the agent got no answer and sends it again.
        with self._file.transaction() as connection:
            newest = _newest(connection, message.node)
            if newest is not None and newest.sha256 == message.sha256:
                connection.execute(
                    update(_messages)
                    .where(_messages.c.node == message.node, _messages.c.sha256 == message.sha256)
                    .where(_messages.c.first == newest.first.us)
                    .values(last=message.last.us)
                )
            else:
                connection.execute(insert(_messages), _message_values(message))
                _keep_newest(connection, _messages, message.node, MESSAGES_KEPT)
            if sightings:
                _save_sightings(connection, sightings)
                _keep_sightings(connection, message.node)

    def iterate_newest(self) -> Iterator[MessageRow]:
        after = ""
        newest = (
            select(func.max(_messages.c.id))
            .where(_messages.c.node > bindparam("after"))
            .group_by(_messages.c.node)
            .order_by(_messages.c.node)
            .limit(64)
        )
        query = select(_messages).where(_messages.c.id.in_(newest)).order_by(_messages.c.node)
        while True:
            # A few at a time: a message may have a megabyte.
            with self._file.transaction() as connection:
                rows = connection.execute(query, {"after": after}).all()
            yield from (_message(row) for row in rows)
            if len(rows) < 64:
                return
            after = rows[-1].node

    def iterate_sightings(self) -> Iterator[SightingRow]:
        key = (_sightings.c.serial, _sightings.c.uuid, _sightings.c.node)
        query: Select[Any] = select(_sightings).order_by(*key).limit(_PAGE)
        rows: Sequence[Row[Any]] = ()
        while True:
            page = query
            if rows:
                last = rows[-1]
                page = query.where(tuple_(*key) > (last.serial, last.uuid, last.node))
            with self._file.transaction() as connection:
                rows = connection.execute(page).all()
            yield from (_sighting(row) for row in rows)
            if len(rows) < _PAGE:
                return

    # --- evidence

    def save_nonce(self, node: str, nonce: str, made: Instant) -> None:
        with self._file.transaction() as connection:
            connection.execute(insert(_nonces), {"nonce": nonce, "node": node, "made": made.us})
            newest = (
                select(_nonces.c.nonce)
                .where(_nonces.c.node == node)
                .order_by(_nonces.c.made.desc())
                .limit(NONCES_KEPT)
            )
            connection.execute(
                delete(_nonces).where(_nonces.c.node == node, _nonces.c.nonce.not_in(newest))
            )

    def take_nonces(self, node: str, nonces: Sequence[str], since: Instant) -> tuple[str, ...]:
        wanted = (_nonces.c.node == node) & _nonces.c.nonce.in_(nonces[:512])
        with self._file.transaction() as connection:
            query = select(_nonces.c.nonce).where(wanted, _nonces.c.made >= since.us)
            found = tuple(connection.scalars(query))
            # Crash before the commit: not taken, and the evidence that it came with is not kept either.
            connection.execute(delete(_nonces).where(wanted))
        return found

    def save_evidence(self, evidence: EvidenceRow) -> None:
        values = {
            "node": evidence.node,
            "received": evidence.received.us,
            "sha256": evidence.sha256,
            "nonce": evidence.nonce,
            "body": evidence.body,
        }
        with self._file.transaction() as connection:
            connection.execute(insert(_evidence), values)
            _keep_newest(connection, _evidence, evidence.node, EVIDENCE_KEPT)

    def load_evidence(self, node: str) -> tuple[EvidenceRow, ...]:
        query = select(_evidence).where(_evidence.c.node == node).order_by(_evidence.c.id.desc())
        with self._file.transaction() as connection:
            return tuple(
                EvidenceRow(
                    node=row.node,
                    received=Instant(row.received),
                    sha256=row.sha256,
                    nonce=row.nonce,
                    body=row.body,
                )
                for row in connection.execute(query)
            )


def _newest(connection: Connection, node: str) -> MessageRow | None:
    query = select(_messages).where(_messages.c.node == node).order_by(_messages.c.id.desc())
    row = connection.execute(query.limit(1)).first()
    return None if row is None else _message(row)


def _keep_newest(connection: Connection, table: Table, node: str, count: int) -> None:
    newest = select(table.c.id).where(table.c.node == node).order_by(table.c.id.desc()).limit(count)
    connection.execute(delete(table).where(table.c.node == node, table.c.id.not_in(newest)))


def _save_sightings(connection: Connection, sightings: Sequence[SightingRow]) -> None:
    values = [
        {
            "serial": row.serial,
            "uuid": row.uuid,
            "node": row.node,
            "site": row.site,
            "first": row.first.us,
            "last": row.last.us,
        }
        for row in sightings
    ]
    statement = upsert(_sightings)
    changed = {"last": statement.excluded.last, "site": statement.excluded.site}
    connection.execute(
        statement.on_conflict_do_update(index_elements=["serial", "uuid", "node"], set_=changed),
        values,
    )


def _keep_sightings(connection: Connection, node: str) -> None:
    """A node that invents serials pushes out its own oldest, nobody else's."""
    own = _sightings.c.node == node
    count = connection.execute(select(func.count()).select_from(_sightings).where(own)).scalar_one()
    if count > SIGHTINGS_KEPT:
        ordered = select(_sightings.c.last).where(own).order_by(_sightings.c.last.desc())
        oldest = connection.execute(ordered.offset(SIGHTINGS_KEPT - 1).limit(1)).scalar_one()
        connection.execute(delete(_sightings).where(own, _sightings.c.last < oldest))


def _token(row: Row[Any]) -> FleetToken:
    return FleetToken(
        digest=row.digest,
        site=row.site,
        made=Instant(row.made),
        expires=Instant(row.expires),
        most=row.most,
        used=row.used,
        revoked=row.revoked,
    )


def _node(row: Row[Any]) -> NodeRow:
    return NodeRow(node=row.node, site=row.site, lineage=row.lineage, bound=Instant(row.bound))


def _message_values(message: MessageRow) -> dict[str, object]:
    return {
        "node": message.node,
        "site": message.site,
        "sha256": message.sha256,
        "first": message.first.us,
        "last": message.last.us,
        "booted": None if message.booted is None else message.booted.us,
        "body": message.body,
    }


def _message(row: Row[Any]) -> MessageRow:
    return MessageRow(
        node=row.node,
        site=row.site,
        sha256=row.sha256,
        first=Instant(row.first),
        last=Instant(row.last),
        booted=None if row.booted is None else Instant(row.booted),
        body=row.body,
    )


def _sighting(row: Row[Any]) -> SightingRow:
    return SightingRow(
        serial=row.serial,
        uuid=row.uuid,
        node=row.node,
        site=row.site,
        first=Instant(row.first),
        last=Instant(row.last),
    )
