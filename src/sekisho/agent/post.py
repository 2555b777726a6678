"""The agent's way out: threads that send and fetch, so that no freeze ever waits for the network.

Receipts leave strictly in the order of the chain, again and again until the issuer has them; a restart fills the
outbox from receipts.jsonl. Statements share their lane, lease requests and outstanding orders have lanes of their own.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from typing import Protocol

from sekisho.agent.events import (
    Delivered,
    Event,
    FeedCame,
    LeaseCame,
    LeaseRefused,
    OrderFetched,
    ReceiptRefused,
    Silence,
)
from sekisho.agent.receipts import GivenReceipt
from sekisho.model.errors import SekishoError, Unavailable
from sekisho.orders.asking import is_sealed
from sekisho.ports.control import Control, FeedItem, Unacknowledged

__all__ = ["Outbox", "Post"]

FIRST_PAUSE_S = 0.1
LONGEST_PAUSE_S = 2.0
FEED_WAIT_S = 25
MAX_STATEMENTS = 256

_Errand = Callable[[], None]


class Outbox(Protocol):
    """What duty hands out; nothing here blocks, each answer comes back as an event."""

    def send_receipt(self, given: GivenReceipt) -> None: ...

    def send_statement(self, raw: bytes) -> None: ...

    def send_request(self, raw: bytes) -> None: ...

    def fetch_order(self, register: str, number: int) -> None: ...


class _Lane:
    """Errands one after the other in a thread of their own; one that finds nobody is tried again, ever slower."""

    def __init__(self, name: str, tell: Callable[[Event], None]) -> None:
        self._errands: deque[_Errand] = deque()
        self._tell = tell
        self._wake = threading.Condition()
        self._ending = False
        self._thread = threading.Thread(target=self._run, name=f"agent-{name}", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def end(self) -> None:
        with self._wake:
            self._ending = True
            self._wake.notify()

    def add(self, errand: _Errand) -> None:
        with self._wake:
            self._errands.append(errand)
            self._wake.notify()

    def __len__(self) -> int:
        return len(self._errands)

    def _run(self) -> None:
        pause = FIRST_PAUSE_S
        while (errand := self._next()) is not None:
            try:
                errand()
            except Unavailable as error:
                self._tell(Silence(str(error)))
                if self._rest(pause):
                    return
                pause = min(pause * 2, LONGEST_PAUSE_S)
                continue
            pause = FIRST_PAUSE_S
            with self._wake:
                self._errands.popleft()

    def _next(self) -> _Errand | None:
        with self._wake:
            while not self._errands and not self._ending:
                self._wake.wait()
            return None if self._ending else self._errands[0]

    def _rest(self, seconds: float) -> bool:
        with self._wake:
            return self._wake.wait_for(lambda: self._ending, timeout=seconds)


class Post:
    """Implements Outbox over a control plane; `tell` takes events from any thread and must return at once."""

    def __init__(
        self,
        control: Control,
        host: str,
        tell: Callable[[Event], None],
        ask: Callable[[str, int], bytes] | None = None,
    ) -> None:
        """`ask` signs a request for what a sealed order says; without it none is asked for."""
        self._control = control
        self._ask_sealed = ask
        self._host = host
        self._tell = tell
        self._receipts = _Lane("receipts", tell)
        self._leases = _Lane("leases", tell)
        self._orders = _Lane("orders", tell)
        self._feed = _Lane("feed", tell)
        self._after = 0

    def start(self) -> None:
        for lane in (self._receipts, self._leases, self._orders, self._feed):
            lane.start()
        self._feed.add(self._follow)

    def end(self) -> None:
        """Ask the threads to end after what they do now; they hold nothing that is not on the disk."""
        for lane in (self._receipts, self._leases, self._orders, self._feed):
            lane.end()

    def send_receipt(self, given: GivenReceipt) -> None:
        self._receipts.add(lambda: self._deliver(given))

    def send_statement(self, raw: bytes) -> None:
        """Findings and records: worth trying, never worth holding up a receipt for long."""
        if len(self._receipts) < MAX_STATEMENTS:
            self._receipts.add(lambda: self._state(raw))

    def send_request(self, raw: bytes) -> None:
        self._leases.add(lambda: self._ask(raw))

    def fetch_order(self, register: str, number: int) -> None:
        self._orders.add(lambda: self._fetch(register, number))

    def _follow(self) -> None:
        """One long poll; it puts itself back into its lane, behind nothing."""
        try:
            feed = self._control.fetch_feed(self._host, self._after, FEED_WAIT_S)
        except Unavailable:
            raise
        except SekishoError as error:  # refused or unreadable: the lane slows down and asks again
            raise Unavailable(str(error)) from None
        self._after = feed.next
        self._tell(FeedCame(feed))
        self._feed.add(self._follow)

    def _deliver(self, given: GivenReceipt) -> None:
        try:
            acknowledgement = self._control.send_receipt(given.raw)
        except Unavailable:
            raise
        except SekishoError as error:
            self._tell(
                ReceiptRefused(given.sequence, str(error), isinstance(error, Unacknowledged))
            )
            return
        self._tell(Delivered(given.sequence, acknowledgement))

    def _state(self, raw: bytes) -> None:
        try:
            self._control.send_statement(raw)
        except Unavailable:
            raise
        except SekishoError:
            return  # the log does not want it; whoever runs the log can say why

    def _ask(self, raw: bytes) -> None:
        try:
            answer = self._control.send_request(raw)
        except Unavailable:
            raise
        except SekishoError as error:
            self._tell(LeaseRefused(raw, str(error)))
            return
        self._tell(LeaseCame(raw, answer))

    def _fetch(self, register: str, number: int) -> None:
        try:
            item = self._control.fetch_order(register, number, self._host)
        except Unavailable:
            raise
        except SekishoError:
            self._tell(OrderFetched(register, number, None))
            return
        self._tell(OrderFetched(register, number, self._shown(register, number, item)))

    def _shown(self, register: str, number: int, item: FeedItem) -> FeedItem:
        """Of a sealed order what this host is shown of it; bare where it is shown nothing."""
        try:
            if self._ask_sealed is None or not is_sealed(item.envelope):
                return item
            return self._control.fetch_shown(self._ask_sealed(register, number))
        except Unavailable:
            raise
        except SekishoError:
            return item
