"""A judge that breaks down must not take the log's counter with it."""

from __future__ import annotations

import asyncio

import pytest

from sekisho.intake.gate import Gate
from sekisho.intake.judging import JUDGES, Judges
from sekisho.ports.log_store import Submission
from tests.intake.doors import envelope, gate


class _Brittle(Gate):
    """Breaks down at one envelope, as at a full memory."""

    def __init__(self) -> None:
        """Judges as the usual gate does."""
        self._sound = gate()

    def judge(self, raw: bytes, *, path: str = "") -> Submission:
        if raw == b"break":
            raise MemoryError
        return self._sound.judge(raw, path=path)


def test_more_breakdowns_than_judges() -> None:
    """Each caller hears of it at once, and whoever comes next is judged."""

    async def attack() -> Submission:
        judges = Judges(_Brittle())
        for _ in range(JUDGES + 1):
            with pytest.raises(RuntimeError, match="broke down"):
                await asyncio.wait_for(judges.judge(b"break"), 5)
        return await asyncio.wait_for(judges.judge(envelope("a statement")), 5)

    assert asyncio.run(attack()).envelope == envelope("a statement")
