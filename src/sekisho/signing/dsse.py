"""DSSE envelopes, parsed and verified by us (https://github.com/secure-systems-lab/dsse, protocol v1).

Ours, since libraries trust `keyid` and count one key under two ids twice. Here `keyid` is a hint that is never
believed: each signature is tried against each key, and what comes back is the set of distinct keys that signed.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated

import msgspec

from sekisho.model.errors import InvalidInput
from sekisho.model.statements import PAYLOAD_TYPE
from sekisho.model.wire import (
    canonical,
    decode_base64,
    encode_base64,
    from_json,
    parse_canonical,
    sha256_hex,
)
from sekisho.signing.keys import PublicKey, Signer

__all__ = [
    "Envelope",
    "EnvelopeSignature",
    "add_signature",
    "distinct_signers",
    "pae",
    "parse_envelope",
    "sign_payload",
]

MAX_ENVELOPE = 65_535  # entry bundles carry 16-bit lengths
MAX_SIGNATURES = 64


class EnvelopeSignature(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One signature in base64; `keyid` is a hint that nobody believes."""

    keyid: Annotated[str, msgspec.Meta(max_length=128)]
    sig: Annotated[str, msgspec.Meta(max_length=8192)]


class _Form(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    payload: str
    payloadType: str  # noqa: N815  # DSSE's own wire word
    signatures: Annotated[
        tuple[EnvelopeSignature, ...], msgspec.Meta(min_length=1, max_length=MAX_SIGNATURES)
    ]


class Envelope(msgspec.Struct, frozen=True, kw_only=True):
    """Signed bytes: the payload exactly as signed, its signatures, and the envelope's own canonical bytes."""

    payload: bytes
    payload_type: str
    signatures: tuple[EnvelopeSignature, ...]
    raw: bytes

    @property
    def digest(self) -> str:
        """SHA-256 of the payload: what makes a statement unique, whoever signed it."""
        return sha256_hex(self.payload)


def pae(payload_type: str, payload: bytes) -> bytes:
    """The pre-authentication encoding: the bytes that a DSSE signature is over."""
    kind = payload_type.encode()
    return b"DSSEv1 %d %b %d %b" % (len(kind), kind, len(payload), payload)


def parse_envelope(
    raw: bytes, *, path: str = "", payload_type: str = PAYLOAD_TYPE, limit: int = MAX_ENVELOPE
) -> Envelope:
    """Read an envelope strictly: canonical JSON, canonical base64, no field that nobody signed.

    Raises InvalidInput with `path`.
    """
    form = from_json(_Form, parse_canonical(raw, path=path, limit=limit), path=path)
    if form.payloadType != payload_type:
        raise InvalidInput(
            f"payload type {form.payloadType[:60]!r} is not {payload_type}", path=path
        )
    for position, signature in enumerate(form.signatures):
        decode_base64(signature.sig, path=f"{path}.signatures[{position}].sig".lstrip("."))
    return Envelope(
        payload=decode_base64(form.payload, path=f"{path}.payload".lstrip(".")),
        payload_type=form.payloadType,
        signatures=form.signatures,
        raw=raw,
    )


def sign_payload(
    payload: bytes, signers: Iterable[Signer], *, payload_type: str = PAYLOAD_TYPE
) -> Envelope:
    """Wrap `payload` with one signature per signer."""
    data = pae(payload_type, payload)
    return _assemble(payload, [_signature(signer, data) for signer in signers], payload_type)


def add_signature(envelope: Envelope, other: Envelope) -> Envelope:
    """Join the signatures of two envelopes over the very same payload; the same signature is kept once."""
    if (envelope.payload_type, envelope.payload) != (other.payload_type, other.payload):
        raise InvalidInput("the two envelopes do not carry the same payload")
    seen = {s.sig: s for s in (*envelope.signatures, *other.signatures)}
    return _assemble(envelope.payload, list(seen.values()), envelope.payload_type)


def distinct_signers(envelope: Envelope, keys: Iterable[PublicKey]) -> frozenset[str]:
    """The ids of all distinct `keys` that made some signature of the envelope.

    Every signature is tried against every key, the hinted one first only because it is likely to be right.
    """
    data = pae(envelope.payload_type, envelope.payload)
    by_id = {key.key_id: key for key in keys}
    found: set[str] = set()
    for signature in envelope.signatures:
        hinted = by_id.get(signature.keyid)
        tried = [hinted] if hinted else []
        tried += [key for key in by_id.values() if key is not hinted]
        sig = decode_base64(signature.sig)
        match = next((key.key_id for key in tried if key.is_signed_by(sig, data)), None)
        if match:
            found.add(match)
    return frozenset(found)


def _signature(signer: Signer, data: bytes) -> EnvelopeSignature:
    return EnvelopeSignature(keyid=signer.public.key_id, sig=encode_base64(signer.sign(data)))


def _assemble(payload: bytes, signatures: list[EnvelopeSignature], payload_type: str) -> Envelope:
    form = _Form(
        payload=encode_base64(payload),
        payloadType=payload_type,
        signatures=tuple(sorted(signatures, key=lambda s: (s.keyid, s.sig))),
    )
    return Envelope(
        payload=payload, payload_type=payload_type, signatures=form.signatures, raw=canonical(form)
    )
