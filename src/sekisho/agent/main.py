"""`python -m sekisho.agent.main --home A`: wires an agent to its host and keeps it on duty until it is told to leave.

Leaving ends neither the watchdog nor the work: these go on to the end of their permit, and the next agent takes over.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import queue
import secrets
import signal
import sys
from collections.abc import Callable
from pathlib import Path

import msgspec

from sekisho.adapters.clocks import SystemClock
from sekisho.adapters.devices.file_counter import FileCounter
from sekisho.adapters.devices.link_counters import KernelLinks
from sekisho.adapters.devices.tpm_counter import TpmCounter
from sekisho.adapters.devices.tpm_seat import TpmSeat
from sekisho.adapters.durable_files import create_private_folder, hold_folder
from sekisho.adapters.held_release import hold_release
from sekisho.adapters.keys import load_key
from sekisho.adapters.schedulers.kubernetes import (
    Api,
    GateConfig,
    KubernetesAudit,
    StrayAct,
    connect_api,
)
from sekisho.adapters.schedulers.slurm import GateFile, SlurmAudit
from sekisho.adapters.schedulers.watchdog_link import WatchdogLink, spawn_watchdog
from sekisho.adapters.storage.host_folder import HostFolder
from sekisho.adapters.transport.control_client import parse_feed
from sekisho.adapters.transport.control_ring import open_controls
from sekisho.agent.carrying import Carrying
from sekisho.agent.census import Census
from sekisho.agent.duty import Duty
from sekisho.agent.events import Event, Pushed
from sekisho.agent.follow import Follower
from sekisho.agent.host import AgentSettings, Host
from sekisho.agent.inbox import Inbox
from sekisho.agent.listening import Listener, parse_place
from sekisho.agent.memory import Memory
from sekisho.agent.post import Post
from sekisho.agent.rounds import Rounds
from sekisho.agent.work import WorkFolder
from sekisho.model.errors import InvalidInput, SekishoError, Unavailable
from sekisho.model.wire import canonical, from_json, parse_json
from sekisho.ports.counter import Counter, CounterTier
from sekisho.ports.device_census import DeviceCensus
from sekisho.ports.driver_settings import DriverName, KubernetesSettings
from sekisho.ports.gate import Gate
from sekisho.signing import TrustRoot, parse_policy

__all__ = ["Agent", "load_settings", "main", "run_agent"]

EXIT_BAD_INPUT, EXIT_FAILED, EXIT_UNAVAILABLE = 2, 1, 4
MAX_DOCUMENT = 1 << 20


class Agent:
    """One agent, wired. `run` keeps it on duty in the calling thread; `end` may be called from anywhere."""

    def __init__(self, home: Path, driver: DriverName | None = None) -> None:
        """`driver` goes before the home's own word.

        Raises InvalidInput for a bad home, StateConflict where another agent holds it, Unavailable.
        """
        settings = load_settings(home)
        settings = msgspec.structs.replace(settings, driver=driver or settings.driver)
        create_private_folder(home)
        hold_folder(home, "agent")
        self._events: queue.SimpleQueue[Event | None] = queue.SimpleQueue()
        self._ending = False
        self._control = open_controls(settings.control)
        self._post = Post(self._control, settings.host, self._events.put)
        self._clock = SystemClock()
        self._watchdog = _find_watchdog(home, settings)
        self._keeps_watchdog = settings.watchdog is not None
        follower = Follower(settings.host, _load_trust(home))
        host = Host(
            settings,
            signer=load_key(home / "host.pem"),
            clock=self._clock,
            memory=Memory(HostFolder(home), _open_counter(home, settings, follower), settings.host),
            follower=follower,
            driver=self._watchdog,
            outbox=self._post,
            folder=WorkFolder(home / settings.out),
            nonce=lambda: secrets.token_hex(16),
            cores=len(os.sched_getaffinity(0)),
            gate=_open_gate(settings),
        )
        self.duty = Duty(host, lambda: _revive(home, settings))
        self._listener = _open_listener(settings, follower, self._events.put)
        self._carrying = Carrying(host, self.duty, Inbox(home))
        self._rounds = _plan_rounds(settings, self._events.put, lambda: _stray_act(follower))
        self._census = _plan_census(settings, self._events.put, self._clock.elapsed_s)

    def run(self) -> None:
        """Wake, then look whenever something happened or is due, until told to end."""
        self._wake()
        self._post.start()
        if self._listener is not None:
            self._listener.start()
        if self._rounds is not None:
            self._rounds.start()
        if self._census is not None:
            self._census.start()
        ready = {"ready": True, "pid": os.getpid()}
        print(canonical(ready).decode(), flush=True)  # noqa: T201  # the ready line is this command's output
        try:
            wait = self.duty.look()
            while not self._ending:
                self._hear(wait)
                self._carrying.look()
                wait = self.duty.look()
        finally:
            if self._rounds is not None:
                self._rounds.end()
            if self._census is not None:
                self._census.end()
            if self._listener is not None:
                self._listener.end()
            self._post.end()
            self._control.close()

    def _wake(self) -> None:
        """An agent that cannot begin leaves no watchdog behind, unless that one holds living work."""
        try:
            self.duty.wake(self._clock.boot_id())
        except SekishoError:
            with contextlib.suppress(SekishoError):
                if not self._keeps_watchdog:
                    self._watchdog.quit()
            raise

    def end(self) -> None:
        self._ending = True
        self._events.put(None)

    def _hear(self, wait_s: float) -> None:
        """Everything that has happened by now, or the first thing within `wait_s`."""
        try:
            event = self._events.get(timeout=wait_s) if wait_s > 0 else self._events.get_nowait()
            while True:
                if event is not None:
                    self.duty.hear(event)
                event = self._events.get_nowait()
        except queue.Empty:
            return


def run_agent(home: Path, driver: DriverName | None = None) -> None:
    """An agent on duty until SIGTERM or SIGINT. Raises what `Agent` raises."""
    agent = Agent(home, driver)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: agent.end())
    agent.run()


def load_settings(home: Path) -> AgentSettings:
    """`agent.json` of a home. Raises InvalidInput naming the file and the field."""
    path = home / "agent.json"
    return from_json(AgentSettings, parse_json(_read(path), path=str(path)), path=str(path))


def main(arguments: list[str] | None = None) -> int:
    """Run until told to leave; 1 where the home is held or broken, 2 for bad input, 4 without a watchdog."""
    parser = argparse.ArgumentParser(
        prog="python -m sekisho.agent.main", description="Run a host's agent."
    )
    parser.add_argument(
        "--home", type=Path, required=True, help="folder with agent.json, host.pem, trust.json"
    )
    hold_release(Path(__file__))  # no update takes away what this agent runs from
    try:
        run_agent(parser.parse_args(arguments).home)
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


def _open_listener(
    settings: AgentSettings, follower: Follower, tell: Callable[[Event], None]
) -> Listener | None:
    """Where pushes are taken; nowhere unless agent.json says so. Raises Unavailable where the place is taken.

    The regime is read from another thread than the one that folds it: each is a value that never changes.
    """
    if settings.listen is None:
        return None
    return Listener(
        parse_place(settings.listen),
        parse=lambda body: parse_feed(body, path="push"),
        verify=lambda raw: follower.regime.verify(raw, path="push"),
        tell=lambda feed: tell(Pushed(feed)),
    )


def _open_counter(home: Path, settings: AgentSettings, follower: Follower) -> Counter:
    """The home's counter; a file is made once, in a home that holds nothing yet: one that is gone later is missed."""
    if settings.counter == "tpm":
        return TpmCounter(settings.tcti, TpmSeat.load(home), tier=lambda: _tier_of(follower))
    path = home / "counter"
    begun = any((home / name).exists() for name in ("state.json", "receipts.jsonl"))
    return FileCounter(path) if begun or path.exists() else FileCounter.create(path)


def _tier_of(follower: Follower) -> CounterTier:
    """What the enrolment says that this host's TPM is: no host can tell a chip from a program that acts like one."""
    enrolment = follower.enrolment()
    return enrolment.counter if enrolment is not None else "C1"


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
        hold_folder(folder, "agent")  # the gate shows one picture: two agents would overwrite each other
        return GateFile(folder)
    if settings.driver == "kubernetes" and settings.kubernetes is not None:
        api = _open_api(settings.kubernetes)
        return GateConfig(api, settings.kubernetes, SystemClock())
    return None


def _open_api(settings: KubernetesSettings) -> Api:
    return connect_api(settings.server, settings.token_file, settings.ca_file)


def _revive(home: Path, settings: AgentSettings) -> None:
    _find_watchdog(home, settings)


def _load_trust(home: Path) -> TrustRoot:
    path = home / "trust.json"
    return parse_policy(_read(path), path=str(path))


def _read(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(MAX_DOCUMENT)
    except OSError as error:
        raise InvalidInput(
            f"cannot be read: {error.strerror}",
            path=str(path),
            remedy="name the agent's own folder; docs/guide/agent.md says what stands in it",
        ) from None


def _complain(error: SekishoError, code: int) -> int:
    print(f"agent: {error}", file=sys.stderr)  # noqa: T201  # the command's own voice
    return code


if __name__ == "__main__":
    sys.exit(main())
