"""Named queries over the register, who subscribed to them, and what could not be delivered; and how it is delivered."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

import msgspec

from sekisho.model.instants import Instant

__all__ = [
    "DeadLetter",
    "Delivery",
    "NamedQuery",
    "Subscription",
    "SubscriptionStore",
    "Webhooks",
]


class NamedQuery(msgspec.Struct, frozen=True, kw_only=True):
    """A query under a name: its parameters as they were given, in order."""

    name: str
    params: tuple[tuple[str, str], ...]
    created: Instant


class Subscription(msgspec.Struct, frozen=True, kw_only=True):
    """An address that is told of every event of a named query, in the order of their numbers.

    `after` is the newest event number that is done with; `until`, where not 0, ends the span of the delivery under way,
    so that it is the same however often it is tried. `secret` (32 bytes) signs deliveries.
    """

    subscription: str
    query: str
    url: str
    secret: bytes
    created: Instant
    after: int
    until: int = 0
    attempts: int = 0
    retry_at: Instant | None = None
    delivered: Instant | None = None
    problem: str = ""


class DeadLetter(msgspec.Struct, frozen=True, kw_only=True):
    """A delivery that was given up: the events of the query behind `after` up to `until`, and why."""

    subscription: str
    after: int
    until: int
    attempts: int
    died: Instant
    problem: str


class SubscriptionStore(Protocol):
    """Every write is durable before it returns. Raises Unavailable where the database refuses, Corrupt."""

    def save_query(self, query: NamedQuery) -> None:
        """Raises StateConflict where the name is taken."""
        ...

    def find_query(self, name: str) -> NamedQuery | None: ...

    def load_queries(self, *, after: str = "", limit: int = 100) -> tuple[NamedQuery, ...]:
        """By name, behind one."""
        ...

    def remove_query(self, name: str) -> bool:
        """Whether there was one; raises StateConflict while somebody is subscribed to it."""
        ...

    def save_subscription(self, subscription: Subscription) -> None:
        """A new one. Raises StateConflict where its query is gone."""
        ...

    def update_subscription(self, subscription: Subscription) -> None:
        """How far it came; nothing where it was removed meanwhile."""
        ...

    def find_subscription(self, subscription: str) -> Subscription | None: ...

    def load_subscriptions(self, query: str | None = None) -> tuple[Subscription, ...]:
        """All, or those of one query, oldest first."""
        ...

    def remove_subscription(self, subscription: str) -> bool:
        """Whether there was one; its dead letters and its secret go with it."""
        ...

    def bury(self, letter: DeadLetter, subscription: Subscription) -> None:
        """Keep a dead letter, and how far its subscription came, at once."""
        ...

    def load_letters(self, subscription: str) -> tuple[DeadLetter, ...]:
        """Oldest first."""
        ...

    def remove_letter(self, subscription: str, after: int) -> None:
        """Once it was delivered after all."""
        ...

    def close(self) -> None: ...


class Delivery(msgspec.Struct, frozen=True, kw_only=True):
    """One POST: where to, what, and the headers that go with it."""

    url: str
    body: bytes
    headers: Mapping[str, str]


class Webhooks(Protocol):
    """Delivers to addresses that strangers name."""

    def check(self, url: str) -> None:
        """Raises InvalidInput for an address that is never delivered to, whatever it resolves to."""
        ...

    def deliver(self, delivery: Delivery) -> None:
        """Return once it was taken (an answer 2xx). Raises Unavailable; InvalidInput where it must not go."""
        ...
