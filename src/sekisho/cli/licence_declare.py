"""`sekisho licence declare`: a party's own word on what it is going to run, before anything is asked or decided."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sekisho.cli.answer import AsJson
from sekisho.cli.drafting import DraftOut, deliver_draft
from sekisho.cli.durations import parse_length
from sekisho.cli.surroundings import HomeFolder, LogPlace, PolicyFile, Sources, look
from sekisho.model.amounts import format_flop, parse_quantity
from sekisho.model.errors import InvalidInput

if TYPE_CHECKING:
    from sekisho.model.wire import JsonValue

__all__ = ["add_to"]

_Run = Annotated[str, typer.Option("--run", help="The run's name.")]
_Party = Annotated[str, typer.Option("--party", help="The enrolled party that declares it.")]
_Site = Annotated[str, typer.Option("--site", help="Where it runs.")]
_Purpose = Annotated[str, typer.Option("--purpose", help="What for; it is public.")]
_ByModel = Annotated[
    str, typer.Option("--planned-flop", help="FLOP from the model's size, as 1e21.")
]
_ByHardware = Annotated[
    str, typer.Option("--planned-flop-hardware", help="FLOP from hardware and time, as 1e21.")
]
_Lasts = Annotated[str, typer.Option("--lasts", help="How long from now: 24h, 14d.")]
_Jurisdictions = Annotated[
    list[str] | None, typer.Option("--jurisdiction", help="As JP or US-CA; repeat.")
]
_Hosts = Annotated[list[str] | None, typer.Option("--host", help="An enrolled host; repeat.")]
_Chips = Annotated[
    list[str] | None, typer.Option("--chip", help="NAME=COUNT of the chips used; repeat.")
]
_Scratch = Annotated[bool, typer.Option("--scratch", help="It starts from no weights at all.")]
_Parents = Annotated[
    list[str] | None,
    typer.Option("--parent", help="SHA-256 of a checkpoint that it starts from; repeat."),
]
_PostTraining = Annotated[
    bool, typer.Option("--post-training", help="It trains a finished model further.")
]


def add_to(app: typer.Typer) -> None:
    """Add this part's command to the group."""
    app.command()(declare)


def declare(
    context: typer.Context,
    *,
    run: _Run,
    party: _Party,
    site: _Site,
    purpose: _Purpose,
    planned_flop: _ByModel,
    planned_flop_hardware: _ByHardware,
    lasts: _Lasts,
    out: DraftOut,
    jurisdictions: _Jurisdictions = None,
    hosts: _Hosts = None,
    chips: _Chips = None,
    scratch: _Scratch = False,
    parents: _Parents = None,
    post_training: _PostTraining = False,
    home: HomeFolder = "",
    log: LogPlace = "",
    policy: PolicyFile = "",
    as_json: AsJson = False,
) -> None:
    """Draft a run's declaration, and show it; the party's own key signs it."""
    from sekisho.model.statements import RunDeclared
    from sekisho.model.wire import from_json

    if not jurisdictions or not hosts:
        missing = "--host" if jurisdictions else "--jurisdiction"
        raise InvalidInput("is missing", path=missing, remedy="name one or more")
    view = look(context, Sources(home=home, log=log, policy=policy))
    end = view.now.plus(parse_length(lasts, path="--lasts"))
    fields: dict[str, JsonValue] = {
        "effective": str(view.now),
        "run": run,
        "party": party,
        "site": site,
        "jurisdictions": [*jurisdictions],
        "purpose": purpose,
        "lineage": _lineage(parents or [], scratch=scratch),
        "chips": [_chip(text) for text in chips or ()],
        "hosts": [*hosts],
        "planned_flop": _flop(planned_flop, "--planned-flop"),
        "planned_flop_hardware": _flop(planned_flop_hardware, "--planned-flop-hardware"),
        "post_training": post_training,
        "period": {"start": str(view.now), "end": str(end)},
    }
    fact = from_json(RunDeclared, fields, path="run-declared")
    deliver_draft(view, fact, Path(out), as_json=as_json)


def _lineage(parents: list[str], *, scratch: bool) -> dict[str, JsonValue]:
    """Where the weights come from, said and never guessed. Raises InvalidInput unless it is one of the two."""
    if scratch == bool(parents):
        raise InvalidInput(
            "both given" if scratch else "neither given, one is needed",
            path="--scratch, --parent",
            remedy="say --scratch, or --parent with the SHA-256 of each checkpoint it starts from",
        )
    return {"scratch": scratch, "parents": [*parents]}


def _chip(text: str) -> dict[str, JsonValue]:
    name, equals, count = text.rpartition("=")
    if not (name and equals):
        raise InvalidInput(
            f"{text[:80]!r} is not NAME=COUNT", path="--chip", remedy="write 'NVIDIA H100 SXM=8'"
        )
    return {"chip": name, "count": parse_quantity(count, path="--chip")}


def _flop(text: str, flag: str) -> str:
    return format_flop(parse_quantity(text, path=flag))
