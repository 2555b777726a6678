"""Waiting beside a running control plane, to be it when it is gone.

Only one process writes a log: it holds the home's lock, and its log's database besides. The kernel gives the lock back
when its holder ends, however it ends; then whoever waits here goes on. A holder that is there and answers nobody for a
while is ended first where that was asked for: a process that is gone appends nothing, when it might be woken later.

With a home of its own, on another machine, a standby waits for the database's lock instead. A writer that asks its
session nothing for a while loses it, where that was asked for; woken later it is fenced off by the same lock.
"""

from __future__ import annotations

import contextlib
import http.client
import time
from collections.abc import Callable
from typing import Final
from urllib.parse import urlsplit

import msgspec

from sekisho.adapters.durable_files import hold_folder
from sekisho.adapters.held_folders import end_process, find_holder
from sekisho.app.home import Home
from sekisho.model.errors import StateConflict, Unavailable

__all__ = ["HOLD", "Turn", "await_database", "await_turn"]

HOLD: Final = "up"
"""What the one process that serves a home is called in its lock."""
_LOOK_S: Final = 0.2
_ASK_EVERY_S: Final = 1.0
_ANSWER_S: Final = 2.0


class Turn(msgspec.Struct, frozen=True, kw_only=True):
    """How a standby's turn came: after how long, and which process it ended for it, if any."""

    waited_s: float
    ended: int | None = None


def await_turn(
    home: Home,
    *,
    take_over_after_s: float | None = None,
    waits: Callable[[float], bool],
) -> Turn | None:
    """Hold the home's lock as soon as nobody does; None where `waits` (sleeps so long) says that it should end.

    With `take_over_after_s`, a holder on this machine that has not answered for so long is ended. Raises what ending
    it raises.
    """
    began = answered = time.monotonic()
    asked, ended = began, None
    while True:
        try:
            hold_folder(home.path, HOLD)
        except StateConflict:
            pass
        else:
            return Turn(waited_s=time.monotonic() - began, ended=ended)
        if take_over_after_s is not None and time.monotonic() - asked >= _ASK_EVERY_S:
            asked = time.monotonic()
            if _answers(home.find_address()):
                answered = time.monotonic()
            elif time.monotonic() - answered >= take_over_after_s:
                ended, answered = _end_holder(home), time.monotonic()
        if waits(_LOOK_S):
            return None


def await_database(
    home: Home,
    *,
    take_over_after_s: float | None = None,
    waits: Callable[[float], bool],
) -> Turn | None:
    """Wait until nobody writes the log in the database that this home shares with another; None as `await_turn`.

    With `take_over_after_s`, a writer whose session asked nothing for so long loses it; `ended` is that session's
    process at the server. A database that does not answer is waited for.
    """
    # Here, so that a home of one machine does without the driver.
    from sekisho.adapters.storage.postgres_holders import end_silent_writer

    began, ended = time.monotonic(), None
    origin = home.load_root().origin
    while True:
        try:
            home.open_log(origin).close()
        except (StateConflict, Unavailable):
            pass
        else:
            return Turn(waited_s=time.monotonic() - began, ended=ended)
        if take_over_after_s is not None:
            with contextlib.suppress(Unavailable):
                database = home.elsewhere.database
                ended = end_silent_writer(database, origin, take_over_after_s) or ended
        if waits(_LOOK_S):
            return None


def _end_holder(home: Home) -> int | None:
    pid = find_holder(home.path, HOLD)
    if pid is not None:
        end_process(pid, home.path, HOLD)
    return pid


def _answers(address: str) -> bool:
    """Whether a control plane answers at all: a refusal is an answer, too."""
    parts = urlsplit(address)
    if not parts.hostname:
        return False
    connection = http.client.HTTPConnection(parts.hostname, parts.port, timeout=_ANSWER_S)
    try:
        connection.request("GET", "/log/checkpoint", headers={"connection": "close"})
        connection.getresponse()
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()
    return True
