"""The chip table: names as people write them, figures recomputed, two constants for one H100."""

from __future__ import annotations

from fractions import Fraction

import pytest

from sekisho.model.chips import (
    EXPORT_H100,
    TREATY_H100,
    Chip,
    ChipTable,
    cluster_figures,
    known_chips,
    parse_chip_table,
)
from sekisho.model.errors import InvalidInput

HEADER = (
    "name,vendor,released,fp16_tflops,fp8_tflops,fp6_tflops,fp4_tflops,int8_tops,"
    "memory_gb,die_mm2,bandwidth_gbs,interconnect_gbs,datacenter,marks,aliases"
)
ROW = "X1,Maker,2024-01-01,100,200,,,200,80,500,2000,900,yes,S:fp16 P:memory,X One|X1 PCIe"


def chip(name: str) -> Chip:
    """A chip that the shipped table must know."""
    found = known_chips().find(name)
    assert found is not None, name
    return found


@pytest.mark.parametrize(
    ("written", "name"),
    [
        ("NVIDIA H100-SXM5-80GB", "H100 SXM5"),
        ("NVIDIA H100-SXM-80GB", "H100 SXM5"),
        ("NVIDIA H100 80GB HBM3", "H100 SXM5"),
        ("NVIDIA H100-PCIe-80GB", "H100 PCIe"),
        ("NVIDIA A100-SXM4-80GB", "A100 SXM4 80GB"),
        ("NVIDIA A100 80GB PCIe", "A100 SXM4 80GB"),
        ("NVIDIA H200-SXM5-141GB", "H200 SXM"),
        ("NVIDIA Tesla V100 SXM2 32 GB", "V100 SXM2 32GB"),
        ("Intel(R) Gaudi(R) 2 AI Accelerator", "Gaudi2"),
        ("AMD Instinct MI300X 192GB HBM3", "MI300X"),
        ("TPU-v5p", "TPU v5p"),
        ("Google Cloud TPU v6e Trillium", "TPU v6e"),
        ("nvidia gb200", "GB200 (per GPU)"),
        ("NVIDIA GeForce RTX 4090", "GeForce RTX 4090"),
        ("h100", "H100 SXM5"),
    ],
)
def test_a_chip_is_found_by_the_name_that_people_write(written: str, name: str) -> None:
    """Makers, marks, dashes, case and memory size do not hide a chip."""
    assert chip(written).name == name


@pytest.mark.parametrize(
    "written", ["AMD Radeon RX 7900 XTX", "NVIDIA H100 NVL", "H1000", "", "NVIDIA", "8xH100"]
)
def test_a_chip_that_the_table_does_not_know_is_not_guessed(written: str) -> None:
    """No nearest match: an unknown name is unknown."""
    assert known_chips().find(written) is None


def test_every_shipped_chip_is_found_by_its_own_name_and_aliases() -> None:
    """No name of the table leads to another chip."""
    table = known_chips()
    assert len(table) == 72
    for one in table:
        for name in (one.name, *one.aliases):
            found = table.find(name)
            assert found is not None
            assert found.name == one.name


def test_a_larger_memory_in_the_name_counts_and_a_smaller_one_does_not() -> None:
    """A name can raise what the memory limb sees, never lower it."""
    assert chip("H100-SXM5-94GB").memory_gb == 94
    assert chip("H100-SXM5-94GB").mark("memory") == "R"
    assert chip("A100-SXM4-40GB").memory_gb == 80


@pytest.mark.parametrize(
    ("name", "tpp", "bits"),
    [
        ("H100 SXM5", Fraction(15832), 16),
        ("H100 PCIe", Fraction(12104), 8),
        ("A40", Fraction("2395.2"), 16),
        ("MTT S4000", Fraction(1600), 16),
        ("MI355X", Fraction(60396), 6),
        ("B300", Fraction(56000), 4),
        ("Hanguang 800", Fraction(6600), 8),
    ],
)
def test_tpp_is_the_largest_over_formats_and_exact(name: str, tpp: Fraction, bits: int) -> None:
    """Dense operations x bit length, the maximum over formats (3A090 Technical Notes)."""
    assert chip(name).tpp == tpp
    assert chip(name).tpp_bits == bits


def test_performance_density_needs_a_die_area() -> None:
    """Unknown area gives no density rather than none or zero."""
    assert chip("A10").performance_density == Fraction(2000, 628)
    assert chip("TPU v5p").performance_density is None


def test_the_fastest_format_bounds_a_meter() -> None:
    """FP4 on Blackwell, FP6 or FP4 on MI355X, 8 bits on Hopper."""
    assert chip("GB200").fastest_peak_flop_per_s == 10_000 * 10**12
    assert chip("H100").fastest_peak_flop_per_s == 1979 * 10**12
    assert chip("V100").fastest_peak_flop_per_s == 125 * 10**12


def test_the_two_constants_of_an_h100_stay_apart() -> None:
    """The treaty draft has 989 TFLOP/s and 15,824; the export files 989.5 and 15,832."""
    assert (TREATY_H100.flop_per_s, TREATY_H100.tpp) == (989 * 10**12, 15_824)
    assert (EXPORT_H100.flop_per_s, EXPORT_H100.tpp) == (9895 * 10**11, 15_832)
    assert TREATY_H100.tpp == TREATY_H100.flop_per_s * 16 // 10**12
    assert EXPORT_H100.tpp == EXPORT_H100.flop_per_s * 16 // 10**12
    for constants in (TREATY_H100, EXPORT_H100):
        assert chip("H100").h100e(constants) == 1


@pytest.mark.parametrize(("count", "covered"), [(16, False), (17, True)])
def test_sixteen_h100_are_not_more_than_sixteen(count: int, covered: bool) -> None:
    """The covered-cluster limb is strict, under either constant."""
    for constants in (TREATY_H100, EXPORT_H100):
        figures = cluster_figures([(chip("H100"), count)], constants)
        assert figures.h100e_by_compute == count
        assert figures.is_covered is covered


def test_memory_alone_covers_a_cluster_of_slow_chips() -> None:
    """17 A100 of 80 GB: 5.4 H100 equivalents by compute, 17 by memory."""
    figures = cluster_figures([(chip("A100"), 17)])
    assert figures.h100e_by_compute < 6
    assert figures.h100e_by_memory == 17
    assert figures.is_covered is True


def test_unknown_memory_leaves_a_small_cluster_open() -> None:
    """Known limbs below 16 and a chip without memory figure: neither covered nor not."""
    nameless = Chip(name="X", vendor="Y", peaks={"fp16": 10**12})
    assert cluster_figures([(nameless, 1)]).is_covered is None
    assert cluster_figures([(nameless, 1)]).h100e_by_memory is None
    assert cluster_figures([(nameless, 1), (chip("H100"), 17)]).is_covered is True


def test_a_count_below_one_is_refused() -> None:
    """No cluster has zero or minus two chips of a kind."""
    with pytest.raises(InvalidInput, match="count of chips"):
        cluster_figures([(chip("H100"), 0)])


def test_recalled_values_say_that_they_are_to_be_verified() -> None:
    """A value without a mark is R; a read one is not listed."""
    assert chip("H100").to_be_verified(["fp16", "fp8", "memory", "fp4"]) == ["fp8"]


def test_a_table_row_is_read_into_a_chip() -> None:
    """Peaks in operations per second, blanks unknown, marks by field."""
    table = parse_chip_table(f"# note\n{HEADER}\n{ROW}\n", file="t.csv")
    found = table.find("maker x one")
    assert found is None  # "maker" is no noise word
    one = table.find("X One")
    assert one is not None
    assert one.peaks == {"fp16": 100 * 10**12, "fp8": 200 * 10**12, "int8": 200 * 10**12}
    assert one.marks == {"fp16": "S", "memory": "P"}


@pytest.mark.parametrize(
    ("row", "message"),
    [
        (ROW.replace(",100,", ",-1,"), "positive decimal"),
        (ROW.replace(",100,", ",NaN,"), "positive decimal"),
        (ROW.replace(",100,", ",0,"), "positive decimal"),
        (ROW.replace(",100,200,,,200,", ",,,,,,"), "at least one peak"),
        (ROW + ",more", "fields instead of"),
    ],
)
def test_a_wrong_row_is_refused_with_file_and_line(row: str, message: str) -> None:
    """Line 3 counts the comment and the header."""
    with pytest.raises(InvalidInput, match=message) as caught:
        parse_chip_table(f"# note\n{HEADER}\n{row}\n", file="t.csv")
    assert caught.value.path == "t.csv:3"


def test_one_name_for_two_chips_is_refused() -> None:
    """An alias must not lead to either of two."""
    with pytest.raises(InvalidInput, match="names two chips"):
        ChipTable(
            [
                Chip(name="A", vendor="", peaks={"fp16": 1}),
                Chip(name="a", vendor="", peaks={"fp8": 1}),
            ]
        )
    with pytest.raises(InvalidInput, match="columns"):
        parse_chip_table("name\nX\n", file="t.csv")


@pytest.mark.parametrize(
    ("name", "gbs"),
    [("A100", 600), ("A800", 400), ("H100", 900), ("H800", 400), ("A40", Fraction("112.5"))],
)
def test_the_interconnect_counts_both_directions_and_is_recalled(
    name: str, gbs: int | Fraction
) -> None:
    """The limb of October 2022 stood at 600 GB/s: the reason why A800 and H800 existed."""
    assert chip(name).interconnect_gbs == gbs
    assert chip(name).to_be_verified(["interconnect"]) == ["interconnect"]


def test_every_designer_of_the_table_has_a_seat() -> None:
    """Rules on chips designed in a country need to know it; a maker that nobody knows has none."""
    assert {one.designer_country for one in known_chips()} == {"US", "CN"}
    assert chip("Ascend 910B2").designer_country == "CN"
    assert Chip(name="X", vendor="Maker", peaks={"fp16": 1}).designer_country is None


@pytest.mark.parametrize(
    ("written", "name"),
    [("NVIDIA H1000", "H100 SXM5"), ("RTX 4090D Ti", "GeForce RTX 4090 D"), ("MI300", "MI300A")],
)
def test_near_names_are_offered_and_never_taken(written: str, name: str) -> None:
    """For a person to choose from; `find` still finds nothing."""
    assert name in known_chips().nearest(written)
    assert known_chips().find(written) is None


def test_a_name_far_from_all_is_offered_nothing() -> None:
    """Nothing is better than nonsense."""
    assert known_chips().nearest("abacus of the ministry") == []
    assert known_chips().nearest("") == []


@pytest.mark.parametrize("name", ["Huawei T4", "AMD H100", "Intel A100 80GB", "Cambricon L4"])
def test_another_makers_chip_of_the_same_name_is_not_the_tables(name: str) -> None:
    """A name must not borrow the figures of a slower chip."""
    assert known_chips().find(name) is None


@pytest.mark.parametrize(
    "name", ["NVIDIA T4", "AWS NVIDIA A100", "Azure H100", "Intel(R) Gaudi(R) 2"]
)
def test_a_maker_or_a_cloud_in_a_name_changes_nothing(name: str) -> None:
    """Clouds let out other makers' chips."""
    assert known_chips().find(name) is not None
