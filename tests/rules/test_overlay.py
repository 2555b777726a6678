"""Overlays: what a reform adds, what it cannot touch, and how its base is pinned."""

from __future__ import annotations

import hashlib

import pytest

from sekisho.model.errors import InvalidInput
from sekisho.model.instants import parse_date_or_instant
from sekisho.rules import load_pack, pack_bytes, parse_pack
from tests.written_packs import FULL, finder, overlay_text, read, read_over

BEFORE, AFTER = (parse_date_or_instant(day) for day in ("2025-12-31", "2026-03-01"))
LAW = "source: bill-tighter, cite: sec. 1, mark: O"
DENSER = f"""\
parameters:
  density:
    values:
      - {{from: 2026-01-01, value: 4, {LAW}}}
"""


def test_an_overlay_is_the_base_with_later_entries() -> None:
    """A lower density from 2026 on; its identity is that of its own bytes, and it names what lies below."""
    text = overlay_text(DENSER)
    pack = parse_pack(text, "o.yaml", finder(FULL))
    assert pack.sha256 == hashlib.sha256(text.encode()).hexdigest()
    assert pack.over == (read().reference,)
    density = pack.parameters["density"]
    before, after = density.at(BEFORE), density.at(AFTER)
    assert before is not None
    assert after is not None
    assert (str(before.value), after.value) == ("148/25", 4)
    assert pack.rules == read().rules
    assert (pack.name, pack.standing, pack.jurisdiction) == ("tighter", "reform", "US")
    assert set(pack.sources) == {"law", "bill-tighter"}


def test_an_overlay_goes_on_with_every_history_of_its_base() -> None:
    """Sets, definitions, statuses of rules and exceptions."""
    pack = read_over(f"""\
sets:
  group-d:
    versions:
      - {{from: 2026-01-01, members: [CN], {LAW}}}
definitions:
  wide:
    means: a memory of great bandwidth
    versions:
      - from: 2026-01-01
        when: {{quantity: memory_bandwidth, op: ">", value: 4000, unit: GB/s}}
        source: bill-tighter
        cite: sec. 2
        mark: O
  dense:
    versions:
      - {{from: 2026-01-01, when: {{definition: wide, is: true}}, {LAW}}}
rules:
  - id: to-concern
    status:
      - {{from: 2026-01-01, status: suspended, acts: false, {LAW}}}
    reviews:
      - {{from: 2026-01-01, policy: denial, {LAW}}}
  - id: new
    cite: sec. 3
    binding: exporters
    for: [transfer]
    status:
      - {{from: 2026-02-01, status: enforced, acts: true, {LAW}}}
    when: {{definition: wide, is: true}}
    outcome: deny
    duty: no export
exceptions:
  - id: low-volume
    status:
      - {{from: 2026-01-01, status: ended, acts: false, {LAW}}}
""")
    members = pack.sets["group-d"].at(AFTER)
    assert members is not None
    assert members.members == frozenset({"CN"})
    assert list(pack.definitions) == ["wide", "dense", "controlled"]
    old, _, _, new = pack.rules
    words = [status.word for at in (BEFORE, AFTER) if (status := old.status_at(at))]
    assert words == ["enforced", "suspended"]
    assert next(review.policy for review in old.reviews) == "denial"
    assert new.status_at(BEFORE) is None
    ended = pack.exceptions[0].status_at(AFTER)
    assert ended is not None
    assert ended.word == "ended"


def test_overlays_lie_over_overlays() -> None:
    """The chain names what lies below, the nearest first."""
    middle = overlay_text(DENSER)
    text = overlay_text("", middle, name="tightest", over="tighter")
    pack = parse_pack(text, "t.yaml", finder(FULL, middle))
    assert [reference.name for reference in pack.over] == ["tighter", "full"]
    assert pack.parameters["density"].at(AFTER) == read_over(DENSER).parameters["density"].at(AFTER)


def test_the_base_is_found_among_the_shipped_packs() -> None:
    """A reform of a shipped pack needs nothing else."""
    text = overlay_text("", pack_bytes("loop-2026"), over="loop-2026")
    assert parse_pack(text, "o.yaml").over == (load_pack("loop-2026").reference,)


def test_coverage_may_end_later_and_begins_with_the_base() -> None:
    """A reform speaks of more of the future, and of no other past."""
    pack = read_over("coverage: {from: 2026-01-01, until: 2030-01-01}\n")
    assert pack.coverage is not None
    assert str(pack.coverage.start) == "2022-01-01T00:00:00Z"
    assert str(pack.coverage.until) == "2030-01-01T00:00:00Z"
    with pytest.raises(InvalidInput, match="does not speak"):
        read_over("coverage: {from: 2020-01-01}\n")


@pytest.mark.parametrize(
    ("rest", "what"),
    [
        (DENSER.replace("from: 2026-01-01", "from: 2025-12-31"), "before the overlay starts"),
        (DENSER.replace("    values", "    unit: TPP\n    values"), "density is in TPP/mm2"),
        (DENSER.replace("    values", "    means: else\n    values"), "unknown field 'means'"),
        (DENSER.replace("density", "densest"), "'unit' is missing"),
        ("sources:\n  law: {title: x, where: y, mark: O}\n", "the key 'sources' stands twice"),
        ("rules:\n  - {id: to-concern, outcome: permit}\n", "unknown field 'outcome'"),
        ("rules:\n  - {id: to-concern}\n  - {id: to-concern}\n", "stands twice"),
        ("exceptions:\n  - {id: low-volume}\n", "'status' is missing"),
        ("quantities:\n  attested: {kind: flag, means: x}\n", "'attested' is the base's"),
        (
            (
                f"definitions:\n  dense:\n    versions:\n      - {{from: 2026-01-01, "
                f"when: {{definition: controlled, is: true}}, {LAW}}}\n"
            ),
            "'controlled' stands below",
        ),
        (
            (
                f"definitions:\n  controlled:\n    versions:\n      - {{from: 2026-01-01, "
                f'when: {{quantity: run_flop, op: ">", value: 1, unit: FLOP}}, {LAW}}}\n'
            ),
            "transfer request tells no run_flop",
        ),
    ],
    ids=lambda value: value[:40],
)
def test_an_overlay_only_adds(rest: str, what: str) -> None:
    """Nothing of the base is edited, nothing begins before the overlay does."""
    with pytest.raises(InvalidInput) as caught:
        read_over(rest)
    assert what in caught.value.message
    assert caught.value.path.startswith("o.yaml:")
    assert caught.value.remedy


def test_an_entry_for_the_day_of_a_base_entry_is_recorded_later() -> None:
    """Else nobody could say which of the two counts."""
    base = FULL.replace("      - {from: 2025-01-01, members", "      - {from: 2026-01-01, members")
    rest = f"sets:\n  group-d:\n    versions:\n      - {{from: 2026-01-01, members: [CN], {LAW}}}\n"
    with pytest.raises(InvalidInput, match="recorded no earlier"):
        read_over(rest, base)
    later = rest.replace("from: 2026-01-01,", "from: 2026-01-01, recorded: 2026-01-02,")
    now = read_over(later, base).sets["group-d"].at(AFTER)
    assert now is not None
    assert now.members == frozenset({"CN"})


def test_an_overlay_of_another_text_is_refused() -> None:
    """The base at hand has changed since: the refusal says to which digest."""
    changed = FULL.replace("value: 5.92", "value: 5.93")
    with pytest.raises(InvalidInput) as caught:
        parse_pack(overlay_text(DENSER), "o.yaml", lambda _: changed.encode())
    assert hashlib.sha256(changed.encode()).hexdigest() in caught.value.message
    assert caught.value.path == "o.yaml:5"


def test_a_base_under_another_name_or_version_is_refused() -> None:
    """The digest is right and the words about it are wrong."""
    text = overlay_text(DENSER).replace('version: "1", sha256', 'version: "2", sha256')
    with pytest.raises(InvalidInput, match="these bytes are full 1"):
        parse_pack(text, "o.yaml", finder(FULL))


def test_a_base_that_is_not_at_hand_is_asked_for() -> None:
    """Nothing is decided by half of a reform."""
    with pytest.raises(InvalidInput, match="'full' is not at hand") as caught:
        parse_pack(overlay_text(DENSER), "o.yaml")
    assert caught.value.remedy


def test_a_fault_of_the_base_is_told_with_the_bases_file() -> None:
    """And its line."""
    broken = FULL.replace("outcome: licence", "outcome: license")
    with pytest.raises(InvalidInput) as caught:
        read_over(DENSER, broken)
    assert caught.value.path.startswith("full.yaml:")


def test_the_same_bytes_are_read_once() -> None:
    """Reading is a function of the bytes, so the answer may be kept."""
    assert parse_pack(FULL, "p.yaml") is parse_pack(FULL.encode(), "p.yaml")
