"""docs/guide/prometheus.md followed to the letter, with Debian's Prometheus as the client.

What differs from the page: the ports, since others may hold them, and the scrape interval, since nobody waits a minute.
"""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx
import pytest
from prometheus_client.openmetrics.parser import text_string_to_metric_families

from sekisho.app.telemetry import open_telemetry
from sekisho.model.instants import Instant
from tests.ports import free_port

pytestmark = [pytest.mark.prometheus, pytest.mark.slow]
GUIDE = (Path(__file__).parents[2] / "docs/guide/prometheus.md").read_text(encoding="utf-8")
FENCE = re.compile(r"^```(\w+)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
GPUS = 4
UUIDS = [f"GPU-{n:08x}-0000-4000-8000-000000000000" for n in range(GPUS)]


def blocks(language: str) -> list[str]:
    return [code for word, code in FENCE.findall(GUIDE) if word == language]


class Exporter:
    """dcgm-exporter as Prometheus sees it. The framebuffer in use is the number of the scrape, in MiB."""

    def __init__(self) -> None:
        self.scrapes = 0
        exporter = self

        class Page(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                exporter.scrapes += 1
                body = page(exporter.scrapes).encode()
                self.send_response(200)
                self.send_header("content-type", "text/plain; version=0.0.4; charset=utf-8")
                self.send_header("content-length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: Any) -> None:
                """Silence."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Page)
        self.server.daemon_threads = True
        self.port = self.server.server_address[1]


def page(scrape: int) -> str:
    """What the exporter writes of four devices, and a metric that metering has no use for."""
    metrics = {
        "DCGM_FI_DEV_SM_CLOCK": ("gauge", 1755),
        "DCGM_FI_DEV_GPU_TEMP": ("gauge", 44),
        "DCGM_FI_DEV_POWER_USAGE": ("gauge", 412.5),
        "DCGM_FI_DEV_TOTAL_ENERGY_CONSUMPTION": ("counter", 10_000_000 + 412_500 * scrape),
        "DCGM_FI_DEV_GPU_UTIL": ("gauge", 97),
        "DCGM_FI_DEV_FB_USED": ("gauge", scrape),
        "DCGM_FI_DEV_XID_ERRORS": ("gauge", 0),
        "DCGM_FI_PROF_PIPE_TENSOR_ACTIVE": ("gauge", 0.51),
    }
    lines = []
    for name, (kind, value) in metrics.items():
        lines += [f"# HELP {name} what it is", f"# TYPE {name} {kind}"]
        lines += [
            f'{name}{{gpu="{gpu}",UUID="{uuid}",pci_bus_id="00000000:{gpu + 16:02X}:00.0",'
            f'device="nvidia{gpu}",modelName="NVIDIA H100 80GB HBM3",Hostname="gpu-node-1",'
            f'DCGM_FI_DRIVER_VERSION="550.54.15"}} {value}'
            for gpu, uuid in enumerate(UUIDS)
        ]
    return "\n".join([*lines, ""])


class Desk:
    """The terminal of whoever follows the page: a folder, an environment, the page's ports replaced."""

    def __init__(self, folder: Path, exporter: int) -> None:
        self.folder = folder
        self.server, self.prometheus = free_port(), free_port()
        self._ports = {"8480": self.server, "9400": exporter, "9090": self.prometheus}
        self._environment = {
            **os.environ,
            "SEKISHO_HOME": str(folder / "home"),
            "SEKISHO_TRUST": str(folder / "trust.json"),
            "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        }

    def as_here(self, text: str) -> str:
        return re.sub(r"\b(8480|9400|9090)\b", lambda found: str(self._ports[found[1]]), text)

    @contextmanager
    def running(
        self, command: str, log: str, *, end: signal.Signals = signal.SIGINT
    ) -> Iterator[subprocess.Popen[bytes]]:
        """A command of the page that stays in the foreground; ended as Ctrl-C does, where it has not ended."""
        with (self.folder / log).open("ab") as told:
            child = subprocess.Popen(
                ["/bin/sh", "-c", f"exec {self.as_here(command)}"],
                cwd=self.folder,
                env=self._environment,
                stdout=told,
                stderr=told,
            )
            try:
                yield child
            finally:
                child.send_signal(end)
                try:
                    child.wait(20)
                except subprocess.TimeoutExpired:
                    child.kill()
                    child.wait()

    def run(self, command: str) -> subprocess.CompletedProcess[bytes]:
        return subprocess.run(
            ["/bin/sh", "-c", self.as_here(command)],
            cwd=self.folder,
            env=self._environment,
            capture_output=True,
            check=False,
            timeout=60,
        )

    def ask(self, path: str, *, port: int = 0) -> httpx.Response | None:
        with suppress(httpx.TransportError):
            return httpx.get(f"http://127.0.0.1:{port or self.server}{path}", timeout=5)
        return None

    def is_up(self) -> bool:
        answer = self.ask("/metrics")
        return answer is not None and answer.status_code == 200

    def devices(self) -> set[str]:
        """What the page's own command lists."""
        done = self.run(blocks("sh")[3].strip() + " --json")
        return {uuid for uuid in UUIDS if uuid.encode() in done.stdout}

    def taken_scrapes(self, until: int) -> dict[str, set[int]]:
        """For each device the scrapes up to that number that Prometheus has: what came too late it does not take."""
        answer = self.ask("/api/v1/query?query=DCGM_FI_DEV_FB_USED[1h]", port=self.prometheus)
        found: dict[str, set[int]] = {uuid: set() for uuid in UUIDS}
        for row in answer.json()["data"]["result"] if answer is not None else ():
            scrapes = {int(value) for _, value in row["values"]}
            found[row["metric"]["UUID"]] = {scrape for scrape in scrapes if scrape <= until}
        return found

    def kept_scrapes(self) -> dict[str, set[int]]:
        """For each device the scrapes whose readings are in the store, after a compaction."""
        import pyarrow.parquet as pq  # type: ignore[import-untyped]  # it comes without types

        store = open_telemetry(str(self.folder / "home" / "telemetry"))
        now = Instant.from_seconds(time.time())
        found: dict[str, set[int]] = {uuid: set() for uuid in UUIDS}
        rows = 0
        for partition in store.partitions(now.plus(-86_400), now.plus(86_400)):
            for file in partition.readings:
                table = pq.read_table(file.address, columns=["device", "at_us", "mem_used_kib"])
                for row in table.to_pylist():
                    # Prometheus may send one scrape in two requests: then one of two rows has the number.
                    if row["mem_used_kib"] is not None:
                        rows += 1
                        found[row["device"]].add(row["mem_used_kib"] // 1024)
        assert rows == sum(len(scrapes) for scrapes in found.values())  # none is there twice
        return found


def wait_until(is_so: Callable[[], bool], what: str, *, within_s: float = 120) -> None:
    deadline = time.monotonic() + within_s
    while not is_so():
        assert time.monotonic() < deadline, f"waited {within_s} s in vain: {what}"
        time.sleep(0.2)


@pytest.fixture
def exporter() -> Iterator[Exporter]:
    found = Exporter()
    thread = threading.Thread(target=found.server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    yield found
    found.server.shutdown()
    found.server.server_close()
    thread.join()


def test_the_page_has_the_blocks_that_are_followed() -> None:
    """One configuration, and the commands in the order of the steps."""
    assert len(blocks("yaml")) == 1
    up, token, prometheus, devices, push = blocks("sh")
    assert up.startswith("sekisho up")
    assert token.startswith("sekisho meter token")
    assert prometheus.startswith("prometheus ")
    assert devices.strip() == "sekisho meter devices"
    assert "format=prometheus" in push


def test_the_guide_is_followed_and_a_killed_server_loses_nothing(
    tmp_path: Path, exporter: Exporter, record_property: Callable[[str, object], None]
) -> None:
    """Readings arrive, the server is killed and comes back, and every scrape is in the store, once."""
    desk = Desk(tmp_path, exporter.port)
    up, token, prometheus, _, push = (block.strip() for block in blocks("sh"))
    config = desk.as_here(blocks("yaml")[0]).replace("scrape_interval: 10s", "scrape_interval: 1s")
    (tmp_path / "prometheus.yml").write_text(config)
    begun = time.monotonic()

    with desk.running(up, "server.log") as server:
        wait_until(desk.is_up, "the server")
        made = desk.run(token)
        assert made.returncode == 0, made.stderr
        assert (tmp_path / "sekisho.token").stat().st_mode & 0o777 == 0o600
        # Asked to end, it would try for a minute to get rid of what it still has.
        with desk.running(prometheus, "prometheus.log", end=signal.SIGKILL):
            wait_until(lambda: desk.devices() == set(UUIDS), "readings of all devices")
            # Five minutes are promised, most of them for reading the page.
            record_property("seconds from the first command", time.monotonic() - begun)
            assert time.monotonic() - begun < 300
            before = exporter.scrapes
            server.kill()
            server.wait()
            wait_until(lambda: exporter.scrapes >= before + 4, "scrapes without a server")
            with desk.running(up, "server.log"):
                wait_until(desk.is_up, "the server again")
                until = exporter.scrapes + 2
                wait_until(lambda: exporter.scrapes > until, "scrapes after the restart")
                taken = desk.taken_scrapes(until)
                assert all(s & set(range(before + 1, before + 5)) for s in taken.values())
                wait_until(
                    lambda: all(taken[u] <= s for u, s in desk.kept_scrapes().items()),
                    "what was scraped while the server was away, and after",
                )
                wait_until(lambda: _is_scraped(desk), "our own state in Prometheus")
                pushed = desk.run(push)
                assert json.loads(pushed.stdout)["taken"] > 0, pushed
                _check_metrics(desk)

    kept = desk.kept_scrapes()
    for uuid in UUIDS:
        assert taken[uuid] - kept[uuid] == set()
    told = (tmp_path / "prometheus.log").read_text()
    assert "non-recoverable" not in told


def _is_scraped(desk: Desk) -> bool:
    """Whether Prometheus has our own state, with its types."""
    query = "/api/v1/query?query=sekisho_log_entries_total"
    answer = desk.ask(query, port=desk.prometheus)
    return answer is not None and bool(answer.json()["data"]["result"])


def _check_metrics(desk: Desk) -> None:
    answer = desk.ask("/metrics")
    assert answer is not None
    families = {family.name: family for family in text_string_to_metric_families(answer.text)}  # type: ignore[no-untyped-call]  # it comes half typed
    fates = families["sekisho_telemetry_samples"].samples
    taken = next(s for s in fates if s.labels["fate"] == "taken" and s.name.endswith("_total"))
    assert taken.value > 0
