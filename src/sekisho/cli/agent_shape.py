"""`sekisho agent shape`: what leaves a host's set is slowed to the licence's limit, and not any more."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import msgspec
import typer

from sekisho.catalogue import say
from sekisho.cli.answer import Answer, AsJson, deliver
from sekisho.cli.surroundings import language_of
from sekisho.model.errors import InvalidInput

__all__ = ["add_to"]


def add_to(app: typer.Typer) -> None:
    """Put the command under `sekisho agent`."""
    app.command("shape")(shape)


def shape(
    context: typer.Context,
    *,
    interface: Annotated[str, typer.Option(help="An interface that leads out of the set.")],
    rate: Annotated[int, typer.Option(help="Bytes a second that may leave by it.")] = 0,
    inside: Annotated[
        list[str] | None,
        typer.Option(help="A prefix inside the set (10.1.0.0/16), not slowed; again for more."),
    ] = None,
    state: Annotated[
        Path, typer.Option(help="Where it is remembered what stood there before.")
    ] = Path("/run/sekisho-shape"),
    netns: Annotated[str, typer.Option(help="A named network namespace.")] = "",
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say it, do nothing.")] = False,
    check: Annotated[bool, typer.Option("--check", help="1 where it is not on.")] = False,
    remove: Annotated[bool, typer.Option("--remove", help="Take it off again.")] = False,
    as_json: AsJson = False,
) -> None:
    """Limit what leaves by one interface, as root; refused where others shape it already."""
    from sekisho.app.shaping import apply_shape, check_shape, plan_shape, remove_shape

    if dry_run + check + remove > 1:
        raise InvalidInput("exclude each other", path="--dry-run, --check, --remove")
    if not remove and not rate:
        raise InvalidInput("is needed", path="--rate", remedy="as the licence says, in bytes")
    prefixes = tuple(inside or ())
    if remove:
        done = remove_shape(state, interface, netns)
    elif dry_run:
        done = plan_shape(interface, rate, prefixes)
    elif check:
        done = check_shape(state, interface, rate, prefixes, netns)
    else:
        done = apply_shape(state, interface, rate, prefixes, netns)
    told = say(f"shape.{done.state}", language_of(context), interface=done.interface)
    text = "\n".join([told, *(f"  {c}" for c in done.commands)])
    code = 1 if done.state == "not-limited" else 0
    deliver(Answer(document=msgspec.to_builtins(done), text=text, exit_code=code), as_json=as_json)
