"""A real server in a thread, for tests that need a socket: a browser, a schema's fuzzer."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import uvicorn

from sekisho.app import Control
from sekisho.web import create_app
from sekisho.web.server import StoppingServer

__all__ = ["serving"]


@contextmanager
def serving(control: Control) -> Iterator[str]:
    """The address of a server over `control`, which ends with the block."""
    app = create_app(control)
    config = uvicorn.Config(app, log_level="error", access_log=False, timeout_graceful_shutdown=1)
    server = StoppingServer(config, app.state["plane"].news.close)
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP) as listener:
        listener.bind(("127.0.0.1", 0))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
        thread.start()
        while not server.started:
            time.sleep(0.01)
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        finally:
            server.should_exit = True
            thread.join(10)
