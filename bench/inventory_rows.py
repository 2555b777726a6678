"""How many rows of a firm's table are read a second: cp932, four columns, columns checked, repeats found.

Processor time of one core. `python bench/inventory_rows.py --rows 1000000` takes another length.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Iterator

from sekisho.registry.reading import BadRow, open_table, propose_mapping, read_lines

__all__ = ["measure_reading"]


def measure_reading(count: int) -> float:
    """Rows a second of a table that has `count`, one of them bad."""
    table = open_table(lambda: _pieces(count), path="assets.csv")
    mapping = propose_mapping(table, name="bench").mapping
    began = time.process_time()
    refused = sum(isinstance(row, BadRow) for row in read_lines(table, mapping))
    taken_s = time.process_time() - began
    if refused != 1:
        raise RuntimeError(f"{refused} rows refused instead of one")
    return count / taken_s


def _pieces(count: int) -> Iterator[bytes]:
    """As large as a file is read: a thousand rows a piece."""
    yield "シリアル番号,型番,設置場所,数量\r\n".encode("cp932")
    for start in range(0, count, 1_000):
        rows = (_row(number, count) for number in range(start, min(count, start + 1_000)))
        yield "".join(rows).encode("cp932")


def _row(number: int, count: int) -> str:
    serial = "1.65492E+12" if number == count // 2 else f"1654922{number:08d}"
    return f"{serial},NVIDIA H100 80GB HBM3,東京,1\r\n"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=200_000)
    options = parser.parse_args()
    print(f"{measure_reading(options.rows):.0f} rows/s of {options.rows}")


if __name__ == "__main__":
    main()
