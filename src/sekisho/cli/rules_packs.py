"""`sekisho rules packs` and `show`: the packs at hand, and what one says on a date."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from sekisho.cli.answer import Answer, AsJson, deliver
from sekisho.cli.rules_inputs import At, now, read_instant, read_pack

if TYPE_CHECKING:
    from sekisho.model.instants import Instant
    from sekisho.rules import Pack

__all__ = ["add_to"]


def add_to(app: typer.Typer) -> None:
    """Put the commands into the group."""
    app.command()(packs)
    app.command()(show)


def packs(as_json: AsJson = False) -> None:
    """The packs at hand: name, version and the SHA-256 of their bytes."""
    from sekisho.rules import pack_names

    found = [read_pack(name) for name in pack_names()]
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


def show(
    name: Annotated[str, typer.Argument(help="A pack's name, or the path of a .yaml file.")] = "",
    at: At = "",
    as_json: AsJson = False,
) -> None:
    """What a pack says on a date: thresholds with their sources, and which rules act."""
    from sekisho.model.wire import to_plain

    pack = read_pack(name)
    moment = read_instant(at, "--at") or now()
    document = {
        "policy": to_plain(pack.reference),
        "title": pack.title,
        "at": str(moment),
        "parameters": [_parameter_row(pack, name, moment) for name in pack.parameters],
        "rules": [_rule_row(pack, index, moment) for index in range(len(pack.rules))],
    }
    deliver(Answer(document=document, text=_pack_text(pack, moment)), as_json=as_json)


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
