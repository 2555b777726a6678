"""A comparison as one JSON document: what `rules diff --json` prints and the console serves.

Amounts are decimal strings; a figure that was not measured is null.
"""

from __future__ import annotations

import msgspec

from sekisho.model.wire import JsonValue
from sekisho.rules.what_if.changes import CHANGES, WORDS, Flows
from sekisho.rules.what_if.comparison import Diff
from sekisho.rules.what_if.counting import Grouping
from sekisho.rules.what_if.margins import TEST_WINDOW, WITHIN, Margin
from sekisho.rules.what_if.reasons import RuleEffect
from sekisho.rules.what_if.splitting import Split, amount_text
from sekisho.rules.what_if.thresholds import UpperThreshold

__all__ = ["diff_document"]


def diff_document(diff: Diff) -> dict[str, JsonValue]:
    """The whole comparison; a name that nobody told is null."""
    return {
        "a": _plain(diff.a),
        "b": _plain(diff.b),
        "requests": diff.requests,
        "refused": diff.refused,
        "changes": _changes(diff.flows),
        "unchanged": diff.flows.unchanged(),
        "same_answer_other_rules": diff.same_answer_other_rules,
        "matrix": {a: {b: diff.flows.count(a, b) for b in WORDS} for a in WORDS},
        "rules": [_rule(effect) for effect in diff.rules],
        "by_kind": _grouping(diff.by_kind),
        "by_country": _grouping(diff.by_country),
        "by_owner": _grouping(diff.by_owner),
        "by_chip": _grouping(diff.by_chip),
        "load": _plain(diff.load),
        "margins": [_margin(margin) for margin in diff.margins],
        "splits": None if diff.splits is None else [_split(split) for split in diff.splits],
        "examples": {change: _plain(diff.examples.get(change, ())) for change in CHANGES},
        "refused_rows": _plain(diff.refused_rows),
    }


def _plain(value: object) -> JsonValue:
    found: JsonValue = msgspec.to_builtins(value)
    return found


def _changes(flows: Flows) -> dict[str, JsonValue]:
    return {change: flows.changed(change) for change in CHANGES}


def _rule(effect: RuleEffect) -> JsonValue:
    return {
        **msgspec.structs.asdict(effect),
        "changes": dict(effect.changes),
        "example": _plain(effect.example),
    }


def _grouping(grouping: Grouping) -> JsonValue:
    groups: list[JsonValue] = [
        {"name": group.name or None, **_figures(group.flows)} for group in grouping.groups
    ]
    return {"names": grouping.names, "groups": groups, "others": _figures(grouping.others)}


def _figures(flows: Flows) -> dict[str, JsonValue]:
    return {
        "requests": flows.requests,
        **_changes(flows),
        "licences_a": flows.under_a("licence"),
        "licences_b": flows.under_b("licence"),
        "unsure_a": flows.under_a("unsure"),
        "unsure_b": flows.under_b("unsure"),
    }


def _threshold(threshold: UpperThreshold) -> dict[str, JsonValue]:
    return {
        "quantity": threshold.quantity,
        "op": threshold.op,
        "threshold": amount_text(threshold.value),
        "unit": threshold.unit,
        "parameter": threshold.parameter,
        "rules": list(threshold.rules),
    }


def _margin(margin: Margin) -> JsonValue:
    return {
        **_threshold(margin.threshold),
        "kind": margin.kind,
        "sides": list(margin.sides),
        "measured": margin.measured,
        "not_known": margin.open_amounts,
        "within_percent_below": {str(percent): margin.within(percent) for percent in WITHIN},
        "within_percent_above": {str(percent): margin.beyond(percent) for percent in WITHIN},
        "histogram_below": list(margin.below),
        "histogram_above": list(margin.above),
        "different_amounts": margin.values,
        "test": {"window_percent": TEST_WINDOW, "p": margin.p_value, "proves": "nothing by itself"},
    }


def _split(split: Split) -> JsonValue:
    return {
        **_threshold(split.threshold),
        "kind": split.kind,
        "owners": split.owners,
        "over_alone": split.over_alone,
        "over_together": split.over_together,
        "open_owners": split.open_owners,
        "unnamed": split.unnamed,
        "largest": _plain(split.largest),
    }
