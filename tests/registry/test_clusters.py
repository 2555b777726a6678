from __future__ import annotations

from fractions import Fraction

import pytest

from sekisho.model.custody import Component, LifeState
from sekisho.registry.clusters import Cluster, find_covered, networks_of
from sekisho.registry.holdings import Tally


def tally(
    key: str = "hall-1",
    *,
    component: Component = "package",
    model: str = "H100 SXM5",
    state: LifeState = "active",
    count: int = 1,
) -> Tally:
    return Tally(key=key, component=component, model=model, state=state, count=count)


def only(*tallies: Tally, **networks: str) -> Cluster:
    (cluster,) = find_covered(tallies, networks).clusters
    return cluster


def test_sixteen_h100_are_not_covered_and_seventeen_are() -> None:
    """The limbs ask for more than sixteen equivalents: at exactly sixteen nothing is covered, by no limb."""
    sixteen, seventeen = only(tally(count=16)), only(tally(count=17))
    assert sixteen.covered == "not covered"
    assert [limb.covers for limb in sixteen.limbs] == ["not covered"] * 3
    assert [limb.figure.high for limb in sixteen.limbs] == [15_824, 253_184, 1_280]
    assert [limb.limit for limb in sixteen.limbs] == [15_824, 253_184, 1_280]
    assert [limb.covers for limb in seventeen.limbs] == ["covered"] * 3


def test_memory_alone_covers() -> None:
    """Fourteen H20 with 96 GB have little compute and more than 1,280 GB: the memory limb alone covers them."""
    cluster = only(tally(model="H20", count=14))
    words = {limb.name: limb.covers for limb in cluster.limbs}
    assert words == {"rate": "not covered", "tpp": "not covered", "memory": "covered"}
    assert cluster.covered == "covered"


def test_sites_of_one_network_are_one_cluster() -> None:
    """Two halls of nine H100 each are covered once the terms say that they are networked."""
    halls = (tally("hall-1", count=9), tally("hall-2", count=9))
    apart = find_covered(halls, {})
    assert [cluster.covered for cluster in apart.clusters] == ["not covered"] * 2
    networks = networks_of([("hall-1", "campus"), ("hall-2", "campus"), ("hall-3", None)])
    (joined,) = find_covered(halls, networks).clusters
    assert (joined.network, joined.sites) == ("campus", ("hall-1", "hall-2"))
    assert joined.covered == "covered"


def test_an_unknown_model_leaves_the_answer_open() -> None:
    """A cluster below every limb with one chip of an unknown model is unverifiable, never not covered."""
    cluster = only(tally(count=2), tally(model="Abacus 9000"))
    assert cluster.covered == "unverifiable"
    assert cluster.unmeasured[0].model == "Abacus 9000"
    assert cluster.limbs[0].figure.high == 1_978


def test_unknown_chips_cannot_undo_a_limb_that_is_passed() -> None:
    """Where the known chips alone exceed a limb the cluster is covered whatever the others are."""
    assert only(tally(count=17), tally(model="Abacus 9000", count=99)).covered == "covered"


@pytest.mark.parametrize("state", ["in-transit", "lost", "stolen", "destroyed"])
def test_what_does_not_stand_there_is_not_in_the_cluster(state: LifeState) -> None:
    """Chips in transit, lost, stolen or destroyed are in no cluster."""
    assert find_covered([tally(state=state, count=99)], {}).clusters == ()


def test_chips_without_a_place_are_unverifiable() -> None:
    """Nobody said where they stand: they may or may not be one cluster."""
    assert only(tally("", count=99)).covered == "unverifiable"


def test_packages_on_boards_are_a_range() -> None:
    """Ten packages and ten boards may be ten chips or twenty: neither answer is given."""
    cluster = only(tally(count=10), tally(component="board", count=10))
    assert cluster.covered == "unverifiable"
    assert cluster.limbs[1].figure.low == 10 * Fraction(15_824)


def test_parts_of_other_kinds_are_not_counted() -> None:
    """Dies, memory stacks, servers and racks are no chips of a cluster."""
    kinds: list[Component] = ["logic-die", "hbm-stack", "server", "rack", "container"]
    assert find_covered([tally(component=kind, count=99) for kind in kinds], {}).clusters == ()


def test_the_largest_cluster_comes_first() -> None:
    """Clusters stand in the order of their largest limb, and are counted by verdict."""
    found = find_covered([tally("small"), tally("large", count=40), tally("mid", count=20)], {})
    assert [cluster.network for cluster in found.clusters] == ["large", "mid", "small"]
    assert (found.count("covered"), found.count("not covered")) == (2, 1)
