"""One line to a TPM: every question bounded in time, every refusal an error by name.

The library blocks for as long as a TPM does. So one thread asks, and whoever waits, waits for a bounded time: a TPM
that hangs costs that thread and no more. Its TCTI is a string of tpm2-tss (`device:/dev/tpmrm0`,
`swtpm:path=/run/swtpm.sock`). Source: TPM 2.0 Library part 2 section 6.6 (response codes).
"""

from __future__ import annotations

import os
import queue
import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any, TypeVar

from sekisho.model.errors import Corrupt, InvalidInput, SekishoError, StateConflict, Unavailable

__all__ = ["TpmLine"]

T = TypeVar("T")

_ENROL_AGAIN = "enrol the host's TPM again; do not write its index by hand"
_LATER = "try again; a TPM that stays so needs its maker's manual"
# Answers that pass: nothing was changed, the same question may be asked again.
_PASSING = {
    0x100: "is not started",
    0x101: "is in failure mode",
    0x902: "has no room for another object",
    0x903: "has no room for another session",
    0x908: "gave way to something else",
    0x909: "was told to cancel",
    0x90A: "is testing itself",
    0x920: "writes no more for a while, so as to spare its memory",
    0x921: "is locked out after too many wrong secrets",
    0x922: "asks to be asked again",
    0x923: "cannot reach its memory",
}
# Answers that mean that what was enrolled is not there any more.
_GONE = {
    0x08B: "has no such index or key",
    0x08E: "does not take this host's secret",
    0x0A2: "does not take this host's secret",
    0x09F: "opens nothing that was made for another TPM",
    0x14A: "has an index that was never written",
}
_NV_TAKEN, _NV_SPACE = 0x14C, 0x14B
_TPM_LAYERS = (
    0x000000,
    0x0B0000,
    0x0C0000,
)  # the TPM itself, and resource managers that pass its words on


class TpmLine:
    """Asks one TPM, one question at a time. `close` ends it; a line that broke is opened anew at the next question."""

    def __init__(self, tcti: str, *, within_s: float = 10.0) -> None:
        self._tcti = tcti
        self._within_s = within_s
        self._asked: queue.SimpleQueue[_Question | None] = queue.SimpleQueue()
        self._waiting: Future[Any] | None = None
        self._thread: threading.Thread | None = None

    def ask(self, act: Callable[[Any], T], *, within_s: float | None = None) -> T:
        """What `act` says of an open ESAPI. Raises Unavailable after `within_s`, Corrupt, StateConflict."""
        if self._waiting is not None and not self._waiting.done():
            raise self._silent()
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name="tpm", daemon=True)
            self._thread.start()
        answer: Future[T] = Future()
        self._waiting = answer
        self._asked.put((act, answer))
        try:
            return answer.result(within_s or self._within_s)
        except TimeoutError:
            raise self._silent() from None

    def close(self) -> None:
        """End the line; a thread that hangs in the library is left to itself, and ends with the process."""
        if self._thread is not None:
            self._asked.put(None)
            self._thread.join(1.0)
            self._thread = None

    def _silent(self) -> Unavailable:
        return Unavailable(f"the TPM {self._tcti} does not answer", remedy=_LATER)

    def _run(self) -> None:
        library = _Library(self._tcti)
        while (question := self._asked.get()) is not None:
            act, answer = question
            try:
                answer.set_result(library.ask(act))
            except SekishoError as error:
                answer.set_exception(error)
            except Exception as error:  # noqa: BLE001  # whoever asked hears of it: this thread has nobody to tell
                answer.set_exception(error)
        library.close()


_Question = tuple[Callable[[Any], Any], "Future[Any]"]


class _Library:
    """tpm2-pytss, opened when it is first asked, and again after its line broke."""

    def __init__(self, tcti: str) -> None:
        self._tcti = tcti
        self._open: Any = None

    def ask(self, act: Callable[[Any], T]) -> T:
        failure = _load().TSS2_Exception
        try:
            if self._open is None:
                self._open = _load().ESAPI(self._tcti)
            return act(self._open)
        except failure as error:
            found = _translate(int(error.rc), int(error.error), f"the TPM {self._tcti}", str(error))
            if isinstance(found, Unavailable):
                self.close()
            raise found from None

    def close(self) -> None:
        if self._open is not None:
            self._open.close()
            self._open = None


def _load() -> Any:
    """tpm2-pytss. Raises InvalidInput with the remedy where it or its library is not installed."""
    # The library speaks on stderr of each refusal; we tell them ourselves. It reads this when it first speaks.
    os.environ.setdefault("TSS2_LOG", "all+NONE")
    try:
        import tpm2_pytss  # noqa: PLC0415  # an extra: only hosts with a TPM have it
    except ImportError as error:
        raise InvalidInput(
            f"tpm2-pytss is not installed: {error}",
            remedy='install "sekisho[tpm]" and the system\'s libtss2-esys and libtss2-tcti',
        ) from None
    return tpm2_pytss


def _translate(code: int, error: int, whose: str, words: str) -> SekishoError:
    if code & 0xFF0000 not in _TPM_LAYERS:
        return Unavailable(f"{whose} cannot be reached: {words}", remedy=_LATER)
    short = error & 0xFFFF
    if short in _PASSING:
        return Unavailable(f"{whose} {_PASSING[short]}", remedy=_LATER)
    if short in _GONE:
        return Corrupt(f"{whose} {_GONE[short]}", remedy=_ENROL_AGAIN)
    if short in (_NV_TAKEN, _NV_SPACE):
        what = "has this index already" if short == _NV_TAKEN else "has no room for another index"
        return StateConflict(
            f"{whose} {what}", remedy="name another one, or have its owner free it"
        )
    return Corrupt(f"{whose} answers {code:#x}: {words}", remedy=_ENROL_AGAIN)
