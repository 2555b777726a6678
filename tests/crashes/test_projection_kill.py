"""A regime's process is killed without warning while it projects; the next start goes on as if it had not been."""

from __future__ import annotations

import os
import random
import subprocess
import sys
from pathlib import Path

import pytest

from sekisho.adapters.storage.projections_sql import ProjectionsSql, open_projections
from tests.desks import MovingClock, TestDesk
from tests.projected import Projected, check_home, rows_of
from tests.stories import STEPS

ROOT = Path(__file__).parents[2]
STILL = frozenset({"erase"})
"""Left out of every other round, since each is made again whole."""


def go_on_forever(folder: Path, seed: str) -> None:
    """The process: step after step, each told on standard output once the desk has answered."""
    dice = random.Random(seed)
    names = [name for name in STEPS if name not in STILL or dice.random() < 0.5]
    with Projected(folder, clock=MovingClock()) as at:
        at.story.taken = dice.randrange(10**6)
        at.desk.clock.move(dice.randrange(10**4))
        for step in ("license", "lease"):
            at.story.go(step)
        while True:
            at.story.go(dice.choice(names))
            sys.stdout.write(f"{at.desk.desk.state.size}\n")
            sys.stdout.flush()


def run_and_kill(folder: Path, seed: str, dice: random.Random) -> int:
    """Let it take some steps, kill it in the middle of one; how many entries it had answered for."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    command = [sys.executable, __file__, str(folder), seed]
    most = dice.randrange(1, 40)
    size = 0
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) as process:
        assert process.stdout is not None
        for count, line in enumerate(process.stdout):
            size = int(line)
            if count >= most:
                process.kill()
                break
    assert size > 0
    return size


def kill_rounds(folder: Path, dice: random.Random, rounds: int) -> None:
    """Kill and look, again and again, at one home."""
    for number in range(rounds):
        answered = run_and_kill(folder, f"{dice.random()}", dice)
        # First as the killed process left it: behind, perhaps, but nothing of it wrong.
        with TestDesk(folder) as desk, open_projections(folder / "projections.sqlite") as store:
            found = check_home(desk.root, desk.store, desk.private, store)
            assert found.size + found.behind >= answered
            is_torn = found.verdict == "fails" and found.differences
            assert not is_torn or "disclosures" in found.why, found
        # Then as the next start leaves it.
        with Projected(folder) as at:
            check = at.check()
            assert (check.verdict, check.behind) == ("holds", 0), (number, check)


def test_a_killed_process_leaves_projections_that_hold(tmp_path: Path, dice: random.Random) -> None:
    """After each of a few kills: what is there is right as far as it tells, and is told on from there."""
    kill_rounds(tmp_path, dice, 3)


@pytest.mark.soak
def test_projections_hold_through_fifty_kills(tmp_path: Path, dice: random.Random) -> None:
    """The same over 50 kills of one home."""
    kill_rounds(tmp_path, dice, 50)


# The thread's end is what the test brings about.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
@pytest.mark.parametrize("when", ["before the commit", "after the commit"])
def test_a_crash_around_a_commit_loses_and_doubles_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, when: str
) -> None:
    """Rows and position go together: either both are of the entry before, or both of this one."""
    real = ProjectionsSql.save
    with Projected(tmp_path) as at:
        at.settle()
        with monkeypatch.context() as patch:

            def dying(store: ProjectionsSql, *words: object) -> None:
                if when == "after the commit":
                    real(store, *words)  # type: ignore[arg-type]  # passed through
                raise SystemExit  # ends the projector's thread as a kill would

            patch.setattr(ProjectionsSql, "save", dying)
            at.story.go("accuse")
            at.projector._thread.join(10)
            assert not at.projector._thread.is_alive()
        findings = len(rows_of(at.store, "findings"))
        assert findings == (1 if when == "after the commit" else 0)
    with Projected(tmp_path) as at:
        assert at.check().verdict == "holds"
        assert len(rows_of(at.store, "findings")) == 1


if __name__ == "__main__":
    go_on_forever(Path(sys.argv[1]), sys.argv[2])
