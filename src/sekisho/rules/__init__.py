"""Rules: dated packs as data, decided exactly, every answer with its reasons."""

from sekisho.rules.answer import (
    AppliedException,
    AppliedReview,
    AppliedRule,
    Decision,
    DecisionWord,
    RuleTrace,
    SideBySide,
)
from sekisho.rules.decision import decide
from sekisho.rules.declared import request_from_run
from sekisho.rules.library import DEFAULT_PACK, load_pack, pack_bytes, pack_names
from sekisho.rules.pack import Pack, Parameter, Rule, RuleSource
from sekisho.rules.pack_reader import parse_pack
from sekisho.rules.requests import (
    AccessRequest,
    ChipsAsked,
    ChipSpec,
    CloudUseRequest,
    Cluster,
    ClusterRequest,
    DeclaredDevice,
    ItemAsked,
    Origin,
    PartyAsked,
    Request,
    RequestKind,
    RunRequest,
    TransferRequest,
    parse_request,
    parse_requests,
    request_schema,
)

__all__ = [
    "DEFAULT_PACK",
    "AccessRequest",
    "AppliedException",
    "AppliedReview",
    "AppliedRule",
    "ChipSpec",
    "ChipsAsked",
    "CloudUseRequest",
    "Cluster",
    "ClusterRequest",
    "Decision",
    "DecisionWord",
    "DeclaredDevice",
    "ItemAsked",
    "Origin",
    "Pack",
    "Parameter",
    "PartyAsked",
    "Request",
    "RequestKind",
    "Rule",
    "RuleSource",
    "RuleTrace",
    "RunRequest",
    "SideBySide",
    "TransferRequest",
    "decide",
    "load_pack",
    "pack_bytes",
    "pack_names",
    "parse_pack",
    "parse_request",
    "parse_requests",
    "request_from_run",
    "request_schema",
]
