"""`sekisho registry fleet`: enrolment tokens for hosts with a fleet agent, and which nodes speak for a site."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import msgspec
import typer

from sekisho.catalogue import say
from sekisho.cli.answer import Answer, AsJson, deliver
from sekisho.cli.durations import parse_length
from sekisho.cli.plain_text import tame
from sekisho.cli.surroundings import HomeFolder, home_in, language_of
from sekisho.model.wire import to_plain

if TYPE_CHECKING:
    pass

__all__ = ["add_to"]

_fleet = typer.Typer(help="Hosts with a fleet agent: tokens and nodes.", no_args_is_help=True)


def add_to(app: typer.Typer) -> None:
    """Put this part's group into the group."""
    app.add_typer(_fleet, name="fleet")


@_fleet.command()
def token(
    context: typer.Context,
    *,
    site: Annotated[str, typer.Option("--site", help="The one site that its nodes stand at.")],
    lasts: Annotated[
        str, typer.Option("--lasts", help="How long hosts may enrol: 24h, 7d.")
    ] = "7d",
    nodes: Annotated[int, typer.Option("--nodes", help="How many hosts may enrol.")] = 1_000,
    home: HomeFolder = "",
    as_json: AsJson = False,
) -> None:
    """Make an enrolment token. It is shown once and kept as its digest only."""
    from sekisho.app.inventories import TokenPlan, new_token

    plan = TokenPlan(site=site, lasts_s=parse_length(lasts, path="--lasts"), nodes=nodes)
    text, made = new_token(home_in(context, home), plan)
    words = say(
        "registry.fleet.token",
        language_of(context),
        site=tame(made.site),
        until=made.expires,
        nodes=made.most,
    )
    document = {"token": text, **msgspec.structs.asdict(made)}
    deliver(Answer(document=to_plain(document), text=f"{text}\n{words}"), as_json=as_json)


@_fleet.command()
def tokens(context: typer.Context, *, home: HomeFolder = "", as_json: AsJson = False) -> None:
    """The tokens that were made: by digest, never their text."""
    from sekisho.app.inventories import list_tokens

    language = language_of(context)
    found = list_tokens(home_in(context, home))
    lines = [
        say(
            "registry.fleet.row.revoked" if token.revoked else "registry.fleet.row",
            language,
            digest=token.digest[:16],
            site=tame(token.site),
            used=token.used,
            most=token.most,
            until=token.expires,
        )
        for token in found
    ]
    text = "\n".join(lines) or say("registry.fleet.none", language)
    deliver(Answer(document=to_plain(found), text=text), as_json=as_json)


@_fleet.command()
def revoke(
    context: typer.Context,
    *,
    digest: Annotated[str, typer.Argument(help="The first 8 or more digits of its digest.")],
    home: HomeFolder = "",
    as_json: AsJson = False,
) -> None:
    """End a token, and with it every enrolment that it began."""
    from sekisho.app.inventories import revoke_token

    ended = revoke_token(home_in(context, home), digest)
    text = say("registry.fleet.revoked", language_of(context), digest=ended.digest[:16])
    deliver(Answer(document={"revoked": ended.digest}, text=text), as_json=as_json)


@_fleet.command()
def nodes(context: typer.Context, *, home: HomeFolder = "", as_json: AsJson = False) -> None:
    """The nodes that speak for sites, and when each last reported."""
    from sekisho.app.inventories import list_fleet

    language = language_of(context)
    found = list_fleet(home_in(context, home))
    lines = [
        say(
            "registry.fleet.node" if last is not None else "registry.fleet.node.silent",
            language,
            node=tame(node.node),
            site=tame(node.site),
            last=last,
        )
        for node, last in found
    ]
    document = [{"node": node.node, "site": node.site, "last": last} for node, last in found]
    text = "\n".join(lines) or say("registry.fleet.none", language)
    deliver(Answer(document=to_plain(document), text=text), as_json=as_json)


@_fleet.command()
def release(
    context: typer.Context,
    *,
    node: Annotated[str, typer.Argument(help="The node's UUID.")],
    home: HomeFolder = "",
    as_json: AsJson = False,
) -> None:
    """Let another enrolment speak for a node, where its host was set up anew. The old one ends."""
    from sekisho.app.inventories import release_node

    release_node(home_in(context, home), node)
    text = say("registry.fleet.released", language_of(context), node=tame(node))
    deliver(Answer(document={"released": node}, text=text), as_json=as_json)
