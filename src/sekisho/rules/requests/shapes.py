"""What every request shares: its kinds, the day it speaks of, parties, and facts by the names that packs give them."""

from __future__ import annotations

from typing import Annotated, Literal, TypeAlias

import msgspec

from sekisho.model.statements.shapes import Jurisdiction

__all__ = [
    "Asked",
    "AskedFact",
    "Country",
    "Day",
    "DecimalText",
    "PartyAsked",
    "RequestKind",
    "Share",
]

RequestKind: TypeAlias = Literal["training-run", "cluster", "transfer", "cloud-use", "access"]
Country: TypeAlias = Annotated[str, msgspec.Meta(pattern=r"^[A-Z]{2}(?!\n)$")]
Day: TypeAlias = Annotated[str, msgspec.Meta(pattern=r"^[0-9]{4}-[0-9]{2}-[0-9]{2}(?!\n)$")]
DecimalText: TypeAlias = Annotated[
    str, msgspec.Meta(pattern=r"^(0|[1-9][0-9]{0,37})(\.[0-9]{1,6})?(?!\n)$")
]
Share: TypeAlias = Annotated[str, msgspec.Meta(pattern=r"^(0(\.[0-9]{1,6})?|1(\.0{1,6})?)(?!\n)$")]
_Word: TypeAlias = Annotated[str, msgspec.Meta(min_length=1, max_length=100)]
# A flag, an amount as a decimal string, a word, or jurisdictions: what it has to be, the pack that asks says.
AskedFact: TypeAlias = (
    bool | _Word | Annotated[tuple[Jurisdiction, ...], msgspec.Meta(max_length=300)]
)
FactName: TypeAlias = Annotated[str, msgspec.Meta(pattern=r"^[a-z0-9][a-z0-9.-]{0,63}(?!\n)$")]
Facts: TypeAlias = Annotated[dict[FactName, AskedFact], msgspec.Meta(max_length=100)]


class Asked(
    msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True
):
    """A part of a request; a field that we do not know is refused, since it may be a misspelt fact."""


class PartyAsked(Asked, frozen=True, kw_only=True):
    """One party to a transfer or a cloud contract. A field that is left out is a missing fact.

    `headquarters` is where the party itself, `parent_headquarters` where its ultimate parent has its headquarters;
    `parent` names that ultimate parent. `listed_owner_share` is the sum of what listed parties own of it, directly
    or indirectly; `listed_owner_known` says that a listed owner is known whatever its share.
    """

    name: Annotated[str, msgspec.Meta(min_length=1, max_length=200)] | None = None
    country: Country | None = None
    headquarters: Country | None = None
    parent: Annotated[str, msgspec.Meta(min_length=1, max_length=200)] | None = None
    parent_headquarters: Country | None = None
    listed: bool | None = None
    listed_owner_known: bool | None = None
    listed_owner_share: Share | None = None
    authorisation: Literal["none", "universal", "national", "general"] | None = None
