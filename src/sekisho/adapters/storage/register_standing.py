"""What a register's database is asked about chips: standings, containers, movements, counts, balance lines, alerts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, func, select

from sekisho.adapters.storage.register_chip_rows import (
    ALERTS,
    LINES,
    STANDINGS,
    alert_of,
    line_of,
    movement_of,
    standings_of,
)
from sekisho.adapters.storage.register_engine import RegisterEngine
from sekisho.adapters.storage.register_packing import is_plain, narrow
from sekisho.adapters.storage.register_saving import FORGOTTEN
from sekisho.adapters.storage.register_schema import (
    DIMENSIONS,
    alerts,
    batches,
    containment,
    epcs,
    holdings,
    lines,
    movements,
    standings,
)
from sekisho.adapters.storage.register_words import Vocabulary
from sekisho.model.custody import Movement, Standing
from sekisho.model.instants import Instant
from sekisho.ports.register_store import AlertRow, Dimension, Holding, LineRow

__all__ = ["StandingReading"]

FEW = 20_000
"""So many standings are found by an index and put in order; more are read along the order of their EPCs."""

Where = Mapping[Dimension, Sequence[str]]


class StandingReading:
    """Questions to one database; each takes the connection of a transaction that the caller opened."""

    def __init__(self, engine: RegisterEngine, vocabulary: Vocabulary) -> None:
        self._engine = engine
        self._vocabulary = vocabulary
        self._standings = STANDINGS.where(engine.among(standings.c.epc, "wanted"))
        self._inside = (
            select(containment.c.parent, epcs.c.epc)
            .join(epcs, epcs.c.id == containment.c.epc)
            .where(engine.among(containment.c.parent, "wanted"))
            .order_by(epcs.c.epc)
        )
        self._containers = select(containment.c.epc, containment.c.parent).where(
            engine.among(containment.c.epc, "wanted")
        )
        self._movements = select(movements.c.document).where(
            engine.among(movements.c.reference, "wanted")
        )
        self._serials = (
            select(standings.c.maker, standings.c.serial, standings.c.epc)
            .where(engine.among(standings.c.serial, "wanted"))
            .order_by(standings.c.number, standings.c.epc)
        )

    def standings(self, connection: Connection, names: Sequence[str]) -> dict[str, Standing]:
        ids = self._vocabulary.epcs.ids(connection, names)
        if not ids:
            return {}
        found = self._decode(connection, self._standings, sorted(ids.values()))
        return {standing.epc: standing for standing in found}

    def inside(self, connection: Connection, names: Sequence[str]) -> dict[str, tuple[str, ...]]:
        ids = self._vocabulary.epcs.ids(connection, names)
        if not ids:
            return {}
        named = {number: name for name, number in ids.items()}
        found: dict[str, list[str]] = {}
        wanted = {"wanted": self._engine.wanted(sorted(named))}
        for parent, epc in connection.execute(self._inside, wanted):
            found.setdefault(named[parent], []).append(epc)
        return {parent: tuple(content) for parent, content in found.items()}

    def containers(self, connection: Connection, names: Sequence[str]) -> dict[str, str]:
        ids = self._vocabulary.epcs.ids(connection, names)
        if not ids:
            return {}
        wanted = {"wanted": self._engine.wanted(sorted(ids.values()))}
        pairs = {row[0]: row[1] for row in connection.execute(self._containers, wanted)}
        texts = self._vocabulary.epcs.texts(connection, set(pairs.values()))
        return {name: texts[pairs[n]] for name, n in ids.items() if n in pairs}

    def movements(self, connection: Connection, references: Sequence[str]) -> dict[str, Movement]:
        wanted = {"wanted": self._engine.wanted(filter(is_plain, references))}
        found = [movement_of(row[0]) for row in connection.execute(self._movements, wanted)]
        return {movement.reference: movement for movement in found}

    def open_movements(self, connection: Connection, due_before: Instant) -> list[Movement]:
        state = self._vocabulary.words.ids(connection, ["under-way"])
        query = (
            select(movements.c.document)
            .where(movements.c.state == state.get("under-way", 0), movements.c.due < due_before.us)
            .order_by(movements.c.due, movements.c.reference)
        )
        return [movement_of(row[0]) for row in connection.execute(query)]

    def identities(
        self, connection: Connection, serials: Sequence[tuple[str, str]]
    ) -> dict[tuple[str, str], str]:
        asked = {serial for _, serial in serials if is_plain(serial)}
        if not asked:
            return {}
        rows = connection.execute(
            self._serials, {"wanted": self._engine.wanted(sorted(asked))}
        ).all()
        makers = self._vocabulary.words.texts(connection, {row.maker for row in rows})
        pairs = {(makers[row.maker], row.serial): row.epc for row in reversed(rows)}
        pairs = {pair: pairs[pair] for pair in serials if pair in pairs}
        texts = self._vocabulary.epcs.texts(connection, set(pairs.values()))
        return {pair: texts[number] for pair, number in pairs.items()}

    def serial(self, connection: Connection, serial: str) -> tuple[str, ...]:
        """EPCs that any maker registered with this serial."""
        if not is_plain(serial):
            return ()
        wanted = {"wanted": self._engine.wanted([serial])}
        rows = connection.execute(self._serials, wanted).all()
        texts = self._vocabulary.epcs.texts(connection, {row.epc for row in rows})
        return tuple(dict.fromkeys(texts[row.epc] for row in rows))

    def device_keys(self, connection: Connection, keys: Sequence[str]) -> dict[str, str]:
        asked = {narrow(key): key for key in keys if key and is_plain(key)}
        found: dict[bytes, int] = {}
        wanted = list(asked)
        for start in range(0, len(wanted), 500):
            query = (
                select(standings.c.device_key, standings.c.epc)
                .where(standings.c.device_key.in_(wanted[start : start + 500]))
                .order_by(standings.c.number, standings.c.epc)
            )
            for key, epc in connection.execute(query):
                found.setdefault(key, epc)
        texts = self._vocabulary.epcs.texts(connection, set(found.values()))
        return {asked[key]: texts[number] for key, number in found.items()}

    def holdings(
        self, connection: Connection, by: Sequence[Dimension], where: Where | None
    ) -> list[Holding]:
        limbs = self.limbs(connection, holdings.c, where)
        if limbs is None:
            return []
        columns = [holdings.c[name] for name in by]
        query = select(*columns, func.sum(holdings.c.count).label("total")).where(*limbs)
        rows = connection.execute(query.group_by(*columns) if by else query).all()
        words = self._vocabulary.words.texts(connection, {n for row in rows for n in row[:-1]})
        found = [
            Holding(values=tuple(words[n] for n in row[:-1]), count=int(row[-1]))
            for row in rows
            if row[-1]
        ]
        return sorted(found, key=lambda holding: holding.values)

    def count(self, connection: Connection, where: Where | None) -> int:
        return sum(holding.count for holding in self.holdings(connection, (), where))

    def page(
        self, connection: Connection, where: Where | None, after: str, limit: int
    ) -> list[Standing]:
        """Standings behind an EPC, along the order of EPCs."""
        # Sums, so that no index offers itself: by the one over sites every page would gather and sort the whole site.
        limbs = self.limbs(connection, {name: standings.c[name] + 0 for name in DIMENSIONS}, where)
        if limbs is None:
            return []
        query = (
            STANDINGS.join(epcs, epcs.c.id == standings.c.epc)
            .where(epcs.c.epc > after, *limbs)
            .order_by(epcs.c.epc)
            .limit(limit)
        )
        return self._decode(connection, query, None)

    def few(self, connection: Connection, where: Where, after: str) -> list[int]:
        """The numbers of the EPCs of few standings behind an EPC, in the order of the EPCs."""
        limbs = self.limbs(connection, standings.c, where)
        if limbs is None:
            return []
        found = connection.scalars(select(standings.c.epc).where(*limbs)).all()
        texts = self._vocabulary.epcs.texts(connection, found)
        behind = [number for number in found if texts[number] > after]
        return sorted(behind, key=texts.__getitem__)

    def numbered(self, connection: Connection, ids: Sequence[int], where: Where) -> list[Standing]:
        """These standings as far as they are still asked for, in the order of their EPCs."""
        limbs = self.limbs(connection, standings.c, where)
        if limbs is None:
            return []
        found = self._decode(connection, self._standings.where(*limbs), ids)
        return sorted(found, key=lambda standing: standing.epc)

    def line_sums(
        self,
        connection: Connection,
        area: str,
        since: Instant | None,
        before: Instant,
        as_of: Instant | None,
    ) -> dict[tuple[str, bool], int]:
        limbs = self._period(connection, area, since, before)
        if limbs is None:
            return {}
        columns = (lines.c.code, lines.c.reverses)
        query = select(*columns, func.count().label("total")).where(*limbs).group_by(*columns)
        if as_of is not None:
            query = query.join(batches, batches.c.batch == lines.c.batch).where(
                batches.c.known <= as_of.us
            )
        rows = connection.execute(query).all()
        words = self._vocabulary.words.texts(connection, {row.code for row in rows})
        return {(words[row.code], bool(row.reverses)): int(row.total) for row in rows}

    def lines(
        self,
        connection: Connection,
        area: str,
        since: Instant | None,
        before: Instant,
        span: tuple[int, int],
    ) -> list[LineRow]:
        limbs = self._period(connection, area, since, before)
        if limbs is None:
            return []
        after, limit = span
        query = LINES.where(lines.c.place > after, *limbs).order_by(lines.c.place).limit(limit)
        return self.decode_lines(connection, query)

    def decode_lines(self, connection: Connection, query: Select[Any]) -> list[LineRow]:
        rows = connection.execute(query).all()
        named = {number for row in rows for number in (row.area, row.code, row.other)}
        words = self._vocabulary.words.texts(connection, named)
        texts = self._vocabulary.epcs.texts(connection, {row.epc for row in rows})
        return [line_of(row, words, texts) for row in rows]

    def alerts(
        self, connection: Connection, span: tuple[int, int], epc: str | None, *, newest: bool
    ) -> list[AlertRow]:
        after, limit = span
        query = ALERTS.where(alerts.c.stands != FORGOTTEN)
        if after or not newest:
            query = query.where(alerts.c.place < after if newest else alerts.c.place > after)
        if epc is not None:
            ids = self._vocabulary.epcs.ids(connection, [epc])
            query = query.where(alerts.c.epc == ids.get(epc, 0))
        order = alerts.c.place.desc() if newest else alerts.c.place
        return self.decode_alerts(connection, query.order_by(order).limit(limit))

    def decode_alerts(self, connection: Connection, query: Select[Any]) -> list[AlertRow]:
        rows = connection.execute(query).all()
        words = self._vocabulary.words.texts(connection, {row.code for row in rows})
        texts = self._vocabulary.epcs.texts(connection, {row.epc for row in rows})
        return [alert_of(row, words, texts) for row in rows]

    def limbs(
        self, connection: Connection, columns: Any, where: Where | None
    ) -> list[ColumnElement[bool]] | None:
        """Conditions on dimensions; None where a word is asked for that none has."""
        limbs: list[ColumnElement[bool]] = []
        for name, words in (where or {}).items():
            ids = self._vocabulary.words.ids(connection, words)
            if not ids:
                return None
            limbs.append(columns[name].in_(sorted(ids.values())))
        return limbs

    def _period(
        self, connection: Connection, area: str, since: Instant | None, before: Instant
    ) -> list[ColumnElement[bool]] | None:
        ids = self._vocabulary.words.ids(connection, [area])
        if not ids:
            return None
        limbs = [lines.c.area == ids[area], lines.c.at < before.us]
        return limbs if since is None else [*limbs, lines.c.at >= since.us]

    def _decode(
        self, connection: Connection, query: Select[Any], wanted: Sequence[int] | None
    ) -> list[Standing]:
        values = {} if wanted is None else {"wanted": self._engine.wanted(wanted)}
        rows = connection.execute(query, values).all()
        return standings_of(rows, self._vocabulary, connection)
