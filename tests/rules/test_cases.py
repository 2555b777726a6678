"""Cases that a lawyer can read: each file in tests/cases is decided and compared."""

from __future__ import annotations

import pytest

from sekisho.rules import Decision
from tests.lawyer_cases import Case, decided, every_case

CASES = every_case()


@pytest.mark.parametrize("case", CASES, ids=[case.id for case in CASES])
def test_case_is_decided_as_the_lawyer_expects(case: Case) -> None:
    """The decision, the rules that bear on it, missing facts, reviews and exceptions are those of the case."""
    answer = decided(case)
    assert (answer.decision, [rule.id for rule in answer.rules]) == (case.decision, case.rules)
    assert sorted(answer.missing) == sorted(case.missing)
    policies = {rule.id: rule.review.policy for rule in answer.rules if rule.review is not None}
    assert {rule: policies.get(rule, "none") for rule in case.review} == case.review
    truths = {exception.id: exception.truth for exception in answer.exceptions}
    assert {name: truths.get(name, "none") for name in case.exceptions} == case.exceptions
    assert set(case.triggers) <= _triggers(answer)
    for part in case.warnings:
        assert any(part in warning for warning in answer.warnings), part


def _triggers(answer: Decision) -> set[str]:
    """The quantities whose limbs are true in the rules that bear on the answer."""
    bearing = {rule.id for rule in answer.rules}
    traces = [trace for trace in answer.trace if trace.rule in bearing]
    return {limb.quantity for trace in traces for limb in trace.limbs if limb.truth == "true"}


def test_every_case_says_why() -> None:
    """A lawyer finds a reason in each case, and no two cases of a file share a name."""
    assert all(len(case.why) > 5 for case in CASES)
    assert len({case.id for case in CASES}) == len(CASES)
