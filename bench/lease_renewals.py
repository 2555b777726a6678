"""`python bench/lease_renewals.py [--hosts N] [--rounds N]`: lease renewals a second on this machine, books durable.

A renewal is all that an issuer does from one lease of a host to its next: the request's signature verified, the lease
decided, signed and durable in the log; then the final receipt verified, kept, acknowledged under the issuer's
signature, and the lease closed in the log. Hosts' own signatures are made before the clock runs, the issuer's are
inside. 64 holders ask at once, each again as soon as it is answered, and all is synced as in operation. They have no
threads, as behind a server that waits for sockets; a second row gives each a thread of the issuer's own process, as
`sekisho up` does today, whose waking counts too. Witnessing comes after, measured elsewhere.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from queue import SimpleQueue
from typing import Any

from row import Row, Target

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from sekisho.adapters.keys.checker import SignatureProcess
from sekisho.model.errors import SekishoError
from sekisho.operations.leasing import LeaseCounter
from tests.desks import TestDesk
from tests.holders import Holder, books_of, license_hosts

__all__ = ["measure", "measure_renewals"]

HOLDERS = 64
LEAST = 1_000
Enqueue = Callable[[bytes, Callable[[Any], None]], None]


def measure_renewals(
    folder: Path, hosts: int, rounds: int, *, threads: bool = False
) -> tuple[list[float], float]:
    """Renewals a second of each round, over a fresh log in this folder; and processor milliseconds a renewal.

    Of the latter, those of the process that tries signatures are counted too. With `threads` each holder is one.
    """
    check = SignatureProcess()
    try:
        with TestDesk(folder) as desk:
            desk.leases = LeaseCounter(desk.desk, signatures=check)
            desk.leases.load()
            licence = license_hosts(desk.desk, hosts, budget_flop=10**18)
            holders = [Holder(n, licence.leaf) for n in range(1, hosts + 1)]
            counter = _Threaded(desk.leases) if threads else desk.leases
            rounds_run = [_round(counter, holders, check) for _ in range(rounds)]
            accounts = books_of(desk.desk)[""]
            if accounts[1]:
                raise RuntimeError(f"leases are left open: {accounts}")
    finally:
        check.close()
    spent = sum(cpu_s for _, cpu_s in rounds_run)
    return [rate for rate, _ in rounds_run], 1_000 * spent / (hosts * rounds)


class _Threaded:
    """The counter with one thread for each holder, which waits for its answer and then asks for the next."""

    def __init__(self, counter: LeaseCounter) -> None:
        self._counter = counter
        self._holders = [SimpleQueue[Callable[[], None]]() for _ in range(HOLDERS)]
        self._turn = 0
        for asked in self._holders:
            threading.Thread(target=_hold, args=(asked,), daemon=True).start()

    def enqueue_request(self, raw: bytes, tell: Callable[[Any], None]) -> None:
        self._put(self._counter.grant, raw, tell)

    def enqueue_receipt(self, raw: bytes, tell: Callable[[Any], None]) -> None:
        self._put(self._counter.take_receipt, raw, tell)

    def _put(self, ask: Callable[[bytes], object], raw: bytes, tell: Callable[[Any], None]) -> None:
        """In the asking holder's own thread where it asks again, else in the next one's."""
        mine: SimpleQueue[Callable[[], None]] | None = getattr(_HOLDING, "asked", None)
        if mine is None:
            mine, self._turn = self._holders[self._turn % HOLDERS], self._turn + 1
        mine.put(lambda: _tell_answer(ask, raw, tell))


_HOLDING = threading.local()


def _hold(asked: SimpleQueue[Callable[[], None]]) -> None:
    _HOLDING.asked = asked
    while True:
        asked.get()()


def _tell_answer(ask: Callable[[bytes], object], raw: bytes, tell: Callable[[Any], None]) -> None:
    try:
        answer = ask(raw)
    except SekishoError as error:
        tell(error)
    else:
        tell(answer)


def _round(
    counter: LeaseCounter | _Threaded, holders: Sequence[Holder], check: SignatureProcess
) -> tuple[float, float]:
    """Renewals a second, and the processor seconds that they took."""
    requests = [holder.request() for holder in holders]
    granted, asking = _timed(counter.enqueue_request, requests, check)
    receipts = []
    for holder, lease in zip(holders, granted, strict=True):
        holder.took()
        receipts.append(holder.receipt(lease.admitted.leaf, stage="final"))
    _, closing = _timed(counter.enqueue_receipt, receipts, check)
    return len(holders) / (asking[0] + closing[0]), asking[1] + closing[1]


def _timed(
    enqueue: Enqueue, asked: Sequence[bytes], check: SignatureProcess
) -> tuple[list[Any], tuple[float, float]]:
    """The answers in order, the wall and the processor seconds. Each holder asks again once it is answered."""
    answers: list[Any] = [None] * len(asked)
    done = threading.Semaphore(0)

    def ask(number: int) -> None:
        enqueue(asked[number], lambda answer: take(number, answer))

    def take(number: int, answer: object) -> None:
        answers[number] = answer
        if number + HOLDERS < len(asked):
            ask(number + HOLDERS)
        else:
            done.release()

    holders = min(HOLDERS, len(asked))
    spent_s, start = _spent_s(check), time.perf_counter()
    for number in range(holders):
        ask(number)
    for _ in range(holders):
        done.acquire()
    wall_s = time.perf_counter() - start
    spent_s = _spent_s(check) - spent_s
    for answer in answers:
        if isinstance(answer, Exception):
            raise answer
    return answers, (wall_s, spent_s)


def _spent_s(check: SignatureProcess) -> float:
    """Processor time of this process and of the one that tries signatures, where it runs."""
    if check.pid is None:
        return time.process_time()
    fields = Path(f"/proc/{check.pid}/stat").read_text().rpartition(")")[2].split()
    ticks = int(fields[11]) + int(fields[12])
    return time.process_time() + ticks / os.sysconf("SC_CLK_TCK")


def measure(hosts: int, rounds: int) -> list[Row]:
    """The rows of bench/run.py: the median of several rounds, and what a renewal costs."""
    rows = []
    for threads in (False, True):
        with tempfile.TemporaryDirectory(prefix="sekisho-bench-") as folder:
            rates, cpu_ms = measure_renewals(Path(folder), hosts, rounds, threads=threads)
        what = f"lease renewals, {HOLDERS} holders at once: granted, spent, closed, all durable"
        rows += [
            Row(
                what="  the same, a thread of this process for each holder" if threads else what,
                unit="/s",
                median=statistics.median(rates),
                n=hosts * rounds,
                target=Target() if threads else Target(least=LEAST),
            ),
            Row(
                what="  processor time a renewal, both processes",
                unit="ms",
                median=cpu_ms,
                n=hosts * rounds,
            ),
        ]
    return rows


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--hosts", type=int, default=1_000)
    parser.add_argument("--rounds", type=int, default=5)
    told = parser.parse_args()
    for row in measure(told.hosts, told.rounds):
        print(json.dumps([row.what, row.unit, row.median, row.n, row.target.least]))
