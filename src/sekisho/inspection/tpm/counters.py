"""What a certified counter proves: this TPM's counter stood there when it was asked by this challenge.

It does not prove which work ran, nor how long a host was without power: a TPM's clock stands still then (ADR 0025).
"""

from __future__ import annotations

from typing import Literal, TypeAlias

import msgspec

from sekisho.inspection.tpm.attested import Attested, NvCertified, parse_attested
from sekisho.inspection.tpm.octets import MalformedTpmData
from sekisho.inspection.tpm.public import qualified_name
from sekisho.inspection.tpm.signature import load_key, parse_signature, verify_signature
from sekisho.model.errors import InvalidInput, VerificationError
from sekisho.model.statements import CertifiedCounter, ReceiptGiven, TpmEnrolled
from sekisho.model.tpm_papers import qualify_challenge
from sekisho.model.wire import decode_base64

__all__ = [
    "CertifiedReading",
    "Continuity",
    "CounterMissing",
    "CounterSetBack",
    "OtherChallenge",
    "OtherCounter",
    "OtherQuantum",
    "continue_from",
    "verify_certified",
]


class CounterMissing(VerificationError):
    """A receipt of a host with a certified counter comes without its certificate."""

    code = "certified-counter-missing"


class OtherChallenge(VerificationError):
    """A certificate over another challenge than the issuer's newest: an old one again, or one made ahead."""

    code = "certified-other-challenge"


class OtherCounter(VerificationError):
    """A certificate about another NV index, or by another TPM's key, than those enrolled."""

    code = "certified-other-counter"


class OtherQuantum(VerificationError):
    """The certified counter stands elsewhere than the receipt says."""

    code = "certified-other-quantum"


class CounterSetBack(VerificationError):
    """A certified counter or clock that stands before one seen earlier: the TPM's state was set back."""

    code = "certified-set-back"


class CertifiedReading(msgspec.Struct, frozen=True, kw_only=True):
    """A TPM's counter and clock under its signature.

    `clock_ms` runs while the TPM has power; `reset_count` steps at every power-on or reset, `restart_count` at every
    resume from sleep; where `safe` is false the clock may stand before what it showed earlier.
    """

    counter: int
    clock_ms: int
    reset_count: int
    restart_count: int
    safe: bool


Continuity: TypeAlias = Literal["same", "slept", "reset"]


def verify_certified(
    evidence: ReceiptGiven | CertifiedCounter,
    tpm: TpmEnrolled,
    *,
    challenge: str,
    quantum: int | None = None,
) -> CertifiedReading:
    """Check a certified counter against the enrolment, in this order: signature, signer, challenge, index, value.

    1. TPMS_ATTEST and TPMT_SIGNATURE read to their last byte (MalformedTpmData).
    2. The enrolled attestation key signed those bytes (BadSignature), as the key of the enrolled name (OtherCounter).
    3. They answer `challenge`, the issuer's newest (OtherChallenge).
    4. They speak of the enrolled NV index, whole (OtherCounter), which stands at `quantum` (OtherQuantum), if given.
    Raises CounterMissing for a receipt without a certificate. Source: protocol section 5, TPM 2.0 part 3 (NV_Certify).
    """
    certified = evidence.certified if isinstance(evidence, ReceiptGiven) else evidence
    if certified is None:
        raise CounterMissing("the receipt carries no certified counter")
    raw = _decode(certified.attested, "attested")
    attested = parse_attested(raw)
    signature = parse_signature(_decode(certified.signature, "signature"))
    verify_signature(signature, raw, load_key(_decode(tpm.attestation, "attestation")))
    if attested.signer != qualified_name(bytes.fromhex(tpm.attestation_name)):
        raise OtherCounter("the certificate names another attestation key than the enrolled one")
    if certified.challenge != challenge or attested.extra != qualify_challenge(challenge):
        raise OtherChallenge(f"the certificate does not answer challenge {challenge}")
    reading = _read(attested, tpm)
    if quantum is not None and reading.counter != quantum:
        raise OtherQuantum(f"the counter stands at {reading.counter}, the receipt says {quantum}")
    return reading


def continue_from(earlier: CertifiedReading, later: CertifiedReading) -> Continuity:
    """How a later reading follows an earlier one of the same TPM: without a break, after sleep, or after a reset.

    Raises CounterSetBack where counter, resets or clock stand before the earlier ones. A clock that is not safe is not
    compared: after a power cut it may repeat what it showed shortly before.
    """
    if later.counter < earlier.counter:
        raise CounterSetBack(f"the counter went from {earlier.counter} to {later.counter}")
    if later.reset_count < earlier.reset_count:
        raise CounterSetBack(f"resets went from {earlier.reset_count} to {later.reset_count}")
    same_boot = later.reset_count == earlier.reset_count
    if same_boot and later.restart_count < earlier.restart_count:
        raise CounterSetBack(f"restarts went from {earlier.restart_count} to {later.restart_count}")
    if (later.safe or same_boot) and later.clock_ms < earlier.clock_ms:
        raise CounterSetBack(f"the TPM's clock went from {earlier.clock_ms} to {later.clock_ms} ms")
    if not same_boot:
        return "reset"
    return "same" if later.restart_count == earlier.restart_count else "slept"


def _read(attested: Attested, tpm: TpmEnrolled) -> CertifiedReading:
    body = attested.body
    if not isinstance(body, NvCertified) or body.name.hex() != tpm.counter_name:
        raise OtherCounter(f"the certificate is not about NV index {tpm.counter_index:#010x}")
    if body.offset or len(body.contents) != 8:
        raise OtherCounter("the certificate covers another part than the whole counter")
    clock = attested.clock
    return CertifiedReading(
        counter=int.from_bytes(body.contents, "big"),
        clock_ms=clock.clock_ms,
        reset_count=clock.reset_count,
        restart_count=clock.restart_count,
        safe=clock.safe,
    )


def _decode(text: str, what: str) -> bytes:
    try:
        return decode_base64(text)
    except InvalidInput as error:
        raise MalformedTpmData(f"{what}: {error}") from None
