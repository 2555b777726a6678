"""The tables of docs/wire.md, made from the statement kinds themselves.

`python -m tests.docs.wire_table` writes the predicate column and the table of shapes anew; the rest is written
by hand. The tests hold the page against this.
"""

from __future__ import annotations

import inspect
import re
import types
import typing
from pathlib import Path
from typing import Any

import msgspec

from sekisho.model.instants import Instant
from sekisho.model.statements import (
    KINDS,
    Predicate,
    access,
    applications,
    custody,
    deposits,
    governance,
    impact,
    licensing,
    orders,
    scopes,
    shapes,
    succession,
)
from sekisho.model.statements.shapes import Wire

__all__ = ["PAGE", "cells_of", "describe", "kind_rows", "shape_rows"]

PAGE = Path(__file__).parents[2] / "docs" / "wire.md"
ROOMS = (
    shapes,
    governance,
    succession,
    licensing,
    applications,
    scopes,
    orders,
    access,
    custody,
    deposits,
    impact,
)
WORDS = {
    shapes.Name: "name",
    shapes.Text: "text",
    shapes.Digest: "digest",
    shapes.DecimalText: "decimal",
    shapes.FlopText: "flop",
    shapes.Key64: "key",
    shapes.Jurisdiction: "jurisdiction",
    shapes.Count: "count",
    shapes.Seconds: "seconds",
    licensing.Nonce: "nonce",
    impact.CorporateNumber: "corporate-number",
    typing.get_args(licensing.Concealed)[0]: "sd-digest",
    Instant: "instant",
    bool: "bool",
    str: "string",
    int: "int",
}


def describe(kind: type[Wire]) -> str:
    """The fields of a shape or predicate in the page's words; `effective` and `crit` are every predicate's."""
    hints = typing.get_type_hints(kind, include_extras=True)
    common = {"effective", "crit"} if issubclass(kind, Predicate) else set()
    return "; ".join(
        _field(field, hints[field.name])
        for field in msgspec.structs.fields(kind)
        if field.name not in common
    )


def kind_rows() -> dict[str, str]:
    """Each kind's predicate cell."""
    return {name: describe(row.predicate) for name, row in KINDS.items()}


def shape_rows() -> dict[str, str]:
    """Each shape's fields, in the order of the modules."""
    return {
        name: describe(found)
        for room in ROOMS
        for name, found in vars(room).items()
        if inspect.isclass(found)
        and issubclass(found, Wire)
        and not issubclass(found, Predicate)
        and found is not Wire
        and found.__module__ == room.__name__
    }


def cells_of(line: str) -> list[str]:
    """The cells of a table row; an escaped bar separates nothing."""
    return [cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]]


def _field(field: msgspec.structs.FieldInfo, hint: Any) -> str:
    optional = "" if field.required else "?"
    default = field.default
    shown = (
        "" if field.required or default in (None, (), "", msgspec.NODEFAULT) else f" = {default}"
    )
    return f"`{field.encode_name}`{optional} {_word(hint)}{shown.replace('False', 'false')}"


def _word(hint: Any) -> str:
    """A type in the page's words."""
    if hint in WORDS:
        return WORDS[hint]
    origin, args = typing.get_origin(hint), typing.get_args(hint)
    if origin is typing.Annotated:
        return _bounded(*args)
    if origin is typing.Literal:
        return " \\| ".join(f"`{word}`" for word in args)
    if origin is tuple:
        return f"{_word(args[0])}[]"
    if origin in (typing.Union, types.UnionType):
        return _word(next(arg for arg in args if arg is not types.NoneType))
    return str(hint.__name__)


def _bounded(base: Any, meta: msgspec.Meta) -> str:
    if base is int:
        return f"int {meta.ge}..{'' if meta.le is None else meta.le}"
    if base is str:
        return f"string up to {meta.max_length}"
    return _word(base).replace("[]", f"[{meta.min_length}..{meta.max_length}]", 1)


def rewrite() -> None:
    """Write the made cells into the page, leaving everything else as it is."""
    kinds, lines = kind_rows(), []
    for line in PAGE.read_text(encoding="utf-8").splitlines():
        cells = cells_of(line) if line.startswith("| ") else []
        name = cells[0].strip("`") if cells else ""
        if len(cells) == 6 and name in kinds:
            cells[2] = kinds[name]
            lines.append("| " + " | ".join(cells) + " |")
        elif len(cells) == 2 and name in shape_rows():
            lines.append(f"| `{name}` | {shape_rows()[name]} |")
        else:
            lines.append(line)
    PAGE.write_text("\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    rewrite()
