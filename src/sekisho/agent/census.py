"""Looks at devices and interfaces beside the duty: a driver that hangs holds up nothing, and its silence is noticed."""

from __future__ import annotations

import threading
from collections.abc import Callable

from sekisho.agent.events import DevicesCounted, LinksRead
from sekisho.model.errors import Unavailable
from sekisho.ports.device_census import DeviceCensus
from sekisho.ports.link_counters import LinkCounters

__all__ = ["CENSUS_EVERY_S", "Census"]

CENSUS_EVERY_S = 2.0


class Census:
    """A thread of its own; what it sees goes to the duty as events, what it cannot read as well."""

    def __init__(
        self,
        devices: DeviceCensus | None,
        links: LinkCounters | None,
        tell: Callable[[DevicesCounted | LinksRead], None],
        elapsed_s: Callable[[], float],
    ) -> None:
        self._devices = devices
        self._links = links
        self._tell = tell
        self._elapsed_s = elapsed_s
        self._ended = threading.Event()

    def start(self) -> None:
        threading.Thread(target=self._walk, name="census", daemon=True).start()

    def end(self) -> None:
        self._ended.set()

    def look_once(self) -> None:
        """One reading of each; the moment is taken before it, so that a slow one counts as old."""
        if self._devices is not None:
            at_s = self._elapsed_s()
            try:
                self._tell(DevicesCounted(at_s=at_s, seen=self._devices.seen()))
            except Unavailable as error:
                self._tell(DevicesCounted(at_s=at_s, why=str(error)))
        if self._links is not None:
            at_s = self._elapsed_s()
            try:
                self._tell(LinksRead(at_s=at_s, counts=self._links.read()))
            except Unavailable as error:
                self._tell(LinksRead(at_s=at_s, why=str(error)))

    def _walk(self) -> None:
        self.look_once()
        while not self._ended.wait(CENSUS_EVERY_S):
            self.look_once()
