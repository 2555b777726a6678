from __future__ import annotations

import msgspec
import pytest

from sekisho.model.statements import (
    ChallengeAnswered,
    HaltJudged,
    LogPosition,
    ObservationMade,
    Reading,
    ReceiptGiven,
)
from sekisho.orders import ChallengeEvidence, HaltEvidence, halt_nonce, judge_halt
from tests.factory import DEVICE, NOW, ORDER, receipt_given, signer
from tests.orders.books import host_with_devices

RECEIPT_INDEX = 20
TREE = LogPosition(size=21, root="b" * 64)
OLD_TREE = LogPosition(size=20, root="a" * 64)
HALTED = receipt_given(2, stage="halted", state="frozen", order=ORDER)
RECEIPT = "8" * 64
LAPSE_S = 3_600
NOW_JUDGED = NOW.plus(30)


def observation(**changes: object) -> ObservationMade:
    """Two quiet readings, 5.5 s apart, under the nonce of the tree after the receipt."""
    made = ObservationMade(
        effective=NOW.plus(10),
        host="host-1",
        order=ORDER,
        receipt=RECEIPT,
        after=TREE,
        nonce=halt_nonce(TREE, "host-1", "observe"),
        readings=readings(2, 7.5),
        work_cpu_ms=0,
        host_busy_ms=100,
        means="process table",
        other_user=True,
    )
    return msgspec.structs.replace(made, **changes)


def readings(*at: float, running: int = 0) -> tuple[Reading, ...]:
    """Readings so many seconds after the receipt; the last one may have seen processes run."""
    quiet = [Reading(at=NOW.plus(s), processes=3, running=0) for s in at[:-1]]
    return (*quiet, Reading(at=NOW.plus(at[-1]), processes=3, running=running))


def challenge(number: int = 0, **changes: object) -> ChallengeEvidence:
    """A right answer of a device, in time, to the nonce of the tree after the receipt."""
    device = f"host-1/device-{number}"
    answer = ChallengeAnswered(
        effective=NOW.plus(9),
        device=device,
        nonce=halt_nonce(TREE, "host-1", f"device {device}"),
        memory_bytes=1 << 20,
        digest="e" * 64,
    )
    mine = {k: v for k, v in changes.items() if k in ChallengeAnswered.__struct_fields__}
    rest = {k: v for k, v in changes.items() if k not in mine}
    made = ChallengeEvidence(
        digest=f"{number}" * 64,
        answer=msgspec.structs.replace(answer, **mine),
        expected="e" * 64,
        milliseconds=80,
        limit_ms=100,
    )
    return msgspec.structs.replace(made, **rest)


KEYED = host_with_devices(DEVICE.public.to_text())
KEYLESS = host_with_devices(None)


def judged(
    *challenges: ChallengeEvidence,
    receipt: ReceiptGiven | None = HALTED,
    observed: ObservationMade | None = None,
    **changes: object,
) -> HaltJudged:
    """The verdict over host-1 with one keyed device, unless told otherwise."""
    evidence = HaltEvidence(
        host=KEYED,
        order=ORDER,
        receipt=receipt,
        receipt_digest=RECEIPT,
        receipt_index=RECEIPT_INDEX,
        observation=observed,
        observation_digest="9" * 64 if observed else "",
        challenges=challenges,
        tree=TREE,
    )
    return judge_halt(
        msgspec.structs.replace(evidence, **changes), now=NOW_JUDGED, lapses_after_s=LAPSE_S
    )


@pytest.mark.parametrize(
    "receipt",
    [
        None,
        msgspec.structs.replace(HALTED, stage="checkpointed"),
        msgspec.structs.replace(HALTED, order=msgspec.structs.replace(ORDER, number=2)),
        msgspec.structs.replace(HALTED, host="host-2"),
    ],
    ids=["none", "other stage", "other order", "other host"],
)
def test_without_its_own_receipt_a_host_is_non_responsive(receipt: ReceiptGiven | None) -> None:
    """An observer's quiet readings do not make up for it."""
    verdict = judged(receipt=receipt, observed=observation())
    assert verdict.degree == "non-responsive"
    assert verdict.evidence == ()


def test_a_receipt_alone_is_claimed() -> None:
    """The agent's word, and the verdict says that it is no more."""
    verdict = judged()
    assert verdict.degree == "claimed"
    assert verdict.evidence == (RECEIPT,)
    assert verdict.interval.start == HALTED.effective
    assert any("operator does not hold" in limit for limit in verdict.limits)


def test_two_quiet_readings_corroborate() -> None:
    """Another constituency's observer, five seconds apart, after the receipt, under a later nonce."""
    verdict = judged(observed=observation())
    assert verdict.degree == "corroborated"
    assert verdict.evidence == (RECEIPT, "9" * 64)
    assert "5.5 s apart" in verdict.reasons[0]
    assert verdict.challenge_ms is None


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"work_cpu_ms": 1}, "1 ms of processor time"),
        ({"readings": readings(2, 7.5, running=1)}, "1 processes running"),
        ({"readings": readings(2, 3, running=4)}, "4 processes running"),
    ],
    ids=["cpu time", "running", "running, too close"],
)
def test_work_that_the_observer_saw_contradicts(changes: dict[str, object], why: str) -> None:
    """An agent that lies about the halt is contradicted, and no device's answer mends that."""
    for verdict in (
        judged(observed=observation(**changes)),
        judged(challenge(), observed=observation(**changes)),
    ):
        assert verdict.degree == "contradicted"
        assert why in verdict.reasons[0]


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"readings": readings(2, 6.999)}, "5.0 s apart, five are asked"),
        ({"readings": readings(8, 2)}, "-6.0 s apart"),
        ({"nonce": "d" * 64}, "does not come from the tree"),
        ({"nonce": halt_nonce(TREE, "host-2", "observe")}, "does not come from the tree"),
        ({"nonce": halt_nonce(TREE, "host-1", "device x")}, "does not come from the tree"),
        (
            {"after": OLD_TREE, "nonce": halt_nonce(OLD_TREE, "host-1", "observe")},
            "not newer than the receipt",
        ),
        ({"receipt": "7" * 64}, "about another receipt"),
        ({"order": msgspec.structs.replace(ORDER, number=2)}, "about another receipt"),
        ({"host": "host-2", "nonce": halt_nonce(TREE, "host-2", "observe")}, "another host"),
        ({"readings": readings(-1, 7.5)}, "older than the receipt"),
    ],
    ids=[
        "readings too close",
        "readings backwards",
        "nonce not from the tree",
        "nonce of another host",
        "nonce of another purpose",
        "tree older than the receipt",
        "other receipt",
        "other order",
        "other host",
        "reading before the receipt",
    ],
)
def test_an_unfit_observation_leaves_the_halt_claimed(changes: dict[str, object], why: str) -> None:
    """Whatever is wrong with it is said."""
    verdict = judged(observed=observation(**changes))
    assert verdict.degree == "claimed"
    assert any(why in reason for reason in verdict.reasons)


def test_an_observation_of_something_else_does_not_contradict() -> None:
    """Work seen before the halt, or at another host, says nothing against this receipt."""
    for changes in (
        {"receipt": "7" * 64},
        {"after": OLD_TREE, "nonce": halt_nonce(OLD_TREE, "host-1", "observe")},
        {"host": "host-2"},
    ):
        seen = observation(work_cpu_ms=900, **changes)
        assert judged(observed=seen).degree == "claimed"


def test_a_receipt_outside_the_log_cannot_be_corroborated() -> None:
    """Without its index nobody knows what came after it."""
    assert judged(observed=observation(), receipt_index=None).degree == "claimed"
    assert judged(challenge(), receipt_index=None).degree == "claimed"


def test_a_filled_memory_verifies() -> None:
    """Evidence under a key that the operator does not hold, with or without an observer."""
    for observed in (observation(), None):
        verdict = judged(challenge(), observed=observed)
        assert verdict.degree == "verified"
        assert verdict.challenge_ms == 80
        assert verdict.evidence[-1] == "0" * 64
        assert not any("operator does not hold" in limit for limit in verdict.limits)


def test_an_emulated_device_is_verified_with_its_limit() -> None:
    """The verdict says that this proves the protocol, not silicon."""
    device = msgspec.structs.replace(KEYED.devices[0], emulated=True)
    host = msgspec.structs.replace(KEYED, devices=(device,))
    verdict = judged(challenge(), host=host)
    assert verdict.degree == "verified"
    assert any("emulated" in limit for limit in verdict.limits)


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        (challenge(nonce=halt_nonce(TREE, "host-2", "device host-1/device-0")), "another nonce"),
        (challenge(nonce=halt_nonce(OLD_TREE, "host-1", "device host-1/device-0")), "nonce"),
        (challenge(nonce=halt_nonce(TREE, "host-1", "observe")), "another nonce"),
        (challenge(digest="f" * 64, expected="0" * 64), "something else"),
        (challenge(memory_bytes=(1 << 20) - 1), "something else"),
        (challenge(milliseconds=101), "took 101 ms, allowed are 100 ms"),
        (challenge(1), "device-0 did not answer"),
    ],
    ids=["other host", "replayed", "other purpose", "wrong", "less memory", "slow", "other device"],
)
def test_a_challenge_not_answered_rightly_verifies_nothing(
    answer: ChallengeEvidence, why: str
) -> None:
    """The verdict stays what it was, and says why."""
    assert judged(answer).degree == "claimed"
    verdict = judged(answer, observed=observation())
    assert verdict.degree == "corroborated"
    assert any(why in reason for reason in verdict.reasons)
    assert "0" * 64 not in verdict.evidence


def test_a_challenge_under_a_tree_older_than_the_receipt_is_a_replay() -> None:
    """A memory filled before the halt proves nothing about the halt."""
    nonce = halt_nonce(OLD_TREE, "host-1", "device host-1/device-0")
    verdict = judged(challenge(nonce=nonce), tree=OLD_TREE)
    assert verdict.degree == "claimed"
    assert any("older than the receipt" in reason for reason in verdict.reasons)
    assert judged(challenge(), tree=None).degree == "claimed"


def test_every_device_must_answer() -> None:
    """A verdict covers whole hosts: one keyed device of two, or one without a key, is not enough."""
    two = host_with_devices(DEVICE.public.to_text(), signer("device-2").public.to_text())
    assert judged(challenge(0), host=two).degree == "claimed"
    assert judged(challenge(0), challenge(1, milliseconds=95), host=two).challenge_ms == 95
    mixed = host_with_devices(DEVICE.public.to_text(), None)
    verdict = judged(challenge(0), host=mixed)
    assert verdict.degree == "claimed"
    assert any("host-1/device-1 has none" in limit for limit in verdict.limits)
    assert judged(host=KEYLESS).limits[0].endswith("host-1/device-0 has none")


def test_a_verdict_names_its_interval_and_lapses() -> None:
    """It lapses counted from what was seen, not from when it was said."""
    verdict = judged(observed=observation())
    assert (verdict.interval.start, verdict.interval.end) == (NOW.plus(2), NOW.plus(7.5))
    assert verdict.lapses == NOW.plus(7.5 + LAPSE_S)
    verified = judged(challenge())
    assert verified.lapses == NOW.plus(9 + LAPSE_S)


def test_an_old_observation_judged_again_does_not_live_longer() -> None:
    """A day later the same evidence gives the same interval and the same end."""
    evidence = HaltEvidence(
        host=KEYED,
        order=ORDER,
        receipt=HALTED,
        receipt_digest=RECEIPT,
        receipt_index=RECEIPT_INDEX,
        observation=observation(),
        observation_digest="9" * 64,
    )
    first, later = (
        judge_halt(evidence, now=NOW.plus(s), lapses_after_s=LAPSE_S) for s in (30, 86_400)
    )
    assert (first.interval, first.lapses) == (later.interval, later.lapses)
    assert later.lapses < later.effective


def test_a_device_that_dates_its_answer_ahead_gains_no_time() -> None:
    """The interval ends at the latest when it is judged."""
    verdict = judged(challenge(effective=NOW.plus(10**6)))
    assert verdict.interval.end == NOW_JUDGED


def test_the_observers_limits_are_repeated() -> None:
    """Who ran as the same user, or said what it could not see, is quoted in the verdict."""
    verdict = judged(observed=observation(other_user=False, limits=("no power meter",)))
    assert verdict.degree == "corroborated"
    assert "no power meter" in verdict.limits
    assert any("same user" in limit for limit in verdict.limits)
    assert not any("same user" in limit for limit in judged(observed=observation()).limits)


def test_a_nonce_is_another_for_every_tree_host_and_purpose() -> None:
    """Nobody can know it before the tree exists, or use it elsewhere."""
    made = {
        halt_nonce(tree, host, purpose)
        for tree in (TREE, OLD_TREE, LogPosition(size=22, root=TREE.root))
        for host in ("host-1", "host-2")
        for purpose in ("observe", "device host-1/device-0")
    }
    assert len(made) == 12
