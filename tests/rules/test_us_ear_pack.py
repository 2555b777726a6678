"""The US pack against the facts that it was written from: sets, tables, dates, three states of law, who lifts what."""

from __future__ import annotations

import operator
from collections.abc import Iterator
from fractions import Fraction
from itertools import chain, product

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sekisho.model.instants import Instant, parse_date_or_instant
from sekisho.rules import decide, load_pack
from sekisho.rules.pack import Dated, Definition, Duty, Parameter, PlaceSet, StatedQuantity
from sekisho.rules.requests import ChipSpec, ItemAsked, PartyAsked, TransferRequest
from tests.lawyer_cases import cases_of_pack, decided

PACK = load_pack("us-ear")
DIFFUSION = (
    "diffusion-tier-1",
    "diffusion-tier-2",
    "diffusion-tier-3",
    "diffusion-weights",
    "diffusion-training-site",
    "red-flag-28",
)


def _day(text: str) -> Instant:
    return parse_date_or_instant(text)


def _members(name: str, day: str) -> frozenset[str]:
    entry = PACK.sets[name].at(_day(day))
    assert entry is not None
    assert entry.members is not None
    return entry.members


def _entries() -> Iterator[Dated]:
    for parameter in PACK.parameters.values():
        yield from parameter.values
    for places in PACK.sets.values():
        yield from places.versions
    for definition in PACK.definitions.values():
        yield from definition.versions
    for rule in PACK.rules:
        yield from rule.statuses
        yield from rule.reviews
    for exception in PACK.exceptions:
        yield from exception.statuses


def test_there_are_at_least_thirty_rules_of_standing_law() -> None:
    """The pack is law of the United States from October 2022 to August 2026 with thirty rules or more."""
    assert len(PACK.rules) >= 30
    assert (PACK.standing, PACK.jurisdiction) == ("law", "US")
    assert PACK.coverage is not None
    assert (PACK.coverage.start, PACK.coverage.until) == (_day("2022-10-07"), _day("2026-08-31"))


def test_everything_that_people_read_stands_in_japanese_as_well() -> None:
    """Titles, duties, meanings and conditions carry both languages."""
    named: list[Parameter | PlaceSet | Definition | StatedQuantity] = [
        *PACK.parameters.values(),
        *PACK.sets.values(),
        *PACK.definitions.values(),
        *PACK.quantities.values(),
    ]
    duties: list[Duty] = [
        *chain.from_iterable(rule.duties for rule in PACK.rules),
        *chain.from_iterable(exception.notices for exception in PACK.exceptions),
    ]
    texts = [PACK.title_ja, *(value.means_ja for value in named), *(d.what_ja for d in duties)]
    texts += [rule.duty_ja for rule in PACK.rules]
    texts += [exception.title_ja for exception in PACK.exceptions]
    texts += [part.says_ja for exception in PACK.exceptions for part in exception.eligibility]
    assert all(any(ord(sign) > 0x3000 for sign in text) for text in texts)


def test_what_is_recalled_says_so() -> None:
    """Each value marked R carries the note that it is to be verified."""
    recalled = [entry for entry in _entries() if entry.mark == "R"]
    assert recalled
    assert all("to be verified" in entry.note for entry in recalled)


def test_hours_are_our_assumption() -> None:
    """No source gives hours, so each figure of effort is marked O."""
    duties = chain.from_iterable(rule.duties for rule in PACK.rules)
    assert {duty.hours_mark for duty in duties if duty.hours is not None} == {"O"}


def test_country_sets_have_the_members_that_were_read() -> None:
    """Supplement 5(a) lists 19; D:5 lists 22 since July 2026 and 23 before; Macau is in neither; Hong Kong is China."""
    assert len(_members("supp5a", "2025-01-15")) == 19
    assert "US" in _members("supp5a", "2025-01-15")
    assert len(_members("d5", "2026-08-01") - {"HK"}) == 22
    assert _members("d5", "2025-01-15") - _members("d5", "2026-08-01") == {"KH"}
    assert "MO" not in _members("d5", "2026-08-01") | _members("d5", "2025-01-15")
    assert _members("d5-macau", "2026-08-01") == _members("d5", "2026-08-01") | {"MO"}
    assert all("HK" in _members(name, "2026-08-01") for name in ("d1", "d4", "d5"))
    assert len(_members("d1", "2026-08-01") - {"HK"}) == 24
    assert len(_members("a5", "2026-08-01")) == 38
    assert "NO" in _members("a5", "2026-08-01")


def test_the_uae_moved_at_an_unknown_day() -> None:
    """In D:4 as recalled, in A:5 on the list of 2026-07-23: the pack takes the day of the list."""
    assert "AE" in _members("d4", "2026-07-22")
    assert "AE" not in _members("d4", "2026-07-23")
    assert "AE" in _members("a5", "2026-07-23")
    assert "AE" not in _members("a5", "2026-07-22")


@pytest.mark.parametrize(
    ("day", "tpp"),
    [
        ("2025-01-13", 633_000_000),
        ("2025-04-01", 949_500_000),
        ("2025-07-01", 1_266_000_000),
        ("2025-10-01", 1_582_500_000),
        ("2026-01-01", 1_899_000_000),
        ("2026-04-01", 2_690_250_000),
        ("2026-07-01", 3_481_500_000),
        ("2026-10-01", 4_272_750_000),
        ("2027-01-01", 5_064_000_000),
        ("2027-12-31", 5_064_000_000),
    ],
)
def test_national_amounts_follow_the_quarters(day: str, tpp: int) -> None:
    """Cumulative TPP per national validated end user, 2025 Q1 to 2027 Q4 (90 FR 4544)."""
    dated = PACK.parameters["nveu-allocation"].at(_day(day))
    assert dated is not None
    assert dated.value == tpp


@pytest.mark.parametrize("rule_id", DIFFUSION)
def test_the_diffusion_framework_is_codified_and_never_enforced(rule_id: str) -> None:
    """From 2025-01-13 on each of its rules is codified and acts on no day."""
    rule = next(rule for rule in PACK.rules if rule.id == rule_id)
    assert {(status.word, status.acts) for status in rule.statuses} == {("codified", False)}
    assert rule.status_at(_day("2025-01-12")) is None


def test_no_exception_lifts_what_part_744_or_a_letter_asks() -> None:
    """Exceptions lift licences by place and headquarters; end uses, lists, letters and GP 10 stay."""
    lifted = set(chain.from_iterable(exception.lifts for exception in PACK.exceptions))
    stay = {"letters-2022", "letters-2025", "gp10-chips", "wmd-end-use", "military-end-use"}
    stay |= {"military-intelligence", "supercomputer", "listed-party", "affiliates-half"}
    stay |= {"red-flag-29", "embargoed-destination", "foundry-presumption", "other-exceptions"}
    assert not lifted & stay


def test_the_affiliates_rule_is_a_switch_with_three_days() -> None:
    """On from 2025-09-29, off from 2025-11-10 to 2026-11-09, on again by its own text."""
    rule = next(rule for rule in PACK.rules if rule.id == "affiliates-half")
    days = ("2025-09-29", "2025-11-09", "2025-11-10", "2026-11-09", "2026-11-10")
    statuses = [rule.status_at(_day(day)) for day in days]
    assert [status is not None and status.acts for status in statuses] == [
        True,
        True,
        False,
        False,
        True,
    ]


# --- the entry against its formula, written down a second time -------------------------------------


def _class(tpp: Fraction, density: Fraction, datacenter: bool) -> str:
    """3A090.a and .b with Note 2, 15 CFR 774 Supp. 1."""
    if not datacenter and tpp < 4800:
        return ""
    if tpp >= 4800 or (tpp >= 1600 and density >= Fraction("5.92")):
        return "advanced"
    first = 2400 <= tpp < 4800 and Fraction("1.6") <= density < Fraction("5.92")
    second = tpp >= 1600 and Fraction("3.2") <= density < Fraction("5.92")
    return "less-advanced" if first or second else ""


CHINA = PartyAsked(
    country="CN",
    headquarters="CN",
    parent_headquarters="CN",
    listed=False,
    listed_owner_known=False,
    listed_owner_share="0",
    authorisation="none",
)


@given(
    tflops=st.integers(1, 400_000), area=st.integers(50_000, 2_000_000), datacenter=st.booleans()
)
def test_the_entry_says_what_its_formula_says(tflops: int, area: int, datacenter: bool) -> None:
    """For any chip the rules by country group are those of the formula: TPP 16 x FP16, density over the die."""
    spec = ChipSpec(
        fp16_dense_tflops=f"{tflops / 1000:.3f}",
        die_mm2=f"{area / 1000:.3f}",
        mem_bw_gbs="100",
        interconnect_bidir_gbs="100",
        datacenter=datacenter,
        designer_country="US",
    )
    request = TransferRequest(
        kind="transfer",
        id="chip",
        activity="reexport",
        item=ItemAsked(spec=spec),
        count=1,
        origin="JP",
        destination="CN",
        consignee=CHINA,
        end_user_is_consignee=True,
        end_use=("commercial",),
        facts={"supercomputer": False, "exporter-is-fabricator": False, "nac-notice-days": "0"},
    )
    answer = decide(request, PACK, _day("2026-08-01"))
    tpp = Fraction(tflops * 16, 1000)
    wanted = _class(tpp, tpp / Fraction(area, 1000), datacenter)
    assert {rule.id for rule in answer.rules} - {"note-2"} == (
        {f"{wanted}-to-d-groups", f"{wanted}-headquarters"} if wanted else set()
    )


# --- missing facts --------------------------------------------------------------------------------

_SEVERITY = {"permit": 0, "report": 1, "licence": 2, "deny": 3, "unsure": 9}
_DROPPED = [
    ("destination",),
    ("origin",),
    ("activity",),
    ("end_use",),
    *product(("consignee",), ("headquarters", "parent_headquarters", "listed")),
    *product(("facts",), ("supercomputer", "red-flags-resolved", "nac-notice-days")),
]


@pytest.mark.parametrize("path", _DROPPED, ids=".".join)
def test_a_missing_fact_never_makes_the_answer_milder(path: tuple[str, ...]) -> None:
    """Of every six-dates request, with one fact left out, the answer is as strict or unsure."""
    for case in cases_of_pack("us-ear"):
        if case.file != "us_ear_six_dates":
            continue
        request = {**case.request, path[0]: _without(case.request[path[0]], path[1:])}
        answer = decided(msgspec.structs.replace(case, request=_told(request)))
        assert _SEVERITY[answer.decision] >= _SEVERITY[case.decision], case.name


def _without(value: object, path: tuple[str, ...]) -> object:
    if not path or not isinstance(value, dict):
        return None
    return {name: inner for name, inner in value.items() if name != path[0]}


def _told(request: dict[str, object]) -> dict[str, object]:
    return {name: value for name, value in request.items() if value is not None}


_HOLDS = {">": operator.gt, ">=": operator.ge, "<": operator.lt, "<=": operator.le}


def test_the_reason_that_a_rule_shows_is_true_as_it_reads() -> None:
    """Where a rule holds and an amount stands for it, that amount is on the side of the limit that is printed."""
    shown = 0
    for case in cases_of_pack("us-ear"):
        for rule in decided(case).rules:
            if rule.truth == "true" and rule.op in _HOLDS:
                shown += 1
                # an amount without a finite decimal stands as "≈2.000000 (exactly this fraction)"
                exact = rule.value.partition("(")[2].rstrip(")") or rule.value
                value, limit = Fraction(exact), Fraction(rule.threshold)
                assert _HOLDS[rule.op](value, limit), (case.id, rule.id)
    assert shown > 100
