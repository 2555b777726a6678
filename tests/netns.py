"""Two network namespaces with a cable between them, made for one test and taken away after it."""

from __future__ import annotations

import json
import os
import secrets
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import msgspec

__all__ = ["Spaces", "may_make_spaces", "two_spaces"]

SEND = """
import socket, sys, time
address, seconds = sys.argv[1], float(sys.argv[2])
with socket.create_connection((address, 7007), timeout=10) as link:
    end, block = time.monotonic() + seconds, bytes(16384)
    while time.monotonic() < end:
        link.sendall(block)
"""
# Bytes a second between the first half second, in which bursts are spent and windows open, and the last byte.
TAKE = """
import json, socket, sys, time
with socket.create_server(("0.0.0.0", 7007)) as server:
    print("ready", flush=True)
    server.settimeout(20)
    link, _ = server.accept()
    link.settimeout(20)
    begun = last = None
    taken = 0
    start = time.monotonic()
    while block := link.recv(1 << 16):
        now = time.monotonic()
        if now - start < 0.5:
            continue
        if begun is None:
            begun = now
            continue
        taken, last = taken + len(block), now
    print(json.dumps({"bytes": taken, "seconds": (last or 0) - (begun or 0)}), flush=True)
"""


class Spaces(msgspec.Struct, frozen=True, kw_only=True):
    """`here` holds the interface `out`, `there` two addresses: one outside the set, one inside."""

    here: str
    there: str
    interface: str = "out"
    outside: str = "10.77.0.2"
    inside: str = "10.77.1.2"

    def rate_to(self, address: str, seconds: float = 1.5) -> float:
        """Bytes of payload a second that arrive there over TCP, by the receiver's clock."""
        taker = subprocess.Popen(
            ["ip", "netns", "exec", self.there, sys.executable, "-c", TAKE],
            stdout=subprocess.PIPE,
            text=True,
        )
        try:
            assert taker.stdout is not None
            assert taker.stdout.readline() == "ready\n"
            sender = [sys.executable, "-c", SEND, address, str(seconds)]
            subprocess.run(["ip", "netns", "exec", self.here, *sender], check=True, timeout=30)
            found = json.loads(taker.stdout.readline())
        finally:
            taker.kill()
            taker.communicate()
        return float(found["bytes"]) / float(found["seconds"])

    def ask(self, *words: str) -> str:
        """What a command says in `here`."""
        command = ["ip", "netns", "exec", self.here, *words]
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def _ip(*words: str) -> None:
    subprocess.run(["ip", *words], check=True, capture_output=True, timeout=10)


@contextmanager
def two_spaces() -> Iterator[Spaces]:
    """A pair of namespaces of their own names; everything in them goes with them."""
    mark = secrets.token_hex(4)
    spaces = Spaces(here=f"skh{mark}", there=f"skt{mark}")
    here, there = spaces.here, spaces.there
    try:
        _ip("netns", "add", here)
        _ip("netns", "add", there)
        _ip(
            "-n", here, "link", "add", "out", "type", "veth", "peer", "name", "back", "netns", there
        )
        for network in ("10.77.0", "10.77.1"):
            _ip("-n", here, "address", "add", f"{network}.1/24", "dev", "out")
            _ip("-n", there, "address", "add", f"{network}.2/24", "dev", "back")
        _ip("-n", here, "link", "set", "out", "up")
        _ip("-n", there, "link", "set", "back", "up")
        yield spaces
    finally:
        for name in (here, there):
            subprocess.run(["ip", "netns", "del", name], check=False, capture_output=True)


def may_make_spaces() -> bool:
    """Whether this process may make a namespace and its kernel knows veth, tbf and htb."""
    if os.geteuid() != 0 or shutil.which("tc") is None:
        return False
    try:
        with two_spaces() as spaces:
            spaces.ask("tc", "qdisc", "add", "dev", "out", "root", "handle", "1:", "htb")
    except subprocess.CalledProcessError:
        return False
    return True
