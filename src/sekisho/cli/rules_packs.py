"""`sekisho rules packs`, `show`, `check` and `schema`: the packs at hand, what they say, what is wrong with them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from sekisho.cli.answer import Answer, AsJson, deliver, worst_code
from sekisho.cli.plain_text import tame, wrap
from sekisho.cli.rules_inputs import At, now, read_instant, read_pack
from sekisho.model.errors import InvalidInput

if TYPE_CHECKING:
    from sekisho.catalogue import Language
    from sekisho.model.instants import Instant
    from sekisho.rules import Pack
    from sekisho.rules.review import PackProblem

__all__ = ["add_to"]

Lang = Annotated[str, typer.Option("--lang", help="en or ja; as the environment says if left out.")]


def add_to(app: typer.Typer) -> None:
    """Put the commands into the group."""
    app.command()(packs)
    app.command()(show)
    app.command()(check)
    app.command()(schema)


def packs(context: typer.Context, lang: Lang = "", as_json: AsJson = False) -> None:
    """The packs at hand: name, version, what they speak about, and the SHA-256 of their bytes."""
    from sekisho.rules import pack_names

    language = _language(lang, context)
    found = [read_pack(name) for name in pack_names()]
    document = [_listed(pack) for pack in found]
    lines = [_listed_text(pack, language) for pack in found]
    deliver(Answer(document=document, text="\n".join(lines)), as_json=as_json)


def show(
    context: typer.Context,
    name: Annotated[str, typer.Argument(help="A pack's name, or the path of a .yaml file.")] = "",
    at: At = "",
    in_full: Annotated[
        bool, typer.Option("--text", help="Every condition, review and duty written out.")
    ] = False,
    lang: Lang = "",
    as_json: AsJson = False,
) -> None:
    """What a pack says on a date: thresholds, sets, definitions, rules and exceptions, with sources and history."""
    from sekisho.cli.rules_pack_rows import pack_rows
    from sekisho.cli.rules_pack_text import Reader, pack_text

    pack = read_pack(name)
    moment = read_instant(at, "--at") or now()
    reader = Reader(at=moment, language=_language(lang, context), in_full=in_full)
    document = pack_rows(pack, moment) if as_json else {}
    deliver(Answer(document=document, text=pack_text(pack, reader)), as_json=as_json)


def check(
    names: Annotated[
        list[str] | None, typer.Argument(help="Packs by name, or paths of .yaml files.")
    ] = None,
    every: Annotated[bool, typer.Option("--all", help="Every pack that ships.")] = False,
    at: Annotated[
        str, typer.Option("--at", help="The day for what may be stale; now if left out.")
    ] = "",
    as_json: AsJson = False,
) -> None:
    """What is wrong with packs: gaps, contradictions, rows without effect, unused names, stale values."""
    from sekisho.rules import pack_names

    wanted = [*(names or []), *(pack_names() if every else [])]
    if not wanted:
        raise InvalidInput("no pack is named", path="PACK", remedy="name packs, or write --all")
    moment = read_instant(at, "--at") or now()
    rows = [_checked(name, moment) for name in dict.fromkeys(wanted)]
    code = worst_code(code for _, _, code in rows)
    document, text = [row for row, _, _ in rows], "\n".join(text for _, text, _ in rows)
    deliver(Answer(document=document, text=text, exit_code=code), as_json=as_json)


def schema(as_json: AsJson = False) -> None:
    """The JSON Schema of a pack, for editors and for whoever writes one."""
    import msgspec

    from sekisho.rules.pack_schema import pack_schema

    document = pack_schema()
    text = msgspec.json.format(msgspec.json.encode(document), indent=2).decode()
    deliver(Answer(document=document, text=text), as_json=as_json)


def _language(lang: str, context: typer.Context) -> Language:
    from sekisho.cli.surroundings import language_of

    known: dict[str, Language] = {"en": "en", "ja": "ja"}
    if lang and lang not in known:
        raise InvalidInput(f"{lang[:40]!r} is no language", path="--lang", remedy="write en or ja")
    return known.get(lang) or language_of(context)


def _listed(pack: Pack) -> dict[str, object]:
    from sekisho.model.wire import to_plain

    return {
        "name": pack.name,
        "version": pack.version,
        "sha256": pack.sha256,
        "title": pack.title,
        "title_ja": pack.title_ja,
        "standing": pack.standing,
        "jurisdiction": pack.jurisdiction,
        "about": _kinds(pack),
        "over": [to_plain(reference) for reference in pack.over],
        "rules": len(pack.rules),
    }


def _kinds(pack: Pack) -> list[str]:
    return sorted({kind for rule in pack.rules for kind in rule.kinds})


def _listed_text(pack: Pack, language: Language) -> str:
    from sekisho.catalogue import say

    title = pack.title_ja if language == "ja" and pack.title_ja else pack.title
    about = ", ".join(say(f"law.kind.{kind}", language) for kind in _kinds(pack))
    lines = [f"{pack.name} {pack.version}  {tame(title)}", f"  {about}", f"  sha256 {pack.sha256}"]
    if pack.over:
        lines.append(f"  {say('law.over', language)} {pack.over[0].name} {pack.over[0].version}")
    return "\n".join(wrap(line, 4) for line in lines)


def _checked(name: str, at: Instant) -> tuple[object, str, int]:
    """One pack's document, its lines for a person, and its exit code: 1 with errors, 2 where it is no pack."""
    from sekisho.rules.review import check_pack

    try:
        problems = check_pack(read_pack(name), at)
    except InvalidInput as error:
        return _refused(name, str(error))
    except OSError as error:  # a file that is not there is one row, and the other packs are checked
        return _refused(name, f"{name}: {error.strerror or type(error).__name__}")
    code = 1 if any(problem.severity == "error" for problem in problems) else 0
    return {"pack": name, "problems": problems}, _checked_text(name, problems), code


def _refused(name: str, error: str) -> tuple[object, str, int]:
    return {"pack": name, "error": error}, tame(_placed(name, error)), 2


def _placed(name: str, error: str) -> str:
    """What is wrong with its file, which is named once."""
    return error if error.startswith(name) else f"{name}: {error}"


def _checked_text(name: str, problems: tuple[PackProblem, ...]) -> str:
    """A line for the pack, then two for each problem: where and what, and what to do."""
    errors = sum(problem.severity == "error" for problem in problems)
    lines = []
    for problem in problems:
        lines.append(f"  {problem.severity:7}  {tame(problem.where)}: {tame(problem.what)}")
        lines.append(f"           {tame(problem.remedy)}")
    head = f"{tame(name)}: {errors} errors, {len(problems) - errors} warnings"
    return "\n".join([head, *(wrap(line, 11) for line in lines)])
