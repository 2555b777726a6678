"""Signatures kept in a drawer: an order that the log never took must not act on sight once they are too old."""

from __future__ import annotations

from sekisho.signing import Envelope
from tests.fakes import Rig


def kept_back(rig: Rig, *, good_for_s: float) -> Envelope:
    """A pause that had its quorum ten hours ago, good for issue for so long, in force for another day."""
    past = rig.control.now().plus(-36_000)
    return rig.control.order(
        now=past,
        not_before=past,
        issue_until=past.plus(good_for_s),
        expires=rig.control.now().plus(86_400),
    )


def test_a_pause_whose_signatures_are_too_old_stops_nobody_on_sight() -> None:
    """After issue_until, by the earliest clock, the work runs on, and the finding says why."""
    rig = Rig().started()
    rig.control.show(kept_back(rig, good_for_s=3_600))
    rig.run_for(1)
    assert rig.doing() == "running"
    assert "stale-signatures" in rig.control.codes()
    assert "received" not in rig.control.stages()


def test_a_pause_that_comes_late_and_in_time_stops_on_sight() -> None:
    """As long as its signatures are good for issue, it acts whatever way it took."""
    rig = Rig().started()
    rig.control.show(kept_back(rig, good_for_s=40_000))
    rig.run_for(1)
    assert rig.doing() != "running"


def test_a_pause_taken_in_time_outlives_its_signatures() -> None:
    """Once accepted it stays, through a restart after issue_until as well."""
    rig = Rig().started()
    rig.control.show(kept_back(rig, good_for_s=36_005))
    rig.run_for(1)
    assert rig.doing() != "running"
    rig.run_for(10)
    rig.wake()
    rig.run_for(2)
    assert rig.doing() != "running"
    assert "stale-signatures" not in rig.control.codes()
