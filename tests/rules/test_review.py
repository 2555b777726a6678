"""Checks on packs: each fault that only a pack's meaning shows, found in a pack that is fine without it."""

from __future__ import annotations

import pytest

from sekisho.model.instants import parse_date_or_instant
from sekisho.rules import load_pack, pack_names
from sekisho.rules.review import PackProblem, check_pack
from tests.written_packs import FULL, read, read_over

NOW = parse_date_or_instant("2026-05-01")
LAW = "source: law, cite: x, mark: P"


def problems(text: str) -> list[PackProblem]:
    """What is found on the first of May 2026."""
    return list(check_pack(read(text), NOW))


def test_a_pack_without_faults_has_no_problems() -> None:
    """So whatever is found below comes from what was changed there."""
    assert problems(FULL) == []


@pytest.mark.parametrize("name", pack_names())
def test_no_shipped_pack_has_an_error(name: str) -> None:
    """They may be stale on the day of this test; wrong they are not."""
    found = check_pack(load_pack(name), NOW)
    assert [problem for problem in found if problem.severity == "error"] == []


@pytest.mark.parametrize("name", [name for name in pack_names() if name != "loop-2026"])
def test_every_shipped_pack_speaks_japanese_and_says_its_days(name: str) -> None:
    """The first pack is older than both fields, and its bytes do not change."""
    found = [problem.what for problem in check_pack(load_pack(name), NOW)]
    assert not [what for what in found if "no Japanese" in what or "does not say" in what]


# Each fault: what is changed in a pack without faults, how bad it is, where it is found, and in which words.
_FAULTS = {
    "a gap between two values": (
        "value: 5.92, source: law, cite: Art. 1, mark: P, review-by: 2026-12-01}",
        (
            "to: 2025-02-01, value: 5.92, source: law, cite: Art. 1, mark: P}\n"
            f"      - {{from: 2025-06-01, value: 5, {LAW}}}"
        ),
        "warning",
        "parameter density",
        "says nothing from 2025-02-01 to 2025-06-01",
    ),
    "a rule that acts in that gap": (
        "value: 5.92, source: law, cite: Art. 1, mark: P, review-by: 2026-12-01}",
        (
            "to: 2025-02-01, value: 5.92, source: law, cite: Art. 1, mark: P}\n"
            f"      - {{from: 2025-06-01, value: 5, {LAW}}}"
        ),
        "error",
        "rule to-concern",
        "acts on 2025-02-01, when parameter density has no value",
    ),
    "a value that begins after its rule acts": (
        "from: 2022-01-01, value: 1/3",
        "from: 2023-01-01, value: 1/3",
        "error",
        "rule modified",
        "acts on 2022-01-01, when parameter third has no value",
    ),
    "a value that ends while its rule acts": (
        "value: 1/3, source: law, cite: Art. 3, mark: P}",
        f"value: 1/3, source: law, cite: Art. 3, mark: P}}\n      - {{from: 2025-01-01, value: null, {LAW}}}",
        "error",
        "rule modified",
        "acts on 2025-01-01, when parameter third has no value",
    ),
    "a set that ends while its rule acts": (
        "members: [CN, HK, MO, RU]",
        "members: null",
        "error",
        "rule to-concern",
        "acts on 2025-01-01, when set group-d has no value",
    ),
    "a day of review before the day of recording": (
        "review-by: 2026-12-01",
        "recorded: 2026-12-02, review-by: 2026-12-01",
        "error",
        "parameter density",
        "before it was recorded",
    ),
    "a value past its day of review": (
        "review-by: 2026-12-01",
        "review-by: 2026-04-30",
        "warning",
        "parameter density",
        "should have been looked at again by 2026-04-30",
    ),
    "a revoked rule that acts": (
        "status: enforced, acts: true, source: law, cite: Art. 9",
        "status: revoked, acts: true, source: law, cite: Art. 9",
        "error",
        "rule to-concern, status",
        "is revoked from 2022-06-01 and acts",
    ),
    "an enforced rule that does not act": (
        "status: enforced, acts: true, source: law, cite: Art. 9",
        "status: enforced, acts: false, source: law, cite: Art. 9",
        "warning",
        "rule to-concern, status",
        "is enforced from 2022-06-01 and does not act",
    ),
    "an entry marked better than its source": (
        "where: nowhere, mark: P",
        "where: nowhere, mark: S",
        "warning",
        "parameter density",
        "is marked P, its source S",
    ),
    "no days": (
        "coverage: {from: 2022-01-01, until: 2027-01-01}\n",
        "",
        "warning",
        "pack",
        "does not say which days it speaks of",
    ),
    "days that are over": (
        "until: 2027-01-01",
        "until: 2026-04-01",
        "warning",
        "pack",
        "knows nothing after 2026-04-01",
    ),
    "a rule that acts before the pack's days": (
        "coverage: {from: 2022-01-01",
        "coverage: {from: 2022-03-01",
        "warning",
        "rule thirsty, status",
        "before the pack's coverage begins",
    ),
    "an exception that acts after its rule": (
        "status: enforced, acts: true, source: law, cite: Art. 9, mark: P}",
        (
            f"to: 2022-07-01, status: enforced, acts: true, {LAW}}}\n"
            f"      - {{from: 2022-07-01, status: revoked, acts: false, {LAW}}}"
        ),
        None,
        "exception low-volume",
        "",
    ),
    "an exception that never meets its rule": (
        "- {from: 2022-06-01, status: enforced, acts: true, source: law, cite: Art. 9, mark: P}",
        f"- {{from: 2022-06-01, status: codified, acts: false, {LAW}}}",
        "warning",
        "exception low-volume",
        "on no day on which a rule that it lifts acts",
    ),
    "bounds that exclude each other": (
        '- {quantity: tpp, op: ">=", value: 1600, unit: TPP}',
        (
            '- {quantity: tpp, op: ">=", value: 1600, unit: TPP}\n'
            '            - {quantity: tpp, op: "<", value: 1600, unit: TPP}'
        ),
        "error",
        "definition controlled",
        "can never hold",
    ),
    "a rule over a definition that excludes it": (
        "- {definition: controlled, is: true}",
        "- {definition: controlled, is: true}\n        - {definition: dense, is: false}",
        "error",
        "rule to-concern",
        "can never hold",
    ),
    "places that exclude each other": (
        "- {quantity: destination, op: any-of, set: group-d}",
        (
            "- {quantity: destination, op: any-of, set: group-d}\n"
            "        - {quantity: destination, op: all-of, value: [JP, US]}"
        ),
        "error",
        "rule to-concern",
        "can never hold",
    ),
    "a condition that always holds": (
        'when: {quantity: performance_density, op: ">=", parameter: density, unit: TPP/mm2}',
        'when: {quantity: performance_density, op: ">=", value: 0, unit: TPP/mm2}',
        "warning",
        "definition dense",
        "holds for every request",
    ),
    "an alternative that never holds": (
        "            - {quantity: purpose, op: one-of, value: [other]}",
        (
            "            - {quantity: purpose, op: one-of, value: [other]}\n"
            "            - {quantity: attested, op: is, value: true}"
        ),
        "warning",
        "rule thirsty",
        "has an alternative that can never hold",
    ),
    "a review below one that covers it": (
        "when: {quantity: headquarters, op: any-of, value: [MO]}",
        'when: {quantity: tpp, op: ">=", value: 1600, unit: TPP}',
        "warning",
        "rule to-concern, review 2 (case-by-case)",
        "is never reached",
    ),
    "an exception that can never be used": (
        'when: {quantity: shipment_chips, op: "<=", value: 100, unit: chips}',
        (
            'when: {all: [{quantity: shipment_chips, op: "<", value: 1, unit: chips}, '
            '{quantity: shipment_chips, op: ">", value: 1, unit: chips}]}'
        ),
        "error",
        "exception low-volume",
        "can never be used",
    ),
    "an exception that excludes its rule": (
        'when: {quantity: shipment_chips, op: "<=", value: 100, unit: chips}',
        "when: {definition: dense, is: false}",
        "warning",
        "exception low-volume",
        "never lifts to-concern",
    ),
    "a value that no row speaks of": (
        '- {quantity: tpp, op: ">=", value: 1600, unit: TPP}',
        (
            '- any: [{quantity: tpp, op: ">", value: 1600, unit: TPP}, '
            '{quantity: tpp, op: "<", value: 1600, unit: TPP}]'
        ),
        "warning",
        "definition controlled",
        "nothing speaks of tpp = 1600",
    ),
    "an unused parameter": (
        "definitions:\n",
        (
            "  idle:\n    unit: GB\n    means: x\n    means-ja: x\n    values:\n"
            f"      - {{from: 2022-01-01, value: 1, {LAW}}}\ndefinitions:\n"
        ),
        "warning",
        "parameter idle",
        "is used by nothing",
    ),
    "an unused source": (
        "quantities:\n",
        "  idle: {title: x, where: x, mark: P}\nquantities:\n",
        "warning",
        "source idle",
        "is used by nothing",
    ),
    "no Japanese for a duty": (
        "    duty-ja: 届け出る\n",
        "",
        "warning",
        "pack",
        "no Japanese for the duty of a rule: thirsty",
    ),
}


@pytest.mark.parametrize(
    ("old", "new", "severity", "where", "what"), _FAULTS.values(), ids=_FAULTS.keys()
)
def test_a_fault_is_found_where_it_is(
    old: str, new: str, severity: str | None, where: str, what: str
) -> None:
    """Severity, place, words, and something to do; None where the change is no fault."""
    assert old in FULL
    found = problems(FULL.replace(old, new, 1))
    if severity is None:
        assert not [problem for problem in found if problem.where == where]
        return
    told = [(p.severity, p.where) for p in found if what in p.what]
    assert (severity, where) in told
    assert all(problem.remedy for problem in found)


def test_errors_come_first() -> None:
    """A reader who stops after three lines has seen the worst."""
    text = FULL.replace("value: 1/3", "value: null").replace("duty-ja: 届け出る", "duty-ja: x")
    found = problems(text.replace("    means-ja: 三分の一\n", ""))
    assert [problem.severity for problem in found] == ["error", "warning"]


def _stricter(condition: str) -> str:
    return f"""\
  - id: stricter
    cite: x
    binding: x
    for: [transfer, access]
    status:
      - {{from: 2022-01-01, status: enforced, acts: true, {LAW}}}
    when: {condition}
    outcome: deny
    duty: x
    duty-ja: x
exceptions:
"""


@pytest.mark.parametrize(
    ("condition", "is_behind"),
    [
        ("{quantity: headquarters, op: any-of, value: [MO]}", False),
        ("{quantity: listed_party, op: is, value: true}", False),
    ],
)
def test_a_rule_that_can_differ_is_not_behind(condition: str, is_behind: bool) -> None:
    """Another condition leaves something to decide."""
    text = FULL.replace("exceptions:\n", _stricter(condition))
    told = [p.where for p in problems(text) if "never decides" in p.what]
    assert bool(told) is is_behind


def test_a_rule_behind_a_stricter_one_never_decides() -> None:
    """A denial that holds wherever the licence is asked for, on every day on which it acts."""
    wide = '{quantity: tpp, op: ">=", value: 1599.5, unit: TPP}'
    rule = _stricter(wide).replace("[transfer, access]", "[transfer]")
    text = FULL.replace("exceptions:\n", rule)
    (found,) = [p for p in problems(text) if "never decides" in p.what]
    assert (found.where, found.severity) == ("rule to-concern", "warning")
    later = rule.replace("from: 2022-01-01", "from: 2023-01-01")
    text = FULL.replace("exceptions:\n", later)
    assert not [p for p in problems(text) if "never decides" in p.what]


def test_an_overlay_is_checked_as_what_it_makes_of_its_base() -> None:
    """It ends a value while the base's rule goes on."""
    pack = read_over("""\
parameters:
  third:
    values:
      - {from: 2026-02-01, value: null, source: bill-tighter, cite: x, mark: O}
""")
    (found,) = [p for p in check_pack(pack, NOW) if p.severity == "error"]
    assert found.what == "acts on 2026-02-01, when parameter third has no value"
