"""Reading one event: every field by itself, then what its type must and may say, then what stands beyond EPCIS."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from sekisho.registry.epcis.context import Context, extend_context, resolve_name
from sekisho.registry.epcis.document import Problem
from sekisho.registry.epcis.event import Event, EventType
from sekisho.registry.epcis.extensions import read_extensions
from sekisho.registry.epcis.fields import FIELDS
from sekisho.registry.epcis.legality import ALLOWED, check_event
from sekisho.registry.epcis.reading import Reading

__all__ = ["read_event"]

_TYPES: Final[Mapping[Any, EventType]] = {kind: kind for kind in ALLOWED}
_NEARLY: Final = {name.casefold(): name for name in FIELDS}


def read_event(
    value: Any, context: Context, ignored: frozenset[str] = frozenset()
) -> tuple[Event | None, list[Problem]]:
    """One event under the meanings around it; None with its problems, paths beginning at the event."""
    if not isinstance(value, dict):
        return None, [Problem("", "is no object; write { ... }")]
    raw = value
    problems: list[Problem] = []
    if "@context" in value:
        context = extend_context(context, value["@context"], problems)
        raw = {name: item for name, item in value.items() if name != "@context"}
    if not context.gs1:
        problems.append(Problem("@context", "does not name the GS1 context; name it first"))
    kind = _TYPES.get(raw.get("type")) if isinstance(raw.get("type"), str) else None
    if kind is None:
        named = ", ".join(_TYPES)
        return None, [*problems, Problem("type", f"is no type of event; write one of {named}")]
    reading = Reading(context)
    reading.problems = problems
    event = _read_fields(reading, kind, raw, ignored)
    return (None if problems else event), problems


def _read_fields(
    reading: Reading, kind: EventType, raw: Mapping[str, Any], ignored: frozenset[str]
) -> Event | None:
    allowed = ALLOWED[kind]
    values: dict[str, Any] = {}
    others: list[str] = []
    for name, item in raw.items():
        if name not in allowed:
            others.append(name)
        elif name != "type":
            target, reader = FIELDS[name]
            values[target] = reader(reading, item, name)
    check_event(reading, kind, values)
    if others:
        raw, values["extensions"] = _read_others(reading, kind, raw, others, ignored)
    if reading.problems:
        return None
    for name in ("read_point", "biz_location"):
        if name in values:
            values[name], values[f"{name}_fields"] = values[name]
    if "lasting" in values:
        values["persistent_set"], values["persistent_unset"] = values.pop("lasting")
    return Event(type=kind, raw=raw, context=reading.used, **values)


def _read_others(
    reading: Reading,
    kind: EventType,
    raw: Mapping[str, Any],
    names: list[str],
    ignored: frozenset[str],
) -> tuple[Mapping[str, Any], Mapping[str, Any]]:
    """Extension fields; those that the document says to ignore go from the event altogether."""
    own = []
    for name in names:
        if name in FIELDS:
            reading.fault(name, f"is no field of an {kind}; {_owners(name)}")
        elif name.casefold() in _NEARLY:
            reading.fault(name, f"is no field; write {_NEARLY[name.casefold()]}")
        else:
            own.append(name)
    if ignored:
        gone = {name for name in own if _resolved(reading, name) in ignored}
        own = [name for name in own if name not in gone]
        raw = {name: item for name, item in raw.items() if name not in gone}
    return raw, read_extensions(reading, raw, own, "")


def _owners(name: str) -> str:
    return "it belongs to " + ", ".join(kind for kind in ALLOWED if name in ALLOWED[kind])


def _resolved(reading: Reading, name: str) -> str:
    found = resolve_name(reading.context, name)
    return "" if isinstance(found, str) else found[0]
