"""`sekisho key`: make a key, and show the public part of one."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sekisho.catalogue import Language, say
from sekisho.cli.answer import Answer, AsJson, deliver
from sekisho.cli.countersign import PassphraseFile, passphrase_for, read_passphrase
from sekisho.cli.reading import read_input
from sekisho.cli.surroundings import language_of
from sekisho.model.errors import InvalidInput

if TYPE_CHECKING:
    from sekisho.signing import PublicKey

__all__ = ["app", "load_public"]

app = typer.Typer(help="Make keys and show their public parts.", no_args_is_help=True)
_MAX_KEY = 16_384
_PEM_LINE = 64


@app.command()
def new(
    context: typer.Context,
    *,
    file: Annotated[str, typer.Argument(metavar="F", help="Where the private key goes (0600).")],
    passphrase: Annotated[
        bool, typer.Option("--passphrase", help="Encrypt it; the passphrase is asked for.")
    ] = False,
    passphrase_file: PassphraseFile = "",
    as_json: AsJson = False,
) -> None:
    """Draw an Ed25519 key: the private key in F, the public key in F.pub."""
    from sekisho.ceremony import create_file, create_key

    language, path = language_of(context), Path(file)
    secret = read_passphrase(passphrase_file) if passphrase_file else None
    if passphrase and secret is None:
        question = say("key.passphrase.new", language)
        secret = str(
            typer.prompt(question, hide_input=True, confirmation_prompt=True, err=True)
        ).encode()
    public_file = path.with_name(path.name + ".pub")
    if public_file.exists():
        raise InvalidInput("is there already", path=str(public_file), remedy="name another file")
    public = create_key(path, passphrase=secret).public
    create_file(public_file, _to_pem(public))
    document = {**_public(public), "file": str(path), "public_file": str(public_file)}
    text = say("key.made", language, file=path, public=public_file) + "\n" + _text(public, language)
    deliver(Answer(document=document, text=text), as_json=as_json)


@app.command()
def show(
    context: typer.Context,
    *,
    file: Annotated[str, typer.Argument(metavar="F", help="A public or private key's file.")],
    vkey: Annotated[
        str, typer.Option("--vkey", help="Also as a log's verifier key of this name.")
    ] = "",
    cosigner: Annotated[
        bool, typer.Option("--cosigner", help="With --vkey: a witness's key, not a log's.")
    ] = False,
    passphrase_file: PassphraseFile = "",
    as_json: AsJson = False,
) -> None:
    """A key's id, digest phrase and public bytes; of a private key nothing else."""
    from sekisho.ceremony import load_key

    language = language_of(context)
    if file != "-" and b"PRIVATE KEY" in read_input(file, limit=_MAX_KEY)[:64]:
        prompt = say("key.passphrase", language, file=file)
        secret = passphrase_for(Path(file), passphrase_file, prompt)
        public = load_key(Path(file), passphrase=secret).public
    else:
        public = load_public(file)
    document, text = _public(public), _text(public, language)
    if vkey:
        named = _vkey(public, vkey, cosigner=cosigner)
        document, text = {**document, "vkey": named}, f"{text}\n  vkey    {named}"
    deliver(Answer(document=document, text=text), as_json=as_json)


def load_public(file: str) -> PublicKey:
    """A public key's file: PEM, or the base64 of its SPKI. Raises InvalidInput naming the file."""
    from sekisho.cli.documents import parse_document

    document = parse_document(read_input(file, limit=_MAX_KEY), path=file)
    if document.key is None:
        raise InvalidInput(
            f"is a {document.form}, expected a public key", path=file, remedy="give the .pub file"
        )
    return document.key


def _public(public: PublicKey) -> dict[str, object]:
    from sekisho.signing.phrase import digest_phrase

    phrase = digest_phrase(public.key_id)
    return {"key": public.key_id, "phrase": phrase, "public": public.to_text()}


def _text(public: PublicKey, language: Language) -> str:
    from sekisho.signing.phrase import digest_phrase

    return say(
        "key.public",
        language,
        id=public.key_id,
        phrase=digest_phrase(public.key_id),
        public=public.to_text(),
    )


def _to_pem(public: PublicKey) -> bytes:
    text = public.to_text()
    lines = [text[i : i + _PEM_LINE] for i in range(0, len(text), _PEM_LINE)]
    body = "\n".join(lines)
    return f"-----BEGIN PUBLIC KEY-----\n{body}\n-----END PUBLIC KEY-----\n".encode()


def _vkey(public: PublicKey, name: str, *, cosigner: bool) -> str:
    """The key as signed notes name it. An Ed25519 SPKI ends in the key's 32 bytes (RFC 8410)."""
    from sekisho.signing import PublicKey as Key
    from sekisho.signing.notes import NoteAlgorithm, VerifierKey

    raw = public.spki[-32:]
    if Key.from_ed25519_raw(raw) != public:
        raise InvalidInput(
            "is not an Ed25519 key", path="F", remedy="logs and witnesses use Ed25519"
        )
    algorithm = NoteAlgorithm.COSIGNATURE_ED25519 if cosigner else NoteAlgorithm.ED25519
    named = VerifierKey(name=name, algorithm=algorithm, public_key=raw)
    return VerifierKey.from_text(named.to_text(), path="--vkey").to_text()
