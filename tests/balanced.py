"""A register whose ledgers say what a test wants, and what keeps the reports made of it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path

from msgspec.structs import replace

from sekisho.adapters.storage.register_sql import RegisterSql, open_register
from sekisho.adapters.storage.report_files import ReportFiles
from sekisho.model.custody import Movement, Standing
from sekisho.operations.register.balancing import Balances
from sekisho.operations.register.producing import Productions
from sekisho.ports.register_store import Change, EventRow, LineRow
from tests.registered import batch, captured, event
from tests.registry.balance.worlds import TERMS, World

__all__ = ["Ledger", "salts"]


class Ledger:
    """A store in a folder with the areas of `worlds.TERMS`; each `write` is one batch of events and lines."""

    def __init__(self, folder: Path) -> None:
        self.store: RegisterSql = open_register(folder / "register.sqlite")
        self.reports = ReportFiles(folder / "balances")
        self.balances = Balances(self.store, TERMS, self.reports)
        self.productions = Productions(self.store, self.reports)
        self._batch = 0
        self._events = 0

    def write(
        self,
        lines: Iterable[LineRow] = (),
        standings: Iterable[Standing] = (),
        movements: Iterable[Movement] = (),
    ) -> None:
        """Lines are given the number of an event of their own."""
        self._batch += 1
        rows: list[LineRow] = []
        events: list[EventRow] = []
        for line in lines:
            self._events += 1
            rows.append(replace(line, number=self._events))
            events.append(
                event(
                    self._events,
                    at=line.at,
                    batch=self._batch,
                    place=len(events),
                    capture=self._name,
                )
            )
        self.store.save(
            Change(
                captures=(captured(self._name, events=len(events)),),
                events=tuple(events),
                standings={standing.epc: standing for standing in standings},
                movements={movement.reference: movement for movement in movements},
                lines=tuple(rows),
                batch=batch(self._batch, events=len(events)) if events else None,
            )
        )

    def tell(self, world: World) -> None:
        """Everything that a small world came to."""
        last = [world.folded(epc)[-1][1] for epc in world.path]
        self.write(world.lines, [standing for standing in last if standing is not None])

    @property
    def _name(self) -> str:
        return f"c{self._batch}"


def salts() -> Callable[[int], bytes]:
    """A draw that gives 16 other bytes each time."""
    state = [0]

    def draw(size: int) -> bytes:
        state[0] += 1
        return state[0].to_bytes(size, "big")

    return draw
