"""`sekisho rules timeline`: one request judged on several dates, with the differences explained."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Final

import typer

from sekisho.catalogue import Language, say
from sekisho.cli.answer import Answer, AsJson, deliver, verdict_code, worst_code
from sekisho.cli.plain_text import tame
from sekisho.cli.progress import bar
from sekisho.cli.rules_asked import (
    PackNames,
    Packs,
    RequestFile,
    UnderReading,
    read_asked,
    read_reading,
)
from sekisho.cli.rules_inputs import AsOf, read_instant
from sekisho.cli.surroundings import language_of
from sekisho.model.errors import InvalidInput
from sekisho.model.instants import Instant, parse_date_or_instant

if TYPE_CHECKING:
    from sekisho.rules import Decision, Difference, Pack, Request
    from sekisho.rules.pack import Reading

__all__ = ["DATES", "add_to"]

# The rules of October 2022; of November 2023; the Diffusion Framework; the guidance of May 2025; the case-by-case
# rule of January 2026; the day on which the suspension of the affiliates rule ends.
DATES: Final = (
    "2022-10-08",
    "2023-12-01",
    "2025-01-20",
    "2025-06-01",
    "2026-02-01",
    "2026-11-10",
)
_LONGEST: Final = 1000


def add_to(app: typer.Typer) -> None:
    """Put the command into the group."""
    app.command()(timeline)


def timeline(
    context: typer.Context,
    file: RequestFile = "",
    *,
    at: Annotated[
        list[str] | None,
        typer.Option("--at", help=f"A date, several times; {', '.join(DATES)} if left out."),
    ] = None,
    as_of: AsOf = "",
    pack: PackNames = None,
    reading: UnderReading = "enforced",
    as_json: AsJson = False,
) -> None:
    """The same request on several dates: each answer, and which change of law lies between two of them."""
    dates = sorted({parse_date_or_instant(text, path="--at") for text in at or DATES})
    if len(dates) > _LONGEST:
        raise InvalidInput(f"more than {_LONGEST} dates", path="--at", remedy="ask for fewer")
    known, under = read_instant(as_of, "--as-of"), read_reading(reading)
    packs, asked, language = Packs(pack or []), read_asked(file), language_of(context)
    rows: list[tuple[object, str, int]] = []
    with bar(say("rules.text.bar", language)) as heard:
        for number, (line, request) in enumerate(asked.rows, 1):
            if isinstance(request, InvalidInput):
                rows.append(({"line": line, "error": str(request)}, f"line {line}: {request}", 2))
            else:
                rows += [
                    _row(_Line(request, one, dates, known, under), language)
                    for one in _packs(packs, request, dates, known, under)
                ]
            heard(number, len(asked.rows))
    several = asked.several or len(rows) > 1
    document = [row for row, _, _ in rows] if several else rows[0][0]
    text = "\n".join(text for _, text, _ in rows)
    code = worst_code(code for _, _, code in rows)
    deliver(Answer(document=document, text=text, exit_code=code), as_json=as_json)


def _packs(
    packs: Packs,
    request: Request,
    dates: Sequence[Instant],
    known: Instant | None,
    under: Reading,
) -> list[Pack]:
    """Every pack that has an answer on one of the dates."""
    found = {pack.name: pack for at in dates for pack in packs.judging(request, at, under, known)}
    return list(found.values())


class _Line:
    """One request under one pack, along the dates."""

    def __init__(
        self,
        request: Request,
        pack: Pack,
        dates: Sequence[Instant],
        as_of: Instant | None,
        reading: Reading,
    ) -> None:
        from sekisho.rules import decide, explain_difference

        answers = [decide(request, pack, at, as_of, reading=reading) for at in dates]
        self.id, self.pack = request.id, pack
        pairs = itertools.pairwise(answers)
        changes = [(), *(explain_difference(one, other) for one, other in pairs)]
        self.stops: list[tuple[Decision, tuple[Difference, ...]]] = list(
            zip(answers, changes, strict=True)
        )


def _row(line: _Line, language: Language) -> tuple[object, str, int]:
    from sekisho.model.wire import to_plain

    document = {
        "id": line.id,
        "policy": to_plain(line.pack.reference),
        "dates": [
            {
                "at": str(answer.at),
                "decision": answer.decision,
                "rules": to_plain(answer.rules),
                "exceptions": to_plain(answer.exceptions),
                "missing": list(answer.missing),
                "warnings": list(answer.warnings),
                "differences": to_plain(changes),
            }
            for answer, changes in line.stops
        ],
    }
    code = worst_code(verdict_code(answer.decision) for answer, _ in line.stops)
    return document, "\n".join(_lines(line, language)), code


def _lines(line: _Line, language: Language) -> list[str]:
    from sekisho.rules.acting import day
    from sekisho.rules.answer_words import missing_in_words

    lines = [f"{tame(line.id)}: {line.pack.name} {line.pack.version}"]
    for answer, changes in line.stops:
        why = ", ".join(rule.id for rule in answer.rules)
        why = (
            why
            or ", ".join(missing_in_words(answer.missing, language))
            or say("rules.no-rule", language)
        )
        lines.append(f"  {day(answer.at)}  {answer.decision:<8}{tame(why)}")
        bearing = [change for change in changes if change.bears]
        for change in bearing:
            words = change.says_ja if language == "ja" else change.says
            lines.append(f"    - {tame(words)}")
        if len(changes) > len(bearing):
            count = len(changes) - len(bearing)
            lines.append(f"    {say('rules.text.others', language, count=count)}")
    return lines
