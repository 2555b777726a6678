"""What this machine shows an observer: looks at processes and instruments, by whatever means its site named."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Sequence

from sekisho.model.errors import SekishoError
from sekisho.model.instants import Instant
from sekisho.observer.instruments import InstrumentLook, Panel, state_instruments
from sekisho.observer.observe import HaltClaim, Look, Sight
from sekisho.observer.past import PastProcesses
from sekisho.observer.process_table import ProcessTable
from sekisho.observer.settings import ObserverSettings
from sekisho.observer.strangers import find_strangers
from sekisho.observer.work_tree import TreeSelectors
from sekisho.ports.work_finder import WorkFinder, WorkMarks

__all__ = ["Surveyor"]

_LONGEST_LIMIT = 300


class Surveyor:
    """The eyes of an observer: its site's settings, instruments, schedulers, and what it remembers of processes."""

    def __init__(
        self,
        read_table: Callable[[], ProcessTable],
        *,
        settings: ObserverSettings | None = None,
        panel: Panel | None = None,
        finders: Sequence[WorkFinder] = (),
    ) -> None:
        self.settings = settings or ObserverSettings()
        self.panel = panel or Panel()
        self._read_table = read_table
        self.finders = tuple(finders)
        self._past = PastProcesses()
        self._own = frozenset({os.getpid()})

    def look(self, at: Instant) -> Look:
        """One look at the process table, which is remembered."""
        table = self._read_table()
        if self.settings.remember_every_s:
            self._past.note(table)
        return Look(at=at, table=table)

    def note_marks(self) -> None:
        """Have every scheduler's finder learn whose work is whose; who does not answer now is asked again."""
        for finder in self.finders:
            with contextlib.suppress(SekishoError):
                finder.note()

    def see(
        self, claim: HaltClaim, looks: Sequence[Look], shown: Sequence[InstrumentLook]
    ) -> Sight:
        """All that the looks and the instruments say about one claim, besides the first look and the last."""
        marks, unfound = self._find(claim.run)
        shown = [look for look in shown if look.settings.host in (None, claim.host)]
        first, last = looks[0], looks[-1]
        interval = last.at.since(first.at)
        selectors = TreeSelectors(run=claim.run or claim.host, others=self._own, marks=marks)
        holders = {pid for look in shown for figure in look.shown for pid in figure.holders}
        strangers = find_strangers(
            (first.table, last.table),
            holders,
            self.settings.strangers,
            interval_s=interval,
            others=self._own,
        )
        readings, limits = state_instruments(
            shown, claimed=claim.given, until=last.at, devices=claim.devices
        )
        return Sight(
            between=tuple(looks[1:-1]),
            marks=marks,
            known=self._past.work(selectors) | strangers,
            instruments=readings,
            limits=(*unfound, *limits, *self._forgetful()),
            means=self._means(claim.host),
        )

    def _find(self, run: str) -> tuple[WorkMarks, tuple[str, ...]]:
        """Where schedulers put the run; who does not answer is a limit."""
        groups, jobs, limits = list(self.settings.work.groups), set[int](), []
        every_job = False
        for finder in self.finders:
            try:
                marks = finder.find(run)
            except SekishoError as error:
                limits.append(f"{finder.name}: {error}"[:_LONGEST_LIMIT])
                continue
            groups += marks.groups
            jobs |= set(marks.jobs)
            every_job = every_job or marks.every_job
        found = WorkMarks(groups=tuple(groups), jobs=tuple(sorted(jobs)), every_job=every_job)
        return found, tuple(limits)

    def _forgetful(self) -> tuple[str, ...]:
        if not self.settings.remember_every_s:
            return ("the observer does not remember what processes were before",)
        return ("the host has more processes than can be remembered",) if self._past.is_cut else ()

    def _means(self, host: str) -> str:
        named = [f"work of {finder.name}" for finder in self.finders]
        rule = self.settings.strangers
        if rule is not None:
            named.append(f"strangers count as work, exempt for: {rule.reason}")
        means = self.panel.means(host)
        if means:
            named.append(means)
        return "; ".join(named)
