"""Who was enrolled and licensed in each tree of the log."""

from __future__ import annotations

from pathlib import Path

import pytest

from sekisho.licensing.rosters import Roster
from sekisho.model.statements import HostRetired, LicenceSuspended, Reference
from tests import factory as f
from tests.desks import TestDesk


@pytest.fixture
def desk(tmp_path: Path) -> TestDesk:
    return TestDesk(tmp_path)


def named(roster: Roster) -> dict[str, list[str]]:
    return {host.host: [held.licence.number for held in mine] for host, mine in roster.rows()}


def test_each_tree_keeps_the_hosts_that_it_had(desk: TestDesk) -> None:
    """A host is there from its own entry on and gone from its retirement on; older trees stay as they were."""
    with desk:
        before = desk.desk.state.size
        enrolled = f.host_enrolled("host-2", of=f.signer("host-2"))
        desk.desk.admit(f.signed(enrolled, f.AUTHORITY[0], f.OPERATOR).raw)
        between = desk.desk.state.size
        retired = HostRetired(effective=f.NOW, host="host-1", reason="sold")
        desk.desk.admit(f.signed(retired, f.AUTHORITY[0], f.OPERATOR).raw)
        rosters = desk.desk.state.rosters

        assert set(named(rosters.at(before))) == {"host-1"}
        assert set(named(rosters.at(between))) == {"host-1", "host-2"}
        assert set(named(rosters.newest)) == {"host-2"}
        assert named(rosters.at(0)) == {}
        assert rosters.at(desk.desk.state.size + 1_000) == rosters.newest


def test_the_licences_that_stand_count_and_else_the_newest_that_names_the_host(
    desk: TestDesk,
) -> None:
    """A suspended licence gives way to one that stands; alone it still says what the host is licensed for."""
    with desk:
        first = desk.licensed(number="LIC-1")
        size = desk.desk.state.size
        assert named(desk.desk.state.rosters.newest) == {"host-1": ["LIC-1"]}
        suspended = LicenceSuspended(
            effective=f.NOW,
            licence=Reference(log=f.ORIGIN, leaf=first.leaf),
            number="LIC-1",
            reason="an example",
        )
        desk.desk.admit(f.signed(suspended, *f.AUTHORITY[:2]).raw)
        ((_, (held,)),) = desk.desk.state.rosters.newest.rows()
        assert (held.licence.number, held.is_standing) == ("LIC-1", False)
        ((_, (before,)),) = desk.desk.state.rosters.at(size).rows()
        assert before.is_standing


def test_a_lineage_is_what_was_licensed_for_it_whole(desk: TestDesk) -> None:
    """A run from scratch has cost its own budget; nothing in it hangs on a disclosure."""
    with desk:
        desk.licensed(budget_flop=5_000)
        ((_, (held,)),) = desk.desk.state.rosters.newest.rows()
        assert held.lineage_flop == 5_000


def test_what_changes_neither_hosts_nor_licences_is_not_kept(desk: TestDesk) -> None:
    """The rosters grow with hosts and licences, not with the log."""
    with desk:
        before = desk.desk.state.rosters
        desk.desk.mark_time()
        assert desk.desk.state.rosters is before
