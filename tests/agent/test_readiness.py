"""How a process tells that it serves."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from sekisho.agent.readiness import notify_systemd


def test_systemd_hears_where_it_listens(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One datagram to the socket that systemd named, a path or an abstract name."""
    for address, name in ((str(tmp_path / "n"), None), ("\0sekisho-test-n", "@sekisho-test-n")):
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as way:
            way.bind(address)
            monkeypatch.setenv("NOTIFY_SOCKET", name or address)
            notify_systemd("WATCHDOG=1")
            way.settimeout(5)
            assert way.recv(64) == b"WATCHDOG=1"


@pytest.mark.parametrize("address", ["", "/no/such/socket", "relative", "vsock:2:3"])
def test_nobody_listening_is_no_fault(address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without systemd, or with an address that is none, nothing happens."""
    monkeypatch.setenv("NOTIFY_SOCKET", address)
    notify_systemd("READY=1")
