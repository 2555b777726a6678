"""Everything that a register derived, in an order that another register of the same events has too."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from sqlalchemy import Connection, Select, select

from sekisho.adapters.storage.register_chip_rows import (
    ALERTS,
    LINES,
    encode,
    movement_of,
)
from sekisho.adapters.storage.register_engine import RegisterEngine
from sekisho.adapters.storage.register_rows import (
    OUTCOMES,
)
from sekisho.adapters.storage.register_saving import BY_EVENT
from sekisho.adapters.storage.register_schema import (
    DIMENSIONS,
    alerts,
    epcs,
    lines,
    movements,
    outcomes,
    touches,
    waits,
    words,
)
from sekisho.adapters.storage.register_standing import StandingReading
from sekisho.adapters.storage.register_words import Vocabulary

__all__ = ["DerivedReading"]

PAGE = 1_000
Derived = Iterator[tuple[str, bytes]]


class DerivedReading:
    """Pages of derived rows, each of one moment: nobody writes while two registers are compared."""

    def __init__(
        self,
        engine: RegisterEngine,
        vocabulary: Vocabulary,
        reading: StandingReading,
    ) -> None:
        self._engine = engine
        self._vocabulary = vocabulary
        self._reading = reading

    def everything(self) -> Derived:
        """By EPC, by event, by movement, by area, then the counts."""
        yield from self._of_epcs()
        yield from self._of_events()
        yield from self._of_movements()
        yield from self._of_areas()
        with self._engine.reading() as connection:
            counts = self._reading.holdings(connection, DIMENSIONS, None)  # type: ignore[arg-type]  # they are the dimensions
        for holding in counts:
            yield f"holding/{'/'.join(holding.values)}", encode(holding.count)

    def _of_epcs(self) -> Derived:
        last = ""
        while True:
            with self._engine.reading() as connection:
                query = select(epcs.c.id, epcs.c.epc).where(epcs.c.epc > last)
                page = connection.execute(query.order_by(epcs.c.epc).limit(PAGE)).all()
                found = self._of_these(connection, {row.epc: row.id for row in page})
            yield from found
            if len(page) < PAGE:
                return
            last = page[-1].epc

    def _of_these(self, connection: Connection, named: dict[str, int]) -> list[tuple[str, bytes]]:
        ids = {"wanted": self._engine.wanted(list(named.values()))}
        standing = self._reading.standings(connection, list(named))
        inside = self._reading.containers(connection, list(named))
        touched: dict[int, list[tuple[int, str]]] = {}
        query = select(touches).where(self._engine.among(touches.c.epc, "wanted"))
        rows = connection.execute(query, ids).all()
        roles = self._vocabulary.words.texts(connection, {row.role for row in rows})
        for row in rows:
            touched.setdefault(row.epc, []).append((row.number, roles[row.role]))
        waiting: dict[int, list[int]] = {}
        query = select(waits).where(self._engine.among(waits.c.epc, "wanted"))
        for row in connection.execute(query, ids):
            waiting.setdefault(row.epc, []).append(row.number)
        found: list[tuple[str, bytes]] = []
        for epc, number in named.items():
            if epc in standing:
                found.append((f"standing/{epc}", encode(standing[epc])))
            if epc in inside:
                found.append((f"container/{epc}", encode(inside[epc])))
            if number in touched:
                found.append((f"touches/{epc}", encode(sorted(touched[number]))))
            if number in waiting:
                found.append((f"waits/{epc}", encode(sorted(waiting[number]))))
        return found

    def _of_events(self) -> Derived:
        names = {code: word for word, code in OUTCOMES.items()}
        query = select(outcomes).order_by(outcomes.c.number)
        for page in self._pages(lambda last: query.where(outcomes.c.number > last)):
            for row in page:
                told = (names.get(row.outcome), row.effect, row.batch, row.voided_by)
                yield f"outcome/{row.number}", encode(told)
        by_event = ALERTS.where(alerts.c.stands == BY_EVENT)
        last = -1
        while True:
            with self._engine.reading() as connection:
                numbers = connection.scalars(
                    select(alerts.c.number)
                    .where(alerts.c.number > last, alerts.c.stands == BY_EVENT)
                    .distinct()
                    .order_by(alerts.c.number)
                    .limit(PAGE)
                ).all()
                among = by_event.where(self._engine.among(alerts.c.number, "wanted"))
                wanted = {"wanted": self._engine.wanted(numbers)}
                found = self._reading.decode_alerts(connection, among.params(wanted))
            for alert in sorted(found, key=lambda a: (a.number, a.code, a.epc)):
                why = (alert.detail, alert.refused, alert.raised)
                yield f"alert/{alert.number}/{alert.code}/{alert.epc}", encode(why)
            if len(numbers) < PAGE:
                return
            last = numbers[-1]

    def _of_movements(self) -> Derived:
        query = select(movements).order_by(movements.c.reference)
        for page in self._pages(lambda last: query.where(movements.c.reference > last), ""):
            for row in page:
                yield f"movement/{row.reference}", encode(movement_of(row.document))

    def _of_areas(self) -> Derived:
        with self._engine.reading() as connection:
            query = select(words.c.word, words.c.id).where(
                words.c.id.in_(select(lines.c.area).distinct())
            )
            areas = connection.execute(query.order_by(words.c.word)).all()
        for word, area in areas:
            last = 0
            while True:
                ordered = LINES.where(lines.c.area == area, lines.c.place > last)
                with self._engine.reading() as connection:
                    page = self._reading.decode_lines(
                        connection, ordered.order_by(lines.c.place).limit(PAGE)
                    )
                for line in page:
                    told = (line.number, line.code, line.epc, line.at, line.other, line.reverses)
                    yield f"line/{word}", encode(told)
                if len(page) < PAGE:
                    break
                last = page[-1].place

    def _pages(
        self, behind: Callable[[Any], Select[Any]], first: int | str = -1
    ) -> Iterator[list[Any]]:
        """Pages of a query by its first column."""
        last: Any = first
        while True:
            with self._engine.reading() as connection:
                page = connection.execute(behind(last).limit(PAGE)).all()
            yield list(page)
            if len(page) < PAGE:
                return
            last = page[-1][0]
