"""Rounds beside the duty: every now and then a look at what slipped past the scheduler's gate."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping

from sekisho.agent.events import Noticed
from sekisho.following import Finding
from sekisho.model.errors import Unavailable

__all__ = ["Rounds"]

EVERY_S = 30.0


class Rounds:
    """A thread of its own: a slow scheduler holds up nothing. What it finds goes to the duty as an event."""

    def __init__(
        self,
        look: Callable[[], Mapping[str, str]],
        notice: Callable[[Noticed], None],
        every_s: float = EVERY_S,
    ) -> None:
        self._look = look
        self._notice = notice
        self._every_s = every_s
        self._ended = threading.Event()

    def start(self) -> None:
        threading.Thread(target=self._walk, name="rounds", daemon=True).start()

    def end(self) -> None:
        self._ended.set()

    def walk_once(self) -> None:
        """One look; a scheduler that does not answer is looked at again next time."""
        try:
            found = self._look()
        except Unavailable:
            return
        findings = tuple(Finding(code=code, detail=detail) for code, detail in found.items())
        if findings:
            self._notice(Noticed(findings))

    def _walk(self) -> None:
        self.walk_once()
        while not self._ended.wait(self._every_s):
            self.walk_once()
