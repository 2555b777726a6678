"""`sekisho registry capture` and `endorse`: documents go into the register, and who vouches for them says so before."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import msgspec
import typer

from sekisho.catalogue import Language, say
from sekisho.cli.answer import Answer, AsJson, deliver, worst_code
from sekisho.cli.countersign import Phrase, PhraseMissing
from sekisho.cli.own_key import KeyPlace, PassphraseFile, open_own_key
from sekisho.cli.plain_text import tame
from sekisho.cli.progress import bar
from sekisho.cli.reading import read_input
from sekisho.cli.registry_door import (
    Door,
    HomeOfRegister,
    Taken,
    UrlOfRegister,
    opened_door,
    origin_of,
)
from sekisho.cli.surroundings import PolicyFile, language_of, settings_of
from sekisho.model.errors import InvalidInput, NotAuthorised, SekishoError, StateConflict

if TYPE_CHECKING:
    from sekisho.cli.words.capture import Summary
    from sekisho.signing import Signer

__all__ = ["add_to"]

_Documents = Annotated[
    list[str], typer.Argument(metavar="F...", help="EPCIS 2.0 JSON-LD documents; - for input.")
]
_OwnOrigin = Annotated[
    str, typer.Option("--log", help="The origin of the register's log; else from home or trust.")
]
SUFFIX = ".endorsement"
_MAX_ENDORSEMENT = 16_384


class _Row(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What became of one file."""

    file: str
    capture: str = ""
    events: int = 0
    taken: int = 0
    waiting: int = 0
    refused: int = 0
    repeated: int = 0
    parties: tuple[str, ...] = ()
    powers: tuple[str, ...] = ()
    problems: tuple[dict[str, str], ...] = ()
    error: str = ""
    code: int = 0


def add_to(app: typer.Typer) -> None:
    """Put this part's commands into the group."""
    app.command()(capture)
    app.command()(endorse)


def capture(
    context: typer.Context,
    *,
    files: _Documents,
    home: HomeOfRegister = "",
    url: UrlOfRegister = "",
    key: KeyPlace = "",
    party: Annotated[
        str, typer.Option("--as", help="Fail unless this party is among who endorsed.")
    ] = "",
    yes: Annotated[
        bool, typer.Option("--yes", help="With --key: sign without being asked, for scripts.")
    ] = False,
    passphrase_file: PassphraseFile = "",
    as_json: AsJson = False,
) -> None:
    """Hand documents in: F.endorsement goes with F where there is one; with --key F is endorsed first.

    A home that runs is spoken to over HTTP, one that does not is opened. Exit 0 where all took effect, 1 where an
    event was refused, 2 where one could not be read, 3 where one waits for an earlier one or nobody signed.
    """
    language, settings = language_of(context), settings_of(context)
    signer = open_own_key(settings, key, passphrase_file) if key else None
    with (
        opened_door(context, home, url) as door,
        bar(say("registry.capture.bar", language)) as heard,
    ):
        rows = []
        for done, file in enumerate(files):
            heard(done, len(files))
            rows.append(_capture(file, door, signer, language, party=party, yes=yes))
    text = "\n".join(line for row in rows for line in _lines(row, language))
    document = [_plain(row) for row in rows]
    code = worst_code(row.code for row in rows)
    deliver(Answer(document=document, text=text, exit_code=code), as_json=as_json)


def endorse(
    context: typer.Context,
    *,
    file: Annotated[str, typer.Argument(metavar="F", help="An EPCIS 2.0 JSON-LD document.")],
    key: KeyPlace = "",
    home: HomeOfRegister = "",
    log: _OwnOrigin = "",
    policy: PolicyFile = "",
    phrase: Phrase = "",
    passphrase_file: PassphraseFile = "",
    as_json: AsJson = False,
) -> None:
    """Show what a document says, have its digest phrase typed back, and vouch for it: writes F.endorsement.

    A second signer adds to the file. The endorsement is for one register's log and for these very bytes.
    """
    from sekisho.ceremony import replace_file
    from sekisho.signing import add_signature
    from sekisho.signing.endorsing import endorse as sign

    language, settings = language_of(context), settings_of(context)
    if not key:
        raise InvalidInput("is needed", path="--key", remedy="name your private key's file")
    data = _read_document(file)
    summary = _summary(file, data)
    origin = log or origin_of(context, home, policy)
    typer.echo(summary.to_text(file, language), err=True)
    typer.echo(say("registry.sign.log", language, log=tame(origin)), err=True)
    _ask_phrase(summary, phrase, language)
    signer = open_own_key(settings, key, passphrase_file)
    envelope = sign(summary.sha256, origin, [signer])
    target = Path(file + SUFFIX)
    before = _read_endorsement(target, summary.sha256, origin)
    if before is not None:
        envelope = add_signature(before, envelope)
    replace_file(target, envelope.raw, mode=0o644)
    answer = {
        **summary.to_document(),
        "log": origin,
        "key": signer.public.key_id,
        "signatures": len(envelope.signatures),
        "file": str(target),
    }
    text = say(
        "registry.sign.done",
        language,
        file=str(target),
        id=signer.public.key_id[:16],
        count=len(envelope.signatures),
    )
    deliver(Answer(document=answer, text=text), as_json=as_json)


# --- one file ---------------------------------------------------------------------------------


def _capture(  # what one file is captured with
    file: str, door: Door, signer: Signer | None, language: Language, *, party: str, yes: bool
) -> _Row:
    from sekisho.cli.errors import complaint_of

    try:
        data = _read_document(file)
        endorsement = _endorsement_for(file, data, door, signer, language, yes=yes)
        taken = door.take(data, endorsement)
    except (SekishoError, OSError) as error:
        complaint = complaint_of(error, language)
        return _Row(file=file, error=complaint.message, code=complaint.exit_code)
    row = _Row(file=file, **msgspec.structs.asdict(taken))
    if party and party not in taken.parties:
        return msgspec.structs.replace(
            row, error=say("registry.capture.not-party", language, party=party), code=1
        )
    return msgspec.structs.replace(row, code=_code(taken))


def _code(taken: Taken) -> int:
    if taken.problems:
        return 2
    if taken.refused:
        return 1
    # What nobody signed is kept as seen: that is no effect, however sound the document is.
    return 3 if taken.waiting or not (taken.parties or taken.powers) else 0


def _endorsement_for(
    file: str,
    data: bytes,
    door: Door,
    signer: Signer | None,
    language: Language,
    *,
    yes: bool,
) -> bytes | None:
    """What vouches for a document: a signature made now, beside those of F.endorsement; or those alone."""
    from sekisho.signing import add_signature
    from sekisho.signing.endorsing import endorse as sign

    summary = _summary(file, data)
    kept = None
    if file != "-":
        kept = _read_endorsement(Path(file + SUFFIX), summary.sha256, door.origin)
    if signer is None:
        return kept.raw if kept is not None else None
    if not door.origin:
        raise NotAuthorised(
            "this register's log is not one that you trust", remedy="sekisho trust add first"
        )
    typer.echo(summary.to_text(file, language), err=True)
    if not yes and not typer.confirm(say("registry.capture.ask", language), err=True):
        raise PhraseMissing(say("sign.refused", language), remedy="")
    made = sign(summary.sha256, door.origin, [signer])
    return (made if kept is None else add_signature(kept, made)).raw


def _read_document(file: str) -> bytes:
    from sekisho.model.wire import MAX_DOCUMENT

    return read_input(file, limit=MAX_DOCUMENT)


def _read_endorsement(path: Path, sha256: str, origin: str) -> Any:
    """The envelope that lies beside a document; None where there is none. Raises StateConflict for another's."""
    from sekisho.signing.endorsing import parse_endorsement

    if not path.exists():
        return None
    data = read_input(str(path), limit=_MAX_ENDORSEMENT)
    envelope, found = parse_endorsement(data, path=str(path))
    if found.document != sha256 or (origin and found.log != origin):
        raise StateConflict(
            f"{path} endorses another document, or this one for another log",
            remedy="remove it, and endorse the document as it is now",
        )
    return envelope


def _summary(file: str, data: bytes) -> Summary:
    from sekisho.cli.words.capture import summarise
    from sekisho.registry.epcis import parse_document

    return summarise(data, parse_document(data, path=file))


def _ask_phrase(summary: Summary, typed: str, language: Language) -> None:
    from sekisho.signing.phrase import is_phrase_of

    if not typed:
        try:
            question = say("sign.phrase", language)
            typed = str(typer.prompt(question, default="", show_default=False, err=True))
        except typer.Abort:
            typed = ""
    if not is_phrase_of(typed, summary.sha256):
        raise PhraseMissing(
            say("sign.refused", language), remedy=say("sign.refused.remedy", language)
        )


# --- answers ----------------------------------------------------------------------------------


def _plain(row: _Row) -> dict[str, object]:
    if row.error and not row.capture:
        return {"file": row.file, "error": row.error}
    told = {**msgspec.structs.asdict(row), "signed": bool(row.parties or row.powers)}
    del told["code"]
    if not row.error:
        del told["error"]
    return told


def _lines(row: _Row, language: Language) -> list[str]:
    if row.error and not row.capture:
        return [f"{tame(row.file)}: {tame(row.error)}"]
    who = ", ".join(row.parties) or ", ".join(row.powers)
    lines = [
        say(
            "registry.capture.row",
            language,
            file=tame(row.file),
            events=row.events,
            taken=row.taken,
            waiting=row.waiting,
            refused=row.refused,
            repeated=row.repeated,
            who=who or say("registry.capture.unsigned", language),
        )
    ]
    lines += [f"  {tame(found['path'])}: {tame(found['problem'])}" for found in row.problems[:20]]
    if row.waiting or row.refused:
        lines.append(f"  {say('registry.capture.why', language)}")
    return [*lines, f"  {tame(row.error)}"] if row.error else lines
