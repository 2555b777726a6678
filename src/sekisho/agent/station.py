"""One charter's part of an agent, wired: its way to the control plane, its memory, what it follows, its duty.

A part of the composition root (agent.main), which adds what all charters of a host share: clock, watchdog, gate.
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Callable
from pathlib import Path

import msgspec

from sekisho.adapters.devices.file_counter import FileCounter
from sekisho.adapters.devices.tpm_counter import TpmCounter
from sekisho.adapters.devices.tpm_seat import TpmSeat
from sekisho.adapters.keys import load_key
from sekisho.adapters.storage.host_folder import HostFolder
from sekisho.adapters.transport.control_client import parse_feed
from sekisho.adapters.transport.control_ring import open_controls
from sekisho.agent.carrying import Carrying
from sekisho.agent.charter_homes import CharterHome
from sekisho.agent.duty import Duty
from sekisho.agent.events import Event, Pushed
from sekisho.agent.host import AgentSettings, Host
from sekisho.agent.inbox import Inbox
from sekisho.agent.joint_driver import Seat
from sekisho.agent.listening import Listener, parse_place
from sekisho.agent.memory import Memory
from sekisho.agent.post import Post
from sekisho.agent.work import WorkFolder
from sekisho.following import Follower
from sekisho.orders.asking import OrderAsked, sign_asked
from sekisho.ports.clock import HostClock
from sekisho.ports.counter import Counter, CounterTier
from sekisho.ports.driver import GuardedDriver
from sekisho.ports.gate import Gate

__all__ = ["Shared", "Station"]


class Shared(msgspec.Struct, frozen=True, kw_only=True):
    """What all charters have in common: `driver` is a seat where there are several, `out` the work's folder."""

    clock: HostClock
    driver: GuardedDriver
    out: Path
    revive: Callable[[], None]
    gate: Gate | None = None


class Station:
    """One charter's part; `tell` takes its events from any thread."""

    def __init__(self, home: CharterHome, shared: Shared, tell: Callable[[Event], None]) -> None:
        """Raises InvalidInput for a bad home, Unavailable where the place to listen at is taken."""
        settings = home.settings
        self.name = home.name
        self._control = open_controls(settings.control)
        signer = load_key(home.home / "host.pem")
        self._post = Post(
            self._control,
            settings.host,
            tell,
            lambda register, number: sign_asked(
                OrderAsked(
                    log=home.root.origin,
                    host=settings.host,
                    register=register,
                    number=number,
                    at=shared.clock.now(),
                ),
                signer,
            ),
        )
        self.follower = Follower(settings.host, home.root)
        counter = open_counter(home.home, settings, self.follower)
        driver = shared.driver
        host = Host(
            settings,
            signer=signer,
            clock=shared.clock,
            memory=Memory(HostFolder(home.home), counter, settings.host),
            follower=self.follower,
            driver=driver,
            outbox=self._post,
            folder=WorkFolder(shared.out),
            nonce=lambda: secrets.token_hex(16),
            cores=len(os.sched_getaffinity(0)),
            gate=shared.gate,
            seat=driver if isinstance(driver, Seat) else None,
        )
        self.duty = Duty(host, shared.revive)
        self._listener = _open_listener(settings, self.follower, tell)
        self._carrying = Carrying(host, self.duty, Inbox(home.home))

    @property
    def has_news(self) -> bool:
        """Whether something came that the last look has not seen: an order, perhaps."""
        return bool(self.duty.letters.unkept)

    def start(self) -> None:
        """Begin to speak with the control plane."""
        self._post.start()
        if self._listener is not None:
            self._listener.start()

    def look(self) -> float:
        """Take in what was dropped by hand, then decide and act once; seconds until the next look."""
        self._carrying.look()
        return self.duty.look()

    def end(self) -> None:
        if self._listener is not None:
            self._listener.end()
        self._post.end()
        self._control.close()


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


def open_counter(home: Path, settings: AgentSettings, follower: Follower) -> Counter:
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
