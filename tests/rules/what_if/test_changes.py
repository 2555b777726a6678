"""What lies between two answers: six changes, and the table of flows from which all counts are made."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sekisho.rules.answer import DecisionWord
from sekisho.rules.what_if import CHANGES, WORDS, Change, Flows, change_of

MIRROR: dict[Change | None, Change | None] = {
    "newly-caught": "newly-freed",
    "newly-freed": "newly-caught",
    "stricter": "looser",
    "looser": "stricter",
    "became-unsure": "became-decided",
    "became-decided": "became-unsure",
    None: None,
}
FLOWS = st.lists(st.integers(0, 1000), min_size=25, max_size=25).map(lambda n: Flows(tuple(n)))


@pytest.mark.parametrize(
    ("a", "b", "change"),
    [
        ("permit", "licence", "newly-caught"),
        ("permit", "deny", "newly-caught"),
        ("report", "licence", "newly-caught"),
        ("licence", "permit", "newly-freed"),
        ("deny", "report", "newly-freed"),
        ("permit", "report", "stricter"),
        ("licence", "deny", "stricter"),
        ("report", "permit", "looser"),
        ("deny", "licence", "looser"),
        ("permit", "unsure", "became-unsure"),
        ("deny", "unsure", "became-unsure"),
        ("unsure", "permit", "became-decided"),
        ("unsure", "deny", "became-decided"),
        ("unsure", "unsure", None),
        ("report", "report", None),
    ],
)
def test_a_pair_of_answers_is_one_change(
    a: DecisionWord, b: DecisionWord, change: Change | None
) -> None:
    """Caught crosses from permit or report to licence or deny; stricter stays on one side; unsure is its own."""
    assert change_of(a, b) == change


@pytest.mark.parametrize(("a", "b"), list(itertools.product(WORDS, repeat=2)))
def test_the_other_way_round_is_the_mirrored_change(a: DecisionWord, b: DecisionWord) -> None:
    """Over all twenty-five pairs."""
    assert change_of(b, a) == MIRROR[change_of(a, b)]


@given(flows=FLOWS)
def test_every_request_is_in_one_change_or_unchanged(flows: Flows) -> None:
    """The six changes and the diagonal sum to the population, and so do the answers of each side."""
    changed = sum(flows.changed(change) for change in CHANGES)
    assert changed + flows.unchanged() == flows.requests
    assert sum(flows.under_a(word) for word in WORDS) == flows.requests
    assert sum(flows.under_b(word) for word in WORDS) == flows.requests


@given(flows=FLOWS, more=FLOWS)
def test_flows_add_up_and_mirror(flows: Flows, more: Flows) -> None:
    """A sum less a part is the other part; mirrored twice is itself."""
    assert flows.plus(more).minus(more) == flows
    assert flows.mirrored().mirrored() == flows
    for change in CHANGES:
        mirrored = MIRROR[change]
        assert mirrored is not None
        assert flows.mirrored().changed(mirrored) == flows.changed(change)
