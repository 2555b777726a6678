"""One agent at a time: which process of the allowed user a privileged watchdog listens to."""

from __future__ import annotations

from collections.abc import Callable

__all__ = ["OneAgent"]


class OneAgent:
    """The first process of the user that speaks is the agent, until it ends; root is heard besides.

    Processes are told apart by pid and start, which `start_of` gives in ticks (None: there is no such process).
    """

    def __init__(self, user: int, start_of: Callable[[int], int | None]) -> None:
        self._user = user
        self._start_of = start_of
        self._agent: tuple[int, int] | None = None

    def refusal(self, pid: int, user: int) -> str | None:
        """Why this process is not heard, or None. A process that cannot be seen (pid 0) is never heard."""
        if user != self._user:
            return None  # root, or whoever the socket let in besides: not an agent
        start = self._start_of(pid) if pid > 0 else None
        if start is None:
            return "your process cannot be seen from here: share the host's process ids"
        if self._agent is not None and self._agent != (pid, start):
            holder, since = self._agent
            if self._start_of(holder) == since:
                return f"another agent, process {holder}, has this watchdog"
        self._agent = (pid, start)
        return None
