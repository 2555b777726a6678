"""Attacks on what an observer says: whose word it is, about what, and when."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from sekisho.model.errors import NotAuthorised
from sekisho.model.statements import InstrumentReading, LogPosition, Reading
from sekisho.operations.admission import check_admission
from sekisho.operations.grounds import Grounds
from sekisho.operations.judging import gather_evidence, judge_host
from sekisho.operations.state import State
from sekisho.orders import UNSHOWN, halt_nonce, is_own_side
from tests.factory import NOW, VERIFIER
from tests.orders.test_halts import TREE, judged, observation, readings
from tests.regime import LiveRegime, live_regime


@pytest.fixture
def regime(tmp_path: Path) -> Iterator[LiveRegime]:
    with live_regime(tmp_path) as live:
        yield live


def test_an_observers_replayed_nonce_is_refused_by_the_judge() -> None:
    """The same words under a tree that stood before the halt say nothing about it."""
    old = LogPosition(size=20, root="a" * 64)
    replayed = observation(after=old, nonce=halt_nonce(old, "host-1", "observe"))
    assert judged(observed=replayed).degree == "claimed"


def test_an_observation_of_another_host_or_receipt_corroborates_nothing() -> None:
    """A quiet host lends nothing to a busy one, nor an earlier halt to a later one."""
    elsewhere = observation(host="host-2", nonce=halt_nonce(TREE, "host-2", "observe"))
    earlier = observation(receipt="7" * 64)
    assert {judged(observed=o).degree for o in (elsewhere, earlier)} == {"claimed"}


def test_two_readings_4_9_seconds_apart_corroborate_nothing() -> None:
    """Five are asked, by the observer's own clock, whatever was read in between."""
    close = (*readings(2, 4), Reading(at=NOW.plus(6.9), processes=3, running=0))
    verdict = judged(observed=observation(readings=close))
    assert verdict.degree == "claimed"
    assert "4.9 s apart" in verdict.reasons[0]


def test_an_observer_of_the_operators_own_constituency_is_refused_by_the_judge() -> None:
    """Its observation binds to the halt in every other way."""
    verdict = judged(observed=observation(), own_side=True)
    assert verdict.degree == "claimed"
    assert any("own side" in reason for reason in verdict.reasons)


def test_an_observer_of_the_operators_own_constituency_is_refused_at_the_desk(
    regime: LiveRegime,
) -> None:
    """A host run by the observer's own organisation: the log does not take the word."""
    charter = regime.control.desk.state.regime.in_force()
    key = VERIFIER[1].public.key_id
    organisation = next(
        constituency.keys[0].organisation
        for constituency in charter.terms.constituencies
        if charter.constituency_of(key) == constituency.name
    )
    assert is_own_side(charter, organisation, [key])
    order = regime.issue(regime.order("hold"))
    receipt = regime.take("halted", order=order, state="frozen")
    desk = regime.control.desk
    recorded = desk.find(regime.observe(order, "host-1", receipt))
    assert recorded is not None
    grounds = Grounds(now=regime.now.plus(10), load_pack=lambda _: None)
    check_admission(desk.state, recorded, grounds)

    with pytest.raises(NotAuthorised, match="own side"):
        check_admission(run_by(organisation, desk.state), recorded, grounds)


def run_by(organisation: str, state: State) -> State:
    """The same log, had host-1 been enrolled by another organisation."""
    regime = state.regime
    enrolled = regime.enrolled
    host = msgspec.structs.replace(regime.hosts["host-1"], organisation=organisation)
    hosts = enrolled.hosts.plus("host-1", host)
    return msgspec.structs.replace(
        state,
        regime=msgspec.structs.replace(
            regime, enrolled=msgspec.structs.replace(enrolled, hosts=hosts)
        ),
    )


def test_an_observation_from_the_log_by_the_own_side_leaves_the_halt_claimed(
    regime: LiveRegime,
) -> None:
    """Where an older log holds one, the judge still asks whose key it was."""
    order = regime.issue(regime.order("hold"))
    receipt = regime.take("halted", order=order, state="frozen")
    regime.observe(order, "host-1", receipt)
    desk = regime.control.desk
    late = desk.clock.now().plus(10)
    evidence = gather_evidence(desk.state, order, "host-1", at=late)
    assert not evidence.own_side
    assert judge_host(desk.state, evidence, now=late).degree == "corroborated"
    own = msgspec.structs.replace(evidence, own_side=True)
    assert judge_host(desk.state, own, now=late).degree == "claimed"


def test_an_observer_started_as_the_works_user_is_said_as_a_limit() -> None:
    """The verdict repeats it, so that nobody reads more into it."""
    verdict = judged(observed=observation(other_user=False))
    assert verdict.degree == "corroborated"
    assert any("same user as the work" in limit for limit in verdict.limits)


def test_a_host_that_hides_its_processes_is_not_corroborated_by_seeing_none() -> None:
    """What an observer is not shown is not quiet: only an instrument bears such a halt out."""
    hidden = observation(limits=(UNSHOWN,))
    verdict = judged(observed=hidden)
    assert verdict.degree == "claimed"
    assert any("hides processes" in reason for reason in verdict.reasons)
    watched = observation(limits=(UNSHOWN,), instruments=(power(2, "90"), power(7.5, "95")))
    assert judged(observed=watched).degree == "corroborated"


def power(at: float, watts: str) -> InstrumentReading:
    return InstrumentReading(
        instrument="bmc",
        quantity="power",
        value=watts,
        unit="W",
        at_rest="100",
        at=NOW.plus(at),
    )
