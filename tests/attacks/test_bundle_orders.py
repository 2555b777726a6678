"""Attacks on orders and registers by whoever runs the log: it is consistent in itself and signed anew throughout."""

from __future__ import annotations

from collections.abc import Callable

import msgspec
import pytest

from sekisho.auditor import CheckResult
from sekisho.model.instants import Instant
from sekisho.model.statements import OrderReference, make_payload, parse_payload
from sekisho.signing import Envelope, PublicKey, sign_payload
from sekisho.signing.keys import Ed25519Signer, Signer
from tests import factory
from tests.factory_bundle import (
    AUTHORITY_3,
    QUORUM,
    T0,
    Item,
    LogSoFar,
    Story,
    audit,
    check_of,
    heartbeat,
    honest_story,
    item,
    pause,
    reference_of,
    resume,
    seal,
)


def check(story: Story, name: str) -> CheckResult:
    """What one check says of a story that must fail."""
    report = audit(seal(story))
    assert report.verdict == "fails"
    return check_of(report, name)


class Impostor:
    """A key that signs under the name of another."""

    def __init__(self, key: Ed25519Signer, name: Ed25519Signer) -> None:
        self._key = key
        self.public: PublicKey = name.public

    def sign(self, data: bytes) -> bytes:
        return self._key.sign(data)


@pytest.mark.parametrize(
    "signers",
    [
        ("authority-1", "authority-2", "verifier-1"),
        AUTHORITY_3,
        (*AUTHORITY_3, "operator-1"),
        ("authority-1", "authority-2", "operator-1", "verifier-1"),
        ("verifier-1", "verifier-2", "operator-1"),
        ("stranger-1", "stranger-2", "stranger-3", "verifier-1"),
    ],
    ids=" ".join,
)
@pytest.mark.parametrize("name", ["pause-1", "resume-1"])
def test_an_order_with_too_few_keys_or_of_the_wrong_constituency_fails(
    name: str, signers: tuple[str, ...]
) -> None:
    """Three of the authority and one verifier, in the pause as in the resume; nothing else amounts to it."""
    story = honest_story()
    make = pause if name == "pause-1" else resume
    story.replace(name, make(signers=signers))
    found = check(story, "signatures")
    assert found.verdict == "fails"
    assert "not met" in found.detail


def test_an_order_by_one_key_under_three_ids_fails() -> None:
    """The same key counts once, whatever key ids its signatures name."""
    one, *others = (factory.signer(name) for name in AUTHORITY_3)
    signers: list[Signer] = [one, *(Impostor(one, other) for other in others)]
    signers.append(factory.signer("verifier-1"))
    honest = pause()

    def forge(log: LogSoFar) -> Envelope:
        return sign_payload(honest(log).payload, signers)

    story = honest_story()
    story.replace("pause-1", forge)
    found = check(story, "signatures")
    assert "authority 1 of 3" in found.detail


def test_a_gap_in_the_register_fails() -> None:
    """Number 3 after number 1."""
    story = honest_story()
    previous = factory.charter_envelope().digest
    story.insert_after("beat-3", "pause-3", _gap(previous))
    found = check(story, "registers")
    assert "register-gap" in found.detail


def _gap(previous: str) -> Item:
    def make(log: LogSoFar) -> Envelope:
        order = factory.order_issued(
            number=3, previous=previous, charter_digest=log.digest("charter"), now=T0.plus(43)
        )
        return factory.signed(order, *log.cast.signers(*QUORUM))

    return make


def test_two_digests_for_one_number_fail() -> None:
    """A second pause number 1, rightly signed, with other words."""
    story = honest_story()
    story.insert_after("pause-1", "pause-1-again", pause(appeal="none"))
    report = audit(seal(story))
    assert "two-digests" in check_of(report, "registers").detail
    assert check_of(report, "uniqueness").verdict == "fails"


def test_an_order_that_names_another_predecessor_fails() -> None:
    """The register is a chain of digests, so a silently exchanged order shows in the next one."""
    story = honest_story()
    story.replace("resume-1", resume(previous="ab" * 32))
    assert "another predecessor" in check(story, "registers").detail


def test_an_order_in_the_wrong_register_fails() -> None:
    """A pause in the register of resumes."""
    story = honest_story()
    story.replace("pause-1", pause(register="resume/JP"))
    assert "wrong-register" in check(story, "registers").detail


@pytest.mark.parametrize(
    ("fields", "word"),
    [
        ({"expires": T0.plus(20.5), "not_before": T0}, "expired-order"),
        ({"issue_until": T0.plus(20.2)}, "stale-signatures"),
        ({"log": "other.example/log"}, "foreign-order"),
        ({"charter": "cd" * 32}, "foreign-order"),
        ({"on_expiry": "lapse"}, "order-fault"),
    ],
    ids=["expired", "signed too long ago", "of another log", "of another charter", "faulty"],
)
def test_an_order_that_was_not_valid_when_recorded_fails(
    fields: dict[str, object], word: str
) -> None:
    """Judged by the start of its recorded time, which witnesses signed: late is certain then."""
    story = honest_story()
    charter = fields.pop("charter", None)
    changed = pause(at=20, **fields)  # type: ignore[arg-type]  # the case's own fields
    if charter is not None:
        changed = _under_charter(str(charter))
    story.replace("pause-1", changed)
    _postpone(story, "pause-1", 4)
    assert word in check(story, "registers").detail


def _under_charter(digest: str) -> Item:
    def make(log: LogSoFar) -> Envelope:
        order = factory.order_issued(
            effect="checkpoint-then-stop", charter_digest=digest, now=T0.plus(20)
        )
        return factory.signed(order, *log.cast.signers(*QUORUM))

    return make


def _postpone(story: Story, name: str, seconds: float) -> None:
    """Another batch right before the item's, so that a mark witnesses a time after the order's own."""
    place = next(n for n, (_, items) in enumerate(story.batches) if name in [k for k, _ in items])
    at, items = story.batches[place]
    story.batches[place] = (at + seconds, items)
    story.batches.insert(place, (at + seconds - 1, []))
    story.batches[place + 2 :] = [
        (max(t, at + seconds), rest) for t, rest in story.batches[place + 2 :]
    ]


def test_an_order_that_may_have_been_late_is_unverifiable() -> None:
    """Its signatures ran out between the marks around it: nobody can tell, and so it does not pass."""
    story = honest_story()
    story.replace("pause-1", pause(at=20, issue_until=T0.plus(20.5)))
    assert check(story, "registers").verdict == "unverifiable"


def test_a_resume_that_lifts_what_is_no_order_fails() -> None:
    """What is lifted must stand in its register, by its digest."""
    story = honest_story()

    def make(log: LogSoFar) -> Envelope:
        wrong = msgspec.structs.replace(reference_of(log, "pause-1"), digest="ef" * 32)
        order = factory.order_issued(
            kind="resume",
            effect="lift",
            lifts=(wrong,),
            charter_digest=log.digest("charter"),
            now=T0.plus(42),
        )
        return factory.signed(order, *log.cast.signers(*QUORUM))

    story.replace("resume-1", make)
    assert "no such order" in check(story, "registers").detail


@pytest.mark.parametrize(
    ("name", "beat"),
    [
        ("beat-2", heartbeat(21)),
        ("beat-2", heartbeat(21, orders=("pause-1",))),
        ("beat-3", heartbeat(43, orders=("pause-1",), in_force=("pause-1",))),
        ("beat-3", heartbeat(43)),
        ("beat-3", heartbeat(43, orders=("pause-1", "resume-1"), in_force=("pause-1",))),
    ],
    ids=[
        "hides the pause",
        "hides that it is in force",
        "hides the resume",
        "rolled back",
        "keeps it in force",
    ],
)
def test_a_heartbeat_that_rolls_the_registers_back_fails(name: str, beat: Item) -> None:
    """Heads and what is in force are exactly what the registers hold at that place."""
    story = honest_story()
    story.replace(name, beat)
    assert "heads-conflict" in check(story, "orders-in-force").detail


def _alive(story: Story) -> None:
    """The log goes on, batch after batch, and says nothing of its registers."""
    for at in range(80, 200, 20):
        story.add(at)


def _silence(story: Story) -> None:
    _alive(story)
    story.add(200, ("beat-5", heartbeat(200, orders=("pause-1", "resume-1"))))


def _silent_end(story: Story) -> None:
    _alive(story)
    story.add(200)


def _from_the_future(story: Story) -> None:
    story.replace("beat-4", heartbeat(600, orders=("pause-1", "resume-1")))


def _back_in_time(story: Story) -> None:
    story.replace("beat-4", heartbeat(42.5, orders=("pause-1", "resume-1")))


def _none_at_all(story: Story) -> None:
    for number in range(1, 5):
        story.drop(f"beat-{number}")
    story.add(90)


@pytest.mark.parametrize(
    "change", [_silence, _silent_end, _from_the_future, _back_in_time, _none_at_all]
)
def test_a_heartbeat_that_comes_too_late_or_lies_about_its_time_fails(
    change: Callable[[Story], None],
) -> None:
    """Sixty seconds by the charter, between heartbeats and up to the last checkpoint."""
    story = honest_story()
    change(story)
    assert check(story, "orders-in-force").verdict == "fails"


def test_a_log_that_stood_still_as_a_whole_is_an_outage_and_is_told() -> None:
    """While nothing is ordered or leased no heartbeat is owed; the limits name the outage."""
    story = honest_story()
    story.add(4_000, ("beat-5", heartbeat(4_000, orders=("pause-1", "resume-1"))))
    report = audit(seal(story))
    beat = next(c for c in report.checks if c.name == "orders-in-force")
    assert beat.verdict == "holds", beat.detail
    assert any("stood still" in limit for limit in report.limits)


def test_an_item_stated_twice_fails() -> None:
    """The same payload, signed by others, is no second statement."""
    story = honest_story()

    def again(log: LogSoFar) -> Envelope:
        fact = parse_payload(log.named["resume-1"].payload).predicate
        return sign_payload(make_payload(fact), log.cast.signers(*AUTHORITY_3, "verifier-2"))

    story.insert_after("resume-1", "again", again)
    assert check(story, "uniqueness").verdict == "fails"


def test_an_order_reference_of_another_number_is_another_order() -> None:
    """What the factory builds is what the attack means: a reference carries register, number and digest."""
    reference = OrderReference(register="pause/JP", number=1, digest="0" * 64)
    assert reference != msgspec.structs.replace(reference, number=2)
    assert isinstance(T0, Instant)
    assert item is not None
