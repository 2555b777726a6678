"""Hosts whose clocks are ahead: what they say is taken as evidence, judged by when it came, and the offset is found.

A host that dates itself ahead gains nothing by it. What permits is judged by the issuer's own clock: a lease ends when
its issuer said, an acknowledgement and a forfeiture follow the issuer's time. What is dated ahead is recorded when it
is recorded, and whoever asks when it happened takes the earlier of the two dates.
"""

from __future__ import annotations

from sekisho.model.errors import VerificationError
from sekisho.model.instants import Instant
from sekisho.model.statements import HostEnrolled
from sekisho.signing import PublicKey

__all__ = ["AHEAD_KINDS", "CLOCK_SLACK_S", "DatedAhead", "Offsets", "may_be_ahead"]

CLOCK_SLACK_S = 300
"""So far ahead a statement may be dated without a word; clocks differ."""
AHEAD_KINDS = frozenset({"finding-raised", "receipt-given"})
"""What a host says of itself and permits nothing: refusing it would lose the very finding that its clock is ahead."""


class DatedAhead(VerificationError):
    """A host dated what it said later than it was recorded."""

    code = "dated-ahead"


def may_be_ahead(kind: str, host: HostEnrolled | None, signers: frozenset[str]) -> bool:
    """Whether a statement is evidence under an enrolled host's own key, to be taken whatever its date."""
    if kind not in AHEAD_KINDS or host is None:
        return False
    return PublicKey.from_text(host.public).key_id in signers


class Offsets:
    """How far ahead each host was seen at most: a finding is due when it is twice as far as ever before."""

    def __init__(self) -> None:
        self._most: dict[str, float] = {}

    def note(self, host: str, effective: Instant, now: Instant) -> DatedAhead | None:
        """The finding that is due, with the offset; None where the date is in order, or told of already."""
        ahead_s = effective.since(now)
        if ahead_s <= CLOCK_SLACK_S or ahead_s < 2 * self._most.get(host, 0.0):
            return None
        self._most[host] = ahead_s
        return DatedAhead(
            f"what host {host} dates {effective} was recorded at {now}: its clock is {ahead_s:.0f} s ahead",
            remedy="set the host's clock; what it says counts from when it was recorded",
        )
