"""Definitions: named conditions, each of which may use those above it, so that there are no loops."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import msgspec

from sekisho.rules.pack import DatedCondition, Definition
from sekisho.rules.pack_reader.conditions import read_condition
from sekisho.rules.pack_reader.draft import Draft
from sekisho.rules.pack_reader.reach import sizes_of
from sekisho.rules.pack_shapes import LINE, MOST
from sekisho.rules.strict_yaml import Node

__all__ = ["read_definitions"]


def read_definitions(draft: Draft, node: Node) -> None:
    """Definitions in file order. An overlay's new ones stand above the base's that follows them in its file."""
    entries = draft.named(node, "definitions")
    draft.order = order = _order(list(draft.definitions), entries)
    known = dict(draft.definitions)
    for name, entry in entries.items():
        draft.current, draft.above = name, frozenset(order[: order.index(name)])
        earlier = known.get(name)
        known[name] = _more(draft, earlier, entry) if earlier else _definition(draft, name, entry)
        draft.definitions = {name: known[name] for name in order if name in known}
    draft.current, draft.above = "", frozenset(order)
    _check_sizes(draft, node, entries)


def _check_sizes(draft: Draft, node: Node, entries: Mapping[str, Node]) -> None:
    """Two uses of a definition that uses two of the next, and so on, would double at every step."""
    draft.sizes = sizes_of(draft.definitions)
    for name, size in draft.sizes.items():
        if size > MOST["limbs"]:
            what = f"{name} comes to {size} limbs, with what it uses written out"
            draft.fail(entries.get(name, node), what, f"ask for at most {MOST['limbs']}")


def _order(base: list[str], names: Iterable[str]) -> list[str]:
    order, waiting = list(base), list[str]()
    for name in names:
        if name not in base:
            waiting.append(name)
            continue
        place = order.index(name)
        order[place:place] = waiting
        waiting = []
    return order + waiting


def _definition(draft: Draft, name: str, node: Node) -> Definition:
    fields = draft.shape(node, "definition")
    return Definition(
        name=name,
        means=draft.text(fields["means"]),
        means_ja=draft.line(fields, "means-ja"),
        label=draft.line(fields, "label", LINE),
        versions=draft.history(fields["versions"], lambda row: _version(draft, row)),
    )


def _more(draft: Draft, earlier: Definition, node: Node) -> Definition:
    fields = draft.shape(node, "more-definition")
    versions = draft.history(fields["versions"], lambda row: _version(draft, row), earlier.versions)
    return msgspec.structs.replace(earlier, versions=versions)


def _version(draft: Draft, node: Node) -> DatedCondition:
    fields = draft.shape(node, "definition-version")
    when = None if draft.is_null(fields["when"]) else read_condition(draft, fields["when"])
    return DatedCondition(when=when, **draft.dated(node, fields))
