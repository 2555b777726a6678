"""The omniscient observer: it knows the true time, the issuer's log and what really runs, and asks no agent."""

from __future__ import annotations

from tests.simulation.world import PEAK, TERMS, SimHost, World

__all__ = ["Broken", "Observer"]

SLACK_S = 1.0
RESERVATION = PEAK * (TERMS.quantum_s + TERMS.grace_s)
ALLOWANCE = PEAK * (TERMS.interval_s + TERMS.grace_s)


class Broken(AssertionError):
    """An invariant of protocol section 14 does not hold."""


class Observer:
    """Looks at a world after each of its steps."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._halted: dict[tuple[str, str], float] = {}

    def look(self) -> None:
        """Raise Broken where invariant 1, 3, 4 or 7 is."""
        for host in self._world.hosts:
            self._look_at_time(host)
            self._look_at_halt(host)
            self._look_at_silence(host)
        self._look_at_books()

    def _look_at_time(self, host: SimHost) -> None:
        """1: nobody works later than the last of its leases, its grace and one quantum."""
        ran = host.driver.ran_until
        if ran < 0:
            return
        last = self._world.last_end.get(host.name, -1.0)
        if ran > last + TERMS.grace_s + TERMS.quantum_s + SLACK_S:
            raise Broken(f"1: {host.name} worked until {ran:.0f}, its last lease ended {last:.0f}")

    def _look_at_halt(self, host: SimHost) -> None:
        """3: who said halted under an order does not work before the log holds the resume."""
        for begun, ended, order in self._world.orders:
            key = (host.name, order.digest)
            told = (
                host.duty is not None and order.digest in host.duty._host.memory.standing.halted
            )  # omniscient
            if told and key not in self._halted:
                self._halted[key] = self._world.now
            since = self._halted.get(key)
            until = self._world.now if ended is None else ended
            if since is None or self._world.restores:
                continue
            if since + SLACK_S < host.driver.ran_until <= until:
                raise Broken(
                    f"3: {host.name} halted at {since:.0f} and works again, order {begun:.0f}"
                )

    def _look_at_silence(self, host: SimHost) -> None:
        """7: the longest lease and its grace after an order nobody in its scope works, heard or not."""
        for begun, ended, _ in self._world.orders:
            limit = begun + TERMS.interval_s + TERMS.grace_s + SLACK_S
            until = self._world.now if ended is None else ended
            if limit < host.driver.ran_until <= until:
                raise Broken(
                    f"7: {host.name} works {host.driver.ran_until - begun:.0f} s after an order"
                )

    def _look_at_books(self) -> None:
        """4: the books balance, and what was really used is in them; each restore adds a reservation at most."""
        book = self._world.desk.desk.state.licences.licences[self._world.licence.leaf].books.total
        whole = book.available + book.leased + book.consumed + book.forfeited
        if book.budget + book.overdrawn != whole or min(book.available, book.leased) < 0:
            raise Broken(f"4: the books do not balance: {book}")
        if book.overdrawn > self._world.restores * 2 * ALLOWANCE:
            raise Broken(f"4: {book.overdrawn} FLOP overdrawn, {self._world.restores} forks")
        used = sum(host.driver.used_s for host in self._world.hosts) * PEAK
        beyond = self._world.restores * RESERVATION
        if used > book.taken + beyond + PEAK * SLACK_S:
            raise Broken(f"4: {used:.4g} FLOP were used, the books hold {book.taken:.4g}")
