"""The work in an agent's charge: started, watched and stopped through its watchdog, and what is believed of it.

`freeze`, `kill` and `ask_checkpoint` raise what the driver raises: Unavailable where the work does not stop or the
watchdog does not answer, StateConflict where the work is gone already.
"""

from __future__ import annotations

from collections.abc import Callable

from sekisho.agent.decide import Work
from sekisho.agent.host import Host
from sekisho.agent.quanta import Quanta
from sekisho.agent.work import WrittenCheckpoint
from sekisho.following import Finding
from sekisho.model.errors import InvalidInput, StateConflict, Unavailable
from sekisho.ports.driver import CapMeans, Permit, StopMeans, WorkloadReading

__all__ = ["Charge"]

READ_EVERY_S = 1.0
REVIVE_EVERY_S = 2.0
LEEWAY_S = 5.0
SHORT_LIFE_S = 5.0
FEW_LIVES = 5
WHOLE_PPM = 1_000_000
LONGEST_REST_S = 30.0


class Charge:
    """What the agent believes of its work. `means` is how it was last stopped; `revive` brings a watchdog back."""

    def __init__(self, host: Host, quanta: Quanta, revive: Callable[[], None]) -> None:
        self._host = host
        self._quanta = quanta
        self._revive = revive
        self.work: Work = "none"
        self.means: StopMeans = "none"
        self.is_complete = False
        self.watchdog_lives = True
        self.has_checkpoint = False
        self._asked_stamp: int | None = (
            None  # of the checkpoint record when a new one was asked for
        )
        self._blind_since_s: float | None = None
        self._read_at_s = self._revive_at_s = self._restart_at_s = 0.0
        self._lives_since_s = 0.0
        self._short_lives = 0
        self._permit: Permit | None = None
        self.reading: tuple[float, WorkloadReading] | None = None  # the newest look's, and when
        self.cap: CapMeans = "none"
        self._capped_ppm: int | None = (
            None  # what the driver was told last; None where nobody knows
        )
        self._cap_at_s = 0.0

    # --- watching ----------------------------------------------------------------------------

    def attach(self) -> Permit | None:
        """Take over what the watchdog holds; its permit, None where it holds nothing. Raises Unavailable."""
        held = self._host.driver.held()
        self._take(self._host.driver.read())
        return held[1] if held is not None else None

    def look(self, now: float) -> None:
        """Once a second while there is work, see whether it lives and is what we think it is."""
        if not self.watchdog_lives:
            self._revive_watchdog(now)
        idle = self.work == "none" and self._read_at_s != 0.0 and self.watchdog_lives
        idle = idle and not self._host.settings.adopts  # where others start work, always look
        if idle or now < self._read_at_s:
            return
        self._read_at_s = now + READ_EVERY_S
        try:
            reading = self._host.driver.read()
        except Unavailable:
            self._lose_sight(now)
            return
        self._blind_since_s = None
        self.reading = now, reading
        self._take(reading)

    def look_again(self) -> None:
        """Read at the next look, whenever the last reading was."""
        self._read_at_s = 0.0

    def blind_s(self, now: float) -> float | None:
        """For how long the meter could not be read."""
        return None if self._blind_since_s is None else now - self._blind_since_s

    def may_start(self, now: float) -> bool:
        """Whether there is work to be started, and none that rests after a short life."""
        # Frozen work of others is there to be thawed, though we have no command to start.
        settings = self._host.settings
        ours = bool(settings.command or settings.admits) and not self.is_complete
        wanted = ours or (self.work == "frozen" and self._host.settings.adopts)
        return wanted and now >= self._restart_at_s

    # --- slowing -----------------------------------------------------------------------------

    @property
    def cap_note(self) -> str | None:
        """The cap as a receipt names it: by which means, and how much is left."""
        if self._capped_ppm in (None, WHOLE_PPM) or (self.cap == "none" and self.work != "none"):
            return None
        seat = (
            self._host.seat
        )  # another charter's cap may leave less: the receipt says what is left in truth
        left = f"{(seat.least_share() if seat else self._capped_ppm or 0) / 10_000:g} % left"
        return (
            f"no work is there to slow, {left} to what comes"
            if self.cap == "none"
            else f"{self.cap}, {left}"
        )

    def keep_cap(self, share_ppm: int, now: float) -> bool:
        """Have the driver leave the work this share, told once; False where it has no means to."""
        waits = self.cap == "none" and share_ppm < WHOLE_PPM and self.work == "running"
        if share_ppm == self._capped_ppm and not waits:
            return True
        if not self.watchdog_lives or now < self._cap_at_s:
            return False
        try:
            self.cap = self._host.driver.cap(share_ppm)
        except Unavailable:
            self._cap_at_s = now + READ_EVERY_S
            return False
        self._capped_ppm = share_ppm
        return True

    # --- stopping ----------------------------------------------------------------------------

    def freeze(self, permit: Permit | None) -> None:
        """Stop the work where it stands, then tell the watchdog to keep it so."""
        self.means = self._host.driver.freeze()
        self.work = "frozen"
        self.give_permit(permit)
        self._quanta.pause()

    def kill(self) -> None:
        """End the work."""
        self.means = self._host.driver.kill()
        self.work = "none"
        self._quanta.pause()

    @property
    def is_asked(self) -> bool:
        """Whether a checkpoint was asked for since the last quantum began."""
        return self._asked_stamp is not None

    def ask_checkpoint(self, permit: Permit | None, *, by_us: bool) -> None:
        """Ask for a checkpoint once; at a quantum's end (`by_us` False) the watchdog has asked by itself."""
        self._asked_stamp = self._host.folder.stamp()
        self.give_permit(permit)
        if by_us:
            self._host.driver.request_checkpoint()

    def find_checkpoint(self) -> WrittenCheckpoint | None:
        """The checkpoint that was asked for, once, when it lies there whole."""
        if (
            not self.is_asked
            or self.has_checkpoint
            or self._host.folder.stamp() == self._asked_stamp
        ):
            return None
        written = self._host.folder.load_checkpoint()
        self.has_checkpoint = written is not None
        return written

    def forget_checkpoint(self) -> None:
        """Whatever was asked for before does not count for what comes now."""
        self._asked_stamp, self.has_checkpoint = None, False

    # --- going on ----------------------------------------------------------------------------

    def give_permit(self, permit: Permit | None) -> None:
        if permit is not None:
            self._host.driver.permit(permit)
            self._permit = permit

    def lengthen_permit(self, permit: Permit | None) -> None:
        """Where a licence only advises, work goes on past its quantum, and the watchdog must know."""
        held = self._permit
        if permit is not None and (held is None or permit.until_s > held.until_s + LEEWAY_S):
            self._try(lambda: self.give_permit(permit))

    def set_going(self, permit: Permit | None) -> None:
        """Give the quantum's permit; thaw frozen work, start work that is not there."""
        self._try(lambda: self._set_going(permit))

    def _set_going(self, permit: Permit | None) -> None:
        self.give_permit(permit)
        if self.work == "frozen":
            self._host.driver.thaw()
            self.work, self.means = "running", "none"
        elif self.work == "none":
            self._start()

    def _try(self, act: Callable[[], None]) -> None:
        """What fails here is not believed done: the next look reads what the work really does."""
        try:
            act()
        except (Unavailable, StateConflict):
            self.look_again()

    def _start(self) -> None:
        settings, now = self._host.settings, self._host.clock.elapsed_s()
        command = settings.command
        written = self._host.folder.load_checkpoint()
        if command and written is not None and settings.resume:
            command = (*command, *settings.resume, written.path)
        self._lives_since_s = now
        try:
            self._host.driver.start(settings.run, command, settings.environment)
        except InvalidInput as error:
            self._host.raise_finding(Finding(code="cannot-start", detail=str(error)))
            self._rest(now)
            self._quanta.pause()
            return
        self.work, self.means, self._read_at_s = "running", "none", now + READ_EVERY_S

    # --- other charters' acts ----------------------------------------------------------------

    def hear_going(self) -> None:
        """Under another charter of this host the work was started or thawed, with our permit."""
        self.work, self.means = "running", "none"
        self._lives_since_s = now = self._host.clock.elapsed_s()
        self._read_at_s = now + READ_EVERY_S

    def hear_stopped(self, work: Work, means: StopMeans) -> None:
        """Another charter of this host stopped the work, or could not set it going."""
        self.work, self.means = work, means
        self._quanta.pause()
        self.look_again()

    # --- believing ---------------------------------------------------------------------------

    def _take(self, reading: WorkloadReading) -> None:
        was, self.work = self.work, "none" if reading.state == "ended" else reading.state
        if was in ("none", self.work):
            return
        if self.work != "running":
            self._quanta.pause()
        if self.work == "none" and reading.exit_code == 0:
            self.is_complete = True
        elif self.work == "none":
            self._rest(self._host.clock.elapsed_s())

    def _lose_sight(self, now: float) -> None:
        """Tell a blind meter from a watchdog that is gone."""
        try:
            self._host.driver.held()
        except Unavailable:
            self.watchdog_lives, self._revive_at_s = False, now
            return
        if self._blind_since_s is None:
            self._blind_since_s = now

    def _revive_watchdog(self, now: float) -> None:
        if now < self._revive_at_s:
            return
        self._revive_at_s = now + REVIVE_EVERY_S
        try:
            self._revive()
            reading = self._host.driver.read()
        except Unavailable:
            return
        self.watchdog_lives, self._read_at_s = True, now + READ_EVERY_S
        self._capped_ppm = None  # a new watchdog knows of no cap
        self._take(reading)

    def _rest(self, now: float) -> None:
        """Work that ends by itself is started again, ever more slowly where it keeps dying."""
        short = now - self._lives_since_s < SHORT_LIFE_S
        self._short_lives = self._short_lives + 1 if short else 0
        if self._short_lives:
            self._restart_at_s = now + min(0.5 * 2**self._short_lives, LONGEST_REST_S)
        if self._short_lives == FEW_LIVES:
            detail = f"it ended by itself {FEW_LIVES} times in a row"
            self._host.raise_finding(Finding(code="work-keeps-dying", detail=detail))
