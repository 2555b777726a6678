"""Rules: dated packs as data, decided exactly, every answer with its reasons."""

from sekisho.rules.answer import (
    AppliedException,
    AppliedReview,
    AppliedRule,
    Decision,
    DecisionWord,
    DefinitionTrace,
    RuleTrace,
    SideBySide,
)
from sekisho.rules.classification import Classification, classify
from sekisho.rules.decision import decide_plainly
from sekisho.rules.declared import request_from_run
from sekisho.rules.differences import Difference, explain_difference
from sekisho.rules.engine import Judge, decide
from sekisho.rules.library import DEFAULT_PACK, DEFAULT_PACKS, load_pack, pack_bytes, pack_names
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
from sekisho.rules.side_by_side import decide_side_by_side
from sekisho.rules.stated import check_facts

__all__ = [
    "DEFAULT_PACK",
    "DEFAULT_PACKS",
    "AccessRequest",
    "AppliedException",
    "AppliedReview",
    "AppliedRule",
    "ChipSpec",
    "ChipsAsked",
    "Classification",
    "CloudUseRequest",
    "Cluster",
    "ClusterRequest",
    "Decision",
    "DecisionWord",
    "DeclaredDevice",
    "DefinitionTrace",
    "Difference",
    "ItemAsked",
    "Judge",
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
    "check_facts",
    "classify",
    "decide",
    "decide_plainly",
    "decide_side_by_side",
    "explain_difference",
    "load_pack",
    "pack_bytes",
    "pack_names",
    "parse_pack",
    "parse_request",
    "parse_requests",
    "request_from_run",
    "request_schema",
]
