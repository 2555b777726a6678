"""Under what a request is counted: its kind, the country, the owner and the chip that it names.

One name each, so that every table sums to the population. A name that nobody told is counted as not told.
"""

from __future__ import annotations

from typing import Final

import msgspec

from sekisho.rules.requests import (
    AccessRequest,
    CloudUseRequest,
    Cluster,
    ClusterRequest,
    PartyAsked,
    Request,
    RequestKind,
    RunRequest,
    TransferRequest,
)

__all__ = ["NOT_TOLD", "Subject", "subject_of"]

NOT_TOLD: Final = ""
"""A name that the request leaves out: a category of its own, shown as "not told"."""


class Subject(msgspec.Struct, frozen=True, gc=False):
    """What one request is counted under.

    `country` is the destination of a transfer, the place of a cloud contract or an access, the jurisdictions of a
    run or a cluster joined by "+". `owner` is the ultimate parent of consignee or end user, else that party; of a run
    or a cluster the party that asks. `chip` is the name as it was written; several are joined by "+".
    """

    kind: RequestKind
    country: str
    owner: str
    chip: str


def subject_of(request: Request) -> Subject:
    """The names that one request is counted under."""
    if isinstance(request, TransferRequest):
        owner = _owner(request.consignee, request.end_user)
        return Subject("transfer", request.destination or NOT_TOLD, owner, _item(request))
    if isinstance(request, CloudUseRequest):
        place = request.place or NOT_TOLD
        return Subject("cloud-use", place, _owner(request.customer), _chips(request.cluster))
    if isinstance(request, AccessRequest):
        return Subject("access", request.place or NOT_TOLD, _owner(request.user), NOT_TOLD)
    return _run_or_cluster(request)


def _run_or_cluster(request: RunRequest | ClusterRequest) -> Subject:
    places = request.jurisdictions
    country = NOT_TOLD if not places else places[0] if len(places) == 1 else _joined(places)
    party = request.party or NOT_TOLD
    return Subject(request.kind, country, party, _chips(request.cluster))


def _owner(*parties: PartyAsked | None) -> str:
    """The ultimate parent of the first party that names one, else the first party with a name."""
    for party in parties:
        if party is not None and party.parent is not None:
            return party.parent
    for party in parties:
        if party is not None and party.name is not None:
            return party.name
    return NOT_TOLD


def _item(request: TransferRequest) -> str:
    item = request.item
    if item.chip is not None:
        return item.chip
    return item.spec.name if item.spec is not None else NOT_TOLD


def _chips(cluster: Cluster | None) -> str:
    if cluster is None:
        return NOT_TOLD
    if len(cluster.chips) == 1:
        return cluster.chips[0].chip
    return _joined(tuple(asked.chip for asked in cluster.chips))


def _joined(names: tuple[str, ...]) -> str:
    """Several names as one, in order and bounded: `EU+US`, `A100+H100+3 more`."""
    told = sorted(set(names))
    more = [f"{len(told) - 4} more"] if len(told) > 4 else []
    return "+".join([*told[:4], *more])
