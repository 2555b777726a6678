"""Declared outages as a host knows them: grace that lasts longer, while the issuer and not the host is away. Pure.

An outage permits, so it ends by the latest clock. By hand it counts on sight, since the log may be what is down; unless
a witnessed checkpoint shows it within the charter's deadline it counts no more (protocol sections 4 and 6).
"""

from __future__ import annotations

import msgspec

from sekisho.licensing.outages import MAX_OUTAGE_S, is_covered
from sekisho.model.errors import VerificationError
from sekisho.model.instants import Instant
from sekisho.model.statements import HostEnrolled, OutageDeclared

__all__ = ["KnownOutage", "OutageTooLong", "Outages"]

MOST_KNOWN = 64


class OutageTooLong(VerificationError):
    """An outage declared for more than 72 hours, or for no time at all: it counts for nothing."""

    code = "outage-too-long"


class KnownOutage(msgspec.Struct, frozen=True, kw_only=True):
    """One declared outage, whether a witnessed checkpoint holds it, and since when this host knows of it.

    `seen` is by the earliest clock, so that the deadline for its witnesses never comes later than it should.
    """

    outage: OutageDeclared
    digest: str
    witnessed: bool
    seen: Instant

    def counts(self, latest: Instant, deadline_s: float) -> bool:
        """Whether it is witnessed, or may still come to be so in time."""
        return self.witnessed or latest.since(self.seen) <= deadline_s


class Outages(msgspec.Struct, frozen=True, kw_only=True):
    """Every outage that this host was told of and that is not over, by payload digest.

    `lapsed_until` are those that no witness saw in time, with their periods' ends: told again without proof they do not
    begin anew.
    """

    known: dict[str, KnownOutage] = {}
    lapsed_until: dict[str, Instant] = {}

    def after(self, news: KnownOutage) -> Outages:
        """With one more; what a witness saw once stays witnessed. Raises OutageTooLong."""
        period = news.outage.period
        if not 0 < period.end.since(period.start) <= MAX_OUTAGE_S:
            raise OutageTooLong(
                f"outage {news.outage.outage} is declared from {period.start} to {period.end}",
                remedy=f"declare at most {MAX_OUTAGE_S // 3_600} hours, and again if need be",
            )
        before = self.known.get(news.digest)
        if before is not None:
            both = before.witnessed or news.witnessed
            news = msgspec.structs.replace(before, witnessed=both)
        over = {d: end for d, end in self.lapsed_until.items() if end > news.seen}
        if news.digest in over and not news.witnessed:
            return msgspec.structs.replace(self, lapsed_until=over)
        kept = {d: k for d, k in self.known.items() if k.outage.period.end > news.seen}
        kept = dict(list(kept.items())[-MOST_KNOWN + 1 :])
        return Outages(known={**kept, news.digest: news}, lapsed_until=over)

    def standing(
        self, host: HostEnrolled, latest: Instant, deadline_s: float
    ) -> tuple[float, float] | None:
        """Seconds until the outage that covers this host ends, and since it began; None where none covers it now.

        One that begins before the last is over goes on with it: the first's beginning counts.
        """
        mine = [
            known.outage.period
            for known in self.known.values()
            if known.counts(latest, deadline_s) and is_covered(known.outage, host.host, host.site)
        ]
        now = [period for period in mine if period.start <= latest < period.end]
        if not now:
            return None
        begun = min(period.start for period in now)
        while earlier := [p.start for p in mine if p.start < begun <= p.end]:
            begun = min(earlier)
        return max(period.end.since(latest) for period in now), latest.since(begun)

    def lapsed(self, latest: Instant, deadline_s: float) -> tuple[KnownOutage, ...]:
        """Those that no witness saw in time."""
        return tuple(k for k in self.known.values() if not k.counts(latest, deadline_s))

    def without(self, gone: tuple[KnownOutage, ...]) -> Outages:
        """After these have lapsed: they count again only when their proof comes."""
        ends = {known.digest: known.outage.period.end for known in gone}
        over = dict(list((self.lapsed_until | ends).items())[-MOST_KNOWN:])
        kept = {d: k for d, k in self.known.items() if d not in ends}
        return Outages(known=kept, lapsed_until=over)
