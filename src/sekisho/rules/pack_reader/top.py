"""A whole pack: its head, then what it declares, then what reads that, in the order in which names are needed."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Final

from sekisho.model.statements.shapes import PackReference
from sekisho.rules.overlay import FindOver, Layer, layer_of, layers_of
from sekisho.rules.pack import Coverage, Pack, Standing
from sekisho.rules.pack_reader.declarations import (
    read_parameters,
    read_quantities,
    read_sets,
    read_sources,
)
from sekisho.rules.pack_reader.definitions import read_definitions
from sekisho.rules.pack_reader.draft import Draft
from sekisho.rules.pack_reader.exceptions import read_exceptions
from sekisho.rules.pack_reader.reach import recheck_base, sizes_of
from sekisho.rules.pack_reader.rules import read_rules
from sekisho.rules.pack_shapes import PLACE
from sekisho.rules.shipped import find_shipped
from sekisho.rules.strict_yaml import Node

__all__ = ["parse_pack"]

_PARTS: Final[Mapping[str, Callable[[Draft, Node], None]]] = {
    "sources": read_sources,
    "quantities": read_quantities,
    "sets": read_sets,
    "parameters": read_parameters,
    "definitions": read_definitions,
    "rules": read_rules,
    "exceptions": read_exceptions,
}


def parse_pack(data: bytes | str, file: str, find_over: FindOver | None = None) -> Pack:
    """Read a rule pack. Its identity is its name, its version and the SHA-256 of the file's bytes.

    `find_over` gives the bytes of the pack that an overlay is laid over; shipped packs are found without it. Raises
    InvalidInput (`file:line: what; remedy`) for anything that is not understood in full: an unknown field, a unit
    that is not the quantity's, an impossible date, a value without a source, a base with another digest.
    """
    raw = data.encode("utf-8") if isinstance(data, str) else data
    layers = layers_of(raw, file, find_over or find_shipped)
    return _pack(tuple((layer.raw, layer.file) for layer in layers))


@lru_cache(maxsize=16)
def _pack(files: tuple[tuple[bytes, str], ...]) -> Pack:
    """The first file laid over the pack of those below it: the same bytes give the same pack."""
    base = _pack(files[1:]) if len(files) > 1 else None
    return _laid(layer_of(*files[0]), base)


def _laid(layer: Layer, base: Pack | None) -> Pack:
    probe = Draft(layer.file)
    top = probe.shape(layer.tree, "overlay" if base is not None else "pack")
    draft = Draft(layer.file, base, probe.date(top["starts"]) if base is not None else None)
    draft.sizes = sizes_of(draft.definitions)
    for name, read in _PARTS.items():
        if name in top:
            read(draft, top[name])
    if base is not None and "definitions" in top:
        recheck_base(draft, top["definitions"])
    return Pack(
        name=draft.name(top["pack"]),
        version=draft.name(top["version"]),
        sha256=layer.sha256,
        title=draft.text(top["title"]),
        title_ja=draft.line(top, "title-ja"),
        note=draft.text(top["note"]),
        standing=draft.word(top["standing"], "standing") if "standing" in top else _standing(base),
        jurisdiction=draft.line(top, "jurisdiction", PLACE) or (base.jurisdiction if base else ""),
        coverage=_coverage(draft, top, base),
        over=_over(base),
        sources=draft.sources,
        quantities=draft.quantities,
        sets=draft.sets,
        parameters=draft.parameters,
        definitions=draft.definitions,
        rules=tuple(draft.rules.values()),
        exceptions=tuple(draft.exceptions.values()),
    )


def _standing(base: Pack | None) -> Standing:
    return "policy" if base is None else "reform"


def _over(base: Pack | None) -> tuple[PackReference, ...]:
    """The packs below, the nearest first."""
    return (base.reference, *base.over) if base is not None else ()


def _coverage(draft: Draft, top: Mapping[str, Node], base: Pack | None) -> Coverage | None:
    """The days that the pack speaks of. An overlay moves their end only: their start is the base's."""
    below = base.coverage if base is not None else None
    if "coverage" not in top:
        return below
    fields = draft.shape(top["coverage"], "coverage")
    start = draft.date(fields["from"])
    has_end = "until" in fields and not draft.is_null(fields["until"])
    until = draft.date(fields["until"]) if has_end else None
    if until is not None and until <= start:
        draft.fail(fields["until"], "ends before it begins", "write a later day")
    if base is not None and (below is None or start < below.start):
        remedy = "leave `coverage` out" if below is None else f"write {below.start} or later"
        draft.fail(top["coverage"], "speaks of days of which the base does not speak", remedy)
    return Coverage(start=below.start if below is not None else start, until=until)
