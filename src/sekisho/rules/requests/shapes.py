"""What every request shares: its kinds, the day it speaks of, parties, and facts by the names that packs give them."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import date
from fractions import Fraction
from functools import lru_cache
from typing import TYPE_CHECKING, Annotated, Literal, TypeAlias

import msgspec

from sekisho.model.countries import COUNTRY_CODES, check_jurisdiction
from sekisho.model.errors import InvalidInput
from sekisho.model.statements.shapes import Jurisdiction

__all__ = [
    "Asked",
    "AskedFact",
    "Contradiction",
    "Country",
    "Day",
    "DecimalText",
    "PartyAsked",
    "RequestKind",
    "Share",
    "check_day",
    "check_places",
    "is_above",
]

RequestKind: TypeAlias = Literal["training-run", "cluster", "transfer", "cloud-use", "access"]
if TYPE_CHECKING:
    Country: TypeAlias = str  # the codes are read from a table, which a type checker cannot do
else:
    Country = Literal[COUNTRY_CODES]
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


class Contradiction(InvalidInput, ValueError):
    """Two fields of a request cannot both be meant; also a ValueError, so that a decoder adds where it stands."""


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

    def __post_init__(self) -> None:
        if self.listed_owner_share is None and self.parent is None:
            return
        if self.listed_owner_known is False and is_above(self.listed_owner_share, 0):
            raise Contradiction(
                "a stated share is a listed owner that is known",
                path="listed_owner_known",
                remedy="correct `listed_owner_known` or `listed_owner_share`",
            )
        if self.parent is not None and self.parent == self.name:
            self._check_own_parent()

    def _check_own_parent(self) -> None:
        seats = {self.headquarters, self.parent_headquarters} - {None}
        if len(seats) > 1:
            raise Contradiction(
                "a party that is its own ultimate parent has one headquarters",
                path="parent_headquarters",
                remedy="correct `parent`, `headquarters` or `parent_headquarters`",
            )


def is_above(amount: str | None, bound: int) -> bool:
    """Whether a stated decimal is more than that; what nobody stated is not."""
    return amount is not None and Fraction(amount) > bound


def check_day(day: str | None) -> None:
    """Refuses a day that is in no calendar."""
    if day is not None and not _is_day(day):
        raise Contradiction(
            f"{day[:20]!r} is no day of the calendar", path="on", remedy="write it as 2026-02-28"
        )


@lru_cache(maxsize=4096)
def _is_day(day: str) -> bool:
    try:
        date.fromisoformat(day)
    except ValueError:
        return False
    return True


def check_places(jurisdictions: Collection[str] | None, facts: Mapping[str, AskedFact]) -> None:
    """Refuses jurisdictions, also among the facts, that name no country, no part of one and no union.

    A run that no law reaches is nowhere: an empty list is a missing fact in disguise.
    """
    if jurisdictions is not None and not jurisdictions:
        raise Contradiction(
            "names no place", path="jurisdictions", remedy="name one, or leave it out if unknown"
        )
    for number, code in enumerate(jurisdictions or ()):
        _check_place(code, f"jurisdictions[{number}]")
    for name, value in facts.items():
        if isinstance(value, tuple):
            for number, code in enumerate(value):
                _check_place(code, f"facts.{name}[{number}]")


def _check_place(code: str, path: str) -> None:
    try:
        check_jurisdiction(code)
    except InvalidInput as error:
        raise Contradiction(error.message, path=path, remedy=error.remedy) from None
