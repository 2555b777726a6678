"""Taking captured events one after the other, and gathering what of the register they change.

Live capture, rebuilding and checking all fold by this, so that they cannot come apart.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from sekisho.model.custody import Movement, Standing
from sekisho.model.instants import Instant
from sekisho.operations.register.book import StoreBook
from sekisho.ports.register_store import AlertRow, Change, LineRow, RegisterStore, TouchRow
from sekisho.registry.balance import Areas, Path, lines_of, paths_asked
from sekisho.registry.custody import Captured, Outcome, Taking, path_of, take
from sekisho.registry.terms import RegisterTerms

__all__ = ["Fold", "Settled"]


class Settled(msgspec.Struct, frozen=True):
    """What became of an event: its outcome, and its effect number where it took effect."""

    outcome: Outcome
    effect: int | None


class Fold:
    """One group's folding over a store. `effect` is the newest effect number before it."""

    def __init__(
        self, store: RegisterStore, terms: RegisterTerms, areas: Areas, effect: int
    ) -> None:
        self.book = StoreBook(store)
        self.terms = terms
        self._areas = areas
        self.effect = effect
        self.outcomes: dict[int, Settled] = {}
        self._touches: dict[tuple[int, str, str], TouchRow] = {}
        self._standings: dict[str, Standing] = {}
        self._gone: dict[str, None] = {}
        self._contained: dict[str, str] = {}
        self._movements: dict[str, Movement] = {}
        self._waits: dict[int, tuple[str, ...]] = {}
        self._voided: dict[int, int] = {}
        self._alerts: dict[tuple[int, str, str], AlertRow] = {}
        self._lines: list[LineRow] = []

    def take(self, captured: Captured) -> None:
        """Take one event, and whatever it releases."""
        for taking in take(self.book, captured, self.terms):
            is_own = taking.number == captured.number
            taken = captured if is_own else self.book.find_waiting(taking.number)
            self._settle(taken, taking, captured.received)

    def change(self, fresh: Sequence[int] = ()) -> Change:
        """What all of it changes; the outcomes of events with numbers in `fresh` go with their own rows."""
        own = set(fresh)
        settled = [
            (number, found.effect)
            for number, found in self.outcomes.items()
            if number not in own and found.outcome != "waiting"
        ]
        waits = [(n, epc) for n, epcs in self._waits.items() for epc in epcs]
        return Change(
            touches=tuple(self._touches.values()),
            standings=self._standings,
            gone=tuple(self._gone),
            contained=self._contained,
            movements=self._movements,
            settled=settled,
            waits=waits,
            voided=tuple(self._voided.items()),
            alerts=tuple(self._alerts.values()),
            lines=self._lines,
        )

    def voided_by(self, number: int) -> int | None:
        """The event of this group that voided another; None where none did."""
        return self._voided.get(number)

    def _settle(self, captured: Captured, taking: Taking, now: Instant) -> None:
        self._gather_lines(captured, taking)
        effect = None
        if taking.outcome == "taken":
            self.effect += 1
            effect = self.effect
        self.outcomes[taking.number] = Settled(taking.outcome, effect)
        self._gather(captured, taking, now)

    def _gather_lines(self, captured: Captured, taking: Taking) -> None:
        """The ledger lines, asked for between what the book said before the taking and what it says after."""
        standing = self.book.standing
        before = {epc: standing(epc) for epc in _changed(taking)}
        asked = paths_asked(captured, taking, before.__getitem__)
        was = {epc: self._path(epc) for epc in asked}
        self.book.apply(captured, taking)
        paths = {epc: (was[epc], self._path(epc)) for epc in asked}
        self._lines += lines_of(captured, taking, before.__getitem__, self._areas, paths)

    def _path(self, epc: str) -> Path:
        return path_of(epc, self.book.history(epc), self.terms)

    def _gather(self, captured: Captured, taking: Taking, now: Instant) -> None:
        number = taking.number
        for touch in taking.touches:
            row = TouchRow(number=number, epc=touch.epc, role=touch.role, at=captured.event.at)
            self._touches[number, touch.epc, touch.role] = row
        for epc in taking.gone:
            self._gone[epc] = None
            self._standings.pop(epc, None)
        for epc, standing in taking.standings.items():
            self._standings[epc] = standing
            self._gone.pop(epc, None)
        self._contained.update(taking.contained)
        self._movements.update(taking.movements)
        self._waits.pop(number, None)
        if taking.outcome == "waiting":
            self._waits[number] = taking.waits_for
        if taking.voids is not None:
            self._voided[taking.voids] = number
        for alert in taking.alerts:
            self._alerts[alert.number, alert.code, alert.epc] = AlertRow(
                number=alert.number,
                code=alert.code,
                epc=alert.epc,
                detail=alert.detail,
                refused=alert.refused,
                raised=now,
            )


def _changed(taking: Taking) -> dict[str, None]:
    """The EPCs whose standing before the taking may be asked for."""
    named = (*taking.standings, *taking.gone, *(touch.epc for touch in taking.touches))
    return dict.fromkeys(named)
