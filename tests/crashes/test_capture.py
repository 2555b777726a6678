"""kill -9 between any two steps of a capture: whole or not at all, and sent again it is as if nothing had happened."""

from __future__ import annotations

import os
import random
import signal
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from sekisho.adapters.storage.register_saving import Saving
from sekisho.operations.register import capturing
from sekisho.operations.register.capturing import Capturing
from sekisho.ports.register_store import Change
from tests.capturing import World, chip, commissioned, document, endorsed, received, shipped
from tests.crashes.nursery import Nursery, open_nursery
from tests.registered import dump

DOCUMENTS = (
    ([received("dist", chip(1))], "dist"),
    ([commissioned(chip(n)) for n in range(40)], "maker"),
    ([shipped("maker", "dist", chip(1), chip(2))], "maker"),
    ([received("dist", chip(2))], "dist"),
)
POINTS = ("known", "decided", "half-saved", "saved", "stating", "stated", "answered")


class Stating:
    """A committer that only dies."""

    def __init__(self, point: str, on: int) -> None:
        self._left = on if point == "stating" else 0

    def commit(self, _: Change) -> None:
        self._left -= 1
        if not self._left:
            die()

    def complete(self) -> None:
        """Nothing is owed."""


def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def capture_and_die(folder: str, point: str, on: str) -> None:
    """The process: captures one document after the other, and is gone at a point of the `on`-th."""
    left = [int(on)]

    def dying(real: Callable[..., Any], *, after: bool) -> Callable[..., Any]:
        def act(*given: Any, **named: Any) -> Any:
            left[0] -= 1
            if left[0] and not after:
                return real(*given, **named)
            done = real(*given, **named) if after else None
            if left[0] <= 0:
                die()
            return done

        return act

    places: dict[str, tuple[object, str, bool]] = {
        "known": (capturing, "decide_group", False),
        "decided": (capturing, "decide_group", True),
        "half-saved": (Saving, "_save_rest", True),
        "answered": (Capturing, "_finish", True),
        "stated": (Capturing, "_commit", True),
    }
    with World(Path(folder), committer=Stating(point, int(on))) as world:
        if point == "saved":
            world.store.save = dying(world.store.save, after=True)  # type: ignore[method-assign]  # dies in it
        elif point in places:
            where, name, after = places[point]
            setattr(where, name, dying(getattr(where, name), after=after))
        for events, signer in DOCUMENTS:
            world.send(events, signer)
            sys.stdout.write("answered\n")
            sys.stdout.flush()


@pytest.fixture(scope="module")
def nursery() -> Iterator[Nursery]:
    with open_nursery("tests.crashes.test_capture") as ready:
        yield ready


def undisturbed(folder: Path) -> list[tuple[str, bytes]]:
    folder.mkdir()
    with World(folder) as world:
        for events, signer in DOCUMENTS:
            world.send(events, signer)
        return dump(world.store)


@pytest.mark.parametrize("point", POINTS)
@pytest.mark.parametrize("on", [1, 3])
def test_a_killed_capture_is_whole_or_nothing(
    nursery: Nursery, tmp_path: Path, point: str, on: int
) -> None:
    """What was answered is there; all of them sent again give the register of an undisturbed day."""
    folder = tmp_path / "killed"
    folder.mkdir()
    with nursery.child("capture_and_die", str(folder), point, str(on)) as child:
        answered = child.lines.read().splitlines()
    assert set(answered) <= {"answered"}, answered
    with World(folder) as world:
        kept = world.store.load_numbers().event
        counts = [0, 1, 41, 42, 43]
        assert kept in counts
        assert counts.index(kept) >= len(answered)
        assert world.register.check().differences == 0
        for events, signer in DOCUMENTS:
            world.send(events, signer)
        assert dump(world.store) == undisturbed(tmp_path / "undisturbed")


def capture_for_ever(folder: str, seed: str) -> None:
    """The process: documents of a few events each, each told once it is answered."""
    rng = random.Random(seed)
    with World(Path(folder)) as world:
        first = world.store.load_numbers().event
        for n in range(first, first + 10_000):
            data = document(*(commissioned(chip(100 * n + k)) for k in range(rng.randint(1, 9))))
            row = world.register.capture(data, endorsed(data, "maker"))
            sys.stdout.write(f"{row.capture} {row.taken}\n")
            sys.stdout.flush()


def test_captures_survive_kills_at_any_moment(
    nursery: Nursery, tmp_path: Path, dice: random.Random
) -> None:
    """Five kills after some answers each: every answered capture is there with all of its events."""
    answered: list[str] = []
    for round_ in range(5):
        with nursery.child("capture_for_ever", str(tmp_path), str(round_)) as child:
            count = dice.randint(1, 12)
            answered += [child.lines.readline().strip() for _ in range(count)]
            child.kill()
            answered += [line for line in child.lines.read().splitlines() if line.count(" ") == 1]
    with World(tmp_path) as world:
        for line in answered:
            capture, taken = line.split()
            row = world.register.find_capture(capture)
            assert row is not None
            assert row.taken == int(taken)
        rows = world.store.load_events(after=0, limit=100_000)
        assert [row.number for row in rows] == list(range(1, len(rows) + 1))
        assert world.register.check().differences == 0
