"""The papers of a TPM's enrolment: what the host shows, the enroller's challenge, the host's answer.

They travel as files by hand or in a message, and none is a statement: the enroller checks them (inspection.tpm) and
writes what held into `HostEnrolled.tpm`. Structures of the TPM keep their bytes exactly, in base64.
"""

from __future__ import annotations

from hashlib import sha256
from typing import Annotated, Literal, TypeAlias

import msgspec

from sekisho.model.statements import CertifiedCounter, Nonce
from sekisho.model.statements.shapes import Digest, Name, Wire

__all__ = ["TpmAnswer", "TpmChallenge", "TpmName", "TpmPaper", "qualify_challenge"]

Bytes64: TypeAlias = Annotated[str, msgspec.Meta(max_length=8_000)]
TpmName: TypeAlias = Annotated[str, msgspec.Meta(pattern=r"^[0-9a-f]{68,100}(?!\n)$")]

_DOMAIN = b"sekisho certified counter v1\0"


class TpmPaper(Wire, frozen=True, kw_only=True):
    """A host shows its TPM: certificates of the endorsement key (DER, leaf first), and public parts, all base64.

    `endorsement_public` and `attestation_public` are TPMT_PUBLIC, `counter_public` is TPMS_NV_PUBLIC.
    """

    paper: Literal["sekisho-tpm-paper-v1"] = msgspec.field(name="_type")
    host: Name
    endorsement: Annotated[tuple[Bytes64, ...], msgspec.Meta(max_length=8)]
    endorsement_public: Bytes64
    attestation_public: Bytes64
    counter_public: Bytes64


class TpmChallenge(Wire, frozen=True, kw_only=True):
    """What only the TPM that holds the endorsement key and this attestation key together can open, and a nonce.

    `credential` is TPM2B_ID_OBJECT, `secret` TPM2B_ENCRYPTED_SECRET, both without their length and in base64;
    `paper` is the digest of the paper that it answers.
    """

    challenge: Literal["sekisho-tpm-challenge-v1"] = msgspec.field(name="_type")
    host: Name
    paper: Digest
    credential: Bytes64
    secret: Bytes64
    nonce: Nonce


class TpmAnswer(Wire, frozen=True, kw_only=True):
    """The host's answer: the opened credential in hexadecimal, and its counter certified over the nonce."""

    answer: Literal["sekisho-tpm-answer-v1"] = msgspec.field(name="_type")
    host: Name
    opened: Digest
    certified: CertifiedCounter


def qualify_challenge(challenge: str) -> bytes:
    """What a TPM signs for an issuer's nonce: SHA-256 with a domain, so that no other use of the key fits.

    The nonce is hexadecimal (`Nonce`). 32 bytes fit every TPM: extraData holds a digest of its largest hash.
    """
    return sha256(_DOMAIN + bytes.fromhex(challenge)).digest()
