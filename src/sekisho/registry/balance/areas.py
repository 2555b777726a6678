"""Balance areas: where a component counts. An area is one or more sites, its points are docks, rows and stores."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import msgspec

from sekisho.model.custody import Standing
from sekisho.registry.terms import Place, RegisterTerms

__all__ = ["OUTSIDE", "Areas"]

OUTSIDE: Final = frozenset({"in-transit", "lost", "stolen", "destroyed", "exported"})
"""States in which a component counts in no area."""


class Areas(msgspec.Struct, frozen=True, kw_only=True):
    """What the register's terms say of areas, laid out for asking once per component.

    `area_at` and `country_at` answer by place, `places_in` by area; `country_of` names the one country in which a
    party keeps places, and leaves out parties with places in several.
    """

    area_at: Mapping[str, str]
    country_at: Mapping[str, str]
    country_in: Mapping[str, str]
    keeper_in: Mapping[str, str]
    stores: frozenset[str]
    country_of: Mapping[str, str]
    places_in: Mapping[str, tuple[str, ...]]
    points: Mapping[str, str]
    terms: RegisterTerms

    @classmethod
    def of(cls, terms: RegisterTerms) -> Areas:
        """The areas of a register. A place without an area is one by itself."""
        within: dict[str, list[Place]] = {}
        kept: dict[str, set[str]] = {}
        for place in terms.places:
            within.setdefault(place.area or place.place, []).append(place)
            if place.keeper:
                kept.setdefault(place.keeper, set()).add(place.country)
        return cls(
            area_at={place.place: place.area or place.place for place in terms.places},
            country_at={place.place: place.country for place in terms.places},
            country_in={
                area: _only({p.country for p in places}) for area, places in within.items()
            },
            keeper_in={
                area: _only({p.keeper or "" for p in places}) for area, places in within.items()
            },
            stores=frozenset(a for a, places in within.items() if all(p.storage for p in places)),
            country_of={party: _only(found) for party, found in kept.items() if len(found) == 1},
            places_in={area: tuple(p.place for p in places) for area, places in within.items()},
            points={place.place: place.point or "" for place in terms.places},
            terms=terms,
        )

    def at(self, standing: Standing | None) -> str:
        """The area in which a component counts; "" for none: unregistered, outside, or at a site nobody named."""
        if standing is None or standing.state in OUTSIDE:
            return ""
        return self.area_at.get(standing.site, standing.site)

    def country(self, standing: Standing) -> str:
        """The country of a standing's site; what the standing says where the terms do not know the site."""
        return self.country_at.get(standing.site, standing.country)


def _only(found: set[str]) -> str:
    return next(iter(found)) if len(found) == 1 else ""
