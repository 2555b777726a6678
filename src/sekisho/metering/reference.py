"""The runs that the estimate is calibrated on: GPT-3 175B of MLPerf Training v4.0, carried as figures."""

from __future__ import annotations

import csv
import io
from fractions import Fraction
from functools import lru_cache
from importlib import resources

import msgspec

from sekisho.model.amounts import parse_amount, parse_quantity
from sekisho.model.chips import ChipTable, known_chips
from sekisho.model.errors import InvalidInput

__all__ = ["ReferenceRun", "parse_reference_runs", "reference_runs"]

_COLUMNS = ["run_id", "system", "chip", "chips", "seconds", "params", "tokens", "declared_flop"]


class ReferenceRun(msgspec.Struct, frozen=True, kw_only=True):
    """A run with known work: `declared_flop` = 6 N D, taken as the truth that an estimate is held against."""

    run_id: str
    system: str
    chip: str
    chips: int
    seconds: Fraction
    declared_flop: int
    utilisation: Fraction


@lru_cache(maxsize=1)
def reference_runs() -> tuple[ReferenceRun, ...]:
    """The runs that ship with Sekisho, read once."""
    table = resources.files("sekisho.metering").joinpath("reference_runs.csv")
    text = table.read_text(encoding="utf-8")
    return parse_reference_runs(text, "reference_runs.csv", known_chips())


def parse_reference_runs(text: str, file: str, chips: ChipTable) -> tuple[ReferenceRun, ...]:
    """Read a reference table. Raises InvalidInput for wrong columns, an unknown chip, a declared value off 6ND."""
    lines = [line for line in text.splitlines() if line and not line.startswith("#")]
    rows = csv.DictReader(io.StringIO("\n".join(lines)), strict=True)
    if rows.fieldnames != _COLUMNS:
        raise InvalidInput(f"the columns are not {', '.join(_COLUMNS)}", path=file)
    return tuple(_run(row, file, chips) for row in rows)


def _run(row: dict[str, str], file: str, chips: ChipTable) -> ReferenceRun:
    path = f"{file}, {row['run_id']}"
    chip = chips.find(row["chip"])
    declared = parse_quantity(row["declared_flop"], path=path)
    params, tokens = (
        parse_quantity(row["params"], path=path),
        parse_quantity(row["tokens"], path=path),
    )
    if chip is None or "fp16" not in chip.peaks or declared != 6 * params * tokens:
        raise InvalidInput(
            "unknown chip, or declared FLOP other than 6 x params x tokens", path=path
        )
    count, seconds = (
        parse_quantity(row["chips"], path=path),
        parse_amount(row["seconds"], path=path),
    )
    return ReferenceRun(
        run_id=row["run_id"],
        system=row["system"],
        chip=chip.name,
        chips=count,
        seconds=seconds,
        declared_flop=declared,
        utilisation=declared / (count * seconds * chip.peaks["fp16"]),
    )
