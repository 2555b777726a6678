"""`python bench/agent_cost.py [--seconds N]`: what an agent costs a host at quanta of 60 s, over two minutes or more.

The process driver, a canary that learns under its lease, a control plane on loopback. Two quanta end in the window, so
that reserving, the counter, the receipt and its acknowledgement are all in the figure. The agent is timed from outside
by the kernel's own accounts (proc/PID/schedstat), its memory read at the window's end.
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

import regime
from machine import look_at_machine
from resting import Cost, measure_costs
from row import Row, Target
from table import render

from sekisho.model.statements import LeaseTerms

__all__ = ["CPU", "MEMORY", "cost_rows", "measure"]

TERMS = LeaseTerms(interval_s=3_600, grace_s=30, quantum_s=60)
CPU, MEMORY = Target(median=1), Target(median=100)
WINDOW_S = 130.0


def measure(window_s: float = WINDOW_S) -> dict[str, Cost]:
    """Agent and watchdog of two hosts, one with work and one without, over the window."""
    with (
        tempfile.TemporaryDirectory(prefix="sekisho-bench-") as folder,
        regime.licensed_regime(Path(folder) / "home", TERMS) as scene,
    ):
        idle = regime.start_host(scene, regime.IDLE_HOST, work=False)
        working = regime.start_host(scene, regime.WORKING_HOST, work=True)
        costs = measure_costs(scene, idle, working, window_s)
        regime.end_host(scene, regime.IDLE_HOST, idle)
    return costs


def cost_rows(costs: dict[str, Cost], window_s: float) -> list[Row]:
    """Two rows a process; the agent's stand beside the issue's targets."""
    rows = []
    for name, cost in costs.items():
        is_agent = name.startswith("agent")
        what, note = f"{name}, quanta of {TERMS.quantum_s} s", f"over {window_s:.0f} s"
        cpu, memory = (CPU, MEMORY) if is_agent else (Target(), Target())
        rows += [
            Row(what=what, unit="% of a core", median=cost.cpu_percent, n=1, target=cpu, note=note),
            Row(what=what, unit="MB", median=cost.rss_mb, n=1, target=memory, note=note),
        ]
    return rows


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description="What an agent costs a host.")
    parser.add_argument("--seconds", type=float, default=WINDOW_S)
    window_s = parser.parse_args().seconds
    print(render(look_at_machine(), cost_rows(measure(window_s), window_s)))


if __name__ == "__main__":
    main()
