"""`python bench/lease_renewals.py [--hosts N] [--rounds N]`: lease renewals a second on this machine, books durable.

A renewal is all that an issuer does from one lease of a host to its next: the request's signature verified, the lease
decided, signed and durable in the log; then the final receipt verified, kept, acknowledged under the issuer's
signature, and the lease closed in the log. Hosts' own signatures are made before the clock runs, the issuer's are
inside. 64 holders ask at once, and everything is synced as in operation. Witnessing comes after, measured elsewhere.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

from row import Row, Target

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from tests.desks import TestDesk
from tests.holders import Holder, books_of, license_hosts

__all__ = ["measure", "measure_renewals"]

HOLDERS = 64
LEAST = 1_000
SWITCH_S = 0.0005
A = TypeVar("A")
B = TypeVar("B")


def measure_renewals(folder: Path, hosts: int, rounds: int) -> list[float]:
    """Renewals a second of each round, over a fresh log in this folder."""
    with TestDesk(folder) as desk, ThreadPoolExecutor(HOLDERS) as pool:
        licence = license_hosts(desk.desk, hosts, budget_flop=10**18)
        holders = [Holder(n, licence.leaf) for n in range(1, hosts + 1)]
        rates = [_round(desk, holders, pool) for _ in range(rounds)]
        accounts = books_of(desk.desk)[""]
        if accounts[1]:
            raise RuntimeError(f"leases are left open: {accounts}")
        return rates


def _round(desk: TestDesk, holders: Sequence[Holder], pool: ThreadPoolExecutor) -> float:
    requests = [holder.request() for holder in holders]
    granted, asking_s = _timed(pool, desk.leases.grant, requests)
    receipts = []
    for holder, lease in zip(holders, granted, strict=True):
        holder.took()
        receipts.append(holder.receipt(lease.admitted.leaf, stage="final"))
    _, closing_s = _timed(pool, desk.leases.take_receipt, receipts)
    return len(holders) / (asking_s + closing_s)


def _timed(
    pool: ThreadPoolExecutor, ask: Callable[[A], B], asked: Sequence[A]
) -> tuple[list[B], float]:
    start = time.perf_counter()
    answers = list(pool.map(ask, asked))
    return answers, time.perf_counter() - start


def measure(hosts: int, rounds: int) -> list[Row]:
    """The row of bench/run.py: the median of several rounds."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(SWITCH_S)
    try:
        with tempfile.TemporaryDirectory(prefix="sekisho-bench-") as folder:
            rates = sorted(measure_renewals(Path(folder), hosts, rounds))
    finally:
        sys.setswitchinterval(before)
    return [
        Row(
            what=f"lease renewals, {HOLDERS} holders at once: granted, spent, closed, all durable",
            unit="/s",
            median=rates[len(rates) // 2],
            n=hosts * rounds,
            target=Target(least=LEAST),
        )
    ]


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--hosts", type=int, default=1_000)
    parser.add_argument("--rounds", type=int, default=5)
    told = parser.parse_args()
    for row in measure(told.hosts, told.rounds):
        print(json.dumps([row.what, row.unit, row.median, row.n, row.target.least]))
