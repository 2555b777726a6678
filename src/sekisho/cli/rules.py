"""`sekisho rules`: decide run requests under a dated pack, and read what a pack says."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer

from sekisho.cli.answer import Answer, AsJson, deliver, verdict_code, worst_code
from sekisho.cli.reading import read_input
from sekisho.model.errors import InvalidInput
from sekisho.model.instants import Instant, parse_date_or_instant

if TYPE_CHECKING:
    from sekisho.rules import Decision, Pack, RunRequest

__all__ = ["app"]

app = typer.Typer(
    help="Decide runs under a dated rule pack, with every reason.", no_args_is_help=True
)
_LIMIT = 64 * 1024 * 1024
_PackName = Annotated[
    str, typer.Option("--pack", help="A pack's name, or the path of a .yaml file.")
]
_At = Annotated[str, typer.Option("--at", help="Law of this date or instant; now if left out.")]


@app.command()
def decide(
    file: Annotated[
        str, typer.Argument(help="One request or JSON lines; - for standard input.")
    ] = "",
    at: _At = "",
    as_of: Annotated[
        str, typer.Option("--as-of", help="Only what was known on this date; all if left out.")
    ] = "",
    pack: _PackName = "",
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
    rules = _pack(pack)
    moment, known = _instant(at, "--at") or _now(), _instant(as_of, "--as-of")
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


@app.command()
def packs(as_json: AsJson = False) -> None:
    """The packs at hand: name, version and the SHA-256 of their bytes."""
    from sekisho.rules import load_pack, pack_names

    found = [load_pack(name) for name in pack_names()]
    document = [
        {
            "name": p.name,
            "version": p.version,
            "sha256": p.sha256,
            "title": p.title,
            "rules": len(p.rules),
        }
        for p in found
    ]
    text = "\n".join(f"{p.name} {p.version}  {p.title}\n  sha256 {p.sha256}" for p in found)
    deliver(Answer(document=document, text=text), as_json=as_json)


@app.command()
def show(
    name: Annotated[str, typer.Argument(help="A pack's name, or the path of a .yaml file.")] = "",
    at: _At = "",
    as_json: AsJson = False,
) -> None:
    """What a pack says on a date: thresholds with their sources, and which rules act."""
    from sekisho.model.wire import to_plain

    pack = _pack(name)
    moment = _instant(at, "--at") or _now()
    document = {
        "policy": to_plain(pack.reference),
        "title": pack.title,
        "at": str(moment),
        "parameters": [_parameter_row(pack, name, moment) for name in pack.parameters],
        "rules": [_rule_row(pack, index, moment) for index in range(len(pack.rules))],
    }
    deliver(Answer(document=document, text=_pack_text(pack, moment)), as_json=as_json)


def _pack(name: str) -> Pack:
    from sekisho.rules import DEFAULT_PACK, load_pack, parse_pack

    if name.endswith((".yaml", ".yml")):
        return parse_pack(read_input(name, limit=2**20 + 1), name)
    return load_pack(name or DEFAULT_PACK)


def _instant(text: str, flag: str) -> Instant | None:
    return parse_date_or_instant(text, path=flag) if text else None


def _now() -> Instant:
    return Instant.from_seconds(datetime.now(UTC).timestamp())


def _row(
    line: int, asked: RunRequest | InvalidInput, pack: Pack, when: tuple[Instant, Instant | None]
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


def _parameter_row(pack: Pack, name: str, at: Instant) -> dict[str, object]:
    parameter = pack.parameters[name]
    dated = parameter.at(at)
    value = None if dated is None or dated.value is None else str(dated.value)
    return {
        "name": name,
        "value": value,
        "unit": parameter.unit,
        "means": parameter.means,
        "source": f"{dated.source}, {dated.cite}" if dated is not None else "",
        "mark": dated.mark if dated is not None else "",
    }


def _rule_row(pack: Pack, index: int, at: Instant) -> dict[str, object]:
    rule = pack.rules[index]
    status = rule.status_at(at)
    return {
        "id": rule.id,
        "outcome": rule.outcome,
        "acts": status is not None and status.acts,
        "status": status.word if status is not None else "unknown",
        "cite": rule.cite,
        "binding": rule.binding,
        "duty": rule.duty,
    }


def _pack_text(pack: Pack, at: Instant) -> str:
    lines = [
        f"{pack.name} {pack.version} at {at}",
        f"sha256 {pack.sha256}",
        pack.title,
        pack.note,
        "",
    ]
    for name in pack.parameters:
        row = _parameter_row(pack, name, at)
        lines.append(f"{name}: {row['value']} {row['unit']} ({row['source']}; {row['mark']})")
        lines.append(f"  {row['means']}")
    for index in range(len(pack.rules)):
        row = _rule_row(pack, index, at)
        acts = "acts" if row["acts"] else "does not act"
        lines.append(f"{row['id']}: {row['outcome']}; {row['status']}, {acts} ({row['cite']})")
        lines.append(f"  {row['duty']} [{row['binding']}]")
    return "\n".join(lines)


def _as_text(document: object) -> str:
    import msgspec

    return msgspec.json.format(msgspec.json.encode(document), indent=2).decode()
