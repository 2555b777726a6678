"""An EMULATED accelerator: real memory and a key of its own, in a process of its own, and no silicon.

`python -m sekisho.rehearsal.accelerator --dir D --memory-mib 64 --key FILE [--port N] [--until-stdin-closes]`. It
stands where a device with its own key would, so that the drill can show what *verified* takes. Its trust assumption is
that nobody reads its key file or its process, which whoever is root on the host can do: it proves nothing about real
hardware.

A job is memory that is held; a challenge fills all the rest, never the job's, so that with a job the answer is wrong.
Wire (unix socket D/device.sock, one JSON line each way): describe, load {mib}, unload, challenge {nonce}. With --port
(0: any) it also shows how busy its holder is, on a page of loopback as an exporter's: see device_page.py.
"""

from __future__ import annotations

import argparse
import hashlib
import mmap
import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

from sekisho.adapters.clocks import SystemClock
from sekisho.adapters.devices import device_wire as wire
from sekisho.adapters.durable_files import create_private_folder, hold_folder
from sekisho.adapters.keys import load_or_create_key
from sekisho.adapters.local_sockets import MAX_LINE, LineServer
from sekisho.adapters.schedulers.process_files import Process, read_process
from sekisho.inspection.memory_fill import (
    BLOCK_BYTES,
    SEGMENT_BYTES,
    combine_passes,
    keystream_segments,
    sample_offsets,
)
from sekisho.model.errors import InvalidInput, SekishoError, StateConflict
from sekisho.model.statements import ChallengeAnswered, make_payload
from sekisho.model.wire import canonical, decode_hex, encode_base64, from_json, parse_json
from sekisho.ports.clock import Clock
from sekisho.rehearsal.device_page import DevicePage
from sekisho.signing.dsse import sign_payload
from sekisho.signing.keys import Ed25519Signer

__all__ = ["Emulation", "main"]

MAX_MEMORY_MIB = 65_536


class Emulation:
    """A block of memory, a job in it or none, and the key that answers for it."""

    def __init__(self, memory_mib: int, signer: Ed25519Signer, clock: Clock) -> None:
        self._memory = mmap.mmap(-1, memory_mib * SEGMENT_BYTES)
        self._signer = signer
        self._clock = clock
        self._job_mib = 0
        self._holder: Process | None = None
        self.device = f"emulated-{signer.public.key_id[:16]}"
        self._acts: dict[type[Any], Callable[[Any], wire.DeviceAnswer]] = {
            wire.AskedDescribe: lambda _: self._describe(),
            wire.AskedLoad: self._load,
            wire.AskedUnload: lambda _: self._unload(),
            wire.AskedChallenge: self._challenge,
        }

    @property
    def holder(self) -> Process | None:
        """Who holds the device, as it was when it took it."""
        return self._holder

    def answer(self, line: bytes) -> bytes:
        """Do what one request line asks; every refusal is an answer."""
        try:
            document = parse_json(line, path="request", limit=MAX_LINE)
            request = from_json(
                cast("type[wire.DeviceRequest]", wire.DeviceRequest), document, path="request"
            )
            self._release_if_gone()
            return canonical(self._acts[type(request)](request))
        except SekishoError as error:
            return canonical(wire.refuse(error))

    def _describe(self) -> wire.DeviceAnswer:
        return wire.DeviceAnswer(
            device=self.device,
            memory_bytes=len(self._memory),
            job_mib=self._job_mib,
            public_key=self._signer.public.to_text(),
        )

    def _load(self, asked: wire.AskedLoad) -> wire.DeviceAnswer:
        """The job's content is random, as weights are to whoever does not know them."""
        if self._job_mib:
            raise StateConflict("a job is loaded already", remedy="unload it first")
        if asked.mib * SEGMENT_BYTES > len(self._memory):
            raise InvalidInput("more than the device has", path="mib")
        for index in range(asked.mib):
            start = index * SEGMENT_BYTES
            self._memory[start : start + SEGMENT_BYTES] = os.urandom(SEGMENT_BYTES)
        self._job_mib = asked.mib
        self._holder = read_process(asked.holder) if asked.holder is not None else None
        return self._describe()

    def _unload(self) -> wire.DeviceAnswer:
        self._job_mib = 0
        self._holder = None
        return self._describe()

    def _release_if_gone(self) -> None:
        """As a driver does: memory that a process held is free once that process has ended."""
        if self._holder is None:
            return
        now = read_process(self._holder.pid)
        if now is None or now.start_ticks != self._holder.start_ticks or not now.is_alive:
            self._unload()

    def _challenge(self, asked: wire.AskedChallenge) -> wire.DeviceAnswer:
        """1. Fill all that no job holds. 2. Read all. 3. Read samples in the nonce's order. 4. Sign."""
        nonce = decode_hex(asked.nonce, size=32, path="nonce")
        for index, segment in enumerate(keystream_segments(nonce, self.device, len(self._memory))):
            if index >= self._job_mib:
                start = index * SEGMENT_BYTES
                self._memory[start : start + SEGMENT_BYTES] = segment
        with memoryview(self._memory) as view:
            whole = hashlib.sha256(view).digest()
        sampled = hashlib.sha256()
        for offset in sample_offsets(nonce, self.device, len(self._memory)):
            sampled.update(self._memory[offset : offset + BLOCK_BYTES])
        return self._sign(asked.nonce, combine_passes(whole, sampled.digest()))

    def _sign(self, nonce: str, digest: str) -> wire.DeviceAnswer:
        said = ChallengeAnswered(
            effective=self._clock.now(),
            device=self.device,
            nonce=nonce,
            memory_bytes=len(self._memory),
            digest=digest,
            emulated=True,
        )
        envelope = sign_payload(make_payload(said), [self._signer])
        return wire.DeviceAnswer(
            device=self.device,
            memory_bytes=len(self._memory),
            job_mib=self._job_mib,
            public_key=self._signer.public.to_text(),
            nonce=nonce,
            digest=digest,
            envelope=encode_base64(envelope.raw),
        )


def main(arguments: list[str] | None = None) -> int:
    """Be the device until SIGTERM; 1 where another one holds the folder, 2 for bad input."""
    options = _parse_arguments(arguments)
    told, tell = os.pipe()
    os.set_blocking(tell, False)
    signal.set_wakeup_fd(tell)
    asked: list[int] = []
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda got, _: asked.append(got))
    try:
        create_private_folder(options.dir)
        hold_folder(options.dir, "device")
        device = Emulation(options.memory_mib, load_or_create_key(options.key), SystemClock())
    except (SekishoError, OSError) as error:
        print(f"emulated device: {error}", file=sys.stderr)  # noqa: T201  # the command's own voice
        return 1 if isinstance(error, StateConflict) else 2
    server = LineServer(options.dir / "device.sock", device.answer, wake=told)
    if options.until_stdin_closes:
        server.wake_by(sys.stdin.fileno())
    page = (
        None
        if options.port is None
        else DevicePage(device.device, lambda: device.holder, port=options.port)
    )
    ready = {"ready": True, "device": device.device, "emulated": True}
    if page is not None:
        ready["address"] = page.address
    print(canonical(ready).decode(), flush=True)  # noqa: T201  # the ready line is this command's output
    while not asked and not server.is_cut:
        server.wait(60.0)
    server.close()
    if page is not None:
        page.close()
    return 0


def _parse_arguments(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m sekisho.rehearsal.accelerator", description="An emulated accelerator."
    )
    parser.add_argument("--dir", type=Path, required=True, help="folder of the socket")
    parser.add_argument("--memory-mib", type=int, default=64, help="memory that it really takes")
    parser.add_argument(
        "--key", type=Path, required=True, help="its own Ed25519 key, PKCS8 PEM, made if absent"
    )
    parser.add_argument("--port", type=int, help="show its use on this port of loopback; 0: any")
    parser.add_argument(
        "--until-stdin-closes", action="store_true", help="end with whoever started it"
    )
    options = parser.parse_args(arguments)
    if not 0 < options.memory_mib <= MAX_MEMORY_MIB:
        parser.error(f"--memory-mib must lie between 1 and {MAX_MEMORY_MIB}")
    return options


if __name__ == "__main__":
    sys.exit(main())
