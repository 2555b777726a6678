"""`sekisho charter enrol`: draft a party's enrolment, for whoever holds that power to sign."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from sekisho.cli.answer import AsJson
from sekisho.cli.drafting import DraftOut, deliver_draft
from sekisho.cli.own_key import load_public
from sekisho.cli.surroundings import HomeFolder, LogPlace, PolicyFile, Sources, look

__all__ = ["enrol"]


def enrol(
    context: typer.Context,
    *,
    party: Annotated[
        str, typer.Argument(metavar="PARTY", help="The name that documents call it by.")
    ],
    public: Annotated[str, typer.Option("--public", help="The party's public key: its .pub file.")],
    organisation: Annotated[str, typer.Option("--organisation", help="Who it is; public.")],
    country: Annotated[str, typer.Option("--country", help="As JP or US-CA.")],
    out: DraftOut,
    home: HomeFolder = "",
    log: LogPlace = "",
    policy: PolicyFile = "",
    as_json: AsJson = False,
) -> None:
    """Draft a party's enrolment: its name, key and country, for whoever may enrol parties to sign and issue.

    A party that is enrolled again replaces its key: what the old one signs from then on counts for nothing.
    """
    from sekisho.model.statements import PartyEnrolled
    from sekisho.model.wire import from_json

    view = look(context, Sources(home=home, log=log, policy=policy))
    fact = from_json(
        PartyEnrolled,
        {
            "effective": str(view.now),
            "party": party,
            "public": load_public(public).to_text(),
            "organisation": organisation,
            "country": country,
        },
    )
    deliver_draft(view, fact, Path(out), as_json=as_json)
