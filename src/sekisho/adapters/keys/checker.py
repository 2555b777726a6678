"""The other end of `checking`: one process of ours that tries signatures, started when it is first asked.

A process and no thread: a signature is tried without the interpreter's lock, but to take it up again after each one
costs as much as it saves (measured on two cores). A process that dies or stays silent is ended, and replaced after a
rest; whoever asked is told Unavailable and tries the signatures himself.
"""

from __future__ import annotations

import os
import select
import subprocess
import sys
import threading
import time
from collections import deque
from collections.abc import Sequence

import msgspec

from sekisho.adapters.keys.checking import LENGTH_BYTES, MAX_FRAME
from sekisho.model.errors import InvalidInput, Unavailable
from sekisho.ports.signature_check import Signed, Trying

__all__ = ["SignatureProcess"]

ANSWER_S = 10.0
END_S = 2.0
REST_S = 5.0
"""So long a process that died is not replaced: where none can live, asking costs nothing."""

_NEEDED = ("PATH", "PYTHONPATH", "LD_LIBRARY_PATH", "LANG", "LC_ALL")


class _Frame:
    """One frame that the child owes an answer to."""

    def __init__(self, owner: SignatureProcess, count: int) -> None:
        self._owner = owner
        self.count = count
        self.told: bytes | None = None
        self.is_lost = False

    def result(self) -> Sequence[bool]:
        return [each == 1 for each in self._owner.collect(self)]


class SignatureProcess:
    """A `SignatureCheck` in one child process, which answers frames in the order in which they came."""

    def __init__(self, *, answer_s: float = ANSWER_S, rest_s: float = REST_S) -> None:
        self._lock = threading.Lock()
        self._child: subprocess.Popen[bytes] | None = None
        self._owed: deque[_Frame] = deque()
        self._answer_s = answer_s
        self._rest_s = rest_s
        self._rests_until = 0.0
        self._is_closed = False

    @property
    def pid(self) -> int | None:
        """The child's process id; None where none runs."""
        child = self._child
        return None if child is None or child.poll() is not None else child.pid

    def begin(self, rows: Sequence[Signed]) -> Trying:
        """Send one frame. Raises Unavailable, and InvalidInput for more than 16 MiB."""
        frame = msgspec.msgpack.encode(rows)
        if len(frame) > MAX_FRAME:
            raise InvalidInput(f"{len(frame)} bytes of signatures at once", remedy="ask twice")
        with self._lock:
            child = self._ready()
            asked = _Frame(self, len(rows))
            self._owed.append(asked)
            try:
                _send(child, frame, time.monotonic() + self._answer_s)
            except OSError as error:
                self._drop()
                raise Unavailable(f"the process that tries signatures is gone: {error}") from None
        return asked

    def collect(self, asked: _Frame) -> bytes:
        """What the child says to a frame, after what it says to those before. Raises Unavailable."""
        with self._lock:
            while asked.told is None and not asked.is_lost and self._child is not None:
                first = self._owed[0]
                try:
                    told = _receive(self._child, first.count, time.monotonic() + self._answer_s)
                except OSError:
                    self._drop()
                    break
                first.told = told
                self._owed.popleft()
        if asked.told is None:
            raise Unavailable("the process that tries signatures is gone")
        return asked.told

    def close(self) -> None:
        with self._lock:
            self._is_closed = True
            self._lose(END_S)

    def _ready(self) -> subprocess.Popen[bytes]:
        """The child, started where there is none. Raises Unavailable."""
        if self._child is not None and self._child.poll() is None:
            return self._child
        if self._child is not None:
            self._drop()
        if self._is_closed or time.monotonic() < self._rests_until:
            raise Unavailable("no process tries signatures just now")
        try:
            self._child = subprocess.Popen(
                # -P: nothing is imported from the folder that somebody happens to work in.
                [sys.executable, "-P", "-m", "sekisho.adapters.keys.checking"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                bufsize=0,
                # What else is in ours may be a secret, and it needs none.
                env={name: os.environ[name] for name in _NEEDED if name in os.environ},
            )
        except OSError as error:
            self._rests_until = time.monotonic() + self._rest_s
            raise Unavailable(f"no process can be started: {error.strerror}") from None
        return self._child

    def _drop(self) -> None:
        """End a child that is of no use any more, whatever it does, and rest before the next."""
        self._rests_until = time.monotonic() + self._rest_s
        self._lose(0)

    def _lose(self, wait_s: float) -> None:
        child, self._child = self._child, None
        for frame in self._owed:
            frame.is_lost = True
        self._owed.clear()
        if child is not None:
            _end(child, wait_s)


def _send(child: subprocess.Popen[bytes], frame: bytes, deadline: float) -> None:
    """Raises OSError where the child does not take it."""
    if child.stdin is None:
        raise BrokenPipeError("no pipe")
    descriptor = child.stdin.fileno()
    rest = memoryview(len(frame).to_bytes(LENGTH_BYTES, "big") + frame)
    os.set_blocking(descriptor, False)
    while rest:
        _wait(deadline, descriptor, select.POLLOUT)
        rest = rest[os.write(descriptor, rest) :]


def _receive(child: subprocess.Popen[bytes], count: int, deadline: float) -> bytes:
    """So many bytes. Raises OSError where the child does not give them."""
    if child.stdout is None:
        raise BrokenPipeError("no pipe")
    told = b""
    while len(told) < count:
        _wait(deadline, child.stdout.fileno(), select.POLLIN)
        some = os.read(child.stdout.fileno(), count - len(told))
        if not some:
            raise BrokenPipeError("it ended")
        told += some
    return told


def _wait(deadline: float, descriptor: int, event: int) -> None:
    """Until the descriptor is ready. Raises TimeoutError."""
    poll = select.poll()  # select() takes no descriptor above 1,023
    poll.register(descriptor, event)
    if not poll.poll(max(0.0, deadline - time.monotonic()) * 1_000):
        raise TimeoutError("it does not answer")


def _end(child: subprocess.Popen[bytes], wait_s: float) -> None:
    """Its input ends, and it with it; killed by its id where it does not."""
    for pipe in (child.stdin, child.stdout):
        if pipe is not None:
            pipe.close()
    try:
        child.wait(wait_s)
    except subprocess.TimeoutExpired:
        child.kill()
        child.wait()
