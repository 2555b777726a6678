"""The auditor's process gives its network up before it reads anything."""

from __future__ import annotations

import ctypes
import json
import socket
import subprocess
import sys

import pytest

from sekisho.auditor import isolation

PROBE = """
import json, socket, sys
from sekisho.auditor.isolation import leave_network
port = int(sys.argv[1])
def connects():
    try:
        socket.create_connection(("127.0.0.1", port), timeout=5).close()
    except OSError:
        return False
    return True
before = connects()
gone = leave_network()
print(json.dumps([before, gone, connects()]))
"""


def test_after_leaving_the_network_not_even_this_host_can_be_reached() -> None:
    """Where the host allows it a connect fails from then on; where not, that is said and nothing has changed."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        done = subprocess.run(
            [sys.executable, "-c", PROBE, str(port)], capture_output=True, text=True, check=True
        )
    before, gone, after = json.loads(done.stdout)
    assert before is True
    assert after is (not gone)


def test_where_the_host_forbids_it_the_answer_is_no(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the system call, or refused by it, the auditor learns that its network is still there."""

    class Refusing:
        @staticmethod
        def unshare(_: int) -> int:
            return -1

    monkeypatch.setattr(ctypes, "CDLL", lambda *_args, **_kwargs: Refusing())
    assert isolation.leave_network() is False
    monkeypatch.setattr(ctypes, "CDLL", lambda *_args, **_kwargs: object())
    assert isolation.leave_network() is False
