"""What is asked about letting a customer use compute: a cloud, infrastructure as a service."""

from __future__ import annotations

from typing import Literal

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
from sekisho.rules.requests.training_run import Cluster
from sekisho.rules.requests.transfer import EndUses

__all__ = ["CloudUseRequest"]


class CloudUseRequest(Asked, frozen=True, kw_only=True):
    """May this provider let that customer use these chips for that? `place` is the country where the chips stand.

    `owner_window_flop` is what the customer's beneficial owner has used over all providers in the window that a pack
    names, this request not counted; `planned_flop` what this contract adds.
    """

    kind: Literal["cloud-use"]
    id: Name
    on: Day | None = None
    provider: PartyAsked | None = None
    customer: PartyAsked | None = None
    place: Country | None = None
    jurisdictions: tuple[Jurisdiction, ...] | None = None
    cluster: Cluster | None = None
    planned_flop: FlopText | None = None
    owner_window_flop: FlopText | None = None
    end_use: EndUses | None = None
    facts: Facts = msgspec.field(default_factory=dict)

    def __post_init__(self) -> None:
        check_day(self.on)
        check_places(self.jurisdictions, self.facts)
