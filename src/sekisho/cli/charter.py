"""`sekisho charter`: write the first charter from public keys, propose the next one, show, sign and adopt them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import msgspec
import typer

from sekisho.catalogue import say
from sekisho.cli.answer import Answer, AsJson, deliver
from sekisho.cli.charter_drill import drill
from sekisho.cli.charter_enrol import enrol
from sekisho.cli.charter_flags import (
    parse_constituencies,
    parse_profile,
    parse_recovery,
    parse_vkey,
)
from sekisho.cli.charter_guide import founding_guide
from sekisho.cli.charter_host import add_to as add_hosts
from sekisho.cli.charter_propose import propose
from sekisho.cli.charter_recover import app as recover
from sekisho.cli.charter_tpm import app as tpm
from sekisho.cli.countersign import add_issue, add_sign, hand_in, show_statement
from sekisho.cli.drafting import DraftOut, add_withdraw, deliver_draft
from sekisho.cli.durations import parse_length
from sekisho.cli.reading import read_input
from sekisho.cli.surroundings import (
    HomeFolder,
    LogPlace,
    PolicyFile,
    Sources,
    language_of,
    look,
    require_state,
)
from sekisho.model.errors import InvalidInput

if TYPE_CHECKING:
    from sekisho.catalogue import Language
    from sekisho.ceremony import FoundingPlan, WitnessPlan
    from sekisho.cli.documents import Document
    from sekisho.cli.words import Page, View
    from sekisho.model.statements import CharterAdopted, Statement

__all__ = ["app"]

app = typer.Typer(
    help="Write, read, sign, adopt, amend and recover the charter.", no_args_is_help=True
)
# What the founders and the authority sign by hand besides orders and licences.
_KINDS = (
    "charter-adopted",
    "recovery-announced",
    "recovery-vetoed",
    "host-enrolled",
    "host-retired",
    "party-enrolled",
    "pack-published",
    "agent-released",
)
_OWN = ("signature-withdrawn",)
_DAY_S = 86_400
_MAX_ROOT = 1 << 20
add_sign(
    app,
    (*_KINDS, *_OWN),
    "Show the charter (or an enrolment, a pack, a recovery), have its phrase typed back, and add your signature.",
)
add_issue(app, (*_KINDS, *_OWN), "Hand in an enrolment, a pack, a recovery or a withdrawal.")
add_withdraw(app, _KINDS, "Take your signature back, before what you signed is in the log.")
app.command()(propose)
app.command()(enrol)
add_hosts(app)
app.command()(drill)
app.add_typer(recover, name="recover")
app.add_typer(tpm, name="tpm")
_File = Annotated[str, typer.Argument(metavar="F", help="The charter: a draft or an envelope.")]
_Needed = ("--name", "--jurisdiction", "--key", "--log-key", "--witness", "--out")


_Name = Annotated[str, typer.Option("--name", help="The regime's name.")]
_Jurisdiction = Annotated[str, typer.Option("--jurisdiction", help="As JP or US-CA.")]
_Keys = Annotated[
    list[str] | None,
    typer.Option("--key", help="CONSTITUENCY:ORGANISATION:HOLDER:FILE of a public key."),
]
_LogKey = Annotated[str, typer.Option("--log-key", help="ORGANISATION:VKEY (or its file).")]
_Witnesses = Annotated[
    list[str] | None, typer.Option("--witness", help="ORGANISATION:VKEY (or its file); repeat.")
]
_Profile = Annotated[
    str, typer.Option("--profile", help="internal, provider, authority or international.")
]
_RecoveryKeys = Annotated[
    list[str] | None,
    typer.Option("--recovery-key", help="ORGANISATION:HOLDER:FILE, kept offline; repeat."),
]
_RecoveryQuorum = Annotated[
    int, typer.Option("--recovery-quorum", help="How many of them it takes.")
]
_Notice = Annotated[
    str, typer.Option("--recovery-notice", help="From notice to effect: 14d at least.")
]
_MaxLease = Annotated[str, typer.Option("--max-lease", help="The longest lease.")]
_MaxGrace = Annotated[str, typer.Option("--max-grace", help="The longest grace.")]
_Approvals = Annotated[
    int,
    typer.Option(
        "--licence-approvals",
        min=-1,
        max=16,
        help="Holders who must approve a licence's application; the profile's number if left out.",
    ),
]
_TpmRoots = Annotated[
    list[str] | None,
    typer.Option("--tpm-root", help="A TPM maker's root certificate, for hosts of C2; repeat."),
]


@app.command()
def init(
    context: typer.Context,
    *,
    name: _Name = "",
    jurisdiction: _Jurisdiction = "",
    key: _Keys = None,
    log_key: _LogKey = "",
    witness: _Witnesses = None,
    out: DraftOut = "",
    profile: _Profile = "authority",
    recovery_key: _RecoveryKeys = None,
    recovery_quorum: _RecoveryQuorum = 0,
    recovery_notice: _Notice = "14d",
    max_lease: _MaxLease = "24h",
    max_grace: _MaxGrace = "1h",
    licence_approvals: _Approvals = -1,
    tpm_root: _TpmRoots = None,
    as_json: AsJson = False,
) -> None:
    """Draft charter version 1; refused where it breaks a rule that every charter must keep."""
    from sekisho.ceremony import FoundingPlan, approvals_asked

    given = (name, jurisdiction, key, log_key, witness, out)
    _require(given, language_of(context), as_json=as_json)
    owner, log_vkey = parse_vkey(log_key, "--log-key")
    notice_days = parse_length(recovery_notice, path="--recovery-notice") // _DAY_S
    kind = parse_profile(profile)
    plan = FoundingPlan(
        name=name,
        profile=kind,
        jurisdiction=jurisdiction,
        log_vkey=log_vkey,
        log_owner=owner,
        constituencies=parse_constituencies(key or [], "--key"),
        witnesses=[_witness(text) for text in witness or ()],
        recovery=parse_recovery(recovery_key or [], recovery_quorum, notice_days),
        licence_approvals=approvals_asked(kind) if licence_approvals < 0 else licence_approvals,
    )
    view = look(context, Sources())
    lease = parse_length(max_lease, path="--max-lease")
    grace = parse_length(max_grace, path="--max-grace")
    fact = _founded(plan, view, (lease, grace), _roots(tpm_root or ()))
    deliver_draft(view, fact, Path(out), as_json=as_json)


@app.command()
def show(
    context: typer.Context,
    *,
    file: Annotated[
        str, typer.Argument(metavar="[F]", help="A charter; the one in force if left out.")
    ] = "",
    home: HomeFolder = "",
    log: LogPlace = "",
    policy: PolicyFile = "",
    as_json: AsJson = False,
) -> None:
    """A charter in words, with max time to halt beside max outage survived."""
    sources = Sources(home=home, log=log, policy=policy)
    if file:
        _, _, _, page = show_statement(context, file, _KINDS[:1], sources)
    else:
        page = _page_in_force(context, sources, as_json=as_json)
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
    from sekisho.model.wire import canonical, to_plain
    from sekisho.signing import root_of

    sources = Sources(home=home, log=log, policy=policy)
    document, statement, view, page = show_statement(context, file, _KINDS[:1], sources)
    terms = _quorate(document, statement, view, as_json=as_json)
    root = root_of(terms, statement.digest) if terms.version == 1 else None
    if root is not None and root_out:
        _write_root(Path(root_out), canonical(root) + b"\n")
    placed, told = None, ""
    if control and document.envelope is not None:
        placed, told = hand_in(control, document.envelope.raw, statement.digest, view.language)
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
    lines += [told] if told else []
    deliver(Answer(document=answer, text="\n".join(lines)), as_json=as_json)


def _write_root(file: Path, root: bytes) -> None:
    """A new file; the very same root in it already is no fault, since handing in is tried again."""
    from sekisho.ceremony import create_file

    if not (file.is_file() and read_input(str(file), limit=_MAX_ROOT) == root):
        create_file(file, root)


def _quorate(
    document: Document, statement: Statement, view: View, *, as_json: bool
) -> CharterAdopted:
    """The charter, if those signed whom it needs: its own quorum, and the old one's for every later version."""
    from sekisho.ceremony import verify_succession
    from sekisho.model.statements import CharterAdopted

    terms = statement.predicate
    if document.envelope is None or not isinstance(terms, CharterAdopted):
        raise InvalidInput("nobody has signed it yet", path="F", remedy="sekisho charter sign")
    if terms.version > 1:
        require_state(view, as_json=as_json)
    verify_succession(view.footing, terms, statement.digest, document.envelope)
    return terms


def _require(given: tuple[object, ...], language: Language, *, as_json: bool) -> None:
    """Ends the command where flags are missing: without any, by saying what a founding needs."""
    missing = [flag for flag, value in zip(_Needed, given, strict=True) if not value]
    if len(missing) == len(_Needed):
        text = founding_guide(language)
        deliver(Answer(document={"missing": missing}, text=text, exit_code=2), as_json=as_json)
    if missing:
        raise InvalidInput(
            "is missing", path=", ".join(missing), remedy="sekisho charter init alone says what for"
        )


def _roots(files: Sequence[str]) -> tuple[str, ...]:
    """The digests of root certificates, each once."""
    from sekisho.cli.tpm_files import load_certificates
    from sekisho.model.wire import sha256_hex

    return tuple(dict.fromkeys(sha256_hex(der) for der in load_certificates(files)))


def _founded(
    plan: FoundingPlan, view: View, lengths: tuple[int, int], roots: tuple[str, ...]
) -> CharterAdopted:
    """Version 1 as planned, held against every rule of charters."""
    from sekisho.ceremony import draft_founding, refuse_idle, verify_draft

    lease, grace = lengths
    drafted = draft_founding(plan, now=view.now)
    terms = msgspec.structs.replace(drafted, max_lease_s=lease, max_grace_s=grace, tpm_roots=roots)
    verify_draft(terms)
    refuse_idle(terms)
    return terms


def _page_in_force(context: typer.Context, sources: Sources, *, as_json: bool) -> Page:
    from sekisho.cli.documents import parse_document
    from sekisho.cli.words import describe
    from sekisho.model.statements import make_payload

    view = look(context, sources)
    charter = require_state(view, as_json=as_json).regime.in_force()
    document = parse_document(make_payload(charter.terms), path="the charter in force")
    if document.digest != charter.digest:
        raise InvalidInput(
            "the charter in force has fields that this program does not know",
            path="F",
            remedy="update, or name the charter's own file",
        )
    return describe(document, view)


def _witness(text: str) -> WitnessPlan:
    from sekisho.ceremony import WitnessPlan

    owner, vkey = parse_vkey(text, "--witness")
    return WitnessPlan(vkey=vkey, owner=owner)
