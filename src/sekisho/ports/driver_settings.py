"""Which driver holds a host's work, and what it must know: read by the privileged part, never from the network.

The agent's `agent.json` carries the same fields; where the privileged part is a process of another user it reads its
own `watchdog.json` instead, which the agent may not write.
"""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec

__all__ = [
    "AcceleratorRules",
    "CgroupSettings",
    "DriverName",
    "DriverSettings",
    "KubernetesSettings",
    "KueueQueue",
    "SlurmSettings",
    "UnpermittedAct",
]

DriverName = Literal["process", "cgroup", "slurm", "kubernetes"]
UnpermittedAct = Literal["leave", "freeze", "kill"]
"""What the watchdog does by itself to work that it finds without any permit."""

_GroupName = Annotated[
    str, msgspec.Meta(pattern=r"^(/[A-Za-z0-9_][A-Za-z0-9._:@\\-]{0,254}){1,16}$")
]
_Path = Annotated[str, msgspec.Meta(pattern=r"^/[^\x00-\x1f]{0,1023}$")]
_Partition = Annotated[str, msgspec.Meta(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$")]
_User = Annotated[int, msgspec.Meta(ge=0, le=2**32 - 2)]
_KubernetesName = Annotated[str, msgspec.Meta(pattern=r"^[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?$")]
_ResourceName = Annotated[
    str, msgspec.Meta(pattern=r"^[a-z0-9][a-z0-9.-]{0,252}/[A-Za-z0-9._-]{0,63}\*?$")
]
_HostPath = Annotated[str, msgspec.Meta(pattern=r"^/[A-Za-z0-9._/-]{1,254}$")]
LONGEST_PERMIT_S = 4 * 86_400.0
"""A declared outage lasts 72 hours at most (protocol, section 6); a day is left for lease and grace."""


class CgroupSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The control group to supervise, named as /proc/PID/cgroup names it (`/machine.slice/run.scope`).

    `make`: make it where it is not there, and take it away at the end. `version`: which hierarchy; `auto` takes 2
    where the group stands there, else 1. `unpermitted`: what happens to work that others start in the group while
    there is no permit at all; `leave` is for hosts that only advise. `at_end`: what happens to the work when the
    watchdog leaves or dies, since others may have started it.
    """

    group: _GroupName
    make: bool = False
    version: Literal["auto", "v1", "v2"] = "auto"
    unpermitted: UnpermittedAct = "freeze"
    at_end: Literal["freeze", "kill"] = "freeze"


class SlurmSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What the Slurm driver must know. A run's jobs are those with the comment `sekisho:RUN`.

    `gate` is the folder on the controller that the gate, its scripts and the driver share. `conf` is slurm.conf where
    it is not the commands' own default, `commands` the folder of scontrol and its kin where that is not on the PATH.
    A job that is ended gets SIGTERM and after `grace_s` SIGKILL, earlier where Slurm's KillWait is shorter.
    `checkpoint_to` says who is sent `checkpoint_signal`: the job's steps, its batch script, or both. While the run is
    stopped `close_partitions` are DOWN, for everybody: jobs queue and do not start. `batch` are options for sbatch
    where the agent has a command of its own; without one the jobs come from users.
    """

    gate: _Path
    conf: _Path | None = None
    commands: _Path | None = None
    grace_s: Annotated[int, msgspec.Meta(ge=0, le=3600)] = 5
    checkpoint_signal: Literal["USR1", "USR2", "TERM", "INT", "HUP"] = "USR1"
    checkpoint_to: Literal["steps", "batch", "both"] = "both"
    close_partitions: tuple[_Partition, ...] = ()
    batch: tuple[Annotated[str, msgspec.Meta(pattern=r"^--[^\x00\n]{1,255}$")], ...] = ()
    unpermitted: UnpermittedAct = "freeze"
    at_end: Literal["freeze", "kill"] = "freeze"


class KueueQueue(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A queue of Kueue that is the run's alone: it is held and drained with the run."""

    name: _KubernetesName
    namespace: _KubernetesName | None = None  # of a LocalQueue; None: a ClusterQueue


class AcceleratorRules(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """By what a pod is seen to reach accelerators. Gate, policy, driver and audit read the same rules.

    `resources` are the names that devices are asked for by, `*` at the end for all that begin so. `device_paths` are
    host paths behind which devices lie (all that begin so), `device_runtimes` runtime classes that hand out devices by
    environment alone, `device_lists` names of folders by mounts in which a runtime is told of devices. `privileged`
    counts privileged containers, which see each device of their node. In `exempt` namespaces only devices that are
    asked for or claimed count.
    """

    resources: Annotated[tuple[_ResourceName, ...], msgspec.Meta(min_length=1, max_length=64)] = (
        "nvidia.com/*",
        "amd.com/gpu*",
        "google.com/tpu",
        "habana.ai/*",
        "gpu.intel.com/*",
        "aws.amazon.com/neuron*",
    )
    device_paths: Annotated[tuple[_HostPath, ...], msgspec.Meta(max_length=64)] = (
        "/dev/nvidia",
        "/dev/dri",
        "/dev/kfd",
        "/dev/accel",
        "/dev/vfio",
        "/dev/neuron",
        "/dev/hl",
    )
    device_runtimes: Annotated[tuple[_KubernetesName, ...], msgspec.Meta(max_length=16)] = (
        "nvidia",
        "nvidia-cdi",
        "nvidia-legacy",
    )
    device_lists: Annotated[tuple[_KubernetesName, ...], msgspec.Meta(max_length=16)] = (
        "nvidia-container-devices",
    )
    privileged: bool = True
    exempt: Annotated[tuple[_KubernetesName, ...], msgspec.Meta(max_length=64)] = (
        "kube-system",
        "sekisho-system",
    )


class KubernetesSettings(AcceleratorRules, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What the Kubernetes driver must know.

    `run` is whose pods these are: those with its name in the label `sekisho/run`. `server` is empty inside the
    cluster, where the service account's token and CA are read; else an https address with `token_file` and `ca_file`.
    `devices` is how many the licence covers: what a pod is counted for that reaches devices without saying how many.
    `grace_s` is the most that a pod gets between SIGTERM and SIGKILL. `gate` is the ConfigMap, namespace and name, in
    which the agent shows the gate's picture. `unpermitted` is what becomes of pods that a watchdog finds without a
    permit, after its own restart, say. `at_end`: what becomes of them when the watchdog is told to leave; one that
    dies leaves them to the next. Either way pods end; after `freeze` a later permit lets their Jobs go on.
    """

    run: Annotated[str, msgspec.Meta(pattern=r"^[A-Za-z0-9][A-Za-z0-9._:/@+-]{0,127}$")]
    server: Annotated[str, msgspec.Meta(pattern=r"^(https?://[^\s/]{1,255})?$")] = ""
    token_file: str | None = None
    ca_file: str | None = None
    devices: Annotated[int, msgspec.Meta(ge=1, le=1_000_000)] = 1
    queues: Annotated[tuple[KueueQueue, ...], msgspec.Meta(max_length=64)] = ()
    grace_s: Annotated[int, msgspec.Meta(ge=1, le=3600)] = 30
    gate: Annotated[str, msgspec.Meta(pattern=r"^[a-z0-9-]{1,63}/[a-z0-9.-]{1,253}$")] = (
        "sekisho-system/sekisho-gate"
    )
    unpermitted: UnpermittedAct = "freeze"
    at_end: Literal["freeze", "kill"] = "freeze"


class DriverSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`watchdog.json`: the driver and its part, the user that started work drops to, and the longest permit taken.

    `longest_permit_s` bounds what a lying agent can give: the watchdog cannot read a lease, but refuses a permit that
    ends later than this from now.
    """

    driver: DriverName = "process"
    user: _User | None = None
    longest_permit_s: Annotated[float, msgspec.Meta(gt=0, le=14 * 86_400)] = LONGEST_PERMIT_S
    cgroup: CgroupSettings | None = None
    slurm: SlurmSettings | None = None
    kubernetes: KubernetesSettings | None = None

    @property
    def unpermitted(self) -> UnpermittedAct:
        """`leave` unless the driver supervises work that others start and is told otherwise."""
        if self.driver == "slurm" and self.slurm:
            return self.slurm.unpermitted
        if self.driver == "kubernetes" and self.kubernetes:
            return self.kubernetes.unpermitted
        return self.cgroup.unpermitted if self.driver == "cgroup" and self.cgroup else "leave"

    @property
    def at_end(self) -> Literal["freeze", "kill"]:
        """What a watchdog that leaves does with the work: what it started is killed."""
        if self.driver == "process":
            return "kill"
        if self.driver == "slurm" and self.slurm:
            return self.slurm.at_end
        if self.driver == "kubernetes" and self.kubernetes:
            return self.kubernetes.at_end
        return self.cgroup.at_end if self.driver == "cgroup" and self.cgroup else "freeze"
