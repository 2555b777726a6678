"""What if these rules were those, for a page and for the API: two sides, a bounded population, tables and charts."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from http import HTTPStatus
from typing import Any, Final

import msgspec
from markupsafe import Markup

from sekisho.catalogue import Language
from sekisho.model.errors import InvalidInput
from sekisho.model.instants import Instant
from sekisho.model.wire import canonical
from sekisho.rules import Pack, Request, parse_request, parse_requests
from sekisho.rules.what_if import (
    Diff,
    Side,
    Table,
    diff,
    render_charts,
    render_tables,
    sample_population,
    summary_lines,
)
from sekisho.web.plane import Plane
from sekisho.web.problems import problem_of
from sekisho.web.rules_asking import parse_when, require_pack
from sekisho.web.rules_forms import Fields

__all__ = [
    "MOST_POPULATION",
    "MOST_ROWS",
    "Compared",
    "Drawn",
    "compare",
    "comparing_page",
    "draw",
    "read_population",
    "sample_requests",
    "side_of",
]

MOST_POPULATION: Final = 8 * 1024 * 1024
MOST_ROWS: Final = 20_000
SAMPLES: Final = ("300", "2000", "10000")
_SEED: Final = 1
# The charts bring a style element for a dark ground; here the page's own sheet has it, and the policy lets no other in.
_STYLE: Final = re.compile(r"<style>.*?</style>", re.DOTALL)
Rows = list[tuple[int, Request | InvalidInput]]


class Drawn(msgspec.Struct, frozen=True, kw_only=True):
    """A table, and the charts that show the same."""

    table: Table
    charts: tuple[Markup, ...]


class Compared(msgspec.Struct, frozen=True, kw_only=True):
    """The comparison as a page shows it."""

    found: Diff
    lines: tuple[str, ...]
    parts: tuple[Drawn, ...]


def read_population(data: bytes, file: str) -> Rows:
    """Requests as JSON lines or one list. Raises InvalidInput for none, and for more than a page can judge."""
    return parse_requests(data, file=file, most=MOST_ROWS)


def sample_requests(count: int, packs: Iterable[Pack]) -> Iterator[Request]:
    """Made-up requests, the same for the same count; facts of their own only where every pack asks for them."""
    asked = set.intersection(*(set(pack.quantities) for pack in packs))
    for row in sample_population(count, _SEED, asked):
        yield parse_request(canonical(row))


def side_of(plane: Plane, fields: Fields, name: str) -> Side:
    """One side from the fields `a_pack`, `a_at`, `a_reading`, and `as_of` of both. Raises InvalidInput."""
    when = parse_when(
        fields.text(f"{name}_at"), fields.text("as_of"), fields.text(f"{name}_reading")
    )
    return Side(
        pack=require_pack(plane, fields.text(f"{name}_pack")),
        at=when.at,
        now=plane.control.clock.now(),
        as_of=when.as_of,
        reading=when.reading,
    )


def compare(a: Side, b: Side, rows: Rows | Iterable[Request]) -> Diff:
    """Every request under both sides."""
    return diff(rows, a, b)


def draw(found: Diff, language: Language) -> Compared:
    """Tables with their charts; what a chart shows its table says."""
    charts = {
        name: Markup(_STYLE.sub("", svg))  # noqa: S704  # the charts escape every foreign word themselves
        for name, svg in render_charts(found, language).items()
    }
    return Compared(
        found=found,
        lines=summary_lines(found, language),
        parts=tuple(
            Drawn(table=table, charts=tuple(_charts_of(table.name, charts)))
            for table in render_tables(found, language)
        ),
    )


def comparing_page(
    plane: Plane, fields: Fields, uploaded: bytes | None, language: Language
) -> dict[str, Any]:
    """The form as it was sent, with the comparison or what was wrong."""
    form = {
        "fields": fields,
        "names": plane.control.rules.names(),
        "samples": SAMPLES,
        "most": MOST_POPULATION // 1024 // 1024,
        "compared": None,
        "problem": None,
        "status": HTTPStatus.OK,
    }
    if not fields.values:
        return form
    try:
        a, b = side_of(plane, fields, "a"), side_of(plane, fields, "b")
        found = compare(a, b, _population(fields, uploaded, (a.pack, b.pack)))
    except InvalidInput as error:
        problem = problem_of(error)
        return {**form, "problem": problem, "status": HTTPStatus(problem.status)}
    return {**form, "compared": draw(found, language)}


def _population(
    fields: Fields, uploaded: bytes | None, packs: tuple[Pack, Pack]
) -> Rows | Iterable[Request]:
    if uploaded:
        return read_population(uploaded, "population")
    count = fields.text("sample") or SAMPLES[0]
    if count not in SAMPLES:
        raise InvalidInput("is no size of sample", path="sample", remedy=f"one of {SAMPLES}")
    return sample_requests(int(count), packs)


def _charts_of(table: str, charts: dict[str, Markup]) -> Iterator[Markup]:
    if table == "margins":
        yield from (svg for name, svg in charts.items() if name.startswith("margin-"))
    elif table in charts:
        yield charts[table]


def today(at: Instant | None) -> str:
    """A date for a field of a form."""
    return str(at)[:10] if at is not None else ""
