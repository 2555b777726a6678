"""Rules: one row of the decision table each, with its status in law, its duties and how applications are reviewed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import cast

import msgspec

from sekisho.rules.pack import Condition, Review, Rule
from sekisho.rules.pack_reader.conditions import read_condition
from sekisho.rules.pack_reader.draft import Draft
from sekisho.rules.pack_reader.duties import read_duties
from sekisho.rules.pack_reader.reach import check_kinds, check_size
from sekisho.rules.requests.shapes import RequestKind
from sekisho.rules.strict_yaml import Branch, Node

__all__ = ["read_rules"]


def read_rules(draft: Draft, node: Node) -> None:
    """Rules in file order; an overlay may go on with the status and the reviews of a rule of its base."""
    seen: set[str] = set()
    for entry in draft.listed(node, "rules"):
        known = _known(draft, entry)
        rule = _more(draft, known, entry) if known else _rule(draft, entry)
        if rule.id in seen:
            draft.fail(entry, f"the rule {rule.id!r} stands twice", "give it an id of its own")
        seen.add(rule.id)
        draft.rules[rule.id] = rule


def _known(draft: Draft, node: Node) -> Rule | None:
    """The base's rule that an overlay's entry goes on with."""
    if draft.base is None or not isinstance(node, Branch) or "id" not in node.fields:
        return None
    name = draft.text(node.fields["id"])
    return next((rule for rule in draft.base.rules if rule.id == name), None)


def _rule(draft: Draft, node: Node) -> Rule:
    fields = draft.shape(node, "rule")
    kinds = _kinds(draft, fields)
    return Rule(
        id=draft.name(fields["id"]),
        cite=draft.text(fields["cite"]),
        binding=draft.text(fields["binding"]),
        kinds=kinds,
        statuses=draft.statuses(fields["status"]),
        when=_condition(draft, fields["when"], kinds),
        outcome=draft.word(fields["outcome"], "outcome"),
        duty=draft.text(fields["duty"]),
        duty_ja=draft.line(fields, "duty-ja"),
        duties=read_duties(draft, fields["duties"]) if "duties" in fields else (),
        reviews=_reviews(draft, fields["reviews"], kinds) if "reviews" in fields else (),
    )


def _more(draft: Draft, known: Rule, node: Node) -> Rule:
    """The base's rule with later statuses, and with later reviews before its own, of which the first counts."""
    fields = draft.shape(node, "more-rule")
    statuses, reviews = known.statuses, known.reviews
    if "status" in fields:
        statuses = draft.statuses(fields["status"], known.statuses)
    if "reviews" in fields:
        reviews = (*_reviews(draft, fields["reviews"], known.kinds), *known.reviews)
    return msgspec.structs.replace(known, statuses=statuses, reviews=reviews)


def _kinds(draft: Draft, fields: Mapping[str, Node]) -> tuple[RequestKind, ...]:
    if "for" not in fields:
        return ("training-run",)
    found = tuple(draft.word(row, "kind") for row in draft.listed(fields["for"]))
    draft.no_twins(fields["for"], found)
    return cast("tuple[RequestKind, ...]", found)


def _condition(draft: Draft, node: Node, kinds: tuple[RequestKind, ...]) -> Condition:
    draft.asked = {}
    condition = read_condition(draft, node)
    check_kinds(draft, draft.asked, kinds)
    check_size(draft, node, condition)
    return condition


def _reviews(draft: Draft, node: Node, kinds: tuple[RequestKind, ...]) -> tuple[Review, ...]:
    """Not a history: several may be in force at once, and the first whose condition holds counts."""
    return tuple(_review(draft, row, kinds) for row in draft.listed(node))


def _review(draft: Draft, node: Node, kinds: tuple[RequestKind, ...]) -> Review:
    fields = draft.shape(node, "review")
    return Review(
        policy=draft.word(fields["policy"], "policy"),
        when=_condition(draft, fields["when"], kinds) if "when" in fields else None,
        **draft.dated(node, fields),
    )
