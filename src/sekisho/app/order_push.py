"""Push beside the long poll: what the feed tells a host is sent to the address that it listens at.

For hosts that cannot hold a poll, and as a second way against whoever keeps orders back on the first. A push grants
nothing: the host verifies it like any page of the feed. Few are under way at once; an address that is silent is asked
again, ever more rarely, and how each stands is told.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Final, Literal

import msgspec

from sekisho.adapters.bounded_files import read_up_to
from sekisho.adapters.transport.http_tiles import check_url
from sekisho.adapters.transport.push_client import PushClient
from sekisho.model.errors import InvalidInput, SekishoError
from sekisho.model.statements.shapes import Name
from sekisho.model.wire import MAX_DOCUMENT, from_json, parse_json
from sekisho.operations.feed import Feed, FeedPage
from sekisho.operations.feed_page import encode_page

__all__ = ["OrderPush", "PushState", "load_push_file"]

AT_ONCE: Final = 16
SILENT_AT_ONCE: Final = 12
"""So many of them may be tries of silent addresses: a fleet that is cut off leaves room for who answers."""
FIRST_PAUSE_S: Final = 1.0
LONGEST_PAUSE_S: Final = 60.0
MAX_ADDRESSES: Final = 20_000
MAX_ITEMS: Final = 8
"""A host takes no more in one push; what is more goes in the next."""
_LOOK_S: Final = 1.0

Send = Callable[[str, bytes], None]
Standing = Literal["untried", "reached", "silent"]


class PushState(msgspec.Struct, kw_only=True):
    """One address: how far the host there was told, and how it answered."""

    host: str
    url: str
    cursor: int = 0
    sent: int = 0
    failed_in_a_row: int = 0
    problem: str = ""
    due_at: float = 0.0
    is_under_way: bool = False

    @property
    def standing(self) -> Standing:
        if self.failed_in_a_row:
            return "silent"
        return "reached" if self.sent else "untried"


def load_push_file(path: Path) -> dict[str, str]:
    """Hosts and the addresses at which they listen: `{"host-1": "http://127.0.0.1:9100/push"}`.

    Raises InvalidInput naming the file and the host.
    """
    raw = read_up_to(path, MAX_DOCUMENT)
    told = from_json(dict[Name, str], parse_json(raw, path=str(path)), path=str(path))
    if len(told) > MAX_ADDRESSES:
        raise InvalidInput(f"names more than {MAX_ADDRESSES} hosts", path=str(path))
    found = {}
    for host, url in told.items():
        try:
            found[host] = check_url(url)
        except InvalidInput as error:
            where = f"{path}: {host}"
            raise InvalidInput(error.message, path=where, remedy=error.remedy) from None
    return found


class OrderPush:
    """Sends each address what its host has not been sent; `send` raises Unavailable where it does not arrive."""

    def __init__(self, feed: Feed, addresses: Mapping[str, str], send: Send | None = None) -> None:
        self._feed = feed
        self._client: PushClient | None = None
        if send is None:
            self._client = PushClient(connections=AT_ONCE)
            send = self._client.send
        self._send = send
        self._states = {h: PushState(host=h, url=url) for h, url in addresses.items()}
        self._changed = threading.Condition()
        self._ending = False
        self._rung = True
        self._rings = self._silent_under_way = 0
        self._free = threading.Semaphore(AT_ONCE)
        self._pool = ThreadPoolExecutor(AT_ONCE, thread_name_prefix="push")
        self._thread = threading.Thread(target=self._run, name="push", daemon=True)
        feed.on_change(self._ring)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """End; what is under way is waited for, within its time."""
        with self._changed:
            self._ending = True
            self._changed.notify_all()
        if self._thread.ident is not None:
            self._thread.join()
        self._pool.shutdown(wait=True, cancel_futures=True)
        if self._client is not None:
            self._client.close()

    def states(self) -> tuple[PushState, ...]:
        """How each address stands, by host (copies)."""
        with self._changed:
            return tuple(msgspec.structs.replace(each) for each in self._states.values())

    @property
    def problem(self) -> str:
        """What a person should look at: how many addresses are silent, and what one of them said last."""
        silent = [state for state in self.states() if state.standing == "silent"]
        if not silent:
            return ""
        return f"{len(silent)} of {len(self._states)} addresses are silent: {silent[0].problem}"

    def _ring(self) -> None:
        with self._changed:
            self._rung = True
            self._rings += 1
            self._changed.notify_all()

    def _run(self) -> None:
        while self._wait():
            rings = self._rings
            for state in self._due():
                # As many as have a thread: the rest of the fleet costs an entry each, and no body.
                self._free.acquire()
                if not self._begin(state, rings):
                    self._free.release()
                    break
                self._pool.submit(self._push, state)

    def _begin(self, state: PushState, rings: int) -> bool:
        """Whether this one goes now; not a silent one while there is news, or while as many as may are tried."""
        with self._changed:
            is_silent = state.failed_in_a_row > 0
            is_news = self._rings != rings
            if self._ending or (
                is_silent and (is_news or self._silent_under_way >= SILENT_AT_ONCE)
            ):
                return False
            self._silent_under_way += is_silent
            state.is_under_way = True
        return True

    def _wait(self) -> bool:
        with self._changed:
            if not self._rung:
                self._changed.wait(_LOOK_S)
            self._rung = False
            return not self._ending

    def _due(self) -> list[PushState]:
        """Whoever is to be sent something now: those that answered last before those that did not."""
        now = time.monotonic()
        with self._changed:
            due = [
                state
                for state in self._states.values()
                if not state.is_under_way
                and state.due_at <= now
                and self._feed.has_news(state.cursor)
            ]
            return sorted(due, key=lambda state: (state.failed_in_a_row, state.due_at))

    def _push(self, state: PushState) -> None:
        was_silent = state.failed_in_a_row > 0
        try:
            page = self._feed.read(state.host, state.cursor)
            for part in _parts(page):
                self._send(state.url, encode_page(part))
        except SekishoError as error:
            self._failed(state, str(error))
        else:
            with self._changed:
                state.cursor, state.failed_in_a_row, state.problem = page.next, 0, ""
                state.sent += bool(page.items)
        finally:
            with self._changed:
                state.is_under_way = False
                self._silent_under_way -= was_silent
                is_due = not state.failed_in_a_row and self._feed.has_news(state.cursor)
                self._rung = self._rung or is_due
            self._free.release()

    def _failed(self, state: PushState, problem: str) -> None:
        with self._changed:
            state.failed_in_a_row += 1
            state.problem = problem[:500]
            pause = FIRST_PAUSE_S * 2 ** min(state.failed_in_a_row - 1, 16)
            state.due_at = time.monotonic() + min(pause, LONGEST_PAUSE_S)


def _parts(page: FeedPage) -> list[FeedPage]:
    """A page in pieces that a host takes; the checkpoint goes with the last one."""
    pieces = [page.items[n : n + MAX_ITEMS] for n in range(0, len(page.items), MAX_ITEMS)]
    return [
        FeedPage(
            next=page.next,
            items=items,
            checkpoint=page.checkpoint if number == len(pieces) else None,
        )
        for number, items in enumerate(pieces, 1)
    ]
