"""What one captured event says about custody, its identifiers turned into the names that this register knows."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from typing import Any, Literal, TypeAlias

import msgspec

from sekisho.model.instants import Instant
from sekisho.registry.custody.acts import CONTAINMENT, WITHOUT_EFFECT, Act, act_of
from sekisho.registry.custody.book import Captured
from sekisho.registry.custody.reference import derive_reference
from sekisho.registry.epcis.event import Event, Typed
from sekisho.registry.terms import OWN_NAMESPACE, RegisterTerms

__all__ = ["Facts", "Reading", "Role", "may_change", "own_field", "puts_in"]

Role: TypeAlias = Literal["subject", "inside", "container", "content", "input", "output", "kept"]
"""What a chip is in an event: what it acts on, what is inside that; or what contents go into or out of, and those."""


class Facts(msgspec.Struct, frozen=True, kw_only=True, dict=True):
    """A captured event read once; what few events need is worked out when it is asked for.

    `act` is what the event says, `effect` what it may do here: an unsigned one only observes.
    """

    captured: Captured
    event: Event
    terms: RegisterTerms
    number: int
    at: Instant
    act: Act
    effect: Act
    parties: frozenset[str]
    site: str
    country: str

    @cached_property
    def named(self) -> frozenset[str]:
        """Every EPC that the event names."""
        event = self.event
        return frozenset(
            (*event.epcs, *event.children, *event.inputs, *event.outputs, event.parent)
        )

    @cached_property
    def children(self) -> frozenset[str]:
        return frozenset(self.event.children)

    @cached_property
    def inputs(self) -> frozenset[str]:
        return frozenset(self.event.inputs)

    @cached_property
    def outputs(self) -> frozenset[str]:
        return frozenset(self.event.outputs)

    @cached_property
    def senders(self) -> tuple[str, ...]:
        """Parties that the event names as possessing the goods at the source; "" for one that nobody here is."""
        return tuple(self._parties(self.event.sources, "possessing_party"))

    @cached_property
    def receivers(self) -> tuple[str, ...]:
        """The consignee first: parties possessing at the destination, else the owning one."""
        possessing = tuple(self._parties(self.event.destinations, "possessing_party"))
        return possessing or tuple(self._parties(self.event.destinations, "owning_party"))

    @cached_property
    def owner(self) -> str:
        """Who owns it afterwards, where the event says so."""
        return next(iter(self._parties(self.event.destinations, "owning_party")), "")

    @cached_property
    def destination(self) -> str:
        """The place that a shipment goes to."""
        for place in self.event.destinations:
            if place.type == "location":
                return self.terms.name_of("place", place.id) or ""
        return ""

    @cached_property
    def licence(self) -> str:
        """The licence among the event's certificates."""
        for transaction in self.event.transactions:
            if transaction.type == "cert":
                name = self.terms.name_of("licence", transaction.id)
                if name:
                    return name
        return ""

    @cached_property
    def approved(self) -> bool:
        return any(transaction.type == "cert" for transaction in self.event.transactions)

    @cached_property
    def stated_reference(self) -> str:
        """The movement that the event names; "" where it names none."""
        for transaction in self.event.transactions:
            name = self.terms.name_of("movement", transaction.id)
            if name:
                return name
        for field in ("movement", "notice"):
            value = own_field(self.event, field)
            if isinstance(value, str) and value:
                return self.terms.name_of("movement", value) or value
        return ""

    @cached_property
    def reference(self) -> str:
        """The movement reference of a shipment: the one named, else derived from the event's hash id."""
        return self.stated_reference or derive_reference(
            self.captured.hash_id, self.at, self.country
        )

    def carrier(self, shipper: str, consignee: str) -> str:
        """Who only carries: named as such, or as possessing party without being either side."""
        for transaction in self.event.transactions:
            if transaction.type == OWN_NAMESPACE + "carrier":
                return self.terms.name_of("party", transaction.id) or ""
        stated = own_field(self.event, "carrier")
        if isinstance(stated, str) and stated:
            return self.terms.name_of("party", stated) or ""
        others = (*self.senders, *self._parties(self.event.destinations, "possessing_party"))
        return next((name for name in others if name and name not in {shipper, consignee}), "")

    def role_of(self, epc: str, parent: str) -> Role:
        """What a chip that the event touches is in it; `parent` is what the chip lies in at that time."""
        event = self.event
        if self.effect in CONTAINMENT:
            if epc == event.parent:
                return "container"
            whole = not event.children and event.action == "DELETE" and parent == event.parent
            return "content" if whole or epc in self.children else "inside"
        if self.effect == "rework":
            if epc in self.outputs:
                return "kept" if epc in self.inputs else "output"
            return "input" if epc in self.inputs else "inside"
        return "subject" if epc in self.named else "inside"

    def _parties(self, ends: tuple[Typed, ...], kind: str) -> Iterator[str]:
        for end in ends:
            if end.type == kind:
                yield self.terms.name_of("party", end.id) or ""


class Reading:
    """Reads captured events for one decision, each once."""

    def __init__(self, terms: RegisterTerms) -> None:
        self.terms = terms
        self._read: dict[int, Facts] = {}

    def facts(self, captured: Captured) -> Facts:
        known = self._read.get(captured.number)
        if known is None or known.captured is not captured:
            known = self._read[captured.number] = _read(captured, self.terms)
        return known


def _read(captured: Captured, terms: RegisterTerms) -> Facts:
    event = captured.event
    act = act_of(event)
    signed = bool(captured.parties or captured.powers)
    uri = event.biz_location or event.read_point
    site = (terms.name_of("place", uri) or "") if uri else ""
    place = terms.place(site) if site else None
    return Facts(
        captured=captured,
        event=event,
        terms=terms,
        number=captured.number,
        at=event.at,
        act=act,
        effect=act if signed or act in WITHOUT_EFFECT else "observe",
        parties=captured.parties,
        site=site,
        country=place.country if place is not None else "",
    )


def may_change(captured: Captured) -> bool:
    """Whether an event can change anything at all: somebody endorsed it, and it is more than an observation.

    What cannot is in no chip's history: else whoever can send documents could make every later look back at it slow.
    """
    is_signed = captured.parties or captured.powers
    return bool(is_signed) and act_of(captured.event) not in WITHOUT_EFFECT


def puts_in(captured: Captured) -> bool:
    """Whether an event puts its children into its parent. Others that name both only saw them there."""
    return captured.event.action == "ADD" and act_of(captured.event) in CONTAINMENT


def own_field(event: Event, name: str) -> Any:
    """A field of our namespace in the event's ilmd, else among its extensions; None where it has none."""
    if not event.ilmd and not event.extensions:
        return None
    key = f"{{{OWN_NAMESPACE}}}{name}"
    value = event.ilmd.get(key)
    return event.extensions.get(key) if value is None else value
