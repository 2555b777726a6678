"""`sekisho rules decide`: requests judged under a dated pack, with every reason."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from sekisho.cli.answer import Answer, AsJson, deliver, verdict_code, worst_code
from sekisho.cli.reading import read_input
from sekisho.cli.rules_inputs import AsOf, At, PackName, now, read_instant, read_pack
from sekisho.model.errors import InvalidInput

if TYPE_CHECKING:
    from sekisho.model.instants import Instant
    from sekisho.rules import Decision, Pack, Request

__all__ = ["add_to"]

_LIMIT = 64 * 1024 * 1024


def add_to(app: typer.Typer) -> None:
    """Put the command into the group."""
    app.command()(decide)


def decide(
    file: Annotated[
        str, typer.Argument(help="One request or JSON lines; - for standard input.")
    ] = "",
    at: At = "",
    as_of: AsOf = "",
    pack: PackName = "",
    schema: Annotated[
        bool, typer.Option("--schema", help="Print a request's JSON Schema.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Permit, report, licence, deny or unsure, for each request, with the rules that say so."""
    from sekisho.rules import parse_requests, request_schema

    if schema:
        deliver(Answer(document=request_schema(), text=_as_text(request_schema())), as_json=as_json)
    if not file:
        raise InvalidInput(
            "no file of requests", path="F", remedy="name a file, or - for standard input"
        )
    rules = read_pack(pack)
    moment, known = read_instant(at, "--at") or now(), read_instant(as_of, "--as-of")
    data = read_input(file, limit=_LIMIT)
    requests = parse_requests(data, file=file)
    if len(requests) == 1 and isinstance(requests[0][1], InvalidInput):
        raise requests[0][1]
    rows = [_row(line, asked, rules, (moment, known)) for line, asked in requests]
    several = len(rows) > 1 or file.endswith(".jsonl") or data.lstrip().startswith(b"[")
    document: object = [row for row, _, _ in rows] if several else rows[0][0]
    text = "\n".join(line for _, line, _ in rows)
    code = worst_code(code for _, _, code in rows)
    deliver(Answer(document=document, text=text, exit_code=code), as_json=as_json)


def _row(
    line: int, asked: Request | InvalidInput, pack: Pack, when: tuple[Instant, Instant | None]
) -> tuple[object, str, int]:
    """One request's document, its line for a person, and its exit code."""
    from sekisho.model.wire import to_plain
    from sekisho.rules import decide as judge

    if isinstance(asked, InvalidInput):
        return {"line": line, "error": str(asked)}, f"line {line}: {asked}", 2
    decision = judge(asked, pack, when[0], when[1])
    return to_plain(decision), _decision_text(decision), verdict_code(decision.decision)


def _decision_text(decision: Decision) -> str:
    lines = [f"{decision.id}: {decision.decision}"]
    for rule in decision.rules:
        asked = f"{rule.quantity} {rule.value} {rule.op} {rule.threshold} {rule.unit}".rstrip()
        lines.append(
            f"  {rule.outcome}: {rule.id} ({rule.cite}; {rule.status}): {asked}: {rule.truth}"
        )
        lines.append(f"    {rule.duty} [{rule.binding}]")
    if decision.missing:
        lines.append(f"  missing: {', '.join(decision.missing)}")
    policy = decision.policy
    lines.append(
        f"  by {policy.name} {policy.version} (sha256 {policy.sha256[:16]}...) at {decision.at}"
    )
    return "\n".join(lines)


def _as_text(document: object) -> str:
    import msgspec

    return msgspec.json.format(msgspec.json.encode(document), indent=2).decode()
