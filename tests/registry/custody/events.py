"""Small events of custody, and a register in memory that takes them: for tests of what they do."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Any

from msgspec.structs import replace

from sekisho.model.custody import Movement, Standing
from sekisho.model.instants import Instant
from sekisho.registry.custody import Captured, MemoryBook, Taking, take
from sekisho.registry.epcis.event import ErrorDeclaration, Event, Typed
from sekisho.registry.terms import OWN_NAMESPACE, CustodyTerms, Place, RegisterTerms

__all__ = [
    "START",
    "TERMS",
    "Register",
    "act",
    "after",
    "at_hour",
    "chip",
    "codes",
    "commission",
    "declare",
    "event",
    "install",
    "own",
    "pack",
    "party",
    "place",
    "receive",
    "seen",
    "ship",
    "strict",
    "unpack",
]

START = Instant.parse("2026-03-01T00:00:00Z")
_PLACES = (
    Place(place="fab", country="TW", keeper="maker"),
    Place(place="hub", country="SG", keeper="dealer"),
    Place(place="hall", country="JP", keeper="cloud"),
    Place(place="annexe", country="JP", keeper="cloud"),
)
TERMS = RegisterTerms(places=_PLACES)


def strict(**custody: Any) -> RegisterTerms:
    """The same places under other parameters of the rule."""
    return RegisterTerms(places=_PLACES, custody=CustodyTerms(**custody))


def at_hour(hours: float) -> Instant:
    return START.plus(hours * 3600)


def after(instant: Instant, hours: float) -> Instant:
    return instant.plus(hours * 3600)


def chip(number: int | str) -> str:
    return f"https://chips.example/id/gpu/GPU-{number}"


def party(name: str) -> str:
    return f"urn:sekisho:party:{name}"


def place(name: str) -> str:
    return f"urn:sekisho:place:{name}"


def own(name: str) -> str:
    """A field of our namespace, as documents are read."""
    return f"{{{OWN_NAMESPACE}}}{name}"


def act(word: str) -> str:
    """An act of our own as a business step."""
    return f"{OWN_NAMESPACE}act/{word}"


def event(epcs: Sequence[str] | str, hours: float, **fields: Any) -> Event:
    """An object event at so many hours; `site` is a place, `to` and `by` are parties at its ends."""
    names = (epcs,) if isinstance(epcs, str) else tuple(epcs)
    given: dict[str, Any] = {
        "type": "ObjectEvent",
        "action": "OBSERVE",
        "zone": "+00:00",
        "raw": {},
    }
    if "site" in fields:
        given["biz_location"] = place(fields.pop("site"))
    ends = {"to": "destinations", "by": "sources"}
    for word, field in ends.items():
        if word in fields:
            given[field] = (Typed("possessing_party", party(fields.pop(word))),)
    if "bound_for" in fields:
        bound = Typed("location", place(fields.pop("bound_for")))
        given["destinations"] = (*given.get("destinations", ()), bound)
    if "movement" in fields:
        movement = Typed("desadv", f"urn:sekisho:movement:{fields.pop('movement')}")
        given["transactions"] = (*fields.pop("transactions", ()), movement)
    if "licence" in fields:
        licence = Typed("cert", f"urn:sekisho:licence:{fields.pop('licence')}")
        given["transactions"] = (*given.get("transactions", ()), licence)
    return Event(**{"at": at_hour(hours), "epcs": names, **given, **fields})


def commission(epcs: Sequence[str] | str, hours: float = 0, **fields: Any) -> Event:
    ilmd = {own("model"): "H100 SXM5", **{own(k): v for k, v in fields.pop("ilmd", {}).items()}}
    given = {"action": "ADD", "biz_step": "commissioning", "disposition": "active", "site": "fab"}
    return event(epcs, hours, **{**given, "ilmd": ilmd, **fields})


def ship(epcs: Sequence[str] | str, hours: float, to: str, **fields: Any) -> Event:
    given = {"biz_step": "shipping", "disposition": "in_transit", "to": to}
    return event(epcs, hours, **{**given, **fields})


def receive(epcs: Sequence[str] | str, hours: float, **fields: Any) -> Event:
    return event(epcs, hours, **{"biz_step": "receiving", "disposition": "in_progress", **fields})


def seen(epcs: Sequence[str] | str, hours: float, **fields: Any) -> Event:
    return event(epcs, hours, **{"biz_step": "inspecting", **fields})


def _containing(
    kind: str, action: str, parent: str, children: Sequence[str] | str, hours: float, fields: Any
) -> Event:
    names = (children,) if isinstance(children, str) else tuple(children)
    given = {"type": kind, "action": action, "parent": parent, "children": names}
    return event((), hours, **{**given, **fields})


def install(parent: str, children: Sequence[str] | str, hours: float, **fields: Any) -> Event:
    return _containing("AssociationEvent", "ADD", parent, children, hours, fields)


def pack(parent: str, children: Sequence[str] | str, hours: float, **fields: Any) -> Event:
    return _containing("AggregationEvent", "ADD", parent, children, hours, fields)


def unpack(parent: str, children: Sequence[str] | str, hours: float, **fields: Any) -> Event:
    """Out of a container of either kind; no children: all of them."""
    kind = fields.pop("type", "AggregationEvent")
    return _containing(kind, "DELETE", parent, children, hours, fields)


def declare(wrong: Event, reason: str = "did_not_occur", hours: float = 0) -> Event:
    """The event again, as an error declaration."""
    return replace(wrong, error=ErrorDeclaration(at=at_hour(hours), reason=reason))


def hash_of(told: Event) -> str:
    """Stands in for the CBV hash id: the same for an event and for the declaration that repeats it."""
    bare = replace(told, error=None, event_id="")
    return f"ni:///sha-256;{hashlib.sha256(repr(bare).encode()).hexdigest()}?ver=CBV2.0"


class Register:
    """A register in memory. Each event is received an hour after it happened, unless a test says when."""

    def __init__(self, terms: RegisterTerms = TERMS) -> None:
        self.terms = terms
        self.book = MemoryBook()
        self.captured: dict[int, Captured] = {}
        self.takings: list[Taking] = []
        self.effects: list[int] = []

    def capture(
        self,
        told: Event,
        *parties: str,
        powers: Sequence[str] = (),
        received: Instant | None = None,
    ) -> Captured:
        number = len(self.captured) + 1
        key = hashlib.sha256(f"{hash_of(told)}{told.error}".encode()).digest()
        self.captured[number] = Captured(
            number=number,
            event=told,
            hash_id=hash_of(told),
            key=key,
            parties=frozenset(parties),
            powers=frozenset(powers),
            received=received or after(told.error.at if told.error else told.at, 1),
        )
        return self.captured[number]

    def take(
        self,
        told: Event,
        *parties: str,
        powers: Sequence[str] = (),
        received: Instant | None = None,
    ) -> Taking:
        """What the event itself did; what it released is in `takings` and in the book as well."""
        return self.take_captured(self.capture(told, *parties, powers=powers, received=received))

    def take_captured(self, captured: Captured) -> Taking:
        takings = take(self.book, captured, self.terms)
        for taking in takings:
            self.book.apply(taking, self.captured[taking.number])
            if taking.outcome == "taken":
                self.effects.append(taking.number)
        self.takings += takings
        return takings[0]

    def standing(self, epc: str) -> Standing:
        standing = self.book.standing(epc)
        assert standing is not None
        return standing

    def movement(self, epc: str) -> Movement:
        """The movement that a chip is in."""
        movement = self.book.movement(self.standing(epc).movement)
        assert movement is not None
        return movement

    def history(self, epc: str) -> list[Captured]:
        """Every event that ever took effect on it, voided ones included."""
        touched = {
            taking.number
            for taking in self.takings
            if taking.outcome == "taken" and any(touch.epc == epc for touch in taking.touches)
        }
        return [self.captured[number] for number in self.effects if number in touched]


def codes(taking: Taking) -> list[str]:
    return [alert.code for alert in taking.alerts]
