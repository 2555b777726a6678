from __future__ import annotations

import msgspec
import pytest

from sekisho.model.statements import (
    ChallengeAnswered,
    HaltJudged,
    ObservationMade,
    Predicate,
    Stage,
)
from sekisho.orders.lifecycle import OrderLives
from sekisho.signing import Recorded
from tests.factory import NOW, ORDER, host_enrolled, receipt_given
from tests.factory_kinds import one_of_each
from tests.licensing.ledgers import recorded

EACH = one_of_each()
LAPSED = NOW.plus(3_600)


def receipt(sequence: int, stage: Stage) -> Recorded:
    """A receipt of host-1 about the order."""
    return recorded(receipt_given(sequence, stage=stage, order=ORDER), sequence)


def lives(*facts: Recorded | Predicate) -> OrderLives:
    """The fold over statements, in this sequence."""
    fold = OrderLives()
    for fact in facts:
        fold = fold.after(fact if isinstance(fact, Recorded) else recorded(fact))
    return fold


HALTED = receipt(3, "halted")


def observed() -> ObservationMade:
    """An observation of the halted receipt."""
    made = EACH["observation-made"]
    assert isinstance(made, ObservationMade)
    return msgspec.structs.replace(made, receipt=HALTED.verified.digest)


def verdict() -> HaltJudged:
    """A verdict that rests on that receipt."""
    made = EACH["halt-judged"]
    assert isinstance(made, HaltJudged)
    return msgspec.structs.replace(made, evidence=(HALTED.verified.digest,))


def test_a_host_passes_its_stages_in_the_logs_sequence() -> None:
    """Received, checkpointed, halted, resumed, each with its place in the log."""
    stages: list[Stage] = ["received", "checkpointed", "halted", "resumed"]
    life = lives(*(receipt(n, stage) for n, stage in enumerate(stages, 1))).of(ORDER, "host-1")
    assert [(s.index, s.stage) for s in life.stages] == list(enumerate(stages, 1))
    assert life.halted is None
    assert life.degree(NOW) is None


def test_a_verdict_is_shown_until_it_lapses() -> None:
    """Afterwards the host is at its receipt again."""
    life = lives(HALTED, observed(), verdict()).of(ORDER, "host-1")
    assert life.degree(LAPSED.plus(-1)) == "corroborated"
    assert life.degree(LAPSED) == "claimed"
    assert lives(receipt(1, "received")).of(ORDER, "host-1").degree(NOW) == "non-responsive"


def test_a_halt_waits_for_its_own_observation() -> None:
    """An observation of an earlier receipt leaves the newer one waiting."""
    assert [life.host for life in lives(HALTED).awaiting_observation()] == ["host-1"]
    assert lives(HALTED, observed()).awaiting_observation() == ()
    again = lives(HALTED, observed(), receipt(5, "halted"))
    assert len(again.awaiting_observation()) == 1
    assert lives(HALTED, receipt(4, "resumed")).awaiting_observation() == ()


def test_a_host_that_resumed_and_halted_again_is_not_shown_by_its_old_verdict() -> None:
    """What was corroborated before the resume says nothing about the new halt."""
    life = lives(HALTED, observed(), verdict(), receipt(4, "resumed"), receipt(5, "halted")).of(
        ORDER, "host-1"
    )
    assert life.halted is not None
    assert life.halted.index == 5
    assert life.degree(NOW) == "claimed"


def test_orders_and_hosts_are_kept_apart() -> None:
    """Another digest is another order, and a quantum receipt is about none."""
    other = msgspec.structs.replace(ORDER, digest="f" * 64)
    fold = lives(HALTED, receipt_given(9), host_enrolled())
    assert fold.of(other, "host-1").stages == ()
    assert fold.of(ORDER, "host-2").stages == ()
    assert [life.host for life in fold.under(ORDER)] == ["host-1"]
    assert fold.under(other) == ()
    assert len(fold.lives) == 1


def test_a_devices_answer_is_kept_by_its_digest() -> None:
    """The judge finds it with its place in the log."""
    answer = EACH["challenge-answered"]
    assert isinstance(answer, ChallengeAnswered)
    entry = recorded(answer, 7)
    assert lives(entry).answers == {entry.verified.digest: (7, answer)}
    with pytest.raises(KeyError):
        lives(HALTED).answers[entry.verified.digest]


def test_a_host_is_found_under_its_orders_and_an_order_with_its_hosts() -> None:
    """Each way without looking through all that was ever heard."""
    fold = lives(HALTED)
    (life,) = fold.at("host-1")
    assert fold.under(life.order) == (life,)
    assert fold.at("host-2") == ()
    assert fold.awaiting_observation() == (life,)
