"""Protocol invariant 8: for each lineage, licensed FLOP never exceeds what the rule in force allowed at each issue."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import given, settings
from hypothesis import strategies as st

from sekisho.model.errors import SekishoError
from tests.approved import amend, declare, issue, record_checkpoint
from tests.desks import TestDesk

CAP = 10**24  # above it the shipped pack denies
PARTS = st.sampled_from((3 * 10**23, 4 * 10**23, 6 * 10**23, 10**24))
RUNS = st.integers(0, 4)
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("grow"), st.lists(RUNS, max_size=2, unique=True), PARTS),
        st.tuples(st.just("amend"), RUNS, PARTS),
        st.tuples(st.just("claim"), RUNS, RUNS),
    ),
    min_size=3,
    max_size=8,
)


class Told:
    """What a bookkeeper writes down who sees only what was admitted: parents, writers, licensed FLOP."""

    def __init__(self) -> None:
        self.parents: dict[str, set[str]] = {}
        self.writers: dict[str, set[str]] = {}
        self.licensed: dict[str, int] = {}

    def above(self, run: str) -> set[str]:
        """The run and all that its weights come from."""
        found, waiting = {run}, [run]
        while waiting:
            for digest in self.parents.get(waiting.pop(), ()):
                fresh = self.writers.get(digest, set()) - found
                found |= fresh
                waiting += fresh
        return found

    def total(self, run: str) -> int:
        return sum(self.licensed.get(name, 0) for name in self.above(run))

    def touched_by(self, run: str) -> list[str]:
        """The licensed runs whose lineage this run is in."""
        return [name for name in self.licensed if run in self.above(name)]


@settings(max_examples=30, deadline=None)
@given(steps=STEPS)
def test_no_lineage_is_licensed_above_what_the_rule_allowed(steps: list[tuple]) -> None:  # type: ignore[type-arg]  # three kinds of steps
    """Whatever grows from whose checkpoints, is claimed and amended in whatever order: no issue passes the cap."""
    told = Told()
    with TemporaryDirectory() as folder, TestDesk(Path(folder)) as desk:
        for number, (what, first, second) in enumerate(steps):
            desk.clock.move(1)
            if what == "grow":
                _grow(desk, told, number, first, second)
            elif what == "claim":
                _record(desk, told, f"run-{first}", _digest(second))
            elif told.licensed:
                licensed = sorted(told.licensed)
                _amend(desk, told, licensed[first % len(licensed)], second)


def _grow(desk: TestDesk, told: Told, number: int, parents: list[int], flop: int) -> None:
    """A run that starts from checkpoints of earlier ones, is licensed where the rules let it, and writes its own."""
    run = f"run-{number}"
    known = sorted(told.parents)
    digests = sorted({_digest(int(known[p % len(known)][4:])) for p in parents}) if known else []
    declare(desk, run, planned=flop, parents=digests)
    told.parents[run] = set(digests)
    if _is_admitted(lambda: issue(desk, f"LIC-{number}", run=run, budget_flop=flop)):
        told.licensed[run] = flop
        _check(told, run)
    _record(desk, told, run, _digest(number))


def _amend(desk: TestDesk, told: Told, run: str, flop: int) -> None:
    number = run.replace("run", "LIC")
    if _is_admitted(lambda: amend(desk, number, budget_flop=flop)):
        told.licensed[run] = flop
        _check(told, run)


def _record(desk: TestDesk, told: Told, run: str, digest: str) -> None:
    record_checkpoint(desk, run, digest)
    if run in told.parents:
        told.writers.setdefault(digest, set()).add(run)


def _check(told: Told, run: str) -> None:
    for name in told.touched_by(run):
        assert told.total(name) <= CAP, (run, name)


def _is_admitted(act: Callable[[], object]) -> bool:
    try:
        act()
    except SekishoError:
        return False
    return True


def _digest(number: int) -> str:
    return f"{number:064x}"


def test_the_bookkeeper_sees_a_lineage_above_the_cap() -> None:
    """The law's own measure would notice: two halves on one lineage are more than one."""
    told = Told()
    told.parents = {"run-1": {"x"}}
    told.writers = {"x": {"run-0"}}
    told.licensed = {"run-0": CAP, "run-1": 1}
    assert told.total("run-1") == CAP + 1
    assert told.touched_by("run-0") == ["run-0", "run-1"]
