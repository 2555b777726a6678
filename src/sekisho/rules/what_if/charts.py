"""The charts of a comparison as SVG text: answers from A to B, who is caught and freed, margins, licence load."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Final

from sekisho.catalogue import Language, say
from sekisho.rules.answer import DecisionWord
from sekisho.rules.what_if.changes import CHANGES, WORDS, Change, Flows, change_of
from sekisho.rules.what_if.comparison import Diff
from sekisho.rules.what_if.load import LoadSide
from sekisho.rules.what_if.margins import MOST_VALUES, REACH, Margin
from sekisho.rules.what_if.svg import Fill, box, clipped, line, picture, rule_line, text
from sekisho.rules.what_if.tables import DIMENSIONS, Dimension, grouping_of
from sekisho.rules.what_if.words import (
    change_word,
    count_text,
    margin_figures,
    name_word,
    threshold_text,
    word_of,
)

__all__ = [
    "MOST_BARS",
    "render_charts",
    "render_flows",
    "render_groups",
    "render_load",
    "render_margin",
    "render_margins",
]

MOST_BARS: Final = 12
MOST_MARGINS: Final = 8
_FILLS: Final[dict[Change, Fill]] = {
    "newly-caught": "caught",
    "stricter": "caught",
    "newly-freed": "freed",
    "looser": "freed",
    "became-unsure": "unsure",
    "became-decided": "unsure",
}
# A sign beside the figure says what the colour says.
_SIGNS: Final[dict[Change, str]] = {
    "newly-caught": "▲▲",
    "stricter": "▲",
    "newly-freed": "▼▼",
    "looser": "▼",
    "became-unsure": "?",
    "became-decided": "!",
}


def render_charts(diff: Diff, language: Language) -> dict[str, str]:
    """Every chart by its name, which is also its file's: `flows`, `by-country`, `margin-1`, `load`..."""
    charts = {"flows": render_flows(diff, language)}
    for dimension in DIMENSIONS:
        if grouping_of(diff, dimension).names is not None:
            charts[dimension] = render_groups(diff, dimension, language)
    charts |= render_margins(diff, language)
    charts["load"] = render_load(diff, language)
    return charts


def render_margins(diff: Diff, language: Language) -> dict[str, str]:
    """At most eight thresholds with requests near them: first those where most different amounts lie.

    Three products whose figures lie near a threshold are no pattern; a hundred shipments of different sizes may be.
    """
    near = [margin for margin in diff.margins if margin.largest_bin]
    chosen = sorted(near, key=_by_interest)[:MOST_MARGINS]
    return {
        f"margin-{number}": render_margin(margin, f"margin-{number}", language)
        for number, margin in enumerate(chosen, 1)
    }


def _by_interest(margin: Margin) -> tuple[int, int]:
    different = MOST_VALUES + 1 if margin.values is None else margin.values
    return -different, -(margin.within(REACH) + margin.beyond(REACH))


# --- from A to B ----------------------------------------------------------------------------------

_CELL: Final = (104, 46)
_LEFT, _TOP = 120, 92


def render_flows(diff: Diff, language: Language) -> str:
    """Five answers by five: what it was under A in rows, what it is under B in columns."""
    title = say("what-if.table.flows", language)
    described = f"{say('what-if.chart.flows', language)} {say('what-if.chart.same', language)}"
    size = (_LEFT + 5 * _CELL[0] + 20, _TOP + 5 * _CELL[1] + 70)
    return picture("flows", size, title, described, _flow_shapes(diff, title, language))


def _flow_shapes(diff: Diff, title: str, language: Language) -> Iterator[str]:
    yield text(title, (20, 28), bold=True)
    yield text("A ↓   B →", (20, _TOP - 14), muted=True)
    largest = max(diff.flows.counts) or 1
    for place, word in enumerate(WORDS):
        centre = _LEFT + (place + 0.5) * _CELL[0]
        yield text(word_of(word, language), (centre, _TOP - 14), anchor="middle")
        middle = _TOP + (place + 0.5) * _CELL[1] + 5
        yield text(word_of(word, language), (_LEFT - 12, middle), anchor="end")
        for column, other in enumerate(WORDS):
            yield _flow_cell(diff.flows, (word, other), (place, column), largest)
    foot = _TOP + 5 * _CELL[1] + 26
    half = len(CHANGES) // 2
    for number, changes in enumerate((CHANGES[:half], CHANGES[half:])):
        legend = "  ·  ".join(f"{_SIGNS[c]} {change_word(c, language)}" for c in changes)
        yield text(legend, (20, foot + number * 20), muted=True)


def _flow_cell(
    flows: Flows, words: tuple[DecisionWord, DecisionWord], at: tuple[int, int], largest: int
) -> str:
    count = flows.count(*words)
    change = change_of(*words)
    x, y = _LEFT + at[1] * _CELL[0], _TOP + at[0] * _CELL[1]
    place = (x + 2, y + 2, _CELL[0] - 4, _CELL[1] - 4)
    shapes = box("flows", "ground", place)
    if count and change is not None:
        strength = 0.18 + 0.32 * math.log1p(count) / math.log1p(largest)
        shapes += box("flows", _FILLS[change], (place[0], place[1], 8, place[3]))
        shapes += box("flows", _flat(change), place, strength)
    sign = f"{_SIGNS[change]} " if change is not None and count else ""
    label = f"{sign}{count_text(count)}"
    centre = (x + _CELL[0] / 2 + 3, y + _CELL[1] / 2 + 5)
    return shapes + text(label, centre, anchor="middle", bold=bool(count), muted=not count)


def _flat(change: Change) -> Fill:
    """The tint behind a figure carries no pattern, so that the figure can be read; the edge beside it does."""
    return "caught" if _FILLS[change] == "caught" else "plain"


# --- who is caught and freed ----------------------------------------------------------------------

_NAME_WIDTH, _BAR_WIDTH, _ROW = 190, 210, 26


def render_groups(diff: Diff, dimension: Dimension, language: Language) -> str:
    """A bar for each name: caught and unsure to the right, freed to the left; all others together below."""
    title = say(f"what-if.table.{dimension}", language)
    described = f"{say('what-if.chart.groups', language)} {say('what-if.chart.same', language)}"
    rows = _rows(diff, dimension, language)
    size = (_NAME_WIDTH + 2 * _BAR_WIDTH + 160, 84 + _ROW * max(1, len(rows)) + 20)
    shapes = _group_shapes(dimension, title, rows, language)
    return picture(dimension, size, title, described, shapes)


def _rows(diff: Diff, dimension: Dimension, language: Language) -> list[tuple[str, Flows]]:
    grouping = grouping_of(diff, dimension)
    shown = grouping.groups[:MOST_BARS]
    rows = [(_label(group.name, dimension, language), group.flows) for group in shown]
    rest = grouping.others.plus(Flows.total(group.flows for group in grouping.groups[MOST_BARS:]))
    if rest.requests:
        count = count_text((grouping.names or 0) - len(shown))
        rows.append((say("what-if.others", language, count=count), rest))
    return rows


def _label(name: str, dimension: Dimension, language: Language) -> str:
    if dimension == "by-kind":
        return say(f"what-if.kind.{name}", language)
    return clipped(name_word(name, language), 24)


def _group_shapes(
    name: str, title: str, rows: list[tuple[str, Flows]], language: Language
) -> Iterator[str]:
    axis = _NAME_WIDTH + _BAR_WIDTH
    yield text(title, (20, 28), bold=True)
    freed = f"◄ {change_word('newly-freed', language)}"
    caught = f"{change_word('newly-caught', language)}, {change_word('became-unsure', language)} ►"
    yield text(freed, (axis - 10, 56), anchor="end", muted=True)
    yield text(caught, (axis + 10, 56), muted=True)
    yield line((axis, 64), (axis, 72 + _ROW * max(1, len(rows))))
    largest = max((_reach(flows) for _, flows in rows), default=0) or 1
    for number, (label, flows) in enumerate(rows):
        yield from _bars(name, label, flows, (72 + number * _ROW, _BAR_WIDTH / largest))


def _reach(flows: Flows) -> int:
    return max(
        flows.changed("newly-freed"),
        flows.changed("newly-caught") + flows.changed("became-unsure"),
    )


def _bars(name: str, label: str, flows: Flows, at: tuple[int, float]) -> Iterator[str]:
    top, scale = at
    axis = _NAME_WIDTH + _BAR_WIDTH
    caught, freed = flows.changed("newly-caught"), flows.changed("newly-freed")
    unsure = flows.changed("became-unsure")
    yield text(label, (_NAME_WIDTH - 60, top + 15), anchor="end")
    if freed:
        yield box(name, "freed", (axis - freed * scale, top + 3, freed * scale, _ROW - 8))
        yield text(count_text(freed), (axis - freed * scale - 5, top + 15), anchor="end")
    if caught:
        yield box(name, "caught", (axis, top + 3, caught * scale, _ROW - 8))
    if unsure:
        yield box(name, "unsure", (axis + caught * scale, top + 3, unsure * scale, _ROW - 8))
    told = " + ".join([*([count_text(caught)] if caught else []), *_questioned(unsure)])
    if told:
        yield text(told, (axis + (caught + unsure) * scale + 5, top + 15))


def _questioned(count: int) -> list[str]:
    return [f"{count_text(count)}?"] if count else []


# --- near a threshold -----------------------------------------------------------------------------

_BIN, _PLOT_HEIGHT, _PLOT_LEFT, _PLOT_TOP = 15, 180, 70, 80


def render_margin(margin: Margin, name: str, language: Language) -> str:
    """How many requests lie at which distance below and above one threshold, with the threshold's line."""
    told = threshold_text(margin.threshold)
    title = f"{told} ({say(f'what-if.kind.{margin.kind}', language)})"
    described = " ".join(
        (
            say("what-if.chart.margin", language, threshold=told),
            margin_figures(margin, language),
            say("what-if.chart.same", language),
        )
    )
    size = (_PLOT_LEFT + 2 * REACH * _BIN + 50, _PLOT_TOP + _PLOT_HEIGHT + 64)
    shapes = _margin_shapes(margin, name, title, language)
    return picture(name, size, title, described, shapes)


def _margin_shapes(margin: Margin, name: str, title: str, language: Language) -> Iterator[str]:
    foot = _PLOT_TOP + _PLOT_HEIGHT
    middle = _PLOT_LEFT + REACH * _BIN
    yield text(title, (20, 28), bold=True)
    yield text(margin_figures(margin, language), (20, 50), muted=True)
    scale = _PLOT_HEIGHT / (margin.largest_bin or 1)
    for step in range(REACH):
        low, high = margin.below[step], margin.above[step]
        yield from _bin(name, "freed", low, middle - (step + 1) * _BIN, (foot, scale))
        yield from _bin(name, "caught", high, middle + step * _BIN, (foot, scale))
    yield line((_PLOT_LEFT, foot), (_PLOT_LEFT + 2 * REACH * _BIN, foot))
    yield rule_line((middle, _PLOT_TOP - 12), (middle, foot + 6))
    for percent in (-20, -10, -5, 0, 5, 10, 20):
        x = middle + percent * _BIN
        yield text(f"{percent:+d}" if percent else "0", (x, foot + 20), anchor="middle", muted=True)
    yield text(count_text(margin.largest_bin), (_PLOT_LEFT - 8, _PLOT_TOP + 5), anchor="end")
    yield text("0", (_PLOT_LEFT - 8, foot + 4), anchor="end")
    yield text(
        say("what-if.chart.margin.axis", language), (middle, foot + 44), anchor="middle", muted=True
    )


def _bin(name: str, fill: Fill, count: int, x: float, at: tuple[int, float]) -> Iterator[str]:
    foot, scale = at
    if count:
        height = max(1.0, count * scale)
        yield box(name, fill, (x + 1, foot - height, _BIN - 2, height))


# --- licence load ---------------------------------------------------------------------------------


def render_load(diff: Diff, language: Language) -> str:
    """Applications under A and B, each with the unsure requests that may be applications too."""
    title = say("what-if.table.load", language)
    described = f"{say('what-if.chart.load', language)} {say('what-if.chart.same', language)}"
    return picture("load", (720, 190), title, described, _load_shapes(diff, title, language))


def _load_shapes(diff: Diff, title: str, language: Language) -> Iterator[str]:
    yield text(title, (20, 28), bold=True)
    yield text(say("what-if.chart.load", language), (20, 50), muted=True)
    sides = (diff.load.a, diff.load.b)
    largest = max(side.applications + side.open for side in sides) or 1
    for number, side in enumerate(sides):
        yield from _load_bar("AB"[number], side, 76 + number * 48, 420 / largest)


def _load_bar(name: str, side: LoadSide, top: int, scale: float) -> Iterator[str]:
    yield text(name, (36, top + 20), bold=True, anchor="middle")
    known, unsure = side.applications * scale, side.open * scale
    if side.applications:
        yield box("load", "caught", (60, top, known, 30))
    if side.open:
        yield box("load", "unsure", (60 + known, top, unsure, 30))
    told = " + ".join([count_text(side.applications), *_questioned(side.open)])
    yield text(told, (68 + known + unsure, top + 20))
