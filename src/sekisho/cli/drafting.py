"""A draft's two ends: written for others to sign, or signed at once by the one whose own word it is."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import msgspec
import typer

from sekisho.catalogue import Language, say, translate
from sekisho.cli.answer import Answer, AsJson, deliver
from sekisho.cli.countersign import Phrase, ask_phrase, hand_in
from sekisho.cli.errors import EXIT_CODES
from sekisho.cli.own_key import KeyPlace, PassphraseFile, load_public, open_own_key
from sekisho.cli.plain_text import tame
from sekisho.cli.reading import read_input
from sekisho.cli.sealed_file import see_inside, write_sealed
from sekisho.cli.surroundings import (
    HomeFolder,
    LogPlace,
    PolicyFile,
    Sources,
    look,
    require_state,
    settings_of,
)
from sekisho.model.errors import InvalidInput, SekishoError, StateConflict

if TYPE_CHECKING:
    from sekisho.cli.words import View
    from sekisho.model.instants import Instant
    from sekisho.model.statements import Predicate, Statement
    from sekisho.signing import PublicKey, Signer

__all__ = [
    "Dated",
    "DraftOut",
    "Making",
    "MaybeControl",
    "OwnPublic",
    "SignedOut",
    "add_withdraw",
    "deliver_draft",
    "deliver_own_word",
]

DraftOut = Annotated[str, typer.Option("--out", help="Where the draft goes; never over a file.")]
SignedOut = Annotated[str, typer.Option("--out", help="Where it goes; never over a file.")]
OwnPublic = Annotated[
    str, typer.Option("--public", help="Your public key, to sign the draft elsewhere or later.")
]
Dated = Annotated[
    str,
    typer.Option(
        "--dated",
        help="The instant in its text; now if left out. With --phrase: the one that was shown with the phrase.",
    ),
]
MaybeControl = Annotated[
    str, typer.Option("--control", help="Hand it in at this control plane as well.")
]
_MAX_STATEMENT = 70_000


class Making(msgspec.Struct, frozen=True, kw_only=True):
    """How a person's own word is made: with which key, or for which public key as a draft; where it goes."""

    out: str
    key: str = ""
    public: str = ""
    phrase: str = ""
    dated: str | None = None
    passphrase_file: str = ""
    control: str = ""

    def check(self) -> None:
        """Raise InvalidInput unless one key is named and there is a place for the result."""
        if bool(self.key) == bool(self.public):
            raise InvalidInput(
                "one of the two is needed",
                path="--key, --public",
                remedy="sign here with --key, or draft with --public and sign the draft later",
            )
        if self.public and self.control:
            raise InvalidInput("a draft is handed in by nobody: sign it first", path="--control")
        if not self.out:
            raise InvalidInput("is missing", path="--out", remedy="name a new file")

    def at(self, now: Instant) -> Instant:
        """When the text is dated: --dated, else `now`. Raises InvalidInput for what is no instant.

        Calls with one date give one text, so that the phrase of the first can be given to the second.
        """
        from sekisho.model.instants import parse_instant

        return parse_instant(self.dated, path="--dated") if self.dated else now

    def phrase_remedy(self, fact: Predicate, language: Language) -> str:
        """What a script that gave a phrase has to do, where each call dates its own text; empty for a person."""
        if not self.phrase or self.dated:
            return ""
        key = "sign.refused.draft" if self.dated is None else "sign.refused.dated"
        return say(key, language, at=fact.effective)

    def whose(self, context: typer.Context) -> tuple[PublicKey, Signer | None]:
        """The key whose word it is, with its signer where it signs here."""
        if self.public:
            return load_public(self.public), None
        signer = open_own_key(settings_of(context), self.key, self.passphrase_file)
        return signer.public, signer


def deliver_draft(
    view: View, fact: Predicate, out: Path, *, as_json: bool, disclosures: tuple[str, ...] = ()
) -> None:
    """Write a draft that a signer's program will read, and show it as it will be shown there; ends the command.

    Exit 1 where nobody should sign it as the log stands: it is written all the same, for those who have to mend what
    is missing, and `sign` refuses it for the same reason. What the field rules refuse is not written.
    """
    from sekisho.ceremony import create_file
    from sekisho.cli.documents import parse_document
    from sekisho.cli.words import describe
    from sekisho.model.statements import make_payload, parse_payload
    from sekisho.model.statements.statement import kind_of

    statement = parse_payload(make_payload(fact), path=kind_of(fact))
    document = parse_document(statement.payload, path=str(out))
    document = msgspec.structs.replace(document, disclosures=disclosures)
    view = see_inside(view, document)
    page = describe(document, view)
    private = write_sealed(out, statement.digest, disclosures) if disclosures else None
    create_file(out, statement.payload)
    refused = _refusal(view, statement)
    lines = [page.to_text(), say("order.drafted", view.language, file=out)]
    if private is not None:
        lines.append(say("order.sealed.kept", view.language, file=private))
    if refused is not None:
        lines.append(say("draft.refused", view.language, file=out, why=tame(refused.message)))
        if refused.remedy:
            remedy = tame(translate(refused.remedy, view.language))
            lines.append(f"  {say('cli.remedy', view.language)}: {remedy}")
    answer = {
        **page.to_document(),
        "file": str(out),
        "refused": None if refused is None else refused.message,
    }
    code = 0 if refused is None else EXIT_CODES[StateConflict]
    deliver(Answer(document=answer, text="\n".join(lines), exit_code=code), as_json=as_json)


def _refusal(view: View, statement: Statement) -> SekishoError | None:
    """Why nobody should sign it now; None where nothing speaks against it, or no log was read that could."""
    from sekisho.ceremony import verify_document

    if view.footing.state is None:
        return None
    try:
        verify_document(view.footing, statement, (), now=view.now)
    except SekishoError as refused:
        return refused
    return None


def deliver_own_word(
    view: View, fact: Predicate, signer: Signer | None, making: Making, *, as_json: bool
) -> None:
    """Show what somebody says under their own key alone, have the phrase typed back, sign and write; ends the command.

    Without a signer the draft is written, to be signed by `sign`. A crash leaves no file, or the whole one.
    """
    from sekisho.ceremony import create_file, verify_countersign
    from sekisho.cli.documents import parse_document
    from sekisho.cli.words import describe
    from sekisho.model.statements import make_payload, parse_payload
    from sekisho.signing import sign_payload

    if signer is None:
        deliver_draft(view, fact, Path(making.out), as_json=as_json)
        return
    statement = parse_payload(make_payload(fact), path=making.out)
    page = describe(parse_document(statement.payload, path=making.out), view)
    typer.echo(page.to_text(), err=as_json)
    verify_countersign(view.footing, statement, (), signer.public.key_id, now=view.now)
    remedy = making.phrase_remedy(fact, view.language)
    ask_phrase(view, making.phrase, statement.digest, remedy=remedy)
    envelope = sign_payload(statement.payload, [signer])
    create_file(Path(making.out), envelope.raw)
    text = say("sign.fresh", view.language, id=signer.public.key_id[:16], file=making.out)
    placed = None
    if making.control:
        placed, told = hand_in(making.control, envelope.raw, statement.digest, view.language)
        text = f"{text}\n{told}"
    answer = {
        "digest": statement.digest,
        "key": signer.public.key_id,
        "file": making.out,
        "placed": placed,
    }
    deliver(Answer(document=answer, text=text), as_json=as_json)


def add_withdraw(app: typer.Typer, kinds: tuple[str, ...], about: str) -> None:
    """Give a group of commands its `withdraw`, for signatures on documents of these kinds."""

    @app.command("withdraw", help=about)
    def withdraw(
        context: typer.Context,
        *,
        file: Annotated[str, typer.Argument(metavar="F", help="What was signed.")],
        reason: Annotated[str, typer.Option("--reason", help="Why; it is public.")],
        out: SignedOut,
        key: KeyPlace = "",
        public: OwnPublic = "",
        phrase: Phrase = "",
        dated: Dated = "",
        passphrase_file: PassphraseFile = "",
        control: MaybeControl = "",
        home: HomeFolder = "",
        log: LogPlace = "",
        policy: PolicyFile = "",
        as_json: AsJson = False,
    ) -> None:
        making = Making(
            out=out,
            key=key,
            public=public,
            phrase=phrase,
            dated=dated,
            passphrase_file=passphrase_file,
            control=control,
        )
        sources = Sources(home=home, log=log, policy=policy)
        _withdraw(context, (file, kinds), reason, making, sources, as_json=as_json)


def _withdraw(
    context: typer.Context,
    document: tuple[str, tuple[str, ...]],
    reason: str,
    making: Making,
    sources: Sources,
    *,
    as_json: bool,
) -> None:
    from sekisho.ceremony import draft_withdrawal

    making.check()
    file, kinds = document
    public, signer = making.whose(context)
    digest = _signed_digest(file, kinds, public)
    view = look(context, sources)
    state = require_state(view, as_json=as_json)
    fact = draft_withdrawal(state, digest, public.key_id, reason, now=making.at(view.now))
    deliver_own_word(view, fact, signer, making, as_json=as_json)


def _signed_digest(file: str, kinds: tuple[str, ...], public: PublicKey) -> str:
    """The payload digest of a document that this key did sign; what it did not sign it cannot take back."""
    from sekisho.cli.documents import parse_document
    from sekisho.signing import distinct_signers

    document = parse_document(read_input(file, limit=_MAX_STATEMENT), path=file)
    statement = document.statement
    if statement is None or statement.kind not in kinds:
        found = statement.kind if statement is not None else document.form
        raise InvalidInput(f"is a {found}, expected {' or '.join(kinds)}", path=file)
    if document.envelope is None or not distinct_signers(document.envelope, [public]):
        raise InvalidInput(f"bears no signature of key {public.key_id[:16]}", path=file)
    return document.digest
