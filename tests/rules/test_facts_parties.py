"""What parties, clusters, contracts and the past tell: complete only where everybody was asked."""

from __future__ import annotations

import json
import math
from fractions import Fraction
from typing import Any

import pytest

from sekisho.model.chips import known_chips
from sekisho.rules import parse_request
from sekisho.rules.facts import AmountFact, Fact, FlagFact, PlacesFact, WordFact, facts_of

SG = {"headquarters": "SG", "parent_headquarters": "SG", "country": "SG", "listed": False}


def told(kind: str = "transfer", **fields: Any) -> dict[str, Fact]:
    """The facts of a request; transfers are of ten H100."""
    base: dict[str, Any] = {"kind": kind, "id": "r"}
    if kind == "transfer":
        base |= {"item": {"chip": "H100"}, "count": 10}
    return dict(facts_of(parse_request(json.dumps({**base, **fields})), known_chips()))


def places(facts: dict[str, Fact], name: str = "headquarters") -> PlacesFact:
    fact = facts[name]
    assert isinstance(fact, PlacesFact)
    return fact


def amount(facts: dict[str, Fact], name: str) -> AmountFact:
    fact = facts[name]
    assert isinstance(fact, AmountFact)
    return fact


# --- headquarters ---------------------------------------------------------------------------------


def test_headquarters_are_complete_where_consignee_and_end_user_tell_both() -> None:
    """Own seat and ultimate parent's seat, each place once, in the order in which they are named."""
    found = places(told(consignee=SG, end_user={**SG, "parent_headquarters": "CN"}))
    assert (found.values, found.complete, found.missing) == (("SG", "CN"), True, ())


@pytest.mark.parametrize(
    ("fields", "missing"),
    [
        ({}, ("consignee", "end_user")),
        ({"consignee": SG}, ("end_user",)),
        ({"end_user": SG}, ("consignee",)),
        ({"consignee": SG, "end_user": {"headquarters": "SG"}}, ("end_user.parent_headquarters",)),
        (
            {"consignee": {"parent_headquarters": "SG"}, "end_user": SG},
            ("consignee.headquarters",),
        ),
        (
            {"consignee": SG, "end_user": SG, "intermediates": [SG, {"country": "MY"}]},
            ("intermediates[1].headquarters", "intermediates[1].parent_headquarters"),
        ),
    ],
    ids=str,
)
def test_what_nobody_told_leaves_headquarters_open(
    fields: dict[str, Any], missing: tuple[str, ...]
) -> None:
    """A rule that looks for a headquarters must not pass because nobody asked; the fields are named."""
    found = places(told(**fields))
    assert (found.complete, found.missing) == (False, missing)


def test_one_party_may_be_both_where_it_is_said() -> None:
    """Named once, under either name; without the word it is two parties of which one is missing."""
    for name in ("consignee", "end_user"):
        named: dict[str, Any] = {name: {**SG, "authorisation": "national"}}
        facts = told(end_user_is_consignee=True, **named)
        assert places(facts).complete
        assert facts["authorisation"] == WordFact(values=("national",))
    assert not places(told(end_user_is_consignee=False, consignee=SG)).complete
    assert places(told(end_user_is_consignee=True)).missing == ("consignee",)


def test_a_party_that_is_its_own_parent_needs_no_second_seat() -> None:
    """Said by its name standing as its parent."""
    own = {"name": "a", "parent": "a", "headquarters": "KR"}
    found = places(told(consignee=own, end_user=SG))
    assert (found.values, found.complete) == (("KR", "SG"), True)


def test_an_intermediary_counts_like_the_others() -> None:
    """A headquarters in between is a headquarters."""
    middle = {**SG, "headquarters": "CN", "country": "HK"}
    facts = told(consignee=SG, end_user=SG, intermediates=[middle])
    assert places(facts).values == ("SG", "CN")
    assert places(facts, "party_countries").values == ("SG", "HK")


def test_names_do_not_count() -> None:
    """Parties that tell the same give the same fact, whatever they are called."""
    first = told(consignee={**SG, "name": "a"}, end_user=SG)
    second = told(consignee={**SG, "name": "b"}, end_user=SG)
    assert first["headquarters"] is second["headquarters"]


def test_exporter_and_provider_are_another_side() -> None:
    """Their seats are not the receiving side's."""
    facts = told(exporter={"headquarters": "US", "parent_headquarters": "JP"})
    assert places(facts, "exporter_headquarters").values == ("US", "JP")
    assert places(facts).values is None
    assert places(told("cloud-use"), "exporter_headquarters").missing == ("provider",)


# --- lists ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("first", "second", "value"),
    [
        (False, False, False),
        (True, None, True),
        (None, True, True),
        (False, None, None),
        (None, None, None),
    ],
)
def test_one_listed_party_is_enough_and_every_party_is_needed_for_none(
    first: bool | None, second: bool | None, value: bool | None
) -> None:
    """Three-valued or."""
    facts = told(consignee={"listed": first}, end_user={"listed": second})
    flag = facts["listed_party"]
    assert isinstance(flag, FlagFact)
    assert flag.value is value
    assert bool(flag.missing) == (value is None)


def test_the_largest_share_counts_and_an_unknown_one_may_be_all() -> None:
    """Of two parties; between what is known and the whole."""
    half = {"listed_owner_share": "0.5"}
    both = amount(
        told(consignee=half, end_user={"listed_owner_share": "0.499999"}), "listed_owner_share"
    )
    assert (both.low, both.high) == (Fraction(1, 2), Fraction(1, 2))
    one = amount(told(consignee=half, end_user={}), "listed_owner_share")
    assert (one.low, one.high, one.missing) == (
        Fraction(1, 2),
        1,
        ("end_user.listed_owner_share",),
    )
    none = amount(told(), "listed_owner_share")
    assert (none.low, none.high, none.missing) == (0, 1, ("consignee", "end_user"))


def test_a_stated_share_is_a_known_owner() -> None:
    """A share above nothing names an owner, a share of nothing that there is none, and silence neither."""
    facts = told(consignee={"listed_owner_share": "0.1"}, end_user={})
    assert facts["listed_owner_known"] == FlagFact(value=True)
    facts = told(consignee={"listed_owner_share": "0"}, end_user={"listed_owner_known": False})
    assert facts["listed_owner_known"] == FlagFact(value=False)
    facts = told(consignee={}, end_user={"listed_owner_known": False})
    assert facts["listed_owner_known"] == FlagFact(
        value=None, missing=("consignee.listed_owner_known",)
    )


# --- what has gone before -------------------------------------------------------------------------


def test_earlier_sums_are_counted_with_this_transfer() -> None:
    """Ten H100 on top of what was stated."""
    facts = told(so_far={"parent_year_tpp": "1.5", "country_tpp": "0"})
    assert amount(facts, "parent_year_tpp").low == 158320 + Fraction(3, 2)
    assert amount(facts, "country_tpp").high == 158320
    open_ = amount(facts, "end_user_tpp")
    assert (open_.low, open_.high, open_.missing) == (158320, math.inf, ("so_far.end_user_tpp",))


def test_a_market_share_is_as_stated() -> None:
    """It counts this request already, and may be more than one."""
    assert amount(told(so_far={"market_share": "1.25"}), "market_share").low == Fraction(5, 4)
    assert amount(told(), "market_share").missing == ("so_far.market_share",)


# --- training runs, clusters, contracts, access ---------------------------------------------------


@pytest.mark.parametrize(
    ("fields", "low", "high"),
    [
        ({"origin": "scratch", "planned_flop": "5"}, 0, 0),
        (
            {"origin": "known", "lineage_flop": "15", "planned_flop": "5"},
            Fraction(1, 3),
            Fraction(1, 3),
        ),
        ({"origin": "known", "lineage_flop": "0", "planned_flop": "5"}, math.inf, math.inf),
        ({"origin": "known", "lineage_flop": "0", "planned_flop": "0"}, 0, 0),
        ({"origin": "known", "planned_flop": "5"}, 0, math.inf),
        ({"origin": "known", "lineage_flop": "10"}, 0, math.inf),
        ({"lineage_flop": "10", "planned_flop": "5"}, 0, Fraction(1, 2)),
        ({"origin": "unknown", "planned_flop": "5"}, math.inf, math.inf),
    ],
    ids=str,
)
def test_a_modification_is_measured_by_its_lineage(
    fields: dict[str, str], low: object, high: object
) -> None:
    """Nothing from scratch, the worst from weights that no receipt names."""
    fact = amount(told("training-run", **fields), "modification_share")
    assert (fact.low, fact.high) == (low, high)


def test_a_cluster_is_summed_in_its_fastest_format() -> None:
    """1979 TFLOP/s for each H100, as declared for what the table does not know."""
    chips = [
        {"chip": "H100", "count": 8},
        {"chip": "own", "count": 2, "declared": {"peak_flop_per_s": "1000000000000", "bits": 32}},
    ]
    facts = told("cluster", cluster={"chips": chips, "network_gbit_s": "100.5"})
    assert amount(facts, "cluster_peak").low == 8 * 1979 * 10**12 + 2 * 10**12
    assert amount(facts, "cluster_network").low == Fraction("100.5")
    assert facts["cluster_networked"] == FlagFact(
        value=True, notes=("by its network of more than 25 Gbit/s",)
    )


@pytest.mark.parametrize(
    ("gbit_s", "networked", "value"),
    [("25", None, None), ("25", False, False), ("25.1", True, True)],
)
def test_a_network_above_25_gbit_makes_one_cluster(
    gbit_s: str, networked: bool | None, value: bool | None
) -> None:
    """At 25 it does not say (Art. II.16 has more than 25)."""
    cluster = {
        "chips": [{"chip": "H100", "count": 1}],
        "network_gbit_s": gbit_s,
        "networked": networked,
    }
    flag = told("cluster", cluster=cluster)["cluster_networked"]
    assert isinstance(flag, FlagFact)
    assert flag.value is value


def test_an_unknown_chip_opens_the_cluster_and_offers_near_names() -> None:
    """The other chips stay the floor."""
    chips = [{"chip": "H100", "count": 1}, {"chip": "H1000", "count": 1}]
    fact = amount(told("cluster", cluster={"chips": chips}), "cluster_peak")
    assert (fact.low, fact.high) == (1979 * 10**12, math.inf)
    assert fact.missing == ("cluster.chips[1].chip",)
    assert any("near it: H100 SXM5" in note for note in fact.notes)


def test_a_contract_counts_on_top_of_the_window() -> None:
    """Known or open."""
    facts = told("cloud-use", planned_flop="5", owner_window_flop="10")
    assert amount(facts, "owner_window_flop").low == 15
    open_ = amount(told("cloud-use", planned_flop="5"), "owner_window_flop")
    assert (open_.low, open_.high, open_.missing) == (5, math.inf, ("owner_window_flop",))


def test_access_tells_the_user_and_the_model() -> None:
    """One party on the receiving side is complete by itself."""
    facts = told("access", user=SG, user_class="research", model="m", weights=True, place="KP")
    assert places(facts).complete
    assert facts["user_class"] == WordFact(values=("research",))
    assert facts["weights_given"] == FlagFact(value=True)
    assert places(facts, "place").values == ("KP",)
