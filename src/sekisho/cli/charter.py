"""`sekisho charter`: write the first charter from public keys, show it, sign it, adopt it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import msgspec
import typer

from sekisho.catalogue import say
from sekisho.cli.answer import Answer, AsJson, deliver
from sekisho.cli.countersign import (
    add_sign,
    show_statement,
)
from sekisho.cli.durations import parse_length
from sekisho.cli.key import load_public
from sekisho.cli.reading import read_input
from sekisho.cli.surroundings import HomeFolder, LogPlace, PolicyFile, Sources, look
from sekisho.model.errors import InvalidInput

if TYPE_CHECKING:
    from sekisho.ceremony import WitnessPlan
    from sekisho.cli.documents import Document
    from sekisho.model.statements import CharterAdopted, CharterKey, Profile, Statement

__all__ = ["app"]

app = typer.Typer(help="Write, read, sign and adopt the charter.", no_args_is_help=True)
# What the founders and the authority sign by hand besides orders and licences.
_KINDS = (
    "charter-adopted",
    "host-enrolled",
    "host-retired",
    "party-enrolled",
    "pack-published",
    "agent-released",
)
_PROFILES = ("internal", "provider", "authority", "international")
_MAX_VKEY = 4096
add_sign(
    app,
    _KINDS,
    "Show the charter (or an enrolment, a pack), have its phrase typed back, and add your signature.",
)
_File = Annotated[str, typer.Argument(metavar="F", help="The charter: a draft or an envelope.")]


@app.command()
def init(
    context: typer.Context,
    *,
    name: Annotated[str, typer.Option("--name", help="The regime's name.")],
    jurisdiction: Annotated[str, typer.Option("--jurisdiction", help="As JP or US-CA.")],
    key: Annotated[
        list[str],
        typer.Option("--key", help="CONSTITUENCY:ORGANISATION:HOLDER:FILE of a public key."),
    ],
    log_key: Annotated[str, typer.Option("--log-key", help="ORGANISATION:VKEY (or its file).")],
    witness: Annotated[
        list[str], typer.Option("--witness", help="ORGANISATION:VKEY (or its file); repeat.")
    ],
    out: Annotated[str, typer.Option("--out", help="Where the draft goes; never over a file.")],
    profile: Annotated[str, typer.Option("--profile", help=", ".join(_PROFILES))] = "authority",
    max_lease: Annotated[str, typer.Option("--max-lease", help="The longest lease.")] = "24h",
    max_grace: Annotated[str, typer.Option("--max-grace", help="The longest grace.")] = "1h",
    as_json: AsJson = False,
) -> None:
    """Draft charter version 1; refused where it breaks a rule that every charter must keep."""
    from sekisho.ceremony import FoundingPlan, create_file, draft_founding
    from sekisho.cli.documents import parse_document
    from sekisho.cli.words import describe
    from sekisho.model.statements import make_payload, parse_payload
    from sekisho.signing import Charter

    view = look(context, Sources())
    owner, log_vkey = _owned_vkey(log_key, "--log-key")
    plan = FoundingPlan(
        name=name,
        profile=_profile(profile),
        jurisdiction=jurisdiction,
        log_vkey=log_vkey,
        log_owner=owner,
        constituencies=_constituencies(key),
        witnesses=[_witness(text) for text in witness],
    )
    terms = msgspec.structs.replace(
        draft_founding(plan, now=view.now),
        max_lease_s=parse_length(max_lease, path="--max-lease"),
        max_grace_s=parse_length(max_grace, path="--max-grace"),
    )
    payload = make_payload(terms)
    statement = parse_payload(payload, path="charter")
    Charter(terms, statement.digest)
    create_file(Path(out), payload)
    page = describe(parse_document(payload, path=out), view)
    text = f"{page.to_text()}\n{say('order.drafted', view.language, file=out)}"
    deliver(Answer(document={**page.to_document(), "file": out}, text=text), as_json=as_json)


@app.command()
def show(
    context: typer.Context,
    *,
    file: _File,
    home: HomeFolder = "",
    log: LogPlace = "",
    policy: PolicyFile = "",
    as_json: AsJson = False,
) -> None:
    """A charter in words, with max time to halt beside max outage survived."""
    sources = Sources(home=home, log=log, policy=policy)
    _, _, _, page = show_statement(context, file, _KINDS[:1], sources)
    deliver(Answer(document=page.to_document(), text=page.to_text()), as_json=as_json)


@app.command()
def adopt(
    context: typer.Context,
    *,
    file: _File,
    control: Annotated[
        str, typer.Option("--control", help="Hand it in at this control plane as well.")
    ] = "",
    root_out: Annotated[
        str, typer.Option("--root-out", help="Write the trust root of version 1 here.")
    ] = "",
    home: HomeFolder = "",
    log: LogPlace = "",
    policy: PolicyFile = "",
    as_json: AsJson = False,
) -> None:
    """Check that the quorums signed, give the trust root to install by hand, and hand the charter in."""
    from sekisho.ceremony import create_file, send_statement
    from sekisho.model.wire import canonical, to_plain
    from sekisho.signing import root_of

    sources = Sources(home=home, log=log, policy=policy)
    document, statement, view, page = show_statement(context, file, _KINDS[:1], sources)
    terms = _quorate(document, statement)
    root = root_of(terms, statement.digest) if terms.version == 1 else None
    if root is not None and root_out:
        create_file(Path(root_out), canonical(root) + b"\n")
    placed = (
        send_statement(control, document.envelope.raw) if control and document.envelope else None
    )
    answer = {
        "digest": statement.digest,
        "phrase": page.data["phrase"],
        "version": terms.version,
        "root": to_plain(root) if root else None,
        "placed": placed,
    }
    lines = [page.to_text(), say("charter.quorate", view.language, version=terms.version)]
    if root is not None:
        lines.append(say("charter.root", view.language, charter=root.charter))
        lines.append(canonical(root).decode())
    if placed is not None:
        key = "order.issued" if placed["fresh"] else "order.issued.before"
        lines.append(say(key, view.language, index=placed["index"], leaf=placed["leaf"]))
    deliver(Answer(document=answer, text="\n".join(lines)), as_json=as_json)


def _quorate(document: Document, statement: Statement) -> CharterAdopted:
    """The charter, if its own quorum signed it; the old one's, the log asks for. Raises NotAuthorised."""
    from sekisho.model.statements import CharterAdopted
    from sekisho.signing import Charter, distinct_signers

    terms = statement.predicate
    if document.envelope is None or not isinstance(terms, CharterAdopted):
        raise InvalidInput("nobody has signed it yet", path="F", remedy="sekisho charter sign")
    charter = Charter(terms, statement.digest)
    signers = distinct_signers(document.envelope, charter.keys.values())
    charter.verify_power("amend", signers)
    return terms


def _profile(word: str) -> Profile:
    if word not in _PROFILES:
        raise InvalidInput(
            f"{word[:40]!r} is no profile", path="--profile", remedy=f"use {', '.join(_PROFILES)}"
        )
    return word  # type: ignore[return-value]  # checked just above


def _constituencies(texts: list[str]) -> dict[str, list[CharterKey]]:
    from sekisho.model.statements import CharterKey

    found: dict[str, list[CharterKey]] = {}
    for text in texts:
        parts = text.split(":", 3)
        if len(parts) != 4 or not all(parts):
            raise InvalidInput(
                f"{text[:80]!r} is not CONSTITUENCY:ORGANISATION:HOLDER:FILE",
                path="--key",
                remedy="write authority:Ministry:Deputy director:alice.pub",
            )
        constituency, organisation, holder, file = parts
        public = load_public(file).to_text()
        held = CharterKey(public=public, organisation=organisation, holder=holder)
        found.setdefault(constituency, []).append(held)
    return found


def _witness(text: str) -> WitnessPlan:
    from sekisho.ceremony import WitnessPlan

    owner, vkey = _owned_vkey(text, "--witness")
    return WitnessPlan(vkey=vkey, owner=owner)


def _owned_vkey(text: str, flag: str) -> tuple[str, str]:
    """An organisation and the verifier key that it holds, given as text or as a file with that text."""
    from sekisho.signing.notes import VerifierKey

    owner, colon, given = text.partition(":")
    if not (owner and colon and given):
        raise InvalidInput(f"{text[:80]!r} is not ORGANISATION:VKEY", path=flag)
    if given.count("+") < 2:
        given = read_input(given, limit=_MAX_VKEY).decode("utf-8", "replace").strip()
    return owner, VerifierKey.from_text(given, path=flag).to_text()
