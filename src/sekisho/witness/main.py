"""Wires a witness: `python -m sekisho.witness.main --dir D --port N --name example.org/w1 --log VKEY`.

Prints one JSON line (`name`, `vkey`, `vkeys`, `address`, `pid`) once it answers, and ends quietly on SIGTERM, SIGINT,
or when the process named by `--parent` is gone. `sekisho log witness` runs the same for people.
"""

from __future__ import annotations

import argparse
import fcntl
import os
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import BinaryIO

import msgspec
import uvicorn

from sekisho.adapters.durable_files import replace_file
from sekisho.adapters.keys.note_keys import begin_rotation, finish_rotation, load_note_keys
from sekisho.adapters.storage import FileTileStore
from sekisho.model.errors import InvalidInput, SekishoError, StateConflict, Unavailable
from sekisho.signing.notes import NoteAlgorithm, NoteSigner, VerifierKey
from sekisho.witness.memory import WitnessMemory
from sekisho.witness.server import WitnessApp

__all__ = ["Ready", "WitnessPlan", "main", "rotate_witness", "serve_witness"]

_LOOPBACK = "127.0.0.1"
_PARENT_CHECK_S = 0.5
_BAD_INPUT, _FAILED = 2, 4
MAX_NAME_BYTES = 255
_LOOK_S = 0.1


class WitnessPlan(msgspec.Struct, frozen=True, kw_only=True):
    """What a witness is to be: where its memory and its keys lie, its name, which logs it knows, where it listens.

    `key` is the folder's `key.pem` unless named; `name` is the one of the first start unless named. `wait_s`: how long
    it waits for an earlier witness of this folder to end.
    """

    folder: Path
    logs: tuple[str, ...]
    name: str = ""
    key: Path | None = None
    port: int = 0
    bind: str = _LOOPBACK
    post_quantum: bool = False
    parent: int | None = None
    wait_s: float = 0.0

    @property
    def key_file(self) -> Path:
        return self.key or self.folder / "key.pem"


class Ready(msgspec.Struct, frozen=True, kw_only=True):
    """A witness that answers: its first key, all of its keys, and its submission prefix."""

    name: str
    vkey: str
    vkeys: tuple[str, ...]
    address: str
    pid: int


Announce = Callable[[Ready], str]
"""Makes the line, or lines, that standard output gets when the witness answers."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Serve until told to stop; the exit code."""
    options = _parse_options(arguments)
    plan = WitnessPlan(
        folder=options.dir,
        logs=tuple(options.log),
        name=options.name,
        key=options.key,
        port=options.port,
        bind=options.bind,
        post_quantum=options.post_quantum,
        parent=options.parent,
        wait_s=options.wait,
    )
    try:
        serve_witness(plan, lambda ready: msgspec.json.encode(ready).decode())
    except InvalidInput as error:
        sys.stderr.write(f"{error}\n")
        return _BAD_INPUT
    except SekishoError as error:
        sys.stderr.write(f"{error}\n")
        return _FAILED
    return 0


def serve_witness(plan: WitnessPlan, announce: Announce) -> None:
    """Serve until told to stop.

    Raises InvalidInput (a key, a name), Corrupt (the memory), StateConflict (another process uses it), Unavailable.
    """
    for number in (signal.SIGTERM, signal.SIGINT):
        # uvicorn stops first and then raises the signal again for us: by then the work is done.
        signal.signal(number, lambda *_: None)
    with _hold_folder(plan.folder, plan.wait_s), _listen(plan.bind, plan.port) as listener:
        signers = _signers(plan)
        app = WitnessApp(
            signers=signers,
            logs=_logs_by_origin(plan.logs),
            memory=WitnessMemory(FileTileStore(plan.folder)),
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
        ready = _ready(signers, plan.bind, listener)
        server = _AnnouncingServer(config, announce(ready))
        if plan.parent is not None:
            watch = threading.Thread(target=_follow_parent, args=(plan.parent, server), daemon=True)
            watch.start()
        server.run(sockets=[listener])


def rotate_witness(plan: WitnessPlan, *, finish: bool = False) -> tuple[VerifierKey, ...]:
    """Draw the keys that follow the witness's own, or, with `finish`, drop the old ones; every key that signs then.

    A process that runs goes on with the keys of its start: start it anew. Raises StateConflict, InvalidInput.
    """
    if not plan.key_file.exists():
        raise InvalidInput(
            "there is no such key", path=str(plan.key_file), remedy="start the witness once"
        )
    (finish_rotation if finish else begin_rotation)(plan.key_file)
    return tuple(signer.verifier for signer in _signers(plan))


def _parse_options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="sekisho.witness", description="A witness for logs.")
    parser.add_argument("--dir", type=Path, required=True, help="where its memory lies")
    parser.add_argument("--key", type=Path, help="its key's file, DIR/key.pem unless named")
    parser.add_argument("--port", type=int, required=True, help="0: any free port")
    parser.add_argument("--bind", default=_LOOPBACK, metavar="ADDRESS", help="where it listens")
    parser.add_argument("--name", default="", help="the cosigner's name, as example.org/w1")
    parser.add_argument(
        "--log", action="append", required=True, metavar="VKEY", help="may be repeated"
    )
    parser.add_argument("--post-quantum", action="store_true", help="cosign with ML-DSA-44 too")
    parser.add_argument("--parent", type=int, help="end when this process is gone")
    parser.add_argument(
        "--wait", type=float, default=0.0, metavar="S", help="for an earlier one here to end"
    )
    return parser.parse_args(arguments)


def _signers(plan: WitnessPlan) -> list[NoteSigner]:
    name = plan.name or _load_name(plan.folder)
    if not name or len(name.encode()) > MAX_NAME_BYTES:
        raise InvalidInput(
            "a witness needs a name of at most 255 bytes",
            path="--name",
            remedy="a name like example.org/w1, which later starts remember",
        )
    keys = load_note_keys(plan.key_file, post_quantum=plan.post_quantum)
    signers = [NoteSigner.cosigner(name, key) for key in keys]
    if name != _load_name(plan.folder):
        # Crash before: the next start must be told the name again.
        replace_file(plan.folder / "name", f"{name}\n".encode(), mode=0o644)
    return signers


def _load_name(folder: Path) -> str:
    try:
        with (folder / "name").open("rb") as file:
            return file.read(MAX_NAME_BYTES + 1).decode("utf-8", "replace").strip()
    except FileNotFoundError:
        return ""


class _AnnouncingServer(uvicorn.Server):
    """Says on standard output that it answers, once it does."""

    def __init__(self, config: uvicorn.Config, line: str) -> None:
        super().__init__(config)
        self._line = line

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        sys.stdout.write(self._line + "\n")
        sys.stdout.flush()


def _ready(signers: Sequence[NoteSigner], bind: str, listener: socket.socket) -> Ready:
    vkeys = tuple(signer.verifier.to_text() for signer in signers)
    host = f"[{bind}]" if ":" in bind else bind
    return Ready(
        name=signers[0].name,
        vkey=vkeys[0],
        vkeys=vkeys,
        address=f"http://{host}:{listener.getsockname()[1]}",
        pid=os.getpid(),
    )


def _logs_by_origin(vkeys: Sequence[str]) -> dict[str, tuple[VerifierKey, ...]]:
    logs: dict[str, tuple[VerifierKey, ...]] = {}
    for text in vkeys:
        key = VerifierKey.from_text(text, path="--log")
        if key.algorithm is NoteAlgorithm.COSIGNATURE_ED25519:
            raise InvalidInput("a cosigner's key cannot be a log's", path="--log")
        logs[key.name] = (*logs.get(key.name, ()), key)
    return logs


def _hold_folder(folder: Path, wait_s: float) -> BinaryIO:
    """One process for one folder: two with one key and two memories could cosign a fork."""
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        file = (folder / "lock").open("ab")
    except OSError as error:
        raise Unavailable(
            f"{folder} cannot be used: {error.strerror}", remedy="check rights"
        ) from None
    deadline = time.monotonic() + wait_s
    while not _is_locked(file):
        if time.monotonic() >= deadline:
            file.close()
            raise StateConflict(f"another witness uses {folder}", remedy="stop it first")
        time.sleep(_LOOK_S)
    return file


def _is_locked(file: BinaryIO) -> bool:
    try:
        fcntl.flock(file.fileno(), fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


def _listen(bind: str, port: int) -> socket.socket:
    # Named TCP, so that asyncio switches Nagle's delay off: it would cost each cosignature 40 ms.
    family = socket.AF_INET6 if ":" in bind else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((bind, port))
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
