"""`sekisho charter propose`: the version after the one in force, with what it changes, before anybody may sign it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sekisho.cli.answer import AsJson
from sekisho.cli.charter_flags import (
    parse_instant_flag,
    parse_key_id,
    parse_member,
    parse_replacement,
    parse_vkey,
    parse_witness,
)
from sekisho.cli.drafting import DraftOut, deliver_draft
from sekisho.cli.reading import read_input
from sekisho.cli.surroundings import (
    HomeFolder,
    LogPlace,
    PolicyFile,
    Sources,
    look,
    require_state,
)
from sekisho.model.errors import InvalidInput

if TYPE_CHECKING:
    from sekisho.model.statements import CharterAdopted

__all__ = ["propose"]

_MAX_EDIT = 64_000
_Edit = Annotated[
    str, typer.Option("--edit", help="Begin from this JSON: a charter's predicate, edited.")
]
_AddKey = Annotated[
    list[str] | None,
    typer.Option("--add-key", help="CONSTITUENCY:ORGANISATION:HOLDER:FILE; repeat."),
]
_RemoveKey = Annotated[
    list[str] | None, typer.Option("--remove-key", help="A key's id or its .pub file; repeat.")
]
_ReplaceKey = Annotated[
    list[str] | None,
    typer.Option("--replace-key", help="OLD=FILE, or OLD=ORGANISATION:HOLDER:FILE; repeat."),
]
_Expires = Annotated[str, typer.Option("--expires", help="As 2027-04-01T00:00:00Z.")]
_LogKey = Annotated[str, typer.Option("--log-key", help="ORGANISATION:VKEY, of the same log.")]
_Witness = Annotated[
    list[str] | None,
    typer.Option("--witness", help="ORGANISATION:VKEY; one of a known name replaces it; repeat."),
]
_RemoveWitness = Annotated[
    list[str] | None, typer.Option("--remove-witness", help="A witness by its name; repeat.")
]
_Quorum = Annotated[
    list[str] | None,
    typer.Option("--quorum", help="POWER=CONSTITUENCY:K,CONSTITUENCY:K; repeat."),
]


def propose(
    context: typer.Context,
    *,
    out: DraftOut,
    edit: _Edit = "",
    add_key: _AddKey = None,
    remove_key: _RemoveKey = None,
    replace_key: _ReplaceKey = None,
    expires: _Expires = "",
    log_key: _LogKey = "",
    witness: _Witness = None,
    remove_witness: _RemoveWitness = None,
    quorum: _Quorum = None,
    home: HomeFolder = "",
    log: LogPlace = "",
    policy: PolicyFile = "",
    as_json: AsJson = False,
) -> None:
    """Draft the next version of the charter in force; refused where it breaks a rule of every charter."""
    from sekisho.ceremony import AmendmentPlan, draft_amendment, parse_quorums

    view = look(context, Sources(home=home, log=log, policy=policy))
    charter = require_state(view, as_json=as_json).regime.in_force()
    plan = AmendmentPlan(
        terms=_edited(edit) if edit else None,
        added=tuple(parse_member(text, "--add-key") for text in add_key or ()),
        removed=tuple(parse_key_id(charter, text, "--remove-key") for text in remove_key or ()),
        replaced=tuple(
            parse_replacement(charter, text, "--replace-key") for text in replace_key or ()
        ),
        expires=parse_instant_flag(expires, "--expires") if expires else None,
        log=parse_vkey(log_key, "--log-key") if log_key else None,
        witnesses=tuple(parse_witness(text, "--witness") for text in witness or ()),
        witnesses_removed=tuple(remove_witness or ()),
        quorums=tuple(parse_quorums(text, path="--quorum") for text in quorum or ()),
    )
    deliver_draft(view, draft_amendment(charter, plan, now=view.now), Path(out), as_json=as_json)


def _edited(file: str) -> CharterAdopted:
    """A charter's predicate from a file, every field of it known: a word mistyped must not be dropped in silence."""
    from sekisho.cli.documents import unknown_paths
    from sekisho.model.statements import CharterAdopted
    from sekisho.model.wire import from_json, parse_json

    value = parse_json(read_input(file, limit=_MAX_EDIT), path=file, limit=_MAX_EDIT)
    terms = from_json(CharterAdopted, value, path=file)
    unknown = unknown_paths(terms, value)
    if unknown:
        raise InvalidInput(f"no charter has the field {unknown[0][:80]}", path=file)
    return terms
