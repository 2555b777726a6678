"""Several charters over one host's work: each has a seat, and all seats share one watchdog.

Work starts and thaws only while every charter that binds this host lets it; whatever one of them stops is stopped.
A seat is a driver to its own duty, which knows nothing of the others but why they hold the work, and that it stopped.
All seats belong to one thread.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Protocol

from sekisho.agent.situation import Work
from sekisho.model.errors import SekishoError, StateConflict
from sekisho.ports.driver import (
    CapMeans,
    GuardedDriver,
    Permit,
    StopMeans,
    Workload,
    WorkloadReading,
)

__all__ = ["JointDriver", "Partner", "Seat", "strictest_permit"]

WHOLE_PPM = 1_000_000
_ENDS = {"freeze": 0, "kill": 1}


class Partner(Protocol):
    """A duty as its fellows see it."""

    def refusal(self) -> str | None:
        """Why work may not start or thaw under this charter at this moment; None where it may."""
        ...

    def come_along(self) -> bool:
        """Begin a quantum under a permit of its own, since the work is about to go; False where that fails."""
        ...

    def hear_going(self) -> None:
        """The work goes now."""
        ...

    def hear_stopped(self, work: Work, means: StopMeans) -> None:
        """Another charter stopped the work, by these means."""
        ...


def strictest_permit(permits: Iterable[Permit]) -> Permit | None:
    """What the watchdog is told: earliest checkpoint, earliest end, and there the strictest of all ends.

    Nothing where nobody gives a permit.
    """
    given = tuple(permits)
    if not given:
        return None
    until_s = min(permit.until_s for permit in given)
    return Permit(
        checkpoint_at_s=min(until_s, *(permit.checkpoint_at_s for permit in given)),
        until_s=until_s,
        then=max((permit.then for permit in given), key=_ENDS.__getitem__),
    )


class JointDriver:
    """One watchdog and the seats before it. `run` is what the work is called there, whoever starts it."""

    def __init__(self, driver: GuardedDriver, run: str) -> None:
        self.driver = driver
        self.run = run
        self.seats: list[Seat] = []
        self._told: Permit | None = None

    def seat(self, charter: str) -> Seat:
        """A further charter's seat; `charter` is how its fellows name it."""
        seat = Seat(self, charter)
        self.seats.append(seat)
        return seat

    def others(self, seat: Seat) -> list[Seat]:
        return [one for one in self.seats if one is not seat]

    def refusals(self, seat: Seat) -> tuple[str, ...]:
        """Why the other charters do not let the work go, each by its name."""
        said = ((one.charter, one.refusal()) for one in self.others(seat))
        return tuple(f"charter {charter}: {why}" for charter, why in said if why is not None)

    def least_share(self) -> int:
        """Millionths of the processor time that the strictest cap leaves."""
        return min(seat.share_ppm for seat in self.seats)

    # --- going -------------------------------------------------------------------------------

    def go(self, seat: Seat, act: Callable[[], None]) -> None:
        """Let the work go once every other charter has begun a quantum of its own for it.

        Raises StateConflict where one does not; what began until then counts in full, and no work ran in it.
        """
        refusals = self.refusals(seat)
        if refusals:
            raise StateConflict("; ".join(refusals))
        # Crash here, or between two of them: quanta that are reserved, and no work that ran in them.
        along: list[Seat] = []
        try:
            for other in self.others(seat):
                along.append(other)
                other.come_along()
            for one in self.seats:
                one.stopped = False
            self._tell(self._common())
            act()
        except SekishoError:
            for other in along:
                other.hear_stopped("none", "none")
            raise
        for other in along:
            other.hear_going()

    def stop(self, seat: Seat, work: Work, act: Callable[[], StopMeans]) -> StopMeans:
        """Stop first, then let the others know; a permit that any of them gave before counts no more."""
        means = act()
        for other in self.others(seat):
            other.given = None
            other.hear_stopped(work, means)
        seat.given, seat.stopped = None, True
        return means

    # --- permits -----------------------------------------------------------------------------

    def take_permit(self, seat: Seat) -> None:
        """Tell the watchdog what has become stricter or looser; nothing while a charter has given no permit yet."""
        if seat.stopped:
            # Who froze the work says alone how it is kept: another's kill at an end is not for work that stands.
            self._tell(seat.given)
        elif not any(other.stopped for other in self.others(seat)):
            common = self._common()
            if common is not None and common != self._told:
                self._tell(common)

    def inherit(self, permit: Permit) -> None:
        """The permit that living work has from an agent before this one binds every seat until it gives its own."""
        if self._told is not None:
            return
        self._told = permit
        for seat in self.seats:
            seat.given = permit

    def _common(self) -> Permit | None:
        bound = [seat for seat in self.seats if not seat.is_waived]
        permits = [seat.given for seat in bound if seat.given is not None]
        return strictest_permit(permits) if len(permits) == len(bound) else None

    def _tell(self, permit: Permit | None) -> None:
        if permit is not None:
            self.driver.permit(permit)
            self._told = permit


class Seat:
    """One charter's place at the joint driver; implements ports.GuardedDriver for its duty."""

    def __init__(self, joint: JointDriver, charter: str) -> None:
        self.charter = charter
        self.partner: Partner | None = None
        self.given: Permit | None = None
        self.is_waived = False
        self.stopped = False
        self.share_ppm = WHOLE_PPM
        self._joint = joint

    @property
    def name(self) -> str:
        return self._joint.driver.name

    @property
    def stop_time_s(self) -> float:
        return self._joint.driver.stop_time_s

    # --- what its duty asks of the others ----------------------------------------------------

    def refusals(self) -> tuple[str, ...]:
        """Why the other charters do not let the work go."""
        return self._joint.refusals(self)

    def least_share(self) -> int:
        """What the strictest cap of all leaves."""
        return self._joint.least_share()

    def waive(self) -> None:
        """This charter gives no permit and needs none: it does not bind the host, or it only advises."""
        if not self.is_waived:
            self.given, self.is_waived, self.stopped = None, True, False
            self._joint.take_permit(self)

    # --- what the others tell its duty -------------------------------------------------------

    def refusal(self) -> str | None:
        return "its duty has not begun" if self.partner is None else self.partner.refusal()

    def come_along(self) -> None:
        """Raises StateConflict where this charter's quantum cannot begin."""
        self.given = None
        if self.partner is not None and not self.partner.come_along():
            raise StateConflict(f"charter {self.charter}: no quantum can begin")

    def hear_going(self) -> None:
        if self.partner is not None:
            self.partner.hear_going()

    def hear_stopped(self, work: Work, means: StopMeans) -> None:
        if self.partner is not None:
            self.partner.hear_stopped(work, means)

    # --- ports.GuardedDriver -----------------------------------------------------------------

    def start(self, run: str, command: tuple[str, ...], environment: dict[str, str]) -> Workload:
        started: list[Workload] = []
        driver, name = self._joint.driver, self._joint.run or run
        self._joint.go(self, lambda: started.append(driver.start(name, command, environment)))
        return started[0]

    def read(self) -> WorkloadReading:
        return self._joint.driver.read()

    def request_checkpoint(self) -> None:
        self._joint.driver.request_checkpoint()

    def freeze(self) -> StopMeans:
        return self._joint.stop(self, "frozen", self._joint.driver.freeze)

    def thaw(self) -> StopMeans:
        means: list[StopMeans] = []
        self._joint.go(self, lambda: means.append(self._joint.driver.thaw()))
        return means[0]

    def kill(self) -> StopMeans:
        return self._joint.stop(self, "none", self._joint.driver.kill)

    def permit(self, permit: Permit) -> None:
        self.given, self.is_waived = permit, False
        self.stopped = self.stopped and _keeps_frozen(permit)
        self._joint.take_permit(self)

    def held(self) -> tuple[Workload, Permit] | None:
        held = self._joint.driver.held()
        if held is not None:
            self._joint.inherit(held[1])
        return held

    def cap(self, share_ppm: int) -> CapMeans:
        self.share_ppm = share_ppm
        return self._joint.driver.cap(self._joint.least_share())


def _keeps_frozen(permit: Permit) -> bool:
    """Whether a permit says no more than that frozen work stays so."""
    return permit.then == "freeze" and permit.checkpoint_at_s == permit.until_s
