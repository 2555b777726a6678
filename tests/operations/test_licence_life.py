"""A licence from its application to its closing, at the desk that sequences."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from sekisho.metering.accounts.report_book import Reported
from sekisho.metering.accounts.roll_up import RollUp, RollUpRow
from sekisho.model.errors import InvalidInput, StateConflict
from sekisho.model.statements import LicenceClosed, OutageDeclared, Reference, Span
from sekisho.operations.closing import (
    MEASURED_FIELDS,
    NOT_MEASURED,
    close_licence,
    measure_run,
    plan_closing,
)
from sekisho.operations.leasing import GrantedLease, LeaseRefused
from sekisho.operations.licence_terms import standing_of_application
from sekisho.signing import open_fields
from tests import factory as f
from tests.approved import (
    OFFICERS,
    amend,
    amendment,
    application,
    apply,
    approve,
    approved,
    declare,
    issue,
    licence,
    record_checkpoint,
    suspend,
)
from tests.desks import TestDesk

PEAK = 10**9


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[TestDesk]:
    """A desk whose charter asks for two approvals."""
    with TestDesk(tmp_path, approvals=2) as made:
        yield made


def nothing(_: Reported) -> RollUp | None:
    return None


def test_two_approvals_carry_an_application_to_a_licence(desk: TestDesk) -> None:
    """Filed, approved by two holders, licensed: the application is decided, and the licence names all of it."""
    declare(desk)
    filed = apply(desk)
    state = desk.desk.state
    application_state = state.applications.applications[filed.leaf]
    assert standing_of_application(state, application_state).missing == 2
    approve(desk)
    state = desk.desk.state
    ready = standing_of_application(state, state.applications.applications[filed.leaf])
    assert (ready.state, ready.missing) == ("ready", 0)
    issued = issue(desk, application="APP-1")
    state = desk.desk.state
    held = state.licences.licences[issued.leaf].licence
    assert held.application == Reference(log=f.ORIGIN, leaf=filed.leaf)
    assert len(held.approvals) == 2
    decided = state.applications.applications[filed.leaf]
    assert (decided.decided, standing_of_application(state, decided).state) == (
        issued.leaf,
        "decided",
    )


def test_an_application_is_answered_once(desk: TestDesk) -> None:
    """Neither a second licence nor a late answer stands on it."""
    declare(desk, planned=2 * 10**12)
    approved(desk)
    issue(desk, application="APP-1", budget_flop=10**11)
    with pytest.raises(StateConflict, match="decided already"):
        issue(desk, "LIC-2", application="APP-1", budget_flop=10**11)
    with pytest.raises(StateConflict, match="decided already"):
        approve(desk, "APP-1", f.AUTHORITY[2])


def test_a_refusal_is_shown_and_can_be_taken_back(desk: TestDesk) -> None:
    """The newest answer of a key counts, and a refused application says so."""
    declare(desk)
    filed = apply(desk)
    approve(desk, "APP-1", f.AUTHORITY[0], refuses=True)
    state = desk.desk.state
    told = state.applications.applications[filed.leaf]
    assert standing_of_application(state, told).state == "refused"
    approve(desk)
    assert desk.desk.state.applications.applications[filed.leaf].is_refused is False
    desk.clock.move(1)
    with pytest.raises(StateConflict, match="has said so already"):
        approve(desk, "APP-1", f.AUTHORITY[0])


@pytest.mark.parametrize(
    ("asked", "given", "why"),
    [
        ({"budget_flop": 10**11}, {"budget_flop": 10**12}, "budget above"),
        ({"lasts_s": 60}, {"lasts_s": 3_600}, "outside the period"),
        ({"mode": "kill"}, {"mode": "advise"}, "weaker"),
    ],
)
def test_a_licence_never_gives_more_than_was_applied_for(
    desk: TestDesk, asked: dict[str, Any], given: dict[str, Any], why: str
) -> None:
    """Budget, period and mode are bounded by what the officers approved."""
    declare(desk)
    approved(desk, **asked)
    with pytest.raises(StateConflict, match=why):
        issue(desk, application="APP-1", **given)


def test_an_application_is_of_its_own_run(desk: TestDesk) -> None:
    """Of a declared run of the same party, on hosts that it declared, and named once."""
    declare(desk)
    apply(desk)
    for change, why in (
        ({"run": "run-9"}, "not declared"),
        ({"hosts": ("host-1", "host-9")}, "hosts that the declaration does not"),
        ({"application": "APP-1", "reason": "again"}, "filed already"),
        ({"period": Span(start=f.NOW, end=f.NOW)}, "period is over"),
    ):
        fact = msgspec.structs.replace(application(desk, "APP-2"), **change)
        with pytest.raises(StateConflict, match=why):
            desk.desk.admit(f.signed(fact, f.PARTY).raw)


def test_an_amendment_takes_the_place_of_the_terms(desk: TestDesk) -> None:
    """The licence is as amended, with its versions; the budget's difference is in the book."""
    declare(desk)
    approved(desk)
    issued = issue(desk, application="APP-1", budget_flop=5 * 10**11, mode="drain")
    approved(desk, "APP-2", amends="LIC-1", budget_flop=8 * 10**11)
    amend(desk, budget_flop=8 * 10**11, mode="kill", application="APP-2")
    state = desk.desk.state.licences.licences[issued.leaf]
    assert (state.licence.budget_flop, state.licence.mode) == (str(8 * 10**11), "kill")
    assert (state.version, state.book.available) == (2, 8 * 10**11)
    assert [v.budget_flop for v in state.versions] == [5 * 10**11, 8 * 10**11]


def test_only_what_gives_more_waits_for_approvals(desk: TestDesk) -> None:
    """A smaller budget, a shorter end and a stricter mode need none; the way back does."""
    declare(desk)
    approved(desk)
    issue(desk, application="APP-1", mode="drain")
    held = desk.desk.state.licences.by_number("LIC-1")
    assert held is not None
    amend(desk, budget_flop=10**11, mode="kill", until=held.licence.period.end.plus(-60))
    for loosening in (
        {"mode": "drain"},
        {"budget_flop": 10**12},
        {"until": held.licence.period.end},
    ):
        with pytest.raises(StateConflict, match="names no application"):
            amend(desk, **loosening)


def test_an_amendment_follows_the_version_in_force(desk: TestDesk) -> None:
    """Drafted before another one came in, it is refused."""
    declare(desk)
    approved(desk)
    issue(desk, application="APP-1")
    older = amendment(desk, budget_flop=10**9)
    amend(desk, budget_flop=10**10)
    with pytest.raises(StateConflict, match="does not follow version 2"):
        desk.desk.admit(f.signed(older, *OFFICERS).raw)


def test_a_suspension_stops_leases_until_it_is_lifted(desk: TestDesk) -> None:
    """Suspended, nothing is granted; the lifting amendment needs approvals and names the very suspension."""
    declare(desk)
    approved(desk)
    issued = issue(desk, application="APP-1")
    suspended = suspend(desk)
    with pytest.raises(LeaseRefused, match="suspended"):
        desk.leases.grant(desk.request(issued))
    with pytest.raises(StateConflict, match="names no application"):
        amend(desk, lifts=True)
    approved(desk, "APP-2", amends="LIC-1")
    wrong = msgspec.structs.replace(
        amendment(desk, lifts=True, application="APP-2"),
        lifts=Reference(log=f.ORIGIN, leaf=issued.leaf),
    )
    with pytest.raises(StateConflict, match="not under the suspension"):
        desk.desk.admit(f.signed(wrong, *OFFICERS).raw)
    amend(desk, lifts=True, application="APP-2")
    assert suspended.leaf
    assert isinstance(desk.leases.grant(desk.request(issued)), GrantedLease)


def test_an_amendment_takes_no_host_from_under_a_lease(desk: TestDesk) -> None:
    """A set of hosts without the one that holds a lease is refused."""
    declare(desk)
    approved(desk)
    issued = issue(desk, application="APP-1")
    desk.leases.grant(desk.request(issued))
    drafted = msgspec.structs.replace(amendment(desk), hosts=("host-2",))
    with pytest.raises(StateConflict, match=r"not enrolled|would lose"):
        desk.desk.admit(f.signed(drafted, *OFFICERS).raw)


def test_a_licence_is_closed_without_live_leases(desk: TestDesk) -> None:
    """While one lives it is not; closed, it says what was measured, or that nothing was, and names checkpoints."""
    declare(desk)
    approved(desk)
    issued = issue(desk, application="APP-1")
    record_checkpoint(desk, "run-1", "c" * 64)
    desk.leases.grant(desk.request(issued))
    with pytest.raises(StateConflict, match="live leases on host-1"):
        plan_closing(desk.desk.state, "LIC-1", nothing, now=desk.clock.now())
    desk.clock.move(1_000)
    desk.leases.close_overdue()
    plan = plan_closing(desk.desk.state, "LIC-1", nothing, now=desk.clock.now())
    assert plan.checkpoints == ("c" * 64,)
    closed = close_licence(desk.desk, plan, lambda: bytes(16))
    state = desk.desk.state.licences.licences[issued.leaf]
    fact = state.closing
    assert isinstance(fact, LicenceClosed)
    opened = open_fields(desk.desk.disclosures_of(closed.digest), fact.concealed)
    assert dict(opened.fields) == dict.fromkeys(MEASURED_FIELDS, NOT_MEASURED)
    with pytest.raises(LeaseRefused, match="closed"):
        desk.leases.grant(desk.request(issued, number=2))
    with pytest.raises(StateConflict, match="closed since"):
        plan_closing(desk.desk.state, "LIC-1", nothing, now=desk.clock.now())


def test_a_closing_is_the_control_planes_own_word(desk: TestDesk) -> None:
    """Nobody hands one in from outside, not even under the issuer's key."""
    declare(desk)
    approved(desk)
    issued = issue(desk, application="APP-1")
    fact = LicenceClosed(
        effective=desk.clock.now(),
        licence=Reference(log=f.ORIGIN, leaf=issued.leaf),
        number="LIC-1",
    )
    with pytest.raises(InvalidInput, match="made by the control plane"):
        desk.desk.admit(f.signed(fact, f.OPERATOR).raw)


def row(run: str, bound: str | None) -> RollUpRow:
    return RollUpRow(
        job="job-1",
        run=run,
        site="site-1",
        bound_low="1",
        bound_high=bound,
        estimate_low="2",
        estimate_best="3",
        estimate_high="4",
        chip_ms=1,
        gap_ms=0,
        unbounded_ms=0,
        unestimated_ms=0,
        tiers=("1",),
    )


def roll_up(*rows: RollUpRow) -> RollUp:
    return RollUp(
        party="party-1",
        licensee="party-1",
        period=Span(start=f.NOW, end=f.NOW.plus(86_400)),
        counting="max-over-formats",
        rows=rows,
        evidence=(),
        salt="0" * 32,
    )


def test_the_measured_figure_is_of_the_licences_run_alone() -> None:
    """Other runs of the licensee do not count; a row without a figure leaves that figure unmeasured, never lower."""
    told = measure_run(
        "run-1", [roll_up(row("run-1", "10"), row("run-2", "99")), roll_up(row("run-1", "5"))]
    )
    assert (told["bound_high"], told["estimate_best"], told["tiers"]) == ("15", "6", "1")
    assert measure_run("run-1", [roll_up(row("run-1", None), row("run-1", "5"))])["bound_high"] == (
        NOT_MEASURED
    )
    for missing in ([], [roll_up(row("run-2", "1"))], [roll_up(row("run-1", "1")), None]):
        assert set(measure_run("run-1", missing).values()) == {NOT_MEASURED}


def test_an_outage_takes_two_constituencies_and_72_hours_at_most(desk: TestDesk) -> None:
    """One side alone, four days, or one that begins in a week: refused."""

    def outage(start_s: float, lasts_s: float) -> OutageDeclared:
        start = desk.clock.now().plus(start_s)
        return OutageDeclared(
            effective=desk.clock.now(),
            outage="OUT-1",
            period=Span(start=start, end=start.plus(lasts_s)),
            reason="flood",
        )

    both = (*f.AUTHORITY[:2], f.OPERATOR)
    with pytest.raises(Exception, match="operators 0 of 1"):
        desk.desk.admit(f.signed(outage(0, 3_600), *f.AUTHORITY[:2]).raw)
    for start, lasts in ((0, 4 * 86_400), (7 * 86_400, 3_600), (-7_200, 3_600)):
        with pytest.raises(StateConflict, match="OUT-1"):
            desk.desk.admit(f.signed(outage(start, lasts), *both).raw)
    desk.desk.admit(f.signed(outage(0, 72 * 3_600), *both).raw)
    again = msgspec.structs.replace(outage(0, 3_600), reason="again")
    with pytest.raises(StateConflict):
        desk.desk.admit(f.signed(again, *both).raw)


def test_the_charter_that_asks_for_none_keeps_the_short_way(tmp_path: Path) -> None:
    """Without the term a licence needs no application, and one that names one is still held against it."""
    with TestDesk(tmp_path) as desk:
        declare(desk, planned=2 * 10**12)
        issue(desk, budget_flop=10**11)
        apply(desk, "APP-1", budget_flop=10**10)
        with pytest.raises(StateConflict, match="budget above"):
            issue(desk, "LIC-2", application="APP-1", budget_flop=10**11)
        assert licence(desk, "LIC-3", budget_flop=1).application is None
