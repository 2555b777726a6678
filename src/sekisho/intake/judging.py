"""The gate for coroutines: envelopes that come at one moment are judged together, in threads beside the event loop."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeAlias

from sekisho.intake.gate import Gate
from sekisho.model.errors import SekishoError
from sekisho.ports.log_store import Submission

__all__ = ["Judged", "Judges"]

JUDGES = 4
SWITCH_S = 0.001
"""The interpreter's switch interval for a process that judges: a judge comes back from outside the lock every 0.1 ms,
and with the usual 5 ms waits for whoever holds it; measured on two cores, 5,700 against 6,700 checks a second."""

Judged: TypeAlias = Submission | SekishoError
_Waiting: TypeAlias = tuple[bytes, asyncio.Future[Judged]]


class Judges:
    """Judges for one event loop. Signatures are checked outside the interpreter's lock, so they use every core.

    Handing one envelope to a thread costs as much as checking it; so whoever comes while the judges are at work
    is judged with the others who came meanwhile.
    """

    def __init__(self, gate: Gate) -> None:
        self._gate = gate
        self._threads = ThreadPoolExecutor(JUDGES, thread_name_prefix="gate")
        self._waiting: list[_Waiting] = []
        self._at_work = 0
        self._is_scheduled = False

    async def judge(self, raw: bytes) -> Submission:
        """`Gate.judge` for one envelope; raises what it raises."""
        loop = asyncio.get_running_loop()
        done: asyncio.Future[Judged] = loop.create_future()
        self._waiting.append((raw, done))
        self._schedule(loop)
        judged = await done
        if isinstance(judged, SekishoError):
            raise judged
        return judged

    async def judge_all(self, raws: Sequence[bytes]) -> list[Judged]:
        """Each envelope's submission, or its error, in order."""
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._threads, self._judge_all, raws)

    def _schedule(self, loop: asyncio.AbstractEventLoop) -> None:
        if self._waiting and self._at_work < JUDGES and not self._is_scheduled:
            self._is_scheduled = True
            loop.call_soon(self._send, loop)

    def _send(self, loop: asyncio.AbstractEventLoop) -> None:
        self._is_scheduled = False
        group, self._waiting = self._waiting, []
        self._at_work += 1
        raws = [raw for raw, _ in group]
        work = loop.run_in_executor(self._threads, self._judge_all, raws)
        work.add_done_callback(lambda done: self._settle(loop, group, done))

    def _settle(
        self,
        loop: asyncio.AbstractEventLoop,
        group: Sequence[_Waiting],
        work: asyncio.Future[list[Judged]],
    ) -> None:
        """Tell everybody in the group; also where the judge broke down: nobody waits for ever, its place is free."""
        self._at_work -= 1
        failure = asyncio.CancelledError() if work.cancelled() else work.exception()
        judged: Sequence[Judged | None] = [None] * len(group) if failure else work.result()
        for (_, done), result in zip(group, judged, strict=True):
            if done.done():
                continue
            if result is None:
                done.set_exception(RuntimeError(f"the gate broke down: {failure!r}"))
            else:
                done.set_result(result)
        self._schedule(loop)

    def _judge_all(self, raws: Sequence[bytes]) -> list[Judged]:
        judged: list[Judged] = []
        for raw in raws:
            try:
                judged.append(self._gate.judge(raw))
            except SekishoError as error:
                judged.append(error)
        return judged
