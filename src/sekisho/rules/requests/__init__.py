"""What the rules are asked: training runs, clusters, transfers, cloud contracts, access to models."""

from sekisho.rules.requests.access import AccessRequest, UserClass
from sekisho.rules.requests.cloud_use import CloudUseRequest
from sekisho.rules.requests.cluster import ClusterRequest
from sekisho.rules.requests.reading import (
    Request,
    parse_request,
    parse_requests,
    request_schema,
)
from sekisho.rules.requests.shapes import PartyAsked, RequestKind
from sekisho.rules.requests.sheets import parse_chip_spec, parse_chip_specs
from sekisho.rules.requests.streaming import iter_requests
from sekisho.rules.requests.training_run import (
    ChipsAsked,
    Cluster,
    DeclaredDevice,
    Origin,
    RunRequest,
)
from sekisho.rules.requests.transfer import (
    ChipSpec,
    DieSpec,
    ItemAsked,
    SoFar,
    SyntheticData,
    TransferRequest,
    WeightsAsked,
)

__all__ = [
    "AccessRequest",
    "ChipSpec",
    "ChipsAsked",
    "CloudUseRequest",
    "Cluster",
    "ClusterRequest",
    "DeclaredDevice",
    "DieSpec",
    "ItemAsked",
    "Origin",
    "PartyAsked",
    "Request",
    "RequestKind",
    "RunRequest",
    "SoFar",
    "SyntheticData",
    "TransferRequest",
    "UserClass",
    "WeightsAsked",
    "iter_requests",
    "parse_chip_spec",
    "parse_chip_specs",
    "parse_request",
    "parse_requests",
    "request_schema",
]
