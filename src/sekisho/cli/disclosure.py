"""`sekisho disclosure`: show one concealed field, judge what was shown, open a deposit together, erase for good."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sekisho.catalogue import Language, say
from sekisho.cli.answer import Answer, AsJson, deliver, verdict_code
from sekisho.cli.countersign import Phrase, PhraseMissing
from sekisho.cli.own_key import PassphraseFile, passphrase_for, read_passphrase
from sekisho.cli.plain_text import quote
from sekisho.cli.reading import read_input
from sekisho.cli.surroundings import (
    HomeFolder,
    LogPlace,
    PolicyFile,
    Sources,
    deliver_unverifiable,
    find_log,
    language_of,
    settings_of,
)
from sekisho.model.errors import InvalidInput
from sekisho.model.wire import decode_hex

if TYPE_CHECKING:
    from sekisho.ceremony import Concealed, RevealVerdict
    from sekisho.signing import Recorded

__all__ = ["app"]

app = typer.Typer(
    help="Reveal, check and erase concealed fields; open deposits.", no_args_is_help=True
)
_Digest = Annotated[
    str,
    typer.Argument(metavar="DIGEST", help="The statement: its payload's or its leaf's SHA-256."),
]
_HomeOfOperator = Annotated[
    str, typer.Option("--home", help="The operator's home; SEKISHO_HOME if left out.")
]


@app.command()
def reveal(
    context: typer.Context,
    *,
    digest: _Digest,
    name: Annotated[str, typer.Argument(metavar="NAME", help="The field, as consumed_flop.")],
    out: Annotated[str, typer.Option("--out", help="Where the reveal goes; never over a file.")],
    home: _HomeOfOperator = "",
    as_json: AsJson = False,
) -> None:
    """Write one field's disclosure for a reader, out of a home, with its entry and proof."""
    from sekisho.app import Home, reveal_field
    from sekisho.ceremony import create_secret_file
    from sekisho.signing import parse_disclosure

    _require_digest(digest)
    folder = Path(home).expanduser() if home else settings_of(context).home
    made = reveal_field(Home(path=folder), digest, name)
    value = parse_disclosure(made.disclosure).value
    # Private: whoever has the file knows the field.
    create_secret_file(Path(out), made.to_bytes())
    document = {
        "name": name,
        "value": value,
        "log": made.log,
        "leaf": made.leaf,
        "statement": made.statement,
        "file": out,
    }
    text = say("disclosure.revealed", language_of(context), name=name, value=quote(value), file=out)
    deliver(Answer(document=document, text=text), as_json=as_json)


@app.command()
def check(
    context: typer.Context,
    *,
    file: Annotated[str, typer.Argument(metavar="F", help="A reveal; - for standard input.")],
    home: HomeFolder = "",
    log: LogPlace = "",
    policy: PolicyFile = "",
    as_json: AsJson = False,
) -> None:
    """Does this reveal belong to an entry of the log? By your own trust root; without a log by its proof."""
    from sekisho.ceremony import MAX_REVEAL, find_concealed, judge_reveal, open_log, parse_reveal

    shown = parse_reveal(read_input(file, limit=MAX_REVEAL), path=file)
    place, root = find_log(context, Sources(home=home, log=log, policy=policy), origin=shown.log)
    found = None
    if place is not None and root is not None and root.origin == shown.log:
        found = find_concealed(open_log(place), root, shown.leaf)
    verdict = judge_reveal(shown, root, found)
    language: Language = "en" if as_json else language_of(context)
    limits = _limits(verdict, language, is_read=found is not None)
    document = {
        "verdict": verdict.verdict,
        "why": verdict.why,
        "name": verdict.name,
        "value": verdict.value,
        "known": verdict.known,
        "unopened": verdict.unopened,
        "log": shown.log,
        "leaf": shown.leaf,
        "statement": shown.statement,
        "limits": limits,
    }
    field = f"\n  {quote(verdict.name)} = {quote(verdict.value)}" if verdict.name else ""
    lines = "".join(f"\n  {line}" for line in limits)
    text = f"{verdict.verdict}: {verdict.why}{field}{lines}"
    deliver(
        Answer(document=document, text=text, exit_code=verdict_code(verdict.verdict)),
        as_json=as_json,
    )


@app.command("open")
def open_deposit(
    context: typer.Context,
    *,
    digest: _Digest,
    key: Annotated[
        str, typer.Option("--key", help="Your deposit key's file: opens your own share.")
    ] = "",
    out: Annotated[
        str, typer.Option("--out", help="With --key: where your share goes. Keep it secret.")
    ] = "",
    share: Annotated[
        list[str] | None,
        typer.Option("--share", help="An opened share; several together open the deposit."),
    ] = None,
    passphrase_file: PassphraseFile = "",
    home: HomeFolder = "",
    log: LogPlace = "",
    policy: PolicyFile = "",
    as_json: AsJson = False,
) -> None:
    """Open your share of a deposit with your key, or combine enough opened shares."""
    from sekisho.ceremony import find_concealed, open_log

    _require_digest(digest)
    if bool(key) == bool(share) or bool(key) != bool(out):
        raise InvalidInput(
            "give --key and --out, or --share once for each opened share", path="open"
        )
    sources = Sources(home=home, log=log, policy=policy)
    place, root = find_log(context, sources, origin=None)
    if place is None or root is None:
        deliver_unverifiable("cli.no-log", language_of(context), as_json=as_json)
    found = find_concealed(open_log(place), root, digest)
    if key:
        _open_own(context, found, key, out, passphrase_file, as_json=as_json)
    else:
        _combine(context, found, share or [], as_json=as_json)


@app.command()
def erase(
    context: typer.Context,
    *,
    digest: _Digest,
    basis: Annotated[str, typer.Option("--basis", help="The legal basis; it becomes public.")],
    home: _HomeOfOperator = "",
    phrase: Phrase = "",
    yes_erase: Annotated[
        str, typer.Option("--yes-erase", help="With --json: the statement's payload SHA-256 again.")
    ] = "",
    as_json: AsJson = False,
) -> None:
    """State an erasure, then destroy salt and value in the home. This cannot be undone."""
    from sekisho.app import Home, erase_disclosures
    from sekisho.signing.phrase import digest_phrase

    language = language_of(context)

    def confirm(recorded: Recorded) -> None:
        statement = recorded.verified.digest
        words = say(
            "disclosure.erase.shown",
            language,
            kind=recorded.verified.kind,
            index=recorded.index,
            digest=statement,
            basis=quote(basis),
            phrase=digest_phrase(statement),
        )
        typer.echo(words, err=True)
        _require_consent(language, statement, "" if as_json else phrase, yes_erase, as_json=as_json)

    _require_digest(digest)
    if not basis.strip():
        raise InvalidInput("is empty", path="--basis", remedy="name the law or contract")
    folder = Path(home).expanduser() if home else settings_of(context).home
    admitted, statement = erase_disclosures(Home(path=folder), digest, basis, confirm)
    document = {
        "erased": statement,
        "basis": basis,
        "index": admitted.index,
        "leaf": admitted.leaf,
        "fresh": admitted.fresh,
    }
    text = say("disclosure.erased", language, digest=statement, index=admitted.index)
    deliver(Answer(document=document, text=text), as_json=as_json)


@app.command("key")
def make_key(
    context: typer.Context,
    *,
    file: Annotated[str, typer.Argument(metavar="F", help="Where the secret key goes (0600).")],
    tag: Annotated[
        bool, typer.Option("--tag", help="A registry's key for tags instead of a deposit key.")
    ] = False,
    passphrase_file: PassphraseFile = "",
    as_json: AsJson = False,
) -> None:
    """Draw an X25519 deposit key: the private key in F, the public key in F.pub."""
    from sekisho.ceremony import create_deposit_key, create_file, create_tag_key

    language, path = language_of(context), Path(file)
    if tag:
        if passphrase_file:
            raise InvalidInput("a tag key has no passphrase", path="--passphrase-file")
        create_tag_key(path)
        text = say("disclosure.key.tag", language, file=file)
        deliver(Answer(document={"file": file}, text=text), as_json=as_json)
    public_file = path.with_name(path.name + ".pub")
    if public_file.exists():
        raise InvalidInput("is there already", path=str(public_file), remedy="name another file")
    secret = read_passphrase(passphrase_file) if passphrase_file else None
    key = create_deposit_key(path, passphrase=secret).key
    create_file(public_file, f"{key.to_text()}\n".encode())
    text = say(
        "disclosure.key.made", language, file=file, public_file=public_file, public=key.to_text()
    )
    document = {
        "key": key.key_id,
        "public": key.to_text(),
        "file": file,
        "public_file": str(public_file),
    }
    deliver(Answer(document=document, text=text), as_json=as_json)


def _require_digest(digest: str) -> None:
    decode_hex(digest, size=32, path="DIGEST")


def _limits(verdict: RevealVerdict, language: Language, *, is_read: bool) -> list[str]:
    """What "holds" does not say."""
    if verdict.verdict != "holds":
        return []
    said = [] if is_read else [say("disclosure.limit.proof", language)]
    if verdict.unopened:
        said.append(say("disclosure.limit.unopened", language, count=verdict.unopened))
    if verdict.erased is not None:
        said.append(say("disclosure.limit.erased", language, basis=quote(verdict.erased)))
    return said


def _open_own(
    context: typer.Context,
    found: Concealed,
    key: str,
    out: str,
    passphrase_file: str,
    *,
    as_json: bool,
) -> None:
    from sekisho.ceremony import create_secret_file, load_deposit_key
    from sekisho.cli.share_file import format_share
    from sekisho.signing.deposit import open_share

    language, path = language_of(context), Path(key)
    deposit = found.require_deposit()
    prompt = say("key.passphrase", language, file=key)
    opener = load_deposit_key(path, passphrase=passphrase_for(path, passphrase_file, prompt))
    opened = open_share(deposit, opener)
    create_secret_file(Path(out), format_share(opened, deposit.origin))
    asked, holders = deposit.threshold, len(deposit.shares)
    document = {
        "statement": deposit.statement,
        "number": opened.number,
        "threshold": asked,
        "holders": holders,
        "file": out,
    }
    words = say(
        "disclosure.opened",
        language,
        number=opened.number,
        threshold=asked,
        holders=holders,
        file=out,
    )
    deliver(Answer(document=document, text=words), as_json=as_json)


def _combine(context: typer.Context, found: Concealed, files: list[str], *, as_json: bool) -> None:
    from sekisho.ceremony import ShamirSharing
    from sekisho.cli.share_file import load_share
    from sekisho.signing import concealed_of, open_fields
    from sekisho.signing.deposit import TooFewShares, combine_shares

    deposit, recorded = found.require_deposit(), found.require()
    concealed = concealed_of(recorded.verified.predicate)
    shares = [load_share(file, deposit.origin) for file in files]
    try:
        texts = combine_shares(deposit, shares, concealed, ShamirSharing())
    except TooFewShares as few:
        document: dict[str, object] = {"verdict": "unverifiable", "why": few.message}
        text = f"unverifiable: {few}"
        deliver(Answer(document=document, text=text, exit_code=3), as_json=as_json)
    fields = dict(open_fields(texts, concealed).fields)
    lines = "".join(f"\n  {quote(name)} = {quote(value)}" for name, value in fields.items())
    document = {
        "verdict": "holds",
        "statement": deposit.statement,
        "leaf": recorded.leaf,
        "fields": fields,
        "disclosures": texts,
    }
    text = say("disclosure.combined", language_of(context), count=len(fields)) + lines
    deliver(Answer(document=document, text=text), as_json=as_json)


def _require_consent(
    language: Language, statement: str, phrase: str, yes_erase: str, *, as_json: bool
) -> None:
    """The phrase typed back, or for a script the digest said twice. Raises PhraseMissing; nothing is erased then."""
    from sekisho.signing.phrase import is_phrase_of

    if as_json:
        if yes_erase == statement:
            return
    else:
        if not phrase:
            question = say("disclosure.erase.phrase", language)
            try:
                phrase = str(typer.prompt(question, default="", show_default=False, err=True))
            except typer.Abort:
                phrase = ""
        if is_phrase_of(phrase, statement):
            return
    raise PhraseMissing(
        say("disclosure.erase.refused", language),
        remedy=say("disclosure.erase.remedy", language),
    )
