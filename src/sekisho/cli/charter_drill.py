"""`sekisho charter drill`: the whole life of a charter on one machine, with keys and a log that nobody can mistake."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sekisho.catalogue import Language, say
from sekisho.cli.answer import Answer, AsJson, deliver
from sekisho.cli.narration import StepNarrator
from sekisho.cli.surroundings import language_of
from sekisho.model.errors import StateConflict

if TYPE_CHECKING:
    from sekisho.rehearsal.charter_drill import CharterDrillResult

__all__ = ["drill"]


def drill(
    context: typer.Context,
    *,
    home: Annotated[
        Path | None,
        typer.Option("--home", help="Keep the rehearsed regime in this folder; new or empty."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Found, amend, lose a key, confirm, succeed, veto, recover after 14 simulated days: with throw-away keys."""
    from sekisho.model.wire import to_plain

    language = language_of(context)
    if home is not None and home.exists() and any(home.iterdir()):
        raise StateConflict(f"{home} is not empty", remedy="name a new folder with --home")
    place = home or Path(tempfile.mkdtemp(prefix="sekisho-charter-drill-"))
    narrator = StepNarrator("charter.drill.step", language, quiet=as_json)
    try:
        result = _play(place, narrator, language)
    finally:
        if home is None:
            shutil.rmtree(place, ignore_errors=True)
    kept = str(home) if home is not None else say("charter.drill.gone", language)
    told = say(f"charter.drill.{result.verdict}", language, origin=result.origin, home=kept)
    document = {**_plain(to_plain(result)), "home": str(home) if home is not None else None}
    code = 0 if result.verdict == "holds" else 1
    deliver(Answer(document=document, text=told, exit_code=code), as_json=as_json)


def _play(place: Path, narrator: StepNarrator, language: Language) -> CharterDrillResult:
    from sekisho.ceremony import SystemClock
    from sekisho.rehearsal.charter_drill import play_charter

    place.mkdir(parents=True, exist_ok=True)
    return play_charter(place, narrator, now=SystemClock().now(), language=language)


def _plain(value: object) -> dict[str, object]:
    return value if isinstance(value, dict) else {}
