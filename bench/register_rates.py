"""How many one-chip events a second the register's store saves durably, in groups, on SQLite and on PostgreSQL.

The store alone: events come parsed, hashed and decided (register_story.py), as `save` takes them. Every chip goes
through all ten stages of a life. SQLite is synced in full at every commit; PostgreSQL is a server of the bench's own on
the same disk, as Debian configures it, with fsync on.
"""

from __future__ import annotations

import sys
import tempfile
import time
from pathlib import Path

from register_story import STAGES, Story, life_of
from row import Row, Target, missing, row_of

from sekisho.adapters.storage.register_sql import open_register

sys.path.insert(0, str(Path(__file__).parents[1]))  # the server that the tests start too
from tests.postgres import find_postgres, start_server

__all__ = ["measure_rates"]

DISK = "/var/tmp"  # noqa: S108 - a folder of our own in it, with a name drawn by chance
"""On a disk and open to every account, which the folder for temporary files need be neither of."""

SIZES = (1, 100, 1000)
TARGETS = {"SQLite": Target(least=10_000), "PostgreSQL": Target(least=5_000)}


def measure_rates(chips: int) -> list[Row]:
    """Rows of both databases: the rate of each group; the target is that of groups of a thousand."""
    with tempfile.TemporaryDirectory(prefix="sekisho-bench-") as folder:
        rows = _rows("SQLite", Path(folder) / "register.sqlite", chips)
    if find_postgres() is None:
        what = _name("PostgreSQL", SIZES[-1])
        return [*rows, missing(what, "/s", TARGETS["PostgreSQL"], "PostgreSQL is not installed")]
    with tempfile.TemporaryDirectory(prefix="sekisho-bench-", dir=DISK) as folder:
        Path(folder).chmod(0o755)  # a server runs as its own account
        with start_server(Path(folder)) as server:
            return rows + _rows("PostgreSQL", server.create("bench"), chips)


def _rows(kind: str, place: Path | str, chips: int) -> list[Row]:
    rows, first = [], 0
    story = Story()
    with open_register(place) as store:
        for size in SIZES:
            # Few chips in small groups: as many transactions, not as many events.
            lives = [[life_of(first + n)] for n in range(max(size, chips * size // SIZES[-1]))]
            first += len(lives)
            rates = []
            for stage in range(STAGES):
                for start in range(0, len(lives), size):
                    change = story.change(lives[start : start + size], stage)
                    began = time.perf_counter()
                    store.save(change)
                    rates.append(len(change.events) / (time.perf_counter() - began))
            target = TARGETS[kind] if size == SIZES[-1] else None
            rows.append(row_of(_name(kind, size), "/s", rates, target))
    return rows


def _name(kind: str, size: int) -> str:
    return f"register: durable saves of one-chip events, {size} a group ({kind})"


if __name__ == "__main__":
    for row in measure_rates(int(sys.argv[1]) if len(sys.argv) > 1 else 5_000):
        print(row)
