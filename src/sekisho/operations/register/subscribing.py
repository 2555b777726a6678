"""Named queries and who subscribes to them: parameters checked when they are named, secrets drawn and told once."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Final

from sekisho.model.errors import InvalidInput, StateConflict
from sekisho.model.instants import Instant
from sekisho.operations.register.register import Register
from sekisho.ports.subscriptions import (
    DeadLetter,
    NamedQuery,
    Subscription,
    SubscriptionStore,
    Webhooks,
)
from sekisho.registry.epcis import Query, parse_query

__all__ = ["MAX_QUERIES", "MAX_SUBSCRIPTIONS", "Params", "Subscriptions"]

MAX_QUERIES: Final = 1_000
MAX_SUBSCRIPTIONS: Final = 200
MAX_PARAMS: Final = 64
_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_PAGING: Final = frozenset({"perPage", "nextPageToken"})

Params = Sequence[tuple[str, str]]


class Subscriptions:
    """The named queries of one register, and the subscriptions to them."""

    def __init__(
        self,
        register: Register,
        store: SubscriptionStore,
        webhooks: Webhooks,
        draw: Callable[[int], bytes],
    ) -> None:
        """`draw` gives so many random bytes: for ids and secrets."""
        self._register = register
        self.store = store
        self._webhooks = webhooks
        self._draw = draw

    def name_query(self, name: str, params: Params) -> NamedQuery:
        """Keep a query under a name. Raises InvalidInput; StateConflict for a name that is taken, or one too many."""
        if _NAME.fullmatch(name) is None:
            raise InvalidInput(
                f"{name[:40]!r} is no name of a query",
                path="name",
                remedy="at most 64 letters, digits and . _ -",
            )
        if len(params) > MAX_PARAMS:
            raise InvalidInput(f"more than {MAX_PARAMS} parameters", path="query")
        paging = _PAGING.intersection(key for key, _ in params)
        if paging:
            raise InvalidInput(
                "a page is asked for when the query is run", path=f"query.{min(paging)}"
            )
        parse_query(params)
        if len(self.store.load_queries(limit=MAX_QUERIES)) >= MAX_QUERIES:
            raise StateConflict(f"{MAX_QUERIES} queries have names already", remedy="remove some")
        query = NamedQuery(
            name=name,
            params=tuple((key, value) for key, value in params),
            created=self._register.clock.now(),
        )
        self.store.save_query(query)
        return query

    def query_of(self, name: str, paging: Params = ()) -> Query | None:
        """A named query with a page asked for; None where there is none of the name."""
        known = self.store.find_query(name)
        if known is None:
            return None
        for key, _ in paging:
            if key not in _PAGING:
                raise InvalidInput(
                    "is settled by the query's name", path=key, remedy="ask /events instead"
                )
        return parse_query([*known.params, *paging])

    def subscribe(self, name: str, url: str, *, since: Instant | None = None) -> Subscription:
        """Tell an address of the query's events from now on, or from an instant on. The answer holds the secret.

        Raises InvalidInput for an address that is never delivered to, StateConflict where there is no such query or
        there are too many subscriptions.
        """
        self._webhooks.check(url)
        if self.store.find_query(name) is None:
            raise StateConflict(f"there is no query named {name}")
        if len(self.store.load_subscriptions()) >= MAX_SUBSCRIPTIONS:
            raise StateConflict(f"there are {MAX_SUBSCRIPTIONS} subscriptions already")
        subscription = Subscription(
            subscription=self._draw(16).hex(),
            query=name,
            url=url,
            secret=self._draw(32),
            created=self._register.clock.now(),
            after=self._register.newest_before(since),
        )
        self.store.save_subscription(subscription)
        return subscription

    def letters(self, subscription: str) -> tuple[DeadLetter, ...]:
        """What could not be delivered to a subscription, oldest first."""
        return self.store.load_letters(subscription)
