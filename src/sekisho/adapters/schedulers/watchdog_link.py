"""The agent's side of the watchdog: a guarded driver over its socket, and how a watchdog is brought to life."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from sekisho.adapters.durable_files import create_private_folder, replace_file
from sekisho.adapters.local_sockets import ask_line
from sekisho.adapters.schedulers import watchdog_wire as wire
from sekisho.model.errors import InvalidInput, StateConflict, Unavailable
from sekisho.model.wire import canonical, from_json, parse_json
from sekisho.ports.driver import CapMeans, Permit, StopMeans, Workload, WorkloadReading
from sekisho.ports.driver_settings import DriverSettings

__all__ = ["SETTINGS", "WatchdogLink", "spawn_watchdog"]

SETTINGS = "watchdog.json"

ANSWER_TIMEOUT_S = 3.0
LONG_STOP_S = 8.0  # a driver that stops more slowly keeps its watchdog busy, which is not dead then
ACT_TIMEOUT_S = 12.0  # a kill may take stop_time_s, a start as long as the command's first moments
READY_TIMEOUT_S = 15.0
MAX_ANSWER = 65_536
WHOLE_PPM = 1_000_000


class WatchdogLink:
    """Implements ports.GuardedDriver over `folder`/watchdog.sock, one connection per request.

    `user` is who may answer besides root and our own user, `socket` where it listens if not in `folder`. Raises
    Unavailable where the watchdog does not answer: then the work is dead or dying.
    """

    def __init__(
        self, folder: Path, *, socket: Path | None = None, user: int | None = None
    ) -> None:
        self._socket = socket or folder / "watchdog.sock"
        self._user = user
        self._permit: Permit | None = None
        self._about: wire.About | None = None

    @property
    def name(self) -> str:
        return self.about().driver

    @property
    def stop_time_s(self) -> float:
        return self.about().stop_time_s

    def about(self) -> wire.About:
        """What the watchdog says of itself, asked for once."""
        if self._about is None:
            self._about = self._ask(wire.AskedAbout()).about
        if self._about is None:
            raise Unavailable("the watchdog does not say what it is")
        return self._about

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

    def cap(self, share_ppm: int) -> CapMeans:
        """Slow the work, or lift the cap with 1,000,000; the means that do it."""
        if not 1 <= share_ppm <= WHOLE_PPM:
            raise InvalidInput("is not within 1..1,000,000", path="share_ppm")
        means = self._ask(wire.AskedCap(share_ppm=share_ppm), ACT_TIMEOUT_S).cap
        if means is None:
            raise Unavailable("the watchdog named no means")
        return means

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
        # A scheduler takes longer to end its jobs than a kernel its processes.
        patience_s = max(ACT_TIMEOUT_S, self.about().stop_time_s + ANSWER_TIMEOUT_S)
        means = self._ask(request, patience_s).means
        if means is None:
            raise Unavailable("the watchdog named no means")
        return means

    def _patience_s(self) -> float:
        """While a scheduler's jobs are being ended the watchdog answers nobody; a dead one refuses at once."""
        stop_time_s = self._about.stop_time_s if self._about else 0.0
        return ANSWER_TIMEOUT_S + (stop_time_s if stop_time_s > LONG_STOP_S else 0.0)

    def _ask(self, request: wire.Request, timeout_s: float | None = None) -> wire.Answer:
        line = canonical(request)
        if len(line) > 16_384:
            raise InvalidInput("the command and its environment are over 16 KiB", path="start")
        raw = ask_line(
            self._socket,
            line,
            timeout_s=timeout_s or self._patience_s(),
            limit=MAX_ANSWER,
            answered_by=self._user,
        )
        try:
            answer = from_json(wire.Answer, parse_json(raw))
        except InvalidInput as error:
            raise Unavailable(f"the watchdog's answer cannot be read: {error}") from None
        wire.raise_refusal(answer)
        return answer


def spawn_watchdog(
    folder: Path, user: int | None = None, settings: DriverSettings | None = None
) -> WatchdogLink:
    """A link to the folder's watchdog: the one that lives there, or a new one, detached, once it is ready.

    `settings` name the driver and its part, the process driver unless given; `user` is the uid that the work drops
    to. Raises Unavailable where it does not come to life, StateConflict where one lives with another driver.
    """
    link = WatchdogLink(folder)
    wanted = settings or DriverSettings(user=user)
    if link.is_alive():
        return _of_that_driver(link, wanted)
    create_private_folder(folder)
    # Crash here: settings that nobody reads; the next spawn writes them anew.
    replace_file(folder / SETTINGS, canonical(wanted))
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
        return _of_that_driver(link, wanted)
    raise Unavailable(
        f"the watchdog did not come to life: {done.stderr.decode(errors='replace').strip()[-500:]}"
    )


def _of_that_driver(link: WatchdogLink, wanted: DriverSettings) -> WatchdogLink:
    if link.name != wanted.driver:
        raise StateConflict(
            f"a watchdog with the driver {link.name} lives there", remedy="end it first"
        )
    return link
