"""The fields of every mapping in a pack, as tables: the reader goes by them and the JSON Schema is made from them.

A type is the name of a leaf (one of `WORDS`, one of `PATTERNS`, date, amount, hours, days, flag, quantity-name,
condition) or of another shape; `[x]` is a list with entries, `{x}` a mapping from
names of the writer's own, and `x|null` also takes a plain null.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, get_args

import msgspec

from sekisho.rules.node_reader import NAME
from sekisho.rules.pack import (
    Mark,
    Operator,
    Outcome,
    Per,
    ReviewPolicy,
    Standing,
    StatusWord,
)
from sekisho.rules.quantities import QuantityKind
from sekisho.rules.requests.shapes import RequestKind

__all__ = [
    "DAY",
    "DIGEST",
    "LINE",
    "MOST",
    "NAME",
    "PATTERNS",
    "PLACE",
    "SHAPES",
    "TEXT",
    "UNION",
    "UNIT",
    "WHOLE_UNITS",
    "WORDS",
    "Shape",
]

PLACE: Final = r"[A-Z]{2}(-[A-Z0-9]{1,3})?"
UNION: Final = "EU"  # names no country, but law reaches there
DIGEST: Final = r"[0-9a-f]{64}"
DAY: Final = r"(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])"
TEXT: Final = r"(?s).{1,4000}"
LINE: Final = r".{1,100}"
UNIT: Final = r"[A-Za-z0-9%][A-Za-z0-9%/^.-]{0,31}"
# Amounts of these are counts; all others may have decimals.
WHOLE_UNITS: Final = ("FLOP", "chips", "days")
# How many of each a pack may hold; a list inside one of them holds at most `list` entries.
MOST: Final[Mapping[str, int]] = {
    "sources": 500,
    "quantities": 500,
    "sets": 500,
    "parameters": 1000,
    "definitions": 500,
    "rules": 500,
    "exceptions": 200,
    "list": 1000,
    "limbs": 1000,  # of one condition, with the definitions that it uses written out
    "all-limbs": 20_000,
}

WORDS: Final[Mapping[str, tuple[str, ...]]] = {
    "mark": get_args(Mark),
    "status-word": get_args(StatusWord),
    "outcome": get_args(Outcome),
    "kind": get_args(RequestKind),
    "quantity-kind": get_args(QuantityKind),
    "operator": get_args(Operator),
    "op-is": ("is",),
    "op-places": ("any-of", "all-of"),
    "op-word": ("one-of",),
    "policy": get_args(ReviewPolicy),
    "per": get_args(Per),
    "standing": get_args(Standing),
}
PATTERNS: Final[Mapping[str, str]] = {
    "name": NAME,
    "place": PLACE,
    "digest": DIGEST,
    "day": DAY,
    "text": TEXT,
    "word": LINE,
    "unit": UNIT,
}


class Shape(msgspec.Struct, frozen=True):
    """A mapping's fields with their types: those that it must have, and those that it may have."""

    required: Mapping[str, str]
    optional: Mapping[str, str] = {}


def _dated(required: Mapping[str, str], optional: Mapping[str, str] | None = None) -> Shape:
    """What every dated entry says: its period, when it became known, its source and mark."""
    return Shape(
        {"from": "date", **required, "source": "name", "cite": "text", "mark": "mark"},
        {
            **(optional or {}),
            "to": "date|null",
            "recorded": "date",
            "review-by": "date",
            "note": "text",
        },
    )


_HEAD: Final = {"pack": "name", "version": "name", "title": "text", "note": "text"}
_MAY: Final = {"title-ja": "text", "standing": "standing", "jurisdiction": "place"}

SHAPES: Final[Mapping[str, Shape]] = {
    "pack": Shape(
        {**_HEAD, "sources": "{source}", "rules": "[rule]"},
        {
            **_MAY,
            "coverage": "coverage",
            "quantities": "{quantity}",
            "sets": "{set}",
            "parameters": "{parameter}",
            "definitions": "{definition}",
            "exceptions": "[exception]",
        },
    ),
    "overlay": Shape(
        {**_HEAD, "over": "over", "starts": "date"},
        {
            **_MAY,
            "coverage": "coverage",
            "sources": "{source}",
            "quantities": "{quantity}",
            "sets": "{set/more-set}",
            "parameters": "{parameter/more-parameter}",
            "definitions": "{definition/more-definition}",
            "rules": "[rule/more-rule]",
            "exceptions": "[exception/more-exception]",
        },
    ),
    "over": Shape({"pack": "name", "version": "name", "sha256": "digest"}),
    "coverage": Shape({"from": "date"}, {"until": "date|null"}),
    "source": Shape({"title": "text", "where": "text", "mark": "mark"}),
    "quantity": Shape(
        {"kind": "quantity-kind", "means": "text"},
        {"unit": "unit", "means-ja": "text", "words": "[word]"},
    ),
    "set": Shape({"means": "text", "versions": "[set-version]"}, {"means-ja": "text"}),
    "more-set": Shape({"versions": "[set-version]"}),
    "set-version": _dated({"members": "[place]|null"}),
    "parameter": Shape(
        {"unit": "unit", "means": "text", "values": "[value]"}, {"means-ja": "text"}
    ),
    "more-parameter": Shape({"values": "[value]"}, {"unit": "unit"}),
    "value": _dated({"value": "amount|null"}),
    "definition": Shape(
        {"means": "text", "versions": "[definition-version]"},
        {"means-ja": "text", "label": "word"},
    ),
    "more-definition": Shape({"versions": "[definition-version]"}),
    "definition-version": _dated({"when": "condition|null"}),
    "rule": Shape(
        {
            "id": "name",
            "cite": "text",
            "binding": "text",
            "status": "[status]",
            "when": "condition",
            "outcome": "outcome",
            "duty": "text",
        },
        {"for": "[kind]", "duty-ja": "text", "duties": "[duty]", "reviews": "[review]"},
    ),
    "more-rule": Shape({"id": "name"}, {"status": "[status]", "reviews": "[review]"}),
    "status": _dated({"status": "status-word", "acts": "flag"}),
    "review": _dated({"policy": "policy"}, {"when": "condition"}),
    "duty": Shape(
        {"id": "name", "what": "text", "per": "per"},
        {
            "what-ja": "text",
            "deadline": "deadline",
            "hours": "hours",
            "hours-mark": "mark",
            "delay-days": "days",
        },
    ),
    "deadline": Shape(
        {},
        {
            "days": "days",
            "hours": "days",
            "before": "text",
            "after": "text",
            "each-year-on": "[day]",
        },
    ),
    "exception": Shape(
        {
            "id": "name",
            "cite": "text",
            "title": "text",
            "status": "[status]",
            "lifts": "[name]",
            "eligibility": "[eligibility]",
        },
        {"title-ja": "text", "notices": "[duty]"},
    ),
    "more-exception": Shape({"id": "name", "status": "[status]"}),
    "eligibility": Shape({"says": "text", "when": "condition"}, {"says-ja": "text"}),
    # limbs: which of them a limb is, the quantity's kind says
    "amount-limb": Shape(
        {"quantity": "quantity-name", "op": "operator", "unit": "unit"},
        {"value": "amount", "parameter": "name"},
    ),
    "flag-limb": Shape({"quantity": "quantity-name", "op": "op-is", "value": "flag"}),
    "places-limb": Shape(
        {"quantity": "quantity-name", "op": "op-places"}, {"value": "[place]", "set": "name"}
    ),
    "word-limb": Shape({"quantity": "quantity-name", "op": "op-word", "value": "[word]"}),
    "definition-limb": Shape({"definition": "name", "is": "flag"}),
}
