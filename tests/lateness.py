"""How late a busy machine wakes those who sleep: what an assertion about elapsed time has to allow for."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

__all__ = ["Lateness", "measured_lateness"]

NAP_S = 0.02
MOMENT_S = 0.005
"""Every sleep ends so much late."""


class Lateness:
    """The sum of what a sleeper beside the test overslept so far, in seconds."""

    def __init__(self) -> None:
        self.total_s = 0.0
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._sleep, name="lateness", daemon=True)
        self._thread.start()

    def end(self) -> None:
        self._ending.set()
        self._thread.join()

    def _sleep(self) -> None:
        while not self._ending.is_set():
            begun = time.monotonic()
            time.sleep(NAP_S)
            late_s = time.monotonic() - begun - NAP_S
            self.total_s += late_s if late_s > MOMENT_S else 0.0


@contextmanager
def measured_lateness() -> Iterator[Lateness]:
    """Measured for as long as the context lasts."""
    lateness = Lateness()
    try:
        yield lateness
    finally:
        lateness.end()
