"""`sekisho charter recover`: replace lost keys by the recovery keys, after a notice during which others may say no."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sekisho.catalogue import say
from sekisho.cli.answer import AsJson
from sekisho.cli.charter_flags import parse_replacement
from sekisho.cli.drafting import DraftOut, deliver_draft
from sekisho.cli.durations import when_in_words
from sekisho.cli.surroundings import (
    HomeFolder,
    LogPlace,
    PolicyFile,
    Sources,
    look,
    require_state,
)
from sekisho.model.errors import InvalidInput, StateConflict

if TYPE_CHECKING:
    from sekisho.ceremony import State
    from sekisho.cli.words import View

__all__ = ["app"]

app = typer.Typer(
    help="Replace lost keys: announce, wait out the notice (or veto), adopt.", no_args_is_help=True
)
_Announcement = Annotated[
    str,
    typer.Option("--announcement", help="Its leaf digest's beginning, where there are several."),
]


@app.command()
def announce(
    context: typer.Context,
    *,
    replace_key: Annotated[
        list[str],
        typer.Option("--replace-key", help="OLD=FILE, or OLD=ORGANISATION:HOLDER:FILE; repeat."),
    ],
    out: DraftOut,
    home: HomeFolder = "",
    log: LogPlace = "",
    policy: PolicyFile = "",
    as_json: AsJson = False,
) -> None:
    """Draft the notice that keys are to be replaced; the recovery keys sign it with `charter sign`."""
    from sekisho.ceremony import draft_announcement

    view = look(context, Sources(home=home, log=log, policy=policy))
    state = require_state(view, as_json=as_json)
    charter = state.regime.in_force()
    changes = [parse_replacement(charter, text, "--replace-key") for text in replace_key]
    fact = draft_announcement(state, changes, now=view.now)
    deliver_draft(view, fact, Path(out), as_json=as_json)


@app.command()
def veto(
    context: typer.Context,
    *,
    constituency: Annotated[str, typer.Option("--constituency", help="Whose no it is.")],
    reason: Annotated[str, typer.Option("--reason", help="Why; it is public.")],
    out: DraftOut,
    announcement: _Announcement = "",
    home: HomeFolder = "",
    log: LogPlace = "",
    policy: PolicyFile = "",
    as_json: AsJson = False,
) -> None:
    """Draft a constituency's no to an announced recovery; its own quorum signs it with `charter sign`."""
    from sekisho.ceremony import draft_veto

    if not reason.strip():
        raise InvalidInput("says nothing", path="--reason", remedy="say why: it is public")
    view = look(context, Sources(home=home, log=log, policy=policy))
    state = require_state(view, as_json=as_json)
    fact = draft_veto(state, announcement, constituency, reason, now=view.now)
    deliver_draft(view, fact, Path(out), as_json=as_json)


@app.command()
def adopt(
    context: typer.Context,
    *,
    out: DraftOut,
    announcement: _Announcement = "",
    home: HomeFolder = "",
    log: LogPlace = "",
    policy: PolicyFile = "",
    as_json: AsJson = False,
) -> None:
    """Draft the version that carries a recovery out, once its notice is over; then `charter sign`, `charter adopt`."""
    from sekisho.ceremony import draft_recovery

    view = look(context, Sources(home=home, log=log, policy=policy))
    state = require_state(view, as_json=as_json)
    _refuse_early(state, view, announcement)
    fact = draft_recovery(state, announcement, now=view.now, witnessed=view.footing.witnessed)
    deliver_draft(view, fact, Path(out), as_json=as_json)


def _refuse_early(state: State, view: View, announcement: str) -> None:
    """Before the notice is over, say until when to wait."""
    from sekisho.ceremony import notice_end, require_announcement

    end = notice_end(state, require_announcement(state, announcement))
    if end is None or view.footing.witnessed is None or view.footing.witnessed < end:
        if end is None:
            raise StateConflict(say("charter.recover.undated", view.language))
        at = when_in_words(end, view.now, view.language)
        raise StateConflict(say("charter.recover.wait", view.language, at=at))
