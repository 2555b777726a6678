"""`python -m sekisho.agent.main --home A`: wires an agent to its host and keeps it on duty until it is told to leave.

Leaving ends neither the watchdog nor the work: these go on to the end of their permit, and the next agent takes over.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import queue
import signal
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec

from sekisho.adapters.clocks import SystemClock
from sekisho.adapters.devices.link_counters import KernelLinks
from sekisho.adapters.durable_files import create_private_folder, hold_folder
from sekisho.adapters.held_release import hold_release
from sekisho.adapters.schedulers.kubernetes import (
    Api,
    GateConfig,
    KubernetesAudit,
    StrayAct,
    connect_api,
)
from sekisho.adapters.schedulers.slurm import GateFile, SlurmAudit
from sekisho.adapters.schedulers.watchdog_link import WatchdogLink, spawn_watchdog
from sekisho.agent.census import Census
from sekisho.agent.charter_homes import CharterHome, load_homes, load_settings
from sekisho.agent.events import Event
from sekisho.agent.host import AgentSettings
from sekisho.agent.joint_driver import JointDriver
from sekisho.agent.joint_gate import JointGate
from sekisho.agent.rounds import Rounds
from sekisho.agent.station import Shared, Station
from sekisho.following import Follower
from sekisho.model.errors import InvalidInput, SekishoError, Unavailable
from sekisho.model.wire import canonical
from sekisho.ports.device_census import DeviceCensus
from sekisho.ports.driver_settings import DriverName, KubernetesSettings
from sekisho.ports.gate import Gate

__all__ = ["Agent", "load_settings", "main", "run_agent"]

EXIT_BAD_INPUT, EXIT_FAILED, EXIT_UNAVAILABLE = 2, 1, 4
_STRAY_ACTS: tuple[StrayAct, ...] = ("advise", "freeze", "stop")


class Agent:
    """One agent, wired. `run` keeps it on duty in the calling thread; `end` may be called from anywhere."""

    def __init__(self, *homes: Path, driver: DriverName | None = None) -> None:
        """One home for each charter; `driver` goes before the first home's own word.

        Raises InvalidInput for a bad home, StateConflict where another agent holds it, Unavailable.
        """
        charters = load_homes(homes)
        home, settings = charters[0].home, charters[0].settings
        if driver is not None:
            settings = msgspec.structs.replace(settings, driver=driver)
            charters = tuple(_driven_by(driver, charter) for charter in charters)
        for charter in charters:
            create_private_folder(charter.home)
            hold_folder(charter.home, "agent")
        self._events: queue.SimpleQueue[Callable[[], None] | None] = queue.SimpleQueue()
        self._ending = False
        self._clock = SystemClock()
        self._watchdog = _find_watchdog(home, settings)
        self._keeps_watchdog = settings.watchdog is not None
        shared = Shared(
            clock=self._clock,
            driver=self._watchdog,
            out=home / settings.out,
            revive=lambda: _revive(home, settings),
            gate=_open_gate(settings),
        )
        self._stations = [
            Station(charter, part, self._teller(number))
            for number, (charter, part) in enumerate(_seated(charters, shared))
        ]
        self._rounds = _plan_rounds(settings, self._tell_all, self._stray_act)
        self._census = _plan_census(settings, self._tell_all, self._clock.elapsed_s)

    def run(self) -> None:
        """Wake, then look whenever something happened or is due, until told to end."""
        self._wake()
        for station in self._stations:
            station.start()
        if self._rounds is not None:
            self._rounds.start()
        if self._census is not None:
            self._census.start()
        ready = {"ready": True, "pid": os.getpid(), "charters": len(self._stations)}
        print(canonical(ready).decode(), flush=True)  # noqa: T201  # the ready line is this command's output
        try:
            wait = self._look()
            while not self._ending:
                self._hear(wait)
                wait = self._look()
        finally:
            if self._rounds is not None:
                self._rounds.end()
            if self._census is not None:
                self._census.end()
            for station in self._stations:
                station.end()

    def _look(self) -> float:
        """Whoever heard something first: where it is an order, no other charter's writing comes before its stop."""
        stations = sorted(self._stations, key=lambda station: not station.has_news)
        return min(station.look() for station in stations)

    def _wake(self) -> None:
        """An agent that cannot begin leaves no watchdog behind, unless that one holds living work."""
        try:
            for station in self._stations:
                station.duty.wake(self._clock.boot_id())
        except SekishoError:
            with contextlib.suppress(SekishoError):
                if not self._keeps_watchdog:
                    self._watchdog.quit()
            raise

    def end(self) -> None:
        self._ending = True
        self._events.put(None)

    def _teller(self, number: int) -> Callable[[Event], None]:
        """What one charter's threads tell their events to."""
        return lambda event: self._events.put(lambda: self._stations[number].duty.hear(event))

    def _tell_all(self, event: Event) -> None:
        """What happened on the host, seen once and told to every charter."""
        for number in range(len(self._stations)):
            self._teller(number)(event)

    def _hear(self, wait_s: float) -> None:
        """Everything that has happened by now, or the first thing within `wait_s`."""
        try:
            event = self._events.get(timeout=wait_s) if wait_s > 0 else self._events.get_nowait()
            while True:
                if event is not None:
                    event()
                event = self._events.get_nowait()
        except queue.Empty:
            return

    def _stray_act(self) -> StrayAct:
        """The strictest word of the charters on work without a lease, of those that bind the host."""
        bound = [s for s in self._stations if s.duty.fellows.is_bound]
        said = [_stray_act(station.follower) for station in bound]
        return max(said, key=_STRAY_ACTS.index, default="advise")


def _driven_by(driver: DriverName, charter: CharterHome) -> CharterHome:
    settings = msgspec.structs.replace(charter.settings, driver=driver)
    return msgspec.structs.replace(charter, settings=settings)


def _seated(
    charters: tuple[CharterHome, ...], shared: Shared
) -> Iterator[tuple[CharterHome, Shared]]:
    """Each charter with the watchdog and the gate, or with its seats at them where there are several."""
    if len(charters) == 1:
        yield charters[0], shared
        return
    joint = JointDriver(shared.driver, charters[0].settings.run)
    gate = JointGate(shared.gate, shared.clock.elapsed_s) if shared.gate is not None else None
    # All seats before the first duty: none may start work before the others can refuse it.
    seats = [joint.seat(charter.name) for charter in charters]
    gates = [gate.seat(charter.name) if gate else None for charter in charters]
    for charter, seat, shown in zip(charters, seats, gates, strict=True):
        yield charter, msgspec.structs.replace(shared, driver=seat, gate=shown)


def run_agent(*homes: Path, driver: DriverName | None = None) -> None:
    """An agent on duty until SIGTERM or SIGINT, for each home under its charter. Raises what `Agent` raises."""
    agent = Agent(*homes, driver=driver)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: agent.end())
    agent.run()


def main(arguments: list[str] | None = None) -> int:
    """Run until told to leave; 1 where the home is held or broken, 2 for bad input, 4 without a watchdog."""
    parser = argparse.ArgumentParser(
        prog="python -m sekisho.agent.main", description="Run a host's agent."
    )
    parser.add_argument(
        "--home",
        type=Path,
        required=True,
        action="append",
        help="folder with agent.json, host.pem, trust.json; once more for each further charter",
    )
    hold_release(Path(__file__))  # no update takes away what this agent runs from
    try:
        run_agent(*parser.parse_args(arguments).home)
    except InvalidInput as error:
        return _complain(error, EXIT_BAD_INPUT)
    except Unavailable as error:
        return _complain(error, EXIT_UNAVAILABLE)
    except SekishoError as error:
        return _complain(error, EXIT_FAILED)
    except OSError as error:
        # A home that cannot be written is no memory: the agent stops, the watchdog ends the work with its permit.
        unwritable = InvalidInput(str(error.strerror), path=str(error.filename or "home"))
        return _complain(unwritable, EXIT_BAD_INPUT)
    return 0


def _find_watchdog(home: Path, settings: AgentSettings) -> WatchdogLink:
    """A watchdog of our own, brought to life where it is not; else the privileged one, which others start.

    Raises Unavailable where that does not answer, InvalidInput where it holds another driver than we were told.
    """
    place = settings.watchdog
    if place is None:
        return spawn_watchdog(home / "watchdog", settings=settings.driver_settings())
    link = WatchdogLink(home, socket=Path(place.socket), user=place.user)
    if link.name != settings.driver:
        raise InvalidInput(
            f"the watchdog holds the driver {link.name}",
            path=f"{home / 'agent.json'}: driver",
            remedy="name the same driver in agent.json and watchdog.json",
        )
    return link


def _plan_rounds(
    settings: AgentSettings, notice: Callable[[Event], None], act: Callable[[], StrayAct]
) -> Rounds | None:
    """Who looks for what slipped past the gate; nobody where there is none."""
    if settings.driver == "slurm" and settings.slurm is not None:
        return Rounds(SlurmAudit(settings.slurm, settings.run).look, notice)
    if settings.driver == "kubernetes" and settings.kubernetes is not None:
        api = _open_api(settings.kubernetes)
        audit = KubernetesAudit(api, settings.kubernetes, SystemClock(), act)
        return Rounds(audit.look, notice)
    return None


def _stray_act(follower: Follower) -> StrayAct:
    """What the charter says of work without a lease; before one is known nothing is done to the work of others."""
    charter = follower.regime.charter
    return charter.terms.busy_without_lease if charter is not None else "advise"


def _plan_census(
    settings: AgentSettings, tell: Callable[[Event], None], elapsed_s: Callable[[], float]
) -> Census | None:
    """Who counts this host's devices and reads its interfaces; nobody where agent.json names none.

    Raises Unavailable without the extra `agent`.
    """
    devices = settings.devices
    if devices is None:
        return None
    links = KernelLinks() if devices.links is not None else None
    return Census(_open_nvml() if devices.census == "nvml" else None, links, tell, elapsed_s)


def _open_nvml() -> DeviceCensus:
    try:
        from sekisho.adapters.devices.nvml_census import NvmlCensus  # noqa: PLC0415  # an extra
    except ImportError:
        raise Unavailable(
            "the library that reads NVIDIA devices is not installed",
            remedy="install sekisho[agent]",
        ) from None
    return NvmlCensus()


def _open_gate(settings: AgentSettings) -> Gate | None:
    """Where the scheduler's gate reads; none for a driver that starts its own work."""
    if settings.driver == "slurm" and settings.slurm is not None:
        folder = Path(settings.slurm.gate)
        hold_folder(
            folder, "agent"
        )  # the gate shows one picture: two agents would overwrite each other
        return GateFile(folder)
    if settings.driver == "kubernetes" and settings.kubernetes is not None:
        api = _open_api(settings.kubernetes)
        return GateConfig(api, settings.kubernetes, SystemClock())
    return None


def _open_api(settings: KubernetesSettings) -> Api:
    return connect_api(settings.server, settings.token_file, settings.ca_file)


def _revive(home: Path, settings: AgentSettings) -> None:
    _find_watchdog(home, settings)


def _complain(error: SekishoError, code: int) -> int:
    print(f"agent: {error}", file=sys.stderr)  # noqa: T201  # the command's own voice
    return code


if __name__ == "__main__":
    sys.exit(main())
