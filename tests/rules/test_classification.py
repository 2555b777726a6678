"""Classes of chips by a pack's labelled definitions: the whole table, both sides of every boundary, every date."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
import yaml

from sekisho.model.chips import Chip, known_chips
from sekisho.model.errors import InvalidInput
from sekisho.model.instants import parse_date_or_instant
from sekisho.rules import Classification, classify, load_pack, parse_pack
from sekisho.rules.requests import ChipSpec, DieSpec, ItemAsked, WeightsAsked

FILE = Path(__file__).parents[1] / "cases" / "classified" / "chips.yaml"
CASES: dict[str, Any] = yaml.safe_load(FILE.read_text(encoding="utf-8"))
EAR = load_pack("us-ear")


def classed(item: ItemAsked | ChipSpec | Chip | str, at: str = "2026-02-01") -> Classification:
    """Under the US pack; a text is a chip of the table."""
    asked = ItemAsked(chip=item) if isinstance(item, str) else item
    return classify(asked, EAR, parse_date_or_instant(at))


def sheet(
    tpp: str = "4000", density: str | None = None, *, datacenter: bool | None = True
) -> ChipSpec:
    """A chip with just that TPP by FP8 and that density, by a die of a round area."""
    peak = str(Fraction(tpp) / 8)
    if "/" in peak:
        peak = f"{float(Fraction(tpp) / 8):.6f}"
    area = None if density is None else f"{float(Fraction(tpp) / Fraction(density)):.6f}"
    return ChipSpec(fp8_dense_tflops=peak, die_mm2=area, datacenter=datacenter)


# --- the table ------------------------------------------------------------------------------------


@pytest.mark.parametrize("case", CASES["chips"], ids=lambda case: case["chip"])
def test_a_chip_is_classified_as_its_case_says(case: dict[str, Any]) -> None:
    """Class, figures within the rounding of the case, exceptions, notes, and what is missing."""
    found = classed(case["chip"], str(CASES["at"]))
    assert found.item_class == case["class"]
    assert round(Fraction(found.tpp or 0)) == case["tpp"]
    assert found.tpp_bits == case["bits"]
    assert abs(Fraction(found.h100e or 0) - Fraction(str(case["h100e"]))) < Fraction("0.0001")
    if case["density"] is None:
        assert found.performance_density is None
    else:
        density = Fraction(found.performance_density or 0)
        assert abs(density - Fraction(str(case["density"]))) <= Fraction("0.005")
    assert [one.id for one in found.exceptions] == case.get("open", [])
    assert any(case.get("note", "") in note for note in ("", *found.notes))
    assert bool(found.missing) == ("missing" in case)
    assert all("die_mm2" in name for name in found.missing)


def test_the_cases_are_all_chips_of_the_table() -> None:
    """None is left out, none stands twice."""
    names = [case["chip"] for case in CASES["chips"]]
    assert sorted(names) == sorted(chip.name for chip in known_chips())
    assert len(names) == 72


@pytest.mark.parametrize("case", CASES["chips"], ids=lambda case: case["chip"])
def test_the_limits_of_january_2026_are_told_beside_the_class(case: dict[str, Any]) -> None:
    """Both hold, one fails, or one is unknown: an unknown bandwidth is never a yes."""
    truths = {
        limb.truth
        for limb in classed(case["chip"]).limits
        if limb.parameter in {"january-tpp", "january-memory"}
    }
    word = "no" if "false" in truths else "unknown" if "unknown" in truths else "yes"
    assert word == case["january"]


# --- boundaries -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("tpp", "density", "word"),
    [
        ("4799.999992", "1", "none"),
        ("4800", "1", "3A090.a"),
        ("4800.000008", "1", "3A090.a"),
        ("1599.999992", "50", "none"),
        ("1600", "50", "3A090.a"),
        ("1600.000008", "50", "3A090.a"),
        ("2399.999992", "3.1", "none"),
        ("2400", "3.1", "3A090.b"),
        ("2400.000008", "3.1", "3A090.b"),
        ("1600", "3.1", "none"),
        ("1600", "3.3", "3A090.b"),
        ("1599.999992", "3.3", "none"),
        ("4799.999992", "3.1", "3A090.b"),
    ],
)
def test_tpp_stands_on_the_side_of_the_boundary_where_it_is(
    tpp: str, density: str, word: str
) -> None:
    """Just below, at, and just above each threshold, exactly: the smallest step that a sheet can write."""
    assert classed(sheet(tpp, density)).item_class == word


@pytest.mark.parametrize(
    ("tflops", "area", "word"),
    [
        # 2960 / 500 is 5.92 exactly
        ("185", "500", "3A090.a"),
        ("185", "500.000001", "3A090.b"),
        ("185", "499.999999", "3A090.a"),
        # 3200 / 1000 is 3.2 exactly
        ("200", "1000", "3A090.b"),
        ("200", "999.999999", "3A090.b"),
        # 2400 and 1.6: 2400 / 1500
        ("150", "1500", "3A090.b"),
        ("150", "1500.000001", "none"),
        ("150", "1499.999999", "3A090.b"),
        # below 2400 the lower limit of density is 3.2: 1600 / 500
        ("100", "500", "3A090.b"),
        ("100", "500.000001", "none"),
        ("100", "499.999999", "3A090.b"),
    ],
)
def test_density_stands_on_the_side_of_the_boundary_where_it_is(
    tflops: str, area: str, word: str
) -> None:
    """A millionth of a square millimetre more or less decides."""
    asked = ChipSpec(fp16_dense_tflops=tflops, die_mm2=area, datacenter=True)
    assert classed(asked).item_class == word


@pytest.mark.parametrize(
    ("gbs", "word"), [("200", "none"), ("200.000001", "3A090.c"), ("199.999999", "none")]
)
def test_memory_is_caught_above_two_gigabytes_a_second_and_millimetre(gbs: str, word: str) -> None:
    """The limb is strict: at 2 GB/s/mm2 it is not met."""
    stack = ChipSpec(hbm=True, mem_bw_gbs=gbs, stack_mm2="100")
    assert classed(stack).item_class == word


@pytest.mark.parametrize(
    ("datacenter", "tpp", "word"),
    [
        (False, "4799.999992", "none"),
        (False, "4800", "3A090.a"),
        (True, "4799.999992", "3A090.a"),
        (None, "4799.999992", "unsure"),
        (None, "4800", "3A090.a"),
    ],
)
def test_note_2_spares_what_is_for_no_data_centre_and_below_4800(
    datacenter: bool | None, tpp: str, word: str
) -> None:
    """Where nobody said for what market, it may or may not be spared; at 4800 that does not matter."""
    found = classed(sheet(tpp, "10", datacenter=datacenter))
    assert found.item_class == word
    assert ("item.datacenter" in found.missing) == (word == "unsure")
    assert any("Note 2" in note for note in found.notes) == (word == "none")


# --- what is unknown ------------------------------------------------------------------------------


def test_an_unknown_die_area_is_unsure_only_where_it_decides() -> None:
    """At 4800 TPP the class is sure without it, and below 1600 too."""
    assert classed(sheet("4800")).item_class == "3A090.a"
    assert classed(sheet("1599")).item_class == "none"
    found = classed(sheet("1600"))
    assert (found.item_class, found.missing) == ("unsure", ("item.spec.die_mm2",))
    assert found.performance_density is None


def test_a_known_part_of_the_dies_can_settle_what_the_rest_cannot() -> None:
    """Two dies, one without area: the density is at most what the known area gives."""
    known = DieSpec(fp16_dense_tflops="50", die_mm2="600")
    unknown = DieSpec(fp16_dense_tflops="50")
    small = DieSpec(fp16_dense_tflops="50", die_mm2="100")
    assert classed(ChipSpec(dies=(known, unknown), datacenter=True)).item_class == "none"
    assert classed(ChipSpec(dies=(small, unknown), datacenter=True)).item_class == "unsure"


def test_a_sheet_without_peaks_or_an_unknown_chip_is_unsure() -> None:
    """What would decide is named; nothing is taken for zero."""
    found = classed(ChipSpec(die_mm2="600", datacenter=True))
    assert (found.item_class, found.tpp, found.h100e) == ("unsure", None, None)
    assert found.tpp_bits is None
    assert "item.spec.fp16_dense_tflops" in found.missing
    assert set(classed("H1000").missing) == {"item.chip", "item.datacenter"}


def test_weights_have_no_class_of_chips() -> None:
    """An item that is no chip meets none of these definitions, whatever it cost to train."""
    item = ItemAsked(form="weights", weights=WeightsAsked(training_flop=str(10**27)))
    assert classed(item).item_class == "none"


# --- dates ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("chip", "at", "word"),
    [
        ("A100", "2022-10-06", "unsure"),
        ("A100", "2022-10-08", "3A090.a"),
        ("A800", "2022-10-08", "none"),
        ("H800", "2023-11-16", "none"),
        ("H100", "2023-11-16", "3A090.a"),
        ("A800", "2023-11-17", "3A090.a"),
        ("H800", "2023-11-17", "3A090.a"),
        ("L4", "2023-11-16", "none"),
        ("L4", "2023-11-17", "3A090.a"),
        ("L40", "2023-11-16", "none"),
        ("L40", "2023-11-17", "3A090.b"),
        ("GeForce RTX 4090", "2023-12-01", "3A090.a"),
        ("H20", "2026-11-10", "none"),
    ],
)
def test_the_class_is_that_of_the_law_on_the_day(chip: str, at: str, word: str) -> None:
    """October 2022 looked at the interconnect too: A800 and H800 were free until 2023-11-17."""
    assert classed(chip, at).item_class == word


def test_before_the_pack_begins_the_answer_says_so() -> None:
    """No law that we know of is not the same as no class."""
    found = classed("H100", "2020-01-01")
    assert found.item_class == "unsure"
    assert "says nothing before 2022-10-07" in found.missing[0]


# --- the answer -----------------------------------------------------------------------------------


def test_a_sheet_a_row_and_a_name_give_the_same_figures() -> None:
    """Three ways to say A40."""
    by_sheet = ChipSpec(
        fp16_dense_tflops="149.7", int8_dense_tops="299.3", die_mm2="628", datacenter=True
    )
    row = next(chip for chip in known_chips() if chip.name == "A40")
    answers = [classed(by_sheet), classed(row), classed("NVIDIA A40")]
    figures = {(a.item_class, a.tpp, a.tpp_bits, a.performance_density, a.h100e) for a in answers}
    assert figures == {("3A090.b", "2395.2", 16, "3.814013", "0.151289")}


def test_figures_say_how_sure_they_are() -> None:
    """R where something that a figure rests on was only recalled; a sheet carries no marks."""
    marks = classed("A40").marks
    assert (marks["tpp"], marks["performance_density"], marks["interconnect"]) == ("S", "S", "R")
    assert classed("H20").marks["performance_density"] == "R"
    assert "performance_density" not in classed("TPU v3").marks
    assert classed(sheet()).marks == {}
    assert "H20: die is recalled, to be verified" in classed("H20").notes


def test_the_trace_holds_each_class_with_what_it_asks_about() -> None:
    """In the order of the pack, with the source of every threshold."""
    found = classed("A100")
    assert [step.label for step in found.trace] == ["", "3A090.a", "3A090.b", "3A090.c"]
    limbs = [limb for step in found.trace for limb in step.limbs if limb.parameter]
    assert limbs
    assert all(limb.source and limb.mark for limb in limbs)


PACK = """
pack: small
version: "1"
title: Two classes and a note
note: made for a test
sources:
  text: {title: A text, where: here, mark: O}
definitions:
  open-first:
    means: asks about what nobody said
    label: X
    versions:
      - {from: 2020-01-01, when: {quantity: datacenter, op: is, value: true}, source: text, cite: "1", mark: O}
  large:
    means: large
    label: Y
    versions:
      - from: 2020-01-01
        when: {quantity: tpp, op: ">=", value: 1000, unit: TPP}
        source: text
        cite: "2"
        mark: O
rules:
  - id: r
    cite: "3"
    binding: nobody
    for: [transfer]
    status:
      - {from: 2020-01-01, status: enforced, acts: true, source: text, cite: "3", mark: O}
    when: {definition: large, is: true}
    outcome: report
    duty: none
"""


def test_an_open_class_before_the_first_that_holds_is_unsure() -> None:
    """Of two labels the first counts; while it is open, nobody can say the second."""
    pack = parse_pack(PACK.encode(), "small.yaml")
    at = parse_date_or_instant("2026-01-01")
    words = [
        classify(ChipSpec(fp16_dense_tflops=peak, datacenter=known), pack, at)
        for peak, known in (("100", None), ("100", False), ("1", False), ("1", True), ("1", None))
    ]
    assert [one.item_class for one in words] == ["unsure", "Y", "none", "X", "unsure"]
    assert words[0].missing == ("item.datacenter",)


def test_a_pack_without_classes_is_refused() -> None:
    """It has nothing to classify by."""
    with pytest.raises(InvalidInput, match="has no classes"):
        classify(sheet(), load_pack("loop-2026"), parse_date_or_instant("2026-02-01"))
