"""Reading the site's instruments at each look, and putting what they showed into a statement of bounded size.

An instrument that does not answer is named as a limit; nothing about it is ever taken as at rest.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import Final

import msgspec

from sekisho.model.errors import SekishoError
from sekisho.model.instants import Instant
from sekisho.model.statements import InstrumentReading
from sekisho.observer.settings import InstrumentSettings
from sekisho.ports.instruments import Instrument, Shown

__all__ = ["InstrumentLook", "Panel", "state_instruments"]

MOST_READINGS: Final = 256
_LONGEST_LIMIT: Final = 300


class InstrumentLook(msgspec.Struct, frozen=True, kw_only=True):
    """What one instrument showed when it was asked at an instant; `failed` says why it showed nothing."""

    settings: InstrumentSettings
    asked: Instant
    shown: tuple[Shown, ...] = ()
    failed: str = ""


class Panel:
    """All instruments of a site, each with its settings."""

    def __init__(self, instruments: Sequence[tuple[InstrumentSettings, Instrument]] = ()) -> None:
        self.instruments = tuple(instruments)

    @property
    def settles_s(self) -> int:
        """After how many seconds the slowest instrument speaks of the halt only."""
        return max((settings.settles_s for settings, _ in self.instruments), default=0)

    def means(self, host: str) -> str:
        """The levels of rest with their reasons, in words, for a statement about one host."""
        return "; ".join(
            f"{one.instrument} {level.quantity} at rest up to {level.value}: {level.reason}"
            for one, _ in self.instruments
            if one.host in (None, host)
            for level in one.at_rest
        )

    def read(self, at: Instant, since: Instant) -> tuple[InstrumentLook, ...]:
        """One look at each; `since` is when the halt was claimed. Never raises: a failure is what was seen."""
        found = []
        for settings, instrument in self.instruments:
            try:
                shown = instrument.read(since.plus(settings.settles_s))
                look = InstrumentLook(settings=settings, asked=at, shown=shown)
            except SekishoError as error:
                look = InstrumentLook(settings=settings, asked=at, failed=str(error))
            found.append(look)
        return tuple(found)

    def close(self) -> None:
        for _, instrument in self.instruments:
            instrument.close()


def state_instruments(
    looks: Iterable[InstrumentLook], *, claimed: Instant, until: Instant, devices: int
) -> tuple[tuple[InstrumentReading, ...], tuple[str, ...]]:
    """The readings for a statement, and in words what could not be read.

    `claimed` is when the halt was claimed, `until` the last look, `devices` how many the host has enrolled. Of each
    figure the first, the last and the highest reading are kept: what contradicts is never left out.
    """
    readings: list[InstrumentReading] = []
    limits: dict[str, None] = {}
    for look in looks:
        name = look.settings.name
        if look.failed:
            limits[f"{name} did not answer: {look.failed}"[:_LONGEST_LIMIT]] = None
            continue
        fit, why = _fit(look, claimed, until)
        readings += fit
        limits.update((f"{name} counts for nothing: {one}"[:_LONGEST_LIMIT], None) for one in why)
        limits.update((f"{name} {one}"[:_LONGEST_LIMIT], None) for one in _missing(look, devices))
    return _thinned(readings, limits), tuple(limits)


def _fit(
    look: InstrumentLook, claimed: Instant, until: Instant
) -> tuple[list[InstrumentReading], list[str]]:
    """The figures that speak of the halt and of now, and why others do not."""
    settings, found, why = look.settings, [], []
    levels = {level.quantity: level.value for level in settings.at_rest}
    ready = claimed.plus(settings.settles_s)
    for shown in look.shown:
        at = look.asked if shown.measured is None else shown.measured
        if shown.quantity not in levels:
            continue
        if at < ready:
            why.append(f"it may still show the time before the halt until {ready}")
        elif at > until:
            why.append(f"its clock is ahead: {at}")
        else:
            found.append(_reading(settings, shown, at, levels[shown.quantity]))
    newest = max((reading.at for reading in found), default=None)
    if newest is not None and look.asked.since(newest) > settings.fresh_s:
        return [r for r in found if _is_above(r)], [f"its newest figure is of {newest}"]
    return found, why


def _missing(look: InstrumentLook, devices: int) -> list[str]:
    """A quantity that no device shows, and fewer devices than the host has enrolled."""
    named = {shown.device for shown in look.shown if shown.device is not None}
    found = [
        f"shows no {level.quantity}"
        for level in look.settings.at_rest
        if all(shown.quantity != level.quantity for shown in look.shown)
    ]
    if look.settings.instrument in ("nvml", "dcgm") and len(named) < devices:
        found.append(f"shows {len(named)} of {devices} enrolled devices")
    return found


def _reading(
    settings: InstrumentSettings, shown: Shown, at: Instant, rest: str
) -> InstrumentReading:
    return InstrumentReading(
        at=at,
        instrument=settings.instrument,
        quantity=shown.quantity,
        value=_text(shown.value),
        unit="W" if shown.quantity == "power" else "percent",
        at_rest=rest,
        device=shown.device,
    )


def _text(value: Decimal) -> str:
    text = f"{value:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def _is_above(reading: InstrumentReading) -> bool:
    return Decimal(reading.value) > Decimal(reading.at_rest)


def _thinned(
    readings: list[InstrumentReading], limits: dict[str, None]
) -> tuple[InstrumentReading, ...]:
    of: dict[tuple[str, str, str | None], list[InstrumentReading]] = {}
    for reading in readings:
        of.setdefault((reading.instrument, reading.quantity, reading.device), []).append(reading)
    kept: list[InstrumentReading] = []
    for found in of.values():
        found.sort(key=lambda r: r.at)
        highest = max(found, key=lambda r: Decimal(r.value))
        kept += dict.fromkeys((found[0], highest, found[-1]))
    if len(kept) > MOST_READINGS:
        kept.sort(key=lambda r: Decimal(r.value) - Decimal(r.at_rest), reverse=True)
        limits[f"{len(kept) - MOST_READINGS} readings did not fit into the statement"] = None
    return tuple(sorted(kept[:MOST_READINGS], key=lambda r: (r.at, r.instrument, r.device or "")))
