"""The gate in a Slurm cluster: installed, taken back, checked. The only place that writes into the cluster's folder."""

from __future__ import annotations

import os
import pwd
import re
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Literal

import msgspec

from sekisho.adapters.clocks import SystemClock
from sekisho.adapters.durable_files import replace_file
from sekisho.adapters.schedulers.slurm.commands import SlurmCommands
from sekisho.adapters.schedulers.slurm.config import ClusterFacts, parse_config, stop_bound_s
from sekisho.adapters.schedulers.slurm.gate_file import GATE_NAME, parse_gate, write_lines
from sekisho.adapters.schedulers.slurm.installing import (
    EPILOG,
    GATE_SCRIPT,
    MARK,
    NODE_EPILOG,
    NODE_PROLOG,
    PROLOG,
    SITE_SCRIPT,
    GatePlan,
    plan_install,
    plan_remove,
)
from sekisho.model.errors import InvalidInput, Unavailable
from sekisho.ports.driver_settings import SlurmSettings
from sekisho.ports.gate import GatePicture

__all__ = ["Change", "GateCheck", "check_gate", "install_gate", "remove_gate"]

NAMES = ("slurm.conf", GATE_SCRIPT, SITE_SCRIPT, PROLOG, EPILOG, NODE_PROLOG, NODE_EPILOG)
_RUN = (PROLOG, EPILOG, NODE_PROLOG, NODE_EPILOG)
MAX_FILE = 4 * 1024 * 1024
Verdict = Literal["holds", "fails", "unverifiable"]


class Change(msgspec.Struct, frozen=True, kw_only=True):
    """What becomes of one file; `lines` are those that come and go, as `+` and `-`."""

    file: str
    what: Literal["written", "changed", "removed"]
    lines: tuple[str, ...] = ()


class GateCheck(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that the gate stands on, and what to do where it does not hold."""

    name: str
    verdict: Verdict
    detail: str


def install_gate(
    etc: Path,
    gate: Path,
    *,
    language: Literal["en", "ja"] = "en",
    nodes: bool = False,
    dry_run: bool = False,
) -> tuple[Change, ...]:
    """Put the gate into the cluster whose slurm.conf lies in `etc`; slurmctld has to be restarted afterwards.

    `nodes`: with a watch on each node; every slurmd has to be restarted, too. A gate that nobody has shown a picture
    yet only advises. Raises what `plan_install` raises.
    """
    found = _read_all(etc)
    plan = GatePlan(
        etc=str(etc.resolve()),
        gate=str(gate.resolve()),
        scontrol=shutil.which("scontrol") or "/usr/bin/scontrol",
        language=language,
        nodes=nodes,
    )
    made: dict[str, bytes | None] = dict(plan_install(found, plan))
    changes = _changes(found, made)
    if not dry_run:
        _prepare_gate(gate, found["slurm.conf"])
        _apply(etc, made)
    return changes


def remove_gate(etc: Path, *, dry_run: bool = False) -> tuple[Change, ...]:
    """Take the gate out again: every file as it was. The gate's folder stays: its records are evidence."""
    found = _read_all(etc)
    made = plan_remove(found)
    changes = _changes(found, made)
    if not dry_run:
        _apply(etc, made)
    return changes


def check_gate(etc: Path, gate: Path, *, grace_s: int | None = None) -> tuple[GateCheck, ...]:
    """What holds and what is missing; with `grace_s`, whether work ends within a licence's grace.

    Raises InvalidInput where there is no slurm.conf, Unavailable with what the files lack where slurmctld does not
    answer.
    """
    if _read(etc / "slurm.conf") is None:
        raise InvalidInput(
            "there is no slurm.conf here", path=f"--etc {etc}", remedy="name the cluster's folder"
        )
    settings = SlurmSettings(gate=str(gate.resolve()), conf=str(etc.resolve() / "slurm.conf"))
    files = (
        _check_script(etc / GATE_SCRIPT),
        _check_picture(gate),
    )
    try:
        told = SlurmCommands(settings).ask("scontrol", "show", "config").decode(errors="replace")
    except Unavailable as error:
        lacking = "; ".join(f"{c.name}: {c.detail}" for c in files if c.verdict != "holds")
        message = f"{error.message}; of the files, {lacking or 'nothing is missing'}"
        raise Unavailable(message, remedy=error.remedy) from None
    facts = parse_config(told)
    has_plugin = "lua" in facts.submit_plugins.split(",")
    restart = "install the gate, then restart slurmctld"
    return (
        _check(
            "submission",
            holds=has_plugin,
            detail=f"JobSubmitPlugins={facts.submit_plugins}; {restart}",
        ),
        files[0],
        _check(
            "start",
            holds=facts.prolog.endswith(f"/{PROLOG}"),
            detail=f"PrologSlurmctld={facts.prolog}; {restart}",
        ),
        _check(
            "end",
            holds=facts.epilog.endswith(f"/{EPILOG}"),
            detail=f"EpilogSlurmctld={facts.epilog}; {restart}",
        ),
        files[1],
        _check_stop(facts, settings.grace_s, grace_s),
        _check_tracking(facts),
    )


def _check(name: str, *, holds: bool, detail: str) -> GateCheck:
    first, _, remedy = detail.partition("; ")
    return GateCheck(
        name=name,
        verdict="holds" if holds else "fails",
        detail=first if holds or not remedy else f"{first}: {remedy}",
    )


def _check_script(path: Path) -> GateCheck:
    if (_read(path) or b"").startswith(MARK):
        return GateCheck(name="script", verdict="holds", detail=f"{path} is ours")
    detail = f"{path} is not there, or not ours: install the gate"
    return GateCheck(name="script", verdict="fails", detail=detail)


def _check_picture(gate: Path) -> GateCheck:
    raw = _read(gate / GATE_NAME)
    found = parse_gate(raw) if raw is not None else None
    if found is None:
        detail = f"{gate / GATE_NAME} cannot be read: is the agent running?"
        return GateCheck(name="picture", verdict="fails", detail=detail)
    mode, left = found.mode, found.until_s - SystemClock().now().seconds
    if left > 0:
        return GateCheck(
            name="picture", verdict="holds", detail=f"mode {mode}, good for {left:.0f} s"
        )
    detail = f"mode {mode}, too old: is the agent running?"
    return GateCheck(name="picture", verdict="fails", detail=detail)


def _check_stop(facts: ClusterFacts, own_grace_s: int, grace_s: int | None) -> GateCheck:
    bound = stop_bound_s(facts.kill_wait_s, own_grace_s)
    said = (
        f"KillWait={facts.kill_wait_s} s: all jobs end within {bound:.0f} s, but for processes stuck in the kernel,"
        f" on which Slurm gives up after {facts.unkillable_s} s"
    )
    if grace_s is None or bound <= grace_s:
        return GateCheck(name="stop", verdict="holds", detail=said)
    return GateCheck(
        name="stop",
        verdict="fails",
        detail=f"{said}: longer than the licence's grace of {grace_s} s",
    )


def _check_tracking(facts: ClusterFacts) -> GateCheck:
    if facts.tracks_by == "proctrack/cgroup":
        return GateCheck(name="tracking", verdict="holds", detail="no process leaves its job")
    detail = f"ProctrackType={facts.tracks_by}: a process can leave its job; use proctrack/cgroup"
    return GateCheck(name="tracking", verdict="unverifiable", detail=detail)


def _prepare_gate(gate: Path, conf: bytes) -> None:
    """The gate's folder, of SlurmUser where we may give it away, with a picture that lets everything pass."""
    gate.mkdir(mode=0o755, parents=True, exist_ok=True)
    now = SystemClock().now()
    picture = GatePicture(host="nobody", mode="advise", written=now, until=now)
    path = gate / GATE_NAME
    if not path.exists():
        replace_file(path, write_lines(picture, int(now.seconds)))
        path.chmod(0o644)
    user = re.search(rb"(?im)^\s*SlurmUser\s*=\s*([A-Za-z0-9_-]{1,32})", conf)
    if os.geteuid() == 0 and user is not None:
        try:
            account = pwd.getpwnam(user.group(1).decode())
        except KeyError:
            raise InvalidInput("names a user that is not here", path="SlurmUser") from None
        for name in (gate, path):
            os.chown(name, account.pw_uid, account.pw_gid)


def _read_all(etc: Path) -> dict[str, bytes]:
    found = {name: _read(etc / name) for name in NAMES}
    return {name: data for name, data in found.items() if data is not None}


def _read(path: Path) -> bytes | None:
    try:
        with path.open("rb") as file:
            return file.read(MAX_FILE)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        raise InvalidInput(f"cannot be read: {error.strerror}", path=str(path)) from None


def _apply(etc: Path, made: Mapping[str, bytes | None]) -> None:
    """Whatever slurm.conf names is there while it names it, wherever we stop between two files."""
    owner = (etc / "slurm.conf").stat()
    for name in sorted(made, key=lambda name: (name == "slurm.conf") == (made[PROLOG] is not None)):
        data, path = made[name], etc / name
        try:
            if data is None:
                path.unlink(missing_ok=True)
                continue
            mode = 0o755 if name in _RUN else owner.st_mode & 0o777
            replace_file(path, data)
            path.chmod(mode)
            if os.geteuid() == 0:
                os.chown(path, owner.st_uid, owner.st_gid)
        except OSError as error:
            raise Unavailable(f"{path} cannot be written: {error.strerror}") from None


def _changes(found: Mapping[str, bytes], made: Mapping[str, bytes | None]) -> tuple[Change, ...]:
    return tuple(
        _change(name, found.get(name), data)
        for name, data in made.items()
        if found.get(name) != data
    )


def _change(name: str, before: bytes | None, after: bytes | None) -> Change:
    if after is None or before is None or name != "slurm.conf":
        what: Literal["written", "changed", "removed"] = (
            "removed" if after is None else "written" if before is None else "changed"
        )
        return Change(file=name, what=what)
    old, new = (data.decode(errors="replace").splitlines() for data in (before, after))
    gone = tuple(f"- {line}" for line in old if line not in new)
    come = tuple(f"+ {line}" for line in new if line not in old)
    return Change(file=name, what="changed", lines=(*gone, *come))
