"""The agent's side of the watchdog: a guarded driver over its socket, and how a watchdog is brought to life."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from sekisho.adapters.local_sockets import ask_line
from sekisho.adapters.schedulers import watchdog_wire as wire
from sekisho.model.errors import InvalidInput, StateConflict, Unavailable
from sekisho.model.wire import canonical, from_json, parse_json
from sekisho.ports.driver import Permit, StopMeans, Workload, WorkloadReading

__all__ = ["WatchdogLink", "spawn_watchdog"]

ANSWER_TIMEOUT_S = 3.0
ACT_TIMEOUT_S = 12.0  # a kill may take stop_time_s, a start as long as the command's first moments
READY_TIMEOUT_S = 15.0
MAX_ANSWER = 65_536


class WatchdogLink:
    """Implements ports.GuardedDriver over `folder`/watchdog.sock, one connection per request.

    Raises Unavailable where the watchdog does not answer: then the work is dead or dying.
    """

    name = "process"
    stop_time_s = 5.0

    def __init__(self, folder: Path) -> None:
        self._socket = folder / "watchdog.sock"
        self._permit: Permit | None = None

    def permit(self, permit: Permit) -> None:
        """Give the work `permit`; kept besides for a start that follows."""
        self._ask(wire.AskedPermit(permit=permit))
        self._permit = permit

    def start(self, run: str, command: tuple[str, ...], environment: dict[str, str]) -> Workload:
        """Start under the permit given last. Raises StateConflict where none was given or it has run out."""
        if self._permit is None:
            raise StateConflict("no permit was given", remedy="give a permit, then start")
        asked = wire.AskedStart(
            run=run, command=command, environment=environment, permit=self._permit
        )
        workload = self._ask(asked, ACT_TIMEOUT_S).workload
        if workload is None:
            raise Unavailable("the watchdog named no work")
        return workload

    def read(self) -> WorkloadReading:
        reading = self._ask(wire.AskedStatus()).reading
        if reading is None:
            raise Unavailable("the watchdog gave no reading")
        return reading

    def held(self) -> tuple[Workload, Permit] | None:
        answer = self._ask(wire.AskedHeld())
        if answer.workload is None or answer.permit is None:
            return None
        return answer.workload, answer.permit

    def request_checkpoint(self) -> None:
        self._ask(wire.AskedCheckpoint())

    def freeze(self) -> StopMeans:
        return self._stop(wire.AskedFreeze())

    def thaw(self) -> StopMeans:
        return self._stop(wire.AskedThaw())

    def kill(self) -> StopMeans:
        return self._stop(wire.AskedKill())

    def quit(self) -> None:
        """Send the watchdog home. Raises StateConflict while it holds work."""
        self._ask(wire.AskedQuit())

    def is_alive(self) -> bool:
        """Whether a watchdog answers on the folder."""
        try:
            self.read()
        except Unavailable:
            return False
        return True

    def _stop(self, request: wire.Request) -> StopMeans:
        means = self._ask(request, ACT_TIMEOUT_S).means
        if means is None:
            raise Unavailable("the watchdog named no means")
        return means

    def _ask(self, request: wire.Request, timeout_s: float = ANSWER_TIMEOUT_S) -> wire.Answer:
        line = canonical(request)
        if len(line) > 16_384:
            raise InvalidInput("the command and its environment are over 16 KiB", path="start")
        raw = ask_line(self._socket, line, timeout_s=timeout_s, limit=MAX_ANSWER)
        try:
            answer = from_json(wire.Answer, parse_json(raw))
        except InvalidInput as error:
            raise Unavailable(f"the watchdog's answer cannot be read: {error}") from None
        wire.raise_refusal(answer)
        return answer


def spawn_watchdog(folder: Path, user: int | None = None) -> WatchdogLink:
    """A link to the folder's watchdog: the one that lives there, or a new one, detached, once it is ready.

    `user` is the uid that the work drops to. Raises Unavailable where it does not come to life.
    """
    link = WatchdogLink(folder)
    if link.is_alive():
        return link
    # -P: nothing is imported from the folder that somebody happens to work in.
    command = [
        sys.executable,
        "-P",
        "-m",
        "sekisho.agent.watchdog",
        "--detach",
        "--dir",
        str(folder),
    ]
    command += ["--user", str(user)] if user is not None else []
    try:
        done = subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=READY_TIMEOUT_S,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise Unavailable(f"the watchdog was not ready after {READY_TIMEOUT_S} s") from None
    if done.returncode == 0 or link.is_alive():  # alive all the same: another one was quicker
        return link
    raise Unavailable(
        f"the watchdog did not come to life: {done.stderr.decode(errors='replace').strip()[-500:]}"
    )
