"""The privileged part of a host: it starts, freezes and kills the work, and ends it when the permit runs out.

`python -m sekisho.agent.watchdog --dir D [--user UID] [--detach]` is a process of its own. It outlives the agent, reads
nothing but one-line requests of a fixed shape from a unix socket of its owner, and never opens the network. Without a
word from anybody it asks the work for a checkpoint at `checkpoint_at_s` and freezes or kills it at `until_s`, both in
seconds of CLOCK_BOOTTIME, which counts through suspend. When it dies, the work dies (adapters/schedulers/keeper.py) or,
where others had started it, is frozen (adapters/schedulers/sentry.py).

With `--socket S --allow-user UID` it serves an agent of another user, one at a time. Then it trusts nothing that this
user could have put there: D and the folder of S belong to root or to us all the way up, the settings are D's own, the
work runs as a third user, and a permit ends within the longest that the settings allow.

Files in D (0700): watchdog.json (DriverSettings), watchdog.sock, watchdog.lock (one watchdog per folder), watchdog.log
(what it did by itself, JSON lines, at most two files of 1 MiB), watchdog.err, work.log (the work's own output),
workload.json.
"""

from __future__ import annotations

import argparse
import contextlib
import math
import os
import pwd
import stat
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal, cast

import msgspec

from sekisho.adapters.clocks import SystemClock
from sekisho.adapters.durable_files import create_private_folder, hold_folder
from sekisho.adapters.held_release import hold_release
from sekisho.adapters.local_sockets import (
    MAX_LINE,
    Door,
    LineServer,
    Peer,
    resolve_trusted_folder,
)
from sekisho.adapters.schedulers import watchdog_wire as wire
from sekisho.adapters.schedulers.drivers import make_driver
from sekisho.adapters.schedulers.process_files import read_process
from sekisho.adapters.schedulers.watchdog_link import SETTINGS
from sekisho.agent.journal import Journal
from sekisho.agent.one_agent import OneAgent
from sekisho.agent.readiness import Ending, Ready, notify_systemd
from sekisho.model.errors import (
    InvalidInput,
    NotAuthorised,
    SekishoError,
    StateConflict,
    Unavailable,
)
from sekisho.model.wire import canonical, from_json, parse_json
from sekisho.ports.clock import Clock
from sekisho.ports.driver import HeldDriver, Permit
from sekisho.ports.driver_settings import DriverSettings

__all__ = ["Guard", "Post", "decide_due", "main", "parse_user", "run_watchdog"]

TICK_S = (
    1.0  # a select timeout does not count through suspend: look at the clock at least this often
)
MAX_SETTINGS = 65_536
EXIT_REFUSED, EXIT_BAD_INPUT = 1, 2

Due = Literal["nothing", "checkpoint", "freeze", "kill"]


def decide_due(permit: Permit, now_s: float, *, asked: bool) -> Due:
    """What the permit asks for at `now_s`; `asked` tells that its checkpoint was asked for already."""
    if now_s >= permit.until_s:
        return permit.then
    return "checkpoint" if now_s >= permit.checkpoint_at_s and not asked else "nothing"


class Guard:
    """The work, its permit, and what is done when nobody speaks. `may_start`: whether an agent may start work."""

    def __init__(  # what a guard holds, and by which rules
        self,
        driver: HeldDriver,
        clock: Clock,
        journal: Journal,
        settings: DriverSettings,
        *,
        may_start: bool = True,
    ) -> None:
        self._driver = driver
        self._settings = settings
        self._may_start = may_start
        self._clock = clock
        self._journal = journal
        self._permit: Permit | None = None
        self._asked = False  # the permit's checkpoint was asked for
        self._enforced = False  # its end was put into the journal
        self.is_leaving = False
        self._acts: dict[type[Any], Callable[[Any], wire.Answer]] = {
            wire.AskedStart: self._start,
            wire.AskedPermit: self._take_permit,
            wire.AskedStatus: lambda _: wire.Answer(reading=self._driver.read()),
            wire.AskedHeld: lambda _: self._tell_held(),
            wire.AskedCheckpoint: lambda _: self._ask_checkpoint(),
            wire.AskedFreeze: lambda _: wire.Answer(means=self._driver.freeze()),
            wire.AskedThaw: lambda _: self._thaw(),
            wire.AskedKill: lambda _: wire.Answer(means=self._driver.kill()),
            wire.AskedCap: self._cap,
            wire.AskedAbout: lambda _: self._tell_about(),
            wire.AskedQuit: lambda _: self._quit(),
        }

    def answer(self, line: bytes) -> bytes:
        """Do what one request line asks; every refusal is an answer."""
        try:
            document = parse_json(line, path="request", limit=MAX_LINE)
            request = from_json(cast("type[wire.Request]", wire.Request), document, path="request")
            return canonical(self._acts[type(request)](request))
        except SekishoError as error:
            return canonical(wire.refuse(error))
        except OSError as error:
            return canonical(wire.refuse(Unavailable(f"the host refused: {error}")))

    def enforce(self) -> float:
        """Do what the permit asks for by now, and tell how many seconds may pass before the next look.

        What cannot be done or seen at this moment is noted and tried again: nothing that fails here ends the watchdog.
        """
        try:
            return self._enforce()
        except (SekishoError, OSError) as error:
            self._note(f"could not look: {error}", "none")
            return TICK_S

    def _enforce(self) -> float:
        permit = self._permit
        if self._driver.is_over():
            return TICK_S
        if permit is None:
            self._hold_unpermitted()
            return TICK_S
        now = self._clock.elapsed_s()
        due = decide_due(permit, now, asked=self._asked)
        if due == "checkpoint":
            self._ask_quietly()
        elif due != "nothing":
            self._end(due)
            return TICK_S
        is_next = (
            not self._asked and due != "checkpoint"
        )  # one that failed is asked again at the next look
        ahead = min(permit.checkpoint_at_s, permit.until_s) if is_next else permit.until_s
        return min(max(ahead - now, 0.0), TICK_S)

    def end_all(self, why: str) -> bool:
        """End the work, or freeze what others started, whatever its permit says; False where some of it runs on.

        What outlives a kill is left to the keeper, which tries on.
        """
        if self._driver.is_over():
            return True
        if self._settings.at_end == "freeze":
            self._freeze(f"work frozen: {why}")
            return self._driver.is_over() or self._state() == "frozen"
        self._kill(f"work killed: {why}")
        return self._driver.is_over()

    def _hold_unpermitted(self) -> None:
        """Work that others started and that nobody has given a permit."""
        act = self._settings.unpermitted
        if act == "freeze":
            self._keep_frozen("work without a permit, freeze")
        elif act == "kill":
            self._kill("work without a permit, kill")

    def _end(self, due: Literal["freeze", "kill"]) -> None:
        """Again at every look until it holds: somebody may have thawed what is out of permit."""
        if due == "freeze":
            self._keep_frozen("permit ran out, freeze")
        else:
            self._kill("permit ran out, kill")

    def _keep_frozen(self, why: str) -> None:
        if self._enforced and self._state() != "running":
            return  # frozen, or its scheduler is silent: what stood still is not ended for that
        self._enforced = True
        self._freeze(why)

    def _state(self) -> str:
        """What the driver says, `unknown` where it cannot."""
        try:
            return self._driver.read().state
        except (SekishoError, OSError):
            return "unknown"

    def _freeze(self, why: str) -> None:
        try:
            self._note(why, self._driver.freeze())
        except (SekishoError, OSError) as error:
            # What cannot be enforced gently is enforced all the same.
            self._kill(f"{why}: killed since it could not be frozen: {error}")

    def _kill(self, what: str) -> None:
        try:
            self._note(what, self._driver.kill())
        except (SekishoError, OSError) as error:
            self._note(f"{what}; some of it lives on: {error}", "none")

    def _start(self, asked: wire.AskedStart) -> wire.Answer:
        if not self._may_start:
            raise NotAuthorised(
                "work would run as this watchdog's own user", remedy="name a user in watchdog.json"
            )
        self._check_live(asked.permit)
        workload = self._driver.start(asked.run, asked.command, asked.environment)
        self._set_permit(asked.permit)
        return wire.Answer(workload=workload, permit=asked.permit)

    def _take_permit(self, asked: wire.AskedPermit) -> wire.Answer:
        permit = asked.permit
        self._check_sane(permit)
        if not self._driver.is_over():
            self._set_permit(permit)
        return wire.Answer()

    def _thaw(self) -> wire.Answer:
        if self._permit is None:
            raise StateConflict("there is no permit", remedy="give one first")
        self._check_live(self._permit)
        return wire.Answer(means=self._driver.thaw())

    def _tell_held(self) -> wire.Answer:
        if self._driver.is_over():
            return wire.Answer()
        return wire.Answer(workload=self._driver.workload, permit=self._permit)

    def _ask_checkpoint(self) -> wire.Answer:
        self._driver.request_checkpoint()
        return wire.Answer()

    def _ask_quietly(self) -> None:
        """A scheduler that is silent at this moment must not end us, and with us the end of the permit."""
        try:
            self._driver.request_checkpoint()
        except StateConflict:
            self._asked = True  # the root process is gone; what it left ends with the permit
            self._note("checkpoint asked", "none")
        except (SekishoError, OSError) as error:
            self._note(f"checkpoint could not be asked for: {error}", "none")
        else:
            self._asked = True
            self._note("checkpoint asked", "signal")

    def _quit(self) -> wire.Answer:
        if not self._driver.is_over():
            raise StateConflict("work is held", remedy="kill it first")
        self.is_leaving = True
        return wire.Answer()

    def _cap(self, asked: wire.AskedCap) -> wire.Answer:
        cap = getattr(self._driver, "cap", None)
        if cap is None:
            raise Unavailable(f"the driver {self._driver.name} cannot slow its work")
        return wire.Answer(cap=cap(asked.share_ppm))

    def _tell_about(self) -> wire.Answer:
        return wire.Answer(
            about=wire.About(
                driver=self._settings.driver,
                stop_time_s=self._driver.stop_time_s,
                longest_permit_s=self._settings.longest_permit_s,
            )
        )

    def _check_sane(self, permit: Permit) -> None:
        """The agent is believed about its lease, but not for ever."""
        longest = self._clock.elapsed_s() + self._settings.longest_permit_s
        if permit.checkpoint_at_s > permit.until_s or not math.isfinite(permit.until_s):
            raise InvalidInput("the checkpoint lies after the end", path="permit")
        if permit.until_s > longest:
            raise InvalidInput(
                f"it ends later than the {self._settings.longest_permit_s:g} s that are allowed",
                path="permit",
            )

    def _check_live(self, permit: Permit) -> None:
        self._check_sane(permit)
        if permit.until_s <= self._clock.elapsed_s():
            raise StateConflict(
                "the permit has run out", remedy="give a permit that ends in the future"
            )

    def _set_permit(self, permit: Permit) -> None:
        self._permit, self._asked, self._enforced = permit, False, False

    def _note(self, what: str, means: str) -> None:
        with contextlib.suppress(OSError):  # a full disk must not keep us from enforcing
            self._journal.write(self._clock.elapsed_s(), what, means)


class Post(msgspec.Struct, frozen=True, kw_only=True):
    """Where a watchdog stands: its folder, the user of its work, and whom it serves (`None`: its own user alone)."""

    folder: Path
    user: int | None = None
    socket: Path | None = None
    allow_user: int | None = None
    detach: bool = False


def main(arguments: list[str] | None = None) -> int:
    """Hold the folder until told to leave; 1 where another watchdog holds it, 2 for bad input."""
    return run_watchdog(_parse_arguments(arguments))


def run_watchdog(post: Post) -> int:
    """Hold the folder until told to leave; the exit code of `main`."""
    ready = Ready(detach=post.detach)
    if ready.is_parent:
        return ready.outcome()
    hold_release(Path(__file__))  # no update takes away what this watchdog and its keepers run from
    try:
        create_private_folder(post.folder)
        if post.allow_user is not None:
            post = _check_separation(post)
        hold_folder(post.folder, "watchdog")
        settings = _load_settings(post)
        driver = make_driver(settings.driver, settings, post.folder)
    except (SekishoError, OSError) as error:
        print(f"watchdog: {error}", file=sys.stderr)  # noqa: T201  # the command's own voice
        return EXIT_REFUSED if isinstance(error, StateConflict) else EXIT_BAD_INPUT
    return _hold(post, settings, driver, ready)


def _hold(post: Post, settings: DriverSettings, driver: HeldDriver, ready: Ready) -> int:
    """1. Kill what a dead watchdog left. 2. Serve. 3. Between requests, enforce. 4. Leave nothing behind."""
    folder = post.folder
    ending = Ending()
    clock = SystemClock()
    journal = Journal(folder / "watchdog.log")
    for name in driver.reap_leftovers():
        with contextlib.suppress(OSError):  # nor from serving
            journal.write(clock.elapsed_s(), f"killed what a dead watchdog left: {name}", "none")
    # Slurm runs a job as whoever submitted it; opening a run starts nothing as ours. Kubernetes starts no command.
    opens = settings.driver == "slurm" and settings.slurm is not None and not settings.slurm.batch
    opens = opens or settings.driver == "kubernetes"
    may_start = post.allow_user is None or settings.user is not None or opens
    guard = Guard(driver, clock, journal, settings, may_start=may_start)
    server = LineServer(
        post.socket or folder / "watchdog.sock",
        guard.answer,
        wake=ending.wake,
        door=_door(post.allow_user),
    )
    ready.tell({"ready": True, "pid": os.getpid(), "dir": str(folder)}, folder / "watchdog.err")
    is_left_well = False
    try:
        while not (guard.is_leaving or ending.asked):
            notify_systemd("WATCHDOG=1")
            server.wait(guard.enforce())
    finally:
        is_left_well = guard.end_all("the watchdog was told to end")
        server.close()
    if not is_left_well:
        return EXIT_REFUSED
    driver.close()
    return 0


def _door(user: int | None) -> Door | None:
    if user is None:
        return None
    agents = OneAgent(user, _start_of)

    def refusal(peer: Peer) -> bytes | None:
        why = agents.refusal(peer.pid, peer.user)
        return None if why is None else canonical(wire.refuse(StateConflict(why)))

    return Door(user=user, refusal=refusal)


def _start_of(pid: int) -> int | None:
    process = read_process(pid)
    return process.start_ticks if process and process.is_alive else None


def _check_separation(post: Post) -> Post:
    """Nothing that we stand on can be another's: our folder, the socket's folder. Raises InvalidInput."""
    if post.allow_user == os.geteuid():
        raise InvalidInput("is the watchdog's own user", path="--allow-user", remedy="leave it out")
    socket = post.socket or post.folder / "watchdog.sock"
    if post.socket is None or socket.parent.resolve() == post.folder.resolve():
        raise InvalidInput(
            "must lie outside the watchdog's own folder, which is closed to the agent",
            path="--socket",
            remedy="use a folder such as /run/sekisho",
        )
    socket.parent.mkdir(mode=0o755, exist_ok=True)
    return msgspec.structs.replace(
        post,
        folder=resolve_trusted_folder(post.folder),
        socket=resolve_trusted_folder(socket.parent) / socket.name,
    )


def _load_settings(post: Post) -> DriverSettings:
    """`watchdog.json`, or the process driver where there is none. Raises InvalidInput naming file and field."""
    path = post.folder / SETTINGS
    settings = DriverSettings()
    with contextlib.suppress(FileNotFoundError):
        text = _read_own(path)
        settings = from_json(DriverSettings, parse_json(text, path=str(path)), path=str(path))
    if post.user is not None:
        settings = msgspec.structs.replace(settings, user=post.user)
    if post.allow_user is None:
        return settings
    if settings.user in (0, post.allow_user, os.geteuid()):
        raise InvalidInput(
            "must be a third user: neither root, nor the watchdog's, nor the agent's",
            path=f"{path}: user",
        )
    if settings.driver == "process" and settings.user is None:
        raise InvalidInput("names no user for the work", path=f"{path}: user")
    return settings


def _read_own(path: Path) -> bytes:
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
    with os.fdopen(descriptor, "rb") as file:
        found = os.fstat(descriptor)
        if found.st_uid not in (0, os.geteuid()) or found.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
            raise InvalidInput(
                "others may write it", path=str(path), remedy="chown root, chmod 600"
            )
        return file.read(MAX_SETTINGS)


def _parse_arguments(arguments: list[str] | None) -> Post:
    parser = argparse.ArgumentParser(
        prog="python -m sekisho.agent.watchdog", description="Holds one host's work."
    )
    parser.add_argument(
        "--dir", type=Path, required=True, help="folder of the settings, the lock and the journal"
    )
    parser.add_argument("--user", type=parse_user, help="uid that the work drops to")
    parser.add_argument("--socket", type=Path, help="where to listen, if not in the folder")
    parser.add_argument("--allow-user", type=parse_user, help="uid of the agent, if not our own")
    parser.add_argument(
        "--detach", action="store_true", help="return once it serves, and let it live on"
    )
    options = parser.parse_args(arguments)
    return Post(
        folder=options.dir,
        user=options.user,
        socket=options.socket,
        allow_user=options.allow_user,
        detach=options.detach,
    )


def parse_user(text: str) -> int:
    """A uid, or the uid of a user's name. Raises ValueError."""
    if text.isdecimal():
        if int(text) >= 2**32 - 1:
            raise ValueError("is not a uid")
        return int(text)
    try:
        return pwd.getpwnam(text).pw_uid
    except KeyError:
        raise ValueError(f"there is no user {text[:40]}") from None


if __name__ == "__main__":
    sys.exit(main())
