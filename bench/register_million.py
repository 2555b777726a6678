"""`python bench/register_million.py FOLDER [--chips N] [--postgres] [--lots]`: a register of many chips, asked.

FOLDER takes a SQLite file (some 0.5 GB a million events), or with `--postgres` a server of its own. Each chip has ten
events; with `--lots` it shares three with the 500 chips of its lot, which is how ten million chips are filled. The
register is filled once through the store's own `save`, in large groups of what captures would store. Then a fresh
process opens it and asks: passports of random chips, the period sums of a site with a tenth of all chips, holdings by
every dimension; and it captures on, one event a chip, in groups. It says how much memory it ever had (`VmHWM`). Prints
one JSON line.
"""

from __future__ import annotations

import argparse
import json
import random
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import msgspec
import psycopg
from register_story import DAY, HALLS, LOT, SHIPMENT, STAGES, START, Story, World
from row import Row, Target, row_of

from sekisho.adapters.storage.register_sql import RegisterSql, open_register
from sekisho.ports.register_store import Dimension

sys.path.insert(0, str(Path(__file__).parents[1]))  # the server that the tests start too
from tests.postgres import start_server

__all__ = ["Figures", "build", "measure"]

CHIPS = 1_000_000
GROUP = 5_000
PASSPORTS = 1_000
SERVER = (
    "shared_buffers = '1GB'",
    "max_wal_size = '4GB'",
    "maintenance_work_mem = '256MB'",
    "effective_cache_size = '4GB'",
)
REPEATS = 5
BY: tuple[Dimension, ...] = ("site", "custodian", "owner", "country", "model")
LATER = START.plus(1_000 * DAY)
COUNTED = 7
"""The stage of stock-taking, which the figures add events of."""

PASSPORT, SUM, MEMORY = Target(p99=20), Target(median=1), Target(median=500)
CAPTURED = Target(least=10_000)


class Figures(msgspec.Struct, frozen=True, kw_only=True):
    """What the fresh process saw: seconds, milliseconds by the clock, events a second, megabytes (10^6 bytes)."""

    events: int
    open_s: float
    passport_ms: list[float]
    sum_s: list[float]
    sum_as_of_s: list[float]
    lines: int
    holdings_s: dict[str, list[float]]
    site_s: float
    site_chips: int
    saved_per_s: dict[str, list[float]]
    peak_mb: float


def build(place: Path | str, world: World) -> float:
    """Fill a register, or go on where a run was broken off; the seconds that it took, 0 where it was filled before."""
    began = time.perf_counter()
    with open_register(place) as store:
        there = store.load_numbers().batch
        newest = store.find_batch(there)
        if newest is not None and newest.known:
            return 0.0
        story = Story()
        stages, done = SHIPMENT if world.lots else range(STAGES), 0
        for change in story.changes(world, stages, group=GROUP):
            if change.batch is None or change.batch.batch <= there:
                continue
            store.save(change)
            done += len(change.touches)
            if change.batch.batch % 20 == 0:
                rate = done / (time.perf_counter() - began)
                told = f"\r{change.events[-1].number:,} events, {done:,} touches, {rate:,.0f}/s "
                print(told, end="", file=sys.stderr, flush=True)
        for held in store.load_batches(unlogged=True, limit=1_000_000):
            store.settle_batch(held.batch, held.batch, "0" * 64)
        store.mark_known(1 << 40, LATER)
    print(file=sys.stderr)
    return time.perf_counter() - began


def ask(place: Path | str, world: World) -> Figures:
    """Open as the server does, ask, then capture on; to be run in a process that did nothing else before."""
    began = time.perf_counter()
    with open_register(place) as store:
        events = store.load_numbers().event
        open_s = time.perf_counter() - began
        dice = random.Random(7)  # noqa: S311  # which chips are asked for; guards nothing
        passports = [
            1e3 * _timed(lambda: _read_passport(store, world, dice.randrange(world.chips)))
            for _ in range(PASSPORTS)
        ]
        hall = HALLS[0]
        sums = [_timed(lambda: _sum(store, hall, world)) for _ in range(REPEATS)]
        as_of = [
            _timed(lambda: store.sum_lines(hall, since=None, before=LATER, as_of=LATER))
            for _ in range(REPEATS)
        ]
        lines = sum(store.sum_lines(hall, since=None, before=LATER).values())
        held = {
            name: [_timed(lambda name=name: store.count_holdings([name])) for _ in range(REPEATS)]
            for name in BY
        }
        began = time.perf_counter()
        site_chips = sum(1 for _ in store.iterate_standings({"site": [hall]}))
        site_s = time.perf_counter() - began
        saved = {str(size): _capture_on(store, world, size) for size in (1, 100, 1000)}
    return Figures(
        events=events,
        open_s=open_s,
        passport_ms=passports,
        sum_s=sums,
        sum_as_of_s=as_of,
        lines=lines,
        holdings_s=held,
        site_s=site_s,
        site_chips=site_chips,
        saved_per_s=saved,
        peak_mb=_peak_mb(),
    )


def measure(place: Path | str, world: World, kind: str) -> list[Row]:
    """Fill where needed, then ask in a fresh process; the rows of the table."""
    built_s = build(place, world)
    command = [sys.executable, __file__, str(place), "--ask", "--chips", str(world.chips)]
    done = subprocess.run(
        [*command, *(["--lots"] if world.lots else [])], stdout=subprocess.PIPE, check=True
    )
    figures = msgspec.json.decode(done.stdout, type=Figures)
    return rows_of(figures, world.chips, kind, built_s)


def rows_of(figures: Figures, chips: int, kind: str, built_s: float) -> list[Row]:
    """The rows of the table."""
    name = f"register of {chips:,} chips, {figures.events:,} events ({kind})"
    rows = [
        row_of(f"{name}: passport's events and standing", "ms", figures.passport_ms, PASSPORT),
        row_of(f"  period sum of a site, {figures.lines:,} lines", "s", figures.sum_s, SUM),
        row_of("  the same as of an instant", "s", figures.sum_as_of_s, SUM),
        *(
            row_of(f"  holdings by {by}", "s", seconds)
            for by, seconds in figures.holdings_s.items()
        ),
        row_of(f"  all standings of a site, {figures.site_chips:,} chips", "s", [figures.site_s]),
        row_of("  memory of the process at its peak", "MB", [figures.peak_mb], MEMORY),
        row_of("  open", "s", [figures.open_s]),
    ]
    rows += [
        row_of(
            f"  durable saves there, random chips, {size} a group",
            "/s",
            rates,
            CAPTURED if size == "1000" and kind == "SQLite" else None,
        )
        for size, rates in figures.saved_per_s.items()
    ]
    if built_s:
        rows.append(row_of("  filling it", "s", [built_s]))
    return rows


def _read_passport(store: RegisterSql, world: World, number: int) -> None:
    life = world.life(number)
    told = store.load_timeline(life.epc)
    standing = store.load_standings([life.epc])[life.epc]
    if len(told) < (1 if world.lots else STAGES) or standing.identity.serial != life.serial:
        raise RuntimeError(f"{life.epc} has {len(told)} events and is {standing.identity}")


def _sum(store: RegisterSql, hall: str, world: World) -> None:
    """A balance's two questions: what stood there before the period, and what came and went in it."""
    middle = START.plus(3 * DAY + 3.5 * world.chips / (4 * (LOT if world.lots else 1)))
    store.sum_lines(hall, since=None, before=middle)
    store.sum_lines(hall, since=middle, before=LATER)


def _capture_on(store: RegisterSql, world: World, size: int) -> list[float]:
    """Rates of groups of one-event captures of chips here and there; the making of the rows is left out."""
    numbers = store.load_numbers()
    story = Story(number=numbers.event, batch=numbers.batch)
    rates = []
    for _ in range(20):
        asked = [random.randrange(world.chips) for _ in range(size)]  # noqa: S311  # which chips
        change = story.change([[world.life(number)] for number in asked], COUNTED)
        rates.append(size / _timed(lambda change=change: store.save(change)))
    return rates


def _timed(act: Callable[[], object]) -> float:
    began = time.perf_counter()
    act()
    return time.perf_counter() - began


def _peak_mb() -> float:
    """VmHWM of proc_pid_status(5): the most resident memory that this process ever had."""
    for line in Path("/proc/self/status").read_text(encoding="utf-8").splitlines():
        key, _, value = line.partition(":")
        if key == "VmHWM":
            return int(value.split()[0]) * 1024 / 1e6
    raise RuntimeError("no VmHWM on this system")


def measure_postgres(folder: Path, world: World) -> list[Row]:
    """The same on a PostgreSQL server of its own, with the memory that a machine for it would give it."""
    folder.chmod(0o755)  # a server runs as its own account
    with start_server(folder) as server:
        for setting in SERVER:
            server.execute(f"ALTER SYSTEM SET {setting}")
        server.restart()
        url = server.create("register")
        rows = measure(url, world, "PostgreSQL")
        with psycopg.connect(url) as connection:
            row = connection.execute("SELECT pg_database_size('register')").fetchone()
    return [*rows, row_of("  size of the database", "MB", [row[0] / 1e6 if row else 0])]


def measure_sqlite(folder: Path, world: World) -> list[Row]:
    """In a file, which is kept."""
    path = folder / "register.sqlite"
    rows = measure(path, world, "SQLite")
    return [*rows, row_of("  size of the file", "MB", [path.stat().st_size / 1e6])]


def main() -> None:
    """Fill where needed, ask, print."""
    parser = argparse.ArgumentParser()
    parser.add_argument("place", metavar="FOLDER")
    parser.add_argument("--chips", type=int, default=CHIPS)
    parser.add_argument("--lots", action="store_true", help="three events a lot, none of its own")
    parser.add_argument("--postgres", action="store_true", help="a server in the folder")
    parser.add_argument("--ask", action="store_true", help="ask what is there, in this process")
    options = parser.parse_args()
    world = World(chips=options.chips, lots=options.lots)
    if options.ask:
        print(msgspec.json.encode(ask(options.place, world)).decode())
        return
    folder = Path(options.place)
    folder.mkdir(parents=True, exist_ok=True)
    rows = (measure_postgres if options.postgres else measure_sqlite)(folder, world)
    print(json.dumps([msgspec.to_builtins(row) for row in rows]))


if __name__ == "__main__":
    main()
