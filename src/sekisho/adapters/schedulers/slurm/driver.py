"""The Slurm driver: a run as the jobs of a cluster that carry its name, whoever submitted them.

Started, the run is *open*: its jobs may start, and what they hold is counted. Frozen or killed it is closed: jobs that
wait are held, and none starts. `scontrol suspend` stops processes where they are: host memory, device memory and the
devices stay theirs. Ending a job gives all of it back; what may be requeued goes back to the queue, held.
Commands need the rights of SlurmUser or of an operator. Source: scontrol(1), scancel(1), squeue(1) of Slurm 22.05.
"""

from __future__ import annotations

import contextlib
import os
import shlex
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Literal

from sekisho.adapters.schedulers.slurm.commands import SlurmCommands
from sekisho.adapters.schedulers.slurm.config import ClusterFacts, parse_config, stop_bound_s
from sekisho.adapters.schedulers.slurm.gate_file import GATE_NAME, RECORDS_NAME, parse_gate
from sekisho.adapters.schedulers.slurm.job_control import JobControl
from sekisho.adapters.schedulers.slurm.jobs import COMMENT, Job, Phase, parse_jobs, run_of
from sekisho.adapters.schedulers.slurm.memory import DriverMemory
from sekisho.adapters.schedulers.slurm.records import SpanReader
from sekisho.model.errors import InvalidInput, StateConflict, Unavailable
from sekisho.ports.driver import StopMeans, Workload, WorkloadReading
from sekisho.ports.driver_settings import SlurmSettings

__all__ = ["SlurmDriver"]

LOOK_EVERY_S = 0.25
FREEZE_TIMEOUT_S = 8.0
FRESH_S = 0.9
FACTS_EVERY_S = 300.0
RELEASE_EVERY_S = 15.0
STOP_LAST_S = 3.0
ORDERED = ("order-in-force", "order-outstanding")


class SlurmDriver:
    """Implements ports.HeldDriver for the jobs of one run; `folder` holds its own memory."""

    name = "slurm"

    def __init__(self, settings: SlurmSettings, folder: Path) -> None:
        """Raises Corrupt where the memory cannot be read."""
        self._settings = settings
        self._commands = SlurmCommands(settings)
        self._control = JobControl(self._commands)
        self._memory = DriverMemory(folder)
        self._spans = SpanReader(Path(settings.gate) / RECORDS_NAME, self._memory.known.offset)
        self._looked_at_s: float | None = None
        self._released_at_s = 0.0
        self._ours: tuple[Job, ...] = ()
        self._facts: tuple[float, ClusterFacts] | None = None

    @property
    def workload(self) -> Workload | None:
        """The run that was opened last. It has no root process on this host."""
        run = self._memory.known.run
        if not run:
            return None
        return Workload(run=run, root_pid=0, root_start_ticks=0, cgroup="", user=os.geteuid())

    @property
    def stop_time_s(self) -> float:
        """Read from Slurm's KillWait; where Slurm does not answer, from what it said last, or its default."""
        return stop_bound_s(self._cluster().kill_wait_s, self._settings.grace_s)

    # --- the port --------------------------------------------------------------------------

    def start(self, run: str, command: tuple[str, ...], environment: dict[str, str]) -> Workload:
        """Open the run: what was held goes back into the queue, and a command of our own is submitted.

        Raises StateConflict while another run is open, InvalidInput where Slurm refuses the command.
        """
        known = self._memory.known
        if run_of(COMMENT + run) is None:
            raise InvalidInput("needs a plain name", path=f"run {run[:40]!r}")
        if known.run not in ("", run) and not self.is_over():
            raise StateConflict(f"run {known.run} is open already", remedy="end it first")
        if command and not self._settings.batch:
            # The watchdog may be SlurmUser: nobody's command becomes its job unless its own settings say so.
            raise InvalidInput("jobs come from users here", path="command", remedy="leave it out")
        self._memory.keep_first(run=run, phase="open", exit_code=None)
        self._open_up()
        if command:
            self._memory.keep(batch=self._submit(run, command, environment))
        self._looked_at_s = None
        workload = self.workload
        if workload is None:
            raise Unavailable("the run was not remembered")
        return workload

    def read(self) -> WorkloadReading:
        """What the run's jobs do. `processes` counts jobs on nodes, `device_s` what they have held so far."""
        self._look()
        if self._memory.known.phase == "open" and self._memory.known.held:
            self._release_late()
        active = [job for job in self._ours if job.is_active]
        known = self._memory.known
        return WorkloadReading(
            state=self._state(active),
            processes=len(active) + len(known.doubtful),
            cpu_s=0.0,
            exit_code=known.exit_code,
            device_s=self._memory.book.device_s,
        )

    def is_over(self) -> bool:
        """Whether the run is closed and nothing of it is on a node; not known is not over."""
        try:
            if self._looked_at_s is None or time.monotonic() - self._looked_at_s > FRESH_S:
                self._look()
        except Unavailable:
            return False
        return self._state([job for job in self._ours if job.is_active]) == "ended"

    def request_checkpoint(self) -> None:
        """The signal to every running job. Raises StateConflict where none runs.

        A shell that does not expect the signal dies of it, so where the licence only advises nobody is asked, unless
        an order is in force.
        """
        if self._only_advises():
            return
        self._look()
        running = self._in_phase("running")
        if not running:
            raise StateConflict("no job is running that could write a checkpoint")
        to = {"steps": ((),), "batch": (("--batch",),), "both": ((), ("--batch",))}
        for flags in to[self._settings.checkpoint_to]:
            self._control.signal(self._settings.checkpoint_signal, running, *flags)

    def _only_advises(self) -> bool:
        try:
            shown = parse_gate((Path(self._settings.gate) / GATE_NAME).read_bytes())
        except OSError:
            return False
        if shown is None or shown.mode not in ("advise", "block-new"):
            return False
        return shown.rules.get(self._memory.known.run, "") not in ORDERED

    def freeze(self) -> StopMeans:
        """Suspend every job; memory and devices stay theirs. Raises Unavailable where some do not stop."""
        self._close("frozen")
        if not self._act_on("running", self._control.suspend, FREEZE_TIMEOUT_S):
            raise Unavailable("some jobs could not be suspended", remedy="kill them")
        return "slurm-suspend" if any(job.phase == "suspended" for job in self._ours) else "none"

    def thaw(self) -> StopMeans:
        """Open the run again and let suspended jobs go on."""
        if self._memory.known.phase == "open":
            return "none"
        self._memory.keep_first(phase="open")
        self._look()
        suspended = self._in_phase("suspended")
        self._control.resume(suspended)
        self._memory.keep(suspended=())
        self._open_up()
        self._looked_at_s = None
        return "slurm-suspend" if suspended else "none"

    def kill(self) -> StopMeans:
        """End every job and wait until its node is rid of it. Raises Unavailable where some outlive `stop_time_s`.

        What waits is held and never ended, other tasks of the same array included. Where Slurm waits longer than our
        grace before it kills, we do not wait for it.
        """
        deadline = time.monotonic() + self.stop_time_s
        self._close("closed")
        active = [job for job in self._ours if job.is_active]
        if not active and not self._memory.known.doubtful:
            return "none"
        if self._settings.grace_s < self._cluster().kill_wait_s:
            self._terminate_by_signals()
        requeued = [job for job in active if job.may_requeue]
        self._control.requeue_held(requeued)
        self._memory.keep(held=_joined(self._memory.known.held, requeued))
        self._control.cancel(job for job in active if not job.may_requeue)
        self._await_end(deadline)
        return "slurm-requeue-hold" if requeued else "slurm-cancel"

    def reap_leftovers(self) -> tuple[str, ...]:
        """Nothing here: jobs outlive a watchdog, and what is found without a permit is `unpermitted`'s matter."""
        return ()

    def close(self) -> None:
        """Give partitions back. Raises StateConflict while work runs."""
        if not self.is_over():
            raise StateConflict("jobs of the run are on nodes", remedy="end them first")
        self._open_partitions()

    # --- looking ---------------------------------------------------------------------------

    def jobs(self) -> tuple[Job, ...]:
        """Every job that Slurm knows of, of whoever it is. Raises Unavailable."""
        return parse_jobs(self._commands.ask("squeue", "--json"))

    def _look(self) -> None:
        """1. Read the queue and the records. 2. Know our jobs. 3. Charge them. 4. Doubt nodes that are silent."""
        jobs = self.jobs()
        now = time.monotonic()
        gap_s = now - self._looked_at_s if self._looked_at_s is not None else 0.0
        spans = self._spans.read()
        known, before = self._memory.known, self._ours
        mine = [job for job in jobs if self._is_ours(job)]
        self._ours = tuple(mine)
        book = self._memory.book.after(
            mine,
            [span for span in spans if span.run == known.run],
            now_s=time.time(),
            gap_s=gap_s,
        )
        self._memory.book, self._looked_at_s = book, now
        refused = [job for job in mine if job.is_held and job.number in self._spans.refused]
        self._spans.refused -= {job.number for job in refused}
        self._memory.keep(
            held=_joined(known.held, refused),
            members=tuple(job.number for job in mine if job.phase != "ended"),
            doubtful=self._doubtful(before),
            exit_code=self._exit_code(mine),
            settled=f"{book.settled:.3f}",
            offset=self._spans.offset,
        )

    def _is_ours(self, job: Job) -> bool:
        known = self._memory.known
        if not known.run:
            return False
        named = run_of(job.comment) == known.run or job.number in known.members
        # A comment may be changed between the prolog and our first look: the prolog's note holds.
        return named or self._spans.run_of(job.number) == known.run

    def _state(self, active: list[Job]) -> Literal["running", "frozen", "ended"]:
        phase = self._memory.known.phase
        at_work = [job for job in active if job.phase != "suspended"]
        if phase == "open" and not self._is_done():
            return "frozen" if active and not at_work else "running"
        if at_work or self._memory.known.doubtful:
            return "running"
        return "frozen" if active or phase == "frozen" else "ended"

    def _is_done(self) -> bool:
        """Whether a job of our own has ended and nothing else of the run is left."""
        known = self._memory.known
        return known.exit_code is not None and not any(job.is_active for job in self._ours)

    def _exit_code(self, mine: list[Job]) -> int | None:
        known = self._memory.known
        own = next((job for job in mine if job.number == known.batch), None)
        return own.exit_status if own and own.phase == "ended" else known.exit_code

    def _doubtful(self, before: tuple[Job, ...]) -> tuple[str, ...]:
        """Nodes that do not answer, of jobs that have just left them or were doubted before."""
        active = {job.number for job in self._ours if job.is_active}
        left = {job.nodes for job in before if job.is_active and job.number not in active}
        asked = {nodes for nodes in (*left, *self._memory.known.doubtful) if nodes}
        return tuple(sorted(nodes for nodes in asked if not self._answers(nodes)))

    def _answers(self, nodes: str) -> bool:
        """Whether all of a list of nodes answer slurmctld; `*` is its mark of one that does not (sinfo(1))."""
        told = self._commands.ask("sinfo", "-h", "-N", "-n", nodes, "-o", "%T").decode()
        states = told.split()
        return bool(states) and not any(s.endswith("*") or s.startswith("down") for s in states)

    def _cluster(self) -> ClusterFacts:
        now = time.monotonic()
        if self._facts is None or now - self._facts[0] > FACTS_EVERY_S:
            with contextlib.suppress(Unavailable):
                told = self._commands.ask("scontrol", "show", "config").decode(errors="replace")
                self._facts = (now, parse_config(told))
        return self._facts[1] if self._facts else ClusterFacts()

    # --- opening and closing ---------------------------------------------------------------

    def _close(self, phase: Literal["closed", "frozen"]) -> None:
        """From now on nothing of the run starts: remembered first, then the partitions, then what waits."""
        self._memory.keep(phase=phase)
        self._close_partitions()
        self._look()
        waiting = [job for job in self._in_phase("waiting") if not job.is_held]
        self._control.hold(waiting)
        self._memory.keep(held=_joined(self._memory.known.held, waiting))

    def _open_up(self) -> None:
        """Give partitions back and release what we held; a job that a user held stays held."""
        self._released_at_s = time.monotonic()
        self._open_partitions()
        if not self._memory.known.held:
            return
        try:
            self._look()  # what is called by a number may be fewer tasks of an array by now
        except Unavailable:
            return  # still known as held: it is tried again
        held = set(self._memory.known.held)
        self._control.release(job for job in self._ours if job.number in held)
        self._memory.keep(held=())

    def _release_late(self) -> None:
        """Jobs that the gate sent back while it was shut for a moment: let them try again, now and then."""
        if time.monotonic() - self._released_at_s > RELEASE_EVERY_S:
            self._open_up()

    def _close_partitions(self) -> None:
        closed = dict(self._memory.known.partitions)
        for name in self._settings.close_partitions:
            if name not in closed:
                told = self._commands.ask("sinfo", "-h", "-p", name, "-o", "%a").decode().split()
                closed[name] = "UP" if not told or told[0] == "up" else told[0].upper()
                self._memory.keep(partitions=closed)
            self._commands.tell("scontrol", "update", f"PartitionName={name}", "State=DOWN")

    def _open_partitions(self) -> None:
        for name, state in self._memory.known.partitions.items():
            self._commands.tell("scontrol", "update", f"PartitionName={name}", f"State={state}")
        self._memory.keep(partitions={})

    # --- stopping --------------------------------------------------------------------------

    def _terminate_by_signals(self) -> None:
        """SIGTERM, our grace, SIGKILL, to script and steps both. Suspended jobs hear it when they go on."""
        self._send("TERM")
        if not self._wait_for(lambda: not self._in_phase("running"), self._settings.grace_s):
            self._send("KILL")

    def _send(self, signal: str) -> None:
        self._control.signal(signal, self._in_phase("running"), "--full")

    def _in_phase(self, phase: Phase) -> list[Job]:
        return [job for job in self._ours if job.phase == phase]

    def _await_end(self, deadline: float) -> None:
        """Until no job of ours is on a node; what was not requeued after all is cancelled, then killed."""

        def is_gone() -> bool:
            return not any(job.is_active for job in self._ours)

        if not self._wait_for(is_gone, max(deadline - time.monotonic() - STOP_LAST_S, 0.0)):
            self._send("KILL")
            self._control.cancel(job for job in self._ours if job.is_active)
            self._wait_for(is_gone, max(deadline - time.monotonic(), STOP_LAST_S))
        left = sum(job.is_active for job in self._ours)
        if left:
            raise Unavailable(
                f"{left} jobs are still on their nodes after {self.stop_time_s:.0f} s",
                remedy="their processes may wait for a device: look at the nodes",
            )
        doubtful = self._memory.known.doubtful
        if doubtful:
            raise Unavailable(
                f"{', '.join(doubtful)} does not answer: what runs there is not known",
                remedy="bring the node back, or switch it off",
            )

    def _act_on(self, phase: Phase, act: Callable[[list[Job]], None], timeout_s: float) -> bool:
        """Act until no job of ours is in that phase, jobs that come into it meanwhile included."""
        deadline = time.monotonic() + timeout_s
        while True:
            self._look()
            found = self._in_phase(phase)
            if not found:
                return True
            if time.monotonic() > deadline:
                return False
            act(found)

    def _wait_for(self, holds: Callable[[], bool], timeout_s: float) -> bool:
        deadline = time.monotonic() + timeout_s
        while True:
            self._look()
            if holds():
                return True
            if time.monotonic() > deadline:
                return False
            time.sleep(LOOK_EVERY_S)

    # --- a job of our own ------------------------------------------------------------------

    def _submit(self, run: str, command: tuple[str, ...], environment: dict[str, str]) -> int:
        """Our own batch job. Command and environment go in by its script, never by a command line."""
        lines = [
            "#!/bin/sh",
            *(f"export {name}={shlex.quote(value)}" for name, value in sorted(environment.items())),
            f"exec {shlex.join(command)}",
        ]
        script = "\n".join(lines).encode() + b"\n"
        options = ("--parsable", f"--comment={COMMENT}{run}", "--export=NONE", "--requeue")
        try:
            told = self._commands.ask("sbatch", *options, *self._settings.batch, given=script)
        except Unavailable as error:
            raise InvalidInput(
                f"the command cannot be submitted: {error}", path="command"
            ) from None
        number = told.decode(errors="replace").strip().partition(";")[0]
        if not number.isdigit():
            raise Unavailable("sbatch told no job number")
        return int(number)


def _joined(known: tuple[int, ...], more: Iterable[Job]) -> tuple[int, ...]:
    return tuple(sorted({*known, *(job.number for job in more)}))
