"""What the handlers stand on: the control plane, its journal, its news, and the instant of a request."""

from __future__ import annotations

from typing import Final, TypeAlias

import anyio
from litestar.di import NamedDependency

from sekisho.app import Control
from sekisho.catalogue import Language
from sekisho.web.epcis_bodies import Room
from sekisho.web.journal import Journal
from sekisho.web.news import News
from sekisho.web.rendering import Renderer
from sekisho.web.snapshot import Snapshot

__all__ = ["Lent", "Plane"]

LEASE_THREADS: Final = 16
FEED_THREADS: Final = 8
CAPTURE_THREADS: Final = 4
"""Reading a document is work of the processor: more threads only take it from each other."""
RULES_THREADS: Final = 2
"""Populations and traces are work of the processor, too: whoever asks for many waits behind himself."""
TELEMETRY_THREADS: Final = 48
"""Most of them wait for the disk, since many bodies become durable together; those that read share the processor."""
TELEMETRY_DOORS: Final = 4
"""Who looks at tokens of senders: a look into the database for a fleet agent's."""


class Plane:
    """One control plane as the web sees it; made once, handed to every handler."""

    def __init__(self, control: Control, *, language: Language) -> None:
        self.control = control
        self.journal = Journal(control)
        self.news = News(control)
        self.renderer = Renderer(language)
        self.lease_threads = anyio.CapacityLimiter(LEASE_THREADS)
        self.feed_threads = anyio.CapacityLimiter(FEED_THREADS)
        self.capture_threads = anyio.CapacityLimiter(CAPTURE_THREADS)
        self.rules_threads = anyio.CapacityLimiter(RULES_THREADS)
        self.telemetry_threads = anyio.CapacityLimiter(TELEMETRY_THREADS)
        self.telemetry_doors = anyio.CapacityLimiter(TELEMETRY_DOORS)
        self.room = Room()
        self.telemetry_room = Room()

    def look(self) -> Snapshot:
        """One consistent look at everything, now."""
        return Snapshot.take(self.control, self.journal)


Lent: TypeAlias = NamedDependency[Plane]
"""The plane as a handler is given it."""
