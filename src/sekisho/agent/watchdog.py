"""The privileged part of a host: it starts, freezes and kills the work, and ends it when the permit runs out.

`python -m sekisho.agent.watchdog --dir D [--user UID] [--detach]` is a process of its own. It outlives the agent, reads
nothing but one-line requests of a fixed shape from a unix socket of its owner, and never opens the network. Without a
word from anybody it asks the work for a checkpoint at `checkpoint_at_s` and freezes or kills it at `until_s`, both in
seconds of CLOCK_BOOTTIME, which counts through suspend. When it dies, the work dies (adapters/schedulers/keeper.py).

Files in D (0700): watchdog.sock, watchdog.lock (one watchdog per folder), watchdog.log (what it did by itself, JSON
lines, at most two files of 1 MiB), watchdog.err, work.log (the work's own output), workload.json.
"""

from __future__ import annotations

import argparse
import contextlib
import math
import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal, Protocol, cast

from sekisho.adapters.clocks import SystemClock
from sekisho.adapters.durable_files import create_private_folder, hold_folder
from sekisho.adapters.local_sockets import MAX_LINE, LineServer
from sekisho.adapters.schedulers import watchdog_wire as wire
from sekisho.adapters.schedulers.process import ProcessDriver
from sekisho.model.errors import InvalidInput, SekishoError, StateConflict, Unavailable
from sekisho.model.wire import canonical, from_json, parse_json
from sekisho.ports.clock import Clock
from sekisho.ports.driver import Driver, Permit, Workload

__all__ = ["Guard", "Journal", "decide_due", "main"]

TICK_S = (
    1.0  # a select timeout does not count through suspend: look at the clock at least this often
)
MAX_JOURNAL = 1 << 20
EXIT_REFUSED, EXIT_BAD_INPUT = 1, 2

Due = Literal["nothing", "checkpoint", "freeze", "kill"]


class HeldDriver(Driver, Protocol):
    """A driver that knows its work and whether it is over, cheaply."""

    @property
    def workload(self) -> Workload | None: ...

    def is_over(self) -> bool: ...


def decide_due(permit: Permit, now_s: float, *, asked: bool) -> Due:
    """What the permit asks for at `now_s`; `asked` tells that its checkpoint was asked for already."""
    if now_s >= permit.until_s:
        return permit.then
    return "checkpoint" if now_s >= permit.checkpoint_at_s and not asked else "nothing"


class Journal:
    """What the watchdog did by itself, one JSON line each; the older of two files goes when the newer is full."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def write(self, at_elapsed_s: float, what: str, means: str) -> None:
        """A crash here loses this line, never the act: the act comes first."""
        row = {"at_elapsed_s": round(at_elapsed_s, 6), "what": what[:500], "means": means}
        with contextlib.suppress(FileNotFoundError):
            if self._path.stat().st_size > MAX_JOURNAL:
                self._path.replace(self._path.with_name(self._path.name + ".1"))
        with self._path.open("ab") as file:
            file.write(canonical(row) + b"\n")


class Guard:
    """The work, its permit, and what is done when nobody says anything."""

    def __init__(self, driver: HeldDriver, clock: Clock, journal: Journal) -> None:
        self._driver = driver
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
        """Do what the permit asks for by now, and tell how many seconds may pass before the next look."""
        permit = self._permit
        if permit is None or self._driver.is_over():
            return TICK_S
        now = self._clock.elapsed_s()
        due = decide_due(permit, now, asked=self._asked)
        if due == "checkpoint":
            self._asked = True
            self._note("checkpoint asked", self._ask_quietly())
        elif due != "nothing":
            self._end(due)
            return TICK_S
        ahead = permit.until_s if self._asked else min(permit.checkpoint_at_s, permit.until_s)
        return min(max(ahead - now, 0.0), TICK_S)

    def end_all(self, why: str) -> None:
        """Kill the work, whatever its permit says; what outlives it is left to the keeper, which tries on."""
        if not self._driver.is_over():
            self._kill(f"work killed: {why}")

    def _end(self, due: Literal["freeze", "kill"]) -> None:
        """Again at every look until it holds: somebody may have thawed what is out of permit."""
        if due == "freeze" and self._enforced and self._driver.read().state == "frozen":
            return
        self._enforced = True
        if due == "freeze":
            try:
                self._note("permit ran out, freeze", self._driver.freeze())
            except (SekishoError, OSError) as error:
                # A permit that cannot be enforced gently is enforced all the same.
                self._kill(f"permit ran out, killed since it could not be frozen: {error}")
        else:
            self._kill("permit ran out, kill")

    def _kill(self, what: str) -> None:
        try:
            self._note(what, self._driver.kill())
        except (SekishoError, OSError) as error:
            self._note(f"{what}; some of it lives on: {error}", "none")

    def _start(self, asked: wire.AskedStart) -> wire.Answer:
        self._check_live(asked.permit)
        workload = self._driver.start(asked.run, asked.command, asked.environment)
        self._set_permit(asked.permit)
        return wire.Answer(workload=workload, permit=asked.permit)

    def _take_permit(self, asked: wire.AskedPermit) -> wire.Answer:
        permit = asked.permit
        if permit.checkpoint_at_s > permit.until_s or not math.isfinite(permit.until_s):
            raise InvalidInput("the checkpoint lies after the end", path="permit")
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

    def _ask_quietly(self) -> str:
        try:
            self._driver.request_checkpoint()
        except StateConflict:
            return "none"  # the root process is gone; what it left ends with the permit
        return "signal"

    def _quit(self) -> wire.Answer:
        if not self._driver.is_over():
            raise StateConflict("work is held", remedy="kill it first")
        self.is_leaving = True
        return wire.Answer()

    def _check_live(self, permit: Permit) -> None:
        if permit.checkpoint_at_s > permit.until_s:
            raise InvalidInput("the checkpoint lies after the end", path="permit")
        if permit.until_s <= self._clock.elapsed_s():
            raise StateConflict(
                "the permit has run out", remedy="give a permit that ends in the future"
            )

    def _set_permit(self, permit: Permit) -> None:
        self._permit, self._asked, self._enforced = permit, False, False

    def _note(self, what: str, means: str) -> None:
        with contextlib.suppress(OSError):  # a full disk must not keep us from enforcing
            self._journal.write(self._clock.elapsed_s(), what, means)


def main(arguments: list[str] | None = None) -> int:
    """Hold the folder until told to leave; 1 where another watchdog holds it, 2 for bad input."""
    options = _parse_arguments(arguments)
    ready = _Ready(detach=options.detach)
    if ready.is_parent:
        return ready.outcome()
    try:
        create_private_folder(options.dir)
        hold_folder(options.dir, "watchdog")
    except (SekishoError, OSError) as error:
        print(f"watchdog: {error}", file=sys.stderr)  # noqa: T201  # the command's own voice
        return EXIT_REFUSED if isinstance(error, StateConflict) else EXIT_BAD_INPUT
    return _hold(options.dir, options.user, ready)


def _hold(folder: Path, user: int | None, ready: _Ready) -> int:
    """1. Kill what a dead watchdog left. 2. Serve. 3. Between requests, enforce. 4. Leave nothing behind."""
    ending = _Ending()
    clock = SystemClock()
    journal = Journal(folder / "watchdog.log")
    driver = ProcessDriver(folder, user)
    for name in driver.reap_leftovers():
        journal.write(clock.elapsed_s(), f"killed what a dead watchdog left: {name}", "none")
    guard = Guard(driver, clock, journal)
    server = LineServer(folder / "watchdog.sock", guard.answer, wake=ending.wake)
    ready.tell({"ready": True, "pid": os.getpid(), "dir": str(folder)}, folder / "watchdog.err")
    try:
        while not (guard.is_leaving or ending.asked):
            server.wait(guard.enforce())
    finally:
        guard.end_all("the watchdog was told to end")
        server.close()
    if not driver.is_over():
        return EXIT_REFUSED
    driver.close()
    return 0


class _Ending:
    """SIGTERM and SIGINT end the loop; the wake-up pipe ends its wait at once."""

    def __init__(self) -> None:
        self.asked = False
        self.wake, told = os.pipe()
        os.set_blocking(told, False)
        signal.set_wakeup_fd(told)
        signal.signal(signal.SIGTERM, self._hear)
        signal.signal(signal.SIGINT, self._hear)

    def _hear(self, *_: object) -> None:
        self.asked = True


class _Ready:
    """Tells whoever started us that we serve. Detached, the starter's process waits for that and then leaves."""

    def __init__(self, *, detach: bool) -> None:
        self._detach = detach
        self._child = 0
        if detach:
            self._heard, self._said = os.pipe()
            self._child = os.fork()
            if self._child == 0:
                os.close(self._heard)
                os.setsid()
            else:
                os.close(self._said)

    @property
    def is_parent(self) -> bool:
        return self._child != 0

    def outcome(self) -> int:
        """In the parent: 0 once the child serves, its exit code where it never did."""
        if os.read(self._heard, 2):
            return 0
        return os.waitstatus_to_exitcode(os.waitpid(self._child, 0)[1])

    def tell(self, row: dict[str, object], errors: Path) -> None:
        print(canonical(row).decode(), flush=True)  # noqa: T201  # the ready line is this command's output
        if self._detach:
            _let_go_of_terminal(errors)
            os.write(self._said, b"ok")
            os.close(self._said)


def _let_go_of_terminal(errors: Path) -> None:
    nowhere = os.open(os.devnull, os.O_RDWR)
    voice = os.open(errors, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    for source, target in ((nowhere, 0), (nowhere, 1), (voice, 2)):
        os.dup2(source, target)


def _parse_arguments(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m sekisho.agent.watchdog", description="Holds one run's work."
    )
    parser.add_argument(
        "--dir", type=Path, required=True, help="folder of the socket, the lock and the journal"
    )
    parser.add_argument("--user", type=int, help="uid that the work drops to")
    parser.add_argument(
        "--detach", action="store_true", help="return once it serves, and let it live on"
    )
    options = parser.parse_args(arguments)
    if options.user is not None and not 0 <= options.user < 2**32 - 1:
        parser.error("--user is not a uid")
    return options


if __name__ == "__main__":
    sys.exit(main())
