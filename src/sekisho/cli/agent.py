"""`sekisho agent run`: a host's agent on duty until it is told to leave."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from sekisho.model.errors import InvalidInput

__all__ = ["app"]

app = typer.Typer(no_args_is_help=True)


class DriverName(StrEnum):
    """What may start and stop the work; more of them come with their own issues."""

    PROCESS = "process"
    CGROUP = "cgroup"
    SLURM = "slurm"
    KUBERNETES = "kubernetes"


@app.callback()
def agent() -> None:
    """Keep a host within its licence."""


@app.command()
def run(
    home: Annotated[Path, typer.Option(help="Folder with agent.json, host.pem and trust.json.")],
    driver: Annotated[
        DriverName, typer.Option(help="What starts and stops the work.")
    ] = DriverName.PROCESS,
) -> None:
    """Run the agent in the foreground; Ctrl-C leaves the work to its watchdog and permit."""
    from sekisho.agent.main import run_agent

    if driver is not DriverName.PROCESS:
        raise InvalidInput(
            f"there is no driver {driver} yet", path="--driver", remedy="use process"
        )
    run_agent(home)
