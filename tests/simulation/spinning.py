"""Runs Spin over the models: complete searches of the honest ones, counterexamples of the mutated ones.

`python -m tests.simulation.spinning` is `make verify-model`. A model *holds* only where the search was complete: no
depth limit reached, memory enough, no lossy hashing (pan is built without BITSTATE and hash compaction). Source:
protocol section 14: invariants 1 and 4 (models/lease.pml), 2, 3 and 7 (models/orders.pml); docs/verification.md.
"""

from __future__ import annotations

import re
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Literal

import msgspec

__all__ = [
    "HONEST",
    "MODELS",
    "MUTANTS",
    "ORDERS",
    "ORDER_MUTANTS",
    "SMALL",
    "SMALL_ORDERS",
    "Row",
    "Search",
    "main",
    "search",
    "simulate",
    "trail",
]

MODELS = Path(__file__).parents[2] / "models"
MEMORY_MIB = 7_500  # the whole run shall fit 8 GB
DEPTH = 100_000
COMPILE = ("gcc", "-w", "-DSAFETY", "-DVECTORSZ=512", f"-DMEMLIM={MEMORY_MIB}")
# Where states are large they are stored in parts; where nearly every step is seen by all, no order of steps saves any.
STORE = {"lease": ("-DCOLLAPSE",), "orders": ("-DNOREDUCE",)}

Verdict = Literal["holds", "fails", "unverifiable"]


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """One model: its flags for Spin, and whether a counterexample is what is asked for."""

    name: str
    ticks: int = 6
    leases: int = 3
    tiers: tuple[int, int] = (0, 0)
    fork: str = ""
    mutant: str = ""
    only_first: bool = False  # the time bound alone is to be what fails
    model: Literal["lease", "orders"] = "lease"
    hosts: int = 2
    options: tuple[str, ...] = ()  # of models/orders.pml

    @property
    def file(self) -> Path:
        return MODELS / f"{self.model}.pml"

    @property
    def flags(self) -> tuple[str, ...]:
        mutant = [f"-DMUTANT={self.mutant}"] if self.mutant else []
        if self.model == "orders":
            options = [f"-D{option}" for option in self.options]
            return (f"-DTICKS={self.ticks}", f"-DHOSTS={self.hosts}", *options, *mutant)
        first, second = self.tiers
        flags = [f"-DTICKS={self.ticks}", f"-DLEASES={self.leases}"]
        flags += [f"-DTIER0={first}", f"-DTIER1={second}"]
        flags += [f"-D{self.fork}"] if self.fork else []
        flags += ["-DONLY_INVARIANT_1"] if self.only_first else []
        return (*flags, *mutant)

    @property
    def bound(self) -> str:
        if self.model == "orders":
            hosts = "1 host" if self.hosts == 1 else f"{self.hosts} hosts"
            resumes = "2 resumes" if "RELEASES=2" in self.options else "1 resume"
            return f"{hosts}, 2 orders, {resumes}, {self.ticks} ticks"
        return f"2 hosts, {self.leases} leases, {self.ticks} ticks"


class Search(msgspec.Struct, frozen=True, kw_only=True):
    """What a search came to: verdict, states stored, deepest path, seconds, MiB, and what was violated."""

    verdict: Verdict
    states: int
    depth: int
    seconds: float
    memory_mib: float
    why: str = ""


HONEST = (
    Row(name="both online-only"),
    Row(name="online-only and C2", tiers=(0, 2)),
    Row(name="both C2", tiers=(2, 2)),
    Row(name="host cloned", leases=2, fork="CLONE"),
    Row(name="disk restored, C2", leases=2, tiers=(2, 0), fork="RESTORE"),
)
MUTANTS = (
    Row(name="no watchdog", leases=2, mutant="NO_WATCHDOG", only_first=True),
    Row(name="permit by earliest", leases=2, mutant="PERMIT_BY_EARLIEST", only_first=True),
    Row(name="credit before receipt", leases=3, tiers=(2, 2), mutant="CREDIT_BEFORE_RECEIPT"),
    Row(name="counter before state", leases=2, mutant="COUNTER_BEFORE_STATE"),
    Row(name="lease without nonce", leases=2, mutant="LEASE_WITHOUT_NONCE", only_first=True),
    Row(name="lease replayed", leases=2, mutant="LEASE_REPLAYED"),
    Row(name="grant beyond books", mutant="GRANT_BEYOND_BOOKS"),
    Row(name="forfeit before clock error", leases=2, mutant="FORFEIT_BEFORE_CLOCK_ERROR"),
    Row(name="no acknowledgement", leases=2, fork="CLONE", mutant="NO_ACKNOWLEDGEMENT"),
    Row(
        name="clock forgotten at restart",
        leases=2,
        tiers=(2, 2),
        mutant="CLOCK_FORGOTTEN_AT_RESTART",
        only_first=True,
    ),
    Row(name="switch uncovered", mutant="SWITCH_UNCOVERED"),
    Row(name="close while running", leases=2, mutant="CLOSE_WHILE_RUNNING"),
    Row(
        name="reboot forgotten at restart",
        leases=2,
        tiers=(2, 2),
        mutant="REBOOT_FORGOTTEN_AT_RESTART",
        only_first=True,
    ),
)


def _orders(name: str, *options: str, ticks: int = 3, hosts: int = 1, mutant: str = "") -> Row:
    return Row(name=name, model="orders", ticks=ticks, hosts=hosts, options=options, mutant=mutant)


ORDERS = (
    _orders("two pauses, both hosts", hosts=2),
    _orders("two pauses, day of two ticks", "LEASE=2", ticks=6),
    _orders("two pauses, second host", "LEASE=2", "SECOND", ticks=6),
    _orders("two pauses, two resumes", "RELEASES=2", ticks=5),
    _orders("two pauses that lapse", "LEASE=2", "PAUSE_LAPSES", ticks=6),
    _orders("pause and hold", "LEASE=2", "HOLD", ticks=6),
    _orders("pause and cap", "LEASE=2", "CAP", ticks=6),
    _orders("pause and cap, two resumes", "CAP", "RELEASES=2", ticks=5),
    _orders("two drafts of one number", "LEASE=2", "TWIN", ticks=6),
    _orders("clock behind", "LEASE=2", "LAG", ticks=5),
    _orders("outage declared", "OUTAGE", ticks=4),
    _orders("signatures, withdrawals", "QUORUMS", ticks=3),
)
ORDER_MUTANTS = (
    _orders("resume on sight", mutant="RESUME_ON_SIGHT"),
    _orders("resume names another order", mutant="RESUME_NAMES_ANOTHER"),
    _orders("quorum per key", "QUORUMS", ticks=1, mutant="QUORUM_PER_KEY"),
    _orders("key counted twice", "QUORUMS", ticks=1, mutant="KEY_COUNTED_TWICE"),
    _orders("withdrawn counted", "QUORUMS", ticks=1, mutant="WITHDRAWN_COUNTED"),
    _orders("head ignored", mutant="HEAD_IGNORED"),
    _orders("grant while covered", mutant="GRANT_WHILE_COVERED"),
    _orders("expiry lapses", mutant="EXPIRY_LAPSES"),
    _orders("expiry by latest", "PAUSE_LAPSES", mutant="EXPIRY_BY_LATEST"),
    _orders("gap is stale", mutant="GAP_IS_STALE"),
    _orders("other digest taken", "TWIN", mutant="OTHER_DIGEST_TAKEN"),
    _orders("unwitnessed survives", "HOLD", mutant="UNWITNESSED_SURVIVES"),
    _orders("witnessed lapses", mutant="WITNESSED_LAPSES"),
    _orders("watchdog missing", mutant="NO_WATCHDOG"),
    _orders("lapsed refolded", "TWIN", mutant="LAPSED_REFOLDED"),
    _orders("receipt before kept", mutant="RECEIPT_BEFORE_KEPT"),
    _orders("seen by earliest", "LAG", mutant="SEEN_BY_EARLIEST"),
    _orders("head lost at lapse", mutant="HEAD_LOST_AT_LAPSE"),
    _orders("outage over order", "OUTAGE", mutant="OUTAGE_OVER_ORDER"),
    _orders("outage by one", "OUTAGE", ticks=2, mutant="OUTAGE_BY_ONE"),
    _orders("cap loosens a pause", "CAP", ticks=2, mutant="CAP_LOOSENS_PAUSE"),
    _orders("cap on sight", "CAP", ticks=2, mutant="CAP_ON_SIGHT"),
    _orders("cap lifted on sight", "CAP", ticks=2, mutant="CAP_LIFTED_ON_SIGHT"),
)
SMALL_ORDERS = (
    _orders("two pauses, both hosts", hosts=2, ticks=0),
    _orders("two pauses"),
    _orders("two pauses, second host", "SECOND"),
    _orders("two pauses that lapse", "PAUSE_LAPSES"),
    _orders("pause and hold", "HOLD"),
    _orders("pause and cap", "CAP"),
    _orders("two drafts of one number", "TWIN"),
    _orders("clock behind", "LAG", ticks=2),
    _orders("outage declared", "OUTAGE", ticks=2),
    _orders("signatures, withdrawals", "QUORUMS", ticks=0),
)
SMALL = tuple(msgspec.structs.replace(row, ticks=2) for row in HONEST)


def search(row: Row, *, limit_s: float = 900.0, optimise: str = "-O2") -> Search:
    """Search a model in a folder of its own. Raises CalledProcessError where Spin or the compiler refuse it.

    The compiler takes longer to optimise a search than a small one takes unoptimised.
    """
    with tempfile.TemporaryDirectory(prefix="sekisho-spin-") as folder:
        return _search(row, Path(folder), limit_s, optimise)


def trail(row: Row, *, limit_s: float = 900.0) -> list[str]:
    """The steps of a counterexample in the order in which they happen; none where the model has none."""
    with tempfile.TemporaryDirectory(prefix="sekisho-spin-") as name:
        folder = Path(name)
        _search(row, folder, limit_s, "-O0")
        left = f"{row.file.name}.trail"
        if not (folder / left).is_file():
            return []
        shown = _run(("spin", "-k", left, "-t", *row.flags, str(row.file)), folder, 60)
        return re.findall(r"STEP .*", shown.stdout)


def simulate(row: Row, seed: int, steps: int) -> list[str]:
    """The lines of one random walk through a model: STEP, then HOST and BOOK as they are after it."""
    command = ("spin", "-DTRACE", *row.flags, f"-n{seed}", f"-u{steps}", "-T", str(row.file))
    with tempfile.TemporaryDirectory(prefix="sekisho-spin-") as folder:  # Spin writes where it runs
        walked = _run(command, Path(folder), 60)
    return re.findall(r"^(?:STEP|HOST|BOOK|ORDER) .*$", walked.stdout, re.MULTILINE)


def main(arguments: list[str]) -> int:
    """One table; 1 where an honest model fails or was not searched whole, or a mutated one holds."""
    small = "--small" in arguments
    honest = SMALL + SMALL_ORDERS if small else HONEST + ORDERS
    rows = honest + MUTANTS + ORDER_MUTANTS
    version = _run(("spin", "-V"), MODELS, 10).stdout.strip()
    stored = "; ".join(f"{model} {' '.join(how)}" for model, how in STORE.items())
    _say(f"{version}; {' '.join(COMPILE)} -O2 ({stored}); pan -E -m{DEPTH}")
    _say(_line("model", "bound", "states", "depth", "seconds", "MiB", "verdict"))
    wrong = 0
    for row in rows:
        found = search(row)
        wanted: Verdict = "fails" if row.mutant else "holds"
        wrong += found.verdict != wanted
        asked = "" if found.verdict == wanted else f"  WRONG, {wanted} was asked for"
        name = f"mutant: {row.name}" if row.mutant else row.name
        figures = (f"{found.states:,}", f"{found.depth:,}", f"{found.seconds:.1f}")
        _say(_line(name, row.bound, *figures, f"{found.memory_mib:.0f}", found.verdict + asked))
        if found.why and (asked or row.mutant):
            _say(f"    {found.why}")
    return 1 if wrong else 0


def _search(row: Row, folder: Path, limit_s: float, optimise: str) -> Search:
    _run(("spin", "-a", *row.flags, str(row.file)), folder, 60, check=True)
    compiler = (*COMPILE, *STORE[row.model], optimise)
    _run((*compiler, "-o", "pan", "pan.c"), folder, 300, check=True)
    try:
        told = _run(("./pan", "-E", f"-m{DEPTH}", "-w22"), folder, limit_s).stdout
    except subprocess.TimeoutExpired:
        why = f"not done after {limit_s:.0f} s"
        return Search(
            verdict="unverifiable", states=0, depth=0, seconds=limit_s, memory_mib=0.0, why=why
        )
    return judge(told)


def judge(told: str) -> Search:
    """What pan's words come to; anything that shortened the search makes a model without errors unverifiable."""
    errors = re.search(r"errors: (\d+)", told)
    cut = [
        word
        for word in (
            "max search depth too small",
            "out of memory",
            "memory limit",
            "Search not completed",
        )
        if word in told
    ]
    verdict: Verdict = "unverifiable"
    if errors is not None and int(errors[1]) > 0:
        verdict = "fails" if "assertion violated" in told else "unverifiable"
    elif errors is not None and not cut and "Full statespace search" in told:
        verdict = "holds"
    violated = re.search(r"assertion violated (?:\((\w+)\|\|)?(.*?) \(at depth", told)
    return Search(
        verdict=verdict,
        states=int(_figure(r"(\d+) states, stored", told)),
        depth=int(_figure(r"depth reached (\d+)", told)),
        seconds=_figure(r"elapsed time ([0-9.e+-]+) seconds", told),
        memory_mib=_figure(r"([0-9.]+)\s+total actual memory usage", told),
        why=(violated[1] or violated[2]).strip() if violated else "; ".join(cut),
    )


def _figure(pattern: str, told: str) -> float:
    found = re.search(pattern, told)
    return float(found[1]) if found else 0.0


def _line(*cells: str) -> str:
    widths = (36, 40, 12, 7, 8, 7, 0)
    return " ".join(
        cell.ljust(width) if place in (0, 1, 6) else cell.rjust(width)
        for place, (cell, width) in enumerate(zip(cells, widths, strict=True))
    )


def _run(
    command: tuple[str, ...], folder: Path, limit_s: float, *, check: bool = False
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command, cwd=folder, timeout=limit_s, capture_output=True, text=True, check=check
    )


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
