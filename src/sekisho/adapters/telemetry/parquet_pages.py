"""The pages of a Parquet file looked at before anybody unpacks them.

A page says in its own header how large it is unpacked, and a reader makes room for what it says: some kilobytes can ask
for gigabytes, whatever the file's metadata claims. So the headers are walked first. They are Thrift structs in compact
encoding; only three numbers of them are needed and the rest is stepped over.
Source: Apache Parquet, parquet.thrift (PageHeader); Apache Thrift, compact protocol.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from sekisho.model.errors import InvalidInput

__all__ = ["MAX_PAGE", "MAX_PAGES", "MAX_UNPACKED", "check_pages"]

MAX_PAGE: Final = 256 << 20
MAX_PAGES: Final = 100_000
MAX_UNPACKED: Final = 16 << 30
_DEPTH: Final = 16
_UNPACKED, _PACKED = 2, 3  # fields of PageHeader
_TRUE, _FALSE, _BYTE, _DOUBLE, _BINARY, _LIST, _SET, _STRUCT = 1, 2, 3, 7, 8, 9, 10, 12
_VARINTS: Final = (4, 5, 6)


def check_pages(body: bytes, metadata: Any, *, path: str) -> None:
    """Raises InvalidInput where pages would unpack to more than the limits, or are not where the metadata says."""
    unpacked = pages = 0
    for group in range(metadata.num_row_groups):
        for column in range(metadata.num_columns):
            for size in _sizes(body, metadata.row_group(group).column(column), path):
                unpacked, pages = unpacked + size, pages + 1
                if size > MAX_PAGE or unpacked > MAX_UNPACKED or pages > MAX_PAGES:
                    raise InvalidInput(
                        f"unpacks to more than a page of {MAX_PAGE}, {MAX_UNPACKED} bytes in all or {MAX_PAGES} pages",
                        path=path,
                        remedy="write smaller files, with pages of a megabyte",
                    )


def _sizes(body: bytes, chunk: Any, path: str) -> Iterator[int]:
    """The unpacked size of each page of one column of one row group."""
    starts = [chunk.data_page_offset]
    if chunk.has_dictionary_page and chunk.dictionary_page_offset:
        starts.append(chunk.dictionary_page_offset)
    place = min(starts)
    end = place + chunk.total_compressed_size
    if not 0 < place <= end <= len(body):
        raise _broken(path)
    while place < end:
        try:
            header, place = _read_struct(body, place, _DEPTH)
        except IndexError:
            raise _broken(path) from None
        packed, unpacked = header.get(_PACKED, -1), header.get(_UNPACKED, -1)
        if packed < 0 or unpacked < 0:
            raise _broken(path)
        yield unpacked
        place += packed


def _broken(path: str) -> InvalidInput:
    return InvalidInput(
        "its pages are not where its metadata says", path=path, remedy="write the file again"
    )


def _read_struct(body: bytes, place: int, depth: int) -> tuple[dict[int, int], int]:
    """The whole numbers of a struct by field, and where it ends. Raises IndexError."""
    found: dict[int, int] = {}
    field = 0
    while (head := body[place]) != 0:
        place += 1
        if head >> 4:
            field += head >> 4
        else:
            field, place = _zigzag(body, place)
        kind = head & 15
        if kind in _VARINTS:
            found[field], place = _zigzag(body, place)
        elif kind not in (_TRUE, _FALSE):
            place = _skip(body, place, kind, depth)
    return found, place + 1


def _skip(body: bytes, place: int, kind: int, depth: int) -> int:
    """Where a value ends that is not needed. Raises IndexError."""
    if depth <= 0:
        raise IndexError
    if kind == _STRUCT:
        return _read_struct(body, place, depth - 1)[1]
    if kind == _BINARY:
        length, place = _varint(body, place)
        return place + length
    if kind == _DOUBLE:
        return place + 8
    if kind in _VARINTS:
        return _varint(body, place)[1]
    if kind in (_TRUE, _FALSE, _BYTE):
        return place + 1
    if kind in (_LIST, _SET):
        return _skip_list(body, place, depth)
    raise IndexError  # a map: no page header has one


def _skip_list(body: bytes, place: int, depth: int) -> int:
    head = body[place]
    count, place = (head >> 4, place + 1) if head >> 4 < 15 else _varint(body, place + 1)
    if count > len(body) - place:
        raise IndexError
    for _ in range(count):
        place = _skip(body, place, head & 15, depth - 1)
    return place


def _varint(body: bytes, place: int) -> tuple[int, int]:
    number = shift = 0
    while shift < 70:
        byte = body[place]
        number |= (byte & 127) << shift
        place, shift = place + 1, shift + 7
        if byte < 128:
            return number, place
    raise IndexError


def _zigzag(body: bytes, place: int) -> tuple[int, int]:
    number, place = _varint(body, place)
    return (number >> 1) ^ -(number & 1), place
