"""What an engine is: it reads Parquet, takes a small table, and answers an Ibis expression."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal, Protocol, Self, TypeAlias

import msgspec
import pyarrow as pa  # type: ignore[import-untyped]  # it comes without types

__all__ = ["Engine", "EngineSettings", "SourceKind", "with_plain_words"]

SourceKind: TypeAlias = Literal["readings", "minutes"]


class EngineSettings(msgspec.Struct, frozen=True, kw_only=True):
    """How much of a machine an engine may take.

    `threads` 0: as many as there are cores. `spill` is a folder for what does not fit in `memory_mb` ("": the
    system's temporary folder). `remote` is the address of a Spark Connect server (`sc://host:15002`); `master` that
    of a classic Spark cluster ("": inside this process, on `threads` threads).
    """

    threads: int = 0
    memory_mb: int = 2048
    spill: str = ""
    remote: str = ""
    master: str = ""
    shuffle_partitions: int = 0  # 0: two for each thread


class Engine(Protocol):
    """One session with one engine, for one thread. Close it, or use it in a `with` block.

    `whole_site` says that one question should cover all files of a site (a cluster divides the work itself);
    otherwise files are asked one after another, so that memory stays what one file needs. `adds_wide` says that a sum
    of 64-bit numbers may pass 64 bits; otherwise those that may are summed as decimals, which takes longer.
    """

    name: str
    whole_site: bool
    adds_wide: bool

    def read(self, name: str, paths: Sequence[str]) -> None:
        """Call Parquet files of one schema by a table's name, in place of what had it before."""
        ...

    def take(self, name: str, table: Any) -> None:
        """Call rows of ours (Arrow) by a table's name, in place of what had it before."""
        ...

    def answer(self, expression: Any) -> Any:
        """The rows of an expression as an Arrow table.

        Raises Unavailable where the engine gives up, Corrupt where the files are not what the store writes.
        """
        ...

    def close(self) -> None: ...

    def __enter__(self) -> Self: ...

    def __exit__(self, *_: object) -> None: ...


def with_plain_words(table: Any) -> Any:
    """Arrow's dictionaries of words as words, for an engine that does not join the two."""
    for place, field in enumerate(table.schema):
        if pa.types.is_dictionary(field.type):
            words = table.column(place).cast(field.type.value_type)
            table = table.set_column(place, field.name, words)
    return table
