"""Which engine by which name, and what to install where it is missing."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

import msgspec

from sekisho.adapters.telemetry.engines.engine import Engine, EngineSettings
from sekisho.model.errors import InvalidInput

__all__ = ["ENGINES", "open_engine"]


def _open_duckdb(settings: EngineSettings) -> Engine:
    try:
        from sekisho.adapters.telemetry.engines.duckdb import DuckEngine  # noqa: PLC0415 - an extra
    except ImportError as error:
        raise _missing("analytics", error) from error
    return DuckEngine(settings)


def _open_spark(settings: EngineSettings) -> Engine:
    try:
        from sekisho.adapters.telemetry.engines.spark import open_classic  # noqa: PLC0415 - an extra
    except ImportError as error:
        raise _missing("spark", error) from error
    return open_classic(settings)


def _open_connect(settings: EngineSettings) -> Engine:
    try:
        from sekisho.adapters.telemetry.engines.spark import open_connect  # noqa: PLC0415 - an extra
    except ImportError as error:
        raise _missing("spark", error) from error
    return open_connect(settings)


ENGINES: Final[Mapping[str, Callable[[EngineSettings], Engine]]] = {
    "duckdb": _open_duckdb,
    "spark": _open_spark,
    "spark-connect": _open_connect,
}
"""By the name that a person types."""


def open_engine(name: str = "duckdb", settings: EngineSettings | None = None) -> Engine:
    """A session with the engine of this name; `sc://HOST:PORT` is Spark Connect there, `spark://HOST:PORT` a cluster.

    Raises InvalidInput for an unknown name or a missing extra, Unavailable where it does not start.
    """
    chosen = settings or EngineSettings()
    if name.startswith("sc://"):
        name, chosen = "spark-connect", msgspec.structs.replace(chosen, remote=name)
    elif name.startswith("spark://"):
        name, chosen = "spark", msgspec.structs.replace(chosen, master=name)
    if name not in ENGINES:
        raise InvalidInput(
            f"no engine is called {name[:40]!r}",
            remedy=f"one of {', '.join(ENGINES)}, or an address: sc://HOST:15002, spark://HOST:7077",
        )
    return ENGINES[name](chosen)


def _missing(extra: str, error: ImportError) -> InvalidInput:
    return InvalidInput(
        f"this engine needs a Python package that is not installed: {error.name or error}",
        remedy=f'pip install "sekisho[{extra}]"',
    )
