"""Declared outages: whom they cover, how long they count, and what work does meanwhile."""

from __future__ import annotations

import pytest

from sekisho.following.outages import KnownOutage, Outages
from sekisho.model.amounts import parse_flop
from sekisho.model.instants import Instant
from sekisho.model.statements import LeaseTerms, OutageDeclared, Span
from sekisho.ports.control import Feed, FeedItem
from tests.factory import NOW, host_enrolled
from tests.fake_tpm import TpmRig
from tests.fakes import Rig
from tests.outages import outage

DAY = 86_400
SHORT = LeaseTerms(interval_s=20, grace_s=2, quantum_s=2)


def known(
    *,
    start: Instant = NOW,
    lasts_s: float = 3_600,
    witnessed: bool = True,
    digest: str = "a" * 64,
    sites: tuple[str, ...] = (),
    hosts: tuple[str, ...] = (),
) -> KnownOutage:
    fact = OutageDeclared(
        effective=NOW,
        outage="OUT-1",
        period=Span(start=start, end=start.plus(lasts_s)),
        reason="test",
        sites=sites,
        hosts=hosts,
    )
    return KnownOutage(outage=fact, digest=digest, witnessed=witnessed, seen=NOW)


@pytest.mark.parametrize(
    ("sites", "hosts", "covers"),
    [
        ((), (), True),
        (("site-1",), (), True),
        ((), ("host-1",), True),
        (("site-2",), (), False),
        ((), ("host-2",), False),
        (("site-2",), ("host-1",), True),
    ],
)
def test_an_outage_covers_whom_it_names(
    sites: tuple[str, ...], hosts: tuple[str, ...], covers: bool
) -> None:
    """Sites or hosts; nobody named means all."""
    book = Outages().after(known(sites=sites, hosts=hosts))

    assert (book.standing(host_enrolled(), NOW, DAY) is not None) == covers


def test_an_outage_ends_by_the_latest_clock_and_begins_with_its_period() -> None:
    """Half-open: its first instant belongs to it, its last does not."""
    book = Outages().after(known(start=NOW.plus(10), lasts_s=60))

    assert book.standing(host_enrolled(), NOW.plus(9), DAY) is None
    assert book.standing(host_enrolled(), NOW.plus(10), DAY) == (60, 0)
    assert book.standing(host_enrolled(), NOW.plus(70), DAY) is None


def test_the_longest_of_several_counts() -> None:
    """A second one may go on where the first ends."""
    book = Outages().after(known()).after(known(lasts_s=7_200, digest="b" * 64))

    assert book.standing(host_enrolled(), NOW, DAY) == (7_200, 0)


def test_what_a_witness_saw_stays_witnessed() -> None:
    """The same outage by hand afterwards takes nothing back, and is not newer for it."""
    book = Outages().after(known()).after(known(witnessed=False))

    assert book.lapsed(NOW.plus(2 * DAY), DAY) == ()


def test_an_outage_without_witness_counts_for_the_deadline_only() -> None:
    """By the latest clock; what has lapsed is dropped once."""
    book = Outages().after(known(lasts_s=3 * DAY, witnessed=False))

    assert book.standing(host_enrolled(), NOW.plus(DAY), DAY) is not None
    assert book.standing(host_enrolled(), NOW.plus(DAY + 1), DAY) is None
    gone = book.lapsed(NOW.plus(DAY + 1), DAY)
    assert len(gone) == 1
    assert book.without(gone).known == {}


def by_hand(rig: Rig, **fields: float) -> tuple[int, list[str]]:
    """Hand an outage to the agent without log or network."""
    raw = outage(rig.control, **fields).raw  # type: ignore[arg-type]  # the test's own fields
    taken, findings = rig.duty.take_carried(Feed(next=0, items=(FeedItem(envelope=raw),)))
    return taken, [finding.code for finding in findings]


def test_in_an_outage_declared_by_hand_work_goes_on_past_its_lease() -> None:
    """C0: neither acknowledgement nor lease end stops it, each quantum is reserved out of the allowance in hand."""
    rig = Rig().started(lease=SHORT)
    rig.control.is_silent = True
    assert by_hand(rig, lasts_s=600) == (1, [])
    rig.run_for(40)
    assert rig.doing() == "running"

    lease = rig.host.memory.state.lease
    assert lease is not None
    assert lease.not_after < rig.clock.now()
    assert parse_flop(lease.reserved) <= parse_flop(lease.allowance)


def test_an_outage_gives_no_allowance() -> None:
    """At full rate what is in hand is used up, and the work stops after quantum and grace."""
    rig = Rig()
    rig.driver.rate = 1.0
    rig.started(lease=SHORT)
    rig.control.is_silent = True
    by_hand(rig, lasts_s=600)
    rig.run_for(60)

    reserved = [
        parse_flop(given.link.receipt.spend.reserved_flop)
        for given in rig.host.memory.pending.values()
        if given.link.receipt.spend is not None
    ]
    assert max(reserved) <= 22_000_000_000
    assert rig.doing() == "none"


def test_before_an_outage_ends_the_work_is_asked_for_a_checkpoint_and_then_ends() -> None:
    """The outage's end is the grace's end, by the latest clock."""
    rig = Rig().started(lease=SHORT)
    rig.control.is_silent = True
    by_hand(rig, lasts_s=30)
    stamp = rig.folder.stamp()
    rig.run_for(30.5)
    assert rig.folder.stamp() > stamp
    rig.run_for(4)

    assert rig.doing() == "none"


def test_nothing_new_starts_in_an_outage_under_a_lease_that_ended() -> None:
    """It lengthens the grace of what runs; work that ends by itself stays ended."""
    rig = TpmRig().started(lease=SHORT)
    rig.control.is_silent = True
    by_hand(rig, lasts_s=7_200)
    last = max(lease.not_after for lease in rig.host.memory.state.in_hand)
    rig.run_for(last.since(rig.clock.now()) + 1, step=0.5)
    assert rig.doing() == "running"
    rig.driver.state = "ended"
    rig.run_for(5)

    assert rig.doing() == "none"


def test_an_outage_outlives_a_restart_and_its_deadline_counts_from_when_it_was_first_seen() -> None:
    """It lies with what was accepted."""
    rig = Rig().started(lease=SHORT)
    by_hand(rig, lasts_s=600)
    rig.turn()
    seen = next(iter(rig.follower.outages.known.values())).seen
    rig.clock.advance(5)
    rig.wake()

    assert [k.seen for k in rig.follower.outages.known.values()] == [seen]


def test_an_outage_in_the_log_needs_no_hand() -> None:
    """It comes with the feed and its proof, and never lapses."""
    rig = Rig().started(lease=SHORT)
    rig.control.admit(outage(rig.control, lasts_s=600))
    rig.run_for(1)
    rig.control.is_silent = True
    rig.run_for(40)

    assert rig.doing() == "running"
    assert rig.control.codes() == []
