"""A dry run: what this machine shows an observer now, means by means, in three verdicts. Nothing is stated."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import msgspec

from sekisho.model.errors import InvalidInput, SekishoError
from sekisho.model.instants import Instant
from sekisho.observer.instruments import Panel
from sekisho.observer.observe import Look
from sekisho.observer.seeing import Surveyor
from sekisho.observer.settings import InstrumentSettings
from sekisho.ports.instruments import Instrument, Shown
from sekisho.ports.work_finder import WorkFinder

__all__ = ["SeenMeans", "check_sight"]

_INIT_PID = 1
_PROBE = "sekisho-observe-check"


class SeenMeans(msgspec.Struct, frozen=True, kw_only=True):
    """One means: it can be read (holds), answers what cannot be read (fails), or shows nothing (unverifiable)."""

    means: str
    verdict: Literal["holds", "fails", "unverifiable"]
    detail: str


def check_sight(surveyor: Surveyor, *, now: Instant, user: int) -> tuple[SeenMeans, ...]:
    """Every means that an observation of this machine would rest on. `user` is the observer's own uid."""
    try:
        found = [_check_table(surveyor.look(now), user)]
    except SekishoError as error:
        found = [_failed("process table", error)]
    found += [_check_finder(finder) for finder in surveyor.finders]
    found += _check_instruments(surveyor.panel, now)
    return tuple(found)


def _check_table(look: Look, user: int) -> SeenMeans:
    count, users = len(look.table.rows), {row.user for row in look.table.rows}
    if all(row.pid != _INIT_PID for row in look.table.rows):
        return SeenMeans(
            means="process table",
            verdict="unverifiable",
            detail=f"uid {user} is shown {count} processes and not all: /proc is mounted with hidepid",
        )
    return SeenMeans(
        means="process table",
        verdict="holds",
        detail=f"{count} processes of {len(users)} users, seen by uid {user}",
    )


def _check_finder(finder: WorkFinder) -> SeenMeans:
    try:
        finder.find(_PROBE)
    except SekishoError as error:
        return _failed(finder.name, error)
    return SeenMeans(means=finder.name, verdict="holds", detail="it can be asked")


def _check_instruments(panel: Panel, now: Instant) -> Sequence[SeenMeans]:
    if not panel.instruments:
        nothing = "observer.json names none: a halt is corroborated by the process table alone"
        return [SeenMeans(means="instruments", verdict="unverifiable", detail=nothing)]
    return [_check_instrument(settings, one, now) for settings, one in panel.instruments]


def _check_instrument(
    settings: InstrumentSettings, instrument: Instrument, now: Instant
) -> SeenMeans:
    try:
        shown = instrument.read(now.plus(-settings.fresh_s))
    except SekishoError as error:
        return _failed(settings.name, error)
    levels = {level.quantity for level in settings.at_rest}
    missing = levels - {figure.quantity for figure in shown}
    ages = [now.since(figure.measured) for figure in shown if figure.measured is not None]
    if missing:
        detail = f"shows no {', '.join(sorted(missing))}"
        return SeenMeans(means=settings.name, verdict="unverifiable", detail=detail)
    if ages and min(ages) > settings.fresh_s:
        detail = f"its newest figure is {min(ages):.0f} s old, {settings.fresh_s} s are allowed"
        return SeenMeans(means=settings.name, verdict="unverifiable", detail=detail)
    return SeenMeans(means=settings.name, verdict="holds", detail=_told(settings, shown))


def _told(settings: InstrumentSettings, shown: Sequence[Shown]) -> str:
    """The highest figure of each quantity beside its level of rest: a host that works shows more, and should."""
    lines = []
    for level in settings.at_rest:
        figures = [figure for figure in shown if figure.quantity == level.quantity]
        highest = max(figure.value for figure in figures)
        unit = "W" if level.quantity == "power" else "percent"
        lines.append(
            f"{level.quantity}: {len(figures)} shown, highest {highest:f} {unit}, "
            f"at rest up to {level.value} {unit}"
        )
    return "; ".join(lines)


def _failed(means: str, error: SekishoError) -> SeenMeans:
    verdict: Literal["fails", "unverifiable"] = (
        "fails" if isinstance(error, InvalidInput) else "unverifiable"
    )
    return SeenMeans(means=means, verdict=verdict, detail=str(error))
