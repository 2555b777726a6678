"""`sekisho agent slurm install|remove|check`: the gate in a cluster's own configuration, and out of it again."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import msgspec
import typer

from sekisho.catalogue import Language as Speech
from sekisho.catalogue import say, translate
from sekisho.cli.answer import Answer, AsJson, deliver, verdict_code, worst_code
from sekisho.cli.plain_text import columns, tame
from sekisho.cli.surroundings import language_of

if TYPE_CHECKING:
    from sekisho.app.slurm import Change

__all__ = ["add_to"]

Etc = Annotated[Path, typer.Option("--etc", help="The folder of slurm.conf.")]
Gate = Annotated[Path, typer.Option("--gate", help="The folder that gate and agent share.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Say what would change, change nothing.")]
ETC, GATE = Path("/etc/slurm"), Path("/var/lib/sekisho-gate")


class Language(StrEnum):
    """In which language a refused user is told why."""

    EN = "en"
    JA = "ja"


def add_to(app: typer.Typer) -> None:
    """Put the commands under `sekisho agent`."""
    slurm = typer.Typer(no_args_is_help=True, help="The gate of a Slurm cluster.")
    slurm.command("install")(install)
    slurm.command("remove")(remove)
    slurm.command("check")(check)
    app.add_typer(slurm, name="slurm")


def install(
    context: typer.Context,
    *,
    etc: Etc = ETC,
    gate: Gate = GATE,
    language: Annotated[Language, typer.Option(help="Of refusals.")] = Language.EN,
    nodes: Annotated[
        bool,
        typer.Option("--nodes", help="A watch on each node, for when controller and watchdog die."),
    ] = False,
    dry_run: DryRun = False,
    as_json: AsJson = False,
) -> None:
    """Put the gate into slurm.conf and beside it; what stood there is kept and chained. Restart slurmctld after it."""
    from sekisho.app.slurm import install_gate

    changes = install_gate(etc, gate, language=language.value, nodes=nodes, dry_run=dry_run)
    deliver(_told(changes, language_of(context), dry_run=dry_run), as_json=as_json)


def remove(
    context: typer.Context, *, etc: Etc = ETC, dry_run: DryRun = False, as_json: AsJson = False
) -> None:
    """Take the gate out again, every file as it was. Restart slurmctld after it."""
    from sekisho.app.slurm import remove_gate

    changes = remove_gate(etc, dry_run=dry_run)
    deliver(_told(changes, language_of(context), dry_run=dry_run), as_json=as_json)


def check(
    context: typer.Context,
    *,
    etc: Etc = ETC,
    gate: Gate = GATE,
    grace: Annotated[int | None, typer.Option(min=0, help="A licence's grace in seconds.")] = None,
    as_json: AsJson = False,
) -> None:
    """Say what of the gate is in place, and how fast this cluster can end its jobs."""
    from sekisho.app.slurm import check_gate

    checks = check_gate(etc, gate, grace_s=grace)
    language = language_of(context)
    verdicts = [say(f"audit.verdict.{c.verdict}", language) for c in checks]
    width = max(columns(verdict) for verdict in verdicts)
    lines = [
        tame(
            f"{verdict}{' ' * (width - columns(verdict))}  {c.name}: {translate(c.detail, language)}"
        )
        for verdict, c in zip(verdicts, checks, strict=True)
    ]
    deliver(
        Answer(
            document={"checks": [msgspec.to_builtins(c) for c in checks]},
            text="\n".join(lines),
            exit_code=worst_code(verdict_code(c.verdict) for c in checks),
        ),
        as_json=as_json,
    )


def _told(changes: tuple[Change, ...], language: Speech, *, dry_run: bool) -> Answer:
    lines = []
    for change in changes:
        lines.append(say(f"gate.file.{change.what}", language, file=change.file))
        lines += [f"  {line}" for line in change.lines]
    if not changes:
        lines.append(say("gate.unchanged", language))
    end = "gate.dry" if dry_run else "gate.restart"
    if changes or dry_run:
        lines.append(say(end, language))
    return Answer(
        document={"changes": [msgspec.to_builtins(c) for c in changes], "dry_run": dry_run},
        text="\n".join(lines),
    )
