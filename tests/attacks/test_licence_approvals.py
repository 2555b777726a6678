"""Attacks on the approvals of a licence and on its terms afterwards, at the desk that sequences."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from sekisho.licensing.applications import one_a_holder
from sekisho.model.errors import NotAuthorised, SekishoError, StateConflict
from sekisho.model.statements import KeyCompromised, Reference
from sekisho.operations.leasing import LeaseRefused
from tests import factory as f
from tests.approved import (
    OFFICERS,
    amendment,
    apply,
    approve,
    approved,
    declare,
    issue,
    licence,
    suspend,
)
from tests.desks import TestDesk


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[TestDesk]:
    with TestDesk(tmp_path, approvals=2) as made:
        declare(made)
        yield made


@pytest.fixture
def one_person(tmp_path: Path) -> Iterator[TestDesk]:
    """A regime in which authority 1 and 2 are the same person with two keys, spelt in two ways."""
    with_two = TestDesk(
        tmp_path, approvals=2, holders_named={1: "Officer  One", 2: "ＯＦＦＩＣＥＲ one"}
    )
    with with_two as made:
        declare(made)
        yield made


def test_one_person_approving_twice_under_two_keys(one_person: TestDesk) -> None:
    """Holders are counted, not keys: the licence waits for somebody else."""
    desk = one_person
    filed = apply(desk)
    approve(desk, "APP-1", *OFFICERS)
    answers = desk.desk.state.applications.applications[filed.leaf].approvals
    assert (len(answers), len(one_a_holder(answers))) == (2, 1)
    with pytest.raises(StateConflict, match="has 1 approvals by distinct holders"):
        issue(desk, application="APP-1")
    approve(desk, "APP-1", f.AUTHORITY[2])
    issue(desk, application="APP-1")


def test_the_licensees_own_approval(tmp_path: Path) -> None:
    """An officer of the applicant's organisation approves nothing, however the organisation is spelt."""
    with TestDesk(tmp_path, approvals=1, organisations_named={1: "ＤＥＶＥＬＯＰＥＲ"}) as desk:
        declare(desk)
        apply(desk)
        with pytest.raises(StateConflict, match="applicant's own organisation"):
            approve(desk, "APP-1", f.AUTHORITY[0])
        with pytest.raises(StateConflict, match="has 0 approvals"):
            issue(desk, application="APP-1")


def test_a_licence_under_quorum(desk: TestDesk) -> None:
    """Approvals are no quorum: one signature of two is refused, and so is a stranger's."""
    approved(desk)
    drafted = licence(desk, application="APP-1")
    for signers in ((OFFICERS[0],), (OFFICERS[0], f.PARTY), (OFFICERS[0], OFFICERS[0])):
        with pytest.raises(SekishoError):
            desk.desk.admit(f.signed(drafted, *signers).raw)
    assert desk.desk.state.licences.by_number("LIC-1") is None


def test_a_licence_without_its_approvals(desk: TestDesk) -> None:
    """The quorum alone does not replace the application, nor one approval two."""
    with pytest.raises(StateConflict, match="names no application"):
        issue(desk)
    apply(desk)
    approve(desk, "APP-1", OFFICERS[0])
    with pytest.raises(StateConflict, match="has 1 approvals"):
        issue(desk, application="APP-1")


def test_approvals_of_another_application(desk: TestDesk) -> None:
    """Approvals of a harmless application do not carry another one."""
    approved(desk, "APP-1", budget_flop=1)
    apply(desk, "APP-2")
    stolen = desk.desk.state.applications.find("APP-1")
    target = desk.desk.state.applications.find("APP-2")
    assert stolen is not None
    assert target is not None
    drafted = msgspec.structs.replace(
        licence(desk),
        application=Reference(log=f.ORIGIN, leaf=target.leaf),
        approvals=tuple(Reference(log=f.ORIGIN, leaf=a.leaf) for a in stolen.approvals),
    )
    with pytest.raises(StateConflict, match="names an approval that is none of APP-2"):
        desk.desk.admit(f.signed(drafted, *OFFICERS).raw)


def test_an_approval_that_was_taken_back(desk: TestDesk) -> None:
    """An officer who refuses in the end has not approved, whatever the licence names."""
    approved(desk)
    drafted = licence(desk, application="APP-1")
    approve(desk, "APP-1", OFFICERS[1], refuses=True)
    with pytest.raises(StateConflict, match="taken back"):
        desk.desk.admit(f.signed(drafted, *OFFICERS).raw)


def test_an_approval_by_a_key_without_the_power(desk: TestDesk) -> None:
    """Only keys that may issue licences approve: a verifier's or a stranger's is refused."""
    apply(desk)
    for stranger in (f.VERIFIER[0], f.signer("stranger")):
        with pytest.raises(NotAuthorised, match="may not issue licences"):
            approve(desk, "APP-1", stranger)


def test_an_approval_by_a_key_that_was_reported(desk: TestDesk) -> None:
    """A key that is reported lost approves nothing that is not issued yet."""
    apply(desk)
    approve(desk, "APP-1", f.AUTHORITY[3], f.AUTHORITY[4])
    drafted = licence(desk, application="APP-1")
    report = KeyCompromised(
        effective=desk.clock.now(),
        key=f.AUTHORITY[4].public.key_id,
        since=f.NOW,
        reason="lost",
    )
    desk.desk.admit(f.signed(report, f.AUTHORITY[0], f.VERIFIER[0]).raw)
    with pytest.raises(StateConflict, match="has 1 approvals"):
        desk.desk.admit(f.signed(drafted, *OFFICERS).raw)


def test_an_amendment_below_what_is_consumed(desk: TestDesk) -> None:
    """A budget below leased + consumed + forfeited would make the books lie: it is refused."""
    approved(desk)
    issued = issue(desk, application="APP-1")
    desk.leases.grant(desk.request(issued))
    held = desk.desk.state.licences.licences[issued.leaf]
    assert held.book.leased
    low = amendment(desk, budget_flop=held.book.leased - 1)
    with pytest.raises(StateConflict, match="in use"):
        desk.desk.admit(f.signed(low, *OFFICERS).raw)
    exact = amendment(desk, budget_flop=held.book.leased)
    desk.desk.admit(f.signed(exact, *OFFICERS).raw)
    assert desk.desk.state.licences.licences[issued.leaf].book.available == 0


def test_a_suspended_licence_still_granting(desk: TestDesk) -> None:
    """Neither the issuer's counter nor the fold takes a lease under it, though an issuer signs one by hand."""
    approved(desk)
    issued = issue(desk, application="APP-1")
    suspend(desk)
    with pytest.raises(LeaseRefused, match="suspended"):
        desk.leases.grant(desk.request(issued))
    lease = f.lease_granted(licence=Reference(log=f.ORIGIN, leaf=issued.leaf))
    with pytest.raises(SekishoError, match="suspended"):
        desk.desk.admit(f.signed(lease, f.OPERATOR).raw, own=True)


def test_an_amendment_that_escapes_approval_in_small_steps(desk: TestDesk) -> None:
    """Each step that gives more needs its own approvals, and one application carries one amendment."""
    approved(desk)
    issue(desk, application="APP-1", budget_flop=10**11)
    approved(desk, "APP-2", amends="LIC-1", budget_flop=2 * 10**11)
    first = amendment(desk, budget_flop=15 * 10**10, application="APP-2")
    desk.desk.admit(f.signed(first, *OFFICERS).raw)
    second = amendment(desk, budget_flop=2 * 10**11, application="APP-2")
    with pytest.raises(StateConflict, match="decided already"):
        desk.desk.admit(f.signed(second, *OFFICERS).raw)
