"""`Sequencer.append` for coroutines: no thread waits, and one wake-up of the loop answers a whole group."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Sequence

from sekisho.ledger.line import MAX_WAITING_BYTES, Overloaded
from sekisho.ledger.places import Outcome, check_submission
from sekisho.ledger.sequencer import Sequencer
from sekisho.model.errors import SekishoError
from sekisho.ports.log_store import Submission

__all__ = ["Appender"]

IN_FLIGHT = 2
MAX_ROWS = 8192

_Waiting = tuple[Sequence[Submission], asyncio.Future[list[Outcome]]]


class Appender:
    """Appends for the coroutines of one event loop.

    Whoever comes while IN_FLIGHT groups are under way goes into the next one: while the database syncs the one,
    the loop gathers the other.
    """

    def __init__(self, sequencer: Sequencer) -> None:
        self._sequencer = sequencer
        self._waiting: list[_Waiting] = []
        self._rows = self._bytes = 0
        self._under_way = 0
        self._is_scheduled = False

    async def append(self, submissions: Sequence[Submission]) -> list[Outcome]:
        """As `Sequencer.append`. Who is cancelled while waiting may find its entries in the log all the same."""
        size = sum(len(submission.envelope) for submission in submissions)
        too_many = self._rows + len(submissions) > MAX_ROWS
        if self._waiting and (too_many or self._bytes + size > MAX_WAITING_BYTES):
            raise Overloaded(f"{self._rows} submissions wait already")
        for position, submission in enumerate(submissions):
            check_submission(submission, f"submission {position}")
        loop = asyncio.get_running_loop()
        done: asyncio.Future[list[Outcome]] = loop.create_future()
        self._waiting.append((submissions, done))
        self._rows += len(submissions)
        self._bytes += size
        if self._under_way < IN_FLIGHT and not self._is_scheduled:
            # At the end of this turn of the loop, so that all who are ready now go together.
            self._is_scheduled = True
            loop.call_soon(self._send, loop)
        return await done

    def _send(self, loop: asyncio.AbstractEventLoop) -> None:
        self._is_scheduled = False
        group, self._waiting, self._rows, self._bytes = self._waiting, [], 0, 0
        if not group:
            return
        self._under_way += 1
        rows = [row for submissions, _ in group for row in submissions]
        try:
            self._sequencer.enqueue(
                rows, lambda result: self._tell(loop, group, result), are_checked=True
            )
        except SekishoError as error:
            self._settle(loop, group, error)

    def _tell(
        self,
        loop: asyncio.AbstractEventLoop,
        group: Sequence[_Waiting],
        result: Sequence[Outcome] | SekishoError,
    ) -> None:
        """From the sequencing thread, which must go on for others even where this loop is closed by now."""
        with contextlib.suppress(RuntimeError):
            loop.call_soon_threadsafe(self._settle, loop, group, result)

    def _settle(
        self,
        loop: asyncio.AbstractEventLoop,
        group: Sequence[_Waiting],
        result: Sequence[Outcome] | SekishoError,
    ) -> None:
        self._under_way -= 1
        start = 0
        for submissions, done in group:
            stop = start + len(submissions)
            if done.cancelled():
                pass
            elif isinstance(result, SekishoError):
                done.set_exception(result)
            else:
                done.set_result(list(result[start:stop]))
            start = stop
        if self._waiting and not self._is_scheduled:
            self._is_scheduled = True
            loop.call_soon(self._send, loop)
