"""How long a real Slurm takes to end many jobs of one run, and what the gate adds to a submission.

Stop: KillWait=5, running jobs of one licensed run, every second of them deaf to SIGTERM; the clock runs from the
driver's `kill` to Slurm's word that no job of the run is on a node. Gate: jobs that ask for an accelerator are
submitted one by one, in turns to a cluster with the gate and to one without; what is told is the difference of the
medians, and of the 99th percentiles.
"""

from __future__ import annotations

import statistics
import sys
import time
from pathlib import Path

from row import Row, Target, missing

sys.path.insert(0, str(Path(__file__).parents[1]))

from sekisho.ports.gate import RunGate
from tests.slurms import Cluster, find_slurm, start_cluster

__all__ = ["measure_slurm"]

STOP, GATE = Target(median=15), Target(median=20, p99=20)
RUN = "run-1"
COMMENT = f"--comment=sekisho:{RUN}"
HEEDING = "while :; do sleep 1; done"
DEAF = f"trap '' TERM; {HEEDING}"
OPEN = RunGate(run=RUN, licence="LIC-1", is_open=True)


def measure_slurm(jobs: int, submissions: int) -> list[Row]:
    """Both figures, with real daemons and fake accelerators on this machine."""
    names = (
        f"{jobs} Slurm jobs, half deaf to SIGTERM, all ended",
        "Slurm job submit, added by the gate",
    )
    if not find_slurm():
        why = "needs slurmctld, slurmd and munged, and root"
        return [missing(names[0], "s", STOP, why), missing(names[1], "ms", GATE, why)]
    with start_cluster(gpus=max(jobs // 2, 1), kill_wait=5, gated=True) as cluster:
        stopped_s, bound_s = _stop(cluster, jobs)
        with start_cluster() as bare:
            added_ms, added_p99_ms = _compare(cluster, bare, submissions)
    return [
        Row(what=names[0], unit="s", median=stopped_s, n=jobs, target=STOP),
        Row(what="  the bound that the agent shows for it", unit="s", median=bound_s, n=1),
        Row(
            what=names[1],
            unit="ms",
            median=added_ms,
            p99=added_p99_ms,
            n=submissions,
            target=GATE,
        ),
    ]


def _stop(cluster: Cluster, jobs: int) -> tuple[float, float]:
    """Seconds to end them all, and the bound that was promised."""
    cluster.show(OPEN, for_s=3600)
    driver = cluster.driver("bench")
    driver.start(RUN, (), {})
    for script in (HEEDING, DEAF):
        cluster.submit(script, "--gres=gpu:1", COMMENT, f"--array=1-{jobs // 2}")
    cluster.wait_for("all jobs", lambda: driver.read().processes == jobs, timeout_s=120)
    time.sleep(2)  # until the last script has set its trap
    begun = time.monotonic()
    driver.kill()
    return time.monotonic() - begun, driver.stop_time_s


def _compare(gated: Cluster, bare: Cluster, submissions: int) -> tuple[float, float]:
    """Milliseconds that the gate adds, median and 99th percentile; in turns, so that both see the same machine."""
    gated.show(OPEN, for_s=3600)
    taken: dict[str, list[float]] = {"gated": [], "bare": []}
    for _ in range(submissions):
        for name, cluster in (("gated", gated), ("bare", bare)):
            begun = time.perf_counter()
            cluster.submit("true", "--gres=gpu:1", COMMENT, "--hold")
            taken[name].append(1e3 * (time.perf_counter() - begun))
    medians = {name: statistics.median(found) for name, found in taken.items()}
    tails = {name: sorted(found)[int(0.99 * (len(found) - 1))] for name, found in taken.items()}
    return (
        max(medians["gated"] - medians["bare"], 0.0),
        max(tails["gated"] - tails["bare"], 0.0),
    )
