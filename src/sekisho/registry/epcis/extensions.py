"""Fields beyond EPCIS: each in a declared namespace, resolved at every depth, none said twice."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

from sekisho.registry.epcis.reading import Reading

__all__ = ["COMMENT", "read_extensions", "read_ilmd"]

COMMENT: Final = "{http://www.w3.org/2000/01/rdf-schema#}comment"
"""Remarks for people: kept, and no part of what is hashed."""

# Where something stands, from the inside out. Written out only for a problem: paths of deep trees with long names would
# otherwise be copied for each of a million leaves.
_Trail = tuple[Any, str | int]


def read_ilmd(reading: Reading, value: Any, path: str) -> Mapping[str, Any]:
    """Master data of an instance or lot: an object whose fields are all in declared namespaces."""
    if not isinstance(value, dict):
        reading.fault(path, "is no object; write { ... }")
        return {}
    return read_extensions(reading, value, value, path)


def read_extensions(
    reading: Reading, holder: Mapping[str, Any], names: Iterable[str], path: str
) -> dict[str, Any]:
    """These fields of an object, by resolved name. An object may bring an @context for what it holds."""
    trail: _Trail = ("", path)
    inner = _inside(reading, holder, trail)
    found = _fields(inner, holder, names, trail, bare=False)
    _hand_up(reading, inner)
    return found


def _fields(
    reading: Reading, holder: Mapping[str, Any], names: Iterable[str], trail: _Trail, *, bare: bool
) -> dict[str, Any]:
    """`bare`: inside an extension fields may go without a namespace, as documents in use have it."""
    found: dict[str, Any] = {}
    for name in names:
        value = holder[name]
        if name == "@context" or value is None:  # JSON-LD: null says nothing
            continue
        try:
            if bare and ":" not in name and name not in reading.context.own:
                resolved = _plain(name)
            else:
                resolved = reading.name(name)
            if resolved in found:
                raise ValueError(f"says {resolved[:200]} twice, under two prefixes; say it once")
        except ValueError as error:
            reading.fault(_written((trail, name)), str(error))
        else:
            found[resolved] = _tree(reading, value, (trail, name))
    return found


def _tree(reading: Reading, value: Any, trail: _Trail) -> Any:
    if isinstance(value, str):
        if not value.isprintable():
            reading.text(value, _written(trail))
        return value
    if isinstance(value, dict):
        inner = _inside(reading, value, trail)
        found = _fields(inner, value, value, trail, bare=True)
        _hand_up(reading, inner)
        return found
    if isinstance(value, list):
        return [
            _tree(reading, item, (trail, at)) for at, item in enumerate(value) if item is not None
        ]
    return value


def _plain(name: str) -> str:
    is_plain = name.isprintable() and not any(mark in name for mark in " {}/#=")
    if not name or len(name) > 128 or name[0] == "@" or not is_plain:
        raise ValueError("is no name of a field; use letters, digits and _ . - only")
    return name


def _written(trail: _Trail) -> str:
    """The trail as a path."""
    steps: list[str | int] = []
    rest: Any = trail
    while rest:
        rest, step = rest
        steps.append(step)
    path = ""
    for step in reversed(steps):
        path += f"[{step}]" if isinstance(step, int) else f".{step}" if path else step
    return path


def _inside(reading: Reading, holder: Mapping[str, Any], trail: _Trail) -> Reading:
    if "@context" not in holder:
        return reading
    return reading.within(holder["@context"], f"{_written(trail)}.@context")


def _hand_up(outer: Reading, inner: Reading) -> None:
    """Prefixes that a nested object took from outside belong to the event; those of its own stand in it."""
    if inner is not outer:
        for term, space in inner.used.items():
            if outer.context.own.get(term) == space:
                outer.used[term] = space
