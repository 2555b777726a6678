"""What is asked about giving somebody access to a hosted model."""

from __future__ import annotations

from typing import Annotated, Literal, TypeAlias

import msgspec

from sekisho.model.statements.shapes import FlopText, Jurisdiction, Name
from sekisho.rules.requests.shapes import (
    Asked,
    Country,
    Day,
    Facts,
    PartyAsked,
    check_day,
    check_places,
)

__all__ = ["AccessRequest", "UserClass"]

UserClass: TypeAlias = Literal[
    "own-staff",
    "government",
    "safety-institute",
    "critical-infrastructure",
    "research",
    "enterprise",
    "public",
]


class AccessRequest(Asked, frozen=True, kw_only=True):
    """Whether this class of user may reach that model, from there."""

    kind: Literal["access"]
    id: Name
    on: Day | None = None
    model: Annotated[str, msgspec.Meta(min_length=1, max_length=200)] | None = None
    training_flop: FlopText | None = None
    provider: PartyAsked | None = None
    user: PartyAsked | None = None
    user_class: UserClass | None = None
    place: Country | None = None  # from where the user reaches the model
    weights: bool | None = None  # the weights themselves, not answers over an interface
    jurisdictions: tuple[Jurisdiction, ...] | None = None
    facts: Facts = msgspec.field(default_factory=dict)

    def __post_init__(self) -> None:
        check_day(self.on)
        check_places(self.jurisdictions, self.facts)
