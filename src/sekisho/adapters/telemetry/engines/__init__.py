"""Engines that sum readings: the same expressions on DuckDB, on Spark and on Spark Connect.

`open_engine("duckdb")` gives an engine for one thread; `sum_usage` asks it. docs/guide/analytics.md says when to move.
"""

from sekisho.adapters.telemetry.engines.choosing import ENGINES, open_engine
from sekisho.adapters.telemetry.engines.engine import Engine, EngineSettings, SourceKind
from sekisho.adapters.telemetry.engines.source_file import SourceFile, evidence_of
from sekisho.adapters.telemetry.engines.summing import sum_usage

__all__ = [
    "ENGINES",
    "Engine",
    "EngineSettings",
    "SourceFile",
    "SourceKind",
    "evidence_of",
    "open_engine",
    "sum_usage",
]
