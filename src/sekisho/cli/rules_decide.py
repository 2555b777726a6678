"""`sekisho rules decide`: requests judged under dated packs, with every reason."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import msgspec
import typer

from sekisho.catalogue import Language, say
from sekisho.cli.answer import Answer, AsJson, deliver, verdict_code, worst_code
from sekisho.cli.progress import bar
from sekisho.cli.rules_asked import (
    PackNames,
    Packs,
    RequestFile,
    UnderReading,
    moment_of,
    read_asked,
    read_reading,
)
from sekisho.cli.rules_inputs import AsOf, At, read_instant
from sekisho.cli.surroundings import language_of
from sekisho.model.errors import InvalidInput

if TYPE_CHECKING:
    from sekisho.model.instants import Instant
    from sekisho.rules import Decision, Request, SideBySide
    from sekisho.rules.pack import Reading

__all__ = ["add_to"]


def add_to(app: typer.Typer) -> None:
    """Put the command into the group."""
    app.command()(decide)


def decide(
    context: typer.Context,
    file: RequestFile = "",
    *,
    at: At = "",
    as_of: AsOf = "",
    pack: PackNames = None,
    reading: UnderReading = "enforced",
    schema: Annotated[
        bool, typer.Option("--schema", help="Print a request's JSON Schema.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Permit, report, licence, deny or unsure, for each request, with the rules that say so.

    Law of the date --at, else of the request's own `on`, else of now. Several packs are answered side by side.
    """
    if schema:
        document = _schema()
        deliver(Answer(document=document, text=_as_text(document)), as_json=as_json)
    court = _Court(
        Packs(pack or []),
        read_instant(at, "--at"),
        read_instant(as_of, "--as-of"),
        read_reading(reading),
        language_of(context),
    )
    asked = read_asked(file)
    rows = []
    with bar(say("rules.text.bar", court.language)) as heard:
        for number, (line, request) in enumerate(asked.rows, 1):
            rows.append(court.row(line, request, alone=not asked.several))
            heard(number, len(asked.rows))
    document = asked.document([row for row, _, _ in rows])
    text = "\n".join(text for _, text, _ in rows)
    code = worst_code(code for _, _, code in rows)
    deliver(Answer(document=document, text=text, exit_code=code), as_json=as_json)


class _Court:
    """What the flags ask for, for every request alike."""

    def __init__(
        self,
        packs: Packs,
        at: Instant | None,
        as_of: Instant | None,
        reading: Reading,
        language: Language,
    ) -> None:
        self._packs, self._at, self._as_of, self._reading = packs, at, as_of, reading
        self.language = language

    def row(
        self, line: int, request: Request | InvalidInput, *, alone: bool
    ) -> tuple[object, str, int]:
        """One request's document, its lines for a person, and its exit code; the only one's error is raised."""
        from sekisho.cli.rules_decision_text import decision_lines, side_by_side_lines
        from sekisho.model.wire import to_plain
        from sekisho.rules import SideBySide

        try:
            if isinstance(request, InvalidInput):
                raise request
            answer = self._answer(request)
        except InvalidInput as error:
            if alone:
                raise
            return {"line": line, "error": str(error)}, f"line {line}: {error}", 2
        lines = (
            side_by_side_lines(answer, self.language)
            if isinstance(answer, SideBySide)
            else decision_lines(answer, self.language)
        )
        lines += _strange_chips(request, self.language)
        return to_plain(answer), "\n".join(lines), verdict_code(answer.decision)

    def _answer(self, request: Request) -> Decision | SideBySide:
        from sekisho.rules import decide as judge
        from sekisho.rules import decide_side_by_side

        at = moment_of(request, self._at)
        packs = self._packs.judging(request, at, self._reading, self._as_of)
        if len(packs) == 1:
            return judge(request, packs[0], at, self._as_of, reading=self._reading)
        return decide_side_by_side(request, packs, at, self._as_of, reading=self._reading)


def _strange_chips(request: Request, language: Language) -> list[str]:
    """Names of chips that no table has: perhaps slips of the pen, and the reason why so much is open."""
    from sekisho.cli.plain_text import quote
    from sekisho.model.chips import known_chips

    item, cluster = getattr(request, "item", None), getattr(request, "cluster", None)
    names = [item.chip] if item is not None and item.chip and item.spec is None else []
    names += [row.chip for row in cluster.chips if row.declared is None] if cluster else []
    table = known_chips()
    return [
        f"  {say('rules.text.strange-chip', language, name=quote(name))}"
        for name in dict.fromkeys(names)
        if table.find(name) is None
    ]


def _schema() -> object:
    """The schema of the five kinds; `facts` tells under which names the shipped packs ask for more."""
    from sekisho.rules import load_pack, pack_names, request_schema

    told = []
    for pack in (load_pack(name) for name in pack_names()):
        told += [
            f"{pack.name}: {name} ({one.kind}{f' in {one.unit}' if one.unit else ''}): {one.means}"
            for name, one in pack.quantities.items()
        ]
    document = request_schema()
    for shape in document["$defs"].values():
        facts = shape.get("properties", {}).get("facts")
        if facts is not None:
            facts["description"] = "Facts that packs ask for by names of their own. " + "; ".join(
                told
            )
    return document


def _as_text(document: object) -> str:
    return msgspec.json.format(msgspec.json.encode(document), indent=2).decode()
