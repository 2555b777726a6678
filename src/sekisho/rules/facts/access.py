"""The quantities of a cloud contract and of access to a hosted model."""

from __future__ import annotations

from sekisho.model.chips import ChipTable
from sekisho.rules.facts.clusters import cluster_facts
from sekisho.rules.facts.parties import one_party, provider_headquarters
from sekisho.rules.facts.places import place, stated_places
from sekisho.rules.facts.shapes import Fact, given_flop, plus
from sekisho.rules.facts.words import flag, word, words
from sekisho.rules.requests.access import AccessRequest
from sekisho.rules.requests.cloud_use import CloudUseRequest

__all__ = ["access_facts", "cloud_facts"]


def cloud_facts(request: CloudUseRequest, chips: ChipTable) -> dict[str, Fact]:
    """What a cloud contract tells."""
    planned = given_flop(request.planned_flop, "planned_flop")
    return {
        "run_flop": planned,
        "owner_window_flop": plus(
            given_flop(request.owner_window_flop, "owner_window_flop"), planned
        ),
        **cluster_facts(request.cluster, chips),
        "jurisdictions": stated_places(request.jurisdictions, "jurisdictions"),
        **one_party("customer", request.customer),
        "exporter_headquarters": provider_headquarters("provider", request.provider),
        "end_use": words(request.end_use, "end_use"),
        "place": place(request.place, "place"),
    }


def access_facts(request: AccessRequest) -> dict[str, Fact]:
    """What an access request tells."""
    receiving = one_party("user", request.user)
    return {
        "training_flop": given_flop(request.training_flop, "training_flop"),
        "jurisdictions": stated_places(request.jurisdictions, "jurisdictions"),
        "headquarters": receiving["headquarters"],
        "party_countries": receiving["party_countries"],
        "listed_party": receiving["listed_party"],
        "exporter_headquarters": provider_headquarters("provider", request.provider),
        "model": word(request.model, "model"),
        "user_class": word(request.user_class, "user_class"),
        "place": place(request.place, "place"),
        "weights_given": flag(request.weights, "weights"),
    }
