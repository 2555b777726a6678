"""Why two dates give two answers: each change of law with its cite and its day."""

from __future__ import annotations

import itertools
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sekisho.model.instants import parse_date_or_instant
from sekisho.rules import (
    Decision,
    Difference,
    Judge,
    Pack,
    RunRequest,
    decide,
    explain_difference,
    load_pack,
    parse_request,
)
from tests.rule_packs import exception_text, rule_text, small_pack, status
from tests.rule_strategies import DATES, packs, requests_for

OVER = "{quantity: run_flop, op: '>', parameter: x, unit: FLOP}"
RUN = RunRequest(id="r", planned_flop=str(5 * 10**23), facts={"a": True, "b": True})


def on(pack: Pack, day: str, request: RunRequest = RUN, **how: Any) -> Decision:
    """The decision on a date."""
    return decide(request, pack, parse_date_or_instant(day), **how)


def between(pack: Pack, first: str, second: str) -> list[Difference]:
    """What changed between two dates."""
    return list(explain_difference(on(pack, first), on(pack, second)))


def test_a_threshold_that_changed_is_told_from_what_to_what() -> None:
    """With its unit, its source and the first day of the new value."""
    (change,) = between(small_pack(rule_text("r0", "deny", OVER)), "2024-06-01", "2025-06-01")
    assert (change.kind, change.name, change.unit) == ("parameter", "x", "FLOP")
    assert (change.before, change.after) == (str(10**24), str(10**23))
    assert (change.on, change.cite) == (parse_date_or_instant("2025-01-01"), "law, Art. 1")
    assert change.bears
    assert change.says == f"x: {10**24} FLOP, then {10**23} FLOP on 2025-01-01 (law, Art. 1)"
    assert change.says_ja.startswith("x: 2025-01-01 に")


def test_a_rule_that_begins_changes_its_word_and_ends_is_told_each_time() -> None:
    """A day of its own for each."""
    history = ", ".join(
        [
            status("2021-01-01", "announced", acts="false"),
            status("2022-01-01", "in force"),
            status("2023-01-01", "enforced"),
            status("2024-01-01", "revoked", acts="false"),
        ]
    )
    pack = small_pack(
        rule_text("r0", "deny", "a", statuses=history), rule_text("r1", "permit", "b")
    )
    days = ["2020-06-01", "2021-06-01", "2022-06-01", "2023-06-01", "2024-06-01"]
    found = [between(pack, *pair) for pair in itertools.pairwise(days)]
    told = [[(one.kind, one.before, one.after, str(one.on)[:10]) for one in row] for row in found]
    assert told == [
        [("status", "", "announced", "2021-01-01")],
        [("rule-began", "announced", "in force", "2022-01-01")],
        [("status", "in force", "enforced", "2023-01-01")],
        [("rule-ended", "enforced", "revoked", "2024-01-01")],
    ]
    assert [row[0].bears for row in found] == [False, True, True, True]


def test_a_rule_that_ends_without_a_new_status_ends_on_its_last_day() -> None:
    """The first day after it."""
    pack = small_pack(
        rule_text("r0", "deny", "a", statuses=status(to="2024-01-01")),
        rule_text("r1", "permit", "b"),
    )
    (change,) = between(pack, "2023-06-01", "2024-06-01")
    assert (change.kind, change.on) == ("rule-ended", parse_date_or_instant("2024-01-01"))


MORE = """\
sets:
  s:
    means: some places
    versions:
      - {from: 2020-01-01, members: [JP], source: law, cite: one, mark: P}
      - {from: 2024-01-01, members: [JP, FR], source: law, cite: two, mark: P}
definitions:
  d:
    means: a run in these places
    versions:
      - {from: 2020-01-01, when: {quantity: jurisdictions, op: any-of, set: s}, source: law, cite: one, mark: P}
      - from: 2025-01-01
        when: {not: {quantity: jurisdictions, op: any-of, set: s}}
        source: law
        cite: three
        mark: P
"""


def test_a_set_and_a_definition_that_changed_are_told_also_where_they_are_nested() -> None:
    """The set stands within the definition that the rule asks about."""
    pack = small_pack(rule_text("r0", "deny", "{definition: d, is: true}"), more=MORE)
    request = RunRequest(id="r", jurisdictions=("JP",))
    first, second, third = (
        on(pack, day, request) for day in ("2023-06-01", "2024-06-01", "2025-06-01")
    )
    (change,) = explain_difference(first, second)
    assert (change.kind, change.name, change.cite) == ("set", "s", "law, two")
    (change,) = explain_difference(second, third)
    assert (change.kind, change.name, change.cite) == ("definition", "d", "law, three")
    assert change.on == parse_date_or_instant("2025-01-01")


def test_a_threshold_that_is_only_cited_anew_has_not_changed() -> None:
    """The same figure from a newer source."""
    pack = small_pack(rule_text("r0", "deny", OVER))
    parameter = pack.parameters["x"]
    again = msgspec.structs.replace(parameter.values[1], value=10**24)
    same = msgspec.structs.replace(parameter, values=(parameter.values[0], again))
    pack = msgspec.structs.replace(pack, parameters={"x": same})
    assert between(pack, "2024-06-01", "2025-06-01") == []


def test_an_exception_that_comes_or_goes_is_told() -> None:
    """With its title, and the day where the pack tells one."""
    exception = exception_text("e0", "r0", "c").replace(
        status(), status("2023-01-01", to="2025-01-01")
    )
    pack = small_pack(rule_text("r0", "licence", "a"), more="exceptions:\n" + exception)
    (came,) = between(pack, "2022-06-01", "2024-06-01")
    assert (came.kind, came.name, came.after) == ("exception-came", "e0", "exception e0")
    assert came.on == parse_date_or_instant("2023-01-01")
    (went,) = between(pack, "2024-06-01", "2025-06-01")
    assert (went.kind, went.before, went.on) == (
        "exception-went",
        "exception e0",
        parse_date_or_instant("2025-01-01"),
    )


def test_another_way_of_looking_at_applications_is_told() -> None:
    """From denial to case by case."""
    reviews = (
        "    reviews:\n"
        "      - {policy: denial, from: 2020-01-01, to: 2024-01-01, source: law, cite: one, mark: P}\n"
        "      - {policy: case-by-case, from: 2024-01-01, source: law, cite: two, mark: P}\n"
    )
    pack = small_pack(rule_text("r0", "licence", "a", more=reviews))
    (change,) = between(pack, "2023-06-01", "2024-06-01")
    assert (change.kind, change.before, change.after) == ("review", "denial", "case-by-case")
    assert (change.cite, change.on) == ("two", parse_date_or_instant("2024-01-01"))


def test_a_pack_that_begins_to_speak_is_told() -> None:
    """Before its first rule it says nothing."""
    changes = between(small_pack(rule_text("r0", "deny", "a")), "2019-01-01", "2021-01-01")
    assert {change.kind for change in changes} == {"coverage", "rule-began"}
    told = next(change for change in changes if change.kind == "coverage")
    assert told.before == "p says nothing about training runs on that date"


def test_another_pack_another_reading_and_another_fact_are_told_apart_from_law() -> None:
    """Where the decisions differ in more than the date."""
    pack, other = (small_pack(rule_text("r0", "deny", "a"), name=name) for name in ("p", "q"))
    first = on(pack, "2024-06-01")
    second = on(other, "2024-06-01", RunRequest(id="r", facts={"a": False}), reading="codified")
    told = {one.kind: (one.before, one.after) for one in explain_difference(first, second)}
    assert told == {
        "pack": ("p 1", "q 1"),
        "reading": ("enforced", "codified"),
        "fact": ("true", "false"),
    }


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.data())
def test_where_nothing_is_told_the_answers_are_alike(data: st.DataObject) -> None:
    """A difference of the answers has a difference of law, whatever the pack."""
    pack = data.draw(packs())
    first, second = sorted(data.draw(st.lists(st.sampled_from(DATES), min_size=2, max_size=2)))
    request = data.draw(requests_for(pack))
    one, other = Judge(pack, first).decide(request), Judge(pack, second).decide(request)
    changes = explain_difference(one, other)
    assert one.decision == other.decision or changes
    assert explain_difference(one, one) == ()
    assert [change.bears for change in changes] == sorted(
        [change.bears for change in changes], reverse=True
    )


@pytest.mark.parametrize("pair", list(itertools.pairwise(DATES[1:])), ids=str)
def test_the_six_dates_of_us_law_are_explained_for_a_chip_to_china(pair: tuple[Any, Any]) -> None:
    """Between each two something came into force, and what bears on the answer stands first."""
    request = parse_request(
        '{"kind": "transfer", "id": "t", "activity": "export", "item": {"chip": "H20"}, "count": 100,'
        ' "origin": "US", "destination": "CN", "end_use": ["inference"]}'
    )
    answers = [decide(request, load_pack("us-ear"), at) for at in pair]
    changes = explain_difference(*answers)
    assert changes
    assert all(change.cite and change.on for change in changes if change.kind == "rule-began")
