"""What a rule may ask about: every quantity is told by every kind of request that claims to tell it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from sekisho.model.chips import known_chips
from sekisho.rules import parse_request
from sekisho.rules.facts import AmountFact, Fact, FlagFact, PlacesFact, WordFact, facts_of
from sekisho.rules.quantities import QUANTITIES, UNITS
from sekisho.rules.requests.reading import KINDS

FORMS = {"amount": AmountFact, "flag": FlagFact, "places": PlacesFact, "word": WordFact}
CLUSTER = {"chips": [{"chip": "H100", "count": 8}], "networked": True}
# The least that a request of each kind says, and one that says everything.
BARE: dict[str, dict[str, Any]] = {
    "training-run": {},
    "cluster": {"cluster": {"chips": [{"chip": "no such", "count": 1}]}},
    "transfer": {"item": {}},
    "cloud-use": {},
    "access": {},
}
PARTY = {
    "name": "a",
    "country": "SG",
    "headquarters": "SG",
    "parent_headquarters": "SG",
    "listed": False,
    "listed_owner_known": False,
    "listed_owner_share": "0",
}
FULL: dict[str, dict[str, Any]] = {
    "training-run": {
        "planned_flop": "5",
        "origin": "known",
        "lineage_flop": "10",
        "lineage_post_training_flop": "0",
        "post_training": True,
        "jurisdictions": ["JP"],
        "cluster": {**CLUSTER, "network_gbit_s": "400"},
    },
    "cluster": {"jurisdictions": ["JP"], "cluster": {**CLUSTER, "network_gbit_s": "400"}},
    "transfer": {
        "activity": "export",
        "item": {"chip": "H100", "eccn": "5A992"},
        "count": 8,
        "origin": "US",
        "destination": "SG",
        "exporter": PARTY,
        "consignee": PARTY,
        "end_user": {**PARTY, "authorisation": "none"},
        "end_use": ["inference"],
        "so_far": {
            "parent_year_tpp": "0",
            "country_tpp": "0",
            "end_user_tpp": "0",
            "market_share": "0",
        },
    },
    "cloud-use": {
        "provider": PARTY,
        "customer": PARTY,
        "place": "SG",
        "jurisdictions": ["JP"],
        "cluster": {**CLUSTER, "network_gbit_s": "400"},
        "planned_flop": "5",
        "owner_window_flop": "0",
        "end_use": ["training"],
    },
    "access": {
        "model": "m",
        "training_flop": "5",
        "provider": PARTY,
        "user": PARTY,
        "user_class": "public",
        "place": "SG",
        "weights": False,
        "jurisdictions": ["JP"],
    },
}


def facts(kind: str, fields: dict[str, Any]) -> dict[str, Fact]:
    """What such a request tells."""
    request = parse_request(json.dumps({"kind": kind, "id": "r", **fields}))
    return dict(facts_of(request, known_chips()))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("said", [BARE, FULL], ids=["nothing said", "all said"])
def test_a_kind_tells_exactly_the_quantities_that_claim_it(
    kind: str, said: dict[str, dict[str, Any]]
) -> None:
    """No quantity is forgotten, none is told that the table does not list, each has its form."""
    told = facts(kind, said[kind])
    assert set(told) == {name for name, one in QUANTITIES.items() if kind in one.kinds}
    assert all(isinstance(fact, FORMS[QUANTITIES[name].kind]) for name, fact in told.items())


@pytest.mark.parametrize("kind", KINDS)
def test_a_request_that_says_all_leaves_nothing_missing(kind: str) -> None:
    """Whatever a rule asks of it is definite."""
    assert {
        name: fact.missing for name, fact in facts(kind, FULL[kind]).items() if fact.missing
    } == {}


SETTLED_BY_NOTHING_SAID = {
    # an item that names no weights is a chip: it has cost no training, and is in the form that goes without saying
    *("form", "weights_flop", "added_flop", "added_share"),
    *("weights_published", "base_published", "below_most_advanced_published"),
}


@pytest.mark.parametrize("kind", KINDS)
def test_a_request_that_says_nothing_leaves_everything_open(kind: str) -> None:
    """Missing is never zero, never no: each fact names what would tell it."""
    for name, fact in facts(kind, BARE[kind]).items():
        if name in SETTLED_BY_NOTHING_SAID:
            continue
        assert fact.missing, name
        if isinstance(fact, AmountFact):
            assert fact.low < fact.high, name
        elif isinstance(fact, FlagFact):
            assert fact.value is None, name
        else:
            assert fact.values is None, name


def test_every_quantity_has_its_unit_its_words_and_its_meaning() -> None:
    """Amounts have a known unit, nothing else has one; words are listed where they are few."""
    for name, one in QUANTITIES.items():
        assert (one.unit in UNITS) == (one.kind == "amount"), name
        assert one.means, name
        assert one.kinds, name
        assert not one.words or one.kind == "word", name


def test_the_guide_lists_every_quantity_with_its_unit_and_its_kinds_of_request() -> None:
    """Whoever writes a pack by the guide alone finds what a limb may ask."""
    guide = (Path(__file__).parents[2] / "docs/guide/packs.md").read_text(encoding="utf-8")
    for name, one in QUANTITIES.items():
        form = one.unit if one.kind == "amount" else one.kind
        kinds = "all" if len(one.kinds) == len(KINDS) else ", ".join(one.kinds)
        assert f"| `{name}` | {form} | {kinds} | {one.means}" in guide
