"""`python bench/ten_thousand_agents.py [--agents N] [--loads N]`: one order to many agents, all receipts witnessed.

One control plane process as `sekisho up` starts it, its two witnesses, and simulated agents in processes of their own
(tests/crowd.py): each with its own key, its own kept-open connection and the agent's own verification. The clock
starts when the signed pause is sent; a receipt has arrived when a published checkpoint with the witness quorum covers
its entry. The agents' work runs on the same cores as the control plane's, and its share is in the table: in the field
each of them has a machine of its own.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

import httpx
import msgspec
from row import Row, Target, Unit, row_of

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from sekisho.adapters.clocks import SystemClock
from sekisho.adapters.processes import ChildProcess
from sekisho.app import Home
from sekisho.ledger import Policy
from sekisho.model.errors import SekishoError
from sekisho.model.statements import Scope
from sekisho.operations.ordering import OrderPlan, draft_order
from sekisho.rehearsal import cast as cast_module
from sekisho.rehearsal.cast import OWNER, Cast
from sekisho.rehearsal.serving import opened
from sekisho.rehearsal.stage import Stage
from sekisho.signing import Envelope, parse_envelope
from sekisho.signing.notes import Note
from tests.crowd import Outcome, crowd_host, enrol_crowd, most_files, raise_files

__all__ = ["Measured", "measure", "measure_order"]

AGENTS = 10_000
LOADS = 2
SPARE_FILES = 200
START_S = 300.0
HEARTBEAT_S = 60
WITNESSED = Target(p99=10_000)
MEMORY = Target(median=400)


class Measured(msgspec.Struct, kw_only=True):
    """One order: milliseconds since it was sent, for each agent; memory in MB, processor time in seconds."""

    agents: int
    answered_ms: float
    seen_ms: list[float]
    acknowledged_ms: list[float]
    witnessed_ms: list[float]
    taken_ms: list[float]
    proven_ms: list[float]
    server_rss_mb: float
    waiting_rss_mb: float
    server_cpu_s: float
    witness_cpu_s: float
    agents_cpu_s: float
    signed_cpu_s: float
    wall_s: float
    findings: list[str]


class _Checkpoints:
    """The published checkpoint as anybody reads it: from when on it covered how many entries."""

    def __init__(self, home: Home) -> None:
        self._path = home.public / "checkpoint"
        self._policy = Policy.from_text(home.load_root().witnesses, path="trust.json")
        self._seen: list[tuple[float, bytes]] = []
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def start(self) -> None:
        self._thread.start()

    def end(self) -> list[tuple[float, int]]:
        """When each size was witnessed, in order; a checkpoint without its quorum counts for nothing."""
        self._ending.set()
        self._thread.join()
        found = []
        for at, raw in self._seen:
            with suppress(SekishoError):
                cosigned = self._policy.verify_cosigned(Note.from_bytes(raw, path="checkpoint"))
                found.append((at, cosigned.checkpoint.size))
        return found

    def _watch(self) -> None:
        while not self._ending.wait(0.01):
            with suppress(FileNotFoundError):
                raw = self._path.read_bytes()
                if not self._seen or self._seen[-1][1] != raw:
                    self._seen.append((time.monotonic(), raw))


def prepare(home: Home, agents: int) -> Envelope:
    """A founded home with so many enrolled hosts, and a signed pause for all of them."""
    # As the charter's default has it; the rehearsal's own 30 s would have the agents verify heartbeats all the time.
    cast_module.HEARTBEAT_S = HEARTBEAT_S
    cast = Cast(home)
    with Stage(home) as stage, opened(home, stage) as control:
        hosts = [crowd_host(n) for n in range(1, agents + 1)]
        signers = (cast.authority[0], cast.operator)
        enrol_crowd(control.desk, hosts, signers, control.clock.now(), OWNER)
        control.publisher.wait_witnessed(control.desk.state.size - 1, 60)
        plan = OrderPlan(
            kind="pause",
            scope=Scope(sites=("site-1",)),
            effect="checkpoint-then-stop",
            lasts_s=3_600,
            legal_basis="bench",
            appeal="none: a measurement",
        )
        order = draft_order(control.desk.state, plan, now=SystemClock().now())
    return cast.sign(order, *cast.pause_quorum)


def measure_order(folder: Path, agents: int, loads: int = LOADS) -> Measured:
    """Prepare, start everything, send one order, wait for the last receipt, end everything."""
    raise_files()
    home = Home.open(folder / "home")
    order = prepare(home, agents)
    with _control_plane(home) as control:
        witnesses = _children(control.pid)
        url = control.text("address")
        with _crowds(folder, home, url, agents, loads) as crowds:
            waiting = _status_mb(control.pid, "VmRSS")
            checkpoints = _Checkpoints(home)
            checkpoints.start()
            before = _cpu_s(control.pid), sum(map(_cpu_s, witnesses))
            sent = time.monotonic()
            answer = httpx.post(
                f"{url}/api/v1/statements", content=order.raw, timeout=60.0, trust_env=False
            )
            answered = time.monotonic()
            if not answer.is_success:
                raise RuntimeError(answer.text)
            told = [json.loads(each.stdout.readline()) for each in crowds if each.stdout]
            wall = time.monotonic() - sent
            time.sleep(1.0)
            server_cpu = _cpu_s(control.pid) - before[0]
            witness_cpu = sum(map(_cpu_s, witnesses)) - before[1]
            peak = _status_mb(control.pid, "VmHWM")
            published = checkpoints.end()
    outcomes = _outcomes(folder, loads)
    places = _places(home)
    witnessed = [_witnessed_at(places.get(each.receipt), published) for each in outcomes]
    return Measured(
        agents=agents,
        answered_ms=1e3 * (answered - sent),
        seen_ms=[1e3 * (o.order_seen - sent) for o in outcomes if o.order_seen],
        acknowledged_ms=[1e3 * (o.acknowledged - sent) for o in outcomes if o.acknowledged],
        witnessed_ms=[1e3 * (at - sent) for at in witnessed if at is not None],
        taken_ms=[
            1e3 * (at - o.signed)
            for o, at in zip(outcomes, witnessed, strict=True)
            if at is not None
        ],
        proven_ms=[1e3 * (o.proven - sent) for o in outcomes if o.proven],
        server_rss_mb=peak,
        waiting_rss_mb=waiting,
        server_cpu_s=server_cpu,
        witness_cpu_s=witness_cpu,
        agents_cpu_s=sum(line["cpu_s"] for line in told),
        signed_cpu_s=sum(line["signed_cpu_s"] for line in told),
        wall_s=wall,
        findings=[f"{o.host}: {text}" for o in outcomes for text in o.findings],
    )


def measure(agents: int, loads: int = LOADS) -> list[Row]:
    """The rows of bench/run.py."""
    most = most_files() - SPARE_FILES
    note = (
        ""
        if agents <= most
        else f"this machine lets a process hold {most_files()} files: {most} agents"
    )
    with tempfile.TemporaryDirectory(prefix="sekisho-bench-") as folder:
        found = measure_order(Path(folder), min(agents, most), loads)
    what = f"order to {found.agents:,} agents"
    rows = [
        _row(
            f"{what} -> receipt in a witnessed checkpoint",
            found.witnessed_ms,
            found.agents,
            WITNESSED,
        ),
        _row("  -> order verified by the agent (quorum)", found.seen_ms, found.agents),
        _row("  receipt signed -> in a witnessed checkpoint", found.taken_ms, found.agents),
        _row("  -> receipt acknowledged", found.acknowledged_ms, found.agents),
        _row("  -> order verified with inclusion and cosignatures", found.proven_ms, found.agents),
    ]
    figures: tuple[tuple[str, Unit, float, Target], ...] = (
        ("  last receipt witnessed", "ms", max(found.witnessed_ms, default=0.0), Target()),
        ("  control plane's memory, peak", "MB", found.server_rss_mb, MEMORY),
        ("  control plane's memory, all waiting", "MB", found.waiting_rss_mb, Target()),
        ("  control plane's processor time", "s", found.server_cpu_s, Target()),
        ("  agents' processor time until their receipts", "s", found.signed_cpu_s, Target()),
        ("  agents' processor time", "s", found.agents_cpu_s, Target()),
    )
    rows += [Row(what=w, unit=u, median=v, n=1, target=t) for w, u, v, t in figures]
    if note:
        rows[0] = msgspec.structs.replace(rows[0], note=note)
    for text in found.findings[:5]:
        print(f"finding: {text}", file=sys.stderr)
    return rows


def _row(what: str, values: Sequence[float], wanted: int, target: Target | None = None) -> Row:
    """A figure over all agents; one that misses an agent is no figure."""
    if len(values) < wanted:
        note = f"{wanted - len(values)} of {wanted} agents did not come so far"
        return Row(what=what, unit="ms", target=target or Target(), note=note)
    return row_of(what, "ms", values, target)


@contextmanager
def _control_plane(home: Home) -> Iterator[ChildProcess]:
    """One control plane as `sekisho up` starts it; it folds its whole log before it is ready."""
    arguments = ["--home", str(home.path), "--port", "0", "--parent", str(os.getpid())]
    control = ChildProcess.start(
        "control plane",
        ["sekisho.rehearsal.control", *arguments],
        log=home.logs / "control-plane.log",
        wait_s=START_S,
    )
    try:
        yield control
    finally:
        control.stop()


@contextmanager
def _crowds(
    folder: Path, home: Home, url: str, agents: int, loads: int
) -> Iterator[list[subprocess.Popen[str]]]:
    """The processes of simulated agents, all of them waiting for news."""
    each, started = -(-agents // loads), []
    try:
        for number in range(loads):
            first = number * each + 1
            command = [sys.executable, "-m", "tests.crowd", "--url", url]
            command += ["--trust", str(home.path / "trust.json"), "--public", str(home.public)]
            command += ["--first", str(first), "--count", str(min(each, agents - first + 1))]
            command += ["--out", str(folder / f"crowd-{number}.json")]
            root = Path(__file__).resolve().parent.parent
            started.append(subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=root))
        for process in started:
            line = process.stdout.readline() if process.stdout else ""
            if not line:
                raise RuntimeError("the simulated agents did not start")
        time.sleep(2.0)
        yield started
    finally:
        for process in started:
            if process.poll() is None:
                process.terminate()
            process.wait()


def _outcomes(folder: Path, loads: int) -> list[Outcome]:
    files = [folder / f"crowd-{number}.json" for number in range(loads)]
    return [o for file in files for o in msgspec.json.decode(file.read_bytes(), type=list[Outcome])]


def _places(home: Home) -> dict[str, int]:
    """Every entry's index by its payload's digest, once the control plane has ended."""
    with home.open_entries(home.load_root().origin) as entries:
        return {parse_envelope(raw).digest: index for index, raw in enumerate(entries.envelopes())}


def _witnessed_at(index: int | None, published: Sequence[tuple[float, int]]) -> float | None:
    if index is None:
        return None
    return next((at for at, size in published if size > index), None)


def _cpu_s(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _status_mb(pid: int, field: str) -> float:
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith(f"{field}:"):
            return int(line.split()[1]) * 1024 / 1e6
    raise RuntimeError(f"process {pid} says no {field}")


def _children(pid: int) -> list[int]:
    text = Path(f"/proc/{pid}/task/{pid}/children").read_text()
    return [int(each) for each in text.split()]


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--agents", type=int, default=AGENTS)
    parser.add_argument("--loads", type=int, default=LOADS)
    options = parser.parse_args()
    print(f"load average {os.getloadavg()}", file=sys.stderr)
    for row in measure(options.agents, options.loads):
        print(json.dumps([row.what, row.unit, row.median, row.p99, row.n, row.verdict, row.note]))
