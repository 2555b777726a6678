"""Attacks on verdicts about halts: none may say more than its evidence."""

from __future__ import annotations

from collections.abc import Callable

import msgspec
import pytest

from sekisho.auditor import CheckResult
from sekisho.inspection import expect_fill
from sekisho.ledger.edge import RightEdge
from sekisho.model.statements import (
    HaltJudged,
    LogPosition,
    ObservationMade,
    Predicate,
    Reading,
    Span,
    parse_payload,
)
from sekisho.orders import halt_nonce, judge_halt
from tests.factory_bundle import (
    T0,
    Cast,
    LogSoFar,
    Story,
    audit,
    check_of,
    gather,
    honest_story,
    item,
    reference_of,
    seal,
)

OLD = tuple(Reading(at=T0.plus(at), processes=0, running=0) for at in (5, 11))
Change = Callable[[LogSoFar, Predicate], Predicate]


def rewritten(story: Story, name: str, signer: str, change: Change) -> None:
    """Change an item's statement and have it signed anew."""
    make = next(make for _, items in story.batches for known, make in items if known == name)
    story.replace(
        name, item(lambda log: change(log, parse_payload(make(log).payload).predicate), signer)
    )


def fields(**values: object) -> Change:
    """A change of some fields."""
    return lambda _, fact: msgspec.structs.replace(fact, **values)


def insist(story: Story, cast: Cast, degree: str = "corroborated") -> None:
    """The judge says this degree, whatever the evidence that it names."""

    def judge(log: LogSoFar) -> Predicate:
        evidence = gather(log, reference_of(log, "pause-1"), cast)
        honest = judge_halt(evidence, now=T0.plus(36), lapses_after_s=3_600)
        named = dict.fromkeys([*honest.evidence, *observed(log)])
        return msgspec.structs.replace(
            honest, degree=degree, evidence=tuple(named), challenge_ms=None
        )

    story.replace("judged", item(judge, "verifier-2"))


def observed(log: LogSoFar) -> list[str]:
    """The digest of the observation, where there is one."""
    return [log.digest("observed")] if "observed" in log.named else []


def check(story: Story, cast: Cast | None = None) -> CheckResult:
    """What the check of halts says; no other check may be worse."""
    report = audit(seal(story, cast))
    found = check_of(report, "halts")
    assert report.verdict == found.verdict
    return found


def test_a_corroborated_halt_without_any_observation_fails() -> None:
    """The agent's receipt alone is a claim."""
    story = honest_story()
    story.drop("observed")
    insist(story, Cast())
    assert "is said to be corroborated, its evidence gives claimed" in check(story).detail


@pytest.mark.parametrize("degree", ["corroborated", "claimed", "contradicted"])
def test_a_halt_judged_at_what_its_evidence_gives_holds_and_the_other_fails(degree: str) -> None:
    """Neither more nor less than the evidence that it names."""
    story = honest_story()
    insist(story, Cast(), degree)
    assert check(story).verdict == ("holds" if degree == "corroborated" else "fails")


def test_a_verified_halt_without_a_challenge_fails() -> None:
    """A host without a device key stays at corroborated at best."""
    story = honest_story()
    insist(story, Cast(), "verified")
    assert "evidence gives corroborated" in check(story).detail


def test_a_verified_halt_by_a_wrong_answer_fails() -> None:
    """The device's memory held something else."""
    cast = Cast(emulated=True)
    story = honest_story(cast)
    rewritten(story, "answered", "device-1", fields(digest="ab" * 32))
    found = check(story, cast)
    assert "is said to be verified" in found.detail


def test_a_verified_halt_by_a_nonce_of_no_tree_fails() -> None:
    """A nonce that does not come from this log's own trees could have been known before."""
    cast = Cast(emulated=True)
    story = honest_story(cast)
    make = next(m for _, items in story.batches for n, m in items if n == "answered")
    nonce = "cd" * 32
    expected = expect_fill(bytes.fromhex(nonce), "host-1/device-0", 1 << 20)

    def answer(log: LogSoFar) -> Predicate:
        fact = parse_payload(make(log).payload).predicate
        return msgspec.structs.replace(fact, nonce=nonce, digest=expected.digest)

    story.replace("answered", item(answer, "device-1"))

    def judge(log: LogSoFar) -> Predicate:
        evidence = gather(log, reference_of(log, "pause-1"), Cast())
        honest = judge_halt(evidence, now=T0.plus(36), lapses_after_s=3_600)
        return msgspec.structs.replace(
            honest,
            degree="verified",
            after=log.position(),
            challenge_ms=40,
            challenge_limit_ms=100,
            evidence=(*honest.evidence, log.digest("answered")),
        )

    story.replace("judged", item(judge, "verifier-2"))
    assert "answered another nonce" in check(story, cast).detail


def _close_readings(_: LogSoFar, fact: Predicate) -> Predicate:
    readings = tuple(Reading(at=T0.plus(at), processes=0, running=0) for at in (28, 32))
    return msgspec.structs.replace(fact, readings=readings)


def _seen_work(_: LogSoFar, fact: Predicate) -> Predicate:
    return msgspec.structs.replace(fact, work_cpu_ms=900)


def _older_tree(log: LogSoFar, fact: Predicate) -> Predicate:
    after = LogPosition(size=3, root=log_root(log, 3))
    return msgspec.structs.replace(fact, after=after, nonce=halt_nonce(after, "host-1", "observe"))


def _invented_tree(log: LogSoFar, fact: Predicate) -> Predicate:
    after = LogPosition(size=len(log.entries) - 1, root="ab" * 32)
    return msgspec.structs.replace(fact, after=after, nonce=halt_nonce(after, "host-1", "observe"))


def log_root(log: LogSoFar, size: int) -> str:
    """The root that the log had at a size."""
    edge, _ = RightEdge.empty().extended(log.entries[:size])
    return edge.root().hex()


@pytest.mark.parametrize(
    ("change", "word"),
    [
        (_close_readings, "4.0 s apart"),
        (_seen_work, "contradicted"),
        (_older_tree, "not newer than the receipt"),
        (_invented_tree, "is said to be corroborated"),
        (fields(nonce="ab" * 32), "does not come from the tree"),
        (fields(receipt="ab" * 32), "about another receipt"),
        (fields(host="host-9"), "all there is"),
        (fields(readings=OLD), "older than the receipt"),
    ],
    ids=[
        "readings too close",
        "work was seen",
        "tree older than the receipt",
        "tree of no log",
        "invented nonce",
        "another receipt",
        "another host",
        "read before the receipt",
    ],
)
def test_a_corroborated_halt_on_a_bad_observation_fails(change: Change, word: str) -> None:
    """Two readings five seconds apart, without work, of this receipt, under a nonce that came after it."""
    story = honest_story()
    rewritten(story, "observed", "verifier-1", change)
    insist(story, Cast())
    assert word in check(story).detail


def test_an_observer_of_the_hosts_own_side_does_not_corroborate() -> None:
    """The observer's key is of the organisation that runs the host."""
    story = honest_story()
    make = next(m for _, items in story.batches for n, m in items if n == "host")

    def enrol(log: LogSoFar) -> Predicate:
        fact = parse_payload(make(log).payload).predicate
        return msgspec.structs.replace(fact, organisation="Verifier")

    story.replace("host", item(enrol, "authority-1", "operator-1"))
    assert "the host's own side" in check(story).detail


@pytest.mark.parametrize(
    "change",
    [
        fields(lapses=T0.plus(36 + 3_601)),
        fields(interval=Span(start=T0.plus(20), end=T0.plus(36))),
        fields(interval=Span(start=T0.plus(27), end=T0.plus(60))),
        fields(evidence=("ab" * 32,)),
        fields(host="host-9"),
    ],
    ids=[
        "lapses later",
        "begins earlier",
        "ends later",
        "names nothing in the log",
        "unknown host",
    ],
)
def test_a_verdict_for_longer_or_about_more_than_its_evidence_fails(change: Change) -> None:
    """A verdict names its interval, lapses as the charter says, and rests on what stands before it."""
    story = honest_story()
    rewritten(story, "judged", "verifier-2", change)
    assert check(story).verdict == "fails"


def test_a_verdict_that_passes_over_seen_work_fails() -> None:
    """Contradicted work cannot be left out to keep the claim."""
    story = honest_story()
    rewritten(story, "observed", "verifier-1", _seen_work)

    def judge(log: LogSoFar) -> Predicate:
        evidence = gather(log, reference_of(log, "pause-1"), Cast())
        without = msgspec.structs.replace(evidence, observation=None, observation_digest="")
        return judge_halt(without, now=T0.plus(36), lapses_after_s=3_600)

    story.replace("judged", item(judge, "verifier-2"))
    assert "passes over an observation that saw work" in check(story).detail


def test_a_verdict_on_a_second_observers_quiet_word_passes_over_seen_work() -> None:
    """Another observation came after the one that saw work, and the judge read that one alone."""
    story = honest_story()
    make = next(m for _, items in story.batches for name, m in items if name == "observed")
    quiet = item(lambda log: parse_payload(make(log).payload).predicate, "verifier-2")
    rewritten(story, "observed", "verifier-1", _seen_work)
    story.insert_after("observed", "quiet", quiet)

    def judge(log: LogSoFar) -> Predicate:
        evidence = gather(log, reference_of(log, "pause-1"), Cast())
        fact = parse_payload(log.named["quiet"].payload).predicate
        assert isinstance(fact, ObservationMade)
        on_quiet = msgspec.structs.replace(
            evidence, observation=fact, observation_digest=log.digest("quiet")
        )
        verdict = judge_halt(on_quiet, now=T0.plus(36), lapses_after_s=3_600)
        assert verdict.degree == "corroborated"
        return verdict

    story.replace("judged", item(judge, "verifier-2"))
    assert "passes over an observation that saw work" in check(story).detail


def test_a_verdict_that_passes_over_the_receipt_fails() -> None:
    """Non-responsive is said of nobody whose receipt stands in the log."""
    story = honest_story()

    def judge(log: LogSoFar) -> Predicate:
        evidence = gather(log, reference_of(log, "pause-1"), Cast())
        silent = msgspec.structs.replace(evidence, receipt=None, observation=None)
        judged = judge_halt(silent, now=T0.plus(36), lapses_after_s=3_600)
        assert isinstance(judged, HaltJudged)
        return judged

    story.replace("judged", item(judge, "verifier-2"))
    assert "passes over the receipt" in check(story).detail


def test_a_contradicted_halt_that_is_said_so_holds() -> None:
    """An honest bad verdict is a good record."""
    story = honest_story()
    rewritten(story, "observed", "verifier-1", _seen_work)
    found = check(story)
    assert found.verdict == "holds"
    assert "contradicted" in found.detail
    assert ObservationMade is not None
