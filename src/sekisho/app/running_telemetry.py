"""Telemetry wired into a running control plane: what became of each body, compaction, and the fleet's picture."""

from __future__ import annotations

import logging
import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Final

import msgspec

from sekisho.model.errors import InvalidInput, SekishoError, Unavailable
from sekisho.model.instants import Instant
from sekisho.model.telemetry import Intake
from sekisho.operations.fleet_picture import (
    DAY_S,
    DeviceState,
    FleetPicture,
    SiteDay,
    draw_site_days,
    judge_device,
)
from sekisho.ports.clock import Clock
from sekisho.ports.telemetry import TelemetryFormat, UsageQuery

if TYPE_CHECKING:
    from sekisho.adapters.telemetry.parquet_telemetry import ParquetTelemetry

__all__ = [
    "Delivery",
    "DeviceState",
    "FleetPicture",
    "IntakeTally",
    "RunningTelemetry",
    "SiteDay",
    "Upkeep",
    "judge_device",
]

_log = logging.getLogger("sekisho.telemetry")
COMPACTED_EVERY_S: Final = 60.0
FIRST_PICTURE_S: Final = 3.0
"""Whoever sets up a sender looks whether anything comes."""
FRESH_S: Final = 60.0
"""The picture settles what came since, where the last time is longer ago than this."""
MAX_UNPACKED: Final = 256 << 20
"""Bytes that a packed body may unpack to."""
PICTURED_DAYS: Final = 7
REST: Final = 10.0
"""A picture of a large fleet takes long; for each second of drawing this many are left to the rest."""


class Delivery(msgspec.Struct, frozen=True, kw_only=True):
    """What a sender said about a body."""

    kind: TelemetryFormat
    site: str
    name: str = ""
    content_type: str = ""
    encoding: str = ""


class IntakeTally(msgspec.Struct, frozen=True, kw_only=True):
    """What became of all samples since the server started (`since`); bodies by format, refusals by reason."""

    since: Instant
    bodies: Mapping[str, int]
    unreadable: int
    taken: int
    passed_over: int
    duplicates: int
    refused: Mapping[str, int]
    examples: Mapping[str, str]


class Upkeep(msgspec.Struct, frozen=True, kw_only=True):
    """Where compaction stands. `lag_s` is the age of the oldest segment that waits, None where nobody knows."""

    segments: int | None = None
    lag_s: float | None = None
    last: Instant | None = None


class _Counts:
    """Sums of intakes; safe from several threads."""

    def __init__(self, now: Instant) -> None:
        self._since = now
        self._lock = threading.Lock()
        self._bodies: Counter[str] = Counter()
        self._fates: Counter[str] = Counter()
        self._refused: Counter[str] = Counter()
        self._examples: dict[str, str] = {}

    def add(self, kind: str, intake: Intake | None) -> None:
        """Count one body; None for one that could not be read as a whole."""
        with self._lock:
            self._bodies[kind] += 1
            if intake is None:
                self._fates["unreadable"] += 1
                return
            self._fates["taken"] += intake.taken
            self._fates["passed_over"] += intake.passed_over
            self._fates["duplicates"] += intake.duplicates
            for refusal in intake.refused:
                self._refused[refusal.reason] += refusal.count
                self._examples[refusal.reason] = refusal.first[:200]

    def look(self) -> IntakeTally:
        with self._lock:
            return IntakeTally(
                since=self._since,
                bodies=dict(self._bodies),
                unreadable=self._fates["unreadable"],
                taken=self._fates["taken"],
                passed_over=self._fates["passed_over"],
                duplicates=self._fates["duplicates"],
                refused=dict(self._refused),
                examples=dict(self._examples),
            )


class RunningTelemetry:
    """The telemetry of a running regime, opened when it is first needed.

    `start` begins the upkeep: compaction and the picture, in one thread; `stop` ends it after what is under way.
    `problem` is what upkeep last failed with.
    """

    def __init__(self, place: str, clock: Clock) -> None:
        self.place = place
        self.problem = ""
        self.upkeep = Upkeep()
        self.picture: FleetPicture | None = None
        self._clock = clock
        self._counts = _Counts(clock.now())
        self._opening = threading.Lock()
        self._store: ParquetTelemetry | None = None
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._tend, name="telemetry", daemon=True)

    @property
    def tally(self) -> IntakeTally:
        return self._counts.look()

    @property
    def store(self) -> ParquetTelemetry:
        """The store. Raises Unavailable where the extra `analytics` is not installed, or the place does not answer."""
        with self._opening:
            if self._store is None:
                self._store = _open(self.place)
            return self._store

    def take(self, body: bytes, delivery: Delivery) -> Intake:
        """Keep one delivery; durable when it returns. Raises InvalidInput and Unavailable."""
        try:
            intake = self.store.take(
                delivery.kind,
                body,
                site=delivery.site,
                received=self._clock.now(),
                name=delivery.name,
                content_type=delivery.content_type,
                encoding=delivery.encoding,
            )
        except InvalidInput:
            self._counts.add(delivery.kind, None)
            raise
        self._counts.add(delivery.kind, intake)
        return intake

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """End the upkeep; what it does at the moment is finished."""
        self._stopping.set()
        if self._thread.ident is not None:
            self._thread.join()

    def draw(self) -> FleetPicture | None:
        """Look at the store now; None where nothing has ever been kept. Raises Unavailable."""
        if not self.is_kept:
            return None
        store, now = self.store, self._clock.now()
        today = int(now.seconds) // DAY_S * DAY_S
        start = Instant.from_seconds(today - (PICTURED_DAYS - 1) * DAY_S)
        gaps = tuple(store.find_gaps(now.plus(-DAY_S), now))
        self.picture = FleetPicture(
            at=now,
            devices=store.load_devices(),
            days=draw_site_days(store.sum_usage(UsageQuery(start=start, end=now, bucket_s=DAY_S))),
            gaps=len(gaps),
            gap_s=sum(gap.end.since(gap.start) for gap in gaps),
        )
        return self.picture

    def compact(self) -> None:
        """Merge what came into the days. Raises Unavailable."""
        if not self.is_kept:
            return
        self.store.compact()
        self.upkeep = self._look_at_upkeep()

    def _look_at_upkeep(self) -> Upkeep:
        backlog, now = self.store.backlog(), self._clock.now()
        lag_s = 0.0 if backlog.oldest is None else max(0.0, now.since(backlog.oldest))
        return Upkeep(segments=backlog.segments, lag_s=lag_s, last=now)

    @property
    def is_kept(self) -> bool:
        """Whether anything may lie at the place."""
        return self._store is not None or "://" in self.place or Path(self.place).is_dir()

    def _tend(self) -> None:
        rest_s = FIRST_PICTURE_S
        while not self._stopping.wait(rest_s):
            began = time.monotonic()
            self.problem = _told(self.compact) or _told(self.draw)
            every_s = FIRST_PICTURE_S if self.picture is None else COMPACTED_EVERY_S
            rest_s = max(every_s, REST * (time.monotonic() - began))


def _told(act: Callable[[], object]) -> str:
    """What an act failed with; "" where it did not."""
    try:
        act()
    except SekishoError as error:
        return str(error)
    except Exception:  # noqa: BLE001  # the edge of a thread that must not end: told, and tried again
        _log.exception("unforeseen error while keeping telemetry")
        return "an error in Sekisho itself; the server's log has the details"
    return ""


def _open(place: str) -> ParquetTelemetry:
    from sekisho.app.telemetry import open_telemetry

    try:
        return open_telemetry(place, fresh_s=FRESH_S, most_body=MAX_UNPACKED)
    except InvalidInput as error:
        # To a sender it is we who cannot: it keeps its samples and comes again.
        raise Unavailable(error.message, remedy=error.remedy) from None
