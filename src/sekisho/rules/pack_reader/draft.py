"""A pack while it is being read: what is declared so far, and the reading of what all its parts share."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeVar, cast

from sekisho.model.countries import is_country
from sekisho.model.instants import Instant
from sekisho.rules.node_reader import Reader
from sekisho.rules.pack import (
    Dated,
    Definition,
    LicenceException,
    Mark,
    Pack,
    Parameter,
    PlaceSet,
    Rule,
    RuleSource,
    StatedQuantity,
    Status,
)
from sekisho.rules.pack_shapes import LINE, MOST, NAME, PLACE, SHAPES, TEXT, UNION, WORDS
from sekisho.rules.strict_yaml import Leaf, Node

__all__ = ["Draft"]

Entry = TypeVar("Entry", bound=Dated)


class Draft(Reader):
    """What the parts of a pack read from and declare into; an overlay starts from what its base declares.

    `starts` is the day before which an overlay says nothing, None for a pack of its own. `order` names all
    its definitions in order, `above` those that the condition being read may use, `current` the definition that it
    belongs to; `asked` collects the quantities and definitions that it asks for, with their lines.
    `sizes` says how many limbs each definition comes to, `limbs` how many all conditions so far do.
    """

    def __init__(self, file: str, base: Pack | None = None, starts: Instant | None = None) -> None:
        super().__init__(file)
        self.starts = starts
        self.base = base
        self.sources: dict[str, RuleSource] = dict(base.sources) if base else {}
        self.quantities: dict[str, StatedQuantity] = dict(base.quantities) if base else {}
        self.sets: dict[str, PlaceSet] = dict(base.sets) if base else {}
        self.parameters: dict[str, Parameter] = dict(base.parameters) if base else {}
        self.definitions: dict[str, Definition] = dict(base.definitions) if base else {}
        self.rules: dict[str, Rule] = {rule.id: rule for rule in base.rules} if base else {}
        self.exceptions: dict[str, LicenceException] = (
            {entry.id: entry for entry in base.exceptions} if base else {}
        )
        self.order: list[str] = list(self.definitions)
        self.above: frozenset[str] = frozenset(self.order)
        self.current = ""
        self.asked: dict[str, Node] = {}
        self.sizes: Mapping[str, int] = {}
        self.limbs = 0

    # --- shapes ---

    def shape(self, node: Node, name: str) -> Mapping[str, Node]:
        """The fields of a mapping of that shape."""
        shape = SHAPES[name]
        return self.branch(node, shape.required, shape.optional)

    def named(self, node: Node, part: str) -> Mapping[str, Node]:
        """The entries of a mapping of names, each name checked; `part` says how many there may be."""
        entries = self.entries(node)
        self.bound(node, len(entries), part)
        for name, entry in entries.items():
            self.text(Leaf(name, False, entry.line), NAME)
        return entries

    def listed(self, node: Node, part: str = "list") -> tuple[Node, ...]:
        rows = self.row(node)
        self.bound(node, len(rows), part)
        return rows

    def bound(self, node: Node, count: int, part: str) -> None:
        if count > MOST[part]:
            self.fail(node, f"more than {MOST[part]} entries", "split the pack")

    def line(self, fields: Mapping[str, Node], name: str, pattern: str = TEXT) -> str:
        """The text of a field that may be left out."""
        return self.text(fields[name], pattern) if name in fields else ""

    def word(self, node: Node, kind: str) -> Any:
        """One of the words of that kind; the caller's field has the type."""
        return self.one_of(node, WORDS[kind])

    def words(self, node: Node) -> tuple[str, ...]:
        found = tuple(self.text(entry, LINE) for entry in self.listed(node))
        self.no_twins(node, found)
        return found

    def places(self, node: Node) -> tuple[str, ...]:
        """Countries, the Union, or parts of a country (US-CA), by codes that exist."""
        found = tuple(self.text(entry, PLACE) for entry in self.listed(node))
        for entry, place in zip(self.row(node), found, strict=True):
            if place != UNION and not is_country(place.partition("-")[0]):
                self.fail(entry, f"{place!r} is no country", "write an ISO 3166-1 code, like JP")
        self.no_twins(node, found)
        return found

    def no_twins(self, node: Node, found: tuple[str, ...]) -> None:
        seen: set[str] = set()
        for entry, word in zip(self.row(node), found, strict=True):
            if word in seen:
                self.fail(entry, f"{word!r} stands twice", "leave one out")
            seen.add(word)

    # --- dated entries ---

    def dated(self, node: Node, fields: Mapping[str, Node]) -> dict[str, Any]:
        """What every dated entry carries: its period, when it became known, its source and mark."""
        start = self.date(fields["from"])
        if self.starts is not None and start < self.starts:
            what = f"begins before the overlay starts ({self.starts})"
            self.fail(fields["from"], what, "an overlay says nothing about earlier days")
        mark = cast("Mark", self.word(fields["mark"], "mark"))
        note = self.line(fields, "note")
        if mark == "R" and "to be verified" not in note:
            self.fail(node, "a recalled value (R) enters only as such", "note it `to be verified`")
        return {
            "start": start,
            "end": self._end(fields, start),
            "recorded": self.date(fields["recorded"]) if "recorded" in fields else start,
            "review_by": self._review_by(fields, start),
            "source": self.one_of(fields["source"], self.sources),
            "cite": self.text(fields["cite"]),
            "mark": mark,
            "note": note,
        }

    def _end(self, fields: Mapping[str, Node], start: Instant) -> Instant | None:
        if "to" not in fields or self.is_null(fields["to"]):
            return None
        end = self.date(fields["to"])
        if end <= start:
            self.fail(fields["to"], "ends before it begins", "`to` is the first day after the end")
        return end

    def _review_by(self, fields: Mapping[str, Node], start: Instant) -> Instant | None:
        if "review-by" not in fields:
            return None
        day = self.date(fields["review-by"])
        if day < start:
            self.fail(fields["review-by"], "is before the entry begins", "write a later day")
        return day

    def history(
        self, node: Node, read: Callable[[Node], Entry], earlier: tuple[Entry, ...] = ()
    ) -> tuple[Entry, ...]:
        """A row of dated entries in order, after those of the base that an overlay adds to."""
        rows = self.listed(node)
        entries = tuple(read(row) for row in rows)
        self._check_order(rows, entries)
        for row, entry in zip(rows, entries, strict=True):
            for other in earlier:
                if other.start == entry.start and other.recorded >= entry.recorded:
                    what = (
                        "begins on the day of an entry of the base, which was recorded no earlier"
                    )
                    self.fail(row, what, "add a later `recorded:` day")
        return (*earlier, *entries)

    def _check_order(self, rows: tuple[Node, ...], entries: tuple[Dated, ...]) -> None:
        """Periods follow one another, so that a reader of the file sees which one counts."""
        for row, earlier, later in zip(rows[1:], entries, entries[1:], strict=False):
            begins_twice = later.start == earlier.start and later.recorded <= earlier.recorded
            if later.start < earlier.start or begins_twice:
                self.fail(row, "does not begin after the entry above", "order entries by `from`")
            if earlier.end is not None and later.start < earlier.end:
                self.fail(row, "overlaps the entry above", "let it begin where that one ends")

    def statuses(self, node: Node, earlier: tuple[Status, ...] = ()) -> tuple[Status, ...]:
        """Where a rule or an exception stands in law, period by period."""
        return self.history(node, self._status, earlier)

    def _status(self, node: Node) -> Status:
        fields = self.shape(node, "status")
        return Status(
            word=self.word(fields["status"], "status-word"),
            acts=self.boolean(fields["acts"]),
            **self.dated(node, fields),
        )
