"""Thrift structs in compact encoding, read with bounds: what Parquet writes its footers and page headers in.

Only what a check needs: whole numbers, texts as bytes, lists, structs; nothing is believed of lengths, depth and count.
Source: Apache Thrift, thrift-compact-protocol.
"""

from __future__ import annotations

from typing import Final, TypeAlias

__all__ = ["BrokenThrift", "Struct", "Value", "read_struct"]

Value: TypeAlias = "int | bytes | list[Value] | dict[int, Value] | None"
Struct: TypeAlias = "dict[int, Value]"

_DEPTH: Final = 16
_TRUE, _FALSE, _BYTE, _DOUBLE, _BINARY, _LIST, _SET, _STRUCT = 1, 2, 3, 7, 8, 9, 10, 12
_WHOLE: Final = (4, 5, 6)


class BrokenThrift(Exception):
    """Bytes that are no struct, or more of one than may be."""


def read_struct(body: bytes, place: int, *, most: int) -> tuple[Struct, int]:
    """A struct by field numbers, and where it ends; at most `most` values in it. Raises BrokenThrift."""
    reader = _Reader(body, place, most)
    try:
        return reader.struct(_DEPTH), reader.place
    except IndexError:
        raise BrokenThrift("it ends within a value") from None


class _Reader:
    def __init__(self, body: bytes, place: int, most: int) -> None:
        self.place = place
        self._body, self._left = body, most

    def struct(self, depth: int) -> Struct:
        found: Struct = {}
        field = 0
        while (head := self._byte()) != 0:
            field = field + (head >> 4) if head >> 4 else self._zigzag()
            kind = head & 15
            is_flag = kind in (_TRUE, _FALSE)  # in a struct a flag is its own type
            found[field] = int(kind == _TRUE) if is_flag else self._value(kind, depth)
        return found

    def _value(self, kind: int, depth: int) -> Value:
        self._left -= 1
        if self._left < 0 or depth <= 0:
            raise BrokenThrift("more values, or deeper, than may be")
        if kind in _WHOLE:
            return self._zigzag()
        if kind == _BINARY:
            return self._taken(self._varint())
        if kind == _STRUCT:
            return self.struct(depth - 1)
        if kind in (_LIST, _SET):
            return self._list(depth - 1)
        if kind == _DOUBLE:
            return self._taken(8)
        if kind in (_TRUE, _FALSE, _BYTE):
            return self._byte()
        raise BrokenThrift(f"a value of kind {kind}")

    def _list(self, depth: int) -> list[Value]:
        head = self._byte()
        count = head >> 4 if head >> 4 < 15 else self._varint()
        if count > self._left:
            raise BrokenThrift("more values than may be")
        return [self._value(head & 15, depth) for _ in range(count)]

    def _taken(self, length: int) -> bytes:
        taken = self._body[self.place : self.place + length]
        if len(taken) != length:
            raise BrokenThrift("it ends within a value")
        self.place += length
        return taken

    def _byte(self) -> int:
        byte = self._body[self.place]
        self.place += 1
        return byte

    def _varint(self) -> int:
        number = shift = 0
        while shift < 70:
            byte = self._byte()
            number |= (byte & 127) << shift
            shift += 7
            if byte < 128:
                return number
        raise BrokenThrift("a number without end")

    def _zigzag(self) -> int:
        number = self._varint()
        return (number >> 1) ^ -(number & 1)
