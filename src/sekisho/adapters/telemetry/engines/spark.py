"""Spark, classic (in this process, or a cluster's master) and Connect (a server elsewhere). Needs Java 17 and PySpark.

Nothing is downloaded: the jars come with PySpark. Files must lie where the workers can open them.
"""

from __future__ import annotations

import os
import warnings
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, Self, TypeVar

import ibis  # type: ignore[import-untyped]  # it comes without types

from sekisho.adapters.telemetry.engines.engine import EngineSettings, with_plain_words
from sekisho.model.errors import Corrupt, InvalidInput, Unavailable

with warnings.catch_warnings():
    # PySpark warns of pandas 3, which no row of ours goes through; where a warning raises, it leaves Connect out.
    warnings.simplefilter("ignore")
    from pyspark.errors import AnalysisException, ArithmeticException, PySparkException
    from pyspark.sql import SparkSession
    from pyspark.sql.connect.session import SparkSession as ConnectSession

__all__ = ["SparkEngine", "open_classic", "open_connect"]

_BROADCAST_BYTES: Final = 1 << 30
"""Up to so many bytes of pieces go to every worker, and readings stay where they are."""
T = TypeVar("T")


class SparkEngine:
    """A session that is ours, or somebody else's (`owned` False), which is then left open."""

    whole_site = True
    adds_wide = False

    def __init__(self, name: str, session: Any, *, owned: bool = True) -> None:
        self.name = name
        self._session = session
        self._owned = owned
        for key, value in _session_settings().items():
            session.conf.set(key, value)

    def read(self, name: str, paths: Sequence[str]) -> None:
        self._ask(lambda: self._session.read.parquet(*paths).createOrReplaceTempView(name))

    def take(self, name: str, table: Any) -> None:
        def call() -> None:
            frame = self._session.createDataFrame(with_plain_words(table))
            # Spark does not know how small it is, and would sort all readings to meet it.
            small = frame.hint("broadcast") if table.nbytes < _BROADCAST_BYTES else frame
            small.createOrReplaceTempView(name)

        self._ask(call)

    def answer(self, expression: Any) -> Any:
        text = str(ibis.to_sql(expression, dialect="pyspark"))
        return self._ask(lambda: self._session.sql(text).toArrow())

    def close(self) -> None:
        if self._owned:
            self._session.stop()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _ask(self, question: Callable[[], T]) -> T:
        try:
            return question()
        except (AnalysisException, ArithmeticException) as error:
            # A column that is not there, a number past what its field allows: not what the store wrote.
            raise Corrupt(
                f"Spark cannot make sense of these files: {str(error)[:300]}",
                remedy="compact the day again",
            ) from error
        except PySparkException as error:
            raise Unavailable(
                f"Spark: {str(error)[:400]}", remedy="look at the driver's log; then try again"
            ) from error


def open_classic(settings: EngineSettings) -> SparkEngine:
    """A session in this process, or with `master` on a cluster. Raises Unavailable where Java does not start."""
    threads = settings.threads or len(os.sched_getaffinity(0))
    builder = SparkSession.builder.master(settings.master or f"local[{threads}]")
    for key, value in _static_settings(settings, threads).items():
        builder = builder.config(key, value)
    try:
        session = builder.getOrCreate()
    except (PySparkException, OSError, RuntimeError) as error:
        raise Unavailable(
            f"Spark does not start: {str(error)[:300]}",
            remedy="install Java 17 (openjdk-17-jre-headless) and set JAVA_HOME",
        ) from error
    return SparkEngine("spark", session)


def open_connect(settings: EngineSettings) -> SparkEngine:
    """A session with a Spark Connect server. Raises InvalidInput without an address, Unavailable without an answer."""
    if not settings.remote.startswith("sc://"):
        raise InvalidInput(
            "Spark Connect needs the address of a server", path="remote", remedy="sc://HOST:15002"
        )
    try:
        session = ConnectSession.builder.remote(settings.remote).create()
        return SparkEngine("spark-connect", session)
    except PySparkException as error:
        raise Unavailable(
            f"no Spark Connect server answers at {settings.remote[:80]}: {str(error)[:200]}",
            remedy="start it (sbin/start-connect-server.sh), then try again",
        ) from error


def _session_settings() -> Mapping[str, str]:
    """What the expressions rest on, whatever the cluster's defaults are."""
    return {
        "spark.sql.session.timeZone": "UTC",
        "spark.sql.ansi.enabled": "true",  # an overflow is an error, never another number
        "spark.sql.execution.arrow.pyspark.enabled": "true",
    }


def _static_settings(settings: EngineSettings, threads: int) -> Mapping[str, str]:
    partitions = settings.shuffle_partitions or 2 * threads
    found = {
        "spark.app.name": "sekisho",
        "spark.driver.memory": f"{settings.memory_mb}m",
        "spark.sql.shuffle.partitions": str(partitions),
        "spark.ui.enabled": "false",
        "spark.ui.showConsoleProgress": "false",
        "spark.log.level": "ERROR",
        "spark.sql.catalogImplementation": "in-memory",
    }
    if not settings.master:
        found |= {"spark.driver.host": "127.0.0.1", "spark.driver.bindAddress": "127.0.0.1"}
    if settings.spill:
        found["spark.local.dir"] = settings.spill
    return found
