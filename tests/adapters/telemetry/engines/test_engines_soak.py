"""The long count: many random fleets, on DuckDB and on a Spark Connect server in a process of its own."""

from __future__ import annotations

import os
import random
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

import msgspec
import pytest

from sekisho.adapters.telemetry.engines import Engine, open_engine, sum_usage
from sekisho.model.instants import Instant
from sekisho.ports.telemetry import UsageQuery
from tests.adapters.telemetry.engines.counting import count_usage
from tests.adapters.telemetry.engines.worlds import HOUR, make_world, write_world
from tests.ports import free_port

SERVER = """
import sys
from pyspark.sql import SparkSession
SparkSession.builder.master("local[2]").getOrCreate()
print("serving", flush=True)
sys.stdin.read()
"""


@pytest.fixture(scope="module")
def remote(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    """A server that shares nothing with this process but the disk."""
    port = free_port()
    options = {
        "spark.plugins": "org.apache.spark.sql.connect.SparkConnectPlugin",
        "spark.connect.grpc.binding.address": "127.0.0.1",
        "spark.connect.grpc.binding.port": str(port),
        "spark.driver.bindAddress": "127.0.0.1",
        "spark.driver.host": "127.0.0.1",
        "spark.ui.enabled": "false",
        "spark.sql.shuffle.partitions": "2",
    }
    arguments = " ".join(f"--conf {name}={value}" for name, value in options.items())
    command = [sys.executable, "-W", "ignore", "-c", SERVER]
    environment = {**os.environ, "PYSPARK_SUBMIT_ARGS": f"{arguments} pyspark-shell"}
    log = tmp_path_factory.mktemp("spark") / "log"
    with (
        log.open("wb") as words,
        subprocess.Popen(command, env=environment, stdin=-1, stdout=-1, stderr=words) as server,
    ):
        assert server.stdout is not None
        assert server.stdout.readline() == b"serving\n", log.read_text()
        with open_engine(f"sc://127.0.0.1:{port}") as engine:
            yield engine
        server.communicate(b"", timeout=60)


def check(engine: Engine, seed: str, kind: Literal["readings", "minutes"], folder: Path) -> None:
    dice = random.Random(seed)
    hours = dice.choice([2, 11, 30])
    longest_ms = 500_000 if kind == "minutes" else dice.choice([10_000, 4_000_000, 90_000_000])
    world = make_world(dice, hours=hours, readings=dice.randrange(5, 80), longest_ms=longest_ms)
    start, end = world.start + dice.randrange(HOUR), world.end - dice.randrange(HOUR // 2)
    bucket_s = dice.choice([0, 60, 600, 3600, 3601, 86_400]) if hours == 2 else 3600
    query = UsageQuery(start=Instant(start), end=Instant(end), bucket_s=bucket_s)
    files = write_world(world, folder, kind)
    found = sum_usage(engine, files, world.allocations, world.devices, query, source=kind)
    bare = [msgspec.structs.replace(usage, evidence="") for usage in found]
    assert bare == count_usage(world, query, kind), seed


@pytest.mark.soak
@pytest.mark.parametrize("kind", ["readings", "minutes"])
def test_many_fleets_on_duckdb(
    duck: Engine, tmp_path: Path, kind: Literal["readings", "minutes"], dice: random.Random
) -> None:
    """A minute and more of random fleets, queries and buckets, each to the last unit."""
    until = time.monotonic() + 90
    number = 0
    while time.monotonic() < until:
        check(duck, f"{dice.random()} {number}", kind, tmp_path)
        number += 1
    assert number > 10


@pytest.mark.soak
@pytest.mark.spark
@pytest.mark.parametrize("kind", ["readings", "minutes"])
def test_many_fleets_on_a_server_elsewhere(
    remote: Engine, tmp_path: Path, kind: Literal["readings", "minutes"], dice: random.Random
) -> None:
    """The same over the wire to Spark."""
    for number in range(6):
        check(remote, f"{dice.random()} {number}", kind, tmp_path)
