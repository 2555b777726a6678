"""DuckDB: one machine, within the memory that it is given; spills to disk, never loads an extension or a page."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Sequence
from typing import Any, Self

import duckdb
import ibis  # type: ignore[import-untyped]  # it comes without types

from sekisho.adapters.telemetry.engines.engine import EngineSettings
from sekisho.model.errors import Corrupt, InvalidInput, Unavailable

__all__ = ["DuckEngine"]


class DuckEngine:
    """A database in memory. Paths are taken as they stand: no pattern, no address, no table found by its name."""

    name = "duckdb"
    whole_site = False
    adds_wide = True

    def __init__(self, settings: EngineSettings) -> None:
        # A folder of its own below the given one, so that two engines never meet in it.
        self._spill = tempfile.TemporaryDirectory(
            prefix="sekisho-spill-", dir=settings.spill or None
        )
        self._connection = duckdb.connect(
            config={
                "threads": settings.threads or len(os.sched_getaffinity(0)),
                "memory_limit": f"{settings.memory_mb}MB",
                "temp_directory": self._spill.name,
                "autoinstall_known_extensions": False,
                "autoload_known_extensions": False,
                "allow_community_extensions": False,
                "python_enable_replacements": False,
                "preserve_insertion_order": False,
                "lock_configuration": True,
            }
        )
        # Ibis loads its dialects at the first question, half a second of them: now rather than then.
        ibis.to_sql(ibis.table({"x": "int64"}, name="x"), dialect="duckdb")

    def read(self, name: str, paths: Sequence[str]) -> None:
        for path in paths:
            if set(path) & set("*?[]{}") or "://" in path:
                raise InvalidInput(
                    f"{path[:200]!r} is no plain path of this machine",
                    path=path[:200],
                    remedy="DuckDB takes *?[]{} for a pattern: lay the store where its path has none",
                )
        self._ask(
            lambda: self._connection.read_parquet(list(paths)).create_view(name, replace=True)
        )

    def take(self, name: str, table: Any) -> None:
        def copy() -> None:
            self._connection.register("taken", table)
            self._connection.execute(
                f"create or replace temp table {name} as from taken"
            ).fetchall()
            self._connection.unregister("taken")

        self._ask(copy)

    def answer(self, expression: Any) -> Any:
        text = str(ibis.to_sql(expression, dialect="duckdb"))
        return self._ask(lambda: self._connection.sql(text).to_arrow_table())

    def close(self) -> None:
        self._connection.close()
        self._spill.cleanup()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _ask(self, question: Any) -> Any:
        try:
            return question()
        except duckdb.OutOfMemoryException as error:
            raise Unavailable(
                f"DuckDB ran out of the memory that it was given: {str(error)[:200]}",
                remedy="give it more memory, or a spill folder with more space",
            ) from error
        except duckdb.IOException as error:
            raise Unavailable(
                f"DuckDB: {str(error)[:300]}", remedy="check the file and the disk"
            ) from error
        except duckdb.Error as error:
            # A column that is not there, a number past what its field allows: not what the store wrote.
            raise Corrupt(
                f"DuckDB cannot make sense of these files: {str(error)[:300]}",
                remedy="compact the day again",
            ) from error
