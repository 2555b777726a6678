"""Facts under the names of packs: read as declared, refused where they are not."""

from __future__ import annotations

from fractions import Fraction

import msgspec
import pytest

from sekisho.model.errors import InvalidInput
from sekisho.rules import RunRequest, check_facts
from sekisho.rules.facts import AmountFact, Fact, FlagFact, PlacesFact, WordFact
from sekisho.rules.pack import StatedQuantity
from sekisho.rules.requests.shapes import AskedFact
from sekisho.rules.stated import stated_fact, stated_facts
from tests.rule_packs import rule_text, small_pack

PACK = small_pack(rule_text("r0", "deny", "a"))


def quantity(kind: str, *words: str) -> StatedQuantity:
    """A declared quantity `q`."""
    return StatedQuantity(name="q", kind=kind, unit="days", means="m", words=words)  # type: ignore[arg-type]  # parametrised


@pytest.mark.parametrize(
    ("kind", "value", "fact"),
    [
        ("amount", "45", AmountFact(low=45, high=45)),
        ("amount", str(10**24 + 1), AmountFact(low=10**24 + 1, high=10**24 + 1)),
        (
            "amount",
            "0.333333",
            AmountFact(low=Fraction(333333, 10**6), high=Fraction(333333, 10**6)),
        ),
        ("flag", True, FlagFact(value=True)),
        ("flag", False, FlagFact(value=False)),
        ("places", ("JP", "US-CA"), PlacesFact(values=("JP", "US-CA"))),
        ("places", (), PlacesFact(values=())),
        ("word", "nac", WordFact(values=("nac",))),
    ],
)
def test_a_stated_fact_is_read_as_its_pack_declares_it(
    kind: str, value: AskedFact, fact: Fact
) -> None:
    """Amounts exactly."""
    assert stated_fact(quantity(kind), value) == fact


@pytest.mark.parametrize("kind", ["amount", "flag", "places", "word"])
def test_what_is_not_stated_is_missing_under_its_path(kind: str) -> None:
    """Never zero and never no."""
    fact = stated_fact(quantity(kind), None)
    assert fact.missing == ("facts.q",)
    if isinstance(fact, AmountFact):
        assert (fact.low, fact.high) == (0, float("inf"))


@pytest.mark.parametrize(
    ("kind", "value", "remedy"),
    [
        ("amount", True, "an amount in days"),
        ("amount", "1e24", "an amount in days"),
        ("amount", "-1", "an amount in days"),
        ("amount", "45\n", "an amount in days"),
        ("amount", ("JP",), "an amount in days"),
        ("flag", "true", "true or false"),
        ("places", "JP", "a list of jurisdictions"),
        ("places", True, "a list of jurisdictions"),
        ("word", True, "one of x, y"),
        ("word", "z", "one of x, y"),
    ],
)
def test_a_value_of_another_kind_is_refused_with_its_path(
    kind: str, value: AskedFact, remedy: str
) -> None:
    """And with what to write instead."""
    with pytest.raises(InvalidInput, match=remedy) as caught:
        stated_fact(quantity(kind, "x", "y"), value)
    assert caught.value.path == "facts.q"


def test_a_name_that_no_pack_declares_is_refused_with_those_that_are() -> None:
    """It may be a misspelt fact, which must not be lost."""
    with pytest.raises(InvalidInput, match="use a, b, c, d") as caught:
        check_facts(RunRequest(id="r", facts={"aa": True}), [PACK])
    assert caught.value.path == "facts.aa"
    none = [msgspec.structs.replace(PACK, quantities={})]
    with pytest.raises(InvalidInput, match="leave `facts` out"):
        check_facts(RunRequest(id="r", facts={"a": True}), none)
    check_facts(RunRequest(id="r"), none)


def test_every_declared_quantity_has_a_fact() -> None:
    """Stated or missing."""
    facts = stated_facts(RunRequest(id="r", facts={"a": True}), PACK)
    assert set(facts) == {"a", "b", "c", "d"}
    assert facts["a"] == FlagFact(value=True)
    assert facts["b"] == FlagFact(value=None, missing=("facts.b",))
