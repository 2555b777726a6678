"""A host that says it halted, real processes that go on, and the verdict that an observation gives."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from sekisho.model.statements import HaltJudged, ObservationMade
from sekisho.observer.main import Observer
from sekisho.observer.process_table import read_process_table
from sekisho.observer.seeing import Surveyor
from sekisho.orders import HaltEvidence, judge_halt
from tests.factory import VERIFIER, host_enrolled
from tests.fakes import Rig, predicates
from tests.served import SystemFakeClock

__all__ = [
    "SPIN",
    "cpu_ticks",
    "halted_rig",
    "judged",
    "observe_with",
    "spinning",
    "stop_and_wait",
    "wait_until",
]

SPIN = "while True: sum(range(10000))"


def halted_rig(run: str) -> Rig:
    """A host with a run of its own name, which handed in a halted-receipt under a pause."""
    rig = Rig(run=run).started(run=run)
    rig.control.issue(rig.control.order())
    rig.run_for(1)
    return rig


def observe_with(rig: Rig, surveyor: Surveyor, *, gap_s: float = 0.3) -> ObservationMade:
    """One pass of an observer with these eyes; what it stated."""
    observer = Observer(
        rig.control,
        VERIFIER[1],
        rig.control.root,
        clock=SystemFakeClock(),
        gap_s=gap_s,
        surveyor=surveyor,
        draw=lambda: 0.5,
    )
    assert observer.pass_once() == 1
    made = predicates(rig.control, "observation-made")[-1]
    assert isinstance(made, ObservationMade)
    return made


def judged(rig: Rig, made: ObservationMade, **changes: object) -> HaltJudged:
    """The verdict over the host's newest halted-receipt and this observation."""
    receipt = next(r for r in reversed(rig.control.receipts) if r.stage == "halted")
    evidence = HaltEvidence(
        host=host_enrolled(),
        order=made.order,
        receipt=receipt,
        receipt_digest=made.receipt,
        receipt_index=made.after.size - 1,
        observation=made,
        observation_digest="9" * 64,
        **changes,  # type: ignore[arg-type]  # the test's own fields
    )
    return judge_halt(evidence, now=made.effective, lapses_after_s=3_600)


@contextmanager
def spinning(*words: str) -> Iterator[subprocess.Popen[bytes]]:
    """A process of ours that computes, with these words on its command line; ended by its id."""
    with subprocess.Popen([sys.executable, "-S", "-c", SPIN, *words]) as process:
        try:
            wait_until(lambda: cpu_ticks(process.pid) > 2)
            yield process
        finally:
            process.send_signal(signal.SIGCONT)  # nothing where it has ended
            process.kill()


def cpu_ticks(pid: int) -> int:
    """Processor time of a process so far, in the kernel's ticks."""
    fields = Path(f"/proc/{pid}/stat").read_bytes().rpartition(b")")[2].split()
    return int(fields[11]) + int(fields[12])


def stop_and_wait(pid: int) -> None:
    """Stop a process, and come back once the kernel shows it stopped."""
    os.kill(pid, signal.SIGSTOP)
    wait_until(lambda: any(r.pid == pid and r.state == "T" for r in read_process_table().rows))


def wait_until(holds: Callable[[], bool], *, within_s: float = 30.0) -> None:
    ends = time.monotonic() + within_s
    while not holds():
        assert time.monotonic() < ends, "what was waited for did not come"
        time.sleep(0.01)
