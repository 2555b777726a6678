"""`sekisho agent`: a host's agent on duty until it is told to leave, and what stands beside it."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from sekisho.catalogue import say
from sekisho.cli import (
    agent_exempt,
    agent_kubernetes,
    agent_means,
    agent_release,
    agent_shape,
    agent_slurm,
    agent_tpm,
    agent_update,
    agent_watchdog,
)
from sekisho.cli.surroundings import language_of

__all__ = ["app"]

app = typer.Typer(no_args_is_help=True)
agent_kubernetes.add_to(app)
agent_means.add_to(app)
agent_exempt.add_to(app)
agent_shape.add_to(app)
agent_release.add_to(app)
agent_slurm.add_to(app)
agent_tpm.add_to(app)
agent_update.add_to(app)


class DriverName(StrEnum):
    """What may start and stop the work."""

    PROCESS = "process"
    CGROUP = "cgroup"
    SLURM = "slurm"
    KUBERNETES = "kubernetes"


@app.callback()
def agent() -> None:
    """Keep a host within its licence."""


@app.command()
def run(
    context: typer.Context,
    home: Annotated[
        list[Path],
        typer.Option(
            help="Folder with agent.json, host.pem and trust.json; again for each further charter."
        ),
    ],
    driver: Annotated[
        DriverName | None,
        typer.Option(help="What starts and stops the work, if not as agent.json says."),
    ] = None,
) -> None:
    """Run the agent in the foreground; Ctrl-C leaves the work to its watchdog and permit."""
    from sekisho.agent.charter_homes import load_homes
    from sekisho.agent.main import run_agent

    charters = load_homes(home)  # what is wrong with them is said before that it runs
    typer.echo(say("agent.runs", language_of(context), home=home[0]), err=True)
    if len(charters) > 1:
        names = ", ".join(charter.name for charter in charters)
        told = say("agent.charters", language_of(context), count=len(charters), names=names)
        typer.echo(told, err=True)
    run_agent(*home, driver=driver.value if driver else None)


agent_watchdog.add_to(app)
