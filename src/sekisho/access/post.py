"""The access point's way out: threads that follow the feed and hand statements in, so that no picture waits for them.

Roll-ups and findings are on the disk before they are sent, and go in their order until the control plane has them; what
it refuses for good is dropped with a line on standard error.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Sequence
from typing import Final

from sekisho.model.errors import InvalidInput, SekishoError, Unavailable
from sekisho.model.wire import canonical, decode_base64, encode_base64, from_json, parse_json
from sekisho.orders.asking import is_sealed
from sekisho.ports.control import Control, Feed, FeedItem
from sekisho.ports.host_files import HostFiles

__all__ = ["PointPost"]

UNSENT: Final = "unsent.json"
FEED_WAIT_S: Final = 25
FIRST_PAUSE_S: Final = 0.1
LONGEST_PAUSE_S: Final = 5.0
MAX_UNSENT: Final = 20_000
MAX_UNSENT_BYTES: Final = 64 << 20


class PointPost:
    """Follows and sends; `tell` takes what came from any thread and returns at once."""

    def __init__(
        self,
        control: Control,
        host: str,
        tell: Callable[[Feed | FeedItem], None],
        files: HostFiles,
        ask: Callable[[str, int], bytes] | None = None,
    ) -> None:
        """`ask` signs a request for what a sealed order says; without it none is asked for."""
        self._control = control
        self._ask_sealed = ask
        self._host = host
        self._tell = tell
        self._files = files
        self._wake = threading.Condition()
        self._ending = threading.Event()
        self._unsent: list[bytes] = _load_unsent(files)
        self._wanted: dict[tuple[str, int], None] = {}
        self._threads = [
            threading.Thread(target=target, name=f"access-{name}", daemon=True)
            for name, target in (
                ("feed", self._follow),
                ("statements", self._send),
                ("orders", self._fetch),
            )
        ]

    def start(self) -> None:
        for thread in self._threads:
            thread.start()

    def end(self) -> None:
        """Ask the threads to end after what they do now; they hold nothing that is not on the disk."""
        self._ending.set()
        with self._wake:
            self._wake.notify_all()

    def keep(self, envelopes: Sequence[bytes]) -> None:
        """Make statements durable; they are sent from then on. The oldest go where there are far too many."""
        with self._wake:
            self._unsent = [*self._unsent, *envelopes][-MAX_UNSENT:]
            self._save()
            self._wake.notify_all()

    def fetch_order(self, register: str, number: int) -> None:
        with self._wake:
            self._wanted[register, number] = None
            self._wake.notify_all()

    @property
    def unsent(self) -> int:
        return len(self._unsent)

    def _follow(self) -> None:
        after, pause = 0, FIRST_PAUSE_S
        while not self._ending.is_set():
            try:
                feed = self._control.fetch_feed(self._host, after, FEED_WAIT_S)
            except SekishoError as error:
                if pause == FIRST_PAUSE_S and not self._ending.is_set():
                    _say(f"no word from the control plane: {error}")
                self._ending.wait(pause)
                pause = min(pause * 2, LONGEST_PAUSE_S)
                continue
            if pause != FIRST_PAUSE_S:
                _say("the control plane answers again")
            after, pause = feed.next, FIRST_PAUSE_S
            self._tell(feed)

    def _send(self) -> None:
        pause = FIRST_PAUSE_S
        while (raw := self._next()) is not None:
            try:
                self._control.send_statement(raw)
            except Unavailable:
                self._ending.wait(pause)
                pause = min(pause * 2, LONGEST_PAUSE_S)
                continue
            except SekishoError as error:
                _say(f"a statement was refused: {error}")
            pause = FIRST_PAUSE_S
            with self._wake:
                # Crash before this: it is sent once more, and stands at its place already.
                self._unsent = [each for each in self._unsent if each is not raw]
                self._save()

    def _next(self) -> bytes | None:
        with self._wake:
            while not self._unsent and not self._ending.is_set():
                self._wake.wait()
            return None if self._ending.is_set() else self._unsent[0]

    def _fetch(self) -> None:
        while True:
            with self._wake:
                while not self._wanted and not self._ending.is_set():
                    self._wake.wait()
                if self._ending.is_set():
                    return
                register, number = next(iter(self._wanted))
                del self._wanted[register, number]
            try:
                item = self._control.fetch_order(register, number, self._host)
                if self._ask_sealed is not None and is_sealed(item.envelope):
                    item = self._control.fetch_shown(self._ask_sealed(register, number))
            except SekishoError:
                continue  # it is asked for again while it is lacking
            self._tell(item)

    def _save(self) -> None:
        self._files.save(UNSENT, canonical([encode_base64(raw) for raw in self._unsent]))


def _load_unsent(files: HostFiles) -> list[bytes]:
    raw = files.load(UNSENT)
    if raw is None:
        return []
    try:
        told = from_json(
            tuple[str, ...], parse_json(raw, path=UNSENT, limit=MAX_UNSENT_BYTES), path=UNSENT
        )
        return [decode_base64(text, path=UNSENT) for text in told]
    except InvalidInput as error:
        _say(f"unsent statements cannot be read: {error}")
        return []


def _say(text: str) -> None:
    print(f"access: {text}", file=sys.stderr, flush=True)  # noqa: T201  # its own voice
