"""Proofs of membership that are false, foreign or withheld: what an agent does under an order by predicate."""

from __future__ import annotations

import msgspec
import pytest

from sekisho.model.membership import Membership
from sekisho.model.statements import HostRetired, ResolvedScope, Scope
from sekisho.orders.membership import HostTree, host_leaf
from sekisho.orders.predicates import resolve_hosts
from sekisho.orders.where import parse_where
from sekisho.signing import Envelope
from sekisho.signing.keys import Signer
from tests.factory import AUTHORITY, OPERATOR, host_enrolled, signed
from tests.fakes import QUORUM, FakeControl, Rig

SITE = parse_where(["site is site-1"])
MINE = ("host-0", "host-1", "host-2")
OTHERS = ("host-0", "host-2", "host-3")


@pytest.fixture
def rig() -> Rig:
    """A host whose work runs under a lease; its charter lets an order be sought for some seconds."""
    return Rig().started()


def scope(*hosts: str) -> ResolvedScope:
    return resolve_hosts(SITE, hosts, size=3, tree="0" * 64)


def pause(
    control: FakeControl,
    *hosts: str,
    signers: tuple[Signer, ...] = QUORUM,
    **fields: object,
) -> Envelope:
    """A pause of these very hosts, known to the control plane and signed by its quorum."""
    envelope = control.order(signers=signers, scope=Scope(), resolved=scope(*hosts), **fields)
    control.scopes[envelope.digest] = frozenset(hosts)
    return envelope


def known(rig: Rig) -> str:
    (order,) = rig.follower.book.orders["pause/JP"].values()
    return order.membership


def fetch_delay(rig: Rig) -> float:
    return float(rig.follower.regime.in_force().terms.order_fetch_delay_s)


# --- what holds without an attack ------------------------------------------------------------


def test_a_host_in_scope_halts_on_sight_and_resumes_by_the_same_scope(rig: Rig) -> None:
    """Membership covers; the resume that repeats the scope lifts it."""
    envelope = pause(rig.control, *MINE)
    rig.control.issue(envelope)
    rig.run_for(1)
    assert (rig.doing(), known(rig)) == ("frozen", "in")

    order = rig.control.book.orders["pause/JP"][1]
    resume = rig.control.order(
        kind="resume",
        effect="lift",
        on_expiry="lapse",
        scope=Scope(),
        resolved=order.order.resolved,
        lifts=(order.reference,),
    )
    rig.control.issue(resume)
    rig.run_for(3)
    assert rig.doing() == "running"


def test_a_host_out_of_scope_works_on_and_takes_new_leases(rig: Rig) -> None:
    """Proof of absence: the order is known and asks nothing here."""
    rig.control.issue(pause(rig.control, *OTHERS))
    rig.run_for(fetch_delay(rig) + 10)
    assert (rig.doing(), known(rig)) == ("running", "out")
    assert rig.control.codes() == []


def test_a_restart_remembers_the_proof(rig: Rig) -> None:
    """A control plane that withholds it afterwards takes nobody out of scope, and nobody in."""
    for hosts, says, does in ((MINE, "in", "frozen"), (OTHERS, "out", "running")):
        again = Rig().started()
        again.control.issue(pause(again.control, *hosts))
        again.run_for(1)
        again.control.show_membership = withhold
        again.wake()
        again.run_for(1)
        assert (known(again), again.doing()) == (says, does)


# --- attacks ---------------------------------------------------------------------------------


def withhold(_: str, __: str) -> None:
    """A control plane that shows no proof at all."""


def test_withheld_proof(rig: Rig) -> None:
    """An order without proof is outstanding: nothing new at once, running work drains after the fetch delay."""
    rig.control.show_membership = withhold
    rig.control.issue(pause(rig.control, *OTHERS))
    rig.run_for(1)
    assert (rig.doing(), known(rig)) == ("running", "unknown")
    assert rig.duty.decision is not None
    assert not rig.duty.decision.new_work

    rig.run_for(fetch_delay(rig) + 10, step=1.0)
    assert rig.doing() != "running"
    assert "halted" not in rig.control.stages()


def test_a_proof_that_comes_late_is_asked_for_and_sets_free(rig: Rig) -> None:
    """The duty asks for it as for a missing order; a host that is not in scope then works on."""
    honest, rig.control.show_membership = rig.control.show_membership, withhold
    rig.control.issue(pause(rig.control, *OTHERS))
    rig.run_for(1)
    rig.control.show_membership = honest
    rig.run_for(5)
    assert (rig.doing(), known(rig)) == ("running", "out")
    assert rig.duty.decision is not None
    assert rig.duty.decision.new_work


def test_absence_forged_to_free_a_host_in_scope(rig: Rig) -> None:
    """Suppression by a false absence: a finding, and the order stays outstanding until the truth comes."""
    lie = HostTree(map(host_leaf, OTHERS)).prove(host_leaf("host-1"))
    honest, rig.control.show_membership = rig.control.show_membership, lambda *_: lie
    rig.control.issue(pause(rig.control, *MINE))
    rig.run_for(1)
    assert known(rig) == "unknown"
    assert "forged-membership" in rig.control.codes()
    assert rig.duty.decision is not None
    assert not rig.duty.decision.new_work

    rig.control.show_membership = honest
    rig.run_for(5)
    assert (rig.doing(), known(rig)) == ("frozen", "in")


def test_absence_from_neighbours_that_leave_the_host_out(rig: Rig) -> None:
    """Two true leaves of the signed tree with the host between them are no gap."""
    tree = HostTree(map(host_leaf, MINE))
    first, last = (tree.prove(host_leaf(name)).leaves[0] for name in ("host-0", "host-2"))
    rig.control.show_membership = lambda *_: Membership(says="out", leaves=(first, last))
    rig.control.issue(pause(rig.control, *MINE))
    rig.run_for(1)
    assert known(rig) == "unknown"
    assert "forged-membership" in rig.control.codes()


def test_proof_of_another_host(rig: Rig) -> None:
    """Another host's true absence, or its true membership, says nothing about this one."""
    for stranger in ("host-9", "host-0"):
        again = Rig().started()
        tree = HostTree(map(host_leaf, MINE))
        again.control.show_membership = lambda *_, of=stranger, t=tree: t.prove(host_leaf(of))
        again.control.issue(pause(again.control, *MINE))
        again.run_for(1)
        assert known(again) == "unknown"
        assert "foreign-membership" in again.control.codes()


def test_proof_of_another_order(rig: Rig) -> None:
    """A true absence under an earlier order's root is none under this one's."""
    rig.control.issue(pause(rig.control, *OTHERS))
    rig.run_for(1)
    earlier = rig.control.prove(next(iter(rig.control.scopes)), "host-1")
    second = pause(rig.control, *MINE)
    honest = rig.control.show_membership
    rig.control.show_membership = lambda digest, host: (
        earlier if digest == second.digest else honest(digest, host)
    )
    rig.control.issue(second)
    rig.run_for(1)
    orders = rig.follower.book.orders["pause/JP"]
    assert (orders[1].membership, orders[2].membership) == ("out", "unknown")
    assert "forged-membership" in rig.control.codes()


def test_a_forged_membership_stops_nobody_at_once(rig: Rig) -> None:
    """A false pause by proof: a host that is not in scope is not frozen by somebody else's leaf."""
    lie = HostTree(map(host_leaf, MINE)).prove(host_leaf("host-1"))
    honest, rig.control.show_membership = rig.control.show_membership, lambda *_: lie
    rig.control.issue(pause(rig.control, *OTHERS))
    rig.run_for(1)
    assert (rig.doing(), known(rig)) == ("running", "unknown")
    rig.control.show_membership = honest
    rig.run_for(5)
    assert (rig.doing(), known(rig)) == ("running", "out")


def test_a_later_absence_takes_nobody_out_again(rig: Rig) -> None:
    """Whoever was shown to be in stays in, whatever is shown afterwards."""
    envelope = pause(rig.control, *MINE)
    rig.control.issue(envelope)
    rig.run_for(1)
    lie = HostTree(map(host_leaf, OTHERS)).prove(host_leaf("host-1"))
    rig.control.show_membership = lambda *_: lie
    rig.control.show(envelope)
    rig.run_for(1)
    assert (rig.doing(), known(rig)) == ("frozen", "in")


def test_host_renamed(rig: Rig) -> None:
    """An enrolment that says another site, or a retirement, takes no host out of what was resolved with it."""
    moved = msgspec.structs.replace(host_enrolled(), site="site-9", jurisdiction="GB")
    rig.control.issue(pause(rig.control, *MINE))
    rig.control.admit(signed(moved, AUTHORITY[0], OPERATOR))
    rig.run_for(1)
    assert (rig.doing(), known(rig)) == ("frozen", "in")
    rig.control.admit(
        signed(
            HostRetired(effective=rig.control.now(), host="host-1", reason="renamed"),
            AUTHORITY[0],
            OPERATOR,
        )
    )
    rig.run_for(1)
    assert rig.doing() == "frozen"


def test_a_predicate_that_the_host_does_not_meet_covers_it_all_the_same(rig: Rig) -> None:
    """Membership was signed: what a host holds of itself does not count against it."""
    elsewhere = resolve_hosts(parse_where(["site is site-9"]), MINE, size=3, tree="0" * 64)
    envelope = rig.control.order(scope=Scope(), resolved=elsewhere)
    rig.control.scopes[envelope.digest] = frozenset(MINE)
    rig.control.issue(envelope)
    rig.run_for(1)
    assert rig.doing() == "frozen"


def test_scope_with_both_attributes_and_predicate(rig: Rig) -> None:
    """Such an order is no order at any agent, whoever signed it."""
    envelope = rig.control.order(scope=Scope(sites=("site-1",)), resolved=scope(*MINE))
    rig.control.show(envelope)
    rig.run_for(1)
    assert rig.doing() == "running"
    assert "order-fault" in rig.control.codes()


def test_an_order_that_is_over_is_not_waited_for(rig: Rig) -> None:
    """A lapsed hold whose proof never came stops nobody for ever."""
    rig.control.show_membership = withhold
    now = rig.control.now()
    envelope = pause(
        rig.control,
        *OTHERS,
        kind="hold",
        effect="freeze",
        signers=AUTHORITY[:2],
        expires=now.plus(5),
        issue_until=now.plus(5),
    )
    rig.control.issue(envelope)
    rig.run_for(2)
    assert rig.duty.decision is not None
    assert not rig.duty.decision.new_work
    rig.run_for(10)
    assert rig.doing() == "running"
    assert rig.duty.decision.new_work


def test_the_signed_scope_is_what_the_test_says() -> None:
    """The attacks above rest on real trees: their roots differ and their counts do not."""
    mine, others = scope(*MINE), scope(*OTHERS)
    assert mine.root != others.root
    assert mine.count == others.count == 3
