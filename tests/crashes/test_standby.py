"""Two control planes over one home: the second waits, takes over when the first is gone, and nothing is lost or forked.

The first is killed with SIGKILL while it issues an order and takes statements, or stopped with SIGSTOP so that it holds
everything and answers nobody. What was answered before is in the log afterwards, the register has no gap, and the log's
own checker finds one tree.
"""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from pathlib import Path

import httpx
import pytest

from sekisho.adapters.clocks import SystemClock
from sekisho.adapters.processes import ChildProcess
from sekisho.adapters.storage import FileTileStore
from sekisho.app import Home
from sekisho.ledger import Policy
from sekisho.ledger.fsck import check_log
from sekisho.model.statements import PartyEnrolled, Scope
from sekisho.operations.ordering import OrderPlan, draft_order
from sekisho.operations.reading import read_state
from sekisho.rehearsal.cast import Cast
from sekisho.signing import parse_envelope
from tests import factory as f

WAIT_S = 120


class Planes:
    """A home, and the control planes that are started over it."""

    def __init__(self, folder: Path, stack: ExitStack) -> None:
        self.home = Home.open(folder / "home")
        self._stack = stack
        self.cast = Cast(self.home)

    def start(self, *more: str) -> ChildProcess:
        """One that is ready."""
        child = ChildProcess.start(
            "control plane", self._arguments(more), log=self._log, wait_s=WAIT_S
        )
        self._stack.callback(child.kill)
        return child

    def stand_by(self, *more: str) -> Callable[[], ChildProcess]:
        """One that waits; what is returned waits until it serves."""
        found: list[ChildProcess] = []
        thread = threading.Thread(
            target=lambda: found.append(self.start("--standby", *more)), daemon=True
        )
        thread.start()

        def ready() -> ChildProcess:
            thread.join(WAIT_S)
            return found[0]

        return ready

    def pause(self) -> bytes:
        """The next pause of the register, signed, as the public log has it now."""
        state, _ = read_state(FileTileStore(self.home.public), self.home.load_root())
        plan = OrderPlan(
            kind="pause",
            scope=Scope(sites=("site-1",)),
            effect="freeze",
            lasts_s=3_600,
            legal_basis="test",
            appeal="none",
        )
        order = draft_order(state, plan, now=SystemClock().now())
        return self.cast.sign(order, *self.cast.pause_quorum).raw

    @property
    def _log(self) -> Path:
        return self.home.logs / "plane.log"

    def _arguments(self, more: tuple[str, ...]) -> list[str]:
        where = ["--home", str(self.home.path), "--port", "0", "--parent", str(os.getpid())]
        return ["sekisho.rehearsal.control", *where, *more]


@pytest.fixture
def planes(tmp_path: Path) -> Iterator[Planes]:
    with ExitStack() as stack:
        yield Planes(tmp_path, stack)


def post(address: str, raw: bytes) -> str | None:
    """The payload digest of a statement that the plane says is in its log; None where it says nothing."""
    with suppress(httpx.HTTPError):
        answer = httpx.post(
            f"{address}/api/v1/statements", content=raw, timeout=5.0, trust_env=False
        )
        if answer.is_success:
            return str(answer.json()["digest"])
    return None


def stating(planes: Planes, address: str, ending: threading.Event) -> list[str]:
    """Parties enrolled one after the other until the plane is gone: the digests that it answered with."""
    taken: list[str] = []
    for number in range(10_000):
        if ending.is_set():
            break
        key = f.signer(f"party {number} of {address}")
        fact = PartyEnrolled(
            effective=SystemClock().now(),
            party=f"party-{number}",
            public=key.public.to_text(),
            organisation=f"Developer {number}",
            country="JP",
        )
        digest = post(address, planes.cast.sign(fact, planes.cast.authority[0]).raw)
        if digest is None:
            break
        taken.append(digest)
    return taken


def children(pid: int) -> list[int]:
    """The processes that a process started and that run."""
    return [
        int(child)
        for tasks in Path(f"/proc/{pid}/task").glob("*/children")
        for child in tasks.read_text().split()
    ]


def logged(home: Home) -> set[str]:
    """The payload digests of everything in the log's database."""
    with home.open_entries(home.load_root().origin) as entries:
        return {parse_envelope(raw).digest for raw in entries.envelopes()}


def test_a_killed_primary_leaves_nothing_behind_and_its_standby_goes_on(planes: Planes) -> None:
    """Killed while it issues an order and takes statements: all that it answered stands, once, without a gap."""
    primary = planes.start()
    ready = planes.stand_by()
    taken: list[str] = []
    thread = threading.Thread(
        target=lambda: taken.extend(stating(planes, primary.text("address"), threading.Event()))
    )
    thread.start()
    time.sleep(1.0)
    order = planes.pause()
    issued = threading.Thread(
        target=lambda: taken.append(post(primary.text("address"), order) or "")
    )
    issued.start()
    time.sleep(0.02)
    primary.kill()
    thread.join(WAIT_S)
    issued.join(WAIT_S)
    standby = ready()
    # Whoever had no answer asks again: the same order gets its one place.
    assert post(standby.text("address"), order) is not None
    assert post(standby.text("address"), order) is not None
    assert {digest for digest in taken if digest} <= logged(planes.home)
    _check_one_tree(planes, standby)


def test_a_stopped_primary_is_ended_before_its_standby_takes_over(planes: Planes) -> None:
    """Stopped, it holds everything and answers nobody; its standby ends it first, so that it cannot be woken later."""
    primary = planes.start()
    with httpx.Client(trust_env=False) as client:
        client.get(f"{primary.text('address')}/log/checkpoint")
    planes.home.save_address(primary.text("address"))
    os.kill(primary.pid, signal.SIGSTOP)
    standby = planes.stand_by("--take-over-after", "2")()
    assert not primary.is_running()
    with suppress(ProcessLookupError):
        os.kill(primary.pid, signal.SIGCONT)
    assert post(standby.text("address"), planes.pause()) is not None
    _check_one_tree(planes, standby)


def test_without_that_word_a_standby_waits_for_a_stopped_primary(planes: Planes) -> None:
    """A primary that is stopped and woken again is the one writer all the time: its standby never began."""
    primary = planes.start()
    ready = planes.stand_by()
    os.kill(primary.pid, signal.SIGSTOP)
    time.sleep(2.0)
    os.kill(primary.pid, signal.SIGCONT)
    assert post(primary.text("address"), planes.pause()) is not None
    primary.stop()
    assert post(ready().text("address"), planes.pause()) is not None


def test_what_a_killed_primary_started_is_waited_for(planes: Planes) -> None:
    """Its witnesses are stopped for three seconds, so that they end late: the standby's own wait for their folders."""
    primary = planes.start()
    ready = planes.stand_by()
    stopped = children(primary.pid)
    assert len(stopped) == 2
    for pid in stopped:
        os.kill(pid, signal.SIGSTOP)
    primary.kill()
    time.sleep(3.0)
    for pid in stopped:
        os.kill(pid, signal.SIGCONT)
    standby = ready()
    assert post(standby.text("address"), planes.pause()) is not None
    _check_one_tree(planes, standby)


def _check_one_tree(planes: Planes, standby: ChildProcess) -> None:
    """The published log is one tree under the log's key, and its pause register has no gap."""
    standby.stop()
    root = planes.home.load_root()
    assert check_log(FileTileStore(planes.home.public), Policy.from_text(root.witnesses)).holds
    state, _ = read_state(FileTileStore(planes.home.public), root)
    register = next(name for name in state.orders.heads if name.startswith("pause/"))
    head = state.orders.heads[register]
    assert sorted(state.orders.orders[register]) == list(range(1, head.number + 1)) == [1]
