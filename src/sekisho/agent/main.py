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
from pathlib import Path

from sekisho.adapters.clocks import SystemClock
from sekisho.adapters.devices.file_counter import FileCounter
from sekisho.adapters.durable_files import create_private_folder, hold_folder
from sekisho.adapters.keys import load_key
from sekisho.adapters.schedulers.watchdog_link import spawn_watchdog
from sekisho.adapters.storage.host_folder import HostFolder
from sekisho.adapters.transport.control_client import ControlClient
from sekisho.agent.duty import Duty
from sekisho.agent.events import Event
from sekisho.agent.follow import Follower
from sekisho.agent.host import AgentSettings, Host
from sekisho.agent.memory import Memory
from sekisho.agent.post import Post
from sekisho.agent.work import WorkFolder
from sekisho.model.errors import InvalidInput, SekishoError, Unavailable
from sekisho.model.wire import canonical, from_json, parse_json
from sekisho.signing import TrustRoot, parse_policy

__all__ = ["Agent", "load_settings", "main", "run_agent"]

EXIT_BAD_INPUT, EXIT_FAILED, EXIT_UNAVAILABLE = 2, 1, 4
MAX_DOCUMENT = 1 << 20


class Agent:
    """One agent, wired. `run` keeps it on duty in the calling thread; `end` may be called from anywhere."""

    def __init__(self, home: Path) -> None:
        """Raises InvalidInput for a bad home, StateConflict where another agent holds it, Unavailable."""
        settings = load_settings(home)
        create_private_folder(home)
        hold_folder(home, "agent")
        self._events: queue.SimpleQueue[Event | None] = queue.SimpleQueue()
        self._ending = False
        self._control = ControlClient(settings.control)
        self._post = Post(self._control, settings.host, self._events.put)
        self._clock = SystemClock()
        watchdog = home / "watchdog"
        self._watchdog = spawn_watchdog(watchdog, settings.user)
        host = Host(
            settings,
            signer=load_key(home / "host.pem"),
            clock=self._clock,
            memory=Memory(HostFolder(home), _open_counter(home), settings.host),
            follower=Follower(settings.host, _load_trust(home)),
            driver=self._watchdog,
            outbox=self._post,
            folder=WorkFolder(home / settings.out),
            nonce=lambda: secrets.token_hex(16),
            cores=len(os.sched_getaffinity(0)),
        )
        self.duty = Duty(host, lambda: _revive(watchdog, settings.user))

    def run(self) -> None:
        """Wake, then look whenever something happened or is due, until told to end."""
        self._wake()
        self._post.start()
        ready = {"ready": True, "pid": os.getpid()}
        print(canonical(ready).decode(), flush=True)  # noqa: T201  # the ready line is this command's output
        try:
            wait = self.duty.look()
            while not self._ending:
                self._hear(wait)
                wait = self.duty.look()
        finally:
            self._post.end()
            self._control.close()

    def _wake(self) -> None:
        """An agent that cannot begin leaves no watchdog behind, unless that one holds living work."""
        try:
            self.duty.wake(self._clock.boot_id())
        except SekishoError:
            with contextlib.suppress(SekishoError):
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


def run_agent(home: Path) -> None:
    """An agent on duty until SIGTERM or SIGINT. Raises what `Agent` raises."""
    agent = Agent(home)
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


def _open_counter(home: Path) -> FileCounter:
    """The home's counter; made once, in a home that holds nothing yet: one that is gone later is missed."""
    path = home / "counter"
    begun = any((home / name).exists() for name in ("state.json", "receipts.jsonl"))
    return FileCounter(path) if begun or path.exists() else FileCounter.create(path)


def _revive(folder: Path, user: int | None) -> None:
    spawn_watchdog(folder, user)


def _load_trust(home: Path) -> TrustRoot:
    path = home / "trust.json"
    return parse_policy(_read(path), path=str(path))


def _read(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(MAX_DOCUMENT)
    except OSError as error:
        raise InvalidInput(
            f"cannot be read: {error.strerror}", path=str(path), remedy="enrol this host first"
        ) from None


def _complain(error: SekishoError, code: int) -> int:
    print(f"agent: {error}", file=sys.stderr)  # noqa: T201  # the command's own voice
    return code


if __name__ == "__main__":
    sys.exit(main())
