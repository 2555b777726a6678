"""What a register is told before its first event: whose identifiers mean what, where places are, how strict custody is.

The file is JSON; every field has a default except places. An identifier means something only where a prefix here says
so: an address on a stranger's host that merely looks like ours names nobody.
"""

from __future__ import annotations

from typing import Annotated, Literal, TypeAlias

import msgspec

from sekisho.model.statements.shapes import Count, Jurisdiction, Name, Text

__all__ = [
    "OWN_NAMESPACE",
    "CustodyTerms",
    "Namespace",
    "NamespaceOf",
    "Place",
    "RegisterTerms",
]

OWN_NAMESPACE = "https://ns.sekisho.example/epcis/"
"""The namespace of our own fields and words inside EPCIS documents."""

NamespaceOf: TypeAlias = Literal["party", "place", "licence", "movement"]


class Namespace(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What follows `prefix` is the name of a party, a place, a licence or a movement."""

    prefix: Text
    names: NamespaceOf


class Place(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A site or hall: its country, the party that keeps it, the balance area and key measurement point it lies in."""

    place: Name
    country: Jurisdiction
    keeper: Name | None = None
    area: Name | None = None
    point: Name | None = None
    network: Name | None = None


class CustodyTerms(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The rule's parameters: times in seconds; `inspector_above` is the count of chips from which one must sign."""

    notice_s: Count = 0
    approval_asked: bool = False
    inspector_above: Count | None = None
    receipt_within_s: Count = 14 * 86_400
    undo_within_s: Count = 240 * 3_600
    future_slack_s: Count = 300


_OURS = "urn:sekisho:"
_DEFAULTS = (
    Namespace(prefix=_OURS + "party:", names="party"),
    Namespace(prefix=_OURS + "place:", names="place"),
    Namespace(prefix=_OURS + "licence:", names="licence"),
    Namespace(prefix=_OURS + "movement:", names="movement"),
    Namespace(prefix="https://id.gs1.org/417/", names="party"),
    Namespace(prefix="https://id.gs1.org/414/", names="place"),
)


class RegisterTerms(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """All that a register is told."""

    namespaces: Annotated[tuple[Namespace, ...], msgspec.Meta(max_length=256)] = _DEFAULTS
    places: Annotated[tuple[Place, ...], msgspec.Meta(max_length=100_000)] = ()
    custody: CustodyTerms = CustodyTerms()

    def name_of(self, kind: NamespaceOf, uri: str) -> str | None:
        """The name that an identifier bears here; None where no prefix says what it is. The longest prefix counts."""
        found = [
            known.prefix
            for known in self.namespaces
            if known.names == kind and uri.startswith(known.prefix)
        ]
        return uri.removeprefix(max(found, key=len)) or None if found else None
