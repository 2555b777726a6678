"""Rules: dated packs as data, decided exactly, every answer with its reasons."""

from sekisho.rules.decision import AppliedRule, Decision, DecisionWord, RuleTrace, decide
from sekisho.rules.declared import request_from_run
from sekisho.rules.library import DEFAULT_PACK, load_pack, pack_bytes, pack_names
from sekisho.rules.pack import Pack, Parameter, Rule, RuleSource
from sekisho.rules.pack_reader import parse_pack
from sekisho.rules.request import (
    ChipsAsked,
    Cluster,
    DeclaredDevice,
    Origin,
    RunRequest,
    parse_request,
    parse_requests,
    request_schema,
)

__all__ = [
    "DEFAULT_PACK",
    "AppliedRule",
    "ChipsAsked",
    "Cluster",
    "Decision",
    "DecisionWord",
    "DeclaredDevice",
    "Origin",
    "Pack",
    "Parameter",
    "Rule",
    "RuleSource",
    "RuleTrace",
    "RunRequest",
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
