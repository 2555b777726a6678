"""Holdings and clusters out of a store, whatever wrote it."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Self

import pytest

from sekisho.adapters.storage.register_sql import open_register
from sekisho.model.custody import Component, LifeState, Standing
from sekisho.operations.register.clusters import load_clusters
from sekisho.operations.register.holdings import load_holdings
from sekisho.ports.register_store import RegisterStore
from sekisho.registry.holdings import HELD_BY, HeldBy
from sekisho.registry.terms import Place, RegisterTerms
from tests.registered import chip, registering, standing

TERMS = RegisterTerms(
    places=(
        Place(place="hall-1", country="JP", network="campus"),
        Place(place="hall-2", country="JP", network="campus"),
        Place(place="far", country="DE"),
    )
)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[RegisterStore]:
    with open_register(tmp_path / "register.sqlite") as opened:
        yield opened


class Shelf:
    """Puts standings into a store as captures would."""

    def __init__(self, store: RegisterStore) -> None:
        self._store = store
        self._standings: dict[int, Standing] = {}

    def put(
        self,
        count: int,
        *,
        model: str = "H100 SXM5",
        component: Component = "package",
        state: LifeState = "active",
        **fields: str,
    ) -> Self:
        where = {"site": "hall-1", "custodian": "cloud", "owner": "bank", "country": "JP"} | fields
        for _ in range(count):
            number = len(self._standings) + 1
            self._standings[number] = standing(
                chip(number),
                number=number,
                model=model,
                component=component,
                state=state,
                **where,
            )
        return self

    def save(self) -> None:
        self._store.save(registering(1, self._standings))


@pytest.mark.parametrize(
    ("by", "key"),
    [("site", "hall-1"), ("custodian", "cloud"), ("owner", "bank"), ("country", "JP")],
)
def test_holdings_are_counted_by_each_dimension(store: RegisterStore, by: HeldBy, key: str) -> None:
    """The same chips lie under their site, custodian, owner and country."""
    Shelf(store).put(4).put(2, component="server", model="DGX").put(1, state="destroyed").save()
    (share,) = load_holdings(store, by).shares
    assert (share.key, share.components, share.retired) == (key, 4, 1)
    assert share.h100e.high == Fraction(4)


def test_every_dimension_gives_the_same_whole(store: RegisterStore) -> None:
    """However the register is cut, the whole is the same."""
    shelf = Shelf(store).put(3).put(2, site="far", custodian="other", country="DE", model="A100")
    shelf.put(5, site="", country="", model="Abacus").save()
    totals = {str(load_holdings(store, by).total.h100e.high) for by in HELD_BY}
    assert totals == {str(3 + 2 * Fraction(312 * 16, 15_824))}
    assert {load_holdings(store, by).total.verdict for by in HELD_BY} == {"not measured"}


def test_an_empty_register_holds_nothing(store: RegisterStore) -> None:
    """Nothing registered: no share, and no cluster."""
    assert load_holdings(store, "site").shares == ()
    assert load_clusters(store, TERMS).clusters == ()


def test_clusters_follow_the_networks_of_the_terms(store: RegisterStore) -> None:
    """Two halls of one campus are one cluster of seventeen; a place without a network stands alone."""
    Shelf(store).put(9).put(8, site="hall-2").put(16, site="far").put(3, state="in-transit").save()
    found = {cluster.network: cluster for cluster in load_clusters(store, TERMS).clusters}
    assert (found["campus"].chips, found["campus"].covered) == (17, "covered")
    assert (found["far"].chips, found["far"].covered) == (16, "not covered")
    apart = {c.network: c.covered for c in load_clusters(store, RegisterTerms()).clusters}
    assert apart == {"hall-1": "not covered", "hall-2": "not covered", "far": "not covered"}
