"""What hosts are told of a licence's life: amendments in order, to whom they concern; outages on sight."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from sekisho.model.statements import OutageDeclared, Span
from sekisho.operations.running import devices_root
from tests import factory as f
from tests.approved import amend, issue, licence, suspend
from tests.desks import TestDesk
from tests.operations.test_feed import facts, feed_of


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[TestDesk]:
    """Two hosts, a run on both of them, and a licence that names the first alone."""
    with TestDesk(tmp_path) as made:
        other = f.host_enrolled("host-2", of=f.signer("host-2"))
        made.desk.admit(f.signed(other, f.AUTHORITY[0], f.OPERATOR).raw)
        run = msgspec.structs.replace(f.run_declared(), hosts=("host-1", "host-2"))
        made.desk.admit(f.signed(run, f.PARTY).raw)
        issue(made)
        amend(made, hosts=("host-1",))
        yield made


def told(desk: TestDesk, host: str, *, live: bool) -> list[str]:
    """What a host hears of licences, from a feed that runs along or one that starts afterwards."""
    feed = feed_of(desk)
    if live:
        feed.take_published(desk.cosigned())
    suspend(desk)
    amend(desk, hosts=("host-1", "host-2"), lifts=True)
    if live:
        feed.take_published(desk.cosigned())
    else:
        feed = feed_of(desk)
        feed.take_published(desk.cosigned())
    return [name for name, _ in facts(feed.read(host, 0)) if name.startswith("Licence")]


@pytest.mark.parametrize("host", ["host-1", "host-2"])
@pytest.mark.parametrize("live", [True, False])
def test_every_host_hears_the_licence_whole_and_in_order(
    desk: TestDesk,
    host: str,
    *,
    live: bool,
) -> None:
    """Whoever is named, ever, can fold what it hears: issue, amendments and suspensions in the log's order."""
    assert told(desk, host, live=live) == [
        "LicenceIssued",
        "LicenceAmended",
        "LicenceSuspended",
        "LicenceAmended",
    ]


def test_an_outage_goes_out_on_sight_to_everybody(desk: TestDesk) -> None:
    """Witnesses may be what is away: it comes without a proof first."""
    feed = feed_of(desk)
    feed.take_published(desk.cosigned())
    cursor = feed.read("host-2", 0).next
    now = desk.clock.now()
    outage = OutageDeclared(
        effective=now, outage="OUT-1", period=Span(start=now, end=now.plus(60)), reason="flood"
    )
    desk.desk.admit(f.signed(outage, *f.AUTHORITY[:2], f.OPERATOR).raw)
    page = feed.read("host-2", cursor)
    assert [name for name, _ in facts(page)] == ["OutageDeclared"]
    assert page.items[0].proof is None


def test_a_new_host_hears_the_past_before_its_first_amendment(tmp_path: Path) -> None:
    """A host that the licence did not name at first is told of its issue before the amendment that names it."""
    with TestDesk(tmp_path) as desk:
        other = f.host_enrolled("host-2", of=f.signer("host-2"))
        desk.desk.admit(f.signed(other, f.AUTHORITY[0], f.OPERATOR).raw)
        run = msgspec.structs.replace(f.run_declared(), hosts=("host-1", "host-2"))
        desk.desk.admit(f.signed(run, f.PARTY).raw)
        whole = licence(desk)
        root = devices_root(desk.desk.state, ("host-1",))
        first = msgspec.structs.replace(whole, hosts=("host-1",), devices=1, devices_root=root)
        desk.desk.admit(f.signed(first, *f.AUTHORITY[:2]).raw)
        feed = feed_of(desk)
        feed.take_published(desk.cosigned())
        assert not [n for n, _ in facts(feed.read("host-2", 0)) if n.startswith("Licence")]
        amend(desk, hosts=("host-1", "host-2"))
        feed.take_published(desk.cosigned())
        heard = [n for n, _ in facts(feed.read("host-2", 0)) if n.startswith("Licence")]
        assert heard == ["LicenceIssued", "LicenceAmended"]
