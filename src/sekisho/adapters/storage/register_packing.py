"""How a register's bytes are made small: documents compressed on a preset dictionary, digests without their digits."""

from __future__ import annotations

import hashlib
import re
import zlib

from sekisho.model.errors import Corrupt, InvalidInput

__all__ = ["is_plain", "mark_of", "narrow", "pack", "plain", "unpack", "widen"]

# What EPCIS documents, endorsements and movements are made of. For ever: another text is another number in `pack`.
_WORDS = (
    b'"transformationID":"""inputEPCList":["outputEPCList":["quantityList":[{"epcClass":"","quantity":1,"uom":"EA"}]'
    b'"persistentDisposition":{"set":["completeness_verified"]}"errorDeclaration":{"declarationTime":"",'
    b'"reason":"did_not_occur""incorrect_data""correctiveEventIDs":["ni:///sha-256;?ver=CBV2.0"]'
    b'"sensorElementList":[{"sensorMetadata":{"time":"","deviceID":""},"sensorReport":[{"type":"","value":'
    b'"stock_taking""cycle_counting""decommissioning""destroying""repairing""replacing""accepting""arriving"'
    b'"departing""loading""unloading""packing""unpacking""removing""void_shipping""transporting""holding"'
    b'"in_progress""inactive""destroyed""damaged""stolen""unknown""non_conformant""no_pedigree_match""returned"'
    b'"mismatch_instance""owning_party","location","rma""desadv""recadv""inv""cert""testres""DELETE""EPCISDocument"'
    b'{"payload":"","payloadType":"application/vnd.sekisho.capture+json","signatures":[{"keyid":"","sig":""}]}'
    b'{"reference":"","state":"under-way""received""shipper":"","consignee":"","destination":"","shipped":"",'
    b'"due":"","shipment":1,"epcs":["","received":[],"lost":[],"refused":[]}'
    b'{"@context":["https://ref.gs1.org/standards/epcis/2.0.0/epcis-context.jsonld",'
    b'{"skh":"https://ns.sekisho.example/epcis/"}],"type":"TransactionEvent""TransformationEvent"'
    b'"AssociationEvent""AggregationEvent""ObjectEvent","ilmd":{"skh:model":"","skh:serial":"","skh:maker":"",'
    b'"skh:component":"package","skh:tpp":,"skh:deviceKeySha256":""},"parentID":"","childEPCs":["'
    b'"bizTransactionList":[{"type":"po","bizTransaction":"urn:sekisho:movement:"}],'
    b'"sourceList":[{"type":"possessing_party","source":"urn:sekisho:party:"}],'
    b'"destinationList":[{"type":"possessing_party","destination":"urn:sekisho:party:"}],'
    b'"epcList":["https://id.gs1.org/01//21/""https://id.gs1.org/8004/"],"eventTime":"2026-01-01T00:00:00.000Z",'
    b'"eventTimeZoneOffset":"+00:00","action":"OBSERVE""ADD","bizStep":"inspecting""commissioning""installing"'
    b'"receiving""shipping","disposition":"conformant""active""in_transit","readPoint":{"id":"urn:sekisho:place:"},'
    b'"bizLocation":{"id":"https://id.gs1.org/414/"}'
)
_STORED, _SHRUNK = b"\0", b"\1"
_SMALL = 4096
"""Below it a small window is enough, and setting up a large one would take most of the time (28 us against 7)."""

LONGEST = 256 << 20
_HASH_ID = re.compile(r"ni:///sha-256;([0-9a-f]{64})\?ver=CBV2\.0")
_DIGEST = re.compile(r"[0-9a-f]{64}")
_AS_TEXT, _AS_DIGEST, _AS_HASH_ID = 0, 1, 2


def pack(data: bytes) -> bytes:
    """A document as its column holds it: a byte that says how, then the bytes."""
    small = len(data) <= _SMALL
    window, memory = (-12, 5) if small else (-15, 8)
    shrink = zlib.compressobj(1, zlib.DEFLATED, window, memory, zlib.Z_DEFAULT_STRATEGY, _WORDS)
    shrunk = shrink.compress(data) + shrink.flush()
    return _SHRUNK + shrunk if len(shrunk) < len(data) else _STORED + data


def unpack(column: object) -> bytes:
    """The other way. Raises Corrupt, also for what would never have been stored."""
    if not isinstance(column, bytes) or column[:1] not in (_STORED, _SHRUNK):
        raise Corrupt("a document in the register's database is no document")
    if column[:1] == _STORED:
        return column[1:]
    grow = zlib.decompressobj(-15, _WORDS)
    try:
        data = grow.decompress(column[1:], LONGEST)
    except zlib.error:
        raise Corrupt("a document in the register's database does not unpack") from None
    if not grow.eof or grow.unused_data:
        raise Corrupt("a document in the register's database is cut off or too long")
    return data


def narrow(text: str) -> bytes:
    """A digest in hexadecimal or an event's hash id in 33 bytes; any other text as it is."""
    found = _HASH_ID.fullmatch(text)
    if found:
        return b"\2" + bytes.fromhex(found[1])
    if _DIGEST.fullmatch(text):
        return b"\1" + bytes.fromhex(text)
    return b"\0" + plain(text).encode()


def widen(column: object) -> str:
    """The other way. Raises Corrupt."""
    if not isinstance(column, bytes) or not column:
        raise Corrupt("a digest in the register's database is no digest")
    how, rest = column[0], column[1:]
    if how == _AS_TEXT:
        try:
            return rest.decode()
        except UnicodeDecodeError:
            raise Corrupt("a digest in the register's database is no digest") from None
    if how > _AS_HASH_ID or len(rest) != 32:
        raise Corrupt("a digest in the register's database is no digest")
    return rest.hex() if how == _AS_DIGEST else f"ni:///sha-256;{rest.hex()}?ver=CBV2.0"


def mark_of(column: bytes) -> int:
    """Eight bytes of what `narrow` wrote, or of a key, to be found by; who looks compares the whole."""
    if len(column) in (32, 33):
        return int.from_bytes(column[-32:-24], "big", signed=True)
    return int.from_bytes(hashlib.sha256(column).digest()[:8], "big", signed=True)


def plain(text: str) -> str:
    """Text that both databases store and give back as it was. Raises InvalidInput."""
    if not is_plain(text):
        raise InvalidInput(
            f"{text[:60]!r} has characters that no identifier has",
            path="text",
            remedy="take NUL and lone surrogates out of it",
        )
    return text


def is_plain(text: str) -> bool:
    """Whether both databases store a text and give it back as it was; one that is not so nobody can have stored."""
    if "\0" in text:
        return False
    if text.isascii():
        return True
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
