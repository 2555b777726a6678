"""An access point: it follows its regime, believes nothing unproven, and draws the picture that servers go by.

What it must not forget lies in its own folder. Everything here happens in one thread; the network is somebody else's.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Literal

import msgspec

from sekisho.access.picture import AccessPicture, Served, draw_models
from sekisho.access.tally import Period, WorkerCounts, counts_of, make_roll_ups, start_of
from sekisho.following import Finding, Followed, Follower
from sekisho.following.kept import keep_followed, load_followed
from sekisho.model.errors import InvalidInput
from sekisho.model.instants import Instant
from sekisho.model.statements import AccessDecided, LicenceIssued, parse_payload_leniently
from sekisho.model.statements.shapes import Name
from sekisho.model.wire import canonical, from_json, parse_json
from sekisho.ports.clock import Clock
from sekisho.ports.control import Feed, FeedItem
from sekisho.ports.host_files import HostFiles
from sekisho.signing import parse_envelope

__all__ = ["DeclaredModel", "Point", "PointSettings"]

PERIODS = "periods.json"
FETCH_AT_ONCE = 16
BEAT_KEPT_EVERY_S = 60.0
MAX_PERIODS = 48


class DeclaredModel(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A model that is served here, under the name that orders use; with `licence`, only while that is in force."""

    model: Name
    licence: Name | None = None


class PointSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`point.json`: which enrolled host serves, where its control plane is, which models are served.

    `keep_s` is how long a picture counts, so how long servers go on without this process. `silence_s` is how long the
    registers may be silent before everybody is refused: the charter's longest lease where nothing is said, and never
    longer. Answers are given on `socket` in the home, and on `port` of 127.0.0.1 where one is named.
    """

    host: Name
    control: str
    models: Annotated[tuple[DeclaredModel, ...], msgspec.Meta(min_length=1, max_length=256)]
    socket: str = "access.sock"
    port: Annotated[int, msgspec.Meta(ge=0, le=65_535)] | None = None
    picture: str = "access.json"
    counts: str = "counts"
    keep_s: Annotated[int, msgspec.Meta(ge=1, le=600)] = 60
    silence_s: Annotated[int, msgspec.Meta(ge=1, le=31 * 86_400)] | None = None
    period_s: Literal[60, 300, 900, 3_600, 86_400] = 3_600


class Point:
    """One access point; `wake` comes before everything else."""

    def __init__(
        self, settings: PointSettings, follower: Follower, clock: Clock, files: HostFiles
    ) -> None:
        self.settings = settings
        self.follower = follower
        self._clock = clock
        self._files = files
        self._sequence = 0
        self._outstanding_since_s: float | None = None
        self._beat_kept_s: float | None = None
        self.periods: dict[Instant, Period] = {}

    def wake(self, sequence: int = 0) -> None:
        """Learn again what was accepted; `sequence` is the number of the newest picture that lies about.

        Where that one is lost, gates remember its number still: the milliseconds since 1970 are above what a point that
        draws a few times a minute can have come to.
        """
        self._sequence = max(sequence, self._latest().us // 1_000)
        self.follower.boot = self._clock.boot_id()
        self.follower.elapsed_s = self._clock.elapsed_s()
        for followed in load_followed(self._files):
            self.follower.take_again(followed)
        raw = self._files.load(PERIODS)
        if raw is not None:
            told = from_json(tuple[Period, ...], parse_json(raw, path=PERIODS), path=PERIODS)
            self.periods = {period.start: period for period in told}

    # --- hearing -----------------------------------------------------------------------------

    def hear(self, feed: Feed) -> list[Finding]:
        """Fold what is new and keep what was accepted; a finding for each refusal."""
        before = self.follower.heartbeat
        accepted, findings = self.follower.take(feed, self._clock.elapsed_s())
        for followed in accepted:
            keep_followed(self._files, followed)
        if self.follower.heartbeat != before:
            self._keep_beat(feed)
        return findings

    def hear_order(self, item: FeedItem) -> list[Finding]:
        """One order that was asked for. Unproven it says nothing yet: it is asked for again."""
        if item.proof is None:
            return []
        kept, finding = self.follower.take_item(item)
        if kept is not None:
            keep_followed(self._files, kept)
        return [finding] if finding is not None else []

    def lacking(self) -> tuple[tuple[str, int], ...]:
        """The orders that must exist and that nobody has told us, a few of them."""
        return self.follower.lacking(self._latest())[:FETCH_AT_ONCE]

    # --- drawing -----------------------------------------------------------------------------

    def draw(self) -> AccessPicture:
        """What may be served now, under the next number; its period learns of it."""
        latest = self._latest()
        self._sequence += 1
        picture = AccessPicture(
            host=self.settings.host,
            log=self.follower.origin,
            sequence=self._sequence,
            written=latest,
            until=self._until(latest),
            models=draw_models(self.follower.in_force(latest), self._served(latest)),
            outstanding=self._is_outstanding(),
        )
        self._note(picture)
        return picture

    def findings(self) -> list[Finding]:
        """What has become wrong by time alone."""
        return self.follower.lapses(self._latest())

    def roll_ups(
        self, counts: Sequence[WorkerCounts], *, settled_s: float
    ) -> tuple[AccessDecided, ...]:
        """The statements of all periods that ended `settled_s` ago; the caller keeps them, then calls `close`."""
        now = self._latest()
        length = self.settings.period_s
        return tuple(
            stated
            for start, period in sorted(self.periods.items())
            if start.plus(length + settled_s) <= now
            for stated in make_roll_ups(
                self.settings.host, period, length, counts_of(counts, start, length), now=now
            )
        )

    def close(self, stated: tuple[AccessDecided, ...]) -> None:
        """Forget the periods that these statements are about."""
        for each in stated:
            self.periods.pop(each.period.start, None)
        # Crash before this: the same periods are stated again, and the log refuses the second statement.
        self._save_periods()

    # --- within ------------------------------------------------------------------------------

    def _latest(self) -> Instant:
        self.follower.elapsed_s = self._clock.elapsed_s()
        return self.follower.clocks.latest(self.follower.elapsed_s, self._clock.now())

    def _until(self, latest: Instant) -> Instant:
        """How long the picture counts: never longer than the registers may be silent."""
        charter, beat = self.follower.regime.charter, self.follower.heartbeat
        if charter is None or beat is None or self.follower.enrolment() is None:
            return latest
        longest = charter.terms.max_lease_s
        silence = min(self.settings.silence_s or longest, longest)
        return min(latest.plus(self.settings.keep_s), beat.plus(silence))

    def _served(self, latest: Instant) -> list[Served]:
        found = []
        for declared in self.settings.models:
            licence, obstacle = self._licence_of(declared, latest)
            facts = self.follower.facts(licence)
            found.append(Served(model=declared.model, facts=facts, obstacle=obstacle))
        return found

    def _licence_of(
        self, declared: DeclaredModel, latest: Instant
    ) -> tuple[LicenceIssued | None, str]:
        """The licence that a model is served under, and why it lets nobody be served."""
        if declared.licence is None:
            return None, ""
        state = self.follower.ledger.by_number(declared.licence)
        if state is None:
            return None, f"licence {declared.licence} is not known here"
        obstacle = state.obstacle() or ""
        if self.settings.host not in state.licence.hosts:
            obstacle = f"licence {declared.licence} does not name host {self.settings.host}"
        elif not obstacle and state.licence.period.end <= latest:
            obstacle = f"licence {declared.licence} ended at {state.licence.period.end}"
        return state.licence, obstacle

    def _is_outstanding(self) -> bool:
        """Whether an order on access has been known by its number alone for longer than the charter's fetch delay."""
        charter = self.follower.regime.charter
        registers = (
            {r.name for r in charter.terms.registers if r.power == "suspend-access"}
            if charter is not None
            else set()
        )
        now = self._clock.elapsed_s()
        if not any(name in registers for name, _ in self.follower.book.outstanding()):
            self._outstanding_since_s = None
            return False
        if self._outstanding_since_s is None:
            self._outstanding_since_s = now
        delay = charter.terms.order_fetch_delay_s if charter is not None else 0
        return now - self._outstanding_since_s >= delay

    def _note(self, picture: AccessPicture) -> None:
        start = start_of(picture.written, self.settings.period_s)
        before = self.periods.get(start, Period(start=start))
        after = before.after(picture)
        if after == before and start in self.periods:
            return
        self.periods[start] = after
        for oldest in sorted(self.periods)[:-MAX_PERIODS]:
            del self.periods[oldest]
        self._save_periods()

    def _save_periods(self) -> None:
        self._files.save(
            PERIODS, canonical([self.periods[start] for start in sorted(self.periods)])
        )

    def _keep_beat(self, feed: Feed) -> None:
        """Keep the newest heartbeat now and then, so that a restart knows how long the registers were silent."""
        now = self._clock.elapsed_s()
        if self._beat_kept_s is not None and now - self._beat_kept_s < BEAT_KEPT_EVERY_S:
            return
        beats = [item for item in feed.items if item.proof is not None and _is_beat(item)]
        if beats:
            self._beat_kept_s = now
            newest = beats[-1]
            kept = Followed(
                kind="orders-in-force",
                envelope=newest.envelope,
                proof=newest.proof,
                seen=self.follower.earliest(),
            )
            keep_followed(self._files, kept)


def _is_beat(item: FeedItem) -> bool:
    try:
        statement, _ = parse_payload_leniently(parse_envelope(item.envelope).payload)
    except InvalidInput:
        return False
    return statement.kind == "orders-in-force"
