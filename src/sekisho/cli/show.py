"""`sekisho show`: any document in words, offline, before anybody signs or believes it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from sekisho.cli.answer import Answer, AsJson, deliver
from sekisho.cli.own_key import PassphraseFile, public_of
from sekisho.cli.reading import read_input
from sekisho.cli.sealed_file import load_sealed
from sekisho.cli.surroundings import (
    CharterFile,
    HomeFolder,
    LogPlace,
    PolicyFile,
    Sources,
    look,
    settings_of,
)
from sekisho.model.errors import InvalidInput

if TYPE_CHECKING:
    from sekisho.cli.documents import Document

__all__ = ["app", "show"]


def show(
    context: typer.Context,
    *,
    file: Annotated[str, typer.Argument(metavar="F", help="A document; - for standard input.")],
    home: HomeFolder = "",
    log: LogPlace = "",
    policy: PolicyFile = "",
    charter: CharterFile = "",
    passphrase_file: PassphraseFile = "",
    as_json: AsJson = False,
) -> None:
    """Say in words what a document means: kind, signers, scope, effect, expiry, change, digest phrase."""
    from sekisho.cli.documents import MAX_DOCUMENT_BYTES, parse_document
    from sekisho.cli.words import describe

    document = load_sealed(
        parse_document(read_input(file, limit=MAX_DOCUMENT_BYTES), path=file), file
    )
    if document.form == "private-key":
        document = _public_part(context, file, passphrase_file)
    sources = Sources(home=home, log=log, policy=policy, charter=charter)
    page = describe(document, look(context, sources, origin=document.origin))
    deliver(Answer(document=page.to_document(), text=page.to_text()), as_json=as_json)


def _public_part(context: typer.Context, file: str, passphrase_file: str) -> Document:
    """Of a private key only what is public; the file must be its owner's alone."""
    from sekisho.cli.documents import Document

    if file == "-":
        raise InvalidInput("a private key comes from a file only", path=file)
    public = public_of(settings_of(context), file, passphrase_file)
    return Document(form="private-key", digest=public.key_id, key=public)


app = show
