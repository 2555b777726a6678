"""Who is told of what people on call must not miss."""

from __future__ import annotations

from typing import Literal, Protocol, TypeAlias

import msgspec

from sekisho.model.instants import Instant

__all__ = ["Event", "Notice", "Notifier"]

Event: TypeAlias = Literal[
    "order-issued",
    "straggler",
    "step-due",
    "step-overdue",
    "contradicted",
    "verdict-lapsing",
    "appeal-filed",
    "resume-overdue",
    "hold-ending",
    "test",
]


class Notice(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that happened, or is about to, in public words only: names, numbers and instants of the log.

    `notice` is the same however often it is told, so that a receiver knows it again. `hosts` are the first of `count`.
    `until` is the instant that matters: a deadline, a lapse, an end.
    """

    notice: str
    event: Event
    at: Instant
    text: str
    order: str | None = None
    site: str | None = None
    hosts: tuple[str, ...] = ()
    count: int = 0
    until: Instant | None = None


class Notifier(Protocol):
    """Tells one place."""

    def tell(self, notice: Notice) -> None:
        """Return once the place has it. Raises Unavailable where it may be tried again, InvalidInput where not."""
        ...

    def close(self) -> None: ...
