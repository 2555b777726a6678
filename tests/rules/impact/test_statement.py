"""The signed statement: made, checked again, bounded in time."""

from __future__ import annotations

import msgspec
import pytest

from sekisho.model.errors import InvalidInput
from sekisho.model.instants import Instant
from sekisho.model.statements import make_payload
from sekisho.rules.impact import (
    Answer,
    Answers,
    assess,
    check_statement,
    next_change,
    state_impact,
)
from sekisho.rules.impact.statement import LONGEST_S
from sekisho.signing import sign_payload
from tests.factory import PARTY, signed
from tests.factory_kinds import one_of_each
from tests.rules.impact.companies import AT, exporter, maker, packs, signed_answers
from tests.rules.impact.papers import envelope_of, knowledge, verdicts


@pytest.mark.parametrize("given", [maker(), exporter(), exporter(end_user_known=False)])
def test_an_honest_statement_holds(given: dict[str, Answer]) -> None:
    """Signature, signer, packs, answers, decision, validity; whatever the verdict that it states."""
    checked = check_statement(envelope_of(given), knowledge(given))
    assert checked.verdict == "holds", verdicts(checked)
    assert len(checked.checks) == 6


def test_without_answers_and_key_it_is_unverifiable_and_not_believed() -> None:
    """The signature alone says only that somebody signed."""
    checked = check_statement(envelope_of(maker()), knowledge(key=None))
    assert checked.verdict == "unverifiable"
    assert verdicts(checked) == {
        "signature": "holds",
        "signer": "unverifiable",
        "packs": "holds",
        "answers": "unverifiable",
        "decision": "unverifiable",
        "validity": "holds",
    }


def test_a_statement_lapses_with_the_law() -> None:
    """At the packs' next change, at the latest after half a year; before its own day it is to come."""
    given = maker()
    until = next_change(packs(), AT)
    assert AT < until <= AT.plus(LONGEST_S)
    lapsed = check_statement(envelope_of(given), knowledge(given, now=until))
    assert verdicts(lapsed)["validity"] == lapsed.verdict == "unverifiable"
    early = check_statement(envelope_of(given), knowledge(given, now=AT.plus(-60)))
    assert verdicts(early)["validity"] == "unverifiable"


def test_the_next_change_is_a_day_on_which_something_decides_otherwise() -> None:
    """New York's act of 2027 and the affiliates rule end a paper; that somebody noted a reading does not."""
    assert next_change(packs(), Instant.parse("2026-12-20T00:00:00Z")) == Instant.parse(
        "2027-01-01T00:00:00Z"
    )
    assert next_change((), AT) == AT.plus(LONGEST_S)


def test_answers_without_a_salt_are_not_signed_for() -> None:
    """Their digest could be guessed."""
    given = maker()
    with pytest.raises(InvalidInput, match="salt"):
        state_impact(assess(given, packs(), AT), Answers(given=given), packs(), PARTY.public)


def test_another_statement_is_refused_by_its_kind() -> None:
    """A licence says nothing about impacts."""
    with pytest.raises(InvalidInput, match="host-retired"):
        check_statement(signed(one_of_each()["host-retired"], PARTY), knowledge())


def test_a_pack_that_is_not_at_hand_is_unverifiable_by_name() -> None:
    """Decided by other bytes than the reader holds."""
    given = maker()
    checked = check_statement(envelope_of(given), knowledge(given, find=lambda _: None))
    assert verdicts(checked)["packs"] == verdicts(checked)["decision"] == "unverifiable"
    (check,) = (one for one in checked.checks if one.name == "packs")
    assert "us-ear 1" in check.values["names"]


def test_another_method_is_unverifiable_and_no_lie() -> None:
    """A later questionnaire may read the same answers otherwise."""
    given = maker()
    said = state_impact(assess(given, packs(), AT), signed_answers(given), packs(), PARTY.public)
    later = msgspec.structs.replace(said, method="impact/2")
    envelope = sign_payload(make_payload(later), [PARTY])
    assert verdicts(check_statement(envelope, knowledge(given)))["decision"] == "unverifiable"
