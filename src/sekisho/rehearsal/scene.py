"""What the steps of the drill share: the home, the keys, the children, a client, and the public log as read."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from sekisho.adapters.clocks import SystemClock
from sekisho.adapters.devices.emulated_link import EmulatedDevice
from sekisho.adapters.processes import ChildProcess
from sekisho.adapters.storage import FileTileStore
from sekisho.adapters.transport.statement_desk import Placed, send_envelope
from sekisho.app import Home
from sekisho.model.errors import SekishoError, Unavailable
from sekisho.model.statements import (
    OrderIssued,
    OrderReference,
    Predicate,
    ReceiptGiven,
    parse_payload,
)
from sekisho.operations.following import LogFollower
from sekisho.operations.state import State
from sekisho.ports.tile_store import NotStored
from sekisho.rehearsal.cast import Cast
from sekisho.rehearsal.stage import HostPlan, Stage
from sekisho.signing import Envelope, Recorded, TrustRoot, parse_envelope
from sekisho.signing.keys import Signer

__all__ = ["CPU_HOST", "EMULATED_HOST", "SITE", "Scene", "load_receipts"]

T = TypeVar("T")
SITE = "site-1"
CPU_HOST = "host-cpu"
EMULATED_HOST = "host-emulated"
POLL_S = 0.05


class Scene:
    """One drill under way. `tell` narrates; every wait is bounded and says what it waited for."""

    def __init__(self, home: Home, stage: Stage, tell: Callable[[str], None]) -> None:
        self.home = home
        self.stage = stage
        self.tell = tell
        self.clock = SystemClock()
        self.cast = Cast(home)
        self.control: ChildProcess | None = None
        self.root: TrustRoot | None = None
        self.device: EmulatedDevice | None = None
        self.plans: dict[str, HostPlan] = {}
        self.agents: dict[str, ChildProcess] = {}
        self.orders: list[OrderReference] = []
        self.bundle: Path | None = None
        self._follower: LogFollower | None = None

    @property
    def address(self) -> str:
        if self.control is None:
            raise Unavailable("the control plane is not running")
        return self.control.text("address")

    def connect(self, control: ChildProcess) -> None:
        """Talk to this control plane from now on, and trust the root that this home was founded with."""
        self.control = control
        self.root = self.home.load_root()
        if self._follower is None:
            self._follower = LogFollower(FileTileStore(self.home.public), self.root)

    @property
    def follower(self) -> LogFollower:
        if self._follower is None:
            raise Unavailable("no log is followed yet")
        return self._follower

    def state(self) -> State:
        """The public log as a verifier reads it now."""
        try:
            return self.follower.refresh()
        except NotStored:
            return self.follower.state

    def submit(self, predicate: Predicate, *signers: Signer) -> Envelope:
        """Sign a statement and have it admitted."""
        envelope = self.cast.sign(predicate, *signers)
        self.send(envelope.raw)
        return envelope

    def send(self, raw: bytes) -> Placed:
        """Hand a signed statement in, as anybody may who holds the keys."""
        return send_envelope(self.address, raw)

    def issue(self, order: OrderIssued, *signers: Signer) -> OrderReference:
        envelope = self.submit(order, *signers)
        reference = OrderReference(
            register=order.register, number=order.number, digest=envelope.digest
        )
        self.orders.append(reference)
        return reference

    def wait_for(self, what: str, found: Callable[[], T | None], *, within_s: float) -> T:
        """The first answer that is something. Raises Unavailable naming what did not come."""
        deadline = time.monotonic() + within_s
        while time.monotonic() < deadline:
            answer = found()
            if answer is not None and answer is not False:
                return answer
            self.stage.check()
            time.sleep(POLL_S)
        raise Unavailable(f"waited {within_s:.0f} s for {what}", remedy=f"read {self.home.logs}")

    def wait_for_leaf(self, digest: str) -> str:
        """The leaf of a statement once a witnessed checkpoint holds it."""
        return self.wait_for(
            "the witnesses",
            lambda: next((r.leaf for r in self._fresh() if r.verified.digest == digest), None),
            within_s=15,
        )

    def _fresh(self) -> list[Recorded]:
        self.state()
        return self.follower.recorded

    def receipts(self, host: str) -> list[ReceiptGiven]:
        """The receipts that a host has made so far, as its own file holds them."""
        file = self.stage.host_folder(host) / "receipts.jsonl"
        return load_receipts(file)


def load_receipts(file: Path) -> list[ReceiptGiven]:
    """The receipts in a host's file; a last line that is not whole yet is left for later."""
    if not file.exists():
        return []
    found = []
    for line in file.read_bytes().split(b"\n"):
        try:
            fact = parse_payload(parse_envelope(line).payload).predicate
        except SekishoError:
            continue
        if isinstance(fact, ReceiptGiven):
            found.append(fact)
    return found
