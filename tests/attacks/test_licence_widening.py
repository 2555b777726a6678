"""Amendments that only take away need nobody's approval, and none of them brings anything more along."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sekisho.licensing import LicenceState
from sekisho.licensing.amending import as_amended, opened
from sekisho.licensing.device_set import root_of
from sekisho.licensing.terms import MODES, grants_more
from sekisho.model.errors import StateConflict
from sekisho.model.statements import (
    BudgetShare,
    HostEnrolled,
    LeaseTerms,
    LicenceAmended,
    LicenceIssued,
    Reference,
    Span,
)
from sekisho.operations.running import LicencePlan, draft_licence
from sekisho.rules import load_pack
from tests import factory as f
from tests.approved import OFFICERS, amendment, application, approved, declare, issue
from tests.desks import TestDesk
from tests.devices import host_with
from tests.licensing.ledgers import recorded

REFERENCE = Reference(log=f.ORIGIN, leaf="1" * 64)
HOSTS = {
    "host-1": host_with("host-1/gpu-0", "host-1/gpu-1", host="host-1"),
    "host-2": host_with("host-2/gpu-0", host="host-2"),
}
DEVICES = ("host-1/gpu-0", "host-1/gpu-1", "host-2/gpu-0")
TERMS = LeaseTerms(interval_s=600, grace_s=60, quantum_s=60)
PERIOD = Span(start=f.NOW, end=f.NOW.plus(10_000))
SHARES = (
    BudgetShare(share="east", budget_flop="600", sites=("site-1",)),
    BudgetShare(share="west", budget_flop="400", issuer="a" * 64),
)


def fixed(*devices: str) -> dict[str, object]:
    return {"devices": len(devices), "devices_root": root_of(devices)}


def licence(**changes: object) -> LicenceIssued:
    terms = {
        "hosts": ("host-1", "host-2"),
        "sites": ("site-1", "site-2"),
        "budget_flop": "1000",
        "period": PERIOD,
        "lease": TERMS,
        "mode": "freeze",
        "shares": SHARES,
        "egress_bytes_per_s": 1_000,
        **fixed(*DEVICES),
        **changes,
    }
    return msgspec.structs.replace(f.licence_issued(REFERENCE), **terms)


def state_of(fact: LicenceIssued) -> LicenceState:
    return opened(fact, recorded(fact))


def amended(fact: LicenceIssued, **changes: object) -> LicenceAmended:
    kept = {
        name: getattr(fact, name)
        for name in (
            *("hosts", "devices", "devices_root", "sites", "budget_flop", "period", "lease"),
            *("mode", "decision", "shares"),
        )
    }
    fields = {"effective": f.NOW, "licence": REFERENCE, "number": fact.number, "version": 2}
    told = {**fields, "previous": "b" * 64, "reason": "as decided", **kept, **changes}
    return LicenceAmended(**told)


def gives_more(enrolled: dict[str, HostEnrolled] | None = None, /, **changes: object) -> bool:
    stands = licence()
    return grants_more(state_of(stands), amended(stands, **changes), enrolled or HOSTS)


def longer(**changes: int) -> LeaseTerms:
    return msgspec.structs.replace(TERMS, **changes)


def share(place: int, **changes: object) -> tuple[BudgetShare, ...]:
    bent = msgspec.structs.replace(SHARES[place], **changes)
    return (bent, SHARES[1]) if place == 0 else (SHARES[0], bent)


WIDENINGS: dict[str, dict[str, object]] = {
    "budget up": {"budget_flop": "1001"},
    "ends later": {"period": Span(start=PERIOD.start, end=PERIOD.end.plus(1))},
    "begins sooner": {"period": Span(start=PERIOD.start.plus(-1), end=PERIOD.end)},
    "mode weaker": {"mode": "drain"},
    "mode advises": {"mode": "advise"},
    "another site": {"sites": ("site-1", "site-2", "site-3")},
    "another host": {"hosts": ("host-1", "host-2", "host-3")},
    "more devices": {"devices": 4},
    "other devices": {"devices_root": "e" * 64},
    "interval longer": {"lease": longer(interval_s=601)},
    "grace longer": {"lease": longer(grace_s=61)},
    "quantum longer": {"lease": longer(quantum_s=61)},
    "egress higher": {"egress_bytes_per_s": 1_001},
    "share up": {"shares": share(0, budget_flop="601")},
    "share at other sites": {"shares": share(0, sites=("site-1", "site-2"))},
    "share anywhere": {"shares": share(0, sites=())},
    "share by any issuer": {"shares": share(1, issuer=None)},
    "share by another issuer": {"shares": share(1, issuer="b" * 64)},
    "share of a new name": {"shares": (*SHARES, BudgetShare(share="south", budget_flop="1"))},
    "shares undone": {"shares": ()},
    "suspension lifted": {"lifts": REFERENCE},
}
RESTRICTIONS: dict[str, dict[str, object]] = {
    "nothing": {},
    "budget down": {"budget_flop": "999"},
    "ends sooner": {"period": Span(start=PERIOD.start, end=PERIOD.end.plus(-1))},
    "mode stricter": {"mode": "kill"},
    "fewer sites": {"sites": ("site-1",)},
    "fewer hosts": {"hosts": ("host-2",), **fixed("host-2/gpu-0")},
    "lease shorter": {"lease": longer(interval_s=1, grace_s=0, quantum_s=1)},
    "egress lower": {"egress_bytes_per_s": 0},
    "egress left out": {"egress_bytes_per_s": None},
    "share down": {"shares": share(0, budget_flop="1")},
    "share dropped": {"shares": SHARES[:1]},
}


@pytest.mark.parametrize("name", WIDENINGS)
def test_what_gives_more_needs_approvals(name: str) -> None:
    """One term at a time."""
    assert gives_more(**WIDENINGS[name])


@pytest.mark.parametrize("name", RESTRICTIONS)
def test_what_only_takes_away_needs_none(name: str) -> None:
    """One term at a time; and a limit on what leaves the set where there was none."""
    assert not gives_more(**RESTRICTIONS[name])
    unlimited = licence(egress_bytes_per_s=None)
    assert not grants_more(state_of(unlimited), amended(unlimited, egress_bytes_per_s=5), HOSTS)


names = st.lists(st.sampled_from(sorted(RESTRICTIONS)), max_size=5, unique=True)


@given(names, st.sampled_from(sorted(WIDENINGS)))
def test_no_widening_hides_among_restrictions(restrictions: list[str], widening: str) -> None:
    """However much an amendment takes away, the one thing that it gives makes it one that needs approvals."""
    changes: dict[str, object] = {}
    for name in restrictions:
        changes.update(RESTRICTIONS[name])
    assert not gives_more(**changes)

    assert gives_more(**{**changes, **WIDENINGS[widening]})


@given(st.integers(0, 4), st.integers(0, 4))
def test_the_ladder_of_modes_is_the_protocol_s(stands: int, asked: int) -> None:
    """advise, block-new, drain, freeze, kill: down the ladder is more."""
    assert MODES == ("advise", "block-new", "drain", "freeze", "kill")
    held = licence(mode=MODES[stands])
    more = grants_more(state_of(held), amended(held, mode=MODES[asked]), HOSTS)
    assert more is (asked < stands)


@pytest.mark.parametrize(
    "now_enrolled",
    [
        {**HOSTS, "host-2": host_with("host-2/gpu-0", "host-2/gpu-9", host="host-2")},
        {**HOSTS, "host-2": host_with("host-2/gpu-9", host="host-2")},
        {**HOSTS, "host-1": host_with("host-1/gpu-9", "host-1/gpu-1", host="host-1")},
        {"host-2": HOSTS["host-2"]},
    ],
    ids=["more", "others", "others in the host that goes", "a host that left"],
)
def test_chips_brought_along_with_a_host_taken_away(
    now_enrolled: dict[str, HostEnrolled],
) -> None:
    """Fewer hosts are no excuse for other chips in those that stay: whoever enrolled anew asks for leave."""
    kept = tuple(device.device for device in now_enrolled["host-2"].devices)
    assert gives_more(now_enrolled, hosts=("host-2",), **fixed(*kept))
    assert not gives_more(now_enrolled, budget_flop="1")


def test_an_amendment_that_names_no_limit_leaves_it() -> None:
    """What leaves the set stays limited, through every amendment, and moves only where one says so."""
    stands = licence()
    assert as_amended(stands, amended(stands, budget_flop="1")).egress_bytes_per_s == 1_000
    lower = amended(stands, egress_bytes_per_s=7)
    assert as_amended(stands, lower).egress_bytes_per_s == 7


# --- at the desk --------------------------------------------------------------------------------


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[TestDesk]:
    with TestDesk(tmp_path, approvals=2) as made:
        declare(made)
        yield made


def limited(desk: TestDesk) -> None:
    """LIC-1, which lets 1,000 bytes a second out."""
    approved(desk)
    terms = LeaseTerms(interval_s=60, grace_s=2, quantum_s=2)
    plan = LicencePlan(number="LIC-1", terms=terms, mode="kill", application="APP-1")
    drafted = draft_licence(desk.desk.state, "run-1", load_pack(), plan, now=desk.clock.now())
    fact = msgspec.structs.replace(drafted, egress_bytes_per_s=1_000)
    desk.desk.admit(f.signed(fact, *OFFICERS).raw)


def test_egress_limit_raised_without_approvals(desk: TestDesk) -> None:
    """Lower goes by the quorum alone; higher needs its application."""
    limited(desk)
    lower = amendment(desk, egress_bytes_per_s=10)
    desk.desk.admit(f.signed(lower, *OFFICERS).raw)
    (held,) = desk.desk.state.licences.licences.values()
    assert held.licence.egress_bytes_per_s == 10
    with pytest.raises(StateConflict, match=r"application|approv"):
        desk.desk.admit(f.signed(amendment(desk, egress_bytes_per_s=11), *OFFICERS).raw)


def test_widening_smuggled_into_a_restricting_amendment(desk: TestDesk) -> None:
    """A tenth of the budget and one second more of grace: refused without approvals."""
    limited(desk)
    less = amendment(desk, budget_flop=10**11)
    fact = msgspec.structs.replace(
        less, lease=msgspec.structs.replace(less.lease, grace_s=less.lease.grace_s + 1)
    )
    with pytest.raises(StateConflict, match=r"application|approv"):
        desk.desk.admit(f.signed(fact, *OFFICERS).raw)
    desk.desk.admit(f.signed(less, *OFFICERS).raw)


def test_application_for_a_change_keeps_what_it_does_not_name(desk: TestDesk) -> None:
    """Budget and mode are the licence's own, not the declaration's and not drain; what is named is asked for."""
    approved(desk)
    issue(desk, application="APP-1", budget_flop=10**11, mode="kill")
    asked = application(desk, "APP-2", amends="LIC-1", mode=None, lasts_s=None)
    (held,) = desk.desk.state.licences.licences.values()

    assert (asked.budget_flop, asked.mode) == (str(10**11), "kill")
    assert (asked.hosts, asked.period) == (held.licence.hosts, held.licence.period)
    more = application(desk, "APP-3", amends="LIC-1", mode=None, budget_flop=2 * 10**11)
    assert (more.budget_flop, more.mode) == (str(2 * 10**11), "kill")


def test_first_application_without_a_mode_drains(desk: TestDesk) -> None:
    """And asks for what was declared."""
    asked = application(desk, mode=None)
    assert asked.mode == "drain"
