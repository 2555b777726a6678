"""`sekisho meter token`, `tokens`, `revoke`: who may push telemetry to a running server, for which site."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TextIO

import msgspec
import typer

from sekisho.catalogue import say
from sekisho.cli.answer import Answer, AsJson, deliver
from sekisho.cli.durations import parse_length
from sekisho.cli.plain_text import tame
from sekisho.cli.surroundings import HomeFolder, home_in, language_of
from sekisho.model.errors import InvalidInput
from sekisho.model.wire import to_plain

if TYPE_CHECKING:
    pass

__all__ = ["add_to"]


def add_to(app: typer.Typer) -> None:
    """Add this part's commands to the group."""
    for command in (token, tokens, revoke):
        app.command()(command)


def token(
    context: typer.Context,
    *,
    site: Annotated[str, typer.Option("--site", help="The one site that it pushes for.")],
    lasts: Annotated[str, typer.Option("--lasts", help="How long it is good: 24h, 365d.")] = "365d",
    out: Annotated[
        Path | None,
        typer.Option(
            "--out", help="A new file for the token, for its owner only; else it is printed."
        ),
    ] = None,
    home: HomeFolder = "",
    as_json: AsJson = False,
) -> None:
    """Make a token to push telemetry with. It is shown once and kept as its digest only."""
    from sekisho.app.inventories import PushPlan, new_push_token

    plan = PushPlan(site=site, lasts_s=parse_length(lasts, path="--lasts"))
    place = home_in(context, home)
    if out is None:
        text, made = new_push_token(place, plan)
    else:
        with _secret_file(out) as file:
            text, made = new_push_token(place, plan)
            file.write(f"{text}\n")
    words = say("meter.token.made", language_of(context), site=tame(made.site), until=made.expires)
    shown = {"token": text} if out is None else {"file": str(out)}
    document = {**shown, **msgspec.structs.asdict(made)}
    first = text if out is None else tame(str(out))
    deliver(Answer(document=to_plain(document), text=f"{first}\n{words}"), as_json=as_json)


def tokens(context: typer.Context, *, home: HomeFolder = "", as_json: AsJson = False) -> None:
    """The push tokens that were made: by digest, never their text."""
    from sekisho.app.inventories import list_push_tokens

    language = language_of(context)
    found = list_push_tokens(home_in(context, home))
    lines = [
        say(
            "meter.token.revoked-row" if token.revoked else "meter.token.row",
            language,
            digest=token.digest[:16],
            site=tame(token.site),
            until=token.expires,
        )
        for token in found
    ]
    text = "\n".join(lines) or say("meter.token.none", language)
    deliver(Answer(document=to_plain(found), text=text), as_json=as_json)


def revoke(
    context: typer.Context,
    *,
    digest: Annotated[str, typer.Argument(help="The first 8 or more digits of its digest.")],
    home: HomeFolder = "",
    as_json: AsJson = False,
) -> None:
    """End a push token; a running server refuses it within a second."""
    from sekisho.app.inventories import end_push_token

    ended = end_push_token(home_in(context, home), digest)
    text = say("meter.token.revoked", language_of(context), digest=ended.digest[:16])
    deliver(Answer(document={"revoked": ended.digest}, text=text), as_json=as_json)


@contextmanager
def _secret_file(path: Path) -> Iterator[TextIO]:
    """A new file that only its owner reads; gone again where nothing came to stand in it. Raises InvalidInput."""
    try:
        descriptor = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
    except OSError as error:
        raise InvalidInput(
            f"cannot be made: {error.strerror}", path=str(path), remedy="name a file that is new"
        ) from None
    try:
        with os.fdopen(descriptor, "w", encoding="ascii") as file:
            yield file
    except BaseException:
        path.unlink(missing_ok=True)
        raise
