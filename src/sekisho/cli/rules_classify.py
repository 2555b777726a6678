"""`sekisho rules classify`: the class of a chip, with TPP and performance density."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Annotated, Final

import typer

from sekisho.cli.answer import Answer, AsJson, deliver, verdict_code, worst_code
from sekisho.cli.plain_text import tame
from sekisho.cli.reading import read_input
from sekisho.cli.rules_inputs import AsOf, At, now, read_instant, read_pack
from sekisho.model.errors import InvalidInput

if TYPE_CHECKING:
    from sekisho.model.chips import Chip, ChipTable
    from sekisho.rules.classification import Classification
    from sekisho.rules.limbs import LimbTrace
    from sekisho.rules.requests import ChipSpec

__all__ = ["add_to"]

_LIMIT: Final = 16 * 1024 * 1024
_PACK: Final = "us-ear"


def add_to(app: typer.Typer) -> None:
    """Put the command into the group."""
    app.command()(classify)


def classify(
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
            text=_text([found for _, found in answers]),
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


def _text(found: list[Classification | InvalidInput]) -> str:
    if len(found) == 1:
        one = found[0]
        return str(one) if isinstance(one, InvalidInput) else _one(one)
    return "\n".join([_HEAD, *(_line(one) for one in found)])


_HEAD: Final = f"{'chip':32}{'class':10}{'TPP':>10}{'bits':>6}{'TPP/mm2':>10}{'H100e':>10}"


def _line(found: Classification | InvalidInput) -> str:
    if isinstance(found, InvalidInput):
        return tame(str(found))
    density, h100e = _short(found.performance_density), _short(found.h100e)
    figures = f"{found.tpp or '-':>10}{found.tpp_bits or '-':>6}{density:>10}{h100e:>10}"
    why = f"  missing: {', '.join(found.missing)}" if found.missing else ""
    return tame(f"{found.name[:31]:32}{found.item_class:10}{figures}{why}")


def _short(figure: str | None) -> str:
    """A figure to three places for a table; the document has six."""
    return "-" if figure is None else f"{float(figure):.3f}"


def _one(found: Classification) -> str:
    lines = [
        f"{found.name}: {found.item_class}",
        f"  TPP {found.tpp or 'unknown'}"
        + (f" at {found.tpp_bits} bits" if found.tpp_bits is not None else ""),
        f"  performance density {found.performance_density or 'unknown'} TPP/mm2",
        f"  H100 equivalents {found.h100e or 'unknown'}",
    ]
    if found.missing:
        lines.append(f"  missing: {', '.join(found.missing)}")
    lines += [f"  note: {note}" for note in found.notes]
    lines += [f"  open to such an item: {one.title} ({one.cite})" for one in found.exceptions]
    for step in found.trace:
        label = f" [{step.label}]" if step.label else ""
        lines.append(f"  {step.definition}{label}: {step.truth} ({step.source or 'not yet law'})")
        lines += [f"    {_limb(limb)}" for limb in step.limbs]
    lines += [f"  limit: {_limb(limb)}" for limb in found.limits]
    policy = found.policy
    lines.append(
        f"  by {policy.name} {policy.version} (sha256 {policy.sha256[:16]}...) at {found.at}"
    )
    lines.append("  by the text of the pack: no official classification, no legal advice")
    return "\n".join(tame(line) for line in lines)


def _limb(limb: LimbTrace) -> str:
    asked = f"{limb.quantity} {limb.value} {limb.op} {limb.threshold} {limb.unit}".rstrip()
    source = f" ({limb.source}; {limb.mark})" if limb.source else ""
    return f"{asked}: {limb.truth}{source}"
