"""`sekisho rules diff`: who is newly caught or freed between two packs; and a made-up population to try it on."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sekisho.catalogue import Language, say
from sekisho.cli.answer import Answer, AsJson, deliver
from sekisho.cli.progress import bar
from sekisho.cli.rows_file import RowsFile, open_rows
from sekisho.cli.rules_inputs import AsOf, now, read_instant, read_pack
from sekisho.cli.surroundings import language_of
from sekisho.model.errors import InvalidInput

if TYPE_CHECKING:
    from sekisho.cli.rules_population import Asked, SideAsked
    from sekisho.model.instants import Instant
    from sekisho.rules import Pack
    from sekisho.rules.pack import Reading
    from sekisho.rules.what_if import Diff, Side

__all__ = ["add_to"]

_READINGS = ("enforced", "codified", "announced")
_LANGUAGES = ("en", "ja")
_MOST_SAMPLE = 10_000_000
Over = Annotated[
    str,
    typer.Option("--over", metavar="F", help="Requests as JSON lines, gzip or not; - for stdin."),
]
AtB = Annotated[str, typer.Option("--at-b", help="Law of this date for B; as A if left out.")]
ReadingA = Annotated[str, typer.Option("--reading-a", help="enforced, codified or announced.")]
ReadingB = Annotated[str, typer.Option("--reading-b", help="The same for B; as A if left out.")]
Examples = Annotated[int, typer.Option("--examples", min=0, max=1000, help="Listed a change.")]
Processes = Annotated[
    int, typer.Option("--processes", min=0, max=16, help="How many judge; all cores if left out.")
]
Accounts = Annotated[
    bool, typer.Option("--accounts", help="Fill `so_far` of transfers from the rows before.")
]
SvgFolder = Annotated[str, typer.Option("--svg", help="A new folder for charts and a page.")]
CsvFile = Annotated[str, typer.Option("--csv", help="A new file for every changed or refused row.")]
Lang = Annotated[str, typer.Option("--lang", help="en or ja, for tables and charts.")]


def add_to(app: typer.Typer) -> None:
    """Put the commands into the group."""
    app.command()(diff)
    app.command("sample-population")(sample_population)


def diff(
    context: typer.Context,
    pack_a: Annotated[str, typer.Argument(metavar="PACK_A", help="A pack's name or .yaml file.")],
    pack_b: Annotated[str, typer.Argument(metavar="PACK_B", help="The same, or the same pack.")],
    *,
    over: Over,
    at: Annotated[
        str, typer.Option("--at", help="Law of this date; each request's own day, else now.")
    ] = "",
    at_b: AtB = "",
    as_of: AsOf = "",
    reading_a: ReadingA = "enforced",
    reading_b: ReadingB = "",
    examples: Examples = 20,
    accounts: Accounts = False,
    processes: Processes = 0,
    svg: SvgFolder = "",
    csv: CsvFile = "",
    lang: Lang = "",
    as_json: AsJson = False,
) -> None:
    """Who changes, counted and listed, with the rule responsible; licence load; margins below thresholds.

    Ends with 0, with 2 where a row was refused, with 3 where not one request could be decided.
    """
    from sekisho.cli.rules_diff_text import diff_text
    from sekisho.cli.rules_population import Asked
    from sekisho.rules.what_if import diff_document

    language = _language(lang, context)
    a, b = read_pack(pack_a), read_pack(pack_b)
    known, today = read_instant(as_of, "--as-of"), now()
    moment = read_instant(at, "--at")
    dates = (moment, read_instant(at_b, "--at-b") or moment)
    readings = (_reading(reading_a, "--reading-a"), _reading(reading_b or reading_a, "--reading-b"))
    sides = [
        _side(name, pack, (day, today, known), reading)
        for name, pack, day, reading in zip((pack_a, pack_b), (a, b), dates, readings, strict=True)
    ]
    asked = Asked(
        a=sides[0],
        b=sides[1],
        file=over,
        examples=examples,
        with_rows=bool(csv),
        with_accounts=accounts,
        processes=processes or os.cpu_count() or 1,
    )
    folder = _new_folder(svg)
    with open_rows(csv) as rows:
        found = _judge(asked, (sides[0].load(a), sides[1].load(b)), rows, language)
    lines = [diff_text(found, language)]
    if folder is not None:
        lines.append(_write_charts(found, folder, language))
    if csv:
        lines.append(say("what-if.csv-written", language, rows=f"{rows.count:,}", path=csv))
    code = 2 if found.refused else 3 if found.decided_nothing else 0
    answer = Answer(document=diff_document(found), text="\n".join(lines), exit_code=code)
    deliver(answer, as_json=as_json)


def _judge(asked: Asked, sides: tuple[Side, Side], rows: RowsFile, language: Language) -> Diff:
    from sekisho.cli.rules_population import judge_population
    from sekisho.model.chips import known_chips
    from sekisho.rules.accounts import Accounts
    from sekisho.rules.what_if import Tally, conclude

    past = Accounts() if asked.with_accounts else None
    tally = Tally(*sides, known_chips(), examples=asked.examples, accounts=past)
    with bar(say("what-if.bar", language)) as show:
        counts = judge_population(asked, tally, rows.write, show)
    if not counts.refusals and not counts.pairs:
        raise InvalidInput(
            "holds no request", path=asked.file, remedy="write one JSON object a line"
        )
    return conclude(counts, tally.sittings)


def _side(
    name: str,
    pack: Pack,
    days: tuple[Instant | None, Instant, Instant | None],
    reading: Reading,
) -> SideAsked:
    from sekisho.cli.rules_population import SideAsked

    at, today, known = days
    return SideAsked(
        pack=name,
        sha256=pack.sha256,
        at_us=None if at is None else at.us,
        now_us=today.us,
        as_of_us=None if known is None else known.us,
        reading=reading,
    )


def _reading(word: str, flag: str) -> Reading:
    if word not in _READINGS:
        raise InvalidInput(
            f"{word[:40]!r} is no reading", path=flag, remedy=f"write {', '.join(_READINGS)}"
        )
    found: dict[str, Reading] = {
        "enforced": "enforced",
        "codified": "codified",
        "announced": "announced",
    }
    return found[word]


def _language(lang: str, context: typer.Context) -> Language:
    if lang and lang not in _LANGUAGES:
        raise InvalidInput(f"{lang[:40]!r} is no language", path="--lang", remedy="write en or ja")
    known: dict[str, Language] = {"en": "en", "ja": "ja"}
    return known.get(lang) or language_of(context)


def _new_folder(name: str) -> Path | None:
    """The folder for charts, made before a long count begins. Raises InvalidInput where something is in it."""
    if not name:
        return None
    folder = Path(name)
    folder.mkdir(parents=True, exist_ok=True)
    if next(folder.iterdir(), None) is not None:
        raise InvalidInput("is not empty", path=name, remedy="name a new folder")
    return folder


def _write_charts(found: Diff, folder: Path, language: Language) -> str:
    """One file a chart, the page last: a page that is there has all its charts beside it."""
    from sekisho.rules.what_if import render_charts, render_page

    for name, drawn in render_charts(found, language).items():
        (folder / f"{name}.svg").write_text(drawn, encoding="utf-8")
    page = folder / "index.html"
    page.write_text(render_page(found, language), encoding="utf-8")
    return say("what-if.written", language, path=str(page))


def sample_population(
    count: Annotated[int, typer.Option("--count", min=1, max=_MOST_SAMPLE, help="Rows.")] = 300,
    seed: Annotated[int, typer.Option("--seed", min=0, help="Another seed, other rows.")] = 1,
    pack: Annotated[
        str, typer.Option("--pack", help="Answer the facts that this pack asks for as well.")
    ] = "",
    year: Annotated[
        int,
        typer.Option("--year", min=0, max=9998, help="Days of this year, nothing told of before."),
    ] = 0,
    out: Annotated[
        str, typer.Option("--out", help="A new file; standard output if left out.")
    ] = "",
) -> None:
    """Print made-up requests as JSON lines, to try `rules diff` on; the same seed gives the same rows."""
    import msgspec

    from sekisho.rules.what_if import sample_population as sample

    encode = msgspec.json.Encoder().encode
    facts = read_pack(pack).quantities if pack else {}
    rows = (encode(row) + b"\n" for row in sample(count, seed, facts, year or None))
    if not out:
        sys.stdout.buffer.writelines(rows)
        sys.stdout.flush()
        return
    try:
        with Path(out).open("xb") as file:
            file.writelines(rows)
    except FileExistsError:
        raise InvalidInput("is there already", path=out, remedy="name a new file") from None
