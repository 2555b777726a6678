"""The agent dies just as it has answered a file that was carried in: what it took is not forgotten."""

from __future__ import annotations

import pytest

from sekisho.agent.carrying import Carrying
from sekisho.agent.inbox import Outcome
from tests.agent.handed import FakeBox, Handed


class _Died(Exception):
    """The process is gone."""


class _LastAnswer(FakeBox):
    """A box whose next answer is the last thing that the agent does."""

    def answer(self, name: str, outcome: Outcome) -> None:
        super().answer(name, outcome)
        raise _Died


def test_killed_when_an_order_by_hand_was_answered() -> None:
    """The file is gone and nobody brings it again; the pause stands for the next agent all the same."""
    handed = Handed().leased()
    handed.rig.run_for(2)
    handed.carrying = Carrying(handed.rig.host, handed.rig.duty, box := _LastAnswer())
    box.dropped.append(("0.json", handed.control.order().raw))
    handed.rig.clock.advance(1)
    with pytest.raises(_Died):
        handed.carrying.look()
    assert box.outcomes[-1].taken
    handed.wake()
    handed.rig.run_for(2)

    assert handed.rig.doing() in ("frozen", "ended")
    assert handed.rig.follower.book.orders["pause/JP"][1].order.kind == "pause"
