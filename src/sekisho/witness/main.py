"""Wires a witness: `python -m sekisho.witness.main --dir D --port N --name example.org/w1 --log VKEY`.

Prints one JSON line (`name`, `vkey`, `address`, `pid`) once it answers, and ends quietly on SIGTERM, SIGINT,
or when the process named by `--parent` is gone.
"""

from __future__ import annotations

import argparse
import fcntl
import json
import os
import signal
import socket
import sys
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import BinaryIO

import uvicorn

from sekisho.adapters.keys import load_or_create_key
from sekisho.adapters.storage import FileTileStore
from sekisho.model.errors import InvalidInput, SekishoError, StateConflict, Unavailable
from sekisho.signing.notes import NoteAlgorithm, NoteSigner, VerifierKey
from sekisho.witness.memory import WitnessMemory
from sekisho.witness.server import WitnessApp

__all__ = ["main"]

_HOST = "127.0.0.1"
_PARENT_CHECK_S = 0.5
_BAD_INPUT, _FAILED = 2, 4


def main(arguments: Sequence[str] | None = None) -> int:
    """Serve until told to stop; the exit code."""
    options = _parse_options(arguments)
    for number in (signal.SIGTERM, signal.SIGINT):
        # uvicorn stops first and then raises the signal again for us: by then the work is done.
        signal.signal(number, lambda *_: None)
    try:
        return _serve(options)
    except InvalidInput as error:
        sys.stderr.write(f"{error}\n")
        return _BAD_INPUT
    except SekishoError as error:
        sys.stderr.write(f"{error}\n")
        return _FAILED


def _parse_options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="sekisho.witness", description="A witness for logs.")
    parser.add_argument("--dir", type=Path, required=True, help="where key and memory lie")
    parser.add_argument("--port", type=int, required=True, help="0: any free port")
    parser.add_argument("--name", required=True, help="the cosigner's name, as example.org/w1")
    parser.add_argument(
        "--log", action="append", required=True, metavar="VKEY", help="may be repeated"
    )
    parser.add_argument("--parent", type=int, help="end when this process is gone")
    return parser.parse_args(arguments)


def _serve(options: argparse.Namespace) -> int:
    with _hold_folder(options.dir), _listen(options.port) as listener:
        signer = NoteSigner.cosigner(
            options.name, load_or_create_key(options.dir / "key.pem").private
        )
        app = WitnessApp(
            signer=signer,
            logs=_logs_by_origin(options.log),
            memory=WitnessMemory(FileTileStore(options.dir)),
            now=lambda: int(time.time()),
        )
        config = uvicorn.Config(
            app,
            log_level="warning",
            access_log=False,
            lifespan="off",
            server_header=False,
            ws="none",
        )
        server = _AnnouncingServer(config, _ready_line(signer.verifier, listener))
        if options.parent is not None:
            watch = threading.Thread(
                target=_follow_parent, args=(options.parent, server), daemon=True
            )
            watch.start()
        server.run(sockets=[listener])
    return 0


class _AnnouncingServer(uvicorn.Server):
    """Says on standard output that it answers, once it does."""

    def __init__(self, config: uvicorn.Config, line: str) -> None:
        super().__init__(config)
        self._line = line

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        sys.stdout.write(self._line + "\n")
        sys.stdout.flush()


def _ready_line(key: VerifierKey, listener: socket.socket) -> str:
    address = f"http://{_HOST}:{listener.getsockname()[1]}"
    return json.dumps(
        {"name": key.name, "vkey": key.to_text(), "address": address, "pid": os.getpid()}
    )


def _logs_by_origin(vkeys: Sequence[str]) -> dict[str, tuple[VerifierKey, ...]]:
    logs: dict[str, tuple[VerifierKey, ...]] = {}
    for text in vkeys:
        key = VerifierKey.from_text(text, path="--log")
        if key.algorithm is NoteAlgorithm.COSIGNATURE_ED25519:
            raise InvalidInput("a cosigner's key cannot be a log's", path="--log")
        logs[key.name] = (*logs.get(key.name, ()), key)
    return logs


def _hold_folder(folder: Path) -> BinaryIO:
    """One process for one folder: two with one key and two memories could cosign a fork."""
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        file = (folder / "lock").open("ab")
    except OSError as error:
        raise Unavailable(
            f"{folder} cannot be used: {error.strerror}", remedy="check rights"
        ) from None
    try:
        fcntl.flock(file.fileno(), fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        file.close()
        raise StateConflict(f"another witness uses {folder}", remedy="stop it first") from None
    return file


def _listen(port: int) -> socket.socket:
    # Named TCP, so that asyncio switches Nagle's delay off: it would cost each cosignature 40 ms.
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((_HOST, port))
    except (OSError, OverflowError) as error:
        listener.close()
        raise Unavailable(
            f"port {port} is not free: {error}", remedy="name another, or 0"
        ) from None
    return listener


def _follow_parent(parent: int, server: uvicorn.Server) -> None:
    while Path(f"/proc/{parent}").exists() and _is_alive(parent):
        time.sleep(_PARENT_CHECK_S)
    server.should_exit = True


def _is_alive(process: int) -> bool:
    """Whether the process still runs; one that ended and was not collected yet does not."""
    try:
        state = (
            Path(f"/proc/{process}/stat")
            .read_text("ascii", "replace")
            .rpartition(")")[2]
            .split()[0]
        )
    except (OSError, IndexError):
        return False
    return state not in ("Z", "X")


if __name__ == "__main__":
    raise SystemExit(main())
