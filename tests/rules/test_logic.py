"""Three-valued logic: Kleene's tables, exact thresholds, and the missing facts by name."""

from __future__ import annotations

import itertools
import math
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sekisho.model.instants import Instant
from sekisho.rules.facts import AmountFact, Fact, FlagFact, PlacesFact, WordFact
from sekisho.rules.logic import Truth, World, evaluate
from sekisho.rules.pack import (
    All,
    AmountLimb,
    Any,
    Condition,
    DatedCondition,
    DatedSet,
    Definition,
    DefinitionLimb,
    FlagLimb,
    Not,
    PlaceLimb,
    PlaceSet,
    WordLimb,
)

FACTS: dict[str, Fact] = {
    "yes": FlagFact(value=True),
    "no": FlagFact(value=False),
    "open": FlagFact(value=None, missing=("open",)),
    "other": FlagFact(value=None, missing=("other",)),
}
TRUTHS: dict[str, Truth] = {"yes": "true", "no": "false", "open": "unknown"}
RANK = {"false": 0, "unknown": 1, "true": 2}


def world(**facts: Fact) -> World:
    """A world with these facts and no parameters."""
    return World(facts={**FACTS, **facts}, parameters={}, at=Instant(0), as_of=None)


def flag(name: str) -> Condition:
    """True where the named fact is."""
    return FlagLimb(quantity=name, value=True)


@pytest.mark.parametrize("names", list(itertools.product(TRUTHS, repeat=2)))
def test_all_and_any_follow_kleenes_tables(names: tuple[str, str]) -> None:
    """`all` is the minimum and `any` the maximum of false < unknown < true."""
    truths = [TRUTHS[name] for name in names]
    parts = tuple(flag(name) for name in names)
    assert evaluate(All(parts), world()).truth == min(truths, key=RANK.__getitem__)
    assert evaluate(Any(parts), world()).truth == max(truths, key=RANK.__getitem__)


@pytest.mark.parametrize(
    ("name", "negated"), [("yes", "false"), ("no", "true"), ("open", "unknown")]
)
def test_not_turns_true_and_false_and_leaves_unknown(name: str, negated: Truth) -> None:
    """And keeps naming what is missing."""
    verdict = evaluate(Not(flag(name)), world())
    assert verdict.truth == negated
    assert verdict.missing == (("open",) if name == "open" else ())


def test_an_open_condition_names_each_missing_fact_once() -> None:
    """In the order of the pack, and nothing where it is decided."""
    parts = (flag("open"), flag("other"), Not(flag("open")))
    assert evaluate(All(parts), world()).missing == ("open", "other")
    assert evaluate(Any((*parts, flag("yes"))), world()).missing == ()


def test_every_limb_is_traced_even_where_the_answer_is_clear() -> None:
    """A reader sees all that was looked at."""
    verdict = evaluate(Any((flag("yes"), flag("open"))), world())
    assert [limb.truth for limb in verdict.limbs] == ["true", "unknown"]


def amount(op: str, threshold: int) -> AmountLimb:
    """`x op threshold` FLOP."""
    return AmountLimb(quantity="x", op=op, value=threshold, unit="FLOP")  # type: ignore[arg-type]  # op is parametrised


def exactly(value: int | Fraction) -> AmountFact:
    """A known amount."""
    return AmountFact(low=value, high=value)


@pytest.mark.parametrize("power", [22, 23, 24, 25, 26, 37])
@pytest.mark.parametrize("step", [-1, 0, 1])
def test_a_threshold_tells_neighbours_apart(power: int, step: int) -> None:
    """10^24 + 1 is above 10^24 and 10^24 - 1 is not, at every power."""
    facts = world(x=exactly(10**power + step))
    compare = {
        ">": step > 0,
        ">=": step >= 0,
        "<": step < 0,
        "<=": step <= 0,
        "=": step == 0,
        "!=": step != 0,
    }
    for op, expected in compare.items():
        assert evaluate(amount(op, 10**power), facts).truth == ("true" if expected else "false")


@given(
    st.fractions(min_value=0, max_value=100),
    st.fractions(min_value=0, max_value=100),
    st.integers(0, 100),
    st.sampled_from([">", ">=", "<", "<=", "=", "!="]),
)
def test_an_interval_decides_only_what_holds_of_all_its_values(
    a: Fraction, b: Fraction, threshold: int, op: str
) -> None:
    """True and false are never contradicted by a value inside the interval."""
    low, high = min(a, b), max(a, b)
    fact = AmountFact(low=low, high=high, missing=("m",))
    truth = evaluate(amount(op, threshold), world(x=fact)).truth
    inside: list[Fraction] = [
        low,
        high,
        (low + high) / 2,
        *([Fraction(threshold)] if low <= threshold <= high else []),
    ]
    each = {evaluate(amount(op, threshold), world(x=exactly(value))).truth for value in inside}
    assert truth == "unknown" or each == {truth}
    assert truth != "unknown" or "m" in evaluate(amount(op, threshold), world(x=fact)).missing


def test_an_unbounded_amount_is_above_every_threshold_and_equal_to_none() -> None:
    """The worst case of an unknown origin."""
    facts = world(x=AmountFact(low=math.inf, high=math.inf))
    assert evaluate(amount(">", 10**38), facts).truth == "true"
    assert evaluate(amount("<=", 10**38), facts).truth == "false"
    assert evaluate(amount(">", 1), facts).limbs[0].value == "without bound"


@pytest.mark.parametrize(
    ("named", "truth"),
    [
        (("US-CA",), "true"),
        (("JP", "US-CA"), "true"),
        (("US",), "unknown"),
        (("US", "US-NY"), "false"),
        (("JP",), "false"),
        ((), "false"),
        (None, "unknown"),
    ],
)
def test_a_country_without_its_part_leaves_the_part_open(
    named: tuple[str, ...] | None, truth: Truth
) -> None:
    """US could be California; US and New York is not."""
    fact = PlacesFact(values=named, missing=("jurisdictions",) if named is None else ())
    verdict = evaluate(PlaceLimb(quantity="p", places=("US-CA",)), world(p=fact))
    assert verdict.truth == truth
    assert bool(verdict.missing) == (truth == "unknown")


def test_a_limb_of_another_kind_than_its_quantity_is_a_defect_of_ours() -> None:
    """The pack reader types limbs, so this cannot come from a file."""
    with pytest.raises(TypeError):
        evaluate(PlaceLimb(quantity="yes", places=("JP",)), world())


# --- places, words and definitions ----------------------------------------------------------------


@pytest.mark.parametrize(
    ("op", "values", "complete", "truth"),
    [
        ("any-of", ("CN",), False, "true"),
        ("any-of", ("JP",), True, "false"),
        ("any-of", ("JP",), False, "unknown"),
        ("all-of", ("CN", "HK"), True, "true"),
        ("all-of", ("CN", "HK"), False, "unknown"),
        ("all-of", ("CN", "JP"), False, "false"),
        ("all-of", (), True, "unknown"),
        ("all-of", None, True, "unknown"),
    ],
)
def test_places_that_may_be_more_leave_open_what_they_could_change(
    op: str, values: tuple[str, ...] | None, complete: bool, truth: Truth
) -> None:
    """One inside settles any-of, one outside settles all-of, whatever else there may be."""
    fact = PlacesFact(values=values, complete=complete, missing=("end_user.headquarters",))
    limb = PlaceLimb(quantity="p", op=op, places=("CN", "HK"))  # type: ignore[arg-type]  # op is parametrised
    verdict = evaluate(limb, world(p=fact))
    assert verdict.truth == truth
    assert bool(verdict.missing) == (truth == "unknown")


@pytest.mark.parametrize(
    ("op", "asked", "named", "truth"),
    [
        ("any-of", ("US",), ("US-CA",), "true"),
        ("all-of", ("US",), ("US-CA", "US"), "true"),
        ("all-of", ("US-CA",), ("US",), "unknown"),
        ("all-of", ("US-CA",), ("US", "US-NY"), "false"),
        ("all-of", ("US-CA", "JP"), ("US", "JP"), "unknown"),
    ],
)
def test_a_part_lies_in_its_country(
    op: str, asked: tuple[str, ...], named: tuple[str, ...], truth: Truth
) -> None:
    """Whoever is in California is in the United States; the other way round it is open."""
    limb = PlaceLimb(quantity="p", op=op, places=asked)  # type: ignore[arg-type]  # op is parametrised
    assert evaluate(limb, world(p=PlacesFact(values=named))).truth == truth


DATED = {"start": Instant(0), "recorded": Instant(0), "source": "law", "cite": "Art. 1"}


def group(members: frozenset[str] | None) -> World:
    """A world where the set `d5` has these members from the first instant on."""
    version = DatedSet(members=members, mark="R", **DATED)  # type: ignore[arg-type]  # the same for all entries
    return World(
        facts={"p": PlacesFact(values=("CN",))},
        parameters={},
        sets={"d5": PlaceSet(name="d5", means="m", versions=(version,))},
        at=Instant(1),
        as_of=None,
    )


def test_a_set_of_places_is_read_on_the_date_with_its_source() -> None:
    """A recalled set says that it is to be verified; an ended one leaves the limb open."""
    limb = PlaceLimb(quantity="p", place_set="d5")
    trace = evaluate(limb, group(frozenset({"CN"}))).limbs[0]
    assert (trace.truth, trace.place_set, trace.threshold) == ("true", "d5", "d5")
    assert (trace.source, trace.mark, trace.since) == ("law, Art. 1", "R", Instant(0))
    assert trace.notes == ("d5: to be verified",)
    ended = evaluate(limb, group(None))
    assert (ended.truth, ended.missing) == ("unknown", ("set d5 on that date",))


@pytest.mark.parametrize(
    ("said", "truth"), [(("wmd", "research"), "true"), (("research",), "false"), (None, "unknown")]
)
def test_one_of_the_said_words_is_enough(said: tuple[str, ...] | None, truth: Truth) -> None:
    """What nobody said is unknown."""
    fact = WordFact(values=said, missing=() if said else ("end_use",))
    verdict = evaluate(WordLimb(quantity="w", words=("wmd", "military")), world(w=fact))
    assert verdict.truth == truth
    assert verdict.missing == (("end_use",) if said is None else ())


def test_a_quantity_that_such_requests_do_not_tell_is_unknown() -> None:
    """It is named, and never read as zero or no."""
    verdict = evaluate(amount(">", 0), world())
    assert (verdict.truth, verdict.missing, verdict.limbs[0].value) == (
        "unknown",
        ("x",),
        "unknown",
    )


def defined(*versions: Condition | None) -> World:
    """A world with definitions d0, d1..., each in force."""
    definitions = {
        f"d{n}": Definition(
            name=f"d{n}",
            means="m",
            versions=(DatedCondition(when=when, mark="P", **DATED),),  # type: ignore[arg-type]  # the same for all
        )
        for n, when in enumerate(versions)
    }
    return World(facts=FACTS, parameters={}, definitions=definitions, at=Instant(1), as_of=None)


def test_a_definition_is_as_true_as_its_condition() -> None:
    """It may ask about one above it; its limbs decide, and what it misses is missing."""
    settled = defined(flag("yes"), All((DefinitionLimb(definition="d0", value=True), flag("open"))))
    verdict = evaluate(DefinitionLimb(definition="d1", value=True), settled)
    assert (verdict.truth, verdict.missing) == ("unknown", ("open",))
    assert [limb.quantity for limb in verdict.limbs] == ["d1"]
    assert [limb.quantity for limb in verdict.deciding] == ["d1", "open"]
    assert evaluate(DefinitionLimb(definition="d0", value=False), settled).truth == "false"


def test_outside_its_periods_a_definition_is_false() -> None:
    """Nothing of that name exists then, which is known law."""
    verdict = evaluate(DefinitionLimb(definition="d0", value=True), defined(None))
    assert verdict.truth == "false"
    assert verdict.limbs[0].notes == ("no such definition on that date",)
    assert evaluate(DefinitionLimb(definition="d0", value=False), defined(None)).truth == "true"


def test_the_first_decisive_part_is_what_decided() -> None:
    """Of an `any` the first true part, of an `all` the first false one, else every part of the same truth."""
    parts = (flag("open"), flag("no"), flag("yes"), flag("no"))
    told = [limb.quantity for limb in evaluate(Any(parts), world()).deciding]
    assert told == ["yes"]
    assert [limb.quantity for limb in evaluate(All(parts), world()).deciding] == ["no"]
    both = All((flag("yes"), Not(flag("no"))))
    assert [limb.quantity for limb in evaluate(both, world()).deciding] == ["yes", "no"]
