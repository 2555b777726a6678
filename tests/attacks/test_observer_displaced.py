"""Attacks that would have seen work forgotten: a second quiet word, a claim said again, a clock that is ahead."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec
import pytest

from sekisho.model.errors import SekishoError
from sekisho.model.instants import Instant
from sekisho.model.statements import HaltJudged, OrderReference
from sekisho.observer.observe import fold_regime, verify_claim
from sekisho.rehearsal.verifying import judge_new_halts
from tests.factory import HOST, NOW, VERIFIER, signed
from tests.observing import halted_rig
from tests.orders.test_halts import judged, observation, readings
from tests.regime import LiveRegime, live_regime

WORKED, QUIET = VERIFIER


@pytest.fixture(scope="module")
def regime(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveRegime]:
    """One for all: each test has an order of its own."""
    with live_regime(tmp_path_factory.mktemp("regime")) as live:
        yield live


def halt(regime: LiveRegime) -> tuple[OrderReference, str]:
    order = regime.issue(regime.order("pause"))
    return order, regime.take("halted", order=order, state="frozen")


def judge(
    regime: LiveRegime, order: OrderReference, seen: set[str], now: Instant
) -> list[HaltJudged]:
    """What the verifier says of an order's halt."""
    found = judge_new_halts(regime.control.desk.state, seen, now=now)
    return [verdict for verdict in found if verdict.order == order]


def verdicts(
    regime: LiveRegime, order: OrderReference, seen: set[str], *, in_s: float = 7
) -> list[str]:
    """The degrees that the verifier finds in some seconds, once they stand in the log."""
    found = judge(regime, order, seen, regime.now.plus(in_s))
    for verdict in found:
        regime.control.desk.admit(signed(verdict, VERIFIER[0]).raw)
    return [verdict.degree for verdict in found]


def degree(regime: LiveRegime, order: OrderReference, *, in_s: float = 0) -> str | None:
    return regime.control.desk.state.lives.of(order, "host-1").degree(regime.now.plus(in_s))


def test_a_second_observers_quiet_word_displaces_no_work_that_nobody_judged(
    regime: LiveRegime,
) -> None:
    """One observer saw work; before a verifier reads it another says that all is quiet, and again after the verdict."""
    order, receipt = halt(regime)
    regime.observe(order, "host-1", receipt, by=WORKED, cpu_ms=2_500)
    regime.observe(order, "host-1", receipt, by=QUIET)
    seen = set[str]()

    assert verdicts(regime, order, seen) == ["contradicted"]
    assert verdicts(regime, order, seen) == []
    regime.observe(order, "host-1", receipt, by=QUIET, later_s=20)
    assert verdicts(regime, order, seen, in_s=30) == []
    assert degree(regime, order) == "contradicted"


def test_who_saw_the_work_says_that_it_is_over(regime: LiveRegime) -> None:
    """Its own later looks take back what it saw, once that has been judged: a host that really stops is believed."""
    order, receipt = halt(regime)
    seen = set[str]()
    regime.observe(order, "host-1", receipt, by=WORKED, cpu_ms=2_500)
    verdicts(regime, order, seen)
    regime.observe(order, "host-1", receipt, by=WORKED, later_s=20)
    assert verdicts(regime, order, seen, in_s=30) == ["corroborated"]


def test_looks_at_the_same_time_do_not_take_back_what_was_seen(regime: LiveRegime) -> None:
    """The observer's key says quiet of the very seconds in which it saw work: the work stands."""
    order, receipt = halt(regime)
    seen = set[str]()
    regime.observe(order, "host-1", receipt, by=WORKED, cpu_ms=2_500)
    verdicts(regime, order, seen)
    regime.observe(order, "host-1", receipt, by=WORKED)
    assert verdicts(regime, order, seen, in_s=30) == []


def test_a_quiet_word_counts_once_the_contradiction_has_lapsed(regime: LiveRegime) -> None:
    """A verdict that contradicts lapses as any other: then the other observer's word is all there is."""
    order, receipt = halt(regime)
    regime.observe(order, "host-1", receipt, by=WORKED, cpu_ms=2_500)
    seen = set[str]()
    assert verdicts(regime, order, seen) == ["contradicted"]
    regime.observe(order, "host-1", receipt, by=QUIET)
    verdict = regime.control.desk.state.lives.of(order, "host-1").verdict
    assert verdict is not None
    assert judge(regime, order, seen, verdict.lapses.plus(-1)) == []
    (after,) = judge(regime, order, seen, verdict.lapses)
    assert after.degree == "corroborated"


def test_a_verdict_that_passes_over_seen_work_is_refused_at_the_desk(regime: LiveRegime) -> None:
    """Whoever judges from an older reading of the log has to read on."""
    order, receipt = halt(regime)
    regime.observe(order, "host-1", receipt, by=QUIET)
    (early,) = judge(regime, order, set(), regime.now.plus(7))
    assert early.degree == "corroborated"
    regime.observe(order, "host-1", receipt, by=WORKED, cpu_ms=2_500)
    with pytest.raises(SekishoError, match="passes over observation"):
        regime.control.desk.admit(signed(early, VERIFIER[0]).raw)


@pytest.mark.parametrize("lasts_s", [3_600 * 24 * 365, 3_601])
def test_a_verdict_that_would_not_lapse_is_refused_at_the_desk(
    regime: LiveRegime, lasts_s: int
) -> None:
    """The charter says how long one lasts, not who gives it."""
    order, receipt = halt(regime)
    with pytest.raises(SekishoError, match="the charter gives a verdict 3600 s"):
        regime.judge(order, "host-1", "corroborated", (receipt,), lapses_s=lasts_s)


def test_a_claim_said_again_and_again_outruns_no_observer(regime: LiveRegime) -> None:
    """The host claims anew every few seconds, so that each observation is about an older claim: it stays seen."""
    order, receipt = halt(regime)
    regime.take("halted", order=order, state="frozen")
    regime.observe(order, "host-1", receipt, cpu_ms=2_500)
    regime.take("halted", order=order, state="frozen")
    seen = set[str]()
    assert verdicts(regime, order, seen) == ["contradicted"]
    regime.take("halted", order=order, state="frozen")
    assert degree(regime, order) == "contradicted"


def test_an_observation_that_does_not_bind_blocks_no_other(regime: LiveRegime) -> None:
    """Work that was seen under a receipt of nobody's is not held against the host."""
    order, receipt = halt(regime)
    regime.observe(order, "host-1", receipt, by=WORKED)
    life = regime.control.desk.state.lives.of(order, "host-1")
    assert life.seen_work == ()
    assert verdicts(regime, order, set()) == ["corroborated"]


def test_an_observer_whose_clock_is_ahead_makes_no_verdict_last_longer() -> None:
    """Readings of next year, judged now: the verdict lapses from now."""
    year_s = 365 * 86_400.0
    ahead = observation(readings=readings(year_s, year_s + 6), effective=NOW.plus(year_s + 6))
    verdict = judged(observed=ahead)
    assert verdict.interval.end <= verdict.effective
    assert verdict.lapses <= verdict.effective.plus(3_600)


def test_a_receipt_dated_ahead_silences_no_instrument() -> None:
    """The host says that it halts in a year: an observer counts from when the witnesses had seen its word."""
    rig = halted_rig("run-ahead")
    control = rig.control
    honest = next(r for r in control.receipts if r.stage == "halted")
    year = honest.effective.plus(365 * 86_400)
    last = control.receipts[-1].sequence
    ahead = msgspec.structs.replace(
        honest, sequence=last + 1, previous=control.digests[-1], effective=year
    )
    control.send_receipt(signed(ahead, HOST).raw)
    opened = control.fetch_halts()[-1]
    stored = control.fetch_statement(opened.receipt)
    regime = fold_regime(control.root, control.fetch_feed("host-1", 0, 0).items)
    claim = verify_claim(opened, stored, regime, control.root)
    assert control.receipts[-1].effective == year
    assert claim.given <= control.now()
