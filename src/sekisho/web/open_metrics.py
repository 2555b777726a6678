"""OpenMetrics 1.0 text, written: families of samples with their type, unit and help. Pure.

Source: OpenMetrics 1.0 (prometheus/OpenMetrics, specification). What is not known has no sample: a scraper then shows a
hole, where a nought would be a statement.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Final, Literal, TypeAlias

import msgspec

__all__ = ["CONTENT_TYPE", "Family", "FamilyType", "Sample", "write_families"]

CONTENT_TYPE: Final = "application/openmetrics-text; version=1.0.0; charset=utf-8"
FamilyType: TypeAlias = Literal["counter", "gauge", "info"]
_SUFFIX: Final[Mapping[FamilyType, str]] = {"counter": "_total", "gauge": "", "info": "_info"}


class Sample(msgspec.Struct, frozen=True, kw_only=True):
    """A value under labels. An int is written whole, whatever its size."""

    value: float | int
    labels: Mapping[str, str] = {}


class Family(msgspec.Struct, frozen=True, kw_only=True):
    """Samples of one name. `unit` ends the name, "" for none; `created` is when counters began, POSIX seconds."""

    name: str
    type: FamilyType
    help: str
    samples: Sequence[Sample]
    unit: str = ""
    created: float | None = None


def write_families(families: Iterable[Family]) -> bytes:
    """The exposition, ended by # EOF. Families without a sample are left out."""
    lines = [line for family in families if family.samples for line in _lines(family)]
    return "\n".join([*lines, "# EOF", ""]).encode()


def _lines(family: Family) -> list[str]:
    head = [f"# TYPE {family.name} {family.type}"]
    if family.unit:
        head.append(f"# UNIT {family.name} {family.unit}")
    head.append(f"# HELP {family.name} {_escape(family.help)}")
    rows = []
    for sample in family.samples:
        labels = _labels(sample.labels)
        rows.append(f"{family.name}{_SUFFIX[family.type]}{labels} {_number(sample.value)}")
        if family.type == "counter" and family.created is not None:
            rows.append(f"{family.name}_created{labels} {_number(family.created)}")
    return head + rows


def _labels(labels: Mapping[str, str]) -> str:
    if not labels:
        return ""
    return "{" + ",".join(f'{name}="{_escape(text)}"' for name, text in labels.items()) + "}"


def _escape(text: str) -> str:
    return text.replace("\\", r"\\").replace("\n", r"\n").replace('"', r"\"")


def _number(value: float) -> str:
    return repr(value)
