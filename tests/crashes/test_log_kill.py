"""A real writer process is killed without warning, again and again, and its log read by somebody else."""

from __future__ import annotations

import os
import random
import subprocess
import sys
from pathlib import Path

import pytest

from sekisho.ledger import LogReader, check_log
from tests.ledger.logs import open_log, policy, submission

ROOT = Path(__file__).parents[2]


def write_forever(folder: Path, first: int) -> None:
    """The writer: numbered statements, each told on standard output once it is answered for."""
    with open_log(folder) as log, log.publisher(log.witnesses()) as publisher:
        number = first
        while True:
            batch = [
                submission(str(n), f"serial {n}") for n in range(number, number + 1 + number % 3)
            ]
            for outcome in log.sequencer.append(batch):
                sys.stdout.write(f"answered {number} {getattr(outcome, 'index', -1)}\n")
                number += 1
            if number % 4 == 0:
                cosigned = publisher.wait_witnessed(log.sequencer.integrate().size - 1, 30)
                sys.stdout.write(f"witnessed {number - 1} {cosigned.checkpoint.size}\n")
            sys.stdout.flush()


def run_and_kill(folder: Path, first: int, lines: int) -> list[tuple[int, int]]:
    """Let the writer say `lines` lines, kill it, and give back what it answered for."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    command = [sys.executable, __file__, str(folder), str(first)]
    answered: list[tuple[int, int]] = []
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) as writer:
        assert writer.stdout is not None
        for count, line in enumerate(writer.stdout):
            kind, number, place = line.split()
            if kind == "answered":
                answered.append((int(number), int(place)))
            if count >= lines:
                writer.kill()
                break
        # What it said before it died counts as said.
        rest = [line.split() for line in writer.stdout if line.endswith("\n")]
        answered += [(int(n), int(place)) for kind, n, place in rest if kind == "answered"]
    return answered


def kill_rounds(folder: Path, dice: random.Random, rounds: int) -> None:
    """Kill and check, again and again, one log."""
    places: dict[int, int] = {}
    for _ in range(rounds):
        first = max(places, default=-1) + 1
        answered = run_and_kill(folder, first, dice.randrange(1, 40))
        places.update(answered)
        with open_log(folder) as log:
            cosigned = log.publisher(log.witnesses()).publish()
            checkpoint = cosigned.checkpoint
            entries = list(LogReader(log.tiles).entries(0, checkpoint.size, checkpoint))
            for number, place in places.items():
                wanted = submission(str(number)).envelope
                assert entries[place] == wanted
                assert entries.count(wanted) == 1
            assert check_log(log.tiles, policy()).faults == ()


def test_killed_writer_loses_and_doubles_nothing(tmp_path: Path, dice: random.Random) -> None:
    """After each of a few kills every answered statement stands once, at the place that was answered."""
    kill_rounds(tmp_path, dice, 4)


@pytest.mark.soak
def test_writer_killed_two_hundred_times(tmp_path: Path, dice: random.Random) -> None:
    """The same over 200 kills of one log."""
    kill_rounds(tmp_path, dice, 200)


if __name__ == "__main__":
    write_forever(Path(sys.argv[1]), int(sys.argv[2]))
