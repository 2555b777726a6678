"""A new CSV file of the rows that a comparison over a population lists, written block by block."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TextIO

from sekisho.model.errors import InvalidInput

__all__ = ["RowsFile", "open_rows"]


class RowsFile:
    """Where the rows go, and how many went; nowhere where no file was asked for."""

    def __init__(self, stream: TextIO | None) -> None:
        self._stream = stream
        self.count = 0

    def write(self, rows: str, count: int) -> None:
        """Whole rows. A stop here leaves a file that ends with a block that may be cut."""
        if self._stream is not None:
            self._stream.write(rows)
            self.count += count


@contextmanager
def open_rows(name: str) -> Iterator[RowsFile]:
    """A new file with its head, or none where `name` is empty. Raises InvalidInput where it is there already."""
    from sekisho.rules.what_if import CSV_HEAD

    with ExitStack() as stack:
        if not name:
            yield RowsFile(None)
            return
        try:
            stream = stack.enter_context(Path(name).open("x", encoding="utf-8", newline=""))
        except FileExistsError:
            raise InvalidInput("is there already", path=name, remedy="name a new file") from None
        stream.write(CSV_HEAD)
        yield RowsFile(stream)
