"""Whether this is still the host that it was: the same boot, no sleep between, and time as it was known before."""

from __future__ import annotations

from sekisho.agent.host import Host
from sekisho.following.clocks import BEGINNING
from sekisho.model.errors import Unavailable
from sekisho.model.instants import Instant
from sekisho.ports.counter import CertifyingCounter

__all__ = ["Continuity"]

SLEPT_S = 1.0  # two clocks read one after the other differ by less; no suspend is shorter


class Continuity:
    """What one agent carries over from the one before it, and what breaks it off."""

    def __init__(self, host: Host) -> None:
        self._host = host
        self._slept_s = host.clock.elapsed_s() - host.clock.awake_s()

    def remember_time(self) -> None:
        """Take over what the agent before this one knew of the time, and keep it for the one after."""
        host, now = self._host, self._host.clock.elapsed_s()
        if host.memory.known is not None:
            known, at_s = host.memory.known
            host.follower.clocks = host.follower.clocks.remembering(
                known, now if at_s is None else at_s
            )
        host.memory.tell_time = self._tell_time

    def _tell_time(self) -> tuple[Instant, float] | None:
        """What surely has passed by now: by signed time, or by what an agent before this one knew."""
        elapsed_s = self._host.clock.elapsed_s()
        sure = self._host.follower.clocks.latest(elapsed_s, BEGINNING)
        return None if sure == BEGINNING else (sure, elapsed_s)

    def boot_of(self, boot: str) -> str:
        """The kernel's word, and where there is a TPM its counts: a kexec changes the first, a reset the second."""
        counter = self._host.memory.counter
        return f"{boot}/{counter.boots()}" if isinstance(counter, CertifyingCounter) else boot

    def has_slept(self, now: float) -> bool:
        """Whether the host was suspended since this was asked last."""
        slept = now - self._host.clock.awake_s()
        before, self._slept_s = self._slept_s, slept
        return slept - before >= SLEPT_S

    def lost_power(self) -> bool:
        """Whether nobody can say that a TPM kept its power meanwhile."""
        memory = self._host.memory
        try:
            boot = self.boot_of(self._host.clock.boot_id())
        except Unavailable:
            return True
        return memory.counter.tier != "C2" or memory.is_another(boot)
