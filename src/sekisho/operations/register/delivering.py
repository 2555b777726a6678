"""Deliveries to subscribers: each event once for each subscription and in order, at least once each delivery.

    span = events of the query behind `after` -> `until` is kept -> POST -> taken: `after` = `until`
                                                                -> not taken: tried again, later and later
                                                                -> too often: a dead letter, and on with the next

Crash after `until` is kept: the same span goes out under the same id. Crash after the POST: it goes out twice, and the
receiver sees by the id that it has it. A delivery is signed: `Sekisho-Signature: t=<POSIX seconds>,v1=<hexadecimal>`,
the HMAC-SHA-256 of the seconds, a full stop and the body, under the subscription's secret.
"""

from __future__ import annotations

import hashlib
import hmac
import logging
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Final

import msgspec

from sekisho.model.errors import InvalidInput, SekishoError, StateConflict
from sekisho.model.instants import Instant
from sekisho.operations.register.querying import answer_query
from sekisho.operations.register.register import Register
from sekisho.ports.register_store import Page
from sekisho.ports.subscriptions import (
    DeadLetter,
    Delivery,
    Subscription,
    SubscriptionStore,
    Webhooks,
)
from sekisho.registry.epcis import Query, parse_query

__all__ = ["MAX_ATTEMPTS", "Deliverer", "sign_delivery", "wait_before"]

MAX_ATTEMPTS: Final = 8
PER_DELIVERY: Final = 100
THREADS: Final = 4
LOOK_S: Final = 1.0
FIRST_WAIT_S: Final = 2.0
LONGEST_WAIT_S: Final = 3_600.0
DELIVERY_TYPE: Final = "application/ld+json"
_log = logging.getLogger("sekisho.register")


class Deliverer:
    """Delivers what subscriptions ask for. `start` and `stop` it with the register; one thread looks, a few deliver."""

    def __init__(
        self,
        register: Register,
        store: SubscriptionStore,
        webhooks: Webhooks,
        *,
        max_attempts: int = MAX_ATTEMPTS,
    ) -> None:
        self._register = register
        self._store = store
        self._webhooks = webhooks
        self._max_attempts = max_attempts
        self._wake = threading.Condition()
        self._is_stopping = self._is_asked = False
        self._busy: set[str] = set()
        self._thread = threading.Thread(target=self._work, name="deliveries", daemon=True)
        self._pool = ThreadPoolExecutor(THREADS, thread_name_prefix="delivery")
        self.problem = ""

    def start(self) -> None:
        self._register.on_saved(self.look)
        self._thread.start()

    def stop(self) -> None:
        """End; what is under way is finished or times out, what is not goes out after the next start."""
        with self._wake:
            self._is_stopping = True
            self._wake.notify_all()
        if self._thread.is_alive():
            self._thread.join()
        self._pool.shutdown(wait=True, cancel_futures=True)

    def look(self) -> None:
        """Look for something to deliver soon."""
        with self._wake:
            self._is_asked = True
            self._wake.notify_all()

    def deliver_due(self, now: Instant) -> int:
        """Deliver once for each subscription for which something is due, in this thread; how many deliveries."""
        return sum(
            self._deliver(subscription, now)
            for subscription in self._store.load_subscriptions()
            if _is_due(subscription, now)
        )

    def redeliver(self, subscription: Subscription, after: int) -> None:
        """Deliver a dead letter now. Raises StateConflict where there is none, Unavailable where it is not taken."""
        letters = self._store.load_letters(subscription.subscription)
        letter = next((found for found in letters if found.after == after), None)
        if letter is None:
            raise StateConflict(f"no delivery behind event {after} was given up")
        again = msgspec.structs.replace(subscription, after=letter.after, until=letter.until)
        self._send(again, self._register.clock.now())
        # Crash here: it stays listed, and may be delivered once more.
        self._store.remove_letter(subscription.subscription, after)

    def _work(self) -> None:
        while True:
            with self._wake:
                self._wake.wait_for(lambda: self._is_stopping or self._is_asked, LOOK_S)
                if self._is_stopping:
                    return
                self._is_asked = False
            try:
                self._hand_out(self._register.clock.now())
                self.problem = ""
            except SekishoError as error:
                self.problem = str(error)

    def _hand_out(self, now: Instant) -> None:
        for subscription in self._store.load_subscriptions():
            if not _is_due(subscription, now):
                continue
            with self._wake:
                if subscription.subscription in self._busy:
                    continue
                self._busy.add(subscription.subscription)
            self._pool.submit(self._deliver_all, subscription)

    def _deliver_all(self, subscription: Subscription) -> None:
        """One subscription's deliveries until nothing is left or one fails."""
        key = subscription.subscription
        try:
            while self._deliver(subscription, self._register.clock.now()):
                found = self._store.find_subscription(key)
                if found is None or found.retry_at is not None or self._is_stopping:
                    break
                subscription = found
        except SekishoError as error:
            self.problem = str(error)
        except Exception:
            _log.exception("unforeseen error while delivering")
            raise
        finally:
            with self._wake:
                self._busy.discard(key)

    def _deliver(self, subscription: Subscription, now: Instant) -> bool:
        """Deliver the next span; False where there is none."""
        if not subscription.until:
            span = self._next_span(subscription)
            if span is None:
                return False
            subscription = span
            # Crash here: the same span, under the same id, after the next start.
            self._store.update_subscription(subscription)
        try:
            self._send(subscription, now)
        except SekishoError as error:
            self._put_off(subscription, str(error), now)
            return True
        # Crash here: delivered twice, under the same id.
        self._store.update_subscription(
            msgspec.structs.replace(
                subscription,
                after=subscription.until,
                until=0,
                attempts=0,
                retry_at=None,
                delivered=now,
                problem="",
            )
        )
        return True

    def _next_span(self, subscription: Subscription) -> Subscription | None:
        newest = self._register.store.load_numbers().event
        page = Page(events=(), following=subscription.after)
        while not page.events:
            if page.following is None or subscription.after >= newest:
                return None
            page = self._page(subscription, PER_DELIVERY)
            if not page.events:
                # Nothing of what came is asked for: it need not be looked at again.
                passed = newest if page.following is None else page.following
                subscription = msgspec.structs.replace(subscription, after=passed)
                self._store.update_subscription(subscription)
        return msgspec.structs.replace(subscription, until=page.events[-1].number)

    def _page(self, subscription: Subscription, limit: int) -> Page:
        return self._register.find_events(
            self._query(subscription).wanted, after=subscription.after, limit=limit
        )

    def _query(self, subscription: Subscription) -> Query:
        query = self._store.find_query(subscription.query)
        if query is None:
            raise InvalidInput("its query is gone", path=subscription.query)
        return parse_query(query.params)

    def _send(self, subscription: Subscription, now: Instant) -> None:
        page = self._page(subscription, PER_DELIVERY)
        events = tuple(row for row in page.events if row.number <= subscription.until)
        body = answer_query(
            events,
            created=events[-1].received if events else now,
            query=subscription.query,
            subscription=subscription.subscription,
        )
        headers = {
            "content-type": DELIVERY_TYPE,
            "gs1-epcis-version": "2.0.0",
            "gs1-cbv-version": "2.0.0",
            "sekisho-delivery": delivery_id(subscription),
            "sekisho-signature": sign_delivery(subscription.secret, body, now),
        }
        self._webhooks.deliver(Delivery(url=subscription.url, body=body, headers=headers))

    def _put_off(self, subscription: Subscription, problem: str, now: Instant) -> None:
        attempts = subscription.attempts + 1
        if attempts < self._max_attempts:
            waiting = now.plus(wait_before(attempts))
            self._store.update_subscription(
                msgspec.structs.replace(
                    subscription, attempts=attempts, retry_at=waiting, problem=problem[:500]
                )
            )
            return
        letter = DeadLetter(
            subscription=subscription.subscription,
            after=subscription.after,
            until=subscription.until,
            attempts=attempts,
            died=now,
            problem=problem[:500],
        )
        passed = msgspec.structs.replace(
            subscription,
            after=subscription.until,
            until=0,
            attempts=0,
            retry_at=None,
            problem=problem[:500],
        )
        self._store.bury(letter, passed)


def sign_delivery(secret: bytes, body: bytes, now: Instant) -> str:
    """The signature header of a delivery."""
    seconds = now.us // 1_000_000
    mac = hmac.new(secret, b"%d." % seconds + body, hashlib.sha256).hexdigest()
    return f"t={seconds},v1={mac}"


def delivery_id(subscription: Subscription) -> str:
    """What stays the same however often a delivery is tried."""
    return f"{subscription.subscription}-{subscription.after}-{subscription.until}"


def wait_before(attempts: int) -> float:
    """Seconds until the next try after so many that failed: four times as long each time, at most an hour."""
    return float(min(FIRST_WAIT_S * 4 ** (attempts - 1), LONGEST_WAIT_S))


def _is_due(subscription: Subscription, now: Instant) -> bool:
    return subscription.retry_at is None or subscription.retry_at <= now
