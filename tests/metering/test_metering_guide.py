"""The guide's tables are those of the code and of what is measured: nobody copies a figure by hand."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from fractions import Fraction
from pathlib import Path

import pytest

from sekisho.metering import CountingRule, measure_accuracy
from sekisho.metering.accuracy import Split
from sekisho.metering.counting import COUNTS
from sekisho.metering.error_model import ENERGY_ERROR, ENERGY_MARGIN, ERROR_MODEL, FITTED
from sekisho.metering.tier_accuracy import FamilyAccuracy, TierAccuracy

GUIDE = (Path(__file__).parents[2] / "docs" / "guide" / "metering.md").read_text(encoding="utf-8")


def percent(share: Fraction | None) -> str:
    """A share as the guide writes it; what is computed says so."""
    return "computed" if share is None else f"{float(share):.0%}".replace("%", " %")


def error_rows() -> Iterable[str]:
    """The table of the error model."""
    for part in ERROR_MODEL:
        kind = "random" if part.is_random else "systematic"
        yield (
            f"| {part.name} | {part.tiers} | {percent(part.low)} | {percent(part.high)} | {kind} | {part.mark} "
            f"| {part.why} | {part.source} |"
        )


def accuracy_rows() -> Iterable[str]:
    """The table of left-out runs."""
    splits: tuple[Split, ...] = ("system", "scale", "chip")
    for split in splits:
        a = measure_accuracy(split)
        yield (
            (
                f"| one {split} | {a.groups} | {a.median_error:.1%} | {a.worst_error:.1%} | {a.coverage} "
                f"| {a.group_coverage} | {a.median_width:.2f}, {a.widest:.2f} | {a.held_by_bound} of {a.runs} |"
            )
            .replace("%", " %")
            .replace("  %", " %")
        )


def counting_rows() -> Iterable[str]:
    """The table of counting rules."""
    for count in COUNTS:
        rule = CountingRule(count=count)
        weights = " | ".join(str(rule.weight(name)) for name in ("fp32", "bf16", "fp8", "fp4"))
        yield f"| `{count}` | {weights} |"


def test_the_error_model_of_the_guide_is_that_of_the_code() -> None:
    """Row by row, and the numbers beside it."""
    for row in error_rows():
        assert row in GUIDE, row
    assert f"{int(ENERGY_MARGIN)} times" in GUIDE
    assert f"{percent(ENERGY_ERROR)} error of power" in GUIDE
    assert f"useful {float(FITTED.useful)}, busy {float(FITTED.busy)}" in GUIDE


def test_the_accuracy_and_counting_of_the_guide_are_those_of_the_code() -> None:
    """Every split with its n."""
    for row in (*accuracy_rows(), *counting_rows()):
        assert row in GUIDE, row


@pytest.mark.slow
def test_the_tiers_of_the_guide_are_what_is_measured(measured: tuple[TierAccuracy, ...]) -> None:
    """Readings and families, regenerated."""
    for row in tier_rows(measured):
        assert row in GUIDE, row


def tier_rows(found: Sequence[TierAccuracy]) -> Iterable[str]:
    """Tier 2 by reading, the other tiers once, and every family."""
    for a in found:
        if a.tier == "2" or a.reading == found[0].reading:
            width = "from nothing" if a.median_width is None else f"{a.median_width:.1f}"
            yield (
                (
                    f"| {a.tier} | {a.reading} | {a.median_error:.1%} | {a.within_tenth} of {a.n} | {a.coverage} "
                    f"| {width} | {a.bound_held} of {a.n} |"
                )
                .replace("%", " %")
                .replace("  %", " %")
            )
    yield from (_family_row(f) for f in found[2].by_family)


def _family_row(f: FamilyAccuracy) -> str:
    row = f"| {f.family} | {f.kind} | {f.median_error:+.1%} | {f.worst_error:+.1%} | {f.held} of {f.n} |"
    return row.replace("%", " %")
