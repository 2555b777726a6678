"""Attack: a reform that would change what was law before it, and so what was decided."""

from __future__ import annotations

import pytest

from sekisho.model.errors import InvalidInput
from tests.written_packs import read_over

OLD = "source: bill-tighter, cite: x, mark: O"


@pytest.mark.parametrize(
    "rest",
    [
        f"parameters:\n  density:\n    values:\n      - {{from: 2022-01-01, value: 9, {OLD}}}\n",
        f"parameters:\n  density:\n    values:\n      - {{from: 2025-12-31T23:59:59Z, value: 9, {OLD}}}\n",
        f"sets:\n  group-d:\n    versions:\n      - {{from: 2022-01-01, members: [JP], {OLD}}}\n",
        f"definitions:\n  dense:\n    versions:\n      - {{from: 2022-01-01, when: null, {OLD}}}\n",
        (
            "rules:\n  - id: to-concern\n    status:\n"
            f"      - {{from: 2022-06-01, recorded: 2030-01-01, status: revoked, acts: false, {OLD}}}\n"
        ),
        f"rules:\n  - id: to-concern\n    reviews:\n      - {{from: 2022-01-01, policy: approval, {OLD}}}\n",
        (
            "exceptions:\n  - id: low-volume\n    status:\n"
            f"      - {{from: 2022-06-01, status: enforced, acts: true, {OLD}}}\n"
        ),
    ],
    ids=["a value", "a second early", "a set", "a meaning", "a status", "a review", "an exception"],
)
def test_no_entry_begins_before_the_reform_does(rest: str) -> None:
    """Whatever it was recorded on."""
    with pytest.raises(InvalidInput, match="before the overlay starts"):
        read_over(rest)


def test_a_new_rule_may_not_act_in_the_past_either() -> None:
    """It would decide what was decided without it."""
    rule = (
        "rules:\n  - id: late\n    cite: x\n    binding: x\n    for: [transfer]\n    status:\n"
        f"      - {{from: 2023-01-01, status: enforced, acts: true, {OLD}}}\n"
        "    when: {definition: dense, is: true}\n    outcome: deny\n    duty: x\n"
    )
    with pytest.raises(InvalidInput, match="before the overlay starts"):
        read_over(rule)


def test_the_base_cannot_be_made_to_speak_of_fewer_days() -> None:
    """A later first day would turn earlier answers into unsure ones: the base's first day stays."""
    pack = read_over("coverage: {from: 2026-01-01}\n")
    assert pack.coverage is not None
    assert str(pack.coverage.start) == "2022-01-01T00:00:00Z"
