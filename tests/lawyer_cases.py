"""Cases that a lawyer can read, from tests/cases: a request, a day, what is to come out, and why.

A file says `pack` and `at` for all of its cases; `defaults` is what every request starts from, and `bases` are named
variations of it. A case's request is laid over its base, and that over the defaults, field by field; `null` takes a
field out. Files about training runs may say less: they start from eight H100 in Japan.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import yaml

from sekisho.model.instants import parse_date_or_instant
from sekisho.model.wire import canonical
from sekisho.rules import Decision, decide, load_pack, parse_request
from sekisho.rules.requests import Request

__all__ = ["Case", "cases_of_pack", "decided", "every_case"]

FOLDER = Path(__file__).parent / "cases"
_SMALL_CLUSTER = {
    "networked": True,
    "chips": [{"chip": "NVIDIA H100-SXM5-80GB", "count": 8}],
}
_TRAINING_RUN = {"jurisdictions": ["JP"], "cluster": _SMALL_CLUSTER}


class Case(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One case as its file tells it; what it leaves out is not compared."""

    name: str
    why: str
    file: str
    pack: str
    at: str
    as_of: str | None = None
    reading: str = "enforced"
    base: str = ""
    request: dict[str, Any]
    decision: str
    rules: list[str]
    missing: list[str] = []
    review: dict[str, str] = {}  # rule id: policy
    exceptions: dict[str, str] = {}  # exception id: true, false, unknown
    warnings: list[str] = []  # parts, each of which one warning holds
    triggers: list[str] = []  # quantities that a rule which bears on the answer found to be true

    @property
    def id(self) -> str:
        return f"{self.file}: {self.name}"

    @property
    def asked(self) -> Request:
        """The request as the parser of the door reads it."""
        return parse_request(canonical(self.request))


def every_case() -> list[Case]:
    """All cases of all files."""
    return [case for path in sorted(FOLDER.glob("*.yaml")) for case in _of_file(path)]


def cases_of_pack(pack: str) -> list[Case]:
    """The cases that are decided under one pack."""
    return [case for case in every_case() if case.pack == pack]


def decided(case: Case) -> Decision:
    """What the engine answers."""
    as_of = parse_date_or_instant(case.as_of) if case.as_of is not None else None
    reading: Any = case.reading
    return decide(
        case.asked,
        load_pack(case.pack),
        parse_date_or_instant(case.at),
        as_of,
        reading=reading,
    )


def _of_file(path: Path) -> list[Case]:
    document = yaml.safe_load(path.read_text(encoding="utf-8"))
    cases = document.pop("cases")
    bases = document.pop("bases", {})
    defaults = document.pop("defaults", _TRAINING_RUN)
    return [_case(path, document, defaults, bases, told) for told in cases]


def _case(
    path: Path, document: Any, defaults: Any, bases: dict[str, Any], told: dict[str, Any]
) -> Case:
    base = bases[told["base"]] if "base" in told else {}
    request = _laid_over(_laid_over({"id": "case", **defaults}, base), told["request"])
    return msgspec.convert({"file": path.stem, **document, **told, "request": request}, Case)


def _laid_over(below: dict[str, Any], above: dict[str, Any]) -> dict[str, Any]:
    """`above` over `below`, mappings field by field; null takes out."""
    merged = dict(below)
    for name, value in above.items():
        under = merged.get(name)
        if value is None:
            merged.pop(name, None)
        elif isinstance(value, dict) and isinstance(under, dict):
            merged[name] = _laid_over(under, value)
        else:
            merged[name] = value
    return merged
