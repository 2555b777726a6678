"""The shipped packs say what the public table of training-compute thresholds says, on each side of each figure.

The rows are transcribed from the instruments, with the confidence of the reading: P read, S in secondary sources.
"""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from sekisho.model.instants import parse_date_or_instant
from sekisho.model.wire import canonical
from sekisho.rules import decide, load_pack, parse_request
from sekisho.rules.pack import Mark


class Fact(msgspec.Struct, frozen=True, kw_only=True):
    """One row: the instrument, its figure and operator, a day on which it holds, and a request without that figure."""

    instrument: str
    pack: str
    parameter: str
    rule: str
    op: str
    value: int
    mark: Mark
    at: str
    field: str
    request: dict[str, Any]


def _run(place: str, **facts: object) -> dict[str, Any]:
    return {"id": "r", "origin": "scratch", "jurisdictions": [place], "facts": facts}


_LARGE = str(10**26 + 1)
_HALL = {"peak_flop_per_s": "", "bits": 8, "memory_gb": "1"}

FACTS = [
    Fact(
        instrument="EU AI Act, Art. 51(2)",
        pack="eu-ai-act",
        parameter="systemic-risk",
        rule="eu-systemic-risk",
        op=">",
        value=10**25,
        mark="S",
        at="2025-08-02",
        field="planned_flop",
        request=_run("EU", **{"generates-language-images-or-video": True}),
    ),
    Fact(
        instrument="Guidelines on general-purpose AI, C(2025) 5045",
        pack="eu-ai-act",
        parameter="gpai",
        rule="eu-gpai-provider",
        op=">",
        value=10**23,
        mark="S",
        at="2025-08-02",
        field="planned_flop",
        request=_run("EU", **{"generates-language-images-or-video": True}),
    ),
    Fact(
        instrument="EO 14110, 4.2(b)(i)",
        pack="us-eo14110",
        parameter="model",
        rule="eo-model-report",
        op=">",
        value=10**26,
        mark="P",
        at="2023-10-30",
        field="planned_flop",
        request=_run("US", **{"primarily-biological": False}),
    ),
    Fact(
        instrument="EO 14110, 4.2(b)(i), biological sequence data",
        pack="us-eo14110",
        parameter="biological-model",
        rule="eo-model-report",
        op=">",
        value=10**23,
        mark="P",
        at="2025-01-19",
        field="planned_flop",
        request=_run("US", **{"primarily-biological": True}),
    ),
    Fact(
        instrument="EO 14110, 4.2(b)(ii)",
        pack="us-eo14110",
        parameter="cluster-peak",
        rule="eo-cluster-report",
        op=">=",
        value=10**20,
        mark="P",
        at="2024-06-01",
        field="cluster.peak",
        request={"kind": "cluster", "id": "r", "facts": {"co-located": True}},
    ),
    Fact(
        instrument="SB 53, frontier model",
        pack="us-ca-sb53",
        parameter="frontier-model",
        rule="ca-frontier-developer",
        op=">",
        value=10**26,
        mark="P",
        at="2026-01-01",
        field="planned_flop",
        request=_run("US-CA"),
    ),
    Fact(
        instrument="SB 53, large frontier developer",
        pack="us-ca-sb53",
        parameter="large-developer",
        rule="ca-large-developer",
        op=">",
        value=500_000_000,
        mark="P",
        at="2026-01-01",
        field="facts.annual-revenue",
        request={**_run("US-CA"), "planned_flop": _LARGE},
    ),
    Fact(
        instrument="RAISE, S.8828 ch. 96 of 2026",
        pack="us-ny-raise",
        parameter="frontier-model",
        rule="ny-frontier-developer",
        op=">",
        value=10**26,
        mark="S",
        at="2027-01-01",
        field="planned_flop",
        request=_run("US-NY"),
    ),
    Fact(
        instrument="RAISE, S.8828, large developer",
        pack="us-ny-raise",
        parameter="large-developer",
        rule="ny-large-developer",
        op=">",
        value=500_000_000,
        mark="S",
        at="2027-01-01",
        field="facts.annual-revenue",
        request={**_run("US-NY"), "planned_flop": _LARGE},
    ),
    Fact(
        instrument="AI Basic Act decree, Korea",
        pack="kr-ai-basic",
        parameter="high-performance",
        rule="kr-high-performance-ai",
        op=">=",
        value=10**26,
        mark="S",
        at="2026-01-22",
        field="planned_flop",
        request=_run("KR"),
    ),
]


def _asked(fact: Fact, value: int) -> bytes:
    """The request with the figure put in."""
    request = dict(fact.request)
    if fact.field == "cluster.peak":
        declared = {**_HALL, "peak_flop_per_s": str(value)}
        chips = [{"chip": "a hall", "count": 1, "declared": declared}]
        request["cluster"] = {"networked": True, "network_gbit_s": "400", "chips": chips}
    elif fact.field.startswith("facts."):
        name = fact.field.removeprefix("facts.")
        request["facts"] = {**request["facts"], name: str(value)}
    else:
        request[fact.field] = str(value)
    return canonical(request)


def _holds(fact: Fact, value: int) -> bool:
    at = parse_date_or_instant(fact.at)
    answer = decide(parse_request(_asked(fact, value)), load_pack(fact.pack), at)
    return fact.rule in [rule.id for rule in answer.rules]


@pytest.mark.parametrize("fact", FACTS, ids=lambda fact: fact.instrument)
def test_a_rule_turns_exactly_at_its_published_threshold(fact: Fact) -> None:
    """One below it does not hold, one above it does, and at the figure the operator of the text tells."""
    below, equal, above = (_holds(fact, fact.value + step) for step in (-1, 0, 1))
    assert (below, equal, above) == (False, fact.op == ">=", True)


@pytest.mark.parametrize("fact", FACTS, ids=lambda fact: fact.instrument)
def test_a_threshold_carries_the_confidence_of_its_reading(fact: Fact) -> None:
    """The figure and its mark are those of the table."""
    dated = load_pack(fact.pack).parameters[fact.parameter].at(parse_date_or_instant(fact.at))
    assert dated is not None
    assert (dated.value, dated.mark) == (fact.value, fact.mark)


@pytest.mark.parametrize(
    ("pack", "last_day_without", "first_day"),
    [
        ("us-eo14110", "2023-10-29", "2023-10-30"),
        ("eu-ai-act", "2025-08-01", "2025-08-02"),
        ("us-ca-sb53", "2025-12-31", "2026-01-01"),
        ("us-ny-raise", "2026-12-31", "2027-01-01"),
        ("kr-ai-basic", "2026-01-21", "2026-01-22"),
    ],
)
def test_a_law_acts_from_its_day_on(pack: str, last_day_without: str, first_day: str) -> None:
    """No rule about training acts on the day before, one does on the day; both in UTC."""
    rules = [rule for rule in load_pack(pack).rules if "training-run" in rule.kinds]

    def acting(day: str) -> bool:
        found = [rule.status_at(parse_date_or_instant(day)) for rule in rules]
        return any(status is not None and status.acts for status in found)

    assert (acting(last_day_without), acting(first_day)) == (False, True)


def test_the_order_of_2023_asks_for_nothing_since_its_revocation() -> None:
    """On 2025-01-20 its reporting rules are revoked, and what answers is the revocation."""
    pack, at = load_pack("us-eo14110"), parse_date_or_instant("2025-01-20")
    acting = [rule.id for rule in pack.rules if (s := rule.status_at(at)) is not None and s.acts]
    assert acting == ["eo-model-revoked", "eo-cluster-revoked"]
    assert {rule.outcome for rule in pack.rules if rule.id in acting} == {"permit"}


def test_japan_has_no_threshold_of_training_compute() -> None:
    """The pack holds no parameter at all, and its rule about training permits."""
    pack = load_pack("jp-export")
    assert pack.parameters == {}
    assert [rule.outcome for rule in pack.rules if "training-run" in rule.kinds] == ["permit"]


def test_new_york_does_not_use_the_older_texts() -> None:
    """No parameter holds their 100 million dollars."""
    values = [
        entry.value
        for parameter in load_pack("us-ny-raise").parameters.values()
        for entry in parameter.values
    ]
    assert 100_000_000 not in values
