"""A Parquet file looked at before anybody unpacks it.

A page says in its own header how large it is unpacked, and a reader makes room for what it says: some kilobytes can ask
for gigabytes, whatever the footer claims. And Arrow's reader ends the whole process on some footers that are broken. So
footer and page headers are walked here first, and only a file that is whole is handed on:

1. magic numbers, and a footer that fits between them;
2. each column chunk is in this file, has its description, and lies where it says;
3. each group of rows has a chunk for each column of the schema;
4. the pages of a chunk follow one another to its end, none larger unpacked than a limit, nor all together.

Source: Apache Parquet, parquet.thrift (FileMetaData, RowGroup, ColumnChunk, ColumnMetaData, PageHeader).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from sekisho.adapters.telemetry.compact_thrift import BrokenThrift, Struct, Value, read_struct
from sekisho.model.errors import InvalidInput

__all__ = ["MAX_PAGE", "MAX_PAGES", "MAX_UNPACKED", "check_file"]

MAX_FOOTER: Final = 16 << 20
MAX_PAGE: Final = 256 << 20
MAX_PAGES: Final = 100_000
MAX_UNPACKED: Final = 16 << 30
_MAGIC: Final = b"PAR1"
_MOST_VALUES: Final = 2_000_000
_HEADER_VALUES: Final = 10_000
_MOST_ROWS: Final = 2**40


def check_file(body: bytes, *, path: str) -> int:
    """The rows that a file says it has. Raises InvalidInput for one that is not whole or unpacks to too much."""
    try:
        return _check(body)
    except BrokenThrift as broken:
        raise InvalidInput(
            f"is no whole Parquet file: {broken}", path=path, remedy="write the file again"
        ) from None
    except _TooMuch:
        raise InvalidInput(
            f"unpacks to more than a page of {MAX_PAGE}, {MAX_UNPACKED} bytes in all or {MAX_PAGES} pages",
            path=path,
            remedy="write smaller files, with pages of a megabyte",
        ) from None


class _TooMuch(Exception):
    pass


def _check(body: bytes) -> int:
    if len(body) < 12 or body[:4] != _MAGIC or body[-4:] != _MAGIC:
        raise BrokenThrift("it does not begin and end with PAR1")
    length = int.from_bytes(body[-8:-4], "little")
    begin = len(body) - 8 - length
    if length > MAX_FOOTER or begin < 4:
        raise BrokenThrift("its footer is longer than may be")
    footer, end = read_struct(body[: len(body) - 8], begin, most=_MOST_VALUES)
    columns = _leaves(_structs(footer.get(2)))
    unpacked = pages = total = 0
    for group in _structs(footer.get(4)):
        chunks, rows = _structs(group.get(1)), _number(group, 3)
        if len(chunks) != columns:
            raise BrokenThrift("a group of rows without one of its columns")
        total += rows
        for chunk in chunks:
            for size in _sizes(body[:begin], chunk):
                unpacked, pages = unpacked + size, pages + 1
                if size > MAX_PAGE or unpacked > MAX_UNPACKED or pages > MAX_PAGES:
                    raise _TooMuch
    if end > len(body) - 8 or _number(footer, 3) != total or total > _MOST_ROWS:
        raise BrokenThrift("its groups have other rows than its footer says")
    return total


def _leaves(schema: list[Struct]) -> int:
    """The columns of a schema, written parents first; a root of its own stands before them."""
    if not schema or any(_count(element) > len(schema) for element in schema):
        raise BrokenThrift("its schema is none")
    if _count(schema[0]) > len(schema) - 1:
        raise BrokenThrift("its schema is cut")
    for element in schema:
        _check_text(element.get(4))
    return sum(1 for element in schema[1:] if not _count(element))


def _count(element: Struct) -> int:
    children = element.get(5, 0)
    if not isinstance(children, int) or children < 0:
        raise BrokenThrift("its schema is none")
    return children


def _sizes(body: bytes, chunk: Struct) -> Iterator[int]:
    """The unpacked size of each page of one column of one group of rows."""
    about = chunk.get(3)
    if not isinstance(about, dict) or chunk.get(1) is not None:
        raise BrokenThrift("a column that is not in this file")
    for needed in (1, 4, 5, 6):
        _number(about, needed)
    names = about.get(3)
    if not isinstance(names, list) or not names or not isinstance(about.get(2), list):
        raise BrokenThrift("a column without its description")
    for name in names:
        _check_text(name)
    place = _number(about, 9)
    if isinstance(dictionary := about.get(11), int) and 0 < dictionary < place:
        place = dictionary
    end = place + _number(about, 7)
    if not 4 <= place <= end <= len(body):
        raise BrokenThrift("a column that lies outside the file")
    while place < end:
        header, place = read_struct(body, place, most=_HEADER_VALUES)
        unpacked, packed = _number(header, 2), _number(header, 3)
        yield unpacked
        place += packed
    if place != end:
        raise BrokenThrift("pages that run over the end of their column")


def _number(struct: Struct, field: int) -> int:
    value = struct.get(field)
    if not isinstance(value, int) or value < 0:
        raise BrokenThrift(f"a struct without its number {field}")
    return value


def _structs(value: Value) -> list[Struct]:
    if not isinstance(value, list):
        raise BrokenThrift("a list of structs is missing")
    found = [each for each in value if isinstance(each, dict)]
    if len(found) != len(value):
        raise BrokenThrift("something else in a list of structs")
    return found


def _check_text(value: Value) -> None:
    try:
        if isinstance(value, bytes):
            value.decode()
            return
    except UnicodeDecodeError:
        pass
    raise BrokenThrift("a column without a name")
