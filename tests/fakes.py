"""A host in memory: driver, files and counter that crash on cue, and an agent over them, driven by hand."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Literal, Self

import msgspec

from sekisho.agent.duty import Duty
from sekisho.agent.events import (
    Delivered,
    Event,
    FeedCame,
    LeaseCame,
    LeaseRefused,
    OrderFetched,
    ReceiptRefused,
)
from sekisho.agent.host import AgentSettings, Host
from sekisho.agent.joint_driver import Seat
from sekisho.agent.memory import Memory
from sekisho.agent.receipts import GivenReceipt
from sekisho.agent.work import WorkFolder, WrittenCheckpoint
from sekisho.following import Follower
from sekisho.model.errors import (
    SekishoError,
    StateConflict,
    Unavailable,
)
from sekisho.model.statements import Checkpoint as ModelCheckpoint
from sekisho.ports.control import Unacknowledged
from sekisho.ports.counter import CounterTier
from sekisho.ports.driver import CapMeans, Permit, StopMeans, Workload, WorkloadReading
from tests.factory import HOST
from tests.fake_control import QUORUM, WITNESSES, FakeClock, FakeControl, FakeLog, predicates

__all__ = [
    "QUORUM",
    "WITNESSES",
    "Crashed",
    "FakeClock",
    "FakeControl",
    "FakeCounter",
    "FakeDriver",
    "FakeFiles",
    "FakeLog",
    "FakeWorkFolder",
    "Fuse",
    "InlinePost",
    "Rig",
    "predicates",
]


class Crashed(BaseException):
    """The process died here. No SekishoError, so that nobody catches it."""


class FakeDriver:
    """Implements ports.GuardedDriver: work that uses `rate` CPU seconds a second and keeps to its permit."""

    name = "process"
    stop_time_s = 0.0

    def __init__(self, clock: FakeClock) -> None:
        self.clock = clock
        self.state: Literal["running", "frozen", "ended"] = "ended"
        self.exit_code: int | None = None
        self.rate = 0.25
        self.calls: list[str] = []
        self.starts: list[tuple[str, ...]] = []
        self.is_dead = False
        self.is_stubborn = False
        self.is_blind = False
        self.caps: list[int] | None = None  # None: a driver that slows nothing
        self.on_checkpoint: Callable[[], None] = lambda: None
        self._cpu_s = 0.0
        self._since_s = clock.elapsed_s()
        self._permit: Permit | None = None
        self._asked = False

    def enforce(self) -> None:
        """What the watchdog does by itself."""
        now = self.clock.elapsed_s()
        if self.state == "running":
            self._cpu_s += self.rate * (now - self._since_s)
        self._since_s = now
        permit = self._permit
        if permit is None or self.state == "ended":
            return
        if now >= permit.until_s:
            self.state = "ended" if permit.then == "kill" else "frozen"
        elif now >= permit.checkpoint_at_s and not self._asked:
            self._asked = True
            self.on_checkpoint()

    def start(self, run: str, command: tuple[str, ...], environment: dict[str, str]) -> Workload:
        self._call("start")
        if self._permit is None or self._permit.until_s <= self.clock.elapsed_s():
            raise StateConflict("no live permit")
        self.state, self._cpu_s, self.exit_code = "running", 0.0, None
        self.starts.append(command)
        return self._workload()

    def read(self) -> WorkloadReading:
        self.enforce()
        if self.is_blind:
            raise Unavailable("the meter cannot be read")
        if self.is_dead:
            raise Unavailable("the watchdog does not answer")
        return WorkloadReading(
            state=self.state,
            processes=0 if self.state == "ended" else 1,
            cpu_s=self._cpu_s,
            exit_code=self.exit_code,
        )

    def request_checkpoint(self) -> None:
        self._call("checkpoint")
        self.on_checkpoint()

    def freeze(self) -> StopMeans:
        self._call("freeze")
        if self.is_stubborn:
            raise Unavailable("some processes do not stop")
        self.state = "frozen"
        return "cgroup-v2-freeze"

    def thaw(self) -> StopMeans:
        self._call("thaw")
        if self._permit is None or self._permit.until_s <= self.clock.elapsed_s():
            raise StateConflict("no live permit")
        self.state = "running"
        return "cgroup-v2-freeze"

    def kill(self) -> StopMeans:
        self._call("kill")
        if self.is_stubborn:
            raise Unavailable("some processes outlive it")
        self.state = "ended"
        return "cgroup-v2-kill"

    def cap(self, share_ppm: int) -> CapMeans:
        if self.caps is None:
            raise Unavailable("nothing here slows work")
        self.caps.append(share_ppm)
        return "duty-cycle" if share_ppm < 1_000_000 else "none"

    def permit(self, permit: Permit) -> None:
        self._call("permit")
        self._permit, self._asked = permit, False

    def held(self) -> tuple[Workload, Permit] | None:
        if self.is_dead:
            raise Unavailable("the watchdog does not answer")
        if self.state == "ended" or self._permit is None:
            return None
        return self._workload(), self._permit

    def _call(self, name: str) -> None:
        self.enforce()
        if self.is_dead:
            raise Unavailable("the watchdog does not answer")
        self.calls.append(name)

    @staticmethod
    def _workload() -> Workload:
        return Workload(run="run-1", root_pid=1, root_start_ticks=1, cgroup="", user=0)


class Fuse:
    """Kills the process at the n-th durable step, just before or just after it."""

    def __init__(self) -> None:
        self.burns_at: int | None = None
        self.after = False
        self.steps: list[str] = []

    def pass_by(self, step: str, act: Callable[[], None]) -> None:
        burns = self.burns_at is not None and len(self.steps) == self.burns_at
        self.steps.append(step)
        if burns and not self.after:
            raise Crashed(step)
        act()
        if burns:
            raise Crashed(step)


class FakeFiles:
    """Implements ports.HostFiles in memory."""

    def __init__(self, fuse: Fuse | None = None) -> None:
        self.files: dict[str, bytes] = {}
        self.fuse = fuse or Fuse()

    def load(self, name: str) -> bytes | None:
        return self.files.get(name)

    def save(self, name: str, data: bytes) -> None:
        self.fuse.pass_by(f"save {name}", lambda: self.files.update({name: data}))

    def append(self, name: str, line: bytes) -> None:
        grown = self.files.get(name, b"") + line + b"\n"
        self.fuse.pass_by(f"append {name}", lambda: self.files.update({name: grown}))

    def load_lines(self, name: str) -> Iterator[bytes]:
        yield from self.files.get(name, b"").splitlines()


class FakeCounter:
    """Implements ports.Counter in memory."""

    tier: CounterTier = "C0"

    def __init__(self, fuse: Fuse | None = None) -> None:
        self.value = 0
        self.fuse = fuse or Fuse()

    def read(self) -> int:
        return self.value

    def step(self) -> int:
        self.fuse.pass_by("counter", lambda: setattr(self, "value", self.value + 1))
        return self.value


class FakeWorkFolder(WorkFolder):
    """The work's files, written by the test."""

    def __init__(self) -> None:
        self.written: WrittenCheckpoint | None = None

    def write(self, step: int) -> None:
        digest = f"{step:064x}"
        self.written = WrittenCheckpoint(
            checkpoint=ModelCheckpoint(sha256=digest, bytes=1, step=step),
            path=f"/out/checkpoint-{step}",
            stamp=step,
        )

    def stamp(self) -> int:
        return self.written.stamp if self.written else 0

    def load_checkpoint(self) -> WrittenCheckpoint | None:
        return self.written

    def declared_flop(self) -> int | None:
        return None


class InlinePost:
    """Implements Outbox: errands wait until the test lets them out, then their answers are heard."""

    def __init__(self, control: FakeControl) -> None:
        self.control = control
        self.errands: list[Callable[[], Event | None]] = []

    def send_receipt(self, given: GivenReceipt) -> None:
        self.errands.append(lambda: self._deliver(given))

    def send_statement(self, raw: bytes) -> None:
        self.errands.append(lambda: self._state(raw))

    def send_request(self, raw: bytes) -> None:
        self.errands.append(lambda: self._ask(raw))

    def fetch_order(self, register: str, number: int) -> None:
        self.errands.append(lambda: self._fetch(register, number))

    def let_out(self) -> list[Event]:
        """Run every errand once, in order; those that find nobody wait on."""
        waiting, self.errands = self.errands, []
        events = []
        for errand in waiting:
            try:
                event = errand()
            except Unavailable:
                self.errands.append(errand)
                continue
            events += [event] if event else []
        return events

    def _state(self, raw: bytes) -> None:
        try:
            self.control.send_statement(raw)
        except Unavailable:
            raise
        except SekishoError:
            return  # as the real one: the log does not want it

    def _deliver(self, given: GivenReceipt) -> Event:
        try:
            return Delivered(given.sequence, self.control.send_receipt(given.raw))
        except Unavailable:
            raise
        except SekishoError as error:
            return ReceiptRefused(given.sequence, str(error), isinstance(error, Unacknowledged))

    def _ask(self, raw: bytes) -> Event:
        try:
            return LeaseCame(raw, self.control.send_request(raw))
        except Unavailable:
            raise
        except SekishoError as error:
            return LeaseRefused(raw, str(error))

    def _fetch(self, register: str, number: int) -> Event:
        try:
            return OrderFetched(
                register, number, self.control.fetch_order(register, number, "host-1")
            )
        except StateConflict:
            return OrderFetched(register, number, None)


class Rig:
    """A whole agent over fakes: driven by hand, killed and woken again over the same files."""

    def __init__(self, control: FakeControl | None = None, **changes: object) -> None:
        self.control = control or FakeControl()
        self.clock = self.control.clock
        self.fuse = Fuse()
        self.files = FakeFiles(self.fuse)
        self.counter = FakeCounter(self.fuse)
        self.driver = FakeDriver(self.clock)
        self.folder = FakeWorkFolder()
        self.settings = msgspec.structs.replace(
            AgentSettings(host="host-1", control="", run="run-1", command=("work",)), **changes
        )
        self.driver.on_checkpoint = self._write_checkpoint
        self.writes_checkpoints = True
        self._nonce = 0
        self._fed = 0
        self.wake()

    def wake(self) -> None:
        """A new agent process over the same home, clock, driver and control plane."""
        self.build()
        self.duty.wake(self.clock.boot_id())

    def build(self, seat: Seat | None = None) -> None:
        """The agent's parts, not awake yet; at a seat where its charter is one of several."""
        self.post = InlinePost(self.control)
        self.follower = Follower("host-1", self.control.root)
        self.host = Host(
            self.settings,
            signer=HOST,
            clock=self.clock,
            memory=Memory(self.files, self.counter, "host-1"),
            follower=self.follower,
            driver=seat or self.driver,
            seat=seat,
            outbox=self.post,
            folder=self.folder,
            nonce=self._draw,
            cores=1,
        )
        self.duty = Duty(self.host, self._revive)
        self._fed = 0

    def turn(self, *, feed: bool = True) -> float:
        """Answers and feed in, one look."""
        for event in self.post.let_out():
            self.duty.hear(event)
        if feed and not self.control.is_silent and len(self.control.feed) > self._fed:
            news = self.control.fetch_feed("host-1", self._fed, 0)
            self._fed = news.next
            self.duty.hear(FeedCame(news))
        self.driver.enforce()
        return self.duty.look()

    def run_for(self, seconds: float, step: float = 0.25) -> None:
        for _ in range(round(seconds / step)):
            self.turn()
            self.clock.advance(step)
        self.turn()

    def started(self, **licence: object) -> Self:
        """With a licence, until its work runs."""
        self.control.license(**licence)
        self.run_for(1)
        return self

    def doing(self) -> str:
        """What the agent believes that the work does: none, running or frozen."""
        return self.duty.work

    def crash_at(self, step: int, *, after: bool) -> None:
        self.fuse.steps.clear()
        self.fuse.burns_at, self.fuse.after = step, after

    def mend(self) -> None:
        self.fuse.burns_at = None

    def _write_checkpoint(self) -> None:
        if self.writes_checkpoints:
            self.folder.write(self.folder.stamp() + 1)

    def _revive(self) -> None:
        if self.driver.is_dead:
            raise Unavailable("the watchdog does not come back")

    def _draw(self) -> str:
        self._nonce += 1
        return f"{self._nonce:032x}"
