"""`sekisho agent watchdog` and `units`: the privileged part of a host, and how systemd keeps both parts."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from sekisho.catalogue import say
from sekisho.cli.answer import Answer, AsJson, deliver
from sekisho.cli.surroundings import language_of
from sekisho.model.errors import InvalidInput

__all__ = ["add_to"]

SETTINGS = "watchdog.json"


def add_to(app: typer.Typer) -> None:
    """Give `sekisho agent` its commands `watchdog` and `units`."""
    app.command()(watchdog)
    app.command()(units)


def watchdog(
    context: typer.Context,
    home: Annotated[Path, typer.Option(help="The watchdog's own folder, with watchdog.json.")],
    socket: Annotated[
        Path | None, typer.Option(help="Where it listens for an agent of another user.")
    ] = None,
    allow_user: Annotated[
        str, typer.Option(help="That user, by name or number: one agent at a time.")
    ] = "",
) -> None:
    """Hold this host's work in the foreground; no word from the network comes here. Ctrl-C ends the work."""
    from sekisho.agent.watchdog import Post, parse_user, run_watchdog

    try:
        user = parse_user(allow_user) if allow_user else None
    except ValueError as error:
        raise InvalidInput(str(error), path="--allow-user") from None
    if (user is None) != (socket is None):
        raise InvalidInput(
            "go together: another user's agent, and where to hear it",
            path="--socket, --allow-user",
            remedy="give both or neither",
        )
    if not (home / SETTINGS).is_file():
        raise InvalidInput(
            f"has no {SETTINGS}",
            path=str(home),
            remedy='name the watchdog\'s own folder, or write the file first: {"driver": "process"}',
        )
    told = say(
        "agent.watchdog.alone" if user is None else "agent.watchdog.apart",
        language_of(context),
        home=home,
        socket=(socket or home / "watchdog.sock").absolute(),
        **({} if user is None else {"user": allow_user}),
    )
    typer.echo(told, err=True)
    code = run_watchdog(Post(folder=home, socket=socket, allow_user=user))
    if code:
        raise typer.Exit(code)


def units(
    home: Annotated[
        list[Path],
        typer.Option(help="The agent's home, with agent.json; again for each further charter."),
    ],
    watchdog_home: Annotated[
        Path, typer.Option(help="The watchdog's own folder, closed to the agent.")
    ] = Path("/var/lib/sekisho-watchdog"),
    agent_user: Annotated[str, typer.Option(help="The agent's user.")] = "sekisho",
    python: Annotated[
        str, typer.Option(help="The interpreter that has sekisho; this one unless given.")
    ] = "",
    releases: Annotated[
        Path,
        typer.Option(help="Where `agent update --into` puts releases: a folder of root's own."),
    ] = Path("/opt/sekisho/agent"),
    out: Annotated[
        Path | None, typer.Option(help="Write them into this folder instead of printing.")
    ] = None,
    *,
    as_json: AsJson = False,
) -> None:
    """The two systemd units of a host whose agent and watchdog are two users, as its agent.json says."""
    from sekisho.agent.charter_homes import load_homes, load_settings
    from sekisho.agent.units import UnitsPlace, make_units

    settings = load_settings(home[0])
    # Before a host has its trust roots there is nothing to compare: one home stands as it is.
    several = len(home) > 1 or settings.charters
    homes = [charter.home for charter in load_homes(home)] if several else home
    if settings.watchdog is None:
        raise InvalidInput(
            "names no watchdog: this agent starts one with its own rights",
            path=f"{home[0] / 'agent.json'}: watchdog",
            remedy='add "watchdog": {"socket": "/run/sekisho/watchdog.sock"}',
        )
    made = make_units(
        UnitsPlace(
            python=python or sys.executable,
            releases=str(releases),
            home=str(home[0].absolute()),
            homes=tuple(str(one.resolve()) for one in homes[1:]),
            watchdog_home=str(watchdog_home),
            socket=settings.watchdog.socket,
            agent_user=agent_user,
            driver=settings.driver,
            starts=bool(settings.command),
            counts=settings.devices is not None and settings.devices.census == "nvml",
        )
    )
    if out is not None:
        _create_folder(out)
        for name, text in made.items():
            (out / name).write_text(text, encoding="utf-8")
    text = "\n".join(f"# {name}\n{unit}" for name, unit in made.items())
    told = text if out is None else "\n".join(str(out / name) for name in made)
    deliver(Answer(document=made, text=told.rstrip("\n")), as_json=as_json)


def _create_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InvalidInput(
            f"cannot be made: {error.strerror}", path=f"--out {folder}", remedy="name a folder"
        ) from None
