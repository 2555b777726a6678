"""What a cluster's own configuration says, as `scontrol show config` prints it, and the stop that it can promise."""

from __future__ import annotations

import re

import msgspec

__all__ = ["STOP_MARGIN_S", "ClusterFacts", "parse_config", "stop_bound_s"]

STOP_MARGIN_S = 10
"""Beyond the wait between SIGTERM and SIGKILL: commands, the nodes' own clean-up, and our looking for its end."""
DEFAULT_KILL_WAIT_S = 30
DEFAULT_UNKILLABLE_S = 60
_LINE = re.compile(r"^([A-Za-z0-9_\[\]]{1,64})\s*=\s(.*)$")
_SECONDS = re.compile(r"(\d{1,9})\s*sec")
_VERSION = re.compile(r"\d{2}\.\d{2}[0-9A-Za-z.-]{0,20}")


class ClusterFacts(msgspec.Struct, frozen=True, kw_only=True):
    """The settings that decide how fast and how surely work here ends. Defaults are Slurm's own (slurm.conf(5))."""

    kill_wait_s: int = DEFAULT_KILL_WAIT_S
    unkillable_s: int = DEFAULT_UNKILLABLE_S
    version: str = ""
    submit_plugins: str = ""
    prolog: str = ""
    epilog: str = ""
    slurm_user: str = ""
    tracks_by: str = ""
    tasks_by: str = ""


def parse_config(text: str) -> ClusterFacts:
    """Read what is there; what is missing is Slurm's default."""
    lines = (match for line in text.splitlines() if (match := _LINE.match(line)))
    found = {match.group(1): match.group(2) for match in lines}
    version = _VERSION.search(found.get("SLURM_VERSION", ""))
    return ClusterFacts(
        kill_wait_s=_seconds(found.get("KillWait", ""), DEFAULT_KILL_WAIT_S),
        unkillable_s=_seconds(found.get("UnkillableStepTimeout", ""), DEFAULT_UNKILLABLE_S),
        version=version.group() if version else "",
        submit_plugins=_word(found.get("JobSubmitPlugins", "")),
        prolog=_word(found.get("PrologSlurmctld", "")),
        epilog=_word(found.get("EpilogSlurmctld", "")),
        slurm_user=_word(found.get("SlurmUser", "")),
        tracks_by=_word(found.get("ProctrackType", "")),
        tasks_by=_word(found.get("TaskPlugin", "")),
    )


def stop_bound_s(kill_wait_s: int, grace_s: int) -> float:
    """The longest that ending every job takes where no process is stuck in the kernel.

    Work stuck there ends when its device lets go of it: Slurm gives up after UnkillableStepTimeout, we never call it
    halted.
    """
    return float(min(kill_wait_s, grace_s) + STOP_MARGIN_S)


def _seconds(text: str, default: int) -> int:
    match = _SECONDS.match(text.strip())
    return int(match.group(1)) if match else default


def _word(text: str) -> str:
    return "" if text.strip() == "(null)" else text.strip()
