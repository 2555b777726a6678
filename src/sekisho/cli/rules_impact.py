"""`sekisho rules impact`: what the rules mean for a company, on the terminal, on paper, and as a signed statement."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer

from sekisho.cli.answer import Answer, AsJson, deliver, verdict_code
from sekisho.cli.own_key import PassphraseFile, load_public, open_own_key
from sekisho.cli.plain_text import tame, wrap
from sekisho.cli.reading import read_input
from sekisho.cli.rules_inputs import At, now, read_instant, read_pack
from sekisho.cli.surroundings import language_of, settings_of
from sekisho.model.errors import InvalidInput

if TYPE_CHECKING:
    from sekisho.catalogue import Language
    from sekisho.model.sheets import Sheet
    from sekisho.model.statements import PackReference
    from sekisho.rules import Pack
    from sekisho.rules.impact import Answer as Given
    from sekisho.rules.impact import Answers, Checked, Impact, Proof, Question
    from sekisho.signing import Envelope

__all__ = ["add_to"]

_CODES = {"not-affected": 0, "affected": 1, "unsure": 3}
_STATEMENT_LIMIT = 65_535
_SAVED = "impact-answers.json"


def add_to(app: typer.Typer) -> None:
    """Put the command into the group."""
    app.command()(impact)


_File = Annotated[
    str,
    typer.Argument(
        metavar="ANSWERS.json|verify",
        help="The answers; left out on a terminal, the questions are asked. Or `verify`.",
    ),
]
_Statement = Annotated[
    str,
    typer.Argument(
        metavar="STATEMENT", help="With verify: the signed statement.", show_default=False
    ),
]
_Packs = Annotated[
    list[str] | None, typer.Option("--pack", help="Ask these packs, and not every shipped one.")
]
_Lang = Annotated[str, typer.Option("--lang", help="ja or en; else the environment's.")]
_Questions = Annotated[bool, typer.Option("--questions", help="Print the questionnaire.")]
_Save = Annotated[str, typer.Option("--save", help="Where answers given on a terminal are kept.")]
_Pdf = Annotated[str, typer.Option("--pdf", help="Also write the letter as PDF here.")]
_Declaration = Annotated[
    str, typer.Option("--declaration", help="Also write the one-page self-declaration as PDF.")
]
_Sign = Annotated[
    str, typer.Option("--sign", help="Sign with this key: its file, or hsm:TOKEN/ID.")
]
_Out = Annotated[
    str, typer.Option("--out", help="With --sign: the statement goes here, answers beside it.")
]
_Answers = Annotated[
    str, typer.Option("--answers", help="With verify: the answers that were signed for.")
]
_Key = Annotated[
    str, typer.Option("--key", help="With verify: the company's public key, as you know it.")
]


def impact(
    context: typer.Context,
    *,
    file: _File = "",
    statement: _Statement = "",
    at: At = "",
    pack: _Packs = None,
    lang: _Lang = "",
    questions: _Questions = False,
    save: _Save = _SAVED,
    pdf: _Pdf = "",
    declaration: _Declaration = "",
    sign: _Sign = "",
    out: _Out = "",
    answers: _Answers = "",
    key: _Key = "",
    passphrase_file: PassphraseFile = "",
    as_json: AsJson = False,
) -> None:
    """Ask about a company, and say which rules touch it, what that costs, whom to work with.

    Exits with 0 not affected, 1 affected, 3 cannot tell; `verify` with 0 holds, 1 fails, 3 unverifiable.
    """
    language = _language(context, lang)
    if questions:
        _deliver_questions(language, as_json=as_json)
    if file == "verify":
        _verify(statement, (answers, key), pack or [], at, language, as_json=as_json)
    if statement:
        raise InvalidInput("one file too many", path=statement, remedy="name the answers only")
    if bool(sign) != bool(out):
        raise InvalidInput("go together", path="--sign, --out", remedy="give both or neither")
    from sekisho.rules.impact import assess, letter
    from sekisho.rules.impact import declaration as declare

    given = _read_answers(file, save, language)
    packs = _packs(pack or [])
    found = assess(given.given, packs, read_instant(at, "--at") or now())
    proof: Proof | None = None
    written: list[str] = []
    if sign:
        proof, given, written = _sign(context, found, given, packs, (sign, passphrase_file, out))
    for place, sheet in ((pdf, letter), (declaration, declare)):
        if place:
            written.append(_print(sheet(found, given.given, language, proof), place))
    _deliver(found, given, language, (proof, written), as_json=as_json)


def _language(context: typer.Context, word: str) -> Language:
    if word not in ("", "en", "ja"):
        raise InvalidInput(f"{word[:20]!r} is no language", path="--lang", remedy="use ja or en")
    return language_of(context) if not word else "ja" if word == "ja" else "en"


def _packs(names: list[str]) -> tuple[Pack, ...]:
    from sekisho.rules.impact import packs_at_hand

    return tuple(read_pack(name) for name in names) if names else packs_at_hand()


def _read_answers(file: str, save: str, language: Language) -> Answers:
    from sekisho.rules.impact import MAX_ANSWERS, parse_answers

    if file:
        return parse_answers(read_input(file, limit=MAX_ANSWERS), file)
    if not sys.stdin.isatty():
        raise InvalidInput(
            "no file of answers", path="ANSWERS", remedy="name one, or run it on a terminal"
        )
    return _ask(Path(save), language)


def _ask(place: Path, language: Language) -> Answers:
    """Asks on the terminal, going on from what was saved; stopped halfway, unanswered stays unknown."""
    from sekisho.catalogue import say
    from sekisho.ceremony import replace_file
    from sekisho.cli.impact_asking import Asking
    from sekisho.rules.impact import Answers, format_answers, parse_answers

    given = dict(parse_answers(place.read_bytes(), str(place)).given) if place.exists() else {}

    def ask(prompt: str) -> str:
        told = typer.prompt(prompt, prompt_suffix="", default="", show_default=False, err=True)
        return str(told)

    def keep(answered: dict[str, Given]) -> None:
        # A crash here leaves the file as it was before this answer, or after it.
        replace_file(place, format_answers(Answers(given=answered)), mode=0o600)

    def tell(text: str) -> None:
        typer.echo(text, err=True)

    Asking(given, language, ask=ask, tell=tell, save=keep).run()
    tell(say("impact.cli.saved", language, file=tame(str(place))))
    return Answers(given=given)


def _sign(
    context: typer.Context,
    found: Impact,
    given: Answers,
    packs: tuple[Pack, ...],
    places: tuple[str, str, str],
) -> tuple[Proof, Answers, list[str]]:
    """Salt, sign, write: first the answers, since a statement without them can never be checked."""
    import secrets

    import msgspec

    from sekisho.ceremony import create_file
    from sekisho.model.statements import make_payload
    from sekisho.rules.impact import Proof, format_answers, state_impact
    from sekisho.signing import sign_payload

    key, passphrase_file, out = places
    signer = open_own_key(settings_of(context), key, passphrase_file)
    salted = msgspec.structs.replace(given, salt=given.salt or secrets.token_hex(16))
    said = state_impact(found, salted, packs, signer.public)
    envelope = sign_payload(make_payload(said), [signer])
    kept = Path(out).with_name(Path(out).name + ".answers.json")
    create_file(kept, format_answers(salted))
    create_file(Path(out), envelope.raw)
    proof = Proof(statement=envelope.digest, key=signer.public.key_id, valid_until=said.valid_until)
    return proof, salted, [str(kept), out]


def _print(sheet: Sheet, place: str) -> str:
    from sekisho.ceremony import create_file, print_paper

    create_file(Path(place), print_paper(sheet))
    return place


def _deliver(
    found: Impact,
    given: Answers,
    language: Language,
    signed: tuple[Proof | None, list[str]],
    *,
    as_json: bool,
) -> NoReturn:
    from sekisho.catalogue import say
    from sekisho.rules.impact import impact_document, letter

    proof, written = signed
    document = impact_document(found, language)
    document |= {"written": list(written), "statement": proof.statement if proof else None}
    lines = [_as_lines(letter(found, given.given, language, proof))]
    lines += [say("impact.cli.written", language, file=tame(place)) for place in written]
    answer = Answer(document=document, text="\n".join(lines), exit_code=_CODES[found.verdict])
    deliver(answer, as_json=as_json)


def _as_lines(sheet: Sheet) -> str:
    """The letter for a terminal: tables as rows of clauses."""
    from sekisho.model.sheets import Bars, Heading, Table

    lines = [tame(sheet.title), tame(sheet.subtitle)]
    signs = {"good": "○ ", "bad": "● ", "open": "△ "}
    for part in sheet.parts:
        if isinstance(part, Heading):
            lines += ["", tame(part.text)]
        elif isinstance(part, Table):
            for number, row in enumerate(part.rows):
                sign = signs.get(part.tones[number], "") if part.tones else ""
                lines.append("  " + wrap(sign + tame(" | ".join(row)), 4))
        elif isinstance(part, Bars):
            continue
        else:
            tone = getattr(part, "tone", "plain")
            text = part.says if hasattr(part, "says") else part.text
            lines.append("  " + wrap(signs.get(tone, "") + tame(text), 2))
    return "\n".join(lines)


def _deliver_questions(language: Language, *, as_json: bool) -> NoReturn:
    from sekisho.rules.impact import QUESTIONS, questionnaire

    rows = questionnaire(language)
    text = "\n".join(line for one in QUESTIONS.values() for line in _question_lines(one, language))
    deliver(Answer(document=rows, text=text), as_json=as_json)


def _question_lines(question: Question, language: Language) -> list[str]:
    """A question, and below it the words that may be answered, each with what it means."""
    from sekisho.catalogue import say

    ask = say(question.ask_key, language)
    head = f"{question.section}  {question.id} ({question.kind}): {ask}"
    options = [
        f"    {value}: {say(question.option_key(value), language)}" for value in question.options
    ]
    return [head, *options]


# --- verify ---------------------------------------------------------------------------------------


def _verify(
    place: str,
    files: tuple[str, str],
    packs: list[str],
    at: str,
    language: Language,
    *,
    as_json: bool,
) -> NoReturn:
    from sekisho.rules.impact import (
        MAX_ANSWERS,
        Knowledge,
        check_statement,
        packs_at_hand,
        parse_answers,
    )

    if not place:
        raise InvalidInput("no statement", path="STATEMENT", remedy="name the signed file")
    envelope = _statement(place)
    answers, key = files
    held = {one.sha256: one for one in (*packs_at_hand(), *(read_pack(name) for name in packs))}

    def find(reference: PackReference) -> Pack | None:
        return held.get(reference.sha256)

    known = Knowledge(
        now=read_instant(at, "--at") or now(),
        laws=packs_at_hand(),
        find=find,
        key=load_public(key) if key else None,
        answers=(
            parse_answers(read_input(answers, limit=MAX_ANSWERS), answers) if answers else None
        ),
    )
    _deliver_checked(check_statement(envelope, known, path=place), language, as_json=as_json)


def _statement(place: str) -> Envelope:
    """The envelope in a file. Raises InvalidInput where it is none, with what to name instead."""
    from sekisho.signing import parse_envelope

    data = read_input(place, limit=_STATEMENT_LIMIT)
    try:
        return parse_envelope(data, path=place)
    except InvalidInput as error:
        why = error.message.removeprefix(f"{place}: ")
        raise InvalidInput(
            f"this is no statement ({why})",
            path=place,
            remedy="name the file that --out wrote, and the answers beside it with --answers",
        ) from None


def _deliver_checked(checked: Checked, language: Language, *, as_json: bool) -> NoReturn:
    from sekisho.catalogue import say

    rows = [
        {
            "name": check.name,
            "verdict": check.verdict,
            "detail": tame(
                say(f"impact.checked.{check.name}.{check.why}", language, **check.values)
            ),
        }
        for check in checked.checks
    ]
    until = checked.said.known_until
    document = {
        "verdict": checked.verdict,
        "said": checked.said.verdict,
        "party": checked.said.party,
        "effective": str(checked.said.effective),
        "statement": checked.digest,
        "known_until": None if until is None else str(until),
        "checks": rows,
    }
    party = checked.said.party or say("impact.party.none", language)
    said = say(f"impact.verdict.{checked.said.verdict}", language)
    lines = [f"{checked.verdict}: {tame(party)}: {said} ({str(checked.said.effective)[:10]})"]
    lines += [
        "  "
        + say(
            "impact.cli.check",
            language,
            name=say(f"impact.check.{row['name']}", language),
            verdict=row["verdict"],
            why=row["detail"],
        )
        for row in rows
    ]
    if until is not None:
        lines.append("  " + say("impact.known-until", language, day=str(until)[:10]))
    deliver(
        Answer(document=document, text="\n".join(lines), exit_code=verdict_code(checked.verdict)),
        as_json=as_json,
    )
