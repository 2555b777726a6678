"""One gate for several charters: shut where one of them shuts it, and never open for longer than the first says."""

from __future__ import annotations

from sekisho.agent.joint_gate import JointGate, Word, combine_words
from sekisho.model.statements import Mode
from sekisho.ports.gate import GatePicture, RunGate
from tests.factory import NOW


def picture(
    *runs: RunGate, mode: Mode = "kill", good_s: float = 10.0, written_s: float = 0.0
) -> GatePicture:
    written = NOW.plus(written_s)
    return GatePicture(
        host="host-1", mode=mode, written=written, until=written.plus(good_s), runs=runs, grace_s=5
    )


OPEN = RunGate(run="run-1", licence="LIC-1", is_open=True)
SHUT = RunGate(
    run="run-1",
    licence="LIC-9",
    is_open=False,
    rule="order-in-force",
    reason="order pause/JP 1 is in force",
    remedy="wait until it is lifted",
)


def combined(*pictures: GatePicture | None) -> GatePicture:
    words = tuple(
        Word(charter=name, picture=one) for name, one in zip("AB", pictures, strict=False)
    )
    newest = next(one for one in pictures if one is not None)
    return combine_words(newest, words)


def test_open_where_both_open() -> None:
    """With both licences named, in the strictest mode, until the first of both runs out."""
    shown = combined(picture(OPEN, mode="drain", good_s=10), picture(OPEN, mode="freeze", good_s=4))
    assert (shown.runs[0].is_open, shown.runs[0].licence) == (True, "LIC-1+LIC-1")
    assert shown.mode == "freeze"
    assert shown.until == NOW.plus(4)


def test_one_shut_is_shut_and_says_who_refuses() -> None:
    """Rule and remedy are the refusing charter's, the reason names it."""
    shown = combined(picture(OPEN), picture(SHUT))
    (run,) = shown.runs
    assert (run.is_open, run.rule) == (False, "order-in-force")
    assert run.reason == "charter B: order pause/JP 1 is in force"


def test_a_run_that_one_charter_does_not_license_is_shut() -> None:
    """Another's licence satisfies nothing, unless that charter only advises."""
    (strict,) = combined(picture(OPEN), picture()).runs
    (mild,) = combined(picture(OPEN), picture(mode="advise")).runs
    assert (strict.is_open, strict.rule) == (False, "no-licence")
    assert strict.reason == "charter B: the run has no licence there"
    assert mild.is_open


def test_who_has_not_spoken_lets_nothing_in() -> None:
    """Before a charter's first picture the gate is shut."""
    (run,) = combined(picture(OPEN), None).runs
    assert (run.is_open, run.rule) == (False, "not-heard")


class Board:
    """Implements ports.Gate in memory."""

    def __init__(self) -> None:
        self.shown: list[GatePicture] = []

    def show(self, picture: GatePicture) -> None:
        self.shown.append(picture)


def test_an_old_word_ends_as_it_aged_here() -> None:
    """By the host's elapsed time: no charter's clock makes another's word last longer."""
    board, now = Board(), [0.0]
    joint = JointGate(board, lambda: now[0])
    one, other = joint.seat("A"), joint.seat("B")
    one.show(picture(OPEN, good_s=10))
    now[0] = 7.0
    other.show(picture(OPEN, good_s=10, written_s=-3_600))
    last = board.shown[-1]
    assert last.runs[0].is_open
    assert last.until.since(last.written) == 3.0
    assert not board.shown[0].runs[0].is_open
