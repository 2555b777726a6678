"""What a certified counter proves, and what it refuses to."""

from __future__ import annotations

import pytest

from sekisho.inspection.tpm import (
    CertifiedReading,
    CounterMissing,
    CounterSetBack,
    MalformedTpmData,
    OtherChallenge,
    OtherCounter,
    OtherQuantum,
    continue_from,
    verify_certified,
)
from sekisho.inspection.tpm.octets import sized
from sekisho.model.errors import BadSignature
from sekisho.model.statements import CertifiedCounter
from tests.factory import receipt_given
from tests.tpm_words import CHALLENGE, WordyTpm, number

TPM = WordyTpm()
READING = CertifiedReading(counter=12, clock_ms=90_000, reset_count=3, restart_count=1, safe=True)


def test_a_sound_certificate_gives_counter_and_clock() -> None:
    """All five figures come out, with the quantum asked for or without."""
    found = verify_certified(TPM.certify(), TPM.enrolled(), challenge=CHALLENGE, quantum=12)

    assert found == READING
    assert verify_certified(TPM.certify(), TPM.enrolled(), challenge=CHALLENGE) == READING


def test_a_receipt_is_taken_for_its_certificate() -> None:
    """A receipt stands for the certificate in it, and one without is named so."""
    with pytest.raises(CounterMissing):
        verify_certified(receipt_given(), TPM.enrolled(), challenge=CHALLENGE)


@pytest.mark.parametrize(
    ("evidence", "error"),
    [
        (TPM.certify("00" * 16), OtherChallenge),
        (TPM.wrap(WordyTpm(extra=b"").attest()), OtherChallenge),
        (TPM.wrap(WordyTpm(extra=bytes.fromhex(CHALLENGE)).attest()), OtherChallenge),
        (WordyTpm(secret=8).certify(), BadSignature),
        (TPM.wrap(WordyTpm(secret=8).attest()), OtherCounter),
        (TPM.wrap(WordyTpm(index=0x01805E52).attest()), OtherCounter),
        (TPM.wrap(TPM.attest()[:-10] + sized(number(12, 4))), OtherCounter),
        (TPM.wrap(TPM.attest()[:-12] + number(8, 2) + sized(number(12, 8))), OtherCounter),
        (TPM.wrap(b"\xff\x54\x43\x48" + TPM.attest()[4:]), MalformedTpmData),
        (CertifiedCounter(challenge=CHALLENGE, attested="!", signature="AA=="), MalformedTpmData),
    ],
    ids="nonce empty raw stranger relabelled index short offset foreign base64".split(),
)
def test_each_fault_has_its_name(evidence: CertifiedCounter, error: type[Exception]) -> None:
    """Another nonce, key, index or part of it, and foreign bytes, are refused by what they are."""
    with pytest.raises(error):
        verify_certified(evidence, TPM.enrolled(), challenge=CHALLENGE)


def test_a_counter_elsewhere_than_the_receipt_says_is_refused() -> None:
    """A certificate of quantum 12 is none of quantum 13."""
    with pytest.raises(OtherQuantum, match=r"12, the receipt says 13"):
        verify_certified(TPM.certify(), TPM.enrolled(), challenge=CHALLENGE, quantum=13)


@pytest.mark.parametrize(
    ("later", "how"),
    [
        ({"counter": 13, "clock_ms": 91_000}, "same"),
        ({"restarts": 2, "clock_ms": 90_000}, "slept"),
        ({"resets": 4, "restarts": 0, "clock_ms": 95_000}, "reset"),
        ({"resets": 4, "restarts": 0, "clock_ms": 80_000, "safe": 0}, "reset"),
    ],
)
def test_a_later_reading_says_how_it_follows(later: dict[str, int], how: str) -> None:
    """Steps, sleep and resets are told apart; after a reset a clock that is not safe may repeat itself."""
    assert continue_from(READING, _read(WordyTpm(**later))) == how  # type: ignore[arg-type]  # numbers all


@pytest.mark.parametrize(
    "later",
    [
        {"counter": 11},
        {"resets": 2},
        {"restarts": 0},
        {"clock_ms": 89_999},
        {"clock_ms": 89_999, "safe": 0},
        {"resets": 4, "clock_ms": 80_000},
    ],
)
def test_a_tpm_that_was_set_back_is_noticed(later: dict[str, int]) -> None:
    """A counter, reset count, restart count or clock before what was seen is a rollback."""
    with pytest.raises(CounterSetBack):
        continue_from(READING, _read(WordyTpm(**later)))  # type: ignore[arg-type]  # numbers all


def _read(tpm: WordyTpm) -> CertifiedReading:
    return verify_certified(tpm.certify(), tpm.enrolled(), challenge=CHALLENGE)
