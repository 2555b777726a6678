"""Appeals: filed once, decided once, and nothing lifted by either."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from sekisho.model.errors import StateConflict
from sekisho.model.statements import AppealDecided, AppealFiled, Predicate, Reference
from sekisho.orders.appeals import AppealBook, check_decision, standing_of_appeal
from tests.factory import NOW, ORDER, ORIGIN
from tests.licensing.ledgers import recorded

FILED = AppealFiled(effective=NOW, appeal="APPEAL-1", order=ORDER, party="party-1", asks="lift it")
LEAF = recorded(FILED).leaf


def decided(outcome: str = "upheld", **changes: object) -> AppealDecided:
    fact = AppealDecided(
        effective=NOW.plus(60),
        appeal="APPEAL-1",
        filed=Reference(log=ORIGIN, leaf=LEAF),
        order=ORDER,
        outcome=outcome,  # type: ignore[arg-type]  # the test's own word
        reasons="heard",
        resume_by=NOW.plus(3_600) if outcome.startswith("upheld") else None,
    )
    return msgspec.structs.replace(fact, **changes)


def book(*facts: Predicate) -> AppealBook:
    found = AppealBook()
    for n, fact in enumerate(facts):
        found = found.after(recorded(fact, n))
    return found


def test_an_appeal_is_found_against_its_order() -> None:
    """With its entry, open until it is decided."""
    found = book(FILED)
    (appeal,) = found.against(ORDER)
    assert (appeal.leaf, appeal.decided) == (LEAF, None)
    assert found.against(msgspec.structs.replace(ORDER, digest="f" * 64)) == ()
    assert standing_of_appeal(appeal, [ORDER], NOW) == "open"


@pytest.mark.parametrize(
    ("outcome", "in_force", "second", "standing"),
    [
        ("dismissed", True, 60, "dismissed"),
        ("withdrawn", True, 60, "withdrawn"),
        ("upheld", True, 3_599, "resume-due"),
        ("upheld", True, 3_600, "resume-overdue"),
        ("upheld-in-part", True, 10**6, "resume-overdue"),
        ("upheld", False, 10**6, "resumed"),
    ],
)
def test_a_decided_appeal_stands_as_its_order_does(
    outcome: str, in_force: bool, second: int, standing: str
) -> None:
    """Upheld, it says by when a resume is due, and after it that it is overdue, as long as the order stands."""
    (appeal,) = book(FILED, decided(outcome)).against(ORDER)
    orders = [ORDER] if in_force else []
    assert standing_of_appeal(appeal, orders, NOW.plus(second)) == standing


@pytest.mark.parametrize(
    ("changes", "word"),
    [
        ({"filed": Reference(log=ORIGIN, leaf="0" * 64)}, "filed otherwise"),
        ({"order": msgspec.structs.replace(ORDER, number=2)}, "filed otherwise"),
        ({"resume_by": None}, "by when the resume is due"),
        ({"resume_by": NOW}, "before the decision"),
        (
            {"outcome": "dismissed", "resume_by": NOW.plus(99)},
            "names a resume all the same",
        ),
        ({"appeal": "APPEAL-2"}, "is not filed"),
    ],
)
def test_a_decision_that_does_not_fit_is_refused(changes: dict[str, Any], word: str) -> None:
    """Each fault has its words, and the fold takes none."""
    fact = decided(**changes)
    (problem,) = check_decision(book(FILED), fact)
    assert word in problem
    with pytest.raises(StateConflict, match=word[:12]):
        book(FILED, fact)


def test_an_appeal_is_filed_and_decided_once() -> None:
    """A second one of a name, and a second decision, are conflicts."""
    with pytest.raises(StateConflict, match="filed already"):
        book(FILED, msgspec.structs.replace(FILED, asks="again"))
    with pytest.raises(StateConflict, match="upheld already"):
        book(FILED, decided(), decided("dismissed"))
