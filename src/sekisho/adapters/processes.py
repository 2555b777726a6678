"""Children of ours: started with their output in a file, ready when they say so in one JSON line, ended by id."""

from __future__ import annotations

import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Self

from sekisho.model.errors import Unavailable
from sekisho.model.wire import JsonValue, parse_json

__all__ = ["ChildProcess"]

MAX_READY_LINE = 16_384
_BOUND = "sekisho.adapters.bound_process"


class ChildProcess:
    """One process that we started and that we, and nobody else, end."""

    def __init__(
        self, name: str, process: subprocess.Popen[bytes], ready: dict[str, JsonValue]
    ) -> None:
        self.name = name
        self.ready = ready
        self._process = process

    @classmethod
    def start(
        cls,
        name: str,
        arguments: Sequence[str],
        *,
        log: Path,
        environment: Mapping[str, str] | None = None,
        wait_s: float = 20.0,
    ) -> Self:
        """Start `python -m <arguments>`, bound to our life, and wait for its ready line on standard output.

        Raises Unavailable with the end of its log where it ends or stays silent.
        """
        with log.open("ab") as errors:
            process = subprocess.Popen(
                # -P: nothing is imported from the folder that somebody happens to work in.
                [sys.executable, "-P", "-m", _BOUND, str(os.getpid()), *arguments],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=errors,
                start_new_session=True,
                env={**os.environ, **(environment or {})},
            )
        line = _read_line(process, wait_s)
        if line is None:
            process.kill()
            process.communicate()
            raise Unavailable(f"{name} did not start: {_tail(log)}", remedy=f"read {log}")
        value = parse_json(line, path=f"{name}'s first line")
        return cls(name, process, value if isinstance(value, dict) else {})

    @property
    def pid(self) -> int:
        return self._process.pid

    def is_running(self) -> bool:
        return self._process.poll() is None

    def text(self, key: str) -> str:
        """A field of the ready line."""
        return str(self.ready.get(key, ""))

    def stop(self, *, wait_s: float = 5.0) -> int:
        """Ask it to end; kill it where it does not. Its exit code."""
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGTERM)
            try:
                self._process.wait(wait_s)
            except subprocess.TimeoutExpired:
                self._process.kill()
        return self._end()

    def kill(self) -> int:
        """End it as a power cut would."""
        if self._process.poll() is None:
            self._process.kill()
        return self._end()

    def _end(self) -> int:
        code = self._process.wait()
        if self._process.stdout is not None:
            self._process.stdout.close()
        return code


def _read_line(process: subprocess.Popen[bytes], wait_s: float) -> bytes | None:
    """The first line of its output, or None where it ends or stays silent."""
    if process.stdout is None:
        return None
    deadline = time.monotonic() + wait_s
    line = b""
    descriptor = process.stdout.fileno()
    while time.monotonic() < deadline and len(line) < MAX_READY_LINE:
        readable, _, _ = select.select([descriptor], [], [], 0.2)
        if not readable:
            if process.poll() is not None:
                return None
            continue
        data = os.read(descriptor, 4096)
        if not data:
            return None
        line += data
        if b"\n" in line:
            return line.split(b"\n", 1)[0]
    return None


def _tail(log: Path) -> str:
    with log.open("rb") as file:
        file.seek(max(0, log.stat().st_size - 600))
        return file.read().decode("utf-8", "replace").strip() or "it said nothing"
