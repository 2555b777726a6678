"""The newest model checkpoint that is known of each run at each host."""

from __future__ import annotations

from typing import Any

from sekisho.model.statements import CheckpointRecorded
from sekisho.model.statements.shapes import Checkpoint
from sekisho.orders.checkpoints import CheckpointBook
from tests.factory import NOW, ORDER, receipt_given
from tests.licensing.ledgers import recorded


def written(at_s: float, letter: str = "a", **changes: Any) -> CheckpointRecorded:
    fields: dict[str, Any] = {"host": "host-1", "run": "run-1", **changes}
    checkpoint = Checkpoint(sha256=letter * 64, bytes=1, step=1)
    return CheckpointRecorded(effective=NOW.plus(at_s), checkpoint=checkpoint, **fields)


def book(*facts: Any) -> CheckpointBook:
    found = CheckpointBook()
    for n, fact in enumerate(facts):
        found = found.after(recorded(fact, n))
    return found


def test_the_newest_checkpoint_of_each_run_at_each_host_is_kept() -> None:
    """An older one that is told later takes nobody's place."""
    found = book(
        written(10),
        written(30, "b"),
        written(20, "c"),
        written(5, "d", run="run-2"),
        written(9, "e", host="host-2"),
    )
    newest = found.of("host-1", "run-1")
    assert newest is not None
    assert (newest.sha256, newest.at) == ("b" * 64, NOW.plus(30))
    other = found.of("host-1", "run-2")
    assert other is not None
    assert other.sha256 == "d" * 64
    assert found.of("host-1") == newest
    assert found.of("host-3") is None
    assert found.of("host-2", "run-2") is None


def test_an_orders_receipt_may_name_one() -> None:
    """A receipt with a checkpoint and a run counts; one without says nothing."""
    checkpoint = Checkpoint(sha256="f" * 64, bytes=1, step=1)
    said = receipt_given(1, stage="checkpointed", order=ORDER, run="run-1", checkpoint=checkpoint)
    newest = book(said, receipt_given(2)).of("host-1", "run-1")
    assert newest is not None
    assert newest.sha256 == "f" * 64
    assert book(receipt_given(2)).of("host-1") is None
