"""What metrics that come over OTLP mean: names_otel.csv, and the names of dcgm-exporter that a collector carries on.

The names of GPU metrics in OpenTelemetry are not settled (semantic-conventions issue 940), so each collector has its
own; the table says whose each is, and with which unit and labels. Marks: P read in the source that is named, R not
read there and to be verified. `when` is `label|label=value|value`, an empty value for a label that may be missing.
`stated` says whether the unit that a metric states is believed: NVIDIA's fleet agent states 1 for all (P), so its
units are those of the table. Rules for what a number is:

- energy: as it stands where it is a counter or a level; a delta is read as mean power.
- bytes: a rate (By/s) as it stands; a delta of bytes is a mean rate; a running total of bytes says no rate without
  the total before it, and is passed over.
- a level as delta, and a sum of unstated temporality, say nothing that could be kept: refused.
- Xid errors as counts carry their code in a label: a count above zero says that code, none says nothing.
"""

from __future__ import annotations

import csv
from collections.abc import Mapping
from functools import lru_cache
from importlib import resources
from typing import Final, TypeAlias

import msgspec

from sekisho.adapters.telemetry.columns import Channel, Mapper, Unusable
from sekisho.adapters.telemetry.names_dcgm import dcgm_mapper
from sekisho.adapters.telemetry.naming import device_from
from sekisho.adapters.telemetry.otlp_series import CUMULATIVE, DELTA, KIND, UNCLEAR, UNIT
from sekisho.adapters.telemetry.units import factor_of, units_of
from sekisho.model.telemetry import FIELDS, DeviceSeen

__all__ = ["OtelName", "otel_mapper", "otel_names"]

_Found: TypeAlias = "tuple[Channel, DeviceSeen] | Unusable | None"


class OtelName(msgspec.Struct, frozen=True, kw_only=True):
    """One row of the table."""

    name: str
    when: tuple[tuple[tuple[str, ...], tuple[str, ...]], ...]  # labels, values: all rows of it hold
    field: str
    unit: str
    believes_unit: bool
    code: str  # the label that says the code, "" where the value does
    mark: str
    source: str


def otel_mapper(*, site: str) -> Mapper:
    """The meaning of a series by its name and labels; what is neither in the table nor DCGM's is passed over."""
    names = otel_names()
    dcgm = dcgm_mapper(site=site)

    def meaning(name: str, labels: Mapping[str, str]) -> _Found:
        rows = names.get(name)
        if rows is None:
            return dcgm(name, _with_host(labels)) if name.startswith("DCGM_") else None
        row = next((row for row in rows if _holds(row, labels)), None)
        return None if row is None else _meaning(row, labels, site)

    return meaning


def _with_host(labels: Mapping[str, str]) -> Mapping[str, str]:
    """dcgm-exporter names the host in a label of its own; where it does not, the collector's resource does."""
    host = labels.get("host.name") or labels.get("k8s.node.name", "")
    return labels if labels.get("Hostname") or not host else {**labels, "Hostname": host}


@lru_cache(maxsize=1)
def otel_names() -> Mapping[str, tuple[OtelName, ...]]:
    """The table by name; several rows of one name differ in their labels."""
    text = (resources.files("sekisho.adapters.telemetry") / "names_otel.csv").read_text("utf-8")
    found: dict[str, tuple[OtelName, ...]] = {}
    for row in csv.DictReader(text.splitlines()):
        name = OtelName(
            name=row["name"],
            when=tuple(_condition(part) for part in row["when"].split(";") if part),
            field=row["field"],
            unit=row["unit"],
            believes_unit=row["stated"] == "yes",
            code=row["code"],
            mark=row["mark"],
            source=row["source"],
        )
        found[name.name] = (*found.get(name.name, ()), name)
    return found


def _condition(part: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    labels, _, values = part.partition("=")
    return tuple(labels.split("|")), tuple(values.split("|"))


def _holds(row: OtelName, labels: Mapping[str, str]) -> bool:
    return all(
        next((labels[label] for label in names if labels.get(label)), "") in values
        for names, values in row.when
    )


def _meaning(row: OtelName, labels: Mapping[str, str], site: str) -> _Found:
    field, kind = row.field, labels.get(KIND, "")
    if _is_unclear(row, kind):
        return Unusable(reason="unknown unit", why=f"{row.name}: {_UNCLEAR_WHY}")
    if FIELDS[field].unit == "byte/s" and kind == CUMULATIVE:
        return None
    unit = (labels.get(UNIT, "") or row.unit) if row.believes_unit else row.unit
    if kind == DELTA and not row.code:
        field, unit = _AS_RATE.get(field, field), f"{unit}/s"
    code = _code(row, labels)
    factor = _WATTS.get(unit) if field == "power_mw" else None
    factor = factor or factor_of(field, unit)
    if factor is None or code is None:
        known = ", ".join(units_of(row.field)[:6])
        return Unusable(
            reason="unknown unit", why=f"{row.name}: its unit or code is none of {known}"
        )
    device = device_from(labels, site=site)
    if isinstance(device, Unusable):
        return device
    return Channel(device=device.device, field=field, factor=factor, code=code), device


_AS_RATE: Final = {"energy_mj": "power_mw"}
_WATTS: Final = {f"{unit}/s": factor_of("energy_mj", unit) for unit in units_of("energy_mj")}
_UNCLEAR_WHY: Final = (
    "a sum of unstated temporality, changes of a level, or a running total of one: it says no level; "
    "export it as a gauge"
)


def _is_unclear(row: OtelName, kind: str) -> bool:
    """Whether a sum says nothing of a quantity: energy, bytes and counted codes can be summed, levels cannot."""
    is_level = not row.code and row.field != "energy_mj" and FIELDS[row.field].unit != "byte/s"
    return kind == UNCLEAR or (kind in (DELTA, CUMULATIVE) and is_level)


def _code(row: OtelName, labels: Mapping[str, str]) -> int | None:
    """The code that a count speaks of, 0 where the value is no count; None for a code that is no number."""
    if not row.code:
        return 0
    said = labels.get(row.code, "")
    return int(said) if said.isascii() and said.isdigit() and int(said[:9]) > 0 else None
