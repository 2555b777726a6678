"""The Standard Cost Model: hours x wage x times + fees + days x margin, low to high."""

from __future__ import annotations

from fractions import Fraction

from sekisho.rules.impact import Answer, Scope, assess
from sekisho.rules.impact.cost import cost_of
from sekisho.rules.pack import Duty
from tests.rules.impact.companies import AT, exporter, maker, packs


def line(touches: str = "yes", *duties: Duty, rule: str = "r") -> Scope:
    return Scope(
        touches=touches,  # type: ignore[arg-type]  # a word of Touch
        role="transfer",
        requests=("x",),
        pack="p",
        title="P",
        standing="law",
        rule=rule,
        outcome="licence",
        duties=duties,
    )


APPLY = Duty(id="apply", what="apply", per="shipment", hours=Fraction(10), delay_days=30)
GIVEN: dict[str, Answer] = {
    "country": "JP",
    "wage": "4000",
    "daily_margin": "1000",
    "shipments_a_year": "2",
    "fees": "500",
}


def test_the_sum_is_hours_wage_times_fees_and_delay() -> None:
    """(10 h x 4,000 + 30 d x 1,000) x 2 + 500 = 140,500 yen; hours halved and doubled at the ends."""
    cost = cost_of([line("yes", APPLY)], GIVEN)
    assert cost.currency == "JPY"
    assert cost.total == ("100500", "140500", "220500")
    assert cost.complete
    assert cost.wage_stated
    assert cost.delay_days == 30


def test_a_delay_without_a_margin_is_told_and_not_counted_as_nothing() -> None:
    """The total says that it is not whole."""
    cost = cost_of([line("yes", APPLY)], {**GIVEN, "daily_margin": None})
    assert not cost.complete
    assert cost.delay_days == 30
    assert cost.total == ("40500", "80500", "160500")


def test_an_unsure_rule_counts_in_the_high_figure_only() -> None:
    """Nobody pays for what may not touch, and nobody is told that it cannot."""
    cost = cost_of([line("unsure", APPLY)], GIVEN)
    assert cost.total == ("500", "500", "220500")
    assert cost.lines[0].maybe


def test_one_licence_answers_all_rules_of_a_pack() -> None:
    """The same duty of two rules is one duty; certain before maybe."""
    cost = cost_of([line("unsure", APPLY, rule="a"), line("yes", APPLY, rule="b")], GIVEN)
    assert [(row.rule, row.maybe) for row in cost.lines] == [("b", False)]


def test_hours_that_no_pack_tells_are_assumed_and_marked() -> None:
    """2, 8, 40 hours, our own assumption."""
    cost = cost_of([line("yes", Duty(id="keep", what="keep", per="year"))], GIVEN)
    assert cost.lines[0].hours == ("2", "8", "40")
    assert cost.lines[0].marks == ("O",)


def test_what_is_forbidden_costs_no_duty() -> None:
    """Its price is not doing it."""
    import msgspec

    banned = msgspec.structs.replace(line("yes", APPLY), outcome="deny")
    assert cost_of([banned], GIVEN).lines == ()


def test_elsewhere_than_in_japan_money_is_in_dollars() -> None:
    """With its own assumed wage."""
    cost = cost_of([], {"country": "DE"})
    assert (cost.currency, cost.wage, cost.wage_stated) == ("USD", "60", False)


def test_every_duty_of_the_packs_can_be_counted() -> None:
    """Low is never above best, best never above high, for every rule that ships."""
    duties = [line("yes", *rule.duties, rule=rule.id) for pack in packs() for rule in pack.rules]
    for row in cost_of(duties, maker()).lines:
        low, best, high = (Fraction(amount) for amount in row.money)
        assert 0 <= low <= best <= high


def test_the_assumptions_behind_a_cost_are_listed() -> None:
    """Wage, fees and margin where nobody stated them."""
    ids = {one.id for one in assess(exporter(), packs(), AT).assumptions}
    assert {"wage", "fees", "margin", "no-exception"} <= ids
    stated = exporter(wage="4000", fees="0", daily_margin="0")
    assert not {"wage", "fees", "margin"} & {
        one.id for one in assess(stated, packs(), AT).assumptions
    }
