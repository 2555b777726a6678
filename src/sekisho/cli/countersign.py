"""The signing ceremony: read once, show, have the phrase typed back, sign those very bytes, write the file whole.

1. the file is read once; what is shown, compared and signed are these bytes; 2. a refusal on the merits comes before
any question; 3. the digest phrase must come back; 4. the signature is made here (file, token), or the bytes go out to
be signed elsewhere, or a signature made elsewhere comes in; 5. it is verified; 6. the file is written only if it still
holds the same statement.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import msgspec
import typer

from sekisho.catalogue import Language, say
from sekisho.cli.answer import Answer, AsJson, deliver
from sekisho.cli.own_key import KeyPlace, PassphraseFile, load_public, open_own_key
from sekisho.cli.reading import read_input
from sekisho.cli.sealed_file import load_sealed, require_sealed, see_inside, write_sealed
from sekisho.cli.surroundings import (
    CharterFile,
    HomeFolder,
    LogPlace,
    PolicyFile,
    Sources,
    look,
    settings_of,
)
from sekisho.model.errors import InvalidInput, NotAuthorised, StateConflict

if TYPE_CHECKING:
    from sekisho.cli.documents import Document
    from sekisho.cli.words import Page, View
    from sekisho.model.statements import Statement
    from sekisho.signing import Envelope, PublicKey, Signer

__all__ = [
    "Ceremony",
    "ControlPlace",
    "OutFile",
    "Phrase",
    "PhraseMissing",
    "SignedFile",
    "add_issue",
    "add_sign",
    "ask_phrase",
    "hand_in",
    "issue",
    "show_statement",
    "sign",
]

Phrase = Annotated[
    str, typer.Option("--phrase", help="The digest phrase, for scripts; asked for if left out.")
]
SignedFile = Annotated[str, typer.Argument(metavar="F", help="A draft or an envelope.")]
ControlPlace = Annotated[str, typer.Option("--control", help="The control plane's address.")]
OutFile = Annotated[str, typer.Option("--out", help="Write here instead of into F.")]
_ExportBytes = Annotated[
    str, typer.Option("--export-bytes", help="Write the bytes to be signed elsewhere here.")
]
_ImportSignature = Annotated[
    str, typer.Option("--import-signature", help="A signature made elsewhere; with --public.")
]
_PublicFile = Annotated[
    str, typer.Option("--public", help="The public key of a signature made elsewhere.")
]
_MAX_STATEMENT = 70_000
_MAX_SIGNATURE = 4096


class PhraseMissing(NotAuthorised):
    """The digest phrase was not typed back as it was shown: nothing is signed."""

    code = "phrase-missing"


class Ceremony(msgspec.Struct, frozen=True, kw_only=True):
    """One call of `sign`: the file, how the signature is made, how the phrase comes, the kinds that may be signed."""

    file: str
    kinds: tuple[str, ...]
    key: str = ""
    export_bytes: str = ""
    import_signature: str = ""
    public: str = ""
    phrase: str = ""
    passphrase_file: str = ""
    out: str = ""
    sources: Sources = Sources()


def sign(context: typer.Context, ceremony: Ceremony, *, as_json: bool) -> None:
    """The whole ceremony; ends the command. Raises the named refusal, and then nothing is written."""
    from sekisho.ceremony import verify_countersign, verify_document

    _check_ways(ceremony)
    document, statement, view, page = show_statement(
        context, ceremony.file, ceremony.kinds, ceremony.sources
    )
    # On the merits first: nobody types a phrase under something that must not be signed. Whose key it is to be, an
    # encrypted file does not tell, so its passphrase is asked for here; a token's PIN only when it signs.
    typer.echo(page.to_text(), err=as_json)
    unknown = (*document.unknown, *document.critical)
    signer = _signer(context, ceremony)
    public = signer.public if signer is not None else _named_public(ceremony)
    if public is not None:
        verify_countersign(view.footing, statement, unknown, public.key_id, now=view.now)
    else:
        verify_document(view.footing, statement, unknown, now=view.now)
    ask_phrase(view, ceremony.phrase, document.digest)
    if signer is None:
        _export(view, ceremony, document, public, as_json=as_json)
        return
    envelope, fresh = _countersign(document, statement, signer)
    target = Path(ceremony.out or ceremony.file)
    if fresh or ceremony.out:
        envelope = _write(target, ceremony, document, envelope)
    _deliver(view, document, signer, (target, envelope, fresh), as_json=as_json)


def show_statement(
    context: typer.Context, file: str, kinds: tuple[str, ...], sources: Sources
) -> tuple[Document, Statement, View, Page]:
    """A statement of one of `kinds`, read once, with its page. Raises InvalidInput for any other document."""
    from sekisho.cli.documents import parse_document
    from sekisho.cli.words import describe

    document = parse_document(read_input(file, limit=_MAX_STATEMENT), path=file)
    statement = document.statement
    if statement is None or statement.kind not in kinds:
        found = statement.kind if statement is not None else document.form
        raise InvalidInput(f"is a {found}, expected {' or '.join(kinds)}", path=file)
    document = load_sealed(document, file)
    view = see_inside(look(context, sources, origin=document.origin), document)
    return document, statement, view, describe(document, view)


def add_sign(app: typer.Typer, kinds: tuple[str, ...], about: str) -> None:
    """Give a group of commands its `sign`, for documents of these kinds."""

    @app.command("sign", help=about)
    def sign_document(
        context: typer.Context,
        *,
        file: SignedFile,
        key: KeyPlace = "",
        export_bytes: _ExportBytes = "",
        import_signature: _ImportSignature = "",
        public: _PublicFile = "",
        phrase: Phrase = "",
        passphrase_file: PassphraseFile = "",
        out: OutFile = "",
        home: HomeFolder = "",
        log: LogPlace = "",
        policy: PolicyFile = "",
        charter: CharterFile = "",
        as_json: AsJson = False,
    ) -> None:
        ceremony = Ceremony(
            file=file,
            kinds=kinds,
            key=key,
            export_bytes=export_bytes,
            import_signature=import_signature,
            public=public,
            phrase=phrase,
            passphrase_file=passphrase_file,
            out=out,
            sources=Sources(home=home, log=log, policy=policy, charter=charter),
        )
        sign(context, ceremony, as_json=as_json)


def add_issue(app: typer.Typer, kinds: tuple[str, ...], about: str) -> None:
    """Give a group of commands its `issue`, for documents of these kinds."""

    @app.command("issue", help=about)
    def issue_document(
        context: typer.Context, file: SignedFile, control: ControlPlace, as_json: AsJson = False
    ) -> None:
        issue(context, file, kinds, control, as_json=as_json)


def issue(
    context: typer.Context, file: str, kinds: tuple[str, ...], control: str, *, as_json: bool
) -> None:
    """Hand a signed document in at a control plane; ends the command."""
    from sekisho.cli.documents import parse_document
    from sekisho.cli.surroundings import language_of

    data = read_input(file, limit=_MAX_STATEMENT)
    document = parse_document(data, path=file)
    statement = document.statement
    if statement is None or statement.kind not in kinds:
        found = statement.kind if statement is not None else document.form
        raise InvalidInput(f"is a {found}, expected {' or '.join(kinds)}", path=file)
    if document.envelope is None:
        raise InvalidInput("nobody has signed it yet", path=file, remedy="sign it first")
    texts = require_sealed(load_sealed(document, file), file)
    placed, text = hand_in(control, data, document.digest, language_of(context), texts)
    deliver(Answer(document=placed, text=text), as_json=as_json)


def hand_in(
    control: str,
    envelope: bytes,
    digest: str,
    language: Language,
    disclosures: tuple[str, ...] = (),
) -> tuple[dict[str, object], str]:
    """Send a signed statement; where it stands, as data and in words. Raises StateConflict where another one does."""
    from sekisho.ceremony import send_statement

    placed = send_statement(control, envelope, disclosures)
    if placed["digest"] != digest:
        raise StateConflict("the control plane speaks of another statement than the one sent")
    key = "order.issued" if placed["fresh"] else "order.issued.before"
    return placed, say(key, language, index=placed["index"], leaf=placed["leaf"])


def _check_ways(ceremony: Ceremony) -> None:
    """One way to sign, and a place to write to."""
    ways = {
        "--key": ceremony.key,
        "--export-bytes": ceremony.export_bytes,
        "--import-signature": ceremony.import_signature,
    }
    given = [flag for flag, value in ways.items() if value]
    if len(given) != 1:
        raise InvalidInput(
            f"{' and '.join(given) or 'none'} given, one is needed",
            path=", ".join(ways),
            remedy="sign with a key here, or export the bytes, sign elsewhere and import the signature",
        )
    if ceremony.import_signature and not ceremony.public:
        raise InvalidInput("says whose signature it is", path="--public", remedy="name a .pub file")
    if ceremony.key and ceremony.public:
        raise InvalidInput("goes with a signature made elsewhere, not with --key", path="--public")
    if ceremony.file == "-" and not (ceremony.out or ceremony.export_bytes):
        raise InvalidInput("needs a place to write to", path="--out", remedy="name a file")


def _signer(context: typer.Context, ceremony: Ceremony) -> Signer | None:
    """Who signs into the file: the own key, or what signed elsewhere; None where the bytes only go out."""
    from sekisho.ceremony import MadeElsewhere

    if ceremony.key:
        return open_own_key(settings_of(context), ceremony.key, ceremony.passphrase_file)
    if ceremony.import_signature:
        made = read_input(ceremony.import_signature, limit=_MAX_SIGNATURE)
        return MadeElsewhere(load_public(ceremony.public), made)
    return None


def _named_public(ceremony: Ceremony) -> PublicKey | None:
    return load_public(ceremony.public) if ceremony.public else None


def ask_phrase(view: View, typed: str, digest: str, *, remedy: str = "") -> None:
    """Have the digest phrase typed back, unless it was given. Raises PhraseMissing: then nothing is signed.

    `remedy` is what helps here, where it is not a comparison with the other signers.
    """
    from sekisho.signing.phrase import is_phrase_of

    if not typed:
        try:
            question = say("sign.phrase", view.language)
            typed = str(typer.prompt(question, default="", show_default=False, err=True))
        except typer.Abort:
            typed = ""
    if not is_phrase_of(typed, digest):
        raise PhraseMissing(
            say("sign.refused", view.language),
            remedy=remedy or say("sign.refused.remedy", view.language),
        )


def _export(
    view: View,
    ceremony: Ceremony,
    document: Document,
    public: PublicKey | None,
    *,
    as_json: bool,
) -> None:
    """The very bytes that a signature is over, for a machine that has a key and not this program."""
    from sekisho.ceremony import create_file
    from sekisho.model.statements import PAYLOAD_TYPE
    from sekisho.model.wire import sha256_hex
    from sekisho.signing import pae

    statement = document.statement
    data = pae(PAYLOAD_TYPE, statement.payload if statement is not None else b"")
    create_file(Path(ceremony.export_bytes), data)
    answer = {
        "digest": document.digest,
        "key": public.key_id if public is not None else None,
        "bytes": ceremony.export_bytes,
        "sha256": sha256_hex(data),
    }
    text = say(
        "sign.exported",
        view.language,
        file=ceremony.export_bytes,
        size=len(data),
        sha256=answer["sha256"],
        document=ceremony.file,
    )
    deliver(Answer(document=answer, text=text), as_json=as_json)


def _countersign(document: Document, statement: Statement, signer: Signer) -> tuple[Envelope, bool]:
    """The envelope with the signature in it, and whether it was not there before, under whatever name."""
    from sekisho.signing import add_signature, distinct_signers, sign_payload

    if document.envelope is not None and distinct_signers(document.envelope, [signer.public]):
        return document.envelope, False
    own = sign_payload(statement.payload, [signer])
    if not distinct_signers(own, [signer.public]):
        raise StateConflict("the signature just made does not verify; nothing was written")
    return (own if document.envelope is None else add_signature(document.envelope, own)), True


def _write(target: Path, ceremony: Ceremony, document: Document, envelope: Envelope) -> Envelope:
    """Put the envelope into its file, together with signatures that came there meanwhile.

    A crash leaves the old file or the new one. Where F holds another statement by now, nothing is written.
    """
    from sekisho.ceremony import create_file, replace_file
    from sekisho.cli.documents import parse_document
    from sekisho.signing import add_signature

    if ceremony.out:
        if document.disclosures:
            write_sealed(target, document.digest, document.disclosures)
        create_file(target, envelope.raw)
        return envelope
    current = parse_document(read_input(str(target), limit=_MAX_STATEMENT), path=str(target))
    if current.digest != document.digest:
        raise StateConflict(
            f"{target} holds another statement than the one that was shown",
            remedy="look at it again; nothing was signed into it",
        )
    if current.envelope is not None:
        envelope = add_signature(current.envelope, envelope)
    replace_file(target, envelope.raw, mode=0o644)
    return envelope


def _deliver(
    view: View,
    document: Document,
    signer: Signer,
    done: tuple[Path, Envelope, bool],
    *,
    as_json: bool,
) -> None:
    target, envelope, fresh = done
    told = "sign.done" if fresh else "sign.again"
    answer = {
        "digest": document.digest,
        "key": signer.public.key_id,
        "fresh": fresh,
        "signatures": len(envelope.signatures),
        "file": str(target),
    }
    text = say(
        told,
        view.language,
        id=signer.public.key_id[:16],
        file=target,
        count=len(envelope.signatures),
    )
    deliver(Answer(document=answer, text=text), as_json=as_json)
