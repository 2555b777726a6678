"""Entries and their corrections: what counts at an instant, and what became of the old figures."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sekisho.metering.accounts import Entry, standing_at
from sekisho.model.errors import InvalidInput
from tests.metering.accounts.made import at, entry


def corrected(work: int | None, days: float = 5, replaces: tuple[str, ...] = ("first",)) -> Entry:
    return entry(0, 1, work, name=f"later {days}", recorded=at(days), replaces=replaces)


FIRST = entry(0, 1, 1_000, name="first", recorded=at(1))


def test_a_correction_takes_the_place_of_what_it_names() -> None:
    """The old entry counts no more, and the change of each figure is said."""
    ledger = standing_at([FIRST, corrected(400)])
    assert [e.id for e in ledger.entries] == ["later 5"]
    (change,) = ledger.corrections
    assert (change.bound_change, change.estimate_change, change.is_lowering) == (-600, -300, True)
    assert change.replaced == (FIRST,)


def test_what_was_known_when_stays_known() -> None:
    """Asked for an instant before the correction, the old figure stands and nothing is corrected."""
    ledger = standing_at([FIRST, corrected(400)], at(4))
    assert ledger.entries == (FIRST,)
    assert ledger.corrections == ()
    assert standing_at([FIRST], at(0)).entries == ()


def test_a_correction_that_measures_nothing_any_more_is_told_as_a_lowering() -> None:
    """A figure that is withdrawn is not a figure of zero."""
    (change,) = standing_at([FIRST, corrected(None)]).corrections
    assert change.bound_change is None
    assert change.withdrawn
    assert change.is_lowering


def test_several_entries_may_be_replaced_by_one_and_a_correction_corrected() -> None:
    """A chain of corrections ends in one figure; what rose is no lowering."""
    second = entry(1, 2, 10, name="second", recorded=at(1))
    ledger = standing_at(
        [FIRST, second, corrected(2_000, 5, ("first", "second")), corrected(3_000, 6, ("later 5",))]
    )
    assert [e.high for e in ledger.entries] == [3_000]
    assert [c.bound_change for c in ledger.corrections] == [990, 1_000]
    assert not any(c.is_lowering for c in ledger.corrections)


@pytest.mark.parametrize(
    ("entries", "said"),
    [
        ([FIRST, corrected(1, 5, ("nobody",))], "not known"),
        ([FIRST, corrected(1, 0.5)], "recorded after it"),
        ([FIRST, corrected(1, 5), corrected(2, 6)], "replaces already"),
        ([FIRST, corrected(1, 5, ("later 5",))], "itself"),
    ],
)
def test_a_correction_that_does_not_fit_is_passed_over_and_said(
    entries: list[Entry], said: str
) -> None:
    """The figure that stood goes on standing."""
    ledger = standing_at(entries)
    assert len(ledger.problems) == 1
    assert said in ledger.problems[0]
    assert len(ledger.entries) == 1


def test_two_corrections_recorded_at_once_that_name_each_other_both_fall() -> None:
    """A ring of corrections would leave nothing standing."""
    one = entry(0, 1, 5, name="one", recorded=at(1), replaces=("two",))
    two = entry(0, 1, 6, name="two", recorded=at(1), replaces=("one",))
    ledger = standing_at([one, two])
    assert ledger.problems
    assert len(ledger.entries) <= 1
    assert not {e.id for e in ledger.entries} & {"one"}


def test_one_entry_twice_is_one_and_two_of_one_name_are_refused() -> None:
    """A replay adds nothing; another figure under an old name is no correction."""
    assert standing_at([FIRST, FIRST]).entries == (FIRST,)
    with pytest.raises(InvalidInput, match="stands twice"):
        standing_at([FIRST, entry(0, 1, 7, name="first", recorded=at(1))])


def test_work_in_no_time_and_time_backwards_are_refused() -> None:
    """An entry of no length holds nothing."""
    assert entry(1, 1, 0).high == 0
    with pytest.raises(InvalidInput, match="no time"):
        entry(1, 1, 5)
    with pytest.raises(InvalidInput, match="ends before"):
        entry(2, 1, 5)


@given(st.permutations(range(4)))
def test_the_order_in_which_entries_come_does_not_matter(order: list[int]) -> None:
    """What counts is what was recorded when."""
    entries = [FIRST, corrected(5, 5), corrected(6, 6, ("later 5",)), entry(3, 4, 9)]
    ledger = standing_at([entries[i] for i in order])
    assert {e.id for e in ledger.entries} == {"later 6", "job 3 4"}
    assert [c.entry.id for c in ledger.corrections] == ["later 5", "later 6"]
