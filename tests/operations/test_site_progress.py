"""How far each site has come under an order, and until when that may be said."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from sekisho.model.statements import OrderReference
from sekisho.operations.site_progress import SiteProgress, progress_by_site
from tests.desks import TestDesk
from tests.ladders import HALT_DUE_S, LadderDesk


@pytest.fixture
def room(tmp_path: Path) -> Iterator[LadderDesk]:
    with TestDesk(tmp_path) as desk:
        yield LadderDesk(desk)


def sites(room: LadderDesk, order: OrderReference) -> dict[str, SiteProgress]:
    found = progress_by_site(room.state, room.known(order), room.now)
    return {site.site: site for site in found}


def test_hosts_and_devices_are_counted_by_what_may_be_said(room: LadderDesk) -> None:
    """Claimed, corroborated and silent side by side; silence is non-responsive only when its time is over."""
    room.enrol("host-2", devices=6)
    room.enrol("host-3", devices=3)
    order = room.pause()
    room.receipt(order, "halted")
    room.judge(order, room.receipt(order, "halted", "host-2"), "corroborated", "host-2")
    (site,) = sites(room, order).values()
    assert site.devices == 10
    assert site.percent_at("corroborated") == 60
    assert site.devices_at("claimed") == 1
    assert site.counts == {"corroborated": (1, 6), "claimed": (1, 1), "issued": (1, 3)}
    room.move(HALT_DUE_S)
    (site,) = sites(room, order).values()
    assert site.counts["non-responsive"] == (1, 3)


def test_a_verdict_that_lapsed_counts_as_claimed_again(room: LadderDesk) -> None:
    """The instant until which it holds is the site's, and then it is gone."""
    order = room.pause()
    room.judge(order, room.receipt(order, "halted"), "verified", lapses_s=100)
    (site,) = sites(room, order).values()
    assert site.holds_until == room.now.plus(100)
    assert site.percent_at("verified") == 100
    room.move(100)
    (site,) = sites(room, order).values()
    assert (site.counts, site.holds_until) == ({"claimed": (1, 1)}, None)


def test_contradicted_capped_and_resumed_hosts_have_places_of_their_own(room: LadderDesk) -> None:
    """None of them counts as halted."""
    for n in (2, 3):
        room.enrol(f"host-{n}")
    order = room.pause()
    room.judge(order, room.receipt(order, "halted"), "contradicted")
    room.receipt(order, "capped", "host-2", cap="cpu.max 10 %")
    room.receipt(order, "halted", "host-3")
    room.receipt(order, "resumed", "host-3")
    (site,) = sites(room, order).values()
    assert set(site.counts) == {"contradicted", "capped", "resumed"}
    assert site.percent_at("claimed", "corroborated", "verified") == 0


def test_sites_are_apart_and_a_host_elsewhere_is_none_of_them(room: LadderDesk) -> None:
    """Only sites that the order covers, or that answered under it."""
    room.enrol("host-2", site="site-2")
    room.enrol("host-3", site="site-3")
    order = room.pause()
    room.receipt(order, "received", "host-2")
    found = sites(room, order)
    assert list(found) == ["site-1", "site-2"]
    assert found["site-2"].counts == {"received": (1, 1)}


def test_each_stage_has_its_instant_of_the_newest_halt(room: LadderDesk) -> None:
    """After a resume the earlier halt's stages are no part of it."""
    order = room.pause(effect="checkpoint-then-stop")
    for stage in ("received", "checkpointed", "halted", "resumed"):
        room.receipt(order, stage)
        room.move(10)
    room.receipt(order, "received")
    room.move(5)
    again = room.now
    receipt = room.receipt(order, "halted")
    room.judge(order, receipt, "corroborated", lapses_s=50)
    (row,) = next(iter(sites(room, order).values())).hosts
    assert set(row.reached) == {"received", "halted", "corroborated", "lapses"}
    assert row.reached["halted"] == again
    assert row.reached["lapses"] == again.plus(50)
