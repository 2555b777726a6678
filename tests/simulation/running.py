"""Runs worlds, several at once; `python -m tests.simulation.running SEED [STEPS]` shows the end of one.

What breaks tells its seed and step; the step is the first after which an invariant does not hold, so seed and step
limit are the shortest story of it.
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Iterable
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from multiprocessing import get_context
from pathlib import Path

import msgspec

from tests.simulation.observing import Broken, Observer
from tests.simulation.world import World

__all__ = ["DAYS", "Past", "main", "run_world", "run_worlds"]

DAYS = 10.0
_MEMORY = Path("/dev/shm")  # the log of a world need not outlive it


class Past(msgspec.Struct, frozen=True, kw_only=True):
    """What a world came to."""

    seed: int
    days: float
    events: int
    worked_days: float
    restores: int
    orders: int
    consumed_flop: int


def run_world(seed: int, *, days: float = DAYS, steps: int | None = None) -> Past:
    """One world to its end, or so many events. Raises Broken with seed and step."""
    shelf = _MEMORY if _MEMORY.is_dir() else None
    with tempfile.TemporaryDirectory(prefix="sekisho-world-", dir=shelf) as folder:
        world = World(seed, Path(folder), days=days)
        try:
            return _run(world, seed, steps)
        finally:
            world.close()


def run_worlds(seeds: Iterable[int], *, workers: int) -> list[Past]:
    """Worlds of ten days each, some at a time."""
    with ProcessPoolExecutor(workers, mp_context=get_context("forkserver")) as pool:
        return list(pool.map(partial(run_world, days=DAYS), seeds))


def main(arguments: list[str]) -> int:
    """The last events of a world."""
    seed = int(arguments[0])
    steps = int(arguments[1]) if len(arguments) > 1 else None
    begun = time.monotonic()
    try:
        past = run_world(seed, steps=steps)
    except Broken as error:
        sys.stdout.write(f"{error}\n")
        return 1
    rate = past.days / (time.monotonic() - begun)
    sys.stdout.write(f"{past}\n{rate:.1f} simulated days a second\n")
    return 0


def _run(world: World, seed: int, steps: int | None) -> Past:
    observer = Observer(world)
    while (steps is None or world.events < steps) and world.step():
        try:
            observer.look()
        except Broken as error:
            raise Broken(f"seed {seed} step {world.events}: {error}") from None
    book = world.desk.desk.state.licences.licences[world.licence.leaf].books.total
    return Past(
        seed=seed,
        days=world.days,
        events=world.events,
        worked_days=sum(host.driver.used_s for host in world.hosts) / 86_400,
        restores=world.restores,
        orders=len(world.orders),
        consumed_flop=book.consumed,
    )


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
