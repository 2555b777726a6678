"""What every shipped pack owes its readers: both languages, sources that are used, marks, hours that are marked."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from sekisho.rules import load_pack, pack_names
from sekisho.rules.pack import Dated, Duty, Pack

DOCS = Path(__file__).parents[2] / "docs" / "packs"
JAPANESE = re.compile(r"[\u3040-\u30ff\u4e00-\u9fff]")
# The first pack's bytes are older than the second language and do not change.
PACKS = [name for name in pack_names() if name != "loop-2026"]
packs = pytest.mark.parametrize("name", PACKS)


def _duties(pack: Pack) -> list[Duty]:
    found = [duty for rule in pack.rules for duty in rule.duties]
    return found + [duty for exception in pack.exceptions for duty in exception.notices]


def _dated(pack: Pack) -> list[Dated]:
    found: list[Dated] = []
    for parameter in pack.parameters.values():
        found += parameter.values
    for place_set in pack.sets.values():
        found += place_set.versions
    for definition in pack.definitions.values():
        found += definition.versions
    for rule in pack.rules:
        found += [*rule.statuses, *rule.reviews]
    for exception in pack.exceptions:
        found += exception.statuses
    return found


@packs
def test_a_pack_speaks_both_languages(name: str) -> None:
    """Title, quantities, parameters, sets, definitions, duties, exceptions and their conditions say it in Japanese."""
    pack = load_pack(name)
    texts = {"title": pack.title_ja}
    named = (pack.quantities, pack.parameters, pack.sets, pack.definitions)
    for entries in named:
        texts |= {key: entry.means_ja for key, entry in entries.items()}
    texts |= {rule.id: rule.duty_ja for rule in pack.rules}
    texts |= {f"duty {duty.id}": duty.what_ja for duty in _duties(pack)}
    for exception in pack.exceptions:
        texts[exception.id] = exception.title_ja
        texts |= {f"{exception.id}: {part.says}": part.says_ja for part in exception.eligibility}
    assert [key for key, text in texts.items() if not JAPANESE.search(text)] == []


@packs
def test_what_is_recalled_is_to_be_verified(name: str) -> None:
    """Every entry of mark R says so, and every source is cited somewhere."""
    pack = load_pack(name)
    recalled = [entry for entry in _dated(pack) if entry.mark == "R"]
    assert [entry.cite for entry in recalled if "to be verified" not in entry.note] == []
    assert set(pack.sources) - {entry.source for entry in _dated(pack)} == set()


@packs
def test_effort_is_an_estimate_and_says_so(name: str) -> None:
    """Hours are marked as our own or as read somewhere; a rule that asks for a licence tells its duties' hours."""
    pack = load_pack(name)
    assert {duty.hours_mark for duty in _duties(pack) if duty.hours is not None} <= {"O", "S"}
    licensed = [rule for rule in pack.rules if rule.outcome == "licence"]
    assert [rule.id for rule in licensed if not any(d.hours for d in rule.duties)] == []


@packs
def test_a_pack_has_a_page_and_the_index_lists_it(name: str) -> None:
    """The page names every rule that the pack itself adds, and the packs that it is laid over are listed too."""
    page = (DOCS / f"{name}.md").read_text(encoding="utf-8")
    index = (DOCS / "README.md").read_text(encoding="utf-8")
    assert f"({name}.md)" in index
    pack = load_pack(name)
    base = {rule.id for over in pack.over for rule in load_pack(over.name).rules}
    own = [rule.id for rule in pack.rules if rule.id not in base]
    assert [rule for rule in own if f"`{rule}`" not in page] == []


@packs
def test_a_pack_says_what_it_covers(name: str) -> None:
    """Jurisdiction (a draft has none), standing, and the first day of which it speaks."""
    pack = load_pack(name)
    assert pack.standing != "policy"
    assert pack.jurisdiction or pack.standing == "draft"
    assert pack.coverage is not None
