"""What is asked about an export, a re-export or a transfer within a country: the item, the way it goes, the parties.

A field that is left out is a missing fact: it is never read as zero or no. Amounts are decimal strings.
"""

from __future__ import annotations

from typing import Annotated, Literal, TypeAlias

import msgspec

from sekisho.model.statements.shapes import Name
from sekisho.rules.requests.items import (
    ChipSpec,
    DieSpec,
    Form,
    ItemAsked,
    SyntheticData,
    WeightsAsked,
)
from sekisho.rules.requests.shapes import (
    Asked,
    Contradiction,
    Country,
    Day,
    DecimalText,
    Facts,
    PartyAsked,
    check_day,
    check_places,
)

__all__ = [
    "Activity",
    "ChipSpec",
    "DieSpec",
    "EndUse",
    "EndUses",
    "Form",
    "ItemAsked",
    "SoFar",
    "SyntheticData",
    "TransferRequest",
    "WeightsAsked",
]

Activity: TypeAlias = Literal["export", "reexport", "in-country"]
EndUse: TypeAlias = Literal[
    "commercial",
    "training",
    "inference",
    "research",
    "military",
    "military-intelligence",
    "wmd",
    "technical-analysis",
]
EndUses: TypeAlias = Annotated[tuple[EndUse, ...], msgspec.Meta(min_length=1, max_length=20)]


class SoFar(Asked, frozen=True, kw_only=True):
    """What has gone before, this request not counted; from a ledger of earlier transfers, or as stated.

    Sums of TPP as decimal strings: to the ultimate parent in this calendar year over all exporters, to the country
    under its allocation, to the authorised end user in total. `market_share` is aggregate shipped over the other
    market's volume, this request counted; it may be more than 1.
    """

    parent_year_tpp: DecimalText | None = None
    country_tpp: DecimalText | None = None
    end_user_tpp: DecimalText | None = None
    market_share: DecimalText | None = None


class TransferRequest(Asked, frozen=True, kw_only=True):
    """May these items go there, to them? `count` is the number of items.

    `headquarters` facts are drawn from every party that is named: consignee, intermediates, end user. Where one party
    is both, `end_user_is_consignee` says so and it is named once.
    """

    kind: Literal["transfer"]
    id: Name
    on: Day | None = None
    activity: Activity | None = None
    item: ItemAsked
    count: Annotated[int, msgspec.Meta(ge=1, le=10**9)] | None = None
    origin: Country | None = None
    destination: Country | None = None
    exporter: PartyAsked | None = None
    intermediates: Annotated[tuple[PartyAsked, ...], msgspec.Meta(max_length=20)] = ()
    consignee: PartyAsked | None = None
    end_user: PartyAsked | None = None
    end_user_is_consignee: bool | None = None
    end_use: EndUses | None = None
    so_far: SoFar | None = None
    facts: Facts = msgspec.field(default_factory=dict)

    def __post_init__(self) -> None:
        check_day(self.on)
        if self.facts:
            check_places(None, self.facts)
        if self.activity is not None and self.origin is not None and self.destination is not None:
            self._check_way()
        if self.end_user_is_consignee is not None:
            self._check_same()
        if self.consignee is not None and None not in (self.consignee.country, self.destination):
            self._check_consignee(self.consignee.country)

    def _check_way(self) -> None:
        """Within a country is from it to it; every other way crosses a border."""
        if (self.activity == "in-country") != (self.origin == self.destination):
            raise Contradiction(
                f"{self.activity} from {self.origin} to {self.destination}",
                path="activity",
                remedy="in-country is within one country, export and reexport are between two",
            )

    def _check_consignee(self, country: str | None) -> None:
        """The consignee receives the item where it goes; Hong Kong may be written as China."""
        if country != self.destination and {country, self.destination} != {"CN", "HK"}:
            raise Contradiction(
                f"the consignee is in {country}, the item goes to {self.destination}",
                path="consignee.country",
                remedy="name the country where the item arrives, and others under `intermediates`",
            )

    def _check_same(self) -> None:
        both = (self.consignee, self.end_user)
        if self.end_user_is_consignee and None not in both and both[0] != both[1]:
            raise Contradiction(
                "end user and consignee are told apart",
                path="end_user_is_consignee",
                remedy="name the party once, or say false",
            )
