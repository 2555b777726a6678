"""Which rules act: the words of a status under each reading, and the kinds of request that a rule speaks about."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from sekisho.model.instants import Instant
from sekisho.rules.pack import Coverage, Reading, Status, StatusWord
from sekisho.rules.requests.shapes import RequestKind

__all__ = ["KIND_WORDS", "NEVER", "day", "is_acting", "is_before", "says_nothing", "would_act"]

KIND_WORDS: Final[Mapping[RequestKind, str]] = {
    "training-run": "training runs",
    "cluster": "clusters",
    "transfer": "transfers",
    "cloud-use": "cloud use",
    "access": "access",
}
# Whatever a pack says of `acts`: what is suspended or gone binds nobody.
NEVER: Final[frozenset[StatusWord]] = frozenset({"suspended", "revoked", "ended"})
_ALSO: Final[Mapping[Reading, frozenset[StatusWord]]] = {
    "enforced": frozenset(),
    "codified": frozenset({"codified"}),
    "announced": frozenset({"codified", "announced", "proposed", "draft"}),
}


def is_acting(status: Status | None, reading: Reading) -> bool:
    """Whether a rule with this status counts: it acts, or the reading takes its word for enough."""
    if status is None or status.word in NEVER:
        return False
    return status.acts or status.word in _ALSO[reading]


def would_act(status: Status | None, reading: Reading) -> bool:
    """In the books and not enforced: read all the same, so that people see what it would say."""
    return status is not None and status.word == "codified" and not is_acting(status, reading)


def is_before(coverage: Coverage | None, at: Instant) -> bool:
    """Whether the day lies before all law that the pack speaks of."""
    return coverage is not None and at < coverage.start


def says_nothing(pack: str, kind: RequestKind, before: Coverage | None) -> str:
    """Why a pack has no answer: it begins later, or none of its rules acts on requests of that kind."""
    if before is not None:
        return f"{pack} says nothing before {day(before.start)}"
    return f"{pack} says nothing about {KIND_WORDS[kind]} on that date"


def day(at: Instant) -> str:
    """An instant for people: its date alone where it is a day's first moment."""
    return str(at).removesuffix("T00:00:00Z")
