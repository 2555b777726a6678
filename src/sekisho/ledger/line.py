"""The line in front of the log: who waits to be sequenced, who leads the next group, and when it is too long.

There is no thread of its own: whoever stands first sequences for all who wait, then wakes the next to lead.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Executor

from sekisho.ledger.places import Outcome
from sekisho.model.errors import SekishoError, Unavailable
from sekisho.ports.log_store import Submission

__all__ = ["MAX_GROUP", "Line", "Overloaded", "Ticket"]

MAX_GROUP = 1024
MAX_WAITING = 8192
MAX_WAITING_BYTES = 64 * 1024 * 1024
RETRY_AFTER_S = 1

Answer = Callable[[Sequence[Outcome] | SekishoError], object]
"""Takes a ticket's outcomes, or the error; what it returns means nothing."""


class Overloaded(Unavailable):
    """More waits than the log takes in now; nothing was stored. Ask again after `retry_after_s` seconds."""

    code = "overloaded"

    def __init__(self, message: str, *, retry_after_s: int = RETRY_AFTER_S) -> None:
        super().__init__(message, remedy=f"try again after {retry_after_s} s")
        self.retry_after_s = retry_after_s


class Ticket:
    """One caller's rows in the line. Either a thread waits for it, or `answer` is called when it is settled."""

    __slots__ = ("_answer", "_wake", "is_leader", "result", "rows", "size")

    def __init__(self, rows: Sequence[Submission], answer: Answer | None = None) -> None:
        self.rows = rows
        self.size = sum(len(row.envelope) for row in rows)
        self.result: Sequence[Outcome] | SekishoError | None = None
        self.is_leader = False
        self._answer = answer
        self._wake = threading.Lock()
        self._wake.acquire()

    def wait(self) -> None:
        """Sleep until the ticket is settled or leads."""
        self._wake.acquire()

    def settle(self, result: Sequence[Outcome] | SekishoError) -> None:
        self.result = result
        if self._answer is not None:
            self._answer(result)
        else:
            self._wake.release()

    def promote(self, lead: Callable[[], None], executor: Executor) -> None:
        """Have this ticket's thread lead the next group; one without a thread is led by the executor."""
        self.is_leader = True
        if self._answer is not None:
            executor.submit(lead)
        else:
            self._wake.release()

    def leave_behind(self, lead: Callable[[], None], executor: Executor) -> None:
        """The ticket's thread will not come back to it: its rows stay in line, and others must not wait for it."""
        self._answer = _tell_nobody
        if self.is_leader and self.result is None:
            executor.submit(lead)

    def outcomes(self) -> list[Outcome]:
        """Each row's outcome; raises what the sequencing of them raised."""
        if self.result is None:
            raise Unavailable("the submission was not sequenced", remedy="submit it again")
        if isinstance(self.result, SekishoError):
            raise self.result
        return list(self.result)


def _tell_nobody(_: Sequence[Outcome] | SekishoError) -> None:
    """The answer to a thread that went away."""


class Line:
    """The tickets that wait, first come first served, bounded in rows and bytes."""

    def __init__(self, *, max_rows: int = MAX_WAITING, max_bytes: int = MAX_WAITING_BYTES) -> None:
        self._lock = threading.Lock()
        self._tickets: deque[Ticket] = deque()
        self._rows = self._bytes = 0
        self._max_rows, self._max_bytes = max_rows, max_bytes
        self._is_led = False

    def join(self, ticket: Ticket) -> bool:
        """Stand in line; True where nobody leads, so that this ticket leads at once. Raises Overloaded."""
        with self._lock:
            too_many = self._rows + len(ticket.rows) > self._max_rows
            too_large = self._bytes + ticket.size > self._max_bytes
            # One ticket alone is always taken: it could never come in later either.
            if self._tickets and (too_many or too_large):
                raise Overloaded(f"{self._rows} submissions wait already")
            self._tickets.append(ticket)
            self._rows += len(ticket.rows)
            self._bytes += ticket.size
            leads, self._is_led = not self._is_led, True
            ticket.is_leader = leads
            return leads

    def take_group(self) -> list[Ticket]:
        """The next tickets, at least one and together at most MAX_GROUP rows unless the first alone has more."""
        taken: list[Ticket] = []
        rows = 0
        with self._lock:
            while self._tickets and (not taken or rows + len(self._tickets[0].rows) <= MAX_GROUP):
                ticket = self._tickets.popleft()
                taken.append(ticket)
                rows += len(ticket.rows)
                self._bytes -= ticket.size
            self._rows -= rows
        return taken

    def hand_over(self, lead: Callable[[], None], executor: Executor) -> None:
        """Let who stands first lead the next group; where nobody waits, whoever joins next leads."""
        with self._lock:
            self._is_led = bool(self._tickets)
            if self._tickets:
                self._tickets[0].promote(lead, executor)

    def abandon(self, ticket: Ticket, lead: Callable[[], None], executor: Executor) -> None:
        """A thread was torn away from its ticket: another leads in its place, if it was to lead."""
        with self._lock:
            ticket.leave_behind(lead, executor)
