"""Units as senders write them (UCUM, and what people write instead), by the unit in which a field's scale begins."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from sekisho.model.telemetry import FIELDS

__all__ = ["factor_of", "units_of"]

_SHARE: Final = {"1": 1.0, "ratio": 1.0, "%": 0.01, "percent": 0.01}
_CLOCK: Final = {"Hz": 0.001, "kHz": 1.0, "MHz": 1e3, "GHz": 1e6}
_POWER: Final = {"W": 1.0, "mW": 0.001, "kW": 1e3, "watts": 1.0}
_ENERGY: Final = {
    "J": 1.0,
    "mJ": 0.001,
    "kJ": 1e3,
    "MJ": 1e6,
    "joules": 1.0,
    "W.h": 3600.0,
    "Wh": 3600.0,
    "kW.h": 3.6e6,
    "kWh": 3.6e6,
}
_BYTES: Final = {
    "By": 1.0,
    "B": 1.0,
    "bytes": 1.0,
    "byte": 1.0,
    "kBy": 1e3,
    "kB": 1e3,
    "MBy": 1e6,
    "MB": 1e6,
    "GBy": 1e9,
    "GB": 1e9,
    "KiBy": 2.0**10,
    "KiB": 2.0**10,
    "MiBy": 2.0**20,
    "MiB": 2.0**20,
    "GiBy": 2.0**30,
    "GiB": 2.0**30,
}
_MEMORY: Final = {unit: factor / 1024 for unit, factor in _BYTES.items()}
_RATE: Final = {f"{unit}/s": factor for unit, factor in _BYTES.items()}
_PLAIN: Final = {"1": 1.0}

_BY_UNIT: Final[Mapping[str, Mapping[str, float]]] = {
    "ppm": _SHARE,
    "kHz": _CLOCK,
    "mW": _POWER,
    "mJ": _ENERGY,
    "KiB": _MEMORY,
    "byte/s": _RATE,
    "code": _PLAIN,
}


def factor_of(field: str, unit: str) -> float | None:
    """What a value in `unit` is multiplied with to stand in the field's base unit; None for a unit not known."""
    return _BY_UNIT[FIELDS[field].unit].get(unit)


def units_of(field: str) -> tuple[str, ...]:
    """The units that are known for a field."""
    return tuple(_BY_UNIT[FIELDS[field].unit])
