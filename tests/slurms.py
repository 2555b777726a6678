"""A Slurm cluster of the tests' own: Debian's real daemons in a temporary folder, on ports of loopback, two nodes.

The nodes' accelerators are empty files, so what is handed out, counted and taken back is real, and what computes is
not. Every daemon is a child of this process and is ended by its id.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import msgspec

from sekisho.adapters.clocks import SystemClock
from sekisho.adapters.schedulers.slurm import GateFile, SlurmDriver
from sekisho.adapters.schedulers.slurm.gate_file import RECORDS_NAME
from sekisho.app.slurm import install_gate
from sekisho.model.statements import Mode
from sekisho.ports.driver_settings import SlurmSettings
from sekisho.ports.gate import GatePicture, RunGate
from tests.ports import free_ports

__all__ = ["Cluster", "find_slurm", "start_cluster"]

DAEMONS = ("slurmctld", "slurmd", "munged")
_PATH = f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin"
_CONF = """\
ClusterName=rehearsal
SlurmctldHost={host}(127.0.0.1)
SlurmUser={user}
SlurmdUser={user}
SlurmctldPort={ctld}
FirstJobId={first_job}
AuthType=auth/munge
AuthInfo=socket={folder}/munge/socket
CredType=cred/munge
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool-%n
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd-%n.pid
SlurmctldLogFile={folder}/slurmctld.log
SlurmdLogFile={folder}/slurmd-%n.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU
GresTypes=gpu
SchedulerType=sched/backfill
SchedulerParameters=bf_interval=1,bf_resolution=1,sched_min_interval=1000,batch_sched_delay=0
KillWait={kill_wait}
SlurmdTimeout={slurmd_timeout}
MessageTimeout=5
TCPTimeout=1
ReturnToService=2
MpiDefault=none
SlurmdParameters=config_overrides
SwitchType=switch/none
Epilog={folder}/node-epilog
MailProg=/bin/true
NodeName=n1 NodeHostname={host} NodeAddr=127.0.0.1 Port={n1} CPUs=128 RealMemory=1000 Gres=gpu:{gpus}
NodeName=n2 NodeHostname={host} NodeAddr=127.0.0.1 Port={n2} CPUs=128 RealMemory=1000 Gres=gpu:{gpus}
PartitionName=gpu Nodes=n1,n2 Default=YES MaxTime=INFINITE
PartitionName=cpu Nodes=n1,n2 MaxTime=INFINITE
"""


def find_slurm() -> bool:
    """Whether this machine has the daemons, and this user may start them: a node's daemon works for others as root."""
    return os.geteuid() == 0 and all(shutil.which(name, path=_PATH) for name in DAEMONS)


class Cluster:
    """A cluster that runs. `etc` holds slurm.conf; `environment` is what its commands need.

    While the file `hang` exists no job that has ended leaves its node.
    """

    def __init__(self, folder: Path, *, gpus: int, kill_wait: int, slurmd_timeout: int) -> None:
        self.folder = folder
        self.etc = folder / "etc"
        self.gate = folder / "gate"
        self.environment = {
            "PATH": _PATH,
            "SLURM_CONF": str(self.etc / "slurm.conf"),
            "LC_ALL": "C.UTF-8",
        }
        self._daemons: dict[str, subprocess.Popen[bytes]] = {}
        for name in ("etc", "gate", "state", "munge", "gpu", "spool-n1", "spool-n2"):
            (folder / name).mkdir()
        ctld, n1, n2 = free_ports(3)
        host = socket.gethostname().partition(".")[0]
        text = _CONF.format(
            host=host,
            user="root",
            ctld=ctld,
            # Several clusters share this machine: who looks for a job's processes must not find another's.
            first_job=ctld * 100,
            n1=n1,
            n2=n2,
            folder=folder,
            kill_wait=kill_wait,
            gpus=gpus,
            slurmd_timeout=slurmd_timeout,
        )
        (self.etc / "slurm.conf").write_text(text)
        self.hang = folder / "hang"
        epilog = folder / "node-epilog"
        # A job leaves its node only once its epilog is done: while the file is there, none does.
        epilog.write_text(f"#!/bin/sh\nwhile [ -e {self.hang} ]; do sleep 0.1; done\n")
        epilog.chmod(0o755)
        for number in range(2 * gpus):
            (folder / "gpu" / f"gpu{number}").touch()
        (self.etc / "gres.conf").write_text(
            f"NodeName=n1 Name=gpu File={folder}/gpu/gpu[0-{gpus - 1}]\n"
            f"NodeName=n2 Name=gpu File={folder}/gpu/gpu[{gpus}-{2 * gpus - 1}]\n"
        )

    @property
    def settings(self) -> SlurmSettings:
        """What the driver of a run on this cluster is told."""
        return SlurmSettings(gate=str(self.gate), conf=self.environment["SLURM_CONF"])

    def start(self) -> None:
        """Until both nodes are idle. Raises TimeoutError with what the daemons said."""
        munge = self.folder / "munge"
        (munge / "key").write_bytes(os.urandom(128))
        (munge / "key").chmod(0o400)
        files = {"key-file": "key", "socket": "socket", "pid-file": "pid", "seed-file": "seed"}
        words = [f"--{option}={munge / name}" for option, name in files.items()]
        # --force: a temporary folder's parents may be written by others, which munged else refuses.
        threads = ("--num-threads=10", f"--log-file={munge / 'log'}")
        self._spawn("munged", "munged", "--foreground", "--force", *threads, *words)
        self.wait_for("munged", (munge / "socket").exists)
        self.start_controller()
        for node in ("n1", "n2"):
            self.start_node(node)
        self.wait_for("two idle nodes", self._is_idle)

    def _is_idle(self) -> bool:
        return set(self.ask("sinfo -h -p gpu -N -o %N:%T").split()) == {"n1:idle", "n2:idle"}

    def start_controller(self) -> None:
        self._spawn("slurmctld", "slurmctld", "-D")
        self.wait_for("slurmctld", lambda: "UP" in self.ask("scontrol ping"))

    def restart_controller(self) -> None:
        """What a change of plugins or prologs needs; jobs and state stay."""
        self.end("slurmctld")
        self.start_controller()

    def start_node(self, node: str) -> None:
        self._spawn(node, "slurmd", "-D", "-N", node)

    def kill(self, name: str) -> None:
        """End one daemon without a word, as a power cut does."""
        self._daemons[name].kill()
        self._daemons.pop(name).wait()

    def end(self, name: str) -> None:
        daemon = self._daemons.pop(name)
        daemon.send_signal(signal.SIGTERM)
        try:
            daemon.wait(10)
        except subprocess.TimeoutExpired:
            daemon.kill()
            daemon.wait()

    def stop(self) -> None:
        """End all jobs, then all daemons, the nodes first."""
        if "slurmctld" in self._daemons:
            self.clear()
        for name in ("n1", "n2", "slurmctld", "munged"):
            if name in self._daemons:
                self.end(name)

    def clear(self) -> None:
        """No job is left: the hard way, since some of them ignore the soft one."""
        for partition in ("gpu", "cpu"):
            self.run("scancel", "--signal=KILL", "--full", f"--partition={partition}")
            self.run("scancel", f"--partition={partition}")
        with contextlib.suppress(TimeoutError):
            self.wait_for("an empty queue", lambda: not self.ask("squeue -h -o %A"))

    # --- as the agent ----------------------------------------------------------------------

    def show(
        self, *runs: RunGate, mode: Mode = "kill", for_s: float = 60.0, grace_s: int = 0
    ) -> None:
        """Show the gate a picture of these runs."""
        now = SystemClock().now()
        picture = GatePicture(
            host="host-1",
            mode=mode,
            written=now,
            until=now.plus(for_s),
            runs=runs,
            grace_s=grace_s,
        )
        GateFile(self.gate).show(picture)

    def advise(self) -> None:
        self.show(mode="advise", for_s=600)

    def records(self) -> str:
        """What prolog and epilog wrote down so far."""
        path = self.gate / RECORDS_NAME
        return path.read_text() if path.exists() else ""

    def driver(self, name: str, **changes: object) -> SlurmDriver:
        """A driver with a memory of its own."""
        settings = msgspec.structs.replace(self.settings, **changes)
        return SlurmDriver(settings, self.folder / f"driver-{name}")

    # --- as a user -------------------------------------------------------------------------

    def run(self, *words: str, user: int | None = None) -> subprocess.CompletedProcess[str]:
        """A command as the cluster's people type it, by whoever."""
        return subprocess.run(
            words,
            env=self.environment,
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
            cwd=self.folder,
            user=user,
            group=user,
            extra_groups=[] if user is not None else None,
        )

    def ask(self, line: str) -> str:
        return self.run(*line.split()).stdout.strip()

    def submit(self, script: str, *options: str, user: int | None = None) -> int:
        """A batch job's number. Fails the test where it is refused."""
        done = self.run(
            "sbatch", "--parsable", "--output=/dev/null", *options, f"--wrap={script}", user=user
        )
        assert done.returncode == 0, done.stderr
        return int(done.stdout.strip().partition(";")[0])

    def refused(self, *options: str) -> str:
        """What a user is told whose job is not let in. Fails the test where it is."""
        done = self.run("sbatch", "--output=/dev/null", *options, "--wrap=sleep 60")
        assert done.returncode != 0, f"it was let in: {done.stdout}"
        return done.stderr

    def state(self, job: int) -> str:
        """The job's state as squeue names it; GONE where it is forgotten."""
        return self.states().get(job, "GONE")

    def states(self) -> Mapping[int, str]:
        rows = json.loads(self.ask("squeue --json") or '{"jobs": []}')["jobs"]
        return {row["job_id"]: row["job_state"] for row in rows}

    def wait_for(self, what: str, holds: Callable[[], bool], *, timeout_s: float = 60.0) -> float:
        """Seconds until `holds`. Raises TimeoutError with what the daemons said last."""
        begun = time.monotonic()
        while not holds():
            if time.monotonic() - begun > timeout_s:
                logs = sorted(self.folder.glob("*.log"))
                told = "\n".join(log.read_text(errors="replace")[-1500:] for log in logs)
                raise TimeoutError(f"waited {timeout_s:.0f} s for {what}\n{told}")
            time.sleep(0.05)
        return time.monotonic() - begun

    def wait_state(self, job: int, *states: str, timeout_s: float = 60.0) -> float:
        what = f"job {job} to be {' or '.join(states)}"
        return self.wait_for(what, lambda: self.state(job) in states, timeout_s=timeout_s)

    def begin_again(self, job: int, *, tries: int = 6) -> None:
        """Start a job that was put back and may run again, now and not in Slurm's two minutes.

        A node does not take a job in the second in which it killed it; Slurm then puts it back once more, and holds it,
        or ends it for good ("credential revoked"). So that second is let pass first.
        """
        time.sleep(2.0)
        for left in reversed(range(tries)):
            if "launch" in self.ask(f"squeue -h -j {job} -o %r"):
                self.run("scontrol", "release", str(job))
            self.run("scontrol", "update", f"JobId={job}", "StartTime=now")
            with contextlib.suppress(*([TimeoutError] if left else [])):
                self.wait_state(job, "RUNNING", timeout_s=10)
                return

    def _spawn(self, name: str, program: str, *words: str) -> None:
        found = shutil.which(program, path=_PATH)
        assert found is not None
        # Ends with us, however we end; what it says goes to its own log.
        command = ["setpriv", "--pdeathsig", "TERM", found, *words]
        with (self.folder / f"{name}.out").open("ab") as told:
            self._daemons[name] = subprocess.Popen(
                command,
                env={**os.environ, **self.environment},
                stdout=told,
                stderr=told,
                cwd=self.folder,
                start_new_session=True,
            )


@contextmanager
def start_cluster(
    *,
    gpus: int = 4,
    kill_wait: int = 2,
    slurmd_timeout: int = 300,
    gated: bool = False,
    watched: bool = False,
) -> Iterator[Cluster]:
    """A cluster of two nodes for as long as the context lasts. `gpus` are those of one node.

    `gated`: with our gate, `watched`: and with our watch on the nodes.
    """
    folder = Path(tempfile.mkdtemp(prefix="sekisho-slurm-"))
    folder.chmod(0o755)
    cluster = Cluster(folder, gpus=gpus, kill_wait=kill_wait, slurmd_timeout=slurmd_timeout)
    try:
        if gated:
            install_gate(cluster.etc, cluster.gate, nodes=watched)
        cluster.start()
        yield cluster
    finally:
        cluster.stop()
        shutil.rmtree(folder, ignore_errors=True)
