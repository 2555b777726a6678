"""`sekisho rules classify`: the class of a chip, with TPP and performance density."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Annotated, Final

import typer

from sekisho.catalogue import Language, say
from sekisho.cli.answer import Answer, AsJson, deliver, verdict_code, worst_code
from sekisho.cli.plain_text import columns, tame
from sekisho.cli.reading import read_input
from sekisho.cli.rules_inputs import AsOf, At, now, read_instant, read_pack
from sekisho.cli.surroundings import language_of
from sekisho.model.errors import InvalidInput

if TYPE_CHECKING:
    from sekisho.model.chips import Chip, ChipTable
    from sekisho.rules.classification import Classification
    from sekisho.rules.limbs import LimbTrace
    from sekisho.rules.requests import ChipSpec

__all__ = ["add_to"]

_LIMIT: Final = 16 * 1024 * 1024
_PACK: Final = "us-ear"
# Columns of the table; a class in Japanese has its word behind it, as in 判断不能 (unsure).
_NAME: Final = 32
_CLASS: Final[Mapping[Language, int]] = {"en": 10, "ja": 19}
_BITS: Final[Mapping[Language, int]] = {"en": 6, "ja": 8}


def add_to(app: typer.Typer) -> None:
    """Put the command into the group."""
    app.command()(classify)


def classify(
    context: typer.Context,
    *,
    chip: Annotated[str, typer.Option("--chip", help="A chip of the table, by name.")] = "",
    spec: Annotated[
        str,
        typer.Option("--spec", help="A data sheet: JSON, JSON lines or CSV; - for standard input."),
    ] = "",
    every: Annotated[bool, typer.Option("--all", help="Every chip of the table.")] = False,
    at: At = "",
    as_of: AsOf = "",
    pack: Annotated[
        str, typer.Option("--pack", help="A pack with classes of items, or the path of a .yaml.")
    ] = _PACK,
    as_json: AsJson = False,
) -> None:
    """3A090.a, .b, .c, none or unsure, with TPP, performance density, and every limb that says so."""
    from sekisho.rules.classification import classify as judge

    rows = _asked(chip, spec, every=every)
    rules = read_pack(pack)
    moment, known = read_instant(at, "--at") or now(), read_instant(as_of, "--as-of")
    answers = [
        (n, item if isinstance(item, InvalidInput) else judge(item, rules, moment, known))
        for n, item in rows
    ]
    if len(answers) == 1 and isinstance(answers[0][1], InvalidInput):
        raise answers[0][1]
    documents = [_document(number, found) for number, found in answers]
    deliver(
        Answer(
            document=documents if len(documents) > 1 or every else documents[0],
            text=_text([found for _, found in answers], language_of(context)),
            exit_code=worst_code(_code(found) for _, found in answers),
        ),
        as_json=as_json,
    )


# --- what is asked --------------------------------------------------------------------------------


def _asked(
    chip: str, spec: str, *, every: bool
) -> Iterable[tuple[int, Chip | ChipSpec | InvalidInput]]:
    """The chips or sheets to classify, numbered; exactly one of the three ways to name them."""
    from sekisho.model.chips import known_chips
    from sekisho.rules.requests import parse_chip_specs

    if bool(chip) + bool(spec) + every != 1:
        raise InvalidInput(
            "needs one of --chip, --spec and --all",
            path="rules classify",
            remedy="give one of them",
        )
    if spec:
        return parse_chip_specs(read_input(spec, limit=_LIMIT), spec)
    table = known_chips()
    return enumerate(table, 1) if every else [(1, _find(chip, table))]


def _find(name: str, table: ChipTable) -> Chip:
    found = table.find(name)
    if found is not None:
        return found
    near = table.nearest(name)
    raise InvalidInput(
        f"{name[:60]!r} is no chip of the table",
        path="--chip",
        remedy=f"did you mean {' or '.join(near)}?" if near else "give its data sheet with --spec",
    )


# --- what is answered -----------------------------------------------------------------------------


def _document(number: int, found: Classification | InvalidInput) -> object:
    from sekisho.model.wire import to_plain

    if isinstance(found, InvalidInput):
        return {"line": number, "error": str(found)}
    return to_plain(found)


def _code(found: Classification | InvalidInput) -> int:
    if isinstance(found, InvalidInput):
        return 2
    return verdict_code("unsure") if found.item_class == "unsure" else 0


def _text(found: list[Classification | InvalidInput], language: Language) -> str:
    if len(found) == 1:
        one = found[0]
        return str(one) if isinstance(one, InvalidInput) else _one(one, language)
    return "\n".join([_head(language), *(_line(one, language) for one in found)])


def _head(language: Language) -> str:
    chip, kind, bits = (_say(word, language) for word in ("chip", "class", "bits"))
    name = f"{_left(chip, _NAME)}{_left(kind, _CLASS[language])}"
    return f"{name}{'TPP':>10}{_right(bits, _BITS[language])}{'TPP/mm2':>10}{'H100e':>10}"


def _line(found: Classification | InvalidInput, language: Language) -> str:
    if isinstance(found, InvalidInput):
        return tame(str(found))
    density, h100e = _short(found.performance_density), _short(found.h100e)
    bits = _right(str(found.tpp_bits or "-"), _BITS[language])
    figures = f"{found.tpp or '-':>10}{bits}{density:>10}{h100e:>10}"
    facts = ", ".join(found.missing)
    why = f"  {_say('missing', language, facts=facts)}" if facts else ""
    kind = _left(_class(found.item_class, language), _CLASS[language])
    return tame(f"{_left(found.name[: _NAME - 1], _NAME)}{kind}{figures}{why}")


def _left(text: str, width: int) -> str:
    return text + " " * (width - columns(text))


def _right(text: str, width: int) -> str:
    return " " * (width - columns(text)) + text


def _short(figure: str | None) -> str:
    """A figure to three places for a table; the document has six."""
    return "-" if figure is None else f"{float(figure):.3f}"


def _one(found: Classification, language: Language) -> str:
    lines = [f"{found.name}: {_class(found.item_class, language)}", *_figures(found, language)]
    if found.missing:
        lines.append(f"  {_say('missing', language, facts=', '.join(found.missing))}")
    lines += [f"  {_say('note', language, note=note)}" for note in found.notes]
    for one in found.exceptions:
        title = one.title_ja if language == "ja" and one.title_ja else one.title
        lines.append(f"  {_say('exception', language, title=title, cite=one.cite)}")
    for step in found.trace:
        label = f" [{step.label}]" if step.label else ""
        source = step.source or _say("not-yet", language)
        truth = _say(f"truth.{step.truth}", language)
        lines.append(f"  {step.definition}{label}: {truth} ({source})")
        lines += [f"    {_limb(limb, language)}" for limb in step.limbs]
    for limb in found.limits:
        lines.append(f"  {_say('limit', language, limb=_limb(limb, language))}")
    return "\n".join(tame(line) for line in [*lines, *_grounds(found, language)])


def _figures(found: Classification, language: Language) -> list[str]:
    unknown = _say("unknown", language)
    if found.tpp_bits is None:
        tpp = _say("tpp", language, tpp=found.tpp or unknown)
    else:
        tpp = _say("tpp-at", language, tpp=found.tpp or unknown, bits=found.tpp_bits)
    density = found.performance_density or unknown
    return [
        f"  {tpp}",
        f"  {_say('density', language, density=density)}",
        f"  {_say('h100e', language, count=found.h100e or unknown)}",
    ]


def _grounds(found: Classification, language: Language) -> list[str]:
    """By which bytes and which day it was judged, and that it is nobody's official word."""
    policy = found.policy
    by = _say(
        "by",
        language,
        name=policy.name,
        version=policy.version,
        digest=policy.sha256[:16],
        at=found.at,
    )
    return [f"  {by}", f"  {_say('unofficial', language)}"]


def _class(word: str, language: Language) -> str:
    """A class as the pack labels it; the two words that are none, for Japanese readers with what they mean."""
    if language == "en" or word not in ("none", "unsure"):
        return word
    return f"{_say(word, language)} ({word})"


def _limb(limb: LimbTrace, language: Language) -> str:
    asked = f"{limb.quantity} {limb.value} {limb.op} {limb.threshold} {limb.unit}".rstrip()
    source = f" ({limb.source}; {limb.mark})" if limb.source else ""
    return f"{asked}: {_say(f'truth.{limb.truth}', language)}{source}"


def _say(key: str, language: Language, **values: object) -> str:
    return say(f"rules.class.{key}", language, **values)
