"""The attack: an honest result on a paper that says more: another company, another country, an end far away."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from sekisho.model.instants import parse_date_or_instant
from sekisho.model.statements import ImpactAssessed, make_payload
from sekisho.rules.impact import Checked, assess, check_statement, state_impact
from sekisho.rules.impact.statement import LONGEST_S
from sekisho.signing import sign_payload
from tests.factory import PARTY
from tests.rules.impact.companies import AT, maker, packs, signed_answers
from tests.rules.impact.papers import knowledge, verdicts


def checked(known: bool = True, **changes: Any) -> Checked:
    """The verdict on a paper with these fields changed before it was signed."""
    given = maker()
    honest = state_impact(assess(given, packs(), AT), signed_answers(given), packs(), PARTY.public)
    fact: ImpactAssessed = msgspec.structs.replace(honest, **changes)
    paper = sign_payload(make_payload(fact), [PARTY])
    return check_statement(paper, knowledge(given if known else None))


def test_the_honest_paper_holds() -> None:
    """What the others are held against."""
    assert checked().verdict == "holds"


@pytest.mark.parametrize(
    "changes",
    [
        {"party": "Another Company"},
        {"country": "US"},
        {"corporate_number": "7000012050002"},
        {"known_until": parse_date_or_instant("2099-01-01")},
        {"valid_until": AT.plus(LONGEST_S)},
    ],
    ids=["company", "country", "number", "known", "end"],
)
def test_every_field_is_what_answers_and_packs_make_of_it(changes: dict[str, Any]) -> None:
    """The digest of the result alone let the rest of the paper say anything."""
    found = checked(**changes)
    assert verdicts(found)["answers"] == "holds"
    assert verdicts(found)["decision"] == found.verdict == "fails"
    (decision,) = (check for check in found.checks if check.name == "decision")
    assert decision.values == {"fields": next(iter(changes))}


def test_no_paper_is_good_for_ever() -> None:
    """Also for a reader without the answers, who can decide nothing again."""
    found = checked(known=False, valid_until=parse_date_or_instant("2099-01-01"))
    assert verdicts(found)["validity"] == found.verdict == "fails"
