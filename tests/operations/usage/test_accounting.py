"""Accounts from a store: what is read, metered and cut."""

from __future__ import annotations

import pytest

from sekisho.metering.accounts import Question, parse_window
from sekisho.metering.counting import CountingRule
from sekisho.model.errors import InvalidInput
from sekisho.operations.usage.accounting import Grounds, account_usage, collect_entries
from tests.reported import DAY, NEXT, a_day


def asked(**more: object) -> Question:
    fields: dict[str, object] = {
        "by": "customer",
        "window": parse_window("30d"),
        "start": DAY,
        "end": NEXT,
        **more,
    }
    return Question(**fields)  # type: ignore[arg-type]  # test's words


def test_an_account_has_every_customer_and_what_nobody_claims() -> None:
    """By name, the unclaimed first."""
    found = account_usage(a_day(), asked(), Grounds())
    assert [row.key for row in found.keys] == ["", "acme", "party-1"]
    acme = found.keys[1].total
    assert acme.chip_ms == 2 * 8 * 3_600_000
    assert acme.tiers == ("2",)


def test_more_is_read_than_is_asked_so_that_the_first_window_is_whole() -> None:
    """A sliding window that ends at the start of the question began thirty days before it."""
    store = a_day()
    account_usage(store, asked(), Grounds())
    assert store.asked[0].start <= DAY.plus(-30 * 86_400)
    assert store.asked[0].bucket_s == 3_600
    account_usage(store, asked(window=parse_window("month"), style="calendar"), Grounds())
    assert str(store.asked[1].start) == "2026-11-01T00:00:00Z"


def test_the_counting_rule_is_a_parameter() -> None:
    """Skipped zeros count under the nominal rule: the bound doubles."""
    plain, nominal = (
        account_usage(a_day(), asked(), Grounds(rule=rule)).keys[1].total.bound_high
        for rule in (CountingRule(), CountingRule(sparsity="nominal"))
    )
    assert nominal == 2 * plain


def test_an_entry_shorter_than_a_day_divides_it() -> None:
    """Seven minutes would cut across midnight."""
    with pytest.raises(InvalidInput, match="divide a day"):
        collect_entries(a_day(), DAY, NEXT, Grounds(bucket_s=420))


def test_what_runs_now_is_foreseen() -> None:
    """From the job records' chips at their peak, and the estimate of the last day."""
    store = a_day()
    now = DAY.plus(1_800)
    question = asked(end=now, thresholds=(10**30,), now=now, horizon=now.plus(3 * 86_400))
    found = account_usage(store, question, Grounds())
    (foreseen,) = next(row for row in found.keys if row.key == "acme").foreseen
    assert foreseen.earliest.outlook == "not within the horizon"
    assert "1 allocations" in foreseen.earliest.rests_on
