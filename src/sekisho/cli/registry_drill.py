"""`sekisho registry drill`: a trade in chips, a diversion under moved labels, and what finds it; on one machine."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Annotated, Final

import typer

from sekisho.catalogue import Language, say
from sekisho.cli.answer import Answer, AsJson, deliver
from sekisho.cli.narration import StepNarrator
from sekisho.cli.surroundings import language_of
from sekisho.model.errors import StateConflict

__all__ = ["add_to"]

_LOOK: Final = (
    "registry chips",
    "registry passport DRILL-GPU-11",
    "registry balance show drill-hall",
    "registry reconcile --site drill-hall",
    "up",
)
"""What shows a kept home: the last one serves its pages."""


def add_to(app: typer.Typer) -> None:
    """Put this part's commands into the group."""
    app.command()(drill)


def drill(
    context: typer.Context,
    *,
    home: Annotated[
        Path | None, typer.Option("--home", help="Folder of the rehearsed register; new or empty.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Trade, divert a server under moved labels, challenge its keys, prove it: with throw-away keys in software.

    The home is kept and its path is printed; nothing of yours is touched.
    """
    from sekisho.app import Home
    from sekisho.ceremony import SystemClock
    from sekisho.rehearsal.chip_drill import play_chips

    language = language_of(context)
    if home is not None and home.exists() and (not home.is_dir() or any(home.iterdir())):
        raise StateConflict(f"{home} is not empty", remedy="name a new folder with --home")
    place = Home.open(home or Path(tempfile.mkdtemp(prefix="sekisho-chip-drill-")))
    narrator = StepNarrator("chip.drill.step", language, quiet=as_json)
    result = play_chips(place, narrator, now=SystemClock().now(), language=language)
    document = {
        "verdict": result.verdict,
        "home": result.home,
        "steps": [
            {"name": step.name, "ok": step.ok, "seconds": step.seconds}
            | ({"problem": step.problem} if step.problem else {})
            for step in result.steps
        ],
    }
    code = 0 if result.verdict == "holds" else 1
    text = _closing(result.verdict, result.home, language)
    deliver(Answer(document=document, text=text, exit_code=code), as_json=as_json)


def _closing(verdict: str, home: str, language: Language) -> str:
    """The verdict with its limit, and how to look at what was kept."""
    lines = [say(f"chip.drill.{verdict}", language), say("chip.drill.kept", language, home=home)]
    return "\n".join([*lines, *(f"  sekisho {command} --home {home}" for command in _LOOK)])
