"""Remote-write over HTTP, end to end: a real server process on loopback takes samples until they are on disk.

The fleet: hosts of eight GPUs with ten fields each, one reading a second. Bodies of 2,000 samples (what Prometheus
sends today) are made before the clock starts, with the labels that dcgm-exporter writes. One client process sends them
over a few connections, as fast as they are answered. Afterwards the server is ended, the store compacted, and the
values in it counted: none may be missing. Client and server share this machine's processors; memory is the most that
the server's processes held together.
"""

from __future__ import annotations

import json
import mmap
import os
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import cramjam
import msgspec
import numpy as np
import pyarrow.parquet as pq
from row import Row, Target

from sekisho.app import Home
from sekisho.app.inventories import PushPlan, new_push_token
from sekisho.app.telemetry import open_telemetry
from sekisho.model.instants import Instant
from sekisho.model.telemetry import FIELDS

__all__ = ["Load", "measure_http"]

RATE = 300_000
GPUS = 8
BODY_SAMPLES = 2_000
CONNECTIONS = 32
# Names as dcgm-exporter writes them, with a value that every rule of cleaning lets pass.
METRICS: tuple[tuple[str, float], ...] = (
    ("DCGM_FI_DEV_SM_CLOCK", 1755.0),
    ("DCGM_FI_DEV_POWER_USAGE", 512.25),
    ("DCGM_FI_DEV_TOTAL_ENERGY_CONSUMPTION", 123456789.0),
    ("DCGM_FI_DEV_GPU_UTIL", 97.0),
    ("DCGM_FI_DEV_FB_USED", 65536.0),
    ("DCGM_FI_PROF_SM_ACTIVE", 0.87),
    ("DCGM_FI_PROF_PIPE_TENSOR_ACTIVE", 0.53),
    ("DCGM_FI_PROF_DRAM_ACTIVE", 0.41),
    ("DCGM_FI_PROF_PIPE_FP32_ACTIVE", 0.12),
    ("DCGM_FI_PROF_PIPE_FP16_ACTIVE", 0.02),
)


class Load(msgspec.Struct, frozen=True, kw_only=True):
    """How much is sent: as many seconds of a fleet that yields 300,000 samples a second."""

    seconds: int = 10

    @property
    def hosts(self) -> int:
        return RATE // (GPUS * len(METRICS))

    @property
    def samples(self) -> int:
        return self.hosts * GPUS * len(METRICS) * self.seconds


class Sent(msgspec.Struct, frozen=True, kw_only=True):
    """What the client saw; `learned_s` is when the first second's worth of bodies had been handed out."""

    took_s: float
    learned_s: float
    answers: dict[int, int]
    slowest_ms: float


def measure_http(load: Load) -> list[Row]:
    """The rate until everything is durable, what is missing afterwards, and the server's memory."""
    with tempfile.TemporaryDirectory(prefix="sekisho-telemetry-") as name:
        folder = Path(name)
        bodies = _write_bodies(folder / "bodies", load)
        with _running_server(folder) as (server, port):
            token = new_push_token(Home(path=folder / "home"), PushPlan(site="bench"))[0]
            with _watched(server.pid) as memory:
                sent = _send(folder / "bodies", bodies, port, token)
            busy_s = _processor_s(server.pid)
        kept = _count_values(folder / "home" / "telemetry")
    if kept != load.samples:
        raise RuntimeError(f"{load.samples:,} samples were answered for, {kept:,} are in the store")
    return _rows(load, sent, memory, busy_s)


def _rows(load: Load, sent: Sent, memory: Sequence[float], busy_s: float) -> list[Row]:
    rate = load.samples / sent.took_s
    known = load.samples - bodies_of_a_second() * BODY_SAMPLES
    told = (
        f"all found in the store; answers {sent.answers}, the slowest {sent.slowest_ms:,.0f} ms; "
        f"server {busy_s / sent.took_s:.2f} cores"
    )
    return [
        Row(
            what="samples over HTTP (remote-write), durable",
            unit="/s",
            median=rate,
            n=load.samples,
            target=Target(least=RATE),
            note=told,
        ),
        Row(
            what="  after the first second's, when all 300,000 series are known",
            unit="/s",
            median=known / (sent.took_s - sent.learned_s),
            n=known,
        ),
        Row(
            what="  memory of the server, at most",
            unit="MB",
            median=max(memory, default=0.0),
            n=1,
            target=Target(median=1000),
        ),
    ]


# --- the bodies


def bodies_of_a_second() -> int:
    """How many bodies one reading of every series makes."""
    return RATE // BODY_SAMPLES


def _write_bodies(path: Path, load: Load) -> list[tuple[int, int]]:
    """Every request body, packed, one behind the other; where each begins and ends. Oldest second first."""
    hosts_each = BODY_SAMPLES // (GPUS * len(METRICS))
    templates = [
        _template(range(first, min(first + hosts_each, load.hosts)))
        for first in range(0, load.hosts, hosts_each)
    ]
    begin_ms = int(time.time() * 1000) - (load.seconds + 60) * 1000
    places, at = [], 0
    with path.open("wb") as file:
        for second in range(load.seconds):
            stamp = np.frombuffer(_varint(begin_ms + second * 1000), dtype=np.uint8)
            for content, stamps in templates:
                content[stamps] = stamp
                packed = bytes(cramjam.snappy.compress_raw(content))
                file.write(packed)
                places.append((at, at + len(packed)))
                at += len(packed)
    return places


def _template(hosts: range) -> tuple[np.ndarray, np.ndarray]:
    """A request with one sample of each series, and where the bytes of its timestamps lie."""
    out, stamps = bytearray(), []
    blank = _varint(int(time.time() * 1000))
    for host in hosts:
        for metric, value in METRICS:
            for gpu in range(GPUS):
                series = b"".join(
                    _text(1, _text(1, name.encode()) + _text(2, text.encode()))
                    for name, text in _labels(metric, host, gpu)
                )
                sample = b"\x09" + np.float64(value).tobytes() + b"\x10" + blank
                series += _text(2, sample)
                out += _text(1, series)
                stamps.append(len(out) - len(blank))
    places = np.asarray(stamps)[:, None] + np.arange(len(blank))
    return np.frombuffer(bytes(out), dtype=np.uint8).copy(), places


def _labels(metric: str, host: int, gpu: int) -> list[tuple[str, str]]:
    """As dcgm-exporter and the Prometheus that scraped it have them, sorted."""
    return [
        ("DCGM_FI_DRIVER_VERSION", "550.54.15"),
        ("Hostname", f"gpu-node-{host:05d}"),
        ("UUID", f"GPU-{host * GPUS + gpu:08x}-1111-4222-8333-444444444444"),
        ("__name__", metric),
        ("device", f"nvidia{gpu}"),
        ("gpu", str(gpu)),
        ("instance", f"gpu-node-{host:05d}:9400"),
        ("job", "dcgm"),
        ("modelName", "NVIDIA H100 80GB HBM3"),
        ("pci_bus_id", f"00000000:{gpu + 16:02X}:00.0"),
    ]


def _text(number: int, content: bytes) -> bytes:
    return bytes([number << 3 | 2]) + _varint(len(content)) + content


def _varint(value: int) -> bytes:
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*out, value])


# --- the client


def _send(path: Path, places: Sequence[tuple[int, int]], port: int, token: str) -> Sent:
    """One process of its own, so that its interpreter does not share ours."""
    done = subprocess.run(
        [sys.executable, __file__, str(path), str(port)],
        input=json.dumps([token, places]).encode(),
        stdout=subprocess.PIPE,
        check=True,
    )
    return msgspec.json.decode(done.stdout, type=Sent)


def _be_client(path: Path, port: int, token: str, places: Sequence[tuple[int, int]]) -> Sent:
    """Connections that take the next body each; what is answered 503 is sent again, as Prometheus does."""
    answers: dict[int, int] = {}
    lock, queue = threading.Lock(), iter(places)
    slowest, handed, learned = [0.0], [0], [0.0]

    def work(content: mmap.mmap) -> None:
        with socket.create_connection(("127.0.0.1", port)) as line:
            line.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            while True:
                with lock:
                    place = next(queue, None)
                    handed[0] += 1
                    if handed[0] == bodies_of_a_second() + 1:
                        learned[0] = time.monotonic()
                if place is None:
                    return
                status = 503
                begun = time.monotonic()
                while status == 503:
                    line.sendall(_request(port, token, content[place[0] : place[1]]))
                    status = _read_status(line)
                    with lock:
                        answers[status] = answers.get(status, 0) + 1
                    if status == 503:
                        time.sleep(0.2)
                slowest[0] = max(slowest[0], time.monotonic() - begun)

    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
        begun = time.monotonic()
        threads = [threading.Thread(target=work, args=(content,)) for _ in range(CONNECTIONS)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        took_s = time.monotonic() - begun
    return Sent(
        took_s=took_s,
        learned_s=learned[0] - begun,
        answers=answers,
        slowest_ms=slowest[0] * 1000,
    )


def _request(port: int, token: str, body: bytes) -> bytes:
    head = (
        f"POST /api/v1/write HTTP/1.1\r\nhost: 127.0.0.1:{port}\r\nauthorization: Bearer {token}\r\n"
        "content-type: application/x-protobuf\r\ncontent-encoding: snappy\r\n"
        "user-agent: Prometheus/2.42.0\r\nx-prometheus-remote-write-version: 0.1.0\r\n"
        f"content-length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


def _read_status(line: socket.socket) -> int:
    """The status; a body, where there is one, is read to its end."""
    data = b""
    while b"\r\n\r\n" not in data:
        data += line.recv(65536)
    head, _, rest = data.partition(b"\r\n\r\n")
    length = 0
    for field in head.split(b"\r\n")[1:]:
        name, _, text = field.partition(b":")
        if name.lower() == b"content-length":
            length = int(text)
    while len(rest) < length:
        rest += line.recv(65536)
    return int(head.split(b" ", 2)[1])


# --- the server


@contextmanager
def _running_server(folder: Path) -> Iterator[tuple[subprocess.Popen[bytes], int]]:
    environment = {**os.environ, "SEKISHO_TRUST": str(folder / "trust.json")}
    command = [sys.executable, "-m", "sekisho.cli", "up", "--empty", "--port", "0", "--json"]
    with (folder / "server.log").open("wb") as told:
        server = subprocess.Popen(
            [*command, "--home", str(folder / "home")],
            stdout=subprocess.PIPE,
            stderr=told,
            env=environment,
        )
        try:
            address = _read_document(server.stdout or iter(()))["address"]
            yield server, int(address.rpartition(":")[2])
        finally:
            server.send_signal(signal.SIGTERM)
            server.wait(120)


def _read_document(stream: Iterator[bytes]) -> dict[str, str]:
    text = b""
    for line in stream:
        text += line
        if line.startswith(b"}"):
            break
    found: dict[str, str] = json.loads(text)
    return found


@contextmanager
def _watched(pid: int) -> Iterator[list[float]]:
    """Megabytes that a process and its workers hold together, looked at ten times a second."""
    found: list[float] = []
    ended = threading.Event()

    def look() -> None:
        while not ended.wait(0.1):
            found.append(sum(_resident_mb(one) for one in _family(pid)))

    thread = threading.Thread(target=look, daemon=True)
    thread.start()
    try:
        yield found
    finally:
        ended.set()
        thread.join()


def _family(pid: int) -> list[int]:
    """The server and those of its children that take telemetry; witnesses are processes of another concern."""
    return [pid]


def _resident_mb(pid: int) -> float:
    try:
        pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    except (OSError, IndexError):
        return 0.0
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


def _processor_s(pid: int) -> float:
    words = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(words[11]) + int(words[12])) / os.sysconf("SC_CLK_TCK")


# --- what is in the store


def _count_values(place: Path) -> int:
    """Values that are not null, over all readings, after a compaction."""
    store = open_telemetry(str(place))
    store.compact()
    total = 0
    now = Instant.from_seconds(time.time())
    for partition in store.partitions(now.plus(-2 * 86_400), now.plus(86_400)):
        for file in partition.readings:
            table = pq.read_table(file.address, columns=list(FIELDS))
            total += sum(len(column) - column.null_count for column in table.columns)
    return total


def _main() -> None:
    token, places = json.load(sys.stdin)
    sent = _be_client(Path(sys.argv[1]), int(sys.argv[2]), token, places)
    sys.stdout.buffer.write(msgspec.json.encode(sent))


if __name__ == "__main__":
    _main()
