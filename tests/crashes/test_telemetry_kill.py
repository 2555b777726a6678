"""The server killed while telemetry comes in: what was answered is there, what is sent again is there once."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import httpx
import pyarrow.parquet as pq  # type: ignore[import-untyped]  # it comes without types
import pytest

from sekisho.app import Home
from sekisho.app.inventories import PushPlan, new_push_token
from sekisho.app.telemetry import open_telemetry
from sekisho.model.instants import Instant
from tests.remote_write_bodies import pack_snappy, write_request

pytestmark = pytest.mark.slow
BODIES = 200
SENDERS = 8


@contextmanager
def running(folder: Path) -> Iterator[tuple[subprocess.Popen[bytes], str]]:
    """A real server over a home, and its address; killed at the end, whatever it does."""
    command = [sys.executable, "-m", "sekisho.cli", "up", "--empty", "--port", "0", "--json"]
    with (folder / "server.log").open("ab") as told:
        server = subprocess.Popen(
            [*command, "--home", str(folder / "home")],
            stdout=subprocess.PIPE,
            stderr=told,
            env={**os.environ, "SEKISHO_TRUST": str(folder / "trust.json")},
        )
    try:
        assert server.stdout is not None
        text = b""
        for line in server.stdout:
            text += line
            if line.startswith(b"}"):
                break
        yield server, json.loads(text)["address"]
    finally:
        server.send_signal(signal.SIGKILL)
        server.wait()
        assert server.stdout is not None
        server.stdout.close()


def body_of(number: int, begin_ms: int) -> bytes:
    """One second of one device: two fields at one instant."""
    at = begin_ms + number * 1000
    labels = {"UUID": "GPU-1", "gpu": "0", "modelName": "NVIDIA H100 80GB HBM3", "Hostname": "h"}
    return pack_snappy(
        write_request({"__name__": "DCGM_FI_DEV_GPU_UTIL", **labels}, [(50.0, at)])
        + write_request({"__name__": "DCGM_FI_DEV_FB_USED", **labels}, [(float(number), at)])
    )


def send(address: str, token: str, body: bytes) -> int:
    """The status; 0 where no answer came. A server that is busy is asked again, as senders do."""
    while (status := send_once(address, token, body)) == 503:
        time.sleep(0.1)
    return status


def send_once(address: str, token: str, body: bytes) -> int:
    try:
        return httpx.post(
            f"{address}/api/v1/write",
            content=body,
            headers={
                "authorization": f"Bearer {token}",
                "content-type": "application/x-protobuf",
                "content-encoding": "snappy",
            },
            timeout=60,
        ).status_code
    except httpx.TransportError:
        return 0


def kept(folder: Path) -> list[int]:
    """The numbers of the bodies whose rows are in the store, each as often as it is there."""
    store, now = (
        open_telemetry(str(folder / "home" / "telemetry")),
        Instant.from_seconds(time.time()),
    )
    numbers = []
    for partition in store.partitions(now.plus(-2 * 86_400), now.plus(86_400)):
        for file in partition.readings:
            table = pq.read_table(file.address, columns=["mem_used_kib", "util_ppm"])
            assert table["util_ppm"].null_count == 0
            numbers += [kib // 1024 for kib in table["mem_used_kib"].to_pylist()]
    return sorted(numbers)


def test_killed_in_the_middle_nothing_answered_is_lost_and_nothing_is_there_twice(
    tmp_path: Path, dice: random.Random
) -> None:
    """Senders press on while the server is killed; afterwards each sends again what it got no answer for, and more."""
    begin_ms = int(time.time() * 1000) - (BODIES + 60) * 1000
    answered: set[int] = set()
    with running(tmp_path) as (server, address):
        token = new_push_token(Home(path=tmp_path / "home"), PushPlan(site="osaka-1"))[0]
        assert send(address, token, body_of(0, begin_ms)) == 204
        answered.add(0)
        queue = iter(range(1, BODIES))
        enough = dice.randrange(20, BODIES // 2)

        def press() -> None:
            for number in queue:
                if send(address, token, body_of(number, begin_ms)) != 204:
                    return
                answered.add(number)
                if len(answered) >= enough:  # the others' bodies are on their way
                    server.send_signal(signal.SIGKILL)

        threads = [threading.Thread(target=press) for _ in range(SENDERS)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert enough <= len(answered) < BODIES  # it was in the middle
    first = kept(tmp_path)
    assert answered - set(first) == set()
    assert len(first) == len(set(first))
    with running(tmp_path) as (_, address):
        unsure = sorted(set(range(BODIES)) - answered) + dice.sample(sorted(answered), 20)
        with ThreadPoolExecutor(SENDERS * 2) as pool:
            again = pool.map(lambda n: send(address, token, body_of(n, begin_ms)), unsure)
            assert set(again) == {204}
    assert kept(tmp_path) == list(range(BODIES))


def test_killed_at_once_after_the_answer_the_sample_is_there(tmp_path: Path) -> None:
    """The first body of a new store: its folder, its device and its row are durable when 204 is said."""
    begin_ms = int(time.time() * 1000) - 60_000
    with running(tmp_path) as (server, address):
        token = new_push_token(Home(path=tmp_path / "home"), PushPlan(site="osaka-1"))[0]
        assert send(address, token, body_of(7, begin_ms)) == 204
        server.send_signal(signal.SIGKILL)
        server.wait()
    assert kept(tmp_path) == [7]
    devices = open_telemetry(str(tmp_path / "home" / "telemetry")).load_devices()
    assert [device.device for device in devices] == ["GPU-1"]
