"""The whole pack format: what every field becomes, and one refusal for each thing that may be written wrong."""

from __future__ import annotations

from fractions import Fraction

import pytest

from sekisho.model.errors import InvalidInput
from sekisho.model.instants import parse_date_or_instant
from sekisho.rules.pack import (
    All,
    AmountLimb,
    Deadline,
    DefinitionLimb,
    FlagLimb,
    Not,
    PlaceLimb,
    WordLimb,
)
from sekisho.rules.pack_reader.reach import limbs_of
from tests.written_packs import FULL, line_of, read

DAY = parse_date_or_instant("2026-01-15")


def test_the_head_says_what_a_pack_is() -> None:
    """Standing, jurisdiction, coverage, both titles."""
    pack = read()
    assert (pack.standing, pack.jurisdiction, pack.title_ja) == ("law", "US", "すべてを含む規則集")
    assert pack.coverage is not None
    assert str(pack.coverage.start) == "2022-01-01T00:00:00Z"
    assert str(pack.coverage.until) == "2027-01-01T00:00:00Z"
    assert pack.over == ()


def test_amounts_are_exact_fractions() -> None:
    """5.92 and a third are fractions, 2.5e6 is a whole number."""
    parameters = read().parameters
    values = {name: parameter.values[0].value for name, parameter in parameters.items()}
    assert values == {"density": Fraction(592, 100), "water": 2_500_000, "third": Fraction(1, 3)}
    assert isinstance(values["water"], int)
    assert parameters["density"].values[0].review_by == parse_date_or_instant("2026-12-01")
    assert parameters["density"].means_ja == "性能密度"


def test_a_set_has_the_members_of_the_day() -> None:
    """The list grew in 2025."""
    group = read().sets["group-d"]
    before, after = (group.at(parse_date_or_instant(day)) for day in ("2024-12-31", "2025-01-01"))
    assert before is not None
    assert after is not None
    assert (after.members or frozenset()) - (before.members or frozenset()) == {"RU"}


def test_a_pack_declares_quantities_with_units_of_its_own() -> None:
    """A new pack needs no Python."""
    quantities = read().quantities
    assert [q.kind for q in quantities.values()] == ["amount", "flag", "places", "word"]
    assert quantities["cooling-water"].unit == "m3/yr"
    assert quantities["purpose"].words == ("civil", "other")


def test_a_definition_has_a_label_and_ends_with_null() -> None:
    """From June 2026 on nothing of that name is law."""
    controlled = read().definitions["controlled"]
    assert controlled.label == "9Z999.a"
    now, later = controlled.at(DAY), controlled.at(parse_date_or_instant("2026-06-01"))
    assert now is not None
    assert now.when is not None
    assert later is not None
    assert later.when is None


def test_every_kind_of_limb_is_read_as_its_quantity_asks() -> None:
    """Definitions, sets, words, flags, places, amounts."""
    rules = {rule.id: rule.when for rule in read().rules}
    assert rules["to-concern"] == All(
        (
            DefinitionLimb(definition="controlled", value=True),
            PlaceLimb(quantity="destination", place_set="group-d"),
            Not(WordLimb(quantity="end_use", words=("research",))),
        )
    )
    assert list(limbs_of(rules["thirsty"])) == [
        AmountLimb(quantity="cooling-water", op=">", parameter="water", unit="m3/yr"),
        FlagLimb(quantity="attested", value=False),
        PlaceLimb(quantity="route", op="all-of", places=("JP", "US")),
        WordLimb(quantity="purpose", words=("other",)),
    ]


def test_a_rule_says_for_whom_and_what_follows() -> None:
    """Kinds, duties in parts, reviews in order; a rule that names no kind is about training runs."""
    rule, thirsty, modified = read().rules
    assert [r.kinds for r in (rule, thirsty, modified)] == [
        ("transfer",),
        ("cluster", "cloud-use"),
        ("training-run",),
    ]
    application, yearly = rule.duties
    assert application.deadline == Deadline(days=30, direction="before", event="the shipment")
    assert application.hours == Fraction(13, 2)
    assert (application.hours_mark, application.delay_days) == ("S", 90)
    assert yearly.deadline == Deadline(each_year_on=("07-15", "01-15"))
    assert [review.policy for review in rule.reviews] == ["presumption-of-denial", "case-by-case"]
    assert rule.reviews[1].when is None


def test_an_exception_names_conditions_and_notices() -> None:
    """Each condition in words that a person can tick."""
    (exception,) = read().exceptions
    assert exception.lifts == ("to-concern",)
    assert exception.eligibility[0].says_ja == "100個以下"
    assert exception.notices[0].deadline == Deadline(
        hours=48, direction="before", event="the shipment"
    )
    assert exception.status_at(parse_date_or_instant("2022-05-31")) is None


DEFINITIONS = "definitions:\n"
LOOP = """\
definitions:
  selfish:
    means: itself
    versions:
      - {from: 2022-01-01, when: {definition: selfish, is: true}, source: law, cite: x, mark: P}
"""
BELOW = LOOP.replace("definition: selfish", "definition: dense")


@pytest.mark.parametrize(
    ("old", "new", "at", "what"),
    [
        # head
        ("standing: law", "standing: lore", "standing: lore", "'lore' is not known"),
        ("jurisdiction: US", "jurisdiction: usa", "jurisdiction: usa", "does not fit"),
        ("until: 2027-01-01", "until: 2021-01-01", "coverage", "ends before it begins"),
        ("until: 2027-01-01", "until: 2027-02-29", "coverage", "not a date"),
        ("pack: full", "pack: full\nstarts: 2026-01-01", "starts", "unknown field 'starts'"),
        # quantities
        ("  attested:", "  tpp:", "  tpp:", "known without being declared"),
        ("kind: flag", "kind: flags", "kind: flags", "'flags' is not known"),
        ("kind: flag,", "kind: flag, unit: GB,", "kind: flag", "an amount has a unit"),
        (
            "    unit: m3/yr\n    means: water for",
            "    means: water for",
            "kind: amount",
            "an amount has a unit",
        ),
        ("kind: flag,", "kind: flag, words: [a],", "kind: flag", "has no words"),
        ("[civil, other]", "[civil, civil]", "[civil, civil]", "'civil' stands twice"),
        # sets
        ("[CN, HK, MO]", "[CN, XX, MO]", "XX", "'XX' is no country"),
        ("[CN, HK, MO]", "[CN, cn, MO]", "[CN, cn", "does not fit"),
        ("[CN, HK, MO]", "[CN, CN, MO]", "[CN, CN", "'CN' stands twice"),
        ("[CN, HK, MO]", "[]", "members: []", "not a list with entries"),
        ("[CN, HK, MO]", "[CN, EU]", "set: group-d", "EU is none"),
        # parameters
        ("value: 1/3", "value: 4/3", "value: 4/3", "at most 1"),
        ("value: 1/3", "value: 1/0", "value: 1/0", "not a non-negative amount"),
        ("value: 1/3", "value: -1", "value: -1", "not a non-negative amount"),
        ("value: 5.92", "value: 5,92", "value: 5,92", "unknown field '92'"),
        ("value: 5.92", "value: 1e39", "value: 1e39", "more than 38 digits"),
        ("review-by: 2026-12-01", "review-by: 2021-12-01", "review-by", "before the entry begins"),
        ("    unit: TPP/mm2\n", "    unit: TPP/mm\n", "unit: TPP/mm", "'TPP/mm' is not known"),
        # definitions
        (DEFINITIONS, LOOP, "definition: selfish", "'selfish' uses itself"),
        (DEFINITIONS, BELOW, "definition: dense, is: true}, source", "'dense' stands below"),
        (
            "definition: dense, is",
            "definition: dens, is",
            "definition: dens,",
            "'dens' is not known",
        ),
        ("dense, is: true", "dense, is: yes", "dense, is: yes", "neither true nor false"),
        # limbs
        ("quantity: tpp,", "quantity: ttp,", "quantity: ttp", "'ttp' is not known"),
        ("value: 1600, unit: TPP}", "value: 1600, unit: GB}", "1600", "'GB' is not known"),
        ("value: 1600, unit: TPP}", "value: 1600}", "1600", "tpp needs a unit"),
        ("set: group-d}", "set: group-e}", "set: group-e", "'group-e' is not known"),
        (
            "set: group-d}",
            "set: group-d, value: [CN]}",
            "set: group-d, v",
            "either a value or a set",
        ),
        ("op: any-of, set", "op: one-of, set", "op: one-of, set", "'one-of' is not known"),
        (
            "op: one-of, value: [research]",
            "op: any-of, value: [research]",
            "research",
            "'any-of' is not",
        ),
        ("value: [research]", "value: [reserach]", "reserach", "'reserach' is not known"),
        ("value: [other]", "value: [rest]", "value: [rest]", "'rest' is not known"),
        ("value: [MO]", "value: [EU]", "value: [EU]", "headquarters tells countries"),
        ("value: [EU, US-CA]", "value: [EU, ZZ-CA]", "ZZ-CA", "'ZZ-CA' is no country"),
        ("value: 100, unit: chips", "value: 99.5, unit: chips", "99.5", "whole number"),
        # rules
        ("for: [transfer]", "for: [transfers]", "for: [transfers]", "'transfers' is not known"),
        ("for: [transfer]", "for: [access]", "definition: controlled", "access request tells no"),
        ("for: [cluster, cloud-use]", "for: [cluster, cluster]", "for: [cluster", "stands twice"),
        ("outcome: licence", "outcome: license", "outcome: license", "'license' is not known"),
        ("policy: case-by-case", "policy: maybe", "policy: maybe", "'maybe' is not known"),
        (
            "quantity: headquarters",
            "quantity: jurisdictions",
            "quantity: jurisdictions, op: any-of, value: [MO]",
            "transfer request tells no",
        ),
        # duties
        ("per: shipment\n", "per: ship\n", "per: ship", "'ship' is not known"),
        ("id: yearly", "id: application", "id: application, what", "'application' stands twice"),
        ("{days: 30, before: the shipment}", "{days: 30}", "{days: 30}", "either before or after"),
        (
            "{days: 30, before: the",
            "{days: 30, hours: 2, before: the",
            "days: 30",
            "either days or hours",
        ),
        ("{days: 30, before: the", "{days: 40000, before: the", "days: 40000", "too large"),
        ('["07-15", "01-15"]', '["02-30"]', "02-30", "not a day of every year"),
        ('["07-15", "01-15"]', '["15-07"]', "15-07", "does not fit"),
        ('["07-15", "01-15"]}', '["07-15"], days: 3}', '["07-15"]', "fixed days stand alone"),
        ("hours-mark: S", "hours-mark: R", "hours-mark: R", "not recalled"),
        ("        hours: 6.5\n", "", "hours-mark: S", "hours that are not there"),
        # exceptions
        ("lifts: [to-concern]", "lifts: [to-conern]", "lifts", "'to-conern' is not known"),
        ("lifts: [to-concern]", "lifts: [thirsty]", "lifts", "thirsty ends in report"),
        ("lifts: [to-concern]", "lifts: [to-concern, to-concern]", "lifts", "stands twice"),
        ("id: low-volume", "id: thirsty", "- id: thirsty\n    cite: Art. 10", "is a rule's id"),
        (
            "quantity: shipment_chips, op",
            "quantity: run_flop, op",
            "quantity: run_flop",
            "'chips' is not",
        ),
        ("says: at most", "sais: at most", "sais", "unknown field 'sais'"),
    ],
    ids=lambda value: value[:30].strip(),
)
def test_what_is_written_wrong_is_refused_where_it_stands(
    old: str, new: str, at: str, what: str
) -> None:
    """One defect at a time: file, line, what is wrong, and what to do."""
    assert old in FULL
    text = FULL.replace(old, new, 1)
    with pytest.raises(InvalidInput) as caught:
        read(text)
    assert what in caught.value.message
    lines = text[: text.index(at)].count("\n") + 1
    assert caught.value.path == f"p.yaml:{lines}"
    assert caught.value.remedy


def test_an_exception_asks_what_requests_of_its_rules_tell() -> None:
    """FLOP of a run say nothing about a shipment."""
    text = FULL.replace(
        'quantity: shipment_chips, op: "<=", value: 100, unit: chips',
        'quantity: run_flop, op: "<=", value: 100, unit: FLOP',
    )
    with pytest.raises(InvalidInput, match="no transfer request tells run_flop"):
        read(text)


def test_two_exceptions_with_one_id_are_refused() -> None:
    """An answer names exceptions by id."""
    with pytest.raises(InvalidInput, match="'low-volume' stands twice"):
        read(FULL + FULL[FULL.index("  - id: low-volume") :])


def test_a_refusal_among_many_names_lists_those_spelt_alike() -> None:
    """Of a hundred quantities nobody reads a list."""
    with pytest.raises(InvalidInput) as caught:
        read(FULL.replace("quantity: tpp,", "quantity: performance_densty,"))
    assert "performance_density" in caught.value.remedy
    assert len(caught.value.remedy) < 200


@pytest.mark.parametrize("part", ["rules", "parameters"])
def test_a_pack_holds_a_bounded_number_of_each(part: str) -> None:
    """A table of thousands is somebody's mistake, or worse."""
    rule = FULL[FULL.index("  - id: modified") : FULL.index("exceptions:")]
    third = FULL[FULL.index("  third:") : FULL.index("definitions:")]
    entries = {
        "rules": (rule, "".join(rule.replace("modified", f"m{n}") for n in range(501))),
        "parameters": (third, "".join(third.replace("third", f"p{n}") for n in range(1001))),
    }
    old, new = entries[part]
    with pytest.raises(InvalidInput, match=r"more than \d+ entries"):
        read(FULL.replace(old, old + new))
    assert line_of(FULL, "rules:") > 1
