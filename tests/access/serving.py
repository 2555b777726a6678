"""Homes of access points that really run, a toy model behind a real server, and waiting for a condition."""

from __future__ import annotations

import asyncio
import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import uvicorn
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from sekisho.model.wire import canonical
from sekisho.signing import TrustRoot
from tests.factory import HOST
from tests.fake_control import FakeControl

__all__ = ["ToyModel", "point_home", "served_app", "until", "write_home"]

PATIENCE_S = 60.0


def point_home(folder: Path, control: FakeControl, url: str, **settings: Any) -> Path:
    """The home of an access point of host-1 under a fake control plane."""
    return write_home(folder / "point", control.root, url, **settings)


def write_home(home: Path, root: TrustRoot, url: str, **settings: Any) -> Path:
    home.mkdir(mode=0o700)
    told = {
        "host": "host-1",
        "control": url,
        "models": [{"model": "model-1"}, {"model": "model-2"}],
        **settings,
    }
    (home / "point.json").write_text(json.dumps(told))
    (home / "trust.json").write_bytes(canonical(root))
    pem = home / "host.pem"
    pem.write_bytes(HOST.private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    pem.chmod(0o600)
    return home


def until(holds: Callable[[], bool]) -> None:
    """Wait until it does; a minute is for machines that are busy with something else."""
    deadline = time.monotonic() + PATIENCE_S
    while not holds():
        assert time.monotonic() < deadline, "it never came to hold"
        time.sleep(0.02)


class ToyModel:
    """An inference server in few lines: /v1/chat answers at once, /v1/stream goes on until it is cut."""

    def __init__(self) -> None:
        self.chunks = 0
        self.cut = 0

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "lifespan":
            await self._live(receive, send)
            return
        kind = b"text/event-stream" if scope["path"] == "/v1/events" else b"text/plain"
        await send(
            {
                "type": "http.response.start",
                "status": 200,
                "headers": [(b"content-type", kind)],
            }
        )
        if scope["path"] == "/v1/chat":
            await send({"type": "http.response.body", "body": b"a toy answer\n"})
            return
        try:
            for number in range(100_000):
                self.chunks += 1
                body = b"data: token %d\n\n" % number
                await send({"type": "http.response.body", "body": body, "more_body": True})
                await asyncio.sleep(0.02)
        except OSError:
            self.cut += 1
            raise

    async def _live(self, receive: Any, send: Any) -> None:
        for answer in ("lifespan.startup.complete", "lifespan.shutdown.complete"):
            await receive()
            await send({"type": answer})


@contextmanager
def served_app(app: Any) -> Iterator[str]:
    """The address of a real uvicorn over an application, for as long as the block lasts."""
    config = uvicorn.Config(app, log_level="critical", access_log=False, ws="none")
    server = uvicorn.Server(config)
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP) as listener:
        listener.bind(("127.0.0.1", 0))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
        thread.start()
        until(lambda: server.started)
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        finally:
            server.should_exit = True
            thread.join(10)
