"""Attacks on certified counters by a host and the operator together: the auditor reads every certificate again."""

from __future__ import annotations

from collections.abc import Callable

import msgspec
import pytest

from sekisho.auditor import CheckResult
from sekisho.model.statements import HostEnrolled, Reference, parse_payload
from sekisho.signing import Envelope
from tests import factory
from tests.factory_bundle import (
    PEAK,
    Cast,
    Host,
    LogSoFar,
    Story,
    audit,
    challenge_of,
    check_of,
    honest_story,
    parse,
    seal,
)
from tests.tpm_words import Maker, WordyTpm, key_of

CERTIFIED = Cast(certified=True)
ACKNOWLEDGEMENTS = "hosts/host-1/acknowledgements.jsonl"
RECEIPTS = "hosts/host-1/receipts.jsonl"
Sneak = Callable[[Host, Reference], object]


def counters(story: Story, cast: Cast = CERTIFIED) -> CheckResult:
    """What the check of counters says of a story."""
    return check_of(audit(seal(story, cast)), "counters")


def after(sneak: Sneak, cast: Cast = CERTIFIED) -> CheckResult:
    """What it says of the honest story with something done to the host after its second quantum."""
    return counters(honest_story(cast, sneak=sneak), cast)


def tpm_of(host: Host) -> WordyTpm:
    assert host.tpm is not None
    return host.tpm


def test_an_honest_host_with_a_certified_counter_holds() -> None:
    """Every check holds, and all four quanta's certificates were read."""
    report = audit(seal(honest_story(CERTIFIED), CERTIFIED))

    assert [check for check in report.checks if check.verdict != "holds"] == []
    assert check_of(report, "counters").detail.startswith("4 certified counters of 1 hosts")


def test_a_host_without_a_tpm_that_is_enrolled_as_c2_fails() -> None:
    """A C0 host poses as C2: the enrolment names the tier and shows no TPM."""

    def bare(fact: HostEnrolled) -> HostEnrolled:
        return msgspec.structs.replace(fact, tpm=None)

    told = counters(enrolled_otherwise(bare))
    assert told.verdict == "fails"
    assert "not-endorsed" in told.detail


@pytest.mark.parametrize("chain", [(), Maker(root_secret=2001).chain(key_of(55))])
def test_a_tpm_that_no_pinned_root_answers_for_fails(chain: tuple[bytes, ...]) -> None:
    """A software TPM poses as C2: without certificates, or under a root of its own."""

    def soft(fact: HostEnrolled) -> HostEnrolled:
        return msgspec.structs.replace(fact, tpm=WordyTpm(counter=0, endorsement=chain).enrolled())

    told = counters(enrolled_otherwise(soft))
    assert told.verdict == "fails"
    assert "not-endorsed" in told.detail


def test_a_charter_that_pins_no_root_has_no_certified_counter() -> None:
    """Whoever's TPM it is: nobody said whose word counts."""
    cast = Cast(certified=True, roots=())
    told = counters(honest_story(cast), cast)
    assert told.verdict == "fails"
    assert "which the charter does not name" in told.detail


def test_quanta_under_a_lower_tier_than_enrolled_fail() -> None:
    """A C2 host's quantum that calls itself C0, to go without a certificate."""

    def lower(host: Host, lease: Reference) -> None:
        spend = host.spend(lease, 1, PEAK)
        host.receipt("quantum", 19, spend=spend, counter="C0", certified=None)

    told = after(lower)
    assert told.verdict == "fails"
    assert "names the tier C0, enrolled is C2" in told.detail


def bare_quantum(host: Host, lease: Reference) -> None:
    """A quantum that no TPM speaks for."""
    host.receipt("quantum", 19, spend=host.spend(lease, 1, PEAK), certified=None)


def same_certificate(host: Host, lease: Reference) -> None:
    """The certificate of the quantum before, once more."""
    fact = parse_payload(host.links[1].payload).predicate
    certified = getattr(fact, "certified", None)
    assert certified is not None
    host.receipt("quantum", 19, spend=host.spend(lease, 1, PEAK), certified=certified)


def lower_counter(host: Host, _lease: Reference) -> None:
    """The TPM was set back before the quantum that comes after the resume."""
    tpm_of(host).counter -= 2


def earlier_clock(host: Host, _lease: Reference) -> None:
    """The counter was stepped up again, the TPM's clock tells that it was set back."""
    tpm_of(host).clock_ms -= 60_000


def other_key(host: Host, _lease: Reference) -> None:
    """Another TPM at the very same number."""
    host.tpm = WordyTpm(secret=8, counter=host.quantum)


def other_index(host: Host, _lease: Reference) -> None:
    """A second counter of the same TPM."""
    host.tpm = WordyTpm(counter=host.quantum, index=0x01805E52)


def own_challenge(host: Host, _lease: Reference) -> None:
    """A nonce of the host's own choice."""
    host.receipt = asking_itself(host)  # type: ignore[assignment,method-assign]  # the sneak's purpose


def asking_itself(host: Host) -> Callable[..., object]:
    """`receipt`, with the host's own nonce in place of the one that the last acknowledgement gave."""
    honest = host.receipt

    def receipt(*arguments: object, **fields: object) -> object:
        host.challenge = "77" * 16
        return honest(*arguments, **fields)  # type: ignore[arg-type]  # as they came

    return receipt


@pytest.mark.parametrize(
    ("sneak", "code"),
    [
        (bare_quantum, "certified-counter-missing"),
        (same_certificate, "certified-other-quantum"),
        (lower_counter, "certified-other-quantum"),
        (earlier_clock, "certified-set-back"),
        (other_key, "bad-signature"),
        (other_index, "certified-other-counter"),
        (own_challenge, "certified-other-challenge"),
    ],
)
def test_a_certificate_that_does_not_speak_for_its_quantum_fails(sneak: Sneak, code: str) -> None:
    """None, another receipt's, a lower counter, an earlier clock, another key or index, a nonce of its own."""
    told = after(sneak)
    assert told.verdict == "fails"
    assert code in told.detail


def test_a_counter_that_went_down_with_its_receipts_fails() -> None:
    """Two quanta change places, each under its own sound certificate."""

    def down(host: Host, lease: Reference) -> None:
        tpm_of(host).counter += 5
        host.quantum += 5
        host.receipt("quantum", 19, spend=host.spend(lease, 1, PEAK))
        tpm_of(host).counter -= 3
        host.quantum -= 3

    told = after(down)
    assert told.verdict == "fails"
    assert "certified-set-back: the counter went from 8 to 6" in told.detail


def test_an_old_challenge_answered_again_fails() -> None:
    """A certificate kept back answers what was asked before the quantum before it was."""

    def old(host: Host, lease: Reference) -> None:
        receipt, first = host.receipt, challenge_of("receipt 1")

        def answering(stage: str, at: float, **fields: object) -> object:
            if stage == "quantum" and at > 55:
                host.challenge = first
            return receipt(stage, at, **fields)  # type: ignore[arg-type]  # as they came

        host.receipt = answering  # type: ignore[assignment,method-assign]  # the sneak's purpose

    told = after(old)
    assert told.verdict == "fails"
    assert "older challenge than the quantum before" in told.detail


def test_a_challenge_that_came_after_its_receipt_fails() -> None:
    """A chain written afterwards can answer only what was asked by then."""
    story = honest_story(CERTIFIED)
    lines = story.papers[RECEIPTS]
    later = parse_payload(parse(story.papers[ACKNOWLEDGEMENTS][0]).payload).predicate
    fact = parse_payload(parse(lines[0]).payload).predicate
    challenge = getattr(later, "challenge", None)
    assert challenge is not None
    forged = WordyTpm(counter=1, clock_ms=91_000).certify(challenge)
    again = msgspec.structs.replace(fact, certified=forged)
    lines[0] = factory.signed(again, CERTIFIED.signer("host-1")).raw

    told = counters(story)
    assert told.verdict == "fails"
    assert "answers a challenge that came after it" in told.detail


def test_counters_without_the_statements_that_asked_are_unverifiable() -> None:
    """Without the acknowledgements nobody can tell whether a challenge was the issuer's."""
    story = honest_story(CERTIFIED)
    del story.papers[ACKNOWLEDGEMENTS]
    told = counters(story)
    assert told.verdict == "unverifiable"
    assert "the challenge that it answers is not in the evidence" in told.detail


def test_counters_of_a_host_whose_receipts_are_not_there_are_unverifiable() -> None:
    """It was granted leases; whether its TPM vouched for a quantum is not known."""
    story = honest_story(CERTIFIED)
    for path in [path for path in story.papers if path.startswith("hosts/host-1/")]:
        del story.papers[path]
    told = counters(story)
    assert told.verdict == "unverifiable"
    assert "the counters of host-1 are not in the evidence" in told.detail


def test_without_a_certified_counter_nothing_is_asked() -> None:
    """A regime whose hosts are C0 holds."""
    told = counters(honest_story(), Cast())
    assert (told.verdict, told.detail) == ("holds", "0 certified counters of 0 hosts read again")


def enrolled_otherwise(change: Callable[[HostEnrolled], HostEnrolled]) -> Story:
    """The honest story with another enrolment of its host."""
    story = honest_story(CERTIFIED)
    make = next(make for _, items in story.batches for name, make in items if name == "host")

    def again(log: LogSoFar) -> Envelope:
        fact = parse_payload(make(log).payload).predicate
        assert isinstance(fact, HostEnrolled)
        return factory.signed(change(fact), *log.cast.signers("authority-1", "operator-1"))

    story.replace("host", again)
    return story
