"""What is asked about having a cluster, whatever runs on it."""

from __future__ import annotations

from typing import Literal

import msgspec

from sekisho.model.statements.shapes import Jurisdiction, Name
from sekisho.rules.requests.shapes import Asked, Day, Facts, check_day, check_places
from sekisho.rules.requests.training_run import Cluster

__all__ = ["ClusterRequest"]


class ClusterRequest(Asked, frozen=True, kw_only=True):
    """Whether this cluster may be had, and what its owner owes."""

    kind: Literal["cluster"]
    id: Name
    on: Day | None = None
    party: Name | None = None
    jurisdictions: tuple[Jurisdiction, ...] | None = None
    cluster: Cluster
    facts: Facts = msgspec.field(default_factory=dict)

    def __post_init__(self) -> None:
        check_day(self.on)
        check_places(self.jurisdictions, self.facts)
