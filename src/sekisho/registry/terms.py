"""What a register is told before its first event: whose identifiers mean what, where places are, how strict custody is.

The file is JSON; every field has a default except places. An identifier means something only where a prefix here says
so: an address on a stranger's host that merely looks like ours names nobody.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property, lru_cache
from typing import Annotated, Literal, TypeAlias

import msgspec

from sekisho.model.errors import InvalidInput
from sekisho.model.statements.shapes import Count, Jurisdiction, Name, Text
from sekisho.model.wire import from_json, parse_json

__all__ = [
    "OWN_NAMESPACE",
    "CustodyTerms",
    "Namespace",
    "NamespaceOf",
    "Place",
    "RegisterTerms",
    "parse_terms",
]

OWN_NAMESPACE = "https://ns.sekisho.example/epcis/"
"""The namespace of our own fields and words inside EPCIS documents."""

NamespaceOf: TypeAlias = Literal["party", "place", "licence", "movement"]


class Namespace(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What follows `prefix` is the name of a party, a place, a licence or a movement."""

    prefix: Text
    names: NamespaceOf


class Place(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A site or hall: its country, the party that keeps it, the balance area and key measurement point it lies in.

    `storage` says that what lies here is put away cold: moves to and from it are booked as such.
    """

    place: Name
    country: Jurisdiction
    keeper: Name | None = None
    area: Name | None = None
    point: Name | None = None
    network: Name | None = None
    storage: bool = False


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


class RegisterTerms(
    msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, dict=True
):
    """All that a register is told. What is looked up for each event is remembered beside the fields."""

    namespaces: Annotated[tuple[Namespace, ...], msgspec.Meta(max_length=256)] = _DEFAULTS
    places: Annotated[tuple[Place, ...], msgspec.Meta(max_length=100_000)] = ()
    custody: CustodyTerms = CustodyTerms()

    def name_of(self, kind: NamespaceOf, uri: str) -> str | None:
        """The name that an identifier bears here; None where no prefix says what it is. The longest prefix counts."""
        return self._names(kind, uri)

    def place(self, name: str) -> Place | None:
        """The place of a name; None where nobody told the register of it."""
        return self._places.get(name)

    @cached_property
    def _names(self) -> Callable[[NamespaceOf, str], str | None]:
        by_kind: dict[str, list[str]] = {}
        for known in self.namespaces:
            by_kind.setdefault(known.names, []).append(known.prefix)
        longest_first = {
            kind: sorted(prefixes, key=len, reverse=True) for kind, prefixes in by_kind.items()
        }

        @lru_cache(maxsize=_REMEMBERED)
        def find(kind: NamespaceOf, uri: str) -> str | None:
            for prefix in longest_first.get(kind, ()):
                if uri.startswith(prefix):
                    return uri[len(prefix) :] or None
            return None

        return find

    @cached_property
    def _places(self) -> dict[str, Place]:
        return {place.place: place for place in self.places}


_REMEMBERED = 16_384
"""Identifiers whose names are kept at hand: a register speaks of few, but anybody may write others."""


def parse_terms(data: bytes, path: str = "register.json") -> RegisterTerms:
    """Read what a register is told. Raises InvalidInput with the field's path, also where something is told twice."""
    terms = from_json(RegisterTerms, parse_json(data, path=path), path=path)
    seen: set[tuple[str, str]] = set()
    for at, place in enumerate(terms.places):
        _refuse_second(seen, "place", place.place, f"{path}.places[{at}].place")
    for at, known in enumerate(terms.namespaces):
        _refuse_second(seen, known.names, known.prefix, f"{path}.namespaces[{at}].prefix")
        if len(known.prefix) < _SHORTEST_PREFIX:
            raise InvalidInput(
                f"the prefix {known.prefix!r} is so short that strangers' identifiers begin with it",
                path=f"{path}.namespaces[{at}].prefix",
                remedy="write the whole beginning of your identifiers, such as urn:example:party:",
            )
    return terms


_SHORTEST_PREFIX = len("urn:x:")


def _refuse_second(seen: set[tuple[str, str]], kind: str, name: str, path: str) -> None:
    if (kind, name) in seen:
        raise InvalidInput(f"{name!r} is told twice", path=path, remedy="keep one of the two")
    seen.add((kind, name))
