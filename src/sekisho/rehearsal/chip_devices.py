"""What stands behind a label when an inspector asks: an accelerator with its key, or a dummy that has none of its own.

The challenge is real and the device is not: keys lie in this process, where silicon would hold them. A fresh nonce is
signed together with the label and the place, so that no recording answers a second time and no answer serves another
label. That a chip's key cannot be read out or lent is what silicon would add, and what nothing here shows.
"""

from __future__ import annotations

import secrets
from typing import Final, Literal, Protocol, TypeAlias

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from sekisho.model.errors import SekishoError
from sekisho.model.wire import canonical, from_json, parse_canonical
from sekisho.signing import Ed25519Signer, PublicKey, distinct_signers, parse_envelope, sign_payload

__all__ = [
    "Accelerator",
    "Answer",
    "Challenge",
    "Device",
    "EmptyBox",
    "Outcome",
    "Recorder",
    "draw_challenge",
    "judge_answer",
]

CHALLENGE_TYPE: Final = "application/vnd.sekisho.drill-challenge+json"
Outcome: TypeAlias = Literal["registered-key", "other-key", "not-this-nonce", "unanswered"]


class Challenge(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is asked of whatever stands behind a label: 32 bytes that nobody could know, in hexadecimal."""

    label: str
    place: str
    nonce: str


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """A key as it presents itself, and an envelope that it should have signed."""

    public: str
    envelope: bytes


class Device(Protocol):
    """What an inspector's cable is plugged into."""

    def answer(self, challenge: Challenge) -> Answer | None:
        """The answer; None where nothing answers."""
        ...


class Accelerator:
    """A chip with a key of its own, drawn when it is made; the same class serves a cheap board in a dummy."""

    def __init__(self) -> None:
        self._signer = Ed25519Signer(Ed25519PrivateKey.generate())

    @property
    def key_digest(self) -> str:
        """SHA-256 of the public key's SPKI: what the maker registers."""
        return self._signer.public.key_id

    def answer(self, challenge: Challenge) -> Answer | None:
        envelope = sign_payload(canonical(challenge), [self._signer], payload_type=CHALLENGE_TYPE)
        return Answer(public=self._signer.public.to_text(), envelope=envelope.raw)


class EmptyBox:
    """A housing with the right weight and the right label."""

    def answer(self, challenge: Challenge) -> Answer | None:  # noqa: ARG002  # there is nobody to read it
        return None


class Recorder:
    """A dummy that plays back what the genuine device said to somebody else."""

    def __init__(self, heard: Answer) -> None:
        self._heard = heard

    def answer(self, challenge: Challenge) -> Answer | None:  # noqa: ARG002  # it can say one thing only
        return self._heard


def draw_challenge(label: str, place: str) -> Challenge:
    """A challenge with a nonce drawn now."""
    return Challenge(label=label, place=place, nonce=secrets.token_hex(32))


def judge_answer(
    challenge: Challenge, answer: Answer | None, registered: str
) -> tuple[Outcome, str]:
    """What an answer shows, and the digest of the key that truly signed this very challenge; "" where none did.

    `registered` is the digest that the register holds for the label. Whatever cannot be read is no answer.
    """
    if answer is None:
        return "unanswered", ""
    try:
        public = PublicKey.from_text(answer.public)
        envelope = parse_envelope(answer.envelope, payload_type=CHALLENGE_TYPE)
        said = from_json(Challenge, parse_canonical(envelope.payload), path="answer")
    except SekishoError:
        return "unanswered", ""
    if said != challenge or not distinct_signers(envelope, [public]):
        return "not-this-nonce", ""
    return ("registered-key" if public.key_id == registered else "other-key"), public.key_id
