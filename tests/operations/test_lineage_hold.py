"""While an order stands, nothing is licensed on top of what halted under it, and its checkpoints grant no lease."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from sekisho.model.errors import StateConflict
from sekisho.model.statements import Checkpoint, OrderReference
from sekisho.operations.lineage_hold import check_lineage_free, find_lineage_orders
from tests.approved import declare, issue, record_checkpoint
from tests.desks import TestDesk
from tests.ladders import LadderDesk

EARLIER, KEPT, OTHER = "a" * 64, "b" * 64, "c" * 64


@pytest.fixture
def room(tmp_path: Path) -> Iterator[LadderDesk]:
    """Run-1 at work under its licence, with a checkpoint of an hour ago."""
    with TestDesk(tmp_path) as desk:
        declare(desk, "run-1")
        issue(desk)
        record_checkpoint(desk, "run-1", EARLIER)
        record_checkpoint(desk, "run-9", OTHER)
        yield LadderDesk(desk)


def halt(room: LadderDesk) -> OrderReference:
    """A pause under which run-1 keeps a checkpoint and ends."""
    order = room.pause(effect="checkpoint-then-stop", grace_s=5)
    kept = Checkpoint(sha256=KEPT, bytes=1, step=2)
    room.receipt(order, "checkpointed", run="run-1", checkpoint=kept)
    room.receipt(order, "halted", run="run-1", state="ended")
    return order


@pytest.mark.parametrize("parent", [KEPT, EARLIER], ids=["kept under it", "written before it"])
def test_a_run_on_top_of_what_halted_gets_no_licence(room: LadderDesk, parent: str) -> None:
    """Neither from the checkpoint of the pause nor from one before: a pause is not trained around."""
    halt(room)
    declare(room.desk, "run-2", parents=[parent])
    with pytest.raises(
        StateConflict, match="pause/JP 1, which holds its lineage until it is lifted"
    ):
        issue(room.desk, "LIC-2", run="run-2")


def test_a_run_on_top_of_such_a_run_gets_none_either(room: LadderDesk) -> None:
    """At any depth."""
    declare(room.desk, "run-2", parents=[EARLIER])
    record_checkpoint(room.desk, "run-2", "d" * 64)
    halt(room)
    declare(room.desk, "run-3", parents=["d" * 64])
    assert check_lineage_free(room.state, "run-3", room.now) != []


def test_once_the_order_is_lifted_the_lineage_is_free(room: LadderDesk) -> None:
    """The very same licence is then issued."""
    order = halt(room)
    declare(room.desk, "run-2", parents=[KEPT])
    room.pause(kind="resume", effect="lift", lifts=(order,))
    issue(room.desk, "LIC-2", run="run-2")
    assert find_lineage_orders(room.state, "run-2", room.now) == ()


def test_other_lineages_are_not_held(room: LadderDesk) -> None:
    """A run from elsewhere, or from scratch, is licensed as ever."""
    halt(room)
    declare(room.desk, "run-2", parents=[OTHER])
    declare(room.desk, "run-3")
    assert check_lineage_free(room.state, "run-2", room.now) == []
    issue(room.desk, "LIC-3", run="run-3")


def test_a_cap_holds_no_lineage(room: LadderDesk) -> None:
    """What only slows does not stop what comes after."""
    order = room.pause(kind="cap", effect="cap", cap_percent=50)
    kept = Checkpoint(sha256=KEPT, bytes=1, step=2)
    room.receipt(order, "capped", run="run-1", checkpoint=kept)
    declare(room.desk, "run-2", parents=[KEPT])
    assert check_lineage_free(room.state, "run-2", room.now) == []


def test_a_lease_is_refused_for_weights_that_are_held(room: LadderDesk) -> None:
    """A run licensed before goes on only where its weights are not those that were kept under the order."""
    declare(room.desk, "run-2", parents=[EARLIER])
    declare(room.desk, "run-3", parents=[KEPT])
    order = halt(room)
    assert find_lineage_orders(room.state, "run-2", room.now) == ()
    assert find_lineage_orders(room.state, "run-3", room.now) == (order,)
    assert find_lineage_orders(room.state, "run-1", room.now) == ()
