"""The asker's side of an emulated device."""

from __future__ import annotations

import select
import subprocess
import sys
import time
from pathlib import Path
from types import TracebackType
from typing import Self

from sekisho.adapters.devices import device_wire as wire
from sekisho.adapters.local_sockets import ask_line
from sekisho.model.errors import InvalidInput, Unavailable
from sekisho.model.wire import canonical, decode_base64, from_json, parse_json
from sekisho.ports.device import ChallengeAnswer

__all__ = ["EmulatedDevice", "EmulatedProcess", "spawn_emulated_device"]

DESCRIBE_TIMEOUT_S = 5.0
LOAD_TIMEOUT_S = 60.0
READY_TIMEOUT_S = 15.0
MAX_ANSWER = 131_072


class EmulatedDevice:
    """Implements ports.Device over `folder`/device.sock. Raises Unavailable where the device does not answer."""

    emulated = True

    def __init__(self, folder: Path) -> None:
        self._socket = folder / "device.sock"

    def describe(self) -> wire.DeviceAnswer:
        """Name, public key (base64 SPKI), memory and job, as the device says; enrolment fixes the first three."""
        return self._ask(wire.AskedDescribe(), DESCRIBE_TIMEOUT_S)

    def load(self, mib: int, *, holder: int | None = None) -> None:
        """Start a job that takes `mib` MiB of the device's memory, until `unload` or the end of process `holder`."""
        self._ask(wire.AskedLoad(mib=mib, holder=holder), LOAD_TIMEOUT_S)

    def unload(self) -> None:
        self._ask(wire.AskedUnload(), DESCRIBE_TIMEOUT_S)

    def answer_challenge(self, nonce: bytes, *, timeout_s: float) -> ChallengeAnswer:
        """Put a fresh 32-byte nonce to the device; `seconds` are ours, from asking to the whole answer."""
        began = time.monotonic()
        said = self._ask(wire.AskedChallenge(nonce=nonce.hex()), timeout_s)
        seconds = time.monotonic() - began
        return ChallengeAnswer(
            device=said.device,
            nonce=said.nonce,
            memory_bytes=said.memory_bytes,
            digest=said.digest,
            seconds=seconds,
            envelope=decode_base64(said.envelope, path="envelope"),
        )

    def _ask(self, request: wire.DeviceRequest, timeout_s: float) -> wire.DeviceAnswer:
        raw = ask_line(self._socket, canonical(request), timeout_s=timeout_s, limit=MAX_ANSWER)
        try:
            answer = from_json(wire.DeviceAnswer, parse_json(raw))
        except InvalidInput as error:
            raise Unavailable(f"the device's answer cannot be read: {error}") from None
        wire.raise_refusal(answer)
        return answer


class EmulatedProcess:
    """A running emulated device and the link to it; it ends with this object's block, or with this process."""

    def __init__(self, process: subprocess.Popen[bytes], device: EmulatedDevice) -> None:
        self._process = process
        self.device = device

    @property
    def pid(self) -> int:
        return self._process.pid

    def close(self) -> None:
        """End the device and release its memory."""
        self._process.terminate()
        self._process.communicate()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


def spawn_emulated_device(folder: Path, memory_mib: int, key: Path) -> EmulatedProcess:
    """Start an emulated device and wait until it answers. Raises Unavailable where it does not."""
    process = subprocess.Popen(
        [
            *(sys.executable, "-P", "-m", "sekisho.rehearsal.accelerator", "--until-stdin-closes"),
            *("--dir", str(folder), "--memory-mib", str(memory_mib), "--key", str(key)),
        ],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    if process.stdout is not None:
        heard, _, _ = select.select([process.stdout], [], [], READY_TIMEOUT_S)
        if heard and process.stdout.readline():
            return EmulatedProcess(process, EmulatedDevice(folder))
    process.kill()
    _, why = process.communicate()
    raise Unavailable(
        f"the emulated device did not start: {why.decode(errors='replace').strip()[-500:]}"
    )
