from __future__ import annotations

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sekisho.model.statements import Reference, Scope
from sekisho.orders import (
    Demand,
    HostFacts,
    KnownOrder,
    decide_demand,
    effect_of,
    facts_of,
    is_covered,
    is_in_scope,
)
from tests.factory import NOW, ORIGIN, host_enrolled, licence_issued, order_issued
from tests.orders.books import known, site_host

SCOPES = {
    "hosts": "host-1",
    "sites": "site-1",
    "licensees": "party-1",
    "licences": "LIC-1",
    "runs": "run-1",
    "lineages": "a" * 64,
    "chips": "host CPU",
    "jurisdictions": "JP",
}
FIELDS = {
    "sites": "site",
    "licensees": "licensee",
    "licences": "licence",
    "runs": "run",
    "lineages": "lineage",
    "chips": "chips",
    "jurisdictions": "jurisdiction",
}


def scope(**attributes: Any) -> Scope:
    """A scope with the given attributes."""
    return Scope(**attributes)


@pytest.mark.parametrize("attribute", SCOPES)
def test_every_attribute_matches_any_of_its_values(attribute: str) -> None:
    """The host's own value among others is in scope, another value alone is not."""
    mine = SCOPES[attribute]
    assert is_in_scope(scope(**{attribute: ("elsewhere", mine)}), site_host())
    assert not is_in_scope(scope(**{attribute: ("elsewhere",)}), site_host())


@pytest.mark.parametrize("attribute", FIELDS)
def test_a_missing_attribute_matches(attribute: str) -> None:
    """Who does not say where it stands cannot escape an order by that."""
    unknown = site_host(**{FIELDS[attribute]: None})
    assert is_in_scope(scope(**{attribute: ("elsewhere",)}), unknown)
    assert not is_in_scope(scope(**{attribute: ("elsewhere",)}, hosts=("host-2",)), unknown)


def test_all_attributes_given_must_match() -> None:
    """Site-1 in another country is not this host."""
    assert is_in_scope(scope(sites=("site-1",), jurisdictions=("JP",)), site_host())
    assert not is_in_scope(scope(sites=("site-1",), jurisdictions=("GB",)), site_host())


def test_an_empty_scope_is_nobody_and_everywhere_is_everybody() -> None:
    """Everybody is meant only where it is said, and never beside an attribute that says otherwise."""
    assert not is_in_scope(Scope(), site_host())
    assert is_in_scope(Scope(everywhere=True), site_host())
    assert not is_in_scope(scope(everywhere=True, sites=("site-2",)), site_host())


def test_a_run_from_scratch_has_no_lineage_to_match() -> None:
    """No parents is known; unknown parents match."""
    assert not is_in_scope(scope(lineages=("b" * 64,)), site_host(lineage=()))


def test_facts_come_from_enrolment_and_licence() -> None:
    """Without a licence its attributes are unknown, so every scope of them matches."""
    licence = licence_issued(Reference(log=ORIGIN, leaf="1" * 64))
    facts = facts_of(host_enrolled(), licence)
    assert facts == site_host(lineage=())
    bare = facts_of(host_enrolled(), None)
    assert (bare.licensee, bare.licence, bare.run, bare.lineage) == (None,) * 4
    assert is_in_scope(scope(runs=("run-7",)), bare)


def test_an_exempt_run_is_not_covered() -> None:
    """By its name only; unknown work is not exempt."""
    order = known(order_issued(exemptions=("run-1",)))
    assert not is_covered(order, site_host())
    assert is_covered(order, site_host(run="run-2"))
    assert is_covered(order, site_host(run=None))


def test_a_drill_acts_on_the_declared_canary_only() -> None:
    """Other work, and a host without a canary, go on."""
    drill = known(order_issued(drill=True))
    assert is_covered(drill, site_host())
    assert not is_covered(drill, site_host(run="run-2"))
    assert not is_covered(drill, site_host(canary=None))
    assert is_covered(drill, site_host(run=None))
    assert not is_covered(drill, site_host(site="site-2"))


def demanded(*orders: KnownOrder, facts: HostFacts | None = None) -> Demand:
    """What orders ask of a host, by default of one in their scope."""
    return decide_demand(orders, facts or site_host())


HOLD = known(order_issued(kind="hold", grace_s=0))
STOP = known(order_issued(effect="checkpoint-then-stop", grace_s=300))
CAP = known(order_issued(kind="cap", effect="cap", cap_percent=50, grace_s=0))


def test_the_strictest_effect_wins() -> None:
    """Stop over freeze over cap; the order in which they are known does not matter."""
    assert demanded(HOLD, STOP, CAP) == msgspec.structs.replace(
        demanded(CAP, STOP, HOLD), orders=demanded(HOLD, STOP, CAP).orders
    )
    assert demanded(HOLD, STOP, CAP).effect == "checkpoint-then-stop"
    assert demanded(HOLD, CAP).effect == "freeze"
    assert demanded(CAP).effect == "cap"
    assert demanded(HOLD, STOP).orders == (HOLD.reference, STOP.reference)


def test_new_work_is_refused_by_whatever_stops_or_freezes() -> None:
    """A cap and an access suspension do not refuse new work."""
    access = known(order_issued(kind="suspend-access", effect="suspend-access"))
    assert demanded(HOLD).refuses_new_work
    assert demanded(STOP).refuses_new_work
    assert not demanded(CAP).refuses_new_work
    assert demanded(access) == Demand() == demanded()
    assert demanded(STOP, facts=site_host(site="site-2")) == Demand()


def test_only_holds_is_true_of_holds_alone() -> None:
    """A pause beside a hold is a pause."""
    assert demanded(HOLD).only_holds
    assert not demanded(HOLD, STOP).only_holds
    assert not demanded().only_holds


def test_a_long_grace_of_one_order_does_not_undo_another() -> None:
    """A hold without grace stays without grace when a pause with five minutes comes."""
    assert demanded(STOP).grace_s == 300
    assert demanded(HOLD, STOP).grace_s == 0
    assert demanded(CAP, STOP).grace_s == 300


ORDERS = [
    known(order_issued(number=n + 1, previous="d" * 64, effect=effect, grace_s=grace, kind=kind))
    for n, (kind, effect, grace) in enumerate(
        [
            ("hold", "freeze", 0),
            ("hold", "freeze", 60),
            ("pause", "freeze", 30),
            ("pause", "checkpoint-then-stop", 300),
            ("pause", "checkpoint-then-stop", 10),
            ("cap", "cap", 0),
        ]
    )
]
STRICT = {None: 0, "cap": 1, "freeze": 2, "checkpoint-then-stop": 3}


@given(st.sets(st.sampled_from(range(6))), st.sampled_from(range(6)))
def test_one_more_order_never_makes_a_demand_milder(some: set[int], more: int) -> None:
    """Neither effect nor, where work is stopped already, grace."""
    before = demanded(*(ORDERS[n] for n in sorted(some)))
    after = demanded(*(ORDERS[n] for n in sorted({*some, more})))
    assert STRICT[after.effect] >= STRICT[before.effect]
    if before.refuses_new_work:
        assert after.grace_s <= before.grace_s


def test_an_unknown_critical_field_makes_a_pause_as_strict_as_pauses_are() -> None:
    """What the reader does not understand may have been milder; it is not believed to be."""
    assert effect_of(order_issued(effect="freeze")) == "freeze"
    strange = known(order_issued(effect="freeze", crit=("only_if",)))
    assert demanded(strange).effect == "checkpoint-then-stop"
    hold = known(order_issued(kind="hold", crit=("only_if",)))
    assert demanded(hold).effect == "freeze"
    assert NOW.us > 0
