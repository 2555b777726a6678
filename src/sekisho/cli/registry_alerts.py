"""`sekisho registry alerts`: why an event took no effect, and what else a person must look at."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from sekisho.catalogue import MESSAGES, Language, say
from sekisho.cli.answer import Answer, AsJson, deliver
from sekisho.cli.plain_text import tame
from sekisho.cli.registry_holdings import HomeOfRegister, papers_of
from sekisho.cli.surroundings import language_of

if TYPE_CHECKING:
    from sekisho.ports.register_store import AlertRow

__all__ = ["add_to"]

_MOST = 500


def add_to(app: typer.Typer) -> None:
    """Put this part's commands into the group."""
    app.command()(alerts)


def alerts(
    context: typer.Context,
    *,
    epc: Annotated[str, typer.Argument(metavar="[EPC]", help="Only about this one.")] = "",
    before: Annotated[int, typer.Option("--before", min=0, help="Go on behind this place.")] = 0,
    limit: Annotated[int, typer.Option("--limit", min=1, max=_MOST, help="Rows at most.")] = 50,
    home: HomeOfRegister = "",
    as_json: AsJson = False,
) -> None:
    """Why events were refused or wait, and what else a person must look at; the newest first."""
    with papers_of(context, home) as papers:
        rows = papers.alerts(before=before, limit=limit, epc=epc or None)
    language = language_of(context)
    lines = [_line(row, language) for row in rows] or [say("registry.alerts.none", language)]
    if len(rows) == limit:
        lines.append(say("registry.alerts.more", language, place=rows[-1].place))
    document = {"alerts": [_plain(row) for row in rows]}
    deliver(Answer(document=document, text="\n".join(lines)), as_json=as_json)


def _plain(row: AlertRow) -> dict[str, object]:
    return {
        "number": row.number,
        "code": row.code,
        "epc": row.epc,
        "detail": row.detail,
        "refused": row.refused,
        "raised": str(row.raised),
        "finding": row.leaf,
        "place": row.place,
    }


def _line(row: AlertRow, language: Language) -> str:
    known = f"chip.alert.{row.code}"
    return say(
        "registry.alerts.row",
        language,
        number=row.number,
        code=tame(row.code),
        word=say(known, language) if known in MESSAGES else tame(row.code),
        epc=tame(row.epc),
        detail=tame(row.detail),
    )
