"""`sekisho key`: make a key, show the public part of one, prove it from time to time, report it when it is lost."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, get_args

import typer

from sekisho.catalogue import Language, say
from sekisho.cli.answer import Answer, AsJson, deliver
from sekisho.cli.choices import parse_choice
from sekisho.cli.countersign import add_issue, add_sign
from sekisho.cli.key_care import compromised, drill
from sekisho.cli.own_key import HSM, PassphraseFile, ask_pin_of, public_of, read_passphrase
from sekisho.cli.surroundings import language_of, settings_of
from sekisho.model.errors import InvalidInput

if TYPE_CHECKING:
    from sekisho.ceremony import Algorithm
    from sekisho.signing import PublicKey

__all__ = ["app"]

app = typer.Typer(help="Make, show, drill and report keys.", no_args_is_help=True)
_KINDS = ("key-compromised", "key-drilled", "signature-withdrawn")
add_sign(
    app, _KINDS, "Show a report, a drill or a withdrawal, have its phrase typed back, and sign."
)
add_issue(app, _KINDS, "Hand in a signed report, drill or withdrawal.")
app.command()(drill)
app.command()(compromised)
_PEM_LINE = 64


@app.command()
def new(
    context: typer.Context,
    *,
    file: Annotated[
        str, typer.Argument(metavar="F", help="Where the private key goes (0600); or its .pub.")
    ],
    algorithm: Annotated[
        str, typer.Option("--algorithm", help="ed25519, p256 or p384; on a token p256 or p384.")
    ] = "",
    hsm: Annotated[
        str, typer.Option("--hsm", help="Draw it on this token, as hsm:TOKEN/ID; F is its .pub.")
    ] = "",
    passphrase: Annotated[
        bool, typer.Option("--passphrase", help="Encrypt it; the passphrase is asked for.")
    ] = False,
    passphrase_file: PassphraseFile = "",
    as_json: AsJson = False,
) -> None:
    """Draw a key: the private key in F, the public key in F.pub; or on a token, the public key in F."""
    if hsm and passphrase:
        raise InvalidInput("is a file's; a token has its PIN", path="--passphrase")
    if hsm:
        _new_on_token(context, file, hsm, algorithm, passphrase_file, as_json=as_json)
        return
    from sekisho.ceremony import create_file, create_signer

    language, path = language_of(context), Path(file)
    secret = read_passphrase(passphrase_file) if passphrase_file else None
    if passphrase and secret is None:
        question = say("key.passphrase.new", language)
        secret = str(
            typer.prompt(question, hide_input=True, confirmation_prompt=True, err=True)
        ).encode()
    public_file = path.with_name(path.name + ".pub")
    _refuse_taken(public_file)
    public = create_signer(path, _algorithm(algorithm or "ed25519"), passphrase=secret).public
    create_file(public_file, _to_pem(public))
    document = {**_public(public), "file": str(path), "public_file": str(public_file)}
    text = say("key.made", language, file=path, public=public_file) + "\n" + _text(public, language)
    deliver(Answer(document=document, text=text), as_json=as_json)


@app.command()
def show(
    context: typer.Context,
    *,
    file: Annotated[
        str, typer.Argument(metavar="F", help="A public or private key's file, or hsm:TOKEN/ID.")
    ],
    vkey: Annotated[
        str, typer.Option("--vkey", help="Also as a log's verifier key of this name.")
    ] = "",
    cosigner: Annotated[
        bool, typer.Option("--cosigner", help="With --vkey: a witness's key, not a log's.")
    ] = False,
    out: Annotated[
        str,
        typer.Option("--out", help="With --vkey: write the verifier key here; never over a file."),
    ] = "",
    passphrase_file: PassphraseFile = "",
    as_json: AsJson = False,
) -> None:
    """A key's id, digest phrase and public bytes; of a private key nothing else."""
    from sekisho.ceremony import create_file

    language = language_of(context)
    if out and not vkey:
        raise InvalidInput("goes with a verifier key", path="--out", remedy="add --vkey NAME")
    public = public_of(settings_of(context), file, passphrase_file)
    document, text = _public(public), _text(public, language)
    if vkey:
        named = _vkey(public, vkey, cosigner=cosigner)
        document, text = {**document, "vkey": named}, f"{text}\n  vkey    {named}"
        if out:
            create_file(Path(out), f"{named}\n".encode())
    deliver(Answer(document=document, text=text), as_json=as_json)


def _new_on_token(
    context: typer.Context,
    file: str,
    place: str,
    algorithm: str,
    passphrase_file: str,
    *,
    as_json: bool,
) -> None:
    """Draw a key where it stays; only its public part comes out, into a new file."""
    from sekisho.ceremony import create_file, create_hsm_signer

    settings = settings_of(context)
    if not place.startswith(HSM):
        raise InvalidInput(f"{place[:60]!r} is no token", path="--hsm", remedy="use hsm:TOKEN/ID")
    _refuse_taken(Path(file))
    public = create_hsm_signer(
        place,
        library=settings.pkcs11_lib,
        algorithm=_algorithm(algorithm or "p256"),
        ask_pin=ask_pin_of(place, passphrase_file, settings.language),
    ).public
    # A crash here leaves the key on its token without the file: `key show hsm:TOKEN/ID` tells it again.
    create_file(Path(file), _to_pem(public))
    document = {**_public(public), "file": place, "public_file": file}
    text = say("key.made.hsm", settings.language, place=place, public=file)
    text += "\n" + _text(public, settings.language)
    deliver(Answer(document=document, text=text), as_json=as_json)


def _refuse_taken(path: Path) -> None:
    if path.exists():
        raise InvalidInput("is there already", path=str(path), remedy="name another file")


def _algorithm(word: str) -> Algorithm:
    from sekisho.ceremony import Algorithm

    return parse_choice(word, get_args(Algorithm), path="--algorithm", noun="algorithm of ours")


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
