"""What an EMULATED accelerator shows of its use, as a dcgm-exporter would: a page on loopback, read by any user.

No silicon is busy there, so the figure is the processor time of the process that holds the device, with all below it,
as a share of the last second. It is read from the kernel and asks neither the holder nor its agent.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Final

from sekisho.adapters.schedulers.process_files import (
    Process,
    list_processes,
    read_process,
    tree_below,
)

__all__ = ["BusyMeter", "DevicePage", "cpu_s_of"]

WINDOW_S: Final = 1.0
SAMPLE_S: Final = 0.25
_PATIENCE_S: Final = 5.0
_WHOLE: Final = 100


class BusyMeter:
    """How busy a device was in the last second, in percent, by the processor time of whoever holds it."""

    def __init__(self, window_s: float = WINDOW_S) -> None:
        self._window_s = window_s
        self._holder: tuple[int, int] | None = None
        self._samples: deque[tuple[float, float]] = deque(maxlen=64)

    def note(self, holder: Process | None, cpu_s: float, at_s: float) -> int:
        """One more sample, `at_s` on a clock that only goes forward; the percent that the window shows since.

        Without a holder the device is at rest; what another holder used is nobody's any more.
        """
        key = None if holder is None else (holder.pid, holder.start_ticks)
        if key != self._holder:
            self._holder = key
            self._samples.clear()
        self._samples.append((at_s, cpu_s))
        while len(self._samples) > 2 and self._samples[1][0] <= at_s - self._window_s:
            self._samples.popleft()
        since_s, used_s = at_s - self._samples[0][0], cpu_s - self._samples[0][1]
        if key is None or since_s <= 0:
            return 0
        # Rounded up: work that takes a hundredth of a second is work.
        return min(_WHOLE, max(0, -int(-used_s * _WHOLE // since_s)))


def cpu_s_of(holder: Process | None) -> tuple[Process | None, float]:
    """The holder as it is now (None: it is gone) and the processor seconds of its tree so far."""
    now = None if holder is None else read_process(holder.pid)
    if holder is None or now is None or now.start_ticks != holder.start_ticks or not now.is_alive:
        return None, 0.0
    tree = (now, *tree_below(now.pid, list_processes()))
    return now, sum(process.cpu_s + process.reaped_cpu_s for process in tree)


class DevicePage:
    """Serves `address`/metrics until it is closed; `holder` says who holds the device now."""

    def __init__(self, device: str, holder: Callable[[], Process | None], *, port: int = 0) -> None:
        self._device, self._holder = device, holder
        self._meter = BusyMeter()
        self._lock = threading.Lock()
        self._ended = threading.Event()
        self._server = ThreadingHTTPServer(("127.0.0.1", port), self._handler())
        self._server.daemon_threads = True
        for work in (self._sample, self._server.serve_forever):
            threading.Thread(target=work, name="device page", daemon=True).start()

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def text(self) -> str:
        """The page as it is now."""
        return (
            "# HELP DCGM_FI_DEV_GPU_UTIL GPU utilization (in %), EMULATED from processor time.\n"
            "# TYPE DCGM_FI_DEV_GPU_UTIL gauge\n"
            f'DCGM_FI_DEV_GPU_UTIL{{gpu="0",UUID="{self._device}",'
            f'modelName="emulated accelerator"}} {self._percent()}\n'
        )

    def close(self) -> None:
        self._ended.set()
        self._server.shutdown()
        self._server.server_close()

    def _percent(self) -> int:
        with self._lock:
            return self._meter.note(*cpu_s_of(self._holder()), time.monotonic())

    def _sample(self) -> None:
        while not self._ended.wait(SAMPLE_S):
            self._percent()

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        page = self

        class Handler(BaseHTTPRequestHandler):
            timeout = _PATIENCE_S

            def do_GET(self) -> None:
                found = self.path == "/metrics"
                body = page.text().encode() if found else b""
                self.send_response(200 if found else 404)
                self.send_header("content-type", "text/plain; version=0.0.4; charset=utf-8")
                self.send_header("content-length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # its own name for it
                """Nobody reads who read it."""

        return Handler
