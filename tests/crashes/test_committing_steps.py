"""The committer dies between any two of its steps: at the next start each batch and each tag is in the log once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from sekisho.model.statements import ChipRegistered, CustodyMoved, IrregularityFound
from tests import factory as f
from tests.fakes import Crashed
from tests.register_desk import RegisterDesk
from tests.registry.year import PARTIES, TERMS, commissioned, counted, document_of

FAB = f.signer("fab")
CHIPS = tuple(f"https://chips.example/id/gpu/SN-{n:03d}" for n in range(250))
STRANGER = "https://chips.example/id/gpu/NOBODY"

Break = Callable[[RegisterDesk, pytest.MonkeyPatch], None]


def desk_in(folder: Path, holders: int = 0) -> RegisterDesk:
    return RegisterDesk(folder, PARTIES, terms=TERMS, holders=holders)


def told(desk: RegisterDesk, *events: dict[str, Any]) -> bytes:
    at = desk.clock.now().plus(-60)
    return document_of([{"eventTime": str(at), **event} for event in events], desk.clock.now())


def dies(where: object, name: str, patch: pytest.MonkeyPatch, *, on: int, after: bool) -> None:
    """The `on`-th call of a method is the last thing that the process does, done or not done."""
    calls = Counter[str]()
    real = getattr(where, name)

    def die(*given: Any, **named: Any) -> Any:
        calls["made"] += 1
        if calls["made"] < on:
            return real(*given, **named)
        if calls["made"] == on and after:
            real(*given, **named)
        raise Crashed

    patch.setattr(where, name, die)


def at_fact(on: int, *, after: bool) -> Break:
    """At the `on`-th statement."""
    return lambda desk, patch: dies(desk.desk, "state_fact", patch, on=on, after=after)


def at_settling(*, after: bool) -> Break:
    return lambda desk, patch: dies(desk.store, "settle_batch", patch, on=1, after=after)


def at_content(*, after: bool) -> Break:
    return lambda desk, patch: dies(desk.contents, "save", patch, on=1, after=after)


def at_leaf(*, after: bool) -> Break:
    return lambda desk, patch: dies(desk.store, "save_alerts", patch, on=1, after=after)


STEPS: dict[str, Break] = {
    "before the content is kept": at_content(after=False),
    "the content is kept, nothing stated": at_content(after=True),
    "before custody-moved": at_fact(1, after=False),
    "custody-moved is stated": at_fact(1, after=True),
    "before the second chip-registered": at_fact(3, after=False),
    "the second chip-registered is stated": at_fact(3, after=True),
    "before the finding": at_fact(4, after=False),
    "the finding is stated": at_fact(4, after=True),
    "before the alert knows its finding": at_leaf(after=False),
    "the alert knows its finding": at_leaf(after=True),
    "before the batch is settled": at_settling(after=False),
    "the batch is settled": at_settling(after=True),
}


@pytest.mark.parametrize("step", STEPS)
def test_at_every_step_the_next_start_completes_what_was_begun(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    """One custody-moved for each batch, one tag for each chip, one finding for the alert, all batches settled."""
    with desk_in(tmp_path, 3) as desk, monkeypatch.context() as patch:
        patch.setattr(desk.committer, "commit", lambda _: None)
        at = told(desk, commissioned(*CHIPS), counted("fab", [STRANGER]))
        desk.capture(at, FAB)
        STEPS[step](desk, patch)
        with pytest.raises(Crashed):
            desk.committer.complete()
    with desk_in(tmp_path, 3) as again:
        again.settle()
        facts = [entry.verified.predicate for entry in again.desk.recorded()]
        assert [fact.batch for fact in facts if isinstance(fact, CustodyMoved)] == [1]
        tags = [c.serial for fact in facts if isinstance(fact, ChipRegistered) for c in fact.chips]
        assert len(tags) == len(set(tags)) == len(CHIPS)
        assert len([fact for fact in facts if isinstance(fact, IrregularityFound)]) == 1
        (row,) = again.store.load_batches()
        moved = next(
            e for e in again.desk.recorded() if isinstance(e.verified.predicate, CustodyMoved)
        )
        assert (row.entry, row.leaf) == (moved.index, moved.leaf)
        assert again.test_desk.deposits.deposits_missing() == ()


def test_batches_that_lie_behind_are_stated_in_their_order(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Killed before any of three groups was stated, the next start states all three, the oldest first."""
    with desk_in(tmp_path) as desk, monkeypatch.context() as patch:
        patch.setattr(desk.committer, "commit", lambda _: None)
        for start in range(3):
            desk.capture(told(desk, commissioned(*CHIPS[start * 10 : start * 10 + 10])), FAB)
    with desk_in(tmp_path) as again:
        again.settle()
        facts = [entry.verified.predicate for entry in again.desk.recorded()]
        assert [fact.batch for fact in facts if isinstance(fact, CustodyMoved)] == [1, 2, 3]
        assert sum(len(fact.chips) for fact in facts if isinstance(fact, ChipRegistered)) == 30
