"""Three-valued logic: Kleene's tables, exact thresholds, and the missing facts by name."""

from __future__ import annotations

import itertools
import math
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sekisho.model.instants import Instant
from sekisho.rules.facts import AmountFact, Fact, FlagFact, PlacesFact
from sekisho.rules.logic import Truth, World, evaluate
from sekisho.rules.pack import All, AmountLimb, Any, Condition, FlagLimb, Not, PlaceLimb

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
