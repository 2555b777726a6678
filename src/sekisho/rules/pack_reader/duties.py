"""Duties: what is to be done, how often, until when, and what effort we assume for it."""

from __future__ import annotations

from collections.abc import Mapping

from sekisho.rules.pack import Deadline, Duty, Mark
from sekisho.rules.pack_reader.draft import Draft
from sekisho.rules.pack_shapes import DAY
from sekisho.rules.strict_yaml import Node

__all__ = ["read_duties"]

_MOST_DAYS = 36_500
_SHORT_MONTHS = ("02-30", "02-31", "04-31", "06-31", "09-31", "11-31")


def read_duties(draft: Draft, node: Node) -> tuple[Duty, ...]:
    """The duties of one rule or exception, each with an id of its own there."""
    duties = tuple(_duty(draft, row) for row in draft.listed(node))
    for index, (row, duty) in enumerate(zip(draft.row(node), duties, strict=True)):
        if any(other.id == duty.id for other in duties[:index]):
            draft.fail(row, f"the duty {duty.id!r} stands twice", "give it an id of its own")
    return duties


def _duty(draft: Draft, node: Node) -> Duty:
    fields = draft.shape(node, "duty")
    mark: Mark = draft.word(fields["hours-mark"], "mark") if "hours-mark" in fields else "O"
    if mark == "R":
        draft.fail(fields["hours-mark"], "assumed hours are not recalled", "mark them O or S")
    if "hours-mark" in fields and "hours" not in fields:
        draft.fail(fields["hours-mark"], "marks hours that are not there", "add `hours:`")
    return Duty(
        id=draft.name(fields["id"]),
        what=draft.text(fields["what"]),
        what_ja=draft.line(fields, "what-ja"),
        per=draft.word(fields["per"], "per"),
        deadline=_deadline(draft, fields["deadline"]) if "deadline" in fields else None,
        hours=draft.fraction(fields["hours"]) if "hours" in fields else None,
        hours_mark=mark,
        delay_days=_days(draft, fields, "delay-days"),
    )


def _days(draft: Draft, fields: Mapping[str, Node], name: str) -> int | None:
    return draft.count(fields[name], _MOST_DAYS) if name in fields else None


def _deadline(draft: Draft, node: Node) -> Deadline:
    fields = draft.shape(node, "deadline")
    if "each-year-on" in fields:
        if len(fields) > 1:
            draft.fail(node, "fixed days stand alone", "leave the other fields out")
        days = tuple(_day(draft, row) for row in draft.listed(fields["each-year-on"]))
        return Deadline(each_year_on=days)
    for one, other in (("days", "hours"), ("before", "after")):
        if (one in fields) == (other in fields):
            draft.fail(node, f"needs either {one} or {other}", "write one of the two")
    direction = "before" if "before" in fields else "after"
    return Deadline(
        days=_days(draft, fields, "days"),
        hours=_days(draft, fields, "hours"),
        direction="before" if direction == "before" else "after",
        event=draft.text(fields[direction]),
    )


def _day(draft: Draft, node: Node) -> str:
    day = draft.text(node, DAY)
    if day in _SHORT_MONTHS or day == "02-29":
        draft.fail(node, f"{day} is not a day of every year", "write an existing day, 07-15")
    return day
