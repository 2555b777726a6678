"""Rows that follow from events, as the values that they stand for: chips, shipments, alerts, balance lines."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, get_args

import msgspec
from sqlalchemy import Connection, Row, Select, select

from sekisho.adapters.storage.register_packing import narrow, pack, plain, unpack, widen
from sekisho.adapters.storage.register_rows import Ids, instant
from sekisho.adapters.storage.register_schema import alerts, lines, standings
from sekisho.adapters.storage.register_words import Vocabulary
from sekisho.model.custody import Component, Identity, LifeState, Movement, Standing
from sekisho.model.errors import Corrupt
from sekisho.model.instants import Instant
from sekisho.ports.register_store import AlertRow, LineRow

__all__ = [
    "ALERTS",
    "LINES",
    "STANDINGS",
    "alert_of",
    "encode",
    "line_of",
    "movement_of",
    "movement_row",
    "standing_row",
    "standing_words",
    "standings_of",
]

STANDINGS: Select[Any] = select(standings)
ALERTS: Select[Any] = select(alerts)
LINES: Select[Any] = select(lines)
_COMPONENTS, _STATES = frozenset(get_args(Component)), frozenset(get_args(LifeState))


# --- standings and movements ----------------------------------------------------------------


def standing_words(row: Standing) -> tuple[str, ...]:
    """All words that a standing's row needs, the dimensions first and in their order."""
    who = row.identity
    return (
        who.component,
        who.model,
        row.state,
        row.custodian,
        row.holder,
        row.owner,
        row.site,
        row.country,
        who.maker,
    )


def standing_row(row: Standing, words: Ids, epcs: Ids) -> tuple[object, ...]:
    """In the order of the columns of `standings`."""
    who = row.identity
    return (
        epcs[row.epc],
        *(words[word] for word in standing_words(row)),
        plain(who.serial),
        narrow(who.device_key) if who.device_key else None,
        epcs[row.parent] if row.parent else None,
        plain(row.movement),
        plain(row.licence),
        row.made.us,
        row.at.us,
        row.number,
    )


def standings_of(
    rows: Sequence[Row[Any]], vocabulary: Vocabulary, connection: Connection
) -> list[Standing]:
    """Rows of `STANDINGS` as standings."""
    ids: set[int] = set()
    named: set[int] = set()
    for row in rows:
        ids.update(row[1:10])
        named.add(row[0])
    named.update(row.parent for row in rows if row.parent is not None)
    words = vocabulary.words.texts(connection, ids)
    epcs = vocabulary.epcs.texts(connection, named)
    return [_standing_of(row, words, epcs) for row in rows]


def _standing_of(row: Sequence[Any], words: Mapping[int, str], epcs: Mapping[int, str]) -> Standing:
    """Written out, since a capture reads a standing for each of its chips."""
    component, model, state, custodian, holder, owner, site, country, maker = row[1:10]
    serial, device_key, parent, movement, licence, made, at, number = row[10:]
    if (
        words[component] not in _COMPONENTS
        or words[state] not in _STATES
        or not isinstance(serial, str)
        or not isinstance(movement, str)
    ):
        raise Corrupt(f"{epcs[row[0]]} stands as nothing can", remedy="rebuild the register")
    return Standing(
        epc=epcs[row[0]],
        identity=Identity(
            component=words[component],  # type: ignore[arg-type]  # it is one of them
            maker=words[maker],
            serial=serial,
            model=words[model],
            device_key="" if device_key is None else widen(device_key),
        ),
        state=words[state],  # type: ignore[arg-type]  # it is one of them
        custodian=words[custodian],
        holder=words[holder],
        owner=words[owner],
        site=words[site],
        country=words[country],
        parent="" if parent is None else epcs[parent],
        movement=movement,
        licence=licence,
        made=instant(made),
        at=instant(at),
        number=number,
    )


def _write_instant(value: object) -> object:
    if isinstance(value, Instant):
        return value.us
    raise NotImplementedError


def _read_instant(kind: type, value: object) -> object:
    if kind is Instant:
        return instant(value)
    raise NotImplementedError


_encoder = msgspec.json.Encoder(enc_hook=_write_instant)
_movement = msgspec.json.Decoder(Movement, dec_hook=_read_instant)


def encode(value: object) -> bytes:
    """A value of ours as JSON with times in microseconds, its fields in their order: for columns and comparing."""
    return _encoder.encode(value)


def movement_row(row: Movement, words: Ids) -> tuple[object, ...]:
    """In the order of the columns of `movements`."""
    return (plain(row.reference), words[row.state], row.due.us, pack(_encoder.encode(row)))


def movement_of(document: object) -> Movement:
    """The document of a row of `movements` as a movement."""
    try:
        return _movement.decode(unpack(document))
    except msgspec.MsgspecError:
        raise Corrupt(
            "a movement in the register's database is none", remedy="rebuild the register"
        ) from None


# --- alerts and lines -----------------------------------------------------------------------


def alert_of(row: Row[Any], words: Mapping[int, str], epcs: Mapping[int, str]) -> AlertRow:
    """A row of `ALERTS` as an alert."""
    return AlertRow(
        number=row.number,
        code=words[row.code],
        epc=epcs[row.epc],
        detail=row.detail,
        refused=bool(row.refused),
        raised=instant(row.raised),
        leaf=widen(row.leaf),
        place=row.place,
    )


def line_of(row: Row[Any], words: Mapping[int, str], epcs: Mapping[int, str]) -> LineRow:
    """A row of `LINES` as a line."""
    return LineRow(
        number=row.number,
        area=words[row.area],
        code=words[row.code],
        epc=epcs[row.epc],
        at=instant(row.at),
        other=words[row.other],
        reverses=bool(row.reverses),
        place=row.place,
    )
