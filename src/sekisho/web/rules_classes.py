"""Chips and their classes for a page: every chip of the table under a pack, or one by its data sheet."""

from __future__ import annotations

from collections.abc import Sequence
from http import HTTPStatus
from typing import Any, Final

import msgspec

from sekisho.model.chips import Chip, known_chips
from sekisho.model.errors import InvalidInput
from sekisho.model.instants import Instant
from sekisho.model.wire import canonical
from sekisho.rules import Pack
from sekisho.rules.classification import Classification, classify
from sekisho.rules.requests import parse_chip_spec
from sekisho.web.plane import Plane
from sekisho.web.problems import problem_of
from sekisho.web.rules_asking import When, require_pack
from sekisho.web.rules_forms import Fields

__all__ = ["DEFAULT_CLASSES", "ClassRow", "class_page", "classify_table", "read_spec"]

DEFAULT_CLASSES: Final = "us-ear"
SPEC_FIELDS: Final = (
    "fp32_dense_tflops",
    "tf32_dense_tflops",
    "fp16_dense_tflops",
    "fp8_dense_tflops",
    "fp4_dense_tflops",
    "int8_dense_tops",
    "die_mm2",
    "mem_bw_gbs",
    "memory_gb",
    "interconnect_bidir_gbs",
)
_TRUTHS: Final = {"yes": True, "no": False}


class ClassRow(msgspec.Struct, frozen=True, kw_only=True):
    """A chip of the table with its class."""

    chip: Chip
    found: Classification


def classify_table(pack: Pack, when: tuple[Instant, Instant | None]) -> tuple[ClassRow, ...]:
    """Every chip of the table under a pack on a date. Raises InvalidInput for a pack without classes."""
    return tuple(
        ClassRow(chip=chip, found=classify(chip, pack, when[0], when[1])) for chip in known_chips()
    )


def class_page(
    plane: Plane, when: When, wanted: Fields, spec: Fields | None = None
) -> dict[str, Any]:
    """The table, narrowed by name, maker and class; and the class of a data sheet where one was sent."""
    now = plane.control.clock.now()
    pack = require_pack(plane, wanted.text("pack") or DEFAULT_CLASSES)
    law = (when.at or now, when.as_of)
    rows = classify_table(pack, law)
    page = {
        "pack": pack,
        "law": law,
        "rows": [row for row in rows if _is_wanted(row, wanted)],
        "total": len(rows),
        "classes": _classes(rows),
        "vendors": sorted({row.chip.vendor for row in rows}),
        "with_classes": _with_classes(plane),
        "wanted": wanted,
        "spec_fields": SPEC_FIELDS,
        "spec": spec or Fields(),
        "found": None,
        "problem": None,
        "status": HTTPStatus.OK,
    }
    if spec is None:
        return page
    try:
        sheet = parse_chip_spec(canonical(read_spec(spec)), "spec")
        return {**page, "found": classify(sheet, pack, law[0], law[1])}
    except InvalidInput as error:
        problem = problem_of(error)
        return {**page, "problem": problem, "status": HTTPStatus(problem.status)}


def read_spec(fields: Fields) -> dict[str, Any]:
    """A data sheet from a form; what is left empty is unknown."""
    told: dict[str, Any] = {name: text for name in SPEC_FIELDS if (text := fields.text(name))}
    if name := fields.text("name"):
        told["name"] = name
    for flag in ("datacenter", "planar"):
        if (value := _TRUTHS.get(fields.text(flag))) is not None:
            told[flag] = value
    return told


def _is_wanted(row: ClassRow, wanted: Fields) -> bool:
    name, vendor, word = wanted.text("q").casefold(), wanted.text("vendor"), wanted.text("class")
    return (
        (not name or name in row.chip.name.casefold())
        and (not vendor or vendor == row.chip.vendor)
        and (not word or word == row.found.item_class)
    )


def _classes(rows: Sequence[ClassRow]) -> list[str]:
    return sorted({row.found.item_class for row in rows})


def _with_classes(plane: Plane) -> list[str]:
    known = plane.control.rules.packs(plane.control.clock.now())
    return sorted(
        {
            row.reference.name
            for row in known
            if row.pack is not None and any(d.label for d in row.pack.definitions.values())
        }
    )
