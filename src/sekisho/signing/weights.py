"""Keys of locked weights: what commits to one, what asks for one, and in which contexts it is sealed. Pure.

A key is 32 bytes drawn at random; its commitment is SHA-256 over its 16 bytes of salt and itself, which fixes it before
anybody is given it. It travels sealed (HPKE, signing.sealing) twice: to the keeper when weights are locked, and to a
host's fresh key when the keeper releases it. A request is an envelope under the host's enrolled key with a nonce.
"""

from __future__ import annotations

from typing import Annotated

import msgspec

from sekisho.model.errors import InvalidInput, VerificationError
from sekisho.model.instants import Instant
from sekisho.model.statements.shapes import Digest, Key64, Name, Seconds
from sekisho.model.wire import (
    canonical,
    decode_base64,
    encode_base64,
    from_json,
    parse_canonical,
    sha256_hex,
)
from sekisho.signing.dsse import Envelope, distinct_signers, parse_envelope, sign_payload
from sekisho.signing.keys import PublicKey, Signer
from sekisho.signing.sealing import DepositKey, Opener, SealBroken, Sealer

__all__ = [
    "KEY_BYTES",
    "REQUEST_TYPE",
    "SALT_BYTES",
    "KeyDeposit",
    "KeyRequest",
    "ReleasedKey",
    "WrongWeightsKey",
    "commit_key",
    "is_signed_by",
    "open_deposit",
    "open_release",
    "parse_request",
    "seal_deposit",
    "seal_release",
    "sign_request",
]

KEY_BYTES, SALT_BYTES = 32, 16
REQUEST_TYPE = "application/vnd.sekisho.weights-key-request+json"
MAX_REQUEST = 16_384


class WrongWeightsKey(VerificationError):
    """A key that is not the one to which the statement or the locked file commits."""

    code = "wrong-weights-key"


class KeyDeposit(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A key on its way to the keeper: which locked file and commitment it is for, sealed to which keeper's key."""

    ciphertext: Digest
    key: Digest
    keeper: Digest
    sealed: Annotated[str, msgspec.Meta(max_length=1_000)]


class KeyRequest(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A host asks for the key of locked weights, for a key of its own that it has just drawn."""

    log: Name
    host: Name
    locked: Digest
    public: Key64
    nonce: Annotated[str, msgspec.Meta(pattern=r"^[0-9a-f]{32}(?!\n)$")]
    at: Instant


class ReleasedKey(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is sealed to the host: the key with its salt, for how long it may be held, and how long past silence."""

    key: str
    salt: str
    lease_s: Seconds
    grace_s: Seconds


def commit_key(key: bytes, salt: bytes) -> str:
    """What fixes a key before it is shown. Raises InvalidInput for other lengths."""
    if len(key) != KEY_BYTES or len(salt) != SALT_BYTES:
        raise InvalidInput(f"a key has {KEY_BYTES} bytes and its salt {SALT_BYTES}", path="key")
    return sha256_hex(salt + key)


def seal_deposit(
    key: bytes, salt: bytes, ciphertext: str, keeper: DepositKey, sealer: Sealer
) -> KeyDeposit:
    """The key sealed to its keeper, bound to the locked file and to its commitment."""
    commitment = commit_key(key, salt)
    sealed = sealer.seal(keeper, salt + key, _deposit_info(ciphertext, commitment))
    return KeyDeposit(
        ciphertext=ciphertext, key=commitment, keeper=keeper.key_id, sealed=encode_base64(sealed)
    )


def open_deposit(deposit: KeyDeposit, opener: Opener) -> tuple[bytes, bytes]:
    """Key and salt. Raises SealBroken, InvalidInput, WrongWeightsKey where the sealed key is another one."""
    sealed = decode_base64(deposit.sealed, path="sealed")
    both = opener.open(sealed, _deposit_info(deposit.ciphertext, deposit.key))
    key, salt = both[SALT_BYTES:], both[:SALT_BYTES]
    _verify(key, salt, deposit.key)
    return key, salt


def sign_request(request: KeyRequest, signer: Signer) -> Envelope:
    """The envelope of a request under the host's enrolled key."""
    return sign_payload(canonical(request), [signer], payload_type=REQUEST_TYPE)


def parse_request(raw: bytes, *, path: str = "request") -> tuple[KeyRequest, Envelope]:
    """A request as it came; nobody has verified its signature yet. Raises InvalidInput."""
    envelope = parse_envelope(raw, path=path, payload_type=REQUEST_TYPE, limit=MAX_REQUEST)
    told = parse_canonical(envelope.payload, path=path, limit=MAX_REQUEST)
    return from_json(KeyRequest, told, path=path), envelope


def is_signed_by(envelope: Envelope, key: PublicKey) -> bool:
    """Whether a request bears the signature of this key."""
    return bool(distinct_signers(envelope, [key]))


def seal_release(released: ReleasedKey, request: KeyRequest, digest: str, sealer: Sealer) -> bytes:
    """The answer to one request: sealed to its fresh key, bound to the request's digest."""
    to = DepositKey.from_text(request.public, path="request.public")
    return sealer.seal(to, canonical(released), _release_info(digest))


def open_release(
    sealed: bytes, digest: str, opener: Opener, commitment: str
) -> tuple[ReleasedKey, bytes]:
    """What the keeper sealed, and the key itself. Raises SealBroken, InvalidInput, WrongWeightsKey."""
    told = parse_canonical(opener.open(sealed, _release_info(digest)), path="released key")
    released = from_json(ReleasedKey, told, path="released key")
    key = decode_base64(released.key, path="released key")
    _verify(key, decode_base64(released.salt, path="released key"), commitment)
    return released, key


def _verify(key: bytes, salt: bytes, commitment: str) -> None:
    try:
        told = commit_key(key, salt)
    except InvalidInput as error:
        raise SealBroken(error.message) from None
    if told != commitment:
        raise WrongWeightsKey(
            "this is not the key that locked the weights",
            remedy="ask whoever locked them which key they gave to the keeper",
        )


def _deposit_info(ciphertext: str, commitment: str) -> bytes:
    return canonical({"for": "sekisho weights key deposit", "of": ciphertext, "key": commitment})


def _release_info(digest: str) -> bytes:
    return canonical({"for": "sekisho weights key release", "request": digest})
