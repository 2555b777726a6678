"""`python bench/run.py [--quick] [--full] [--only NAME ...] [--json] [--check]`: measures, and prints one table.

Each figure stands beside its target and the ratio of the two. Nothing here runs within the tests' time limits, since a
figure depends on the machine: the table names it, and how busy it was. `--check` exits 1 where a target is missed.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import access_gate
import agent_cost
import commands
import fleet_day
import folds
import freezing
import group_freezing
import inventory_rows
import lease_renewals
import log_latency
import log_rates
import msgspec
import proofs
import regime
import register_capture
import register_million
import register_rates
import resting
import rules_million
import rules_rates
import slurm_stop
import telemetry_http
import telemetry_otlp
import telemetry_parsers
import ten_million
import ten_thousand_agents
from machine import Machine, look_at_machine
from row import Row, Target, Unit, missing, row_of
from table import render

__all__ = ["main"]

FREEZE = Target(median=250, p99=1000)
GROUP_FREEZE = Target(median=50)
REST_CPU, REST_MEMORY = Target(median=1), Target(median=100)
HELP, DRILL, SETUP = Target(median=0.3), Target(median=60), Target(median=120)


class Effort(msgspec.Struct, frozen=True, kw_only=True):
    """How often and how long each thing is measured; `drill` is False where it is left out."""

    freezes: int = 100
    rest_s: float = 20.0
    agent_s: float = agent_cost.WINDOW_S
    helps: int = 20
    appends: int = 200
    proof_rounds: int = 20
    proof_leaves: int = 1_000_000
    log_entries: int = 1_000_000
    fold_entries: int = 100_000
    register_chips: int = 5_000
    captured_chips: int = 5_000
    kept_chips: int = 100_000
    population: int = 100_000
    decided: int = 20_000
    parsed_hosts: int = 500
    sent_s: int = 20
    fleet: tuple[int, int] = fleet_day.FIFTY_MILLION
    fleet_engines: tuple[str, ...] = fleet_day.PEERS
    drill: bool = True
    rate_rounds: int = 3
    rate_s: float = 4.0
    signed: int = 12_000
    lease_hosts: int = 1_000
    lease_rounds: int = 5
    slurm_jobs: int = 100
    slurm_submissions: int = 200
    agents: int = 1_000


QUICK = Effort(
    agents=200,
    lease_hosts=128,
    lease_rounds=1,
    slurm_jobs=10,
    slurm_submissions=20,
    rate_rounds=1,
    rate_s=1.0,
    signed=2000,
    freezes=10,
    rest_s=2.0,
    agent_s=0,
    helps=3,
    appends=20,
    proof_rounds=2,
    proof_leaves=100_000,
    log_entries=20_000,
    fold_entries=10_000,
    register_chips=200,
    captured_chips=500,
    kept_chips=2_000,
    population=10_000,
    decided=1_000,
    parsed_hosts=25,
    sent_s=2,
    fleet=(400, 500),
    fleet_engines=(fleet_day.OURS,),
    drill=False,
)


def measure_regime(effort: Effort) -> list[Row]:
    """A licensed regime on loopback: first what its agents cost, then how fast an order freezes the work."""
    with _folder() as folder, regime.licensed_regime(folder / "home") as scene:
        idle = regime.start_host(scene, regime.IDLE_HOST, work=False)
        working = regime.start_host(scene, regime.WORKING_HOST, work=True)
        costs = resting.measure_costs(scene, idle, working, effort.rest_s)
        regime.end_host(scene, regime.IDLE_HOST, idle)
        freezes = freezing.measure_freezes(scene, effort.freezes)
    return [*_freeze_rows(freezes), *_cost_rows(costs)]


def measure_group_freeze(effort: Effort) -> list[Row]:
    """The kernel's part of a stop, as the drivers ask for it."""
    found = group_freezing.measure_group_freezes(effort.freezes)
    return [row_of(what, "ms", figures, GROUP_FREEZE) for what, figures in found.items()]


def measure_agent(effort: Effort) -> list[Row]:
    """What an agent costs at quanta of a minute, over two of them."""
    if effort.agent_s == 0:
        what = f"agent with work, quanta of {agent_cost.TERMS.quantum_s} s"
        return [
            missing(what, "% of a core", agent_cost.CPU, "left out by --quick"),
            missing(what, "MB", agent_cost.MEMORY, "left out by --quick"),
        ]
    return agent_cost.cost_rows(agent_cost.measure(effort.agent_s), effort.agent_s)


def measure_help(effort: Effort) -> list[Row]:
    """The first thing that a newcomer types."""
    wall, used = commands.time_help(effort.helps)
    return [
        row_of("sekisho --help", "s", wall, HELP),
        row_of("  of it processor time", "s", used),
    ]


def measure_drill(effort: Effort) -> list[Row]:
    """The whole loop once, then the outsider's audit of what it left."""
    names = "sekisho drill, all steps", "sekisho audit of the drill's bundle"
    if not effort.drill:
        return [
            missing(names[0], "s", DRILL, "left out by --quick"),
            missing(names[1], "s", Target(), "left out by --quick"),
        ]
    with _folder() as folder:
        seconds, bundle = commands.time_drill(folder)
        audits = [commands.time_audit(folder, bundle) for _ in range(3)]
    return [row_of(names[0], "s", [seconds], DRILL), row_of(names[1], "s", audits)]


def measure_log(effort: Effort) -> list[Row]:
    """The log alone, with two witness processes."""
    with _folder() as folder, log_latency.running_log(folder) as (sequencer, publisher):
        log_latency.measure_latency(sequencer, publisher, 5)  # connections and files are there now
        figures = log_latency.measure_latency(sequencer, publisher, effort.appends)
        rate = log_latency.measure_rate(sequencer, publisher, max(1, effort.appends // 4))
    rows = [
        _log_row("append, durable and with its index", figures["append"], effort.appends),
        _log_row(
            "append until two witnesses cosigned", figures["append_to_witnessed"], effort.appends
        ),
    ]
    what = f"appends of {log_latency.THREADS} threads, all witnessed"
    return [*rows, Row(what=what, unit="/s", median=rate, n=1)]


def measure_proofs(effort: Effort) -> list[Row]:
    """The tree itself, in memory and on one core."""
    return proofs.measure(effort.proof_rounds, effort.proof_leaves)


def measure_ten_million(effort: Effort) -> list[Row]:
    """A long log in a fresh process; of ten million entries where it is asked for alone, since it takes minutes."""
    with _folder() as folder:
        return ten_million.measure(folder, effort.log_entries)


def measure_folds(effort: Effort) -> list[Row]:
    """A history folded, a tenth of it beside the whole: the two rates differ where a fold grows with its state."""
    rows = []
    for entries in (effort.fold_entries // 10, effort.fold_entries):
        figures = folds.measure_folds(entries)
        what = f"fold of {entries:,} mixed entries"
        rows.append(Row(what=what, unit="/s", median=figures["per_s"], n=entries))
    return rows


def measure_rates(effort: Effort) -> list[Row]:
    """How much the log takes in, in process and over HTTP."""
    return log_rates.measure_rates(effort.rate_rounds, effort.rate_s, effort.signed)


def measure_leases(effort: Effort) -> list[Row]:
    """Renewals at the issuer's counter, with the real verification and durable books."""
    return lease_renewals.measure(effort.lease_hosts, effort.lease_rounds)


def measure_inventories(effort: Effort) -> list[Row]:
    """A firm's table, read row by row."""
    count = effort.fold_entries
    return [
        Row(
            what=f"rows of a table of {count:,} read (cp932)",
            unit="/s",
            median=inventory_rows.measure_reading(count),
            n=count,
        )
    ]


def measure_register(effort: Effort) -> list[Row]:
    """The register's store alone, groups of captures on both kinds of database."""
    return register_rates.measure_rates(effort.register_chips)


def measure_capture(effort: Effort) -> list[Row]:
    """Signed documents through a running regime; with a server and over HTTP unless it must be quick."""
    return register_capture.measure_capture(effort.captured_chips, whole=effort is not QUICK)


def measure_kept(effort: Effort) -> list[Row]:
    """A filled register in a fresh process; of a million chips where it is asked for alone, since that takes long."""
    with _folder() as folder:
        return register_million.measure_sqlite(
            folder, register_million.World(chips=effort.kept_chips)
        )


def measure_decisions(effort: Effort) -> list[Row]:
    """Requests under the full US pack, beside Cedar on the same thresholds."""
    return rules_rates.measure_rates(effort.decided)


def measure_population(effort: Effort) -> list[Row]:
    """A population under two rule packs; of a million requests where it is asked for alone."""
    return rules_million.measure_diff(effort.population)


def measure_text(effort: Effort) -> list[Row]:
    """Exporter text on one core, beside prometheus_client."""
    return telemetry_parsers.measure_text(effort.parsed_hosts)


def measure_remote_write(effort: Effort) -> list[Row]:
    """Remote-write of both versions on one core, beside protobuf's own decoder."""
    return telemetry_parsers.measure_remote_write(effort.parsed_hosts)


def measure_otlp(effort: Effort) -> list[Row]:
    """OTLP beside its reference library, then tables and job records, all on one core."""
    rows = effort.parsed_hosts * 400
    return [
        *telemetry_otlp.measure_otlp(effort.parsed_hosts * 8),
        *telemetry_otlp.measure_tables(rows),
    ]


def measure_intake(effort: Effort) -> list[Row]:
    """Remote-write over HTTP until it is on disk; for a minute where it is asked for alone."""
    return telemetry_http.measure_http(telemetry_http.Load(seconds=effort.sent_s))


def measure_fleet(effort: Effort) -> list[Row]:
    """A made-up fleet's readings summed by hour, job and chip, beside Polars and chDB with the same answers."""
    return fleet_day.measure_fleet(effort.fleet, effort.fleet_engines)


def measure_access(effort: Effort) -> list[Row]:
    """What the gate before an inference server costs a request and a chunk."""
    return access_gate.measure_gate(effort.freezes * 100)


def measure_slurm(effort: Effort) -> list[Row]:
    """A real Slurm on this machine: many jobs ended, and what the gate adds to a submission."""
    return slurm_stop.measure_slurm(effort.slurm_jobs, effort.slurm_submissions)


def measure_orders(effort: Effort) -> list[Row]:
    """One order to many agents, each verifying for itself; to ten thousand where it is asked for alone."""
    return ten_thousand_agents.measure(effort.agents)


def tell_setup(_: Effort) -> list[Row]:
    """A second `make setup` cannot be timed from within what it sets up."""
    how = "in a fresh clone, with warm package caches, `time make setup`"
    return [missing("make setup, caches warm", "s", SETUP, how)]


MEASURES: dict[str, Callable[[Effort], list[Row]]] = {
    "freeze": measure_regime,
    "agent": measure_agent,
    "group-freeze": measure_group_freeze,
    "help": measure_help,
    "drill": measure_drill,
    "log": measure_log,
    "rates": measure_rates,
    "proofs": measure_proofs,
    "folds": measure_folds,
    "leases": measure_leases,
    "inventories": measure_inventories,
    "ten-million": measure_ten_million,
    "register": measure_register,
    "capture": measure_capture,
    "register-million": measure_kept,
    "rules": measure_decisions,
    "rules-million": measure_population,
    "prometheus-text": measure_text,
    "remote-write": measure_remote_write,
    "otlp": measure_otlp,
    "telemetry-http": measure_intake,
    "fleet": measure_fleet,
    "slurm": measure_slurm,
    "orders-at-scale": measure_orders,
    "access": measure_access,
    "setup": tell_setup,
}


def main(arguments: list[str] | None = None) -> int:
    """Measure what was asked for, print the table; the exit code."""
    options = _parse(arguments)
    machine = look_at_machine()
    effort = QUICK if options.quick else Effort()
    if options.only == ["ten-million"] and not options.quick:
        effort = Effort(log_entries=ten_million.ENTRIES)
    if options.only == ["register-million"] and not options.quick:
        effort = Effort(kept_chips=register_million.CHIPS)
    if options.only == ["rules-million"] and not options.quick:
        effort = Effort(population=rules_million.REQUESTS)
    if options.only == ["telemetry-http"] and not options.quick:
        effort = Effort(sent_s=60)
    if options.only == ["orders-at-scale"] and not options.quick:
        effort = Effort(agents=options.agents or ten_thousand_agents.AGENTS)
    rows: list[Row] = []
    if options.full:
        print("measuring: a minute of telemetry over HTTP", file=sys.stderr, flush=True)
        rows = measure_intake(Effort(sent_s=60))
        print("measuring: fleet-days of 10 to 864 million readings", file=sys.stderr, flush=True)
        rows += fleet_day.measure_day()
    for name in options.only or ([] if options.full else MEASURES):
        print(f"measuring: {name}", file=sys.stderr, flush=True)
        rows += MEASURES[name](effort)
    print(_to_json(machine, rows) if options.json else render(machine, rows))
    return int(options.check and any(row.verdict == "MISSED" for row in rows))


def _freeze_rows(freezes: list[freezing.Freeze]) -> list[Row]:
    frozen = [freeze.frozen_ms for freeze in freezes]
    cosigned = [freeze.cosigned_ms for freeze in freezes]
    both = [freeze.both_ms for freeze in freezes]
    return [
        row_of("order issued -> work frozen and order cosigned", "ms", both, FREEZE),
        row_of("  order issued -> work frozen", "ms", frozen),
        row_of("  order issued -> cosigned by both witnesses", "ms", cosigned),
    ]


def _cost_rows(costs: dict[str, resting.Cost]) -> list[Row]:
    units: tuple[tuple[Unit, str, Target], ...] = (
        ("% of a core", "cpu_percent", REST_CPU),
        ("MB", "rss_mb", REST_MEMORY),
    )
    return [
        Row(
            what=name,
            unit=unit,
            median=getattr(cost, field),
            n=1,
            target=target if name == "agent at rest" else Target(),
        )
        for name, cost in costs.items()
        for unit, field, target in units
    ]


def _log_row(what: str, figures: dict[str, float], n: int) -> Row:
    return Row(what=what, unit="ms", median=figures["median_ms"], p99=figures["p99_ms"], n=n)


def _to_json(machine: Machine, rows: list[Row]) -> str:
    table = [
        {**msgspec.to_builtins(row), "ratio": row.ratio, "verdict": row.verdict} for row in rows
    ]
    return json.dumps({"machine": msgspec.to_builtins(machine), "rows": table}, indent=2)


@contextmanager
def _folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="sekisho-bench-") as folder:
        yield Path(folder)


def _parse(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="bench/run.py", description="Measure, print one table.")
    parser.add_argument("--quick", action="store_true", help="few repetitions, and no drill")
    parser.add_argument("--full", action="store_true", help="a whole fleet-day, 20 GB of it")
    parser.add_argument("--json", action="store_true", help="one JSON document instead")
    parser.add_argument("--check", action="store_true", help="exit 1 where a target is missed")
    parser.add_argument("--agents", type=int, help="with --only orders-at-scale: how many")
    parser.add_argument("--only", nargs="+", choices=MEASURES, help="these measures alone")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main())
