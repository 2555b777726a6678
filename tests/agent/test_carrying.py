"""Leases and feeds by hand: the same as by network, and the person hears what became of them."""

from __future__ import annotations

from sekisho.licensing.carrying import write_feed_file, write_lease_file
from sekisho.model.statements import Scope
from sekisho.orders.membership import HostTree, host_leaf
from sekisho.orders.predicates import resolve_hosts
from sekisho.orders.where import parse_where
from sekisho.ports.control import FeedItem
from tests.agent.handed import Handed, one_item
from tests.fakes import Rig
from tests.outages import outage


def test_a_host_that_never_had_a_network_runs_under_a_carried_lease() -> None:
    """Charter, enrolment and licence as a feed file, the request out, the lease in: the work starts."""
    handed = Handed().licensed()
    assert handed.rig.doing() == "none"
    answer = handed.answer()
    told = handed.carry_in(write_lease_file(answer))
    handed.rig.run_for(3)

    assert (told.taken, told.lease) == (True, 1)
    assert handed.rig.doing() == "running"
    held = handed.rig.host.memory.state.lease
    assert held is not None
    assert held.lease.leaf == handed.leaf(answer)


def test_leases_ahead_are_carried_one_after_the_other() -> None:
    """Each answers a request of its own."""
    handed = Handed().leased()
    handed.rig.run_for(
        55
    )  # a lease counts from its request, which was made at half of the one before
    for number in (2, 3):
        handed.rig.run_for(1)
        told = handed.carry_in(write_lease_file(handed.answer()))
        assert told.lease == number


def test_the_same_lease_twice_is_taken_once() -> None:
    """The second time it is found to be in hand."""
    handed = Handed().licensed()
    lease = write_lease_file(handed.answer())
    first, again = handed.carry_in(lease), handed.carry_in(lease)

    assert (first.lease, again.lease, again.taken) == (1, 1, True)
    assert handed.rig.host.memory.state.lease_number == 1


def test_the_same_lease_again_while_the_next_is_asked_for_is_no_lie() -> None:
    """It is in hand: nobody is accused of a replay."""
    handed = Handed().licensed()
    lease = write_lease_file(handed.answer())
    handed.carry_in(lease)
    handed.rig.run_for(33)
    assert handed.rig.host.memory.load_request() is not None
    again = handed.carry_in(lease)
    handed.control.is_silent = False
    handed.rig.run_for(1)

    assert (again.taken, again.lease) == (True, 1)
    assert handed.control.codes() == []


def test_a_host_that_waits_for_no_lease_says_so() -> None:
    """A lease that nobody asked for is no lease."""
    handed = Handed().licensed()
    lease = write_lease_file(handed.answer())
    handed.rig.host.memory.clear_request()
    told = handed.carry_in(lease)

    assert not told.taken
    assert "waits for no lease" in told.details[0]


def test_a_file_that_holds_nothing_is_answered() -> None:
    """The person hears why, the agent goes on."""
    told = Handed().licensed().carry_in(b"{}")

    assert not told.taken
    assert "neither a lease nor feed items" in told.details[0]


def test_an_order_by_hand_acts_on_sight() -> None:
    """A pause that was carried in as it was signed freezes the work."""
    handed = Handed().leased()
    handed.rig.run_for(2)
    assert handed.rig.doing() == "running"
    told = handed.carry_in(handed.control.order().raw)
    handed.rig.turn()

    assert told.taken
    assert handed.rig.doing() == "frozen"


def test_an_outage_by_hand_counts() -> None:
    """As one item of a feed file."""
    handed = Handed().leased()
    told = handed.carry_in(one_item(outage(handed.control).raw))

    assert (told.taken, told.items) == (True, 1)
    assert handed.rig.follower.outage(handed.rig.host.latest()) is not None


def test_a_carried_feed_is_no_contact_with_the_control_plane() -> None:
    """On C0 nothing starts after a restart before the network was heard: the file may be as old as its bearer likes."""
    handed = Handed(Rig()).leased()
    handed.rig.run_for(3)

    assert handed.rig.host.memory.state.lease is not None
    assert handed.rig.doing() == "none"


def test_what_was_carried_in_outlives_a_restart() -> None:
    """The lease, the licence and the charter lie in the home."""
    handed = Handed().leased()
    handed.rig.run_for(2)
    handed.wake()
    handed.rig.run_for(2)

    assert handed.rig.doing() == "running"
    assert handed.rig.duty.start == "sound"


def test_an_order_by_predicate_comes_by_hand_with_its_proof() -> None:
    """The file holds envelope and proof; a file for another host takes the order and finds the proof foreign."""
    for host, doing, taken in (("host-1", "frozen", True), ("host-2", "running", False)):
        handed = Handed().leased()
        handed.rig.run_for(2)
        scope = resolve_hosts(parse_where(["site is site-1"]), ("host-1",), size=3, tree="0" * 64)
        envelope = handed.control.order(scope=Scope(), resolved=scope)
        proof = HostTree([host_leaf("host-1")]).prove(host_leaf(host))
        told = handed.carry_in(
            write_feed_file((FeedItem(envelope=envelope.raw, membership=proof),))
        )
        handed.rig.turn()
        assert (told.items, told.taken, handed.rig.doing()) == (1, taken, doing)
