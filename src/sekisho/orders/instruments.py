"""What instruments beside the process table say about a halt: above rest, at rest, or nothing. Pure.

A figure above what its observer calls "at rest" contradicts, whichever reading it is. Two figures of one instrument
and one device, at least five seconds apart and all at rest, bear a halt out. A figure that is stale or makes no sense
counts for nothing, and is said. Source: protocol section 9.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Final

import msgspec

from sekisho.model.instants import Instant
from sekisho.model.statements import InstrumentReading, ObservationMade

__all__ = ["MIN_GAP_S", "InstrumentsShow", "judge_instruments"]

MIN_GAP_S: Final = 5.0
_UNITS: Final[Mapping[str, str]] = {
    "gpu-util": "percent",
    "sm-active": "percent",
    "tensor-active": "percent",
    "power": "W",
}
_WHOLE: Final = Decimal(100)
_NAMES: Final[Mapping[str, str]] = {
    "nvml": "NVML",
    "dcgm": "DCGM",
    "bmc": "BMC",
    "facility-power": "facility meter",
}
_Key = tuple[str, str, str]


class InstrumentsShow(msgspec.Struct, frozen=True, kw_only=True):
    """`above`: figures that show work. `at_rest`: what bears the halt out. `nothing`: why others do not count."""

    above: tuple[str, ...] = ()
    at_rest: tuple[str, ...] = ()
    nothing: tuple[str, ...] = ()


def judge_instruments(observed: ObservationMade, *, given: Instant) -> InstrumentsShow:
    """What an observation's instruments show of the time after the receipt was given."""
    fit: dict[_Key, list[InstrumentReading]] = {}
    nothing: dict[str, None] = {}
    for reading in observed.instruments:
        why = _why_unfit(reading, given, observed.effective)
        if why:
            nothing[f"{_called(reading)} counts for nothing: {why}"] = None
        else:
            fit.setdefault(_key(reading), []).append(reading)
    above = tuple(_told(r) for found in fit.values() for r in found if _is_above(r))
    rests: list[InstrumentReading] = []
    for found in fit.values():
        gap = max(r.at for r in found).since(min(r.at for r in found))
        if gap >= MIN_GAP_S:
            rests.append(found[0])
        else:
            nothing[f"{_called(found[0])} was read over {gap:.1f} s only, five are asked"] = None
    return InstrumentsShow(
        above=above, at_rest=() if above else _summed(rests), nothing=tuple(nothing)
    )


def _why_unfit(reading: InstrumentReading, given: Instant, until: Instant) -> str:
    value, rest = Decimal(reading.value), Decimal(reading.at_rest)
    if reading.unit != _UNITS[reading.quantity]:
        return f"{reading.quantity} is not measured in {reading.unit}"
    if value < 0 or rest < 0:
        return "a figure below zero"
    if reading.unit == "percent" and (value > _WHOLE or rest >= _WHOLE):
        return "a share above the whole, or one that calls everything at rest"
    if reading.at < given:
        return "it is older than the receipt"
    if reading.at > until:
        return "it is dated after the observation"
    return ""


def _is_above(reading: InstrumentReading) -> bool:
    return Decimal(reading.value) > Decimal(reading.at_rest)


def _key(reading: InstrumentReading) -> _Key:
    return reading.instrument, reading.quantity, reading.device or ""


def _called(reading: InstrumentReading) -> str:
    where = f" of {reading.device}" if reading.device else ""
    return f"{_NAMES[reading.instrument]} {reading.quantity}{where}"


def _told(reading: InstrumentReading) -> str:
    return (
        f"{_called(reading)} showed {reading.value} {reading.unit} at {reading.at}, "
        f"at rest is up to {reading.at_rest} {reading.unit}"
    )


def _summed(rests: Iterable[InstrumentReading]) -> tuple[str, ...]:
    """One line an instrument: what it showed, of how many devices or of the whole host."""
    shown: dict[str, dict[str, set[str]]] = {}
    for reading in rests:
        of = shown.setdefault(_NAMES[reading.instrument], {})
        of.setdefault(reading.quantity, set()).add(reading.device or "")
    return tuple(
        f"{name} ({', '.join(f'{what} of {_where(devices)}' for what, devices in of.items())})"
        for name, of in shown.items()
    )


def _where(devices: set[str]) -> str:
    named = devices - {""}
    if not named:
        return "the whole host"
    return f"{len(named)} device{'s' if len(named) > 1 else ''}"
