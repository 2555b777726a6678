"""The tables of a comparison, each the twin of a chart or a list of its own: plain text in both languages."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, TypeAlias

import msgspec

from sekisho.catalogue import Language, say
from sekisho.rules.what_if.changes import CHANGES, WORDS, Flows
from sekisho.rules.what_if.comparison import Diff
from sekisho.rules.what_if.counting import MOST_NAMES, Grouping
from sekisho.rules.what_if.load import Load, LoadSide
from sekisho.rules.what_if.margins import WITHIN
from sekisho.rules.what_if.words import (
    change_word,
    count_text,
    name_word,
    p_text,
    reason_text,
    threshold_text,
    word_of,
)

__all__ = ["DIMENSIONS", "Dimension", "Table", "grouping_of", "render_table", "render_tables"]

Dimension: TypeAlias = Literal["by-kind", "by-country", "by-owner", "by-chip"]
DIMENSIONS: tuple[Dimension, ...] = ("by-kind", "by-country", "by-owner", "by-chip")
_ROWS_SHOWN = 20


class Table(msgspec.Struct, frozen=True, kw_only=True):
    """A head, rows of as many cells, and what should be known when reading them.

    `texts` are how many columns from the left hold words; the others hold figures.
    """

    name: str
    title: str
    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    texts: int = 1
    note: str = ""


def render_tables(diff: Diff, language: Language) -> tuple[Table, ...]:
    """Every table of the comparison that has a row."""
    names = ("changes", "flows", "rules", *DIMENSIONS, "load", "margins", "splits", "owners-over")
    found = [render_table(diff, name, language) for name in (*names, "examples", "refused")]
    return tuple(table for table in found if table.rows or table.name in ("changes", "splits"))


def render_table(diff: Diff, name: str, language: Language) -> Table:
    """One table by its name. Raises KeyError for a name that is none."""
    if name in DIMENSIONS:
        return _group_table(grouping_of(diff, name), name, language)
    return _TABLES[name](diff, language)


def grouping_of(diff: Diff, dimension: str) -> Grouping:
    """The requests by that dimension's names."""
    by: dict[str, Grouping] = {
        "by-kind": diff.by_kind,
        "by-country": diff.by_country,
        "by-owner": diff.by_owner,
        "by-chip": diff.by_chip,
    }
    return by[dimension]


def _head(language: Language, *names: str) -> tuple[str, ...]:
    return tuple(say(f"what-if.head.{name}", language) for name in names)


def _titled(name: str, language: Language) -> str:
    return say(f"what-if.table.{name}", language)


def _changes(diff: Diff, language: Language) -> Table:
    rows = [(change_word(c, language), count_text(diff.changed(c))) for c in CHANGES]
    rows.append((change_word(None, language), count_text(diff.flows.unchanged())))
    return Table(
        name="changes",
        title=_titled("changes", language),
        head=_head(language, "change", "requests"),
        rows=tuple(rows),
        note=say("what-if.note.changes", language),
    )


def _flows(diff: Diff, language: Language) -> Table:
    words = [word_of(word, language) for word in WORDS]
    rows = [
        (word_of(a, language), *(count_text(diff.flows.count(a, b)) for b in WORDS)) for a in WORDS
    ]
    return Table(
        name="flows",
        title=_titled("flows", language),
        head=(*_head(language, "a-b"), *words),
        rows=tuple(rows),
    )


def _rules(diff: Diff, language: Language) -> Table:
    rows = [
        (
            effect.rule,
            say(f"what-if.how.{effect.how}", language),
            reason_text(effect.example) if effect.example is not None else effect.cite,
            *(count_text(effect.changes.get(change, 0)) for change in CHANGES),
        )
        for effect in diff.rules
    ]
    return Table(
        name="rules",
        title=_titled("rules", language),
        head=(
            *_head(language, "rule", "how", "limb"),
            *(change_word(c, language) for c in CHANGES),
        ),
        rows=tuple(rows),
        texts=3,
        note=say("what-if.note.rules", language),
    )


def _group_table(grouping: Grouping, name: str, language: Language) -> Table:
    shown = grouping.groups[:_ROWS_SHOWN]
    rest = Flows.total(group.flows for group in grouping.groups[_ROWS_SHOWN:]).plus(grouping.others)
    rows = [_group_row(_group_name(group.name, name, language), group.flows) for group in shown]
    if rest.requests:
        left = count_text((grouping.names or 0) - len(shown))
        rows.append(_group_row(say("what-if.others", language, count=left), rest))
    note = say("what-if.note.groups", language, names=count_text(grouping.names or 0))
    if grouping.names is None:
        note = say("what-if.note.too-many", language, most=count_text(MOST_NAMES))
        rows = [(say("what-if.not-measured", language), *("-" for _ in range(len(CHANGES) + 3)))]
    figures = _head(language, "requests", "licences-a", "licences-b")
    return Table(
        name=name,
        title=_titled(name, language),
        head=(*_head(language, "name"), *(change_word(c, language) for c in CHANGES), *figures),
        rows=tuple(rows),
        note=note,
    )


def _group_name(name: str, dimension: str, language: Language) -> str:
    if dimension == "by-kind":
        return say(f"what-if.kind.{name}", language)
    return name_word(name, language)


def _group_row(name: str, flows: Flows) -> tuple[str, ...]:
    figures = (flows.requests, flows.under_a("licence"), flows.under_b("licence"))
    return (name, *(count_text(flows.changed(c)) for c in CHANGES), *map(count_text, figures))


def _load(diff: Diff, language: Language) -> Table:
    load = diff.load
    rows: list[tuple[str, ...]] = [
        _load_row(load, field, language)
        for field in ("applications", "open", "reports", "denials", "unstated")
    ]
    rows += [*_hours_rows(load, language), *_officer_rows(load, language)]
    return Table(
        name="load",
        title=_titled("load", language),
        head=_head(language, "measure", "a", "b", "difference"),
        rows=tuple(rows),
        note=say("what-if.note.load", language),
    )


def _load_row(load: Load, field: str, language: Language) -> tuple[str, ...]:
    a, b = getattr(load.a, field), getattr(load.b, field)
    return (say(f"what-if.load.{field}", language), count_text(a), count_text(b), f"{b - a:+,}")


def _hours_rows(load: Load, language: Language) -> list[tuple[str, ...]]:
    if load.a.hours is None and load.b.hours is None:
        return []
    marks = ", ".join(sorted({*load.a.hours_marks, *load.b.hours_marks}))
    none = say("what-if.none", language)
    label = say("what-if.load.hours", language, marks=marks)
    return [(label, load.a.hours or none, load.b.hours or none, _gap(load.a.hours, load.b.hours))]


def _officer_rows(load: Load, language: Language) -> list[tuple[str, ...]]:
    """By each rate that a pack states; the other side's load at the same rate is in its own row."""
    rows: list[tuple[str, ...]] = []
    for side, is_a in ((load.a, True), (load.b, False)):
        if side.officers is None:
            continue
        rate = side.officers
        label = say(
            "what-if.load.officers", language, each=rate.licences_per_officer_year, mark=rate.mark
        )
        none = say("what-if.not-measured", language)
        row = (label, rate.needed, none, "-") if is_a else (label, none, rate.needed, "-")
        rows.append(row)
    if load.a.officers is not None and load.b.officers is not None:
        return _joined_officers(load.a, load.b, language)
    return rows


def _joined_officers(a: LoadSide, b: LoadSide, language: Language) -> list[tuple[str, ...]]:
    rates = [side.officers for side in (a, b) if side.officers is not None]
    each = " / ".join(dict.fromkeys(rate.licences_per_officer_year for rate in rates))
    mark = "/".join(dict.fromkeys(rate.mark for rate in rates))
    label = say("what-if.load.officers", language, each=each, mark=mark)
    needed = [rate.needed for rate in rates]
    return [(label, *needed, _gap(needed[0], needed[1]))]


def _gap(a: str | None, b: str | None) -> str:
    if a is None or b is None:
        return "-"
    tenths = round(float(b) * 10) - round(float(a) * 10)
    return f"{tenths / 10:+,.1f}".removesuffix(".0")


def _margins(diff: Diff, language: Language) -> Table:
    rows = [
        (
            threshold_text(margin.threshold),
            say(f"what-if.kind.{margin.kind}", language),
            "+".join(side.upper() for side in margin.sides),
            *(count_text(margin.within(percent)) for percent in WITHIN),
            count_text(margin.beyond(5)),
            p_text(margin.p_value, language),
            say("what-if.values.many", language) if margin.values is None else str(margin.values),
            count_text(margin.open_amounts),
        )
        for margin in diff.margins
    ]
    below = [say("what-if.head.within", language, percent=percent) for percent in WITHIN]
    above = say("what-if.head.above", language, percent=5)
    return Table(
        name="margins",
        title=_titled("margins", language),
        head=(
            *_head(language, "threshold", "kind", "side"),
            *below,
            above,
            *_head(language, "p", "values", "open"),
        ),
        rows=tuple(rows),
        texts=3,
        note=say("what-if.note.margins", language),
    )


def _splits(diff: Diff, language: Language) -> Table:
    rows = [
        (
            threshold_text(split.threshold),
            say(f"what-if.kind.{split.kind}", language),
            *(
                count_text(count)
                for count in (
                    split.owners,
                    split.over_alone,
                    split.over_together,
                    split.open_owners,
                    split.unnamed,
                )
            ),
        )
        for split in diff.splits or ()
    ]
    note = "what-if.note.splits" if diff.splits is not None else "what-if.note.splits.too-many"
    return Table(
        name="splits",
        title=_titled("splits", language),
        head=_head(
            language,
            *("threshold", "kind", "owners", "over-alone"),
            *("over-together", "open-owners", "unnamed"),
        ),
        rows=tuple(rows),
        texts=2,
        note=say(note, language),
    )


def _owners_over(diff: Diff, language: Language) -> Table:
    rows = [
        (
            threshold_text(split.threshold),
            owner.owner,
            owner.year,
            count_text(owner.requests),
            owner.largest,
            owner.total,
        )
        for split in diff.splits or ()
        for owner in split.largest
    ]
    return Table(
        name="owners-over",
        title=_titled("owners-over", language),
        head=_head(language, "threshold", "owner", "year", "requests", "largest", "total"),
        rows=tuple(rows),
        texts=2,
    )


def _examples(diff: Diff, language: Language) -> Table:
    rows = [
        (
            str(one.line),
            one.id,
            change_word(change, language),
            f"{word_of(one.a, language)} → {word_of(one.b, language)}",
            name_word(one.country, language),
            name_word(one.owner, language),
            name_word(one.chip, language),
            "; ".join(reason_text(reason) for reason in one.reasons),
        )
        for change in CHANGES
        for one in diff.examples.get(change, ())
    ]
    limit = max((len(found) for found in diff.examples.values()), default=0)
    return Table(
        name="examples",
        title=_titled("examples", language),
        head=_head(language, "line", "id", "change", "a-b", "country", "owner", "chip", "why"),
        rows=tuple(rows),
        texts=8,
        note=say("what-if.note.examples", language, limit=limit),
    )


def _refused(diff: Diff, language: Language) -> Table:
    rows: Sequence[tuple[str, ...]] = [(str(row.line), row.error) for row in diff.refused_rows]
    return Table(
        name="refused",
        title=_titled("refused", language),
        head=_head(language, "line", "error"),
        rows=tuple(rows),
        texts=2,
        note=say(
            "what-if.note.refused",
            language,
            count=count_text(diff.refused),
            shown=count_text(len(rows)),
        ),
    )


_TABLES = {
    "changes": _changes,
    "flows": _flows,
    "rules": _rules,
    "load": _load,
    "margins": _margins,
    "splits": _splits,
    "owners-over": _owners_over,
    "examples": _examples,
    "refused": _refused,
}
