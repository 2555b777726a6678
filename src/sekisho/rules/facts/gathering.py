"""From a request to the quantities that rules ask about: one reader for each kind of request."""

from __future__ import annotations

from collections.abc import Mapping

from sekisho.model.chips import ChipTable
from sekisho.rules.facts.access import access_facts, cloud_facts
from sekisho.rules.facts.clusters import cluster_facts
from sekisho.rules.facts.places import stated_places
from sekisho.rules.facts.shapes import Fact
from sekisho.rules.facts.training import run_facts
from sekisho.rules.facts.transfers import transfer_facts
from sekisho.rules.requests import (
    AccessRequest,
    ClusterRequest,
    Request,
    RunRequest,
    TransferRequest,
)

__all__ = ["facts_of"]


def facts_of(request: Request, chips: ChipTable) -> Mapping[str, Fact]:
    """Every quantity of `quantities.py` that requests of this kind tell, as far as this one tells it.

    What depends on a chip, a country or a word alone is the same fact object again for every request.
    """
    if isinstance(request, TransferRequest):
        return transfer_facts(request, chips)
    if isinstance(request, RunRequest):
        return run_facts(request, chips)
    if isinstance(request, ClusterRequest):
        return {
            "jurisdictions": stated_places(request.jurisdictions, "jurisdictions"),
            **cluster_facts(request.cluster, chips),
        }
    if isinstance(request, AccessRequest):
        return access_facts(request)
    return cloud_facts(request, chips)
