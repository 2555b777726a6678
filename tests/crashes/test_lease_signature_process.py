"""The process that tries hosts' signatures is killed under its issuer, and the issuer under it."""

from __future__ import annotations

import os
import select
import signal
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import pytest

from sekisho.adapters.keys.checker import SignatureProcess
from sekisho.operations.leasing import LeaseCounter
from tests.desks import TestDesk
from tests.holders import QUANTUM, Holder, books_of, leaf_of, license_hosts

HOLDERS, ROUNDS, BUDGET = 64, 6, 10**18

ISSUER = """
import sys
from sekisho.adapters.keys.checker import SignatureProcess
check = SignatureProcess()
check.begin([(b"", b"", b"")]).result()
print(check.pid, flush=True)
sys.stdin.read()
"""


def renew(counter: LeaseCounter, holder: Holder) -> int:
    """Ask, spend one quantum, give the rest back; how many leases it was granted."""
    for _ in range(ROUNDS):
        lease = counter.grant(holder.request())
        holder.took()
        counter.take_receipt(holder.receipt(leaf_of(lease), stage="final", reserved=QUANTUM))
    return holder.lease_number


def kill_often(check: SignatureProcess, stopping: threading.Event) -> int:
    """Kill whatever process tries signatures, each soon after it was started; how many were killed."""
    killed: set[int] = set()
    while not stopping.wait(0.01):
        pid = check.pid
        if pid is not None and pid not in killed:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
            killed.add(pid)
    return len(killed)


@pytest.mark.parametrize("rest_s", [0.0, 3_600.0], ids=["replaced", "not replaced"])
def test_the_process_that_tries_signatures_is_killed_at_the_peak(
    tmp_path: Path, rest_s: float
) -> None:
    """Every holder is answered all the same, and the books are exact."""
    check, stopping = SignatureProcess(rest_s=rest_s), threading.Event()
    with TestDesk(tmp_path) as desk, ThreadPoolExecutor(HOLDERS + 1) as pool:
        licence = license_hosts(desk.desk, HOLDERS, budget_flop=BUDGET)
        counter = LeaseCounter(desk.desk, signatures=check)
        counter.load()
        killing = pool.submit(kill_often, check, stopping)
        try:
            holders = [Holder(number, licence.leaf) for number in range(1, HOLDERS + 1)]
            granted = list(pool.map(lambda holder: renew(counter, holder), holders))
        finally:
            stopping.set()
            check.close()
        assert killing.result() >= 1
        assert granted == [ROUNDS] * HOLDERS
        spent = HOLDERS * ROUNDS * QUANTUM
        assert books_of(desk.desk)[""] == (BUDGET - spent, 0, spent, 0, 0)


def test_the_issuer_is_killed_and_the_process_that_tries_signatures_ends() -> None:
    """It has lost whom it answers, and nobody is left to end it."""
    issuer = subprocess.Popen(
        [sys.executable, "-c", ISSUER], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    try:
        assert issuer.stdout is not None
        watched = os.pidfd_open(int(issuer.stdout.readline()))
        issuer.kill()
        ended, _, _ = select.select([watched], [], [], 60)
        os.close(watched)
        assert ended
    finally:
        issuer.kill()
        issuer.communicate()
