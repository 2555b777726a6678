"""Licence exceptions: what each lifts, every condition for using it, and the notices that it asks."""

from __future__ import annotations

import msgspec

from sekisho.rules.pack import Eligibility, LicenceException
from sekisho.rules.pack_reader.conditions import read_condition
from sekisho.rules.pack_reader.draft import Draft
from sekisho.rules.pack_reader.duties import read_duties
from sekisho.rules.pack_reader.reach import check_size, check_told
from sekisho.rules.strict_yaml import Branch, Node

__all__ = ["read_exceptions"]


def read_exceptions(draft: Draft, node: Node) -> None:
    """Exceptions in file order; an overlay may go on with the status of an exception of its base."""
    seen: set[str] = set()
    for entry in draft.listed(node, "exceptions"):
        known = _known(draft, entry)
        found = _more(draft, known, entry) if known else _exception(draft, entry)
        if found.id in seen:
            draft.fail(entry, f"the exception {found.id!r} stands twice", "give it another id")
        seen.add(found.id)
        draft.exceptions[found.id] = found


def _known(draft: Draft, node: Node) -> LicenceException | None:
    """The base's exception that an overlay's entry goes on with."""
    if draft.base is None or not isinstance(node, Branch) or "id" not in node.fields:
        return None
    name = draft.text(node.fields["id"])
    return next((entry for entry in draft.base.exceptions if entry.id == name), None)


def _more(draft: Draft, known: LicenceException, node: Node) -> LicenceException:
    fields = draft.shape(node, "more-exception")
    return msgspec.structs.replace(known, statuses=draft.statuses(fields["status"], known.statuses))


def _exception(draft: Draft, node: Node) -> LicenceException:
    fields = draft.shape(node, "exception")
    lifts = tuple(_lifted(draft, row) for row in draft.listed(fields["lifts"]))
    draft.no_twins(fields["lifts"], lifts)
    name = draft.name(fields["id"])
    if name in draft.rules:
        draft.fail(fields["id"], f"{name!r} is a rule's id", "give the exception another")
    return LicenceException(
        id=name,
        cite=draft.text(fields["cite"]),
        title=draft.text(fields["title"]),
        title_ja=draft.line(fields, "title-ja"),
        statuses=draft.statuses(fields["status"]),
        lifts=lifts,
        eligibility=tuple(
            _eligibility(draft, row, lifts) for row in draft.listed(fields["eligibility"])
        ),
        notices=read_duties(draft, fields["notices"]) if "notices" in fields else (),
    )


def _lifted(draft: Draft, node: Node) -> str:
    name = draft.one_of(node, draft.rules)
    outcome = draft.rules[name].outcome
    if outcome != "licence":
        what = f"{name} ends in {outcome}; an exception lifts a licence only"
        draft.fail(node, what, "name rules whose outcome is licence")
    return name


def _eligibility(draft: Draft, node: Node, lifts: tuple[str, ...]) -> Eligibility:
    """A condition that requests of the lifted rules can tell; else the exception could never be used."""
    fields = draft.shape(node, "eligibility")
    draft.asked = {}
    when = read_condition(draft, fields["when"])
    check_told(draft, draft.asked, {kind for name in lifts for kind in draft.rules[name].kinds})
    check_size(draft, node, when)
    return Eligibility(
        says=draft.text(fields["says"]), says_ja=draft.line(fields, "says-ja"), when=when
    )
