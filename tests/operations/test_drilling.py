"""Drills: what each site's canary did, and that a site without one is never shown as exercised."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from sekisho.model.errors import InvalidInput
from sekisho.model.statements import Scope
from sekisho.operations.drilling import drill_report, exercised_sites
from tests.desks import TestDesk
from tests.ladders import LadderDesk
from tests.scoped import resolved


@pytest.fixture
def room(tmp_path: Path) -> Iterator[LadderDesk]:
    """Site-1 has a canary at host-1 and none at host-2; site-2 has none at all."""
    with TestDesk(tmp_path) as desk:
        made = LadderDesk(desk)
        made.enrol("host-2")
        made.enrol("host-3", site="site-2")
        yield made


def test_a_drill_is_told_site_by_site_with_its_seconds(room: LadderDesk) -> None:
    """Reached and how long each stage took; hosts and sites without a canary are named as not exercised."""
    drill = room.pause(drill=True, scope=Scope(everywhere=True))
    for stage in ("received", "checkpointed", "halted"):
        room.move(2)
        receipt = room.receipt(drill, stage)
    room.judge(drill, receipt, "corroborated")
    report = drill_report(room.state, room.known(drill), room.now)
    first, second = report.sites
    assert first.reached == {"received": 1, "checkpointed": 1, "halted": 1, "corroborated": 1}
    assert first.seconds["received"] == 2
    assert first.seconds["halted"] == 6
    assert first.without_canary == ("host-2",)
    assert (second.site, second.canaries, second.without_canary) == ("site-2", 0, ("host-3",))
    assert report.not_exercised == ("site-2",)


def test_a_canary_that_did_not_halt_exercised_nothing(room: LadderDesk) -> None:
    """Received is not enough."""
    drill = room.pause(drill=True)
    room.receipt(drill, "received")
    report = drill_report(room.state, room.known(drill), room.now)
    assert report.not_exercised == ("site-1",)
    assert [site.at for site in exercised_sites(room.state)] == [None, None]


def test_the_slowest_is_not_known_while_one_is_missing(room: LadderDesk) -> None:
    """A stage that not every canary reached has a count, and no seconds."""
    room.enrol("host-4", canary="run-1")
    drill = room.pause(drill=True)
    room.receipt(drill, "halted")
    (site,) = drill_report(room.state, room.known(drill), room.now).sites
    assert (site.canaries, site.reached, site.seconds) == (2, {"halted": 1}, {})


def test_days_since_the_last_drill_are_whole_and_missing_where_there_was_none(
    room: LadderDesk,
) -> None:
    """A real halt is no drill, and a site without one has no number."""
    room.receipt(room.pause(), "halted")
    assert exercised_sites(room.state)[0].days_since(room.now) is None
    room.receipt(room.pause(drill=True), "halted")
    room.move(2.5 * 86_400)
    first, second = exercised_sites(room.state)
    assert (first.days_since(room.now), second.days_since(room.now)) == (2, None)
    assert (first.canaries, second.canaries) == (1, 0)


def test_a_drill_by_a_predicate_names_the_sites_that_it_cannot_exercise(room: LadderDesk) -> None:
    """Hosts that the predicate names and that declare no canary are told of, as under any other scope."""
    everybody = resolved(room.desk, ["devices at-least 1"])
    drill = room.pause(drill=True, scope=Scope(), resolved=everybody)
    room.receipt(drill, "halted")
    report = drill_report(room.state, room.known(drill), room.now)
    assert [site.without_canary for site in report.sites] == [("host-2",), ("host-3",)]
    assert report.not_exercised == ("site-2",)


def test_a_real_order_has_no_drill_report(room: LadderDesk) -> None:
    """The error names the command that tells of it."""
    with pytest.raises(InvalidInput, match="no drill"):
        drill_report(room.state, room.known(room.pause()), room.now)
