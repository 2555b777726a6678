"""The clock table: its three figures multiply to the peak of the chip table, or it is refused."""

from __future__ import annotations

from fractions import Fraction

import pytest

from sekisho.metering.tensor_clocks import TensorClock, parse_tensor_clocks, tensor_clocks
from sekisho.model.chips import known_chips
from sekisho.model.errors import InvalidInput

HEADER = "name,sms,fp16_ops,clock_mhz,max_clock_mhz,fp32_ops,vector_ops,tdp_w,sparse,marks"
H100 = "H100 SXM5,132,4096,1830,1980,256,512,700,yes,D:peak"


@pytest.mark.parametrize("row", tensor_clocks().values(), ids=lambda row: row.chip)
def test_every_row_gives_the_peak_of_its_chip(row: TensorClock) -> None:
    """Within half a per cent, and never past its highest clock."""
    chip = known_chips().find(row.chip)
    assert chip is not None
    reached = row.sms * row.fp16_ops * row.clock_khz * 1000
    assert abs(Fraction(reached, chip.peaks["fp16"]) - 1) <= Fraction(5, 1000)
    assert row.max_clock_khz is None or row.max_clock_khz >= row.clock_khz
    assert row.fp32_ops <= row.vector_ops <= row.fp16_ops


@pytest.mark.parametrize("row", tensor_clocks().values(), ids=lambda row: row.chip)
def test_a_row_is_marked_only_where_its_peak_is(row: TensorClock) -> None:
    """A product that agrees with a recalled peak confirms nothing; a derived clock is said to be derived."""
    chip = known_chips().find(row.chip)
    assert chip is not None
    if "peak" in row.marks:
        assert chip.mark("fp16") in ("S", "P")
    assert set(row.marks.values()) <= {"D"}
    assert row.is_recalled is (not row.marks)


def test_the_chips_that_training_runs_on_are_there() -> None:
    """H100: 132 x 4,096 x 1.83 GHz = 989.4e12; it may run at 1.98 GHz."""
    row = tensor_clocks()["H100 SXM5"]
    assert row.sms * row.fp16_ops * row.clock_khz * 1000 == 989_429_760_000_000
    assert row.max_clock_khz == 1_980_000
    assert {"A100 SXM4 80GB", "V100 SXM2 32GB", "H200 SXM", "B200", "MI300X"} <= set(
        tensor_clocks()
    )


@pytest.mark.parametrize(
    ("old", "new", "why"),
    [
        ("4096", "2048", "not the peak"),
        ("1830", "1900", "not the peak"),
        ("H100 SXM5", "H100 SXM", "not a chip of the table"),
        ("H100 SXM5", "Abacus", "not a chip of the table"),
        ("132", "0", "whole number"),
        ("132", "-132", "whole number"),
        ("132", "１３２", "whole number"),
        (",D:peak", "", "9 fields"),
    ],
)
def test_a_wrong_row_is_refused_with_its_line(old: str, new: str, why: str) -> None:
    """Line 2 of the file."""
    with pytest.raises(InvalidInput, match=why) as error:
        parse_tensor_clocks(f"{HEADER}\n{H100.replace(old, new)}\n", "t.csv", known_chips())
    assert error.value.path == "t.csv:2"


def test_a_chip_that_stands_twice_and_other_columns_are_refused() -> None:
    """Which of two rows would count is nobody's to choose."""
    with pytest.raises(InvalidInput, match="twice"):
        parse_tensor_clocks(f"{HEADER}\n{H100}\n{H100}\n", "t.csv", known_chips())
    with pytest.raises(InvalidInput, match="columns"):
        parse_tensor_clocks(f"a,{HEADER}\n", "t.csv", known_chips())
