"""A chip's life for tests of passports: documents as a register keeps them, in batches as a log commits to them."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from typing import Any

import msgspec

from sekisho.model.instants import Instant
from sekisho.ports.register_store import EventRow
from sekisho.registry.commitments import batch_path, batch_root, commitment
from sekisho.registry.epcis import event_document, event_key, hash_id, parse_document
from sekisho.registry.epcis.event import Event
from sekisho.registry.passport import Asked, Passport, Ties, build_passport
from sekisho.registry.passport_line import Committed, LineProof, LogSeen
from sekisho.registry.terms import OWN_NAMESPACE, Place, RegisterTerms

__all__ = [
    "CHIP",
    "DAY",
    "LOG",
    "OTHER",
    "SERVER",
    "START",
    "TERMS",
    "Life",
    "at",
    "commissioned",
    "declared",
    "installed",
    "parsed",
    "party",
    "place",
    "received",
    "removed",
    "shipped",
    "told",
]

DAY = 86_400
START = Instant.parse("2026-01-05T00:00:00Z")
LOG = "log.example/passports"
CHIP = "https://chips.example/id/gpu/GPU-0001"
OTHER = "https://chips.example/id/gpu/GPU-0002"
SERVER = "https://chips.example/id/server/SRV-1"
TERMS = RegisterTerms(
    places=(
        Place(place="fab-1", country="TW", keeper="fab"),
        Place(place="hall-x", country="JP", keeper="cloud-x", network="campus"),
        Place(place="nowhere", country="DE"),
    )
)
_CONTEXT = [
    "https://ref.gs1.org/standards/epcis/2.0.0/epcis-context.jsonld",
    {"skh": OWN_NAMESPACE},
]


def at(day: float) -> Instant:
    return START.plus(day * DAY)


def party(name: str) -> str:
    return f"urn:sekisho:party:{name}"


def place(name: str) -> dict[str, str]:
    return {"id": f"urn:sekisho:place:{name}"}


def told(day: float, kind: str, **fields: Any) -> dict[str, Any]:
    return {
        "@context": _CONTEXT,
        "type": kind,
        "eventTime": str(at(day)),
        "eventTimeZoneOffset": "+00:00",
        **fields,
    }


def commissioned(day: float, *epcs: str, model: str = "H100 SXM5", **ilmd: Any) -> dict[str, Any]:
    return told(
        day,
        "ObjectEvent",
        action="ADD",
        bizStep="commissioning",
        disposition="active",
        epcList=list(epcs) or [CHIP],
        readPoint=place("fab-1"),
        bizLocation=place("fab-1"),
        ilmd={"skh:model": model, "skh:maker": "fab", **ilmd},
    )


def shipped(day: float, *epcs: str, to: str = "cloud-x", **fields: Any) -> dict[str, Any]:
    return told(
        day,
        "ObjectEvent",
        action="OBSERVE",
        bizStep="shipping",
        disposition="in_transit",
        epcList=list(epcs) or [CHIP],
        readPoint=place("fab-1"),
        sourceList=[{"type": "possessing_party", "source": party("fab")}],
        destinationList=[
            {"type": "possessing_party", "destination": party(to)},
            {"type": "location", "destination": "urn:sekisho:place:hall-x"},
        ],
        **fields,
    )


def received(day: float, *epcs: str, **fields: Any) -> dict[str, Any]:
    return told(
        day,
        "ObjectEvent",
        action="OBSERVE",
        bizStep="receiving",
        disposition="in_progress",
        epcList=list(epcs) or [CHIP],
        readPoint=place("hall-x"),
        bizLocation=place("hall-x"),
        **fields,
    )


def installed(day: float, *epcs: str, parent: str = SERVER) -> dict[str, Any]:
    return told(
        day,
        "AssociationEvent",
        action="ADD",
        bizStep="installing",
        parentID=parent,
        childEPCs=list(epcs) or [CHIP],
        readPoint=place("hall-x"),
        bizLocation=place("hall-x"),
    )


def removed(day: float, *epcs: str, parent: str = SERVER) -> dict[str, Any]:
    return {**installed(day, *epcs, parent=parent), "action": "DELETE", "bizStep": "removing"}


def declared(event: dict[str, Any], day: float, reason: str = "did_not_occur") -> dict[str, Any]:
    """The declaration that an event was an error: the same event, with what is wrong with it."""
    return {**event, "errorDeclaration": {"declarationTime": str(at(day)), "reason": reason}}


def parsed(event: dict[str, Any]) -> Event:
    document = parse_document(json.dumps(event).encode())
    if document.problems:
        raise AssertionError(document.problems)
    return document.events[0]


class Life:
    """Captured events of one chip with their batches, as a register and its log would hold them."""

    def __init__(self, epc: str = CHIP) -> None:
        self.epc = epc
        self.timeline: list[tuple[EventRow, tuple[str, ...]]] = []
        self.batches: dict[int, list[tuple[bytes, str, str]]] = {}
        self.unlogged: set[int] = set()

    def add(
        self,
        event: dict[str, Any],
        *parties: str,
        roles: Sequence[str] = ("epc",),
        batch: int | None = None,
        **fields: Any,
    ) -> EventRow:
        """One more event, with two strangers before it in its batch unless the batch stands already."""
        number = len(self.timeline) + 1
        number_of_batch = batch or number
        members = self.batches.setdefault(
            number_of_batch, [(_salt(f"{number} {n}"), f"ni:///{n}", "job") for n in range(2)]
        )
        row = self._row(event, number, number_of_batch, len(members), parties, fields)
        members.append((row.salt, row.hash_id, row.capture))
        self.timeline.append((row, tuple(roles)))
        self.timeline.sort(key=lambda item: (item[0].at, item[0].effect or 2**63, item[0].number))
        return row

    def void(self, row: EventRow, declaration: EventRow) -> None:
        """The register took the declaration: the event is voided by it."""
        self.timeline = [
            (
                msgspec.structs.replace(other, voided_by=declaration.number)
                if other.number == row.number
                else other,
                roles,
            )
            for other, roles in self.timeline
        ]

    def ties(self) -> Ties:
        proofs: dict[int, LineProof] = {}
        committed: dict[str, Committed] = {}
        for row, _ in self.timeline:
            members = self.batches[row.batch]
            made = [commitment(*member) for member in members]
            leaf = (
                "" if row.batch in self.unlogged else hashlib.sha256(bytes([row.batch])).hexdigest()
            )
            proofs[row.number] = LineProof(
                batch=row.batch,
                place=row.place,
                events=len(members),
                salt=row.salt.hex(),
                hash_id=row.hash_id,
                capture=row.capture,
                commitment=made[row.place].hex(),
                path=tuple(item.hex() for item in batch_path(made, row.place)),
                root=batch_root(made).hex(),
                entry=None if row.batch in self.unlogged else 10 + row.batch,
                leaf=leaf,
            )
            if leaf:
                committed[leaf] = Committed(
                    leaf=leaf,
                    entry=10 + row.batch,
                    batch=row.batch,
                    events=len(members),
                    root=batch_root(made).hex(),
                )
        return Ties(proofs=proofs, seen=LogSeen(committed=committed))

    def passport(self, *, day: float = 30, proven: bool = True, **asked: Any) -> Passport:
        return build_passport(
            Asked(epc=self.epc, log=LOG, issued=at(day), **asked),
            self.timeline,
            TERMS,
            ties=self.ties() if proven else None,
        )

    def _row(
        self,
        event: dict[str, Any],
        number: int,
        batch: int,
        place_in: int,
        parties: tuple[str, ...],
        fields: dict[str, Any],
    ) -> EventRow:
        read = parsed(event)
        given: dict[str, Any] = {
            "number": number,
            "key": event_key(read),
            "hash_id": hash_id(read),
            "at": read.at,
            "type": read.type,
            "action": read.action or "",
            "biz_step": read.biz_step,
            "disposition": read.disposition,
            "read_point": read.read_point,
            "biz_location": read.biz_location,
            "capture": "c",
            "batch": batch,
            "place": place_in,
            "received": read.at.plus(60),
            "parties": parties,
            "outcome": "taken",
            "effect": number,
            "salt": _salt(f"salt {number}"),
            "document": event_document(read),
            "known": read.at.plus(120),
        }
        return EventRow(**given | fields)


def _salt(word: str) -> bytes:
    return hashlib.sha256(word.encode()).digest()[:16]
