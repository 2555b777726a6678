"""A law of overlays: whatever a reform adds, no answer for a day before it begins changes."""

from __future__ import annotations

from datetime import timedelta

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sekisho.model.instants import Instant, parse_date_or_instant
from sekisho.rules import Decision, Pack, decide, decide_plainly, parse_pack
from sekisho.rules.pack import Reading
from sekisho.rules.requests import (
    ChipsAsked,
    CloudUseRequest,
    Cluster,
    ClusterRequest,
    ItemAsked,
    PartyAsked,
    Request,
    TransferRequest,
)
from sekisho.rules.requests.shapes import AskedFact
from tests.random_reforms import FIRST, STARTS, Document, bases, reforms
from tests.written_packs import as_yaml, finder, read_over

_COUNTRIES = st.sampled_from(["CN", "JP", "US", None])
_PARTIES = st.builds(
    PartyAsked,
    country=_COUNTRIES,
    headquarters=_COUNTRIES,
    parent_headquarters=_COUNTRIES,
    listed=st.sampled_from([True, False, None]),
)
_TOLD = {
    "facts": st.sampled_from([{}, *({"cargo": str(10**n)} for n in (22, 23, 24, 26))]),
    "end_use": st.sampled_from([None, ("military",), ("commercial",), ("wmd", "research")]),
}
_REQUESTS: st.SearchStrategy[Request] = st.one_of(
    st.builds(
        TransferRequest,
        kind=st.just("transfer"),
        id=st.just("t"),
        item=st.just(ItemAsked(form="other")),
        end_user=_PARTIES,
        consignee=_PARTIES,
        **_TOLD,
    ),
    st.builds(
        CloudUseRequest, kind=st.just("cloud-use"), id=st.just("c"), customer=_PARTIES, **_TOLD
    ),
)
_DAYS_BEFORE = st.integers(-30, (STARTS - FIRST).days - 1).map(
    lambda days: parse_date_or_instant(str(FIRST + timedelta(days=days)))
)
_KNOWN = st.none() | st.sampled_from(["2021-01-01", "2024-06-01", "2026-06-01", "2031-01-01"]).map(
    parse_date_or_instant
)


_READINGS: st.SearchStrategy[Reading] = st.sampled_from(["enforced", "codified", "announced"])


@st.composite
def _reformed(draw: st.DrawFn) -> tuple[Document, Document]:
    base = draw(bases())
    return base, draw(reforms(base))


def _read(base: Document, reform: Document) -> tuple[Pack, Pack]:
    raw = as_yaml(base)
    return (
        parse_pack(raw, "ground.yaml"),
        parse_pack(as_yaml(reform), "reform.yaml", finder(raw)),
    )


def _answer(decision: Decision) -> object:
    """All that was decided, without the name of the policy and the rows of rules that do not count yet."""
    told = msgspec.structs.asdict(decision)
    old = tuple(row for row in decision.trace if not row.rule.startswith("new-"))
    missing = tuple(fact.replace("reform", "ground") for fact in decision.missing)
    return {**told, "policy": None, "missing": missing, "trace": old, "definitions": None}


@settings(max_examples=25, deadline=None)
@given(_reformed(), _REQUESTS, _DAYS_BEFORE, _KNOWN, _READINGS)
def test_a_future_reform_changes_no_earlier_answer(
    packs: tuple[Document, Document],
    request: Request,
    at: Instant,
    as_of: Instant | None,
    reading: Reading,
) -> None:
    """Decision, rules, exceptions, missing facts and warnings are the base's, under every reading."""
    base, reform = _read(*packs)
    earlier = decide(request, base, at, as_of, reading=reading)
    later = decide(request, reform, at, as_of, reading=reading)
    assert _answer(earlier) == _answer(later)


@pytest.mark.soak
@settings(max_examples=1000, deadline=None)
@given(_reformed(), _REQUESTS, _DAYS_BEFORE, _KNOWN, _READINGS)
def test_no_future_reform_of_thousands_changes_an_earlier_answer(
    packs: tuple[Document, Document],
    request: Request,
    at: Instant,
    as_of: Instant | None,
    reading: Reading,
) -> None:
    """The same, both by the engine and by the plain way that an auditor goes."""
    base, reform = _read(*packs)
    for judge in (decide, decide_plainly):
        earlier = judge(request, base, at, as_of, reading=reading)
        later = judge(request, reform, at, as_of, reading=reading)
        assert _answer(earlier) == _answer(later)


@settings(max_examples=10, deadline=None)
@given(_reformed())
def test_a_reform_keeps_every_entry_of_its_base(packs: tuple[Document, Document]) -> None:
    """Histories grow at their end, rules keep their order, conditions and outcomes."""
    base, reform = _read(*packs)
    for name, parameter in base.parameters.items():
        assert reform.parameters[name].values[: len(parameter.values)] == parameter.values
    for old, new in zip(base.rules, reform.rules, strict=False):
        assert (old.id, old.when, old.outcome) == (new.id, new.when, new.outcome)
        assert new.statuses[: len(old.statuses)] == old.statuses
        assert new.reviews[len(new.reviews) - len(old.reviews) :] == old.reviews
    assert [e.id for e in reform.exceptions][: len(base.exceptions)] == [
        e.id for e in base.exceptions
    ]


def test_a_reform_does_change_later_answers() -> None:
    """The law above would hold of an overlay that did nothing: this one suspends a rule and adds a stricter one."""
    since = "from: 2026-01-01, source: bill-tighter, cite: x, mark: O"
    pack = read_over(f"""\
rules:
  - id: thirsty
    status:
      - {{{since}, status: suspended, acts: false}}
  - id: drought
    cite: x
    binding: x
    for: [cluster]
    status:
      - {{{since}, status: enforced, acts: true}}
    when: {{quantity: cooling-water, op: ">", value: 1e6, unit: m3/yr}}
    outcome: deny
    duty: none is built
""")
    cluster = Cluster(chips=(ChipsAsked(chip="H100", count=8),))
    facts: dict[str, AskedFact] = {"cooling-water": "3000000"}
    request = ClusterRequest(kind="cluster", id="c", cluster=cluster, facts=facts)
    days = [parse_date_or_instant(day) for day in ("2025-12-31", "2026-01-01")]
    assert [decide(request, pack, at).decision for at in days] == ["report", "deny"]
