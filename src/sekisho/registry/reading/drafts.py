"""EPCIS events out of a firm's tables, in draft: nothing counts before the party signs and sends them.

A packing list becomes a shipment of the shipper's or a receipt of the consignee's, an asset register a stock-taking.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from typing import Final, Literal, TypeAlias

import msgspec

from sekisho.model.errors import InvalidInput
from sekisho.model.instants import Instant
from sekisho.registry.epcis import Event, Typed, write_document
from sekisho.registry.reading.declared import DeclaredItem, serial_key
from sekisho.registry.terms import NamespaceOf, RegisterTerms

__all__ = ["Draft", "DraftKind", "Unnamed", "draft_document", "uri_of"]

DraftKind: TypeAlias = Literal["shipping", "receiving", "stock_taking"]
MOST_EPCS: Final = 50_000
_DELIVERY: Final = "urn:sekisho:delivery:"


class Unnamed(msgspec.Struct, frozen=True, kw_only=True):
    """A line that no event can name: the register knows no EPC of it."""

    line: int
    error: str


class Draft(msgspec.Struct, frozen=True, kw_only=True):
    """A document to look at, sign and send; how many events and items it has; lines that are not in it."""

    document: bytes
    events: int
    items: int
    left_out: tuple[Unnamed, ...]


class _Group(msgspec.Struct, frozen=True, kw_only=True):
    """What the items of one event have in common."""

    site: str = ""
    shipper: str = ""
    consignee: str = ""
    reference: str = ""
    at: Instant


def draft_document(
    items: Iterable[DeclaredItem],
    kind: DraftKind,
    *,
    epcs: Mapping[str, str],
    terms: RegisterTerms,
    now: Instant,
    zone: str = "+00:00",
) -> Draft:
    """A document of one event for each shipment, or for each site. `epcs` are the register's, by `serial_key`.

    An event's time is the line's date, else `now`. Raises InvalidInput where no line has an EPC.
    """
    groups: dict[_Group, list[str]] = {}
    left_out: list[Unnamed] = []
    for item in items:
        epc = item.epc or epcs.get(serial_key(item.serial), "")
        if epc:
            groups.setdefault(_group_of(item, kind, now), []).append(epc)
        else:
            why = f"{item.serial or item.model!r} has no EPC in the register: commission it first"
            left_out.append(Unnamed(line=item.line, error=why))
    if not groups:
        raise InvalidInput(
            "no line names a registered item", remedy="commission them first, or write their EPCs"
        )
    events = [
        _event(group, part, kind, terms, zone)
        for group, named in groups.items()
        for part in _parts(list(dict.fromkeys(named)))
    ]
    return Draft(
        document=write_document(events, created=str(now)),
        events=len(events),
        items=sum(len(event.epcs) for event in events),
        left_out=tuple(left_out),
    )


def uri_of(terms: RegisterTerms, kind: NamespaceOf, name: str) -> str:
    """The identifier of a party or place: by the first prefix that the register is told for such names."""
    return next(known.prefix for known in terms.namespaces if known.names == kind) + name


def _group_of(item: DeclaredItem, kind: DraftKind, now: Instant) -> _Group:
    at = item.date or now
    if kind == "stock_taking":
        return _Group(site=item.site, at=now)
    return _Group(
        site=item.site,
        shipper=item.shipper,
        consignee=item.consignee,
        reference=item.reference,
        at=at,
    )


def _parts(epcs: list[str]) -> Iterator[tuple[str, ...]]:
    for start in range(0, len(epcs), MOST_EPCS):
        yield tuple(epcs[start : start + MOST_EPCS])


def _event(
    group: _Group, epcs: tuple[str, ...], kind: DraftKind, terms: RegisterTerms, zone: str
) -> Event:
    place = uri_of(terms, "place", group.site) if group.site else ""
    shipper = uri_of(terms, "party", group.shipper) if group.shipper else ""
    consignee = uri_of(terms, "party", group.consignee) if group.consignee else ""
    delivery = f"{_DELIVERY}{_opaque(group.reference)}" if group.reference else ""
    is_moved = kind != "stock_taking"
    return Event(
        type="ObjectEvent",
        at=group.at,
        zone=zone,
        action="OBSERVE",
        epcs=epcs,
        biz_step=kind,
        disposition="in_transit" if kind == "shipping" else "in_progress" if is_moved else "",
        read_point=place,
        biz_location="" if kind == "shipping" else place,
        transactions=(Typed("desadv", delivery),) if delivery and is_moved else (),
        sources=(Typed("possessing_party", shipper),) if shipper and is_moved else (),
        destinations=(Typed("possessing_party", consignee),) if consignee and is_moved else (),
        raw={},
    )


def _opaque(reference: str) -> str:
    """A delivery's number as part of an identifier: as it is where it may stand there, else its digest."""
    if reference.isascii() and reference.replace("-", "").replace(".", "").isalnum():
        return reference
    return hashlib.sha256(reference.encode()).hexdigest()[:32]
