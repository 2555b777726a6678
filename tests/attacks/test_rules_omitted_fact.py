"""The attack: leave a fact out, misspell it, or hide it behind an exception, and be permitted."""

from __future__ import annotations

import itertools
from typing import Any, Final

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sekisho.model.errors import InvalidInput
from sekisho.model.instants import parse_date_or_instant
from sekisho.rules import Judge, Request, RunRequest, decide, load_pack, parse_request
from sekisho.rules.library import pack_names
from tests.rule_packs import exception_text, rule_text, small_pack
from tests.rule_strategies import DATES, requests_for

AT = parse_date_or_instant("2026-02-01")
SLOW = [HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much]
# Fields whose absence is a missing fact. A request without intermediates says that there are none.
OMITTED: Final = {
    "training-run": ["planned_flop", "lineage_flop", "jurisdictions", "cluster", "post_training"],
    "cluster": ["jurisdictions"],
    "transfer": [
        "activity",
        "count",
        "origin",
        "destination",
        "exporter",
        "consignee",
        "end_user",
        "end_use",
        "so_far",
    ],
    "cloud-use": ["provider", "customer", "place", "jurisdictions", "cluster", "end_use"],
    "access": ["model", "training_flop", "provider", "user", "user_class", "place", "weights"],
}


def without(request: Request, names: list[str], facts: list[str]) -> Request | None:
    """The request with these fields and stated facts left out; None where that is no request."""
    kept = {name: value for name, value in request.facts.items() if name not in facts}
    blank: dict[str, Any] = dict.fromkeys(names)
    try:
        return msgspec.structs.replace(request, facts=kept, **blank)
    except InvalidInput:
        return None


def assert_no_milder(data: st.DataObject) -> None:
    """A permit or report on less is one on more: what was left out could not have changed it."""
    pack = load_pack(data.draw(st.sampled_from(pack_names())))
    judge = Judge(pack, data.draw(st.sampled_from(DATES[1:])))
    full = data.draw(requests_for(pack))
    names = data.draw(st.lists(st.sampled_from(OMITTED[full.kind]), unique=True, max_size=4))
    facts = data.draw(st.lists(st.sampled_from([*full.facts, "none"]), unique=True, max_size=4))
    less = without(full, names, facts)
    if less is None:
        return
    milder, word = judge.word(less)[0], judge.word(full)[0]
    allowed = {"permit": ("permit",), "report": ("permit", "report")}
    assert milder not in allowed or word in allowed[milder]


@settings(max_examples=500, deadline=None, suppress_health_check=SLOW)
@given(st.data())
def test_what_is_left_out_never_makes_an_answer_milder(data: st.DataObject) -> None:
    """Of any request, under any pack that ships."""
    assert_no_milder(data)


@pytest.mark.soak
@settings(max_examples=50_000, deadline=None, suppress_health_check=SLOW)
@given(st.data())
def test_thousands_of_omissions_make_no_answer_milder(data: st.DataObject) -> None:
    """The same law for longer."""
    assert_no_milder(data)


def test_a_request_that_tells_nothing_is_permitted_only_where_no_rule_could_say_otherwise() -> None:
    """Under each pack that ships and on each date: where a rule that acts is stricter, it is unsure."""
    bare: list[Request] = [
        RunRequest(id="r"),
        parse_request('{"kind": "transfer", "id": "r", "item": {}}'),
        parse_request('{"kind": "cloud-use", "id": "r"}'),
        parse_request('{"kind": "access", "id": "r"}'),
    ]
    for name, request, at in itertools.product(pack_names(), bare, DATES):
        answer = decide(request, load_pack(name), at)
        acting = [one for one in answer.trace if one.truth in ("true", "false", "unknown")]
        could_be = {one.outcome for one in acting if one.truth != "false"}
        if not acting or could_be - {"permit"}:
            assert answer.decision != "permit"


def test_a_misspelt_fact_is_refused_and_names_the_right_one() -> None:
    """A name that nobody asks for must not be lost silently."""
    request = RunRequest(id="r", facts={"anual-revenue": "1"})
    with pytest.raises(InvalidInput, match="annual-revenue"):
        decide(request, load_pack("us-ca-sb53"), AT)


@pytest.mark.parametrize("known", [["b"], ["c"], []], ids=["one", "the other", "neither"])
def test_an_exception_with_an_unknown_condition_never_lifts(known: list[str]) -> None:
    """The licence stays, and the exception says what it lacks."""
    pack = small_pack(
        rule_text("r0", "licence", "a"),
        more="exceptions:\n" + exception_text("e0", "r0", "b", "c"),
    )
    facts: dict[str, Any] = {"a": True, **dict.fromkeys(known, True)}
    answer = decide(RunRequest(id="r", facts=facts), pack, AT)
    assert answer.decision == "licence"
    assert set(answer.exceptions[0].missing) == {"facts.b", "facts.c"} - {
        f"facts.{name}" for name in known
    }


def test_an_exception_without_conditions_lifts_nothing() -> None:
    """No file can say so; a pack made otherwise does not help either."""
    pack = small_pack(
        rule_text("r0", "licence", "a"),
        more="exceptions:\n" + exception_text("e0", "r0", "b"),
    )
    empty = msgspec.structs.replace(pack.exceptions[0], eligibility=())
    hollow = msgspec.structs.replace(pack, exceptions=(empty,))
    answer = decide(RunRequest(id="r", facts={"a": True}), hollow, AT)
    assert (answer.decision, answer.exceptions[0].truth) == ("licence", "unknown")


def test_a_request_before_the_first_rule_is_never_permitted() -> None:
    """Whatever it tells, and under every pack that ships."""
    early = parse_date_or_instant("2019-12-31")
    for name in pack_names():
        for request in (
            RunRequest(id="r", planned_flop="1", origin="scratch", jurisdictions=("JP",)),
            parse_request('{"kind": "transfer", "id": "r", "item": {"chip": "L4"}, "count": 1}'),
        ):
            answer = decide(request, load_pack(name), early)
            assert (answer.decision, answer.rules) == ("unsure", ())
            assert answer.missing[0].startswith(f"{name} says nothing")
