"""Leases and what they rest on as files and as numbered parts of QR codes: by hand as by network. Pure.

A lease file is one JSON document with the answer that the network would have given: envelope, proof and disclosures.
A feed file holds charter, licence, order or outage items the same way. Nothing in them is believed by whoever reads.
A part is one line, `SEKISHO:1:<number>/<count>:<SHA-256 of the whole, hex>:<base32>`, all of it in the alphabet that a
QR code packs best (ISO/IEC 18004, alphanumeric mode).
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
from collections.abc import Iterable

import msgspec

from sekisho.model.errors import InvalidInput
from sekisho.model.membership import Membership
from sekisho.model.wire import (
    canonical,
    decode_base64,
    encode_base64,
    from_json,
    parse_json,
    to_plain,
)
from sekisho.ports.control import Feed, FeedItem, LeaseAnswer

__all__ = [
    "MAX_CARRIED",
    "Carried",
    "join_parts",
    "parse_carried",
    "split_parts",
    "write_feed_file",
    "write_lease_file",
]

MAX_CARRIED = 8 * 1024 * 1024
MAX_ITEMS = 10_000
MAX_PARTS = 999
PART_CHARS = 800  # of base32: a QR code of about version 20 at error correction M, which a phone reads from paper
_PART = re.compile(r"SEKISHO:1:([0-9]{1,3})/([0-9]{1,3}):([0-9A-F]{64}):([A-Z2-7]{1,4000})")


class Carried(msgspec.Struct, frozen=True, kw_only=True):
    """What a carried file holds: a lease for the request that waits, or items of the feed."""

    lease: LeaseAnswer | None = None
    feed: Feed | None = None


class _Lease(msgspec.Struct, frozen=True, kw_only=True):
    envelope: str
    proof: str
    disclosures: tuple[str, ...] = ()


class _Item(msgspec.Struct, frozen=True, kw_only=True):
    envelope: str
    proof: str | None = None
    membership: Membership | None = None
    disclosures: tuple[str, ...] = ()


class _Feed(msgspec.Struct, frozen=True, kw_only=True):
    items: tuple[_Item, ...] = ()
    checkpoint: str | None = None


# --- files -----------------------------------------------------------------------------------


def write_lease_file(answer: LeaseAnswer) -> bytes:
    """The document that carries a granted lease to its host; its disclosures are nobody else's business."""
    document = {
        "disclosures": list(answer.disclosures),
        "envelope": encode_base64(answer.envelope),
        "proof": answer.proof,
    }
    return canonical(document) + b"\n"


def write_feed_file(items: Iterable[FeedItem], checkpoint: str | None = None) -> bytes:
    """The document that carries charters, licences, orders and outages to a host that hears no feed."""
    document: dict[str, object] = {"items": [_plain(item) for item in items]}
    if checkpoint is not None:
        document["checkpoint"] = checkpoint
    return canonical(document) + b"\n"


def _plain(item: FeedItem) -> dict[str, object]:
    plain: dict[str, object] = {"envelope": encode_base64(item.envelope)}
    if item.proof is not None:
        plain["proof"] = item.proof
    if item.membership is not None:
        plain["membership"] = to_plain(item.membership)
    if item.disclosures:
        plain["disclosures"] = list(item.disclosures)
    return plain


def parse_carried(raw: bytes, *, path: str = "lease file") -> Carried:
    """A lease file, a feed file, or one envelope by itself, taken as a feed of one item without proof.

    Raises InvalidInput naming the field.
    """
    document = parse_json(raw, path=path, limit=MAX_CARRIED)
    fields = document.keys() if isinstance(document, dict) else frozenset[str]()
    if "items" in fields:
        return Carried(feed=_feed_of(from_json(_Feed, document, path=path), path))
    if "payload" in fields:
        return Carried(feed=Feed(next=0, items=(FeedItem(envelope=raw.strip()),)))
    if "envelope" in fields:
        lease = from_json(_Lease, document, path=path)
        envelope = decode_base64(lease.envelope, path=f"{path}.envelope")
        answer = LeaseAnswer(envelope=envelope, proof=lease.proof, disclosures=lease.disclosures)
        return Carried(lease=answer)
    raise InvalidInput(
        "holds neither a lease nor feed items",
        path=path,
        remedy="carry the file that `sekisho lease grant` wrote, or a feed file",
    )


def _feed_of(feed: _Feed, path: str) -> Feed:
    if len(feed.items) > MAX_ITEMS:
        raise InvalidInput(f"holds more than {MAX_ITEMS} items", path=f"{path}.items")
    items = tuple(
        FeedItem(
            envelope=decode_base64(item.envelope, path=f"{path}.items[{number}].envelope"),
            proof=item.proof,
            membership=item.membership,
            disclosures=item.disclosures,
        )
        for number, item in enumerate(feed.items)
    )
    return Feed(next=0, items=items, checkpoint=feed.checkpoint)


# --- parts -----------------------------------------------------------------------------------


def split_parts(whole: bytes, *, chars: int = PART_CHARS) -> tuple[str, ...]:
    """A file as numbered lines, each of which names the whole. Raises InvalidInput for one that is too long."""
    if not whole or len(whole) > MAX_CARRIED:
        raise InvalidInput(f"is empty or over {MAX_CARRIED} bytes", path="F")
    text = base64.b32encode(whole).decode("ascii").rstrip("=")
    pieces = [text[start : start + chars] for start in range(0, len(text), chars)]
    if len(pieces) > MAX_PARTS:
        raise InvalidInput(
            f"makes {len(pieces)} QR codes, more than {MAX_PARTS}",
            path="F",
            remedy="carry it as a file",
        )
    digest = hashlib.sha256(whole).hexdigest().upper()
    return tuple(
        f"SEKISHO:1:{number}/{len(pieces)}:{digest}:{piece}"
        for number, piece in enumerate(pieces, 1)
    )


def join_parts(lines: Iterable[tuple[str, str]]) -> bytes:
    """The file whose parts were scanned; `lines` are (where it stands, text), in any order, blank ones passed over.

    Raises InvalidInput naming a line that is no part, a part of another whole, one that differs from its like, the
    numbers that are missing, or a whole that is not the one named.
    """
    found: dict[int, str] = {}
    whole: tuple[str, str] | None = None
    for place, line in lines:
        text = line.strip()
        if not text:
            continue
        number, named, piece = _read_part(text, place)
        if whole is None:
            whole = named
        elif named != whole:
            raise InvalidInput(
                f"is a part of another file: its digest starts with {named[1][:8]}, that of the first part with "
                f"{whole[1][:8]}",
                path=place,
                remedy="scan the codes of one page only",
            )
        if found.setdefault(number, piece) != piece:
            raise InvalidInput(f"differs from another part {number}", path=place)
    if whole is None:
        raise InvalidInput("hold no part", path="PARTS", remedy="scan the codes once more")
    return _joined(found, whole)


def _read_part(text: str, place: str) -> tuple[int, tuple[str, str], str]:
    match = _PART.fullmatch(text)
    if match is None:
        raise InvalidInput(
            f"{text[:40]!r} is no part", path=place, remedy="scan this code once more"
        )
    number, count = int(match[1]), int(match[2])
    if not 1 <= number <= count:
        raise InvalidInput(f"there is no part {number} of {count}", path=place)
    return number, (match[2], match[3]), match[4]


def _joined(found: dict[int, str], whole: tuple[str, str]) -> bytes:
    count, digest = int(whole[0]), whole[1]
    missing = [number for number in range(1, count + 1) if number not in found]
    if missing:
        named = ", ".join(str(number) for number in missing[:20])
        raise InvalidInput(
            f"lack {len(missing)} of {count} parts: {named}",
            path="PARTS",
            remedy="scan these codes too",
        )
    text = "".join(found[number] for number in range(1, count + 1))
    try:
        joined = base64.b32decode(text + "=" * (-len(text) % 8))
    except binascii.Error:
        joined = b""
    if hashlib.sha256(joined).hexdigest().upper() != digest:
        raise InvalidInput(
            "do not make the file that they name: one of them was read wrongly or changed",
            path="PARTS",
            remedy="scan all codes once more",
        )
    return joined
