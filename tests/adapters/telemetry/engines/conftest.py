"""One session with each engine for all tests of a call: Spark takes seconds to start."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from sekisho.adapters.telemetry.engines import Engine, EngineSettings, open_engine
from tests.ports import free_port


@pytest.fixture(scope="session")
def duck() -> Iterator[Engine]:
    with open_engine("duckdb", EngineSettings(threads=2, memory_mb=512)) as engine:
        yield engine


@pytest.fixture(scope="session")
def connect_address() -> str:
    return f"sc://127.0.0.1:{free_port()}"


@pytest.fixture(scope="session")
def spark(connect_address: str) -> Iterator[Engine]:
    """A classic session whose Java process also serves Connect on loopback."""
    port = connect_address.rpartition(":")[2]
    options = {
        "spark.plugins": "org.apache.spark.sql.connect.SparkConnectPlugin",
        "spark.connect.grpc.binding.address": "127.0.0.1",
        "spark.connect.grpc.binding.port": port,
    }
    settings = EngineSettings(threads=2, memory_mb=768, shuffle_partitions=2)
    arguments = " ".join(f"--conf {name}={value}" for name, value in options.items())
    # Small tables and many different queries: the second compiler would cost more than it gains.
    arguments += ' --driver-java-options "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC"'
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYSPARK_SUBMIT_ARGS", f"{arguments} pyspark-shell")
        with open_engine("spark", settings) as engine:
            yield engine


@pytest.fixture(scope="session")
def connect(spark: Engine, connect_address: str) -> Iterator[Engine]:
    assert spark.name == "spark"
    with open_engine(connect_address) as engine:
        yield engine


@pytest.fixture(
    params=[
        "duck",
        pytest.param("spark", marks=pytest.mark.spark),
        pytest.param("connect", marks=pytest.mark.spark),
    ]
)
def engine(request: pytest.FixtureRequest) -> Engine:
    found: Engine = request.getfixturevalue(request.param)
    return found
