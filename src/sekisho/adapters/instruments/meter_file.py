"""A facility meter's rows as an instrument: CSV with a header, one row a sample, appended by the site's collector.

The only instrument here with a history: every row since the halt is read, so work that stops only while somebody looks
shows between the looks.
"""

from __future__ import annotations

import csv
from decimal import Decimal
from pathlib import Path
from typing import Final, Literal

from sekisho.adapters.instruments.figures import parse_figure, read_end
from sekisho.model.errors import InvalidInput, Unavailable
from sekisho.model.instants import Instant
from sekisho.ports.instruments import Shown

__all__ = ["FacilityMeter"]

MAX_ROWS_BYTES: Final = 4 << 20
_FACTORS: Final = {"W": Decimal(1), "kW": Decimal(1000)}


class FacilityMeter:
    """Implements ports.Instrument over `file`; `at` and `value` name the columns, `unit` is the value's."""

    def __init__(
        self, file: Path, *, at: str = "at", value: str = "watts", unit: Literal["W", "kW"] = "W"
    ) -> None:
        self._file, self._at, self._value = file, at, value
        self._factor = _FACTORS[unit]

    def read(self, since: Instant) -> tuple[Shown, ...]:
        """Every sample since an instant. A row that cannot be read makes the whole file unreadable."""
        rows = self._rows(since)
        if not rows:
            raise Unavailable(f"{self._file} has no sample since {since}")
        return tuple(Shown(quantity="power", value=watts, measured=at) for at, watts in rows)

    def close(self) -> None:
        """Nothing is held open."""

    def _rows(self, since: Instant) -> list[tuple[Instant, Decimal]]:
        head, lines, is_whole = self._lines()
        try:
            columns = next(csv.reader([head], strict=True))
            places = columns.index(self._at), columns.index(self._value)
        except (csv.Error, StopIteration, ValueError):
            raise InvalidInput(
                f"has no columns {self._at} and {self._value}", path=f"{self._file}, line 1"
            ) from None
        found = [self._row(line, places) for line in lines if line.strip()]
        if not is_whole and (not found or found[0][0] > since):
            raise InvalidInput(
                f"holds more than {MAX_ROWS_BYTES} bytes since {since}", path=str(self._file)
            )
        return [row for row in found if row[0] >= since]

    def _lines(self) -> tuple[str, list[str], bool]:
        """The header, and the whole lines of the end of the file; a line without its end is still being written."""
        body, is_whole = read_end(self._file, limit=MAX_ROWS_BYTES)
        try:
            text = body.decode("utf-8") if is_whole else body.split(b"\n", 1)[1].decode("utf-8")
            lines = text.split("\n")[:-1]
            if is_whole:
                return (lines[0].rstrip("\r") if lines else ""), lines[1:], True
            with self._file.open("rb") as source:
                return source.readline(4096).decode("utf-8").rstrip("\r\n"), lines, False
        except (UnicodeDecodeError, IndexError, OSError):
            raise InvalidInput("is no CSV in UTF-8", path=str(self._file)) from None

    def _row(self, line: str, places: tuple[int, int]) -> tuple[Instant, Decimal]:
        path = f"{self._file}, row {line[:60]!r}"
        try:
            cells = next(csv.reader([line.rstrip("\r")], strict=True))
            at, value = cells[places[0]], cells[places[1]]
        except (csv.Error, StopIteration, IndexError):
            raise InvalidInput("is no row of the meter", path=path) from None
        return Instant.parse(at), parse_figure(value, path=path) * self._factor
