"""The signing ceremony: read once, show, have the phrase typed back, sign those very bytes, write the file whole.

1. the file is read once; what is shown, compared and signed are these bytes; 2. a refusal on the merits comes before
any question; 3. the digest phrase must come back; 4. the signature is added and verified; 5. the file is written only
if it still holds the same statement.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import msgspec
import typer

from sekisho.catalogue import say
from sekisho.cli.answer import Answer, AsJson, deliver
from sekisho.cli.reading import read_input
from sekisho.cli.surroundings import (
    CharterFile,
    HomeFolder,
    LogPlace,
    PolicyFile,
    Sources,
    look,
)
from sekisho.model.errors import InvalidInput, NotAuthorised, StateConflict

if TYPE_CHECKING:
    from sekisho.cli.documents import Document
    from sekisho.cli.words import Page, View
    from sekisho.model.statements import Statement
    from sekisho.signing import Ed25519Signer, Envelope

__all__ = [
    "Ceremony",
    "ControlPlace",
    "KeyFile",
    "OutFile",
    "PassphraseFile",
    "Phrase",
    "PhraseMissing",
    "SignedFile",
    "add_issue",
    "add_sign",
    "issue",
    "passphrase_for",
    "show_statement",
    "sign",
]

KeyFile = Annotated[str, typer.Option("--key", help="Your private key's file.")]
Phrase = Annotated[
    str, typer.Option("--phrase", help="The digest phrase, for scripts; asked for if left out.")
]
PassphraseFile = Annotated[
    str, typer.Option("--passphrase-file", help="A file with the key's passphrase; else asked for.")
]
SignedFile = Annotated[str, typer.Argument(metavar="F", help="A draft or an envelope.")]
ControlPlace = Annotated[str, typer.Option("--control", help="The control plane's address.")]
OutFile = Annotated[str, typer.Option("--out", help="Write here instead of into F.")]
MAX_PASSPHRASE = 4096
_MAX_STATEMENT = 70_000


class PhraseMissing(NotAuthorised):
    """The digest phrase was not typed back as it was shown: nothing is signed."""

    code = "phrase-missing"


class Ceremony(msgspec.Struct, frozen=True, kw_only=True):
    """One call of `sign`: the file, the key, how the phrase comes, and the kinds that this command signs."""

    file: str
    key: str
    kinds: tuple[str, ...]
    phrase: str = ""
    passphrase_file: str = ""
    out: str = ""
    sources: Sources = Sources()


def sign(context: typer.Context, ceremony: Ceremony, *, as_json: bool) -> None:
    """The whole ceremony; ends the command. Raises the named refusal, and then nothing is written."""
    from sekisho.ceremony import verify_countersign

    if ceremony.file == "-" and not ceremony.out:
        raise InvalidInput("needs a place to write to", path="--out", remedy="name a file")
    document, statement, view, page = show_statement(
        context, ceremony.file, ceremony.kinds, ceremony.sources
    )
    # On the merits first: nobody types a phrase under something that must not be signed. The passphrase is not
    # needed to know whose key it is to be, but an encrypted file does not tell, so it is asked for here.
    typer.echo(page.to_text(), err=as_json)
    signer = _load_signer(view, ceremony)
    unknown = (*document.unknown, *document.critical)
    verify_countersign(view.footing, statement, unknown, signer.public.key_id, now=view.now)
    _ask_phrase(view, ceremony, document.digest)
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
    view = look(context, sources, origin=document.origin)
    return document, statement, view, describe(document, view)


def add_sign(app: typer.Typer, kinds: tuple[str, ...], about: str) -> None:
    """Give a group of commands its `sign`, for documents of these kinds."""

    @app.command("sign", help=about)
    def sign_document(
        context: typer.Context,
        *,
        file: SignedFile,
        key: KeyFile,
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
            key=key,
            kinds=kinds,
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
    from sekisho.ceremony import send_statement
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
    placed = send_statement(control, data)
    if placed["digest"] != document.digest:
        raise StateConflict("the control plane speaks of another statement than the one sent")
    key = "order.issued" if placed["fresh"] else "order.issued.before"
    text = say(key, language_of(context), index=placed["index"], leaf=placed["leaf"])
    deliver(Answer(document=placed, text=text), as_json=as_json)


def passphrase_for(path: Path, passphrase_file: str, prompt: str) -> bytes | None:
    """The passphrase of a key file: from a file, or typed unseen; None where the key is not encrypted."""
    if passphrase_file:
        return read_passphrase(passphrase_file)
    with path.open("rb") as stream:
        if b"ENCRYPTED" not in stream.read(64):
            return None
    return str(typer.prompt(prompt, hide_input=True, err=True)).encode()


def read_passphrase(path: str) -> bytes:
    """A passphrase is the file's first line. Raises InvalidInput where it is empty."""
    first = read_input(path, limit=MAX_PASSPHRASE).split(b"\n", 1)[0].rstrip(b"\r")
    if not first:
        raise InvalidInput("holds no passphrase", path=path, remedy="write it in the first line")
    return first


def _load_signer(view: View, ceremony: Ceremony) -> Ed25519Signer:
    from sekisho.ceremony import load_key

    path = Path(ceremony.key)
    prompt = say("key.passphrase", view.language, file=ceremony.key)
    return load_key(path, passphrase=passphrase_for(path, ceremony.passphrase_file, prompt))


def _ask_phrase(view: View, ceremony: Ceremony, digest: str) -> None:
    from sekisho.signing.phrase import is_phrase_of

    typed = ceremony.phrase
    if not typed:
        try:
            question = say("sign.phrase", view.language)
            typed = str(typer.prompt(question, default="", show_default=False, err=True))
        except typer.Abort:
            typed = ""
    if not is_phrase_of(typed, digest):
        raise PhraseMissing(
            say("sign.refused", view.language), remedy=say("sign.refused.remedy", view.language)
        )


def _countersign(
    document: Document, statement: Statement, signer: Ed25519Signer
) -> tuple[Envelope, bool]:
    """The envelope with the signature in it, and whether it was not there before, under whatever name."""
    from sekisho.signing import add_signature, distinct_signers, sign_payload

    own = sign_payload(statement.payload, [signer])
    if document.envelope is None:
        return own, True
    if distinct_signers(document.envelope, [signer.public]):
        return document.envelope, False
    return add_signature(document.envelope, own), True


def _write(target: Path, ceremony: Ceremony, document: Document, envelope: Envelope) -> Envelope:
    """Put the envelope into its file, together with signatures that came there meanwhile.

    A crash leaves the old file or the new one. Where F holds another statement by now, nothing is written.
    """
    from sekisho.ceremony import create_file, replace_file
    from sekisho.cli.documents import parse_document
    from sekisho.signing import add_signature

    if ceremony.out:
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
    signer: Ed25519Signer,
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
