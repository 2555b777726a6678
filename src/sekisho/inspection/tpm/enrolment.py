"""The enroller's side of a TPM's enrolment: read the paper, challenge it, check the answer.

What then stands in `HostEnrolled.tpm` was bound by the TPM itself: endorsement key, attestation key, counter.
"""

from __future__ import annotations

import hmac

import msgspec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from sekisho.inspection.tpm.counters import CertifiedReading, verify_certified
from sekisho.inspection.tpm.credential import make_credential
from sekisho.inspection.tpm.endorsement import Endorsement, NotEndorsed, verify_endorsement
from sekisho.inspection.tpm.public import (
    NvPublic,
    TpmPublic,
    parse_nv_public,
    parse_public,
    verify_attestation_key,
    verify_counter,
)
from sekisho.model.errors import VerificationError
from sekisho.model.instants import Instant
from sekisho.model.statements import HostEnrolled, TpmEnrolled
from sekisho.model.tpm_papers import TpmAnswer, TpmChallenge, TpmPaper
from sekisho.model.wire import canonical, decode_base64, encode_base64, sha256_hex

__all__ = [
    "Dice",
    "NotActivated",
    "ReadPaper",
    "challenge_paper",
    "check_tier",
    "endorsement_of",
    "read_paper",
    "verify_answer",
]


class NotActivated(VerificationError):
    """An answer does not show that endorsement key, attestation key and counter are of one TPM."""

    code = "credential-not-activated"


class Dice(msgspec.Struct, frozen=True, kw_only=True):
    """Randomness for one challenge, 32 bytes each: the secret that only the TPM can give back, seed and nonce."""

    secret: bytes
    seed: bytes
    nonce: bytes


class ReadPaper(msgspec.Struct, frozen=True, kw_only=True):
    """A paper's parts, parsed and sound in themselves. The chain may still lead nowhere: `check_tier` says."""

    endorsement: TpmPublic
    attestation: TpmPublic
    counter: NvPublic
    enrolled: TpmEnrolled


def read_paper(paper: TpmPaper) -> ReadPaper:
    """Raises MalformedTpmData, NotAttestationKey, NotACounter, InvalidInput."""
    attestation = parse_public(_bytes(paper.attestation_public, "attestation_public"))
    counter = parse_nv_public(_bytes(paper.counter_public, "counter_public"))
    verify_attestation_key(attestation)
    verify_counter(counter)
    spki = attestation.key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return ReadPaper(
        endorsement=parse_public(_bytes(paper.endorsement_public, "endorsement_public")),
        attestation=attestation,
        counter=counter,
        enrolled=TpmEnrolled(
            endorsement=paper.endorsement,
            attestation=encode_base64(spki),
            attestation_name=attestation.name.hex(),
            counter_index=counter.index,
            counter_name=counter.name.hex(),
        ),
    )


def challenge_paper(paper: TpmPaper, dice: Dice) -> TpmChallenge:
    """Seal the secret to the paper's two keys together. Raises what `read_paper` raises, NotEndorsementKey."""
    read = read_paper(paper)
    sealed = make_credential(read.endorsement, read.attestation.name, dice.secret, seed=dice.seed)
    return TpmChallenge(
        challenge="sekisho-tpm-challenge-v1",
        host=paper.host,
        paper=sha256_hex(canonical(paper)),
        credential=encode_base64(sealed.credential),
        secret=encode_base64(sealed.secret),
        nonce=dice.nonce.hex(),
    )


def verify_answer(
    paper: TpmPaper, challenge: TpmChallenge, answer: TpmAnswer, *, secret: bytes
) -> tuple[TpmEnrolled, CertifiedReading]:
    """What may be enrolled, and where the counter stands. Raises NotActivated and what `verify_certified` raises."""
    if challenge.paper != sha256_hex(canonical(paper)) or answer.host != paper.host:
        raise NotActivated("paper, challenge and answer are not of one enrolment")
    if not hmac.compare_digest(answer.opened, secret.hex()):
        raise NotActivated(
            "the answer did not open the challenge: the keys shown are not of one TPM"
        )
    enrolled = read_paper(paper).enrolled
    return enrolled, verify_certified(answer.certified, enrolled, challenge=challenge.nonce)


def check_tier(fact: HostEnrolled, roots: tuple[str, ...]) -> Endorsement | None:
    """Whether an enrolment's tier is what its TPM's certificates carry, at the instant that it speaks of.

    C2: they lead to a pinned root (its maker is returned). C1: a TPM, proved or not. C0: none. Raises NotEndorsed.
    """
    if fact.counter != "C2":
        if fact.counter == "C0" and fact.tpm is not None:
            raise NotEndorsed("a host with counter C0 has no TPM", remedy="enrol it as C1 or C2")
        return None
    if fact.tpm is None:
        raise NotEndorsed("a host with counter C2 shows its TPM", remedy="sekisho agent tpm")
    return verify_endorsement(
        [_bytes(der, "tpm.endorsement") for der in fact.tpm.endorsement],
        roots,
        at=fact.effective,
    )


def endorsement_of(paper: TpmPaper, roots: tuple[str, ...], *, at: Instant) -> Endorsement:
    """Whose TPM a paper shows, its certificate being of the very key shown. Raises NotEndorsed."""
    return verify_endorsement(
        [_bytes(der, "endorsement") for der in paper.endorsement],
        roots,
        at=at,
        key=parse_public(_bytes(paper.endorsement_public, "endorsement_public")).key,
    )


def _bytes(text: str, path: str) -> bytes:
    return decode_base64(text, path=path)
