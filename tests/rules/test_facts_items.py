"""What an item tells: TPP over its dies, density over its known area, bandwidths, recalled values, weights."""

from __future__ import annotations

import json
import math
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sekisho.model.chips import known_chips
from sekisho.rules import parse_request
from sekisho.rules.facts import AmountFact, Fact, FlagFact, PlacesFact, facts_of


def item(**fields: Any) -> dict[str, Fact]:
    """The facts of one transfer of so described an item."""
    request = {"kind": "transfer", "id": "t", "item": fields, "count": 10}
    return dict(facts_of(parse_request(json.dumps(request)), known_chips()))


def amount(told: dict[str, Fact], name: str) -> AmountFact:
    fact = told[name]
    assert isinstance(fact, AmountFact)
    return fact


def span(told: dict[str, Fact], name: str) -> tuple[object, object]:
    fact = amount(told, name)
    return fact.low, fact.high


# --- chips of the table ---------------------------------------------------------------------------


def test_a_table_chip_tells_exact_figures() -> None:
    """A40: 149.7 TFLOP/s at 16 bits; ten of them in ten items."""
    told = item(chip="NVIDIA A40")
    assert span(told, "tpp") == (Fraction("2395.2"),) * 2
    assert span(told, "performance_density") == (Fraction("2395.2") / 628,) * 2
    assert span(told, "h100e") == (Fraction("2395.2") / 15832,) * 2
    assert span(told, "shipment_tpp") == (23952, 23952)
    assert span(told, "shipment_h100e") == (Fraction(23952) / 15832,) * 2
    assert span(told, "shipment_chips") == (10, 10)
    assert span(told, "interconnect") == (Fraction("112.5"),) * 2
    assert span(told, "total_bandwidth") == (Fraction("808.5"),) * 2


def test_whole_amounts_are_integers() -> None:
    """They are compared and added several times as fast as fractions."""
    told = item(chip="H100")
    for name in ("tpp", "shipment_tpp", "h100e", "interconnect", "memory_bandwidth"):
        assert isinstance(amount(told, name).low, int), name


def test_the_same_item_gives_the_same_facts_again() -> None:
    """The very objects, so that an engine may keep by them what it has found."""
    first, second = item(chip="H100"), item(chip="H100")
    for name in ("tpp", "performance_density", "datacenter", "designer", "form", "weights_flop"):
        assert first[name] is second[name], name


def test_chips_in_a_computer_are_counted() -> None:
    """Ten computers of eight; the chip's own TPP stays that of one."""
    told = item(form="computer", chip="H100", chips_each=8)
    assert span(told, "shipment_chips") == (80, 80)
    assert span(told, "tpp") == (15832, 15832)
    assert span(told, "shipment_tpp") == (80 * 15832,) * 2


def test_a_count_that_nobody_said_is_one_item_at_least() -> None:
    """A transfer moves something: the floor is one, the ceiling open."""
    request = parse_request('{"kind":"transfer","id":"t","item":{"chip":"H100"}}')
    told = dict(facts_of(request, known_chips()))
    assert span(told, "shipment_tpp") == (15832, math.inf)
    assert amount(told, "shipment_tpp").missing == ("count",)


def test_recalled_values_are_told_with_the_figures_that_rest_on_them() -> None:
    """H20: read at 16 bits, recalled at FP8 and in its die."""
    told = item(chip="H20")
    assert amount(told, "tpp").notes == ("H20: fp8 is recalled, to be verified",)
    assert "H20: die is recalled, to be verified" in amount(told, "performance_density").notes
    assert amount(told, "memory_bandwidth").notes == ()


def test_an_unknown_chip_leaves_every_figure_open_and_offers_near_names() -> None:
    """No guess: the missing fact is the chip, and a note says which names look like it."""
    told = item(chip="H1000")
    for name in ("tpp", "performance_density", "interconnect", "h100e", "shipment_tpp"):
        assert span(told, name) == (0, math.inf), name
        assert amount(told, name).missing == ("item.chip",)
    assert "near it: H100 SXM5" in amount(told, "tpp").notes[0]
    assert told["designer"] == PlacesFact(
        values=None, complete=False, missing=("item.designer_country",)
    )


def test_an_unknown_die_area_leaves_the_density_open() -> None:
    """And names the chip whose area would tell."""
    density = amount(item(chip="MTT S4000"), "performance_density")
    assert (density.low, density.high) == (0, math.inf)
    assert density.missing == ("item.die_mm2 of MTT S4000",)


def test_a_market_that_the_table_contradicts_is_unknown() -> None:
    """The table and the request are two answers to one question; a sheet tells of another product."""
    assert item(chip="H100")["datacenter"] == FlagFact(value=True)
    assert item(chip="H100", datacenter=True)["datacenter"] == FlagFact(value=True)
    assert item(chip="RTX 4090")["datacenter"] == FlagFact(value=False)
    for chip, said in (("H100", False), ("RTX 4090", True)):
        told = item(chip=chip, datacenter=said)["datacenter"]
        assert isinstance(told, FlagFact)
        assert told.value is None
        assert told.missing[0].startswith("item.datacenter: the chip table says otherwise")


def test_the_designer_is_known_by_the_table_or_by_the_request() -> None:
    """Where the rule of PRC-designed chips looks."""
    assert item(chip="Ascend 910B2")["designer"] == PlacesFact(values=("CN",))
    assert item(spec={"designer_country": "CN"})["designer"] == PlacesFact(values=("CN",))
    assert item(spec={}, designer_country="KR")["designer"] == PlacesFact(values=("KR",))


# --- data sheets ----------------------------------------------------------------------------------


def die(**fields: Any) -> dict[str, Any]:
    return fields


def test_tpp_is_summed_over_dies_and_then_the_largest_over_formats() -> None:
    """Two dies of 100 TFLOP/s FP16 and 300 FP8, and a third of another kind."""
    dies = [
        die(fp16_dense_tflops="100", fp8_dense_tflops="300", count=2),
        die(fp16_dense_tflops="50", fp8_dense_tflops="50"),
    ]
    assert span(item(spec={"dies": dies}), "tpp") == (2 * 2400 + 400,) * 2


def test_formats_of_one_bit_length_count_once() -> None:
    """FP8 on one die and INT8 on another are both 8 bits; on one die the faster of both counts."""
    dies = [die(fp8_dense_tflops="100"), die(int8_dense_tops="200", fp8_dense_tflops="150")]
    assert span(item(spec={"dies": dies}), "tpp") == (8 * 300,) * 2


def test_a_die_that_does_not_tell_the_others_best_format_may_add_its_own_best() -> None:
    """One die tells FP16, one FP8: between the better and the sum of both."""
    dies = [die(fp16_dense_tflops="100"), die(fp8_dense_tflops="300")]
    tpp = amount(item(spec={"dies": dies}), "tpp")
    assert (tpp.low, tpp.high) == (2400, 4000)
    assert tpp.missing == ("item.spec.dies[0]: its peak at 8 bits",)


def test_a_die_without_any_peak_opens_the_sum() -> None:
    """What is known is the floor."""
    tpp = amount(item(spec={"dies": [die(fp16_dense_tflops="100"), die(die_mm2="5")]}), "tpp")
    assert (tpp.low, tpp.high) == (1600, math.inf)
    assert tpp.missing == ("item.spec.dies[1].fp16_dense_tflops",)


def test_only_non_planar_dies_have_an_area_that_counts() -> None:
    """A planar die computes all the same."""
    dies = [
        die(fp16_dense_tflops="100", die_mm2="500"),
        die(fp16_dense_tflops="100", die_mm2="900", planar=True),
    ]
    told = item(spec={"dies": dies})
    assert span(told, "tpp") == (3200, 3200)
    assert span(told, "performance_density") == (Fraction(3200, 500),) * 2
    planar = amount(
        item(spec={"fp16_dense_tflops": "300", "die_mm2": "9", "planar": True}),
        "performance_density",
    )
    assert (planar.low, planar.high) == (0, 0)
    assert "no logic die on a non-planar node" in planar.notes


def test_an_area_that_is_partly_known_bounds_the_density_from_above() -> None:
    """More area means less density."""
    dies = [die(fp16_dense_tflops="100", die_mm2="500"), die(fp16_dense_tflops="100")]
    density = amount(item(spec={"dies": dies}), "performance_density")
    assert (density.low, density.high) == (0, Fraction(3200, 500))
    assert density.missing == ("item.spec.dies[1].die_mm2",)


@given(
    st.lists(
        st.fixed_dictionaries(
            {},
            optional={
                "fp16_dense_tflops": st.sampled_from(["0", "1", "99.5", "1000"]),
                "fp8_dense_tflops": st.sampled_from(["0", "3", "201", "2000.000001"]),
                "die_mm2": st.sampled_from(["1", "0.5", "800"]),
                "planar": st.booleans(),
                "count": st.integers(1, 3),
            },
        ),
        min_size=1,
        max_size=4,
    ),
    st.sampled_from(["1", "7", "12345"]),
    st.integers(0, 3),
)
def test_learning_an_area_narrows_the_density(
    dies: list[dict[str, Any]], area: str, which: int
) -> None:
    """What is filled in later lies inside the interval that stood there before."""
    known = list(dies)
    place = which % len(known)
    known[place] = {"die_mm2": area, **known[place]}
    before = amount(item(spec={"dies": dies}), "performance_density")
    after = amount(item(spec={"dies": known}), "performance_density")
    assert before.low <= after.low <= after.high <= before.high


def test_a_memory_stack_has_a_density_of_bandwidth_and_nothing_else_has_one() -> None:
    """3A090.c speaks of the stack as it is traded, not of the chip that carries one."""
    told = item(form="hbm", spec={"mem_bw_gbs": "819.2", "stack_mm2": "110"})
    assert span(told, "memory_bandwidth_density") == (Fraction("819.2") / 110,) * 2
    assert span(told, "tpp") == (0, 0)
    assert span(told, "performance_density") == (0, 0)
    assert amount(
        item(form="hbm", spec={"mem_bw_gbs": "1"}), "memory_bandwidth_density"
    ).missing == ("item.spec.stack_mm2",)
    assert span(item(chip="H100"), "memory_bandwidth_density") == (0, 0)


# --- weights --------------------------------------------------------------------------------------


def weights(**fields: Any) -> AmountFact:
    """Training FLOP of such weights, synthetic data counted."""
    return amount(item(form="weights", weights=fields), "weights_flop")


def flop(fact: AmountFact) -> tuple[object, object]:
    return fact.low, fact.high


def test_weights_without_synthetic_data_cost_what_their_training_cost() -> None:
    """Said to be none: then the figure is exact."""
    assert flop(weights(training_flop="1000", synthetic_training_flop="0")) == (1000, 1000)
    assert flop(weights(training_flop="1000", synthetic=[])) == (1000, 1000)


def test_weights_of_which_nobody_said_so_may_cost_more() -> None:
    """Whether a model generated the data is a fact that can be missing."""
    fact = weights(training_flop="1000")
    assert flop(fact) == (1000, math.inf)
    assert "item.weights.synthetic_training_flop" in fact.missing


@pytest.mark.parametrize(("trained", "total"), [("100", 1000), ("101", 1550), ("99", 1000)])
def test_more_than_a_tenth_on_generated_data_adds_its_generation(trained: str, total: int) -> None:
    """At exactly ten per cent nothing is added (Technical Note 3)."""
    fact = weights(
        training_flop="1000",
        synthetic_training_flop=trained,
        synthetic_generation_flop="50",
        synthetic_generator_flop="500",
        synthetic_generator_published=False,
    )
    assert flop(fact) == (total, total)


def test_a_published_generator_adds_only_what_generating_cost() -> None:
    """Its training is everybody's."""
    fact = weights(
        training_flop="1000",
        synthetic_training_flop="500",
        synthetic_generation_flop="50",
        synthetic_generator_flop="500",
        synthetic_generator_published=True,
    )
    assert flop(fact) == (1050, 1050)


def generator(training: str, generation: str, own: str, **fields: bool) -> dict[str, Any]:
    return {
        "training_flop": training,
        "generation_flop": generation,
        "generator_flop": own,
        "generator_published": False,
        **fields,
    }


def test_of_several_unpublished_generators_only_the_largest_counts() -> None:
    """Every generation counts, of the trainings the largest; one below a tenth adds nothing at all."""
    fact = weights(
        training_flop="1000",
        synthetic=[
            generator("200", "10", "400"),
            generator("300", "20", "700"),
            generator("100", "40", "9999"),
        ],
    )
    assert flop(fact) == (1000 + 10 + 20 + 700,) * 2


def test_a_generator_in_the_lineage_is_not_counted_twice() -> None:
    """Its training is among the weights' own operations already."""
    one = generator("500", "50", "600", generator_in_lineage=True)
    assert flop(weights(training_flop="1000", synthetic=[one])) == (1050, 1050)


def test_what_is_not_known_of_a_generator_opens_the_figure_above() -> None:
    """Whether it is published, and what its training cost."""
    one = {"training_flop": "500", "generation_flop": "50", "generator_flop": "600"}
    fact = weights(training_flop="1000", synthetic=[one])
    assert flop(fact) == (1050, 1650)
    assert fact.missing == ("item.weights.synthetic[0].generator_published",)
    fact = weights(synthetic_training_flop="5")
    assert flop(fact) == (0, math.inf)


def test_a_derivation_adds_so_much_of_its_base() -> None:
    """25 % of the base, exactly."""
    told = item(
        form="weights",
        weights={"base_published": True, "base_flop": "400", "added_flop": "100"},
    )
    assert span(told, "added_share") == (Fraction(1, 4),) * 2
    assert told["base_published"] == FlagFact(value=True)
    told = item(form="weights", weights={"base_flop": "0", "added_flop": "1"})
    assert span(told, "added_share") == (math.inf, math.inf)
    told = item(form="weights", weights={"added_flop": "1"})
    assert span(told, "added_share") == (0, math.inf)


def test_weights_are_no_chips() -> None:
    """They have no TPP, and ship none."""
    told = item(form="weights", weights={})
    for name in ("tpp", "shipment_tpp", "shipment_chips", "h100e"):
        assert span(told, name) == (0, 0), name
