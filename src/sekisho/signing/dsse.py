"""DSSE envelopes, parsed and verified by us (https://github.com/secure-systems-lab/dsse, protocol v1).

Ours, since libraries trust `keyid` and count one key under two ids twice. Here `keyid` is a hint that is never
believed: each signature is tried against each key, and what comes back is the set of distinct keys that signed.
"""

from __future__ import annotations

import binascii
import re
from collections.abc import Callable, Iterable
from functools import lru_cache
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
    "IsSigned",
    "RestingEnvelope",
    "add_signature",
    "distinct_signers",
    "pae",
    "parse_envelope",
    "sign_payload",
    "try_signature",
]

MAX_ENVELOPE = 65_535  # entry bundles carry 16-bit lengths
MAX_SIGNATURES = 64

IsSigned = Callable[[PublicKey, bytes, bytes], bool]
"""Whether a signature over some bytes was made by a key."""


_OPEN = b'{"payload":"'
_SIGNATURE = re.compile(rb'\{"keyid":"([0-9a-f]{0,128})","sig":"([A-Za-z0-9+/=]{0,8192})"\}')


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

    def at_rest(self) -> RestingEnvelope:
        """What is kept of it once it is verified: the rest would double the memory of every entry of a log."""
        return RestingEnvelope(raw=self.raw)


class RestingEnvelope(msgspec.Struct, frozen=True, kw_only=True):
    """An envelope's own canonical bytes, to be handed on; whoever needs its parts parses it again."""

    raw: bytes


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
    if len(raw) <= limit:
        quick = _parse_quickly(raw, payload_type)
        if quick is not None:
            return quick
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


def try_signature(key: PublicKey, signature: bytes, data: bytes) -> bool:
    """Whether a signature over these bytes was made by the key."""
    return key.is_signed_by(signature, data)


def distinct_signers(
    envelope: Envelope, keys: Iterable[PublicKey], is_signed: IsSigned = try_signature
) -> frozenset[str]:
    """The ids of all distinct `keys` that made some signature of the envelope.

    Every signature is tried against every key, the hinted one first only because it is likely to be right. `is_signed`
    tries one (`supposing` notes it instead).
    """
    data = pae(envelope.payload_type, envelope.payload)
    by_id = {key.key_id: key for key in keys}
    found: set[str] = set()
    for signature in envelope.signatures:
        hinted = by_id.get(signature.keyid)
        tried = [hinted] if hinted else []
        tried += [key for key in by_id.values() if key is not hinted]
        sig = decode_base64(signature.sig)
        match = next((key.key_id for key in tried if is_signed(key, sig, data)), None)
        if match:
            found.add(match)
    return frozenset(found)


def _parse_quickly(raw: bytes, payload_type: str) -> Envelope | None:
    """An envelope as nearly all are; None where it must be read the long way, which says what is wrong.

    Canonical JSON leaves one way to write these fields where no text needs an escape: base64 and hexadecimal never
    do. So the frame is compared byte for byte, and each base64 with its own encoding.
    """
    frame, end = _frame(payload_type), raw.find(b'"', len(_OPEN))
    start = end + len(frame)
    if end < 0 or not raw.startswith(_OPEN) or raw[end:start] != frame:
        return None
    payload = _decode_exactly(raw[len(_OPEN) : end])
    signatures: list[EnvelopeSignature] = []
    while True:
        match = _SIGNATURE.match(raw, start)
        if match is None or _decode_exactly(match[2]) is None:
            return None
        signatures.append(EnvelopeSignature(keyid=match[1].decode(), sig=match[2].decode()))
        start = match.end() + 1
        if raw[match.end() : start] != b",":
            break
    if payload is None or raw[match.end() :] != b"]}" or len(signatures) > MAX_SIGNATURES:
        return None
    return Envelope(
        payload=payload, payload_type=payload_type, signatures=tuple(signatures), raw=raw
    )


def _decode_exactly(text: bytes) -> bytes | None:
    """The bytes of a canonical base64; None for any other text."""
    try:
        data = binascii.a2b_base64(text, strict_mode=True)
    except ValueError:
        return None
    return data if binascii.b2a_base64(data, newline=False) == text else None


@lru_cache(maxsize=16)
def _frame(payload_type: str) -> bytes:
    """What stands between payload and signatures; nothing fits where the type itself would need an escape."""
    plain = (
        payload_type.isascii() and payload_type.isprintable() and not {'"', "\\"} & {*payload_type}
    )
    return b'","payloadType":"%b","signatures":[' % payload_type.encode() if plain else b"\0"


def _signature(signer: Signer, data: bytes) -> EnvelopeSignature:
    return EnvelopeSignature(keyid=signer.public.key_id, sig=encode_base64(signer.sign(data)))


def _assemble(payload: bytes, signatures: list[EnvelopeSignature], payload_type: str) -> Envelope:
    form = _Form(
        payload=encode_base64(payload),
        payloadType=payload_type,
        signatures=tuple(sorted(signatures, key=lambda s: (s.keyid, s.sig))),
    )
    raw = _write_quickly(form) or canonical(form)
    return Envelope(payload=payload, payload_type=payload_type, signatures=form.signatures, raw=raw)


def _write_quickly(form: _Form) -> bytes | None:
    """The canonical bytes where no text needs an escape, as `_parse_quickly` reads them; None for the rest."""
    rows = [f'{{"keyid":"{s.keyid}","sig":"{s.sig}"}}'.encode() for s in form.signatures]
    frame = _frame(form.payloadType)
    if frame == b"\0" or not all(_SIGNATURE.fullmatch(row) for row in rows):
        return None
    return b"%b%b%b%b]}" % (_OPEN, form.payload.encode(), frame, b",".join(rows))
