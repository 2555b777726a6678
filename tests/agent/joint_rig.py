"""One host under two charters in memory: two regimes, two homes, one driver, driven by hand."""

from __future__ import annotations

from typing import Self

from sekisho.agent.joint_driver import JointDriver
from tests.fake_control import FakeClock, FakeControl
from tests.fakes import FakeDriver, FakeWorkFolder, Fuse, Rig

__all__ = ["JointRig", "books", "lift", "pause", "unenrol"]


class Half(Rig):
    """One charter's agent over a driver that is not its own."""

    def wake(self) -> None:
        """Built and woken by the whole, not by itself."""


class JointRig:
    """Two charters with the same keys, log, registers and numbers: only their digests differ."""

    def __init__(self, **second: object) -> None:
        """`second`: what the second charter says otherwise."""
        self.clock = FakeClock()
        self.fuse = Fuse()
        self.driver = FakeDriver(self.clock)
        self.folder = FakeWorkFolder()
        self.driver.on_checkpoint = lambda: self.folder.write(self.folder.stamp() + 1)
        self.a, self.b = (
            self._half(FakeControl(self.clock, **charter))
            for charter in ({"name": "Regime A"}, {"name": "Regime B", **second})
        )
        self.halves = (self.a, self.b)
        self.wake()

    def _half(self, control: FakeControl) -> Rig:
        rig = Half(control)
        rig.driver, rig.folder = self.driver, self.folder
        rig.fuse = rig.files.fuse = rig.counter.fuse = self.fuse
        return rig

    def wake(self) -> None:
        """A new agent process over both homes and the same driver."""
        self.joint = JointDriver(self.driver, "run-1")
        seats = [self.joint.seat(name) for name in ("A", "B")]
        for rig, seat in zip(self.halves, seats, strict=True):
            rig.build(seat)
        for rig in self.halves:
            rig.duty.wake(self.clock.boot_id())

    def run_for(self, seconds: float, step: float = 0.25) -> None:
        for _ in range(round(seconds / step)):
            self.turn()
            self.clock.advance(step)
        self.turn()

    def turn(self) -> None:
        for rig in self.halves:
            rig.turn()

    def doing(self) -> str:
        """What the work does in truth: running, frozen or ended."""
        return self.driver.state

    def started(self) -> Self:
        """Licensed under both, until the work runs."""
        self.a.control.license()
        self.b.control.license()
        self.run_for(1)
        return self

    def crash_at(self, step: int, *, after: bool) -> None:
        self.fuse.steps.clear()
        self.fuse.burns_at, self.fuse.after = step, after


def unenrol(rig: Rig) -> tuple[int, str, bytes | None]:
    """The charter has not enrolled the host yet; its row of the feed, to be told later."""
    row = next(row for row in rig.control.feed if row[1] == "host-enrolled")
    rig.control.feed.remove(row)
    return row


def pause(rig: Rig, **fields: object) -> None:
    """The charter's own pause, witnessed."""
    rig.control.issue(rig.control.order(**fields))  # type: ignore[arg-type]  # a test's own fields


def lift(rig: Rig) -> None:
    """Resume whatever pause the charter ordered last."""
    newest = max(rig.control.book.orders["pause/JP"].values(), key=lambda known: known.order.number)
    rig.control.issue(
        rig.control.order(kind="resume", effect="lift", lifts=[newest.reference], on_expiry="lapse")
    )


def books(rig: Rig) -> list[tuple[str, str]]:
    """What the charter's quanta have reserved, and were bounded by."""
    return [(r.spend.reserved_flop, r.spend.bound_flop) for r in rig.control.receipts if r.spend]
