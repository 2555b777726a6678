"""The attack: ask what was known on a day after which a rule's end became known, and find no rule at all."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence

import pytest

from sekisho.model.instants import parse_date_or_instant
from sekisho.rules import Pack, decide, load_pack, pack_names, parse_request
from sekisho.rules.pack import Dated

# Its bytes are published and do not change: the end of one codified year was known from the start.
KNOWN = {("loop-2026", "eu-systemic-risk")}


def histories(pack: Pack) -> Iterator[tuple[str, Sequence[Dated]]]:
    for parameter in pack.parameters.values():
        yield parameter.name, parameter.values
    for places in pack.sets.values():
        yield places.name, places.versions
    for definition in pack.definitions.values():
        yield definition.name, definition.versions
    for rule in pack.rules:
        yield rule.id, rule.statuses
    for exception in pack.exceptions:
        yield exception.id, exception.statuses


@pytest.mark.parametrize("name", pack_names())
def test_no_entry_ends_before_it_was_known_what_came_next(name: str) -> None:
    """An end that is written into the older entry is known too early: between the two nothing would hold."""
    found = {
        (name, what)
        for what, entries in histories(load_pack(name))
        for old in entries
        for new in entries
        if old.end is not None and new.start == old.end and new.recorded > old.recorded
    }
    assert found <= KNOWN


def test_what_was_suspended_stays_so_by_what_was_known_then() -> None:
    """On 13 June nobody knew that the order would be eased on the 26th and withdrawn on the 30th."""
    row = {
        "kind": "access",
        "id": "a",
        "model": "m",
        "user_class": "public",
        "place": "CN",
        "weights": False,
        "facts": {"named-in-order": True},
    }
    request = parse_request(json.dumps(row))
    pack = load_pack("access-suspension")
    then, later = (parse_date_or_instant(day) for day in ("2026-06-13", "2026-07-05"))
    first = decide(request, pack, then, then)
    assert first.decision in ("deny", "licence")
    assert decide(request, pack, later, then).decision == first.decision
    assert decide(request, pack, later).decision == "permit"
