"""Where a protobuf message breaks: what the decoder does not say, for the one who has to mend the sender.

Read only after the decoder refused a body, so it may be slow; what is accepted is the decoder's to say.
"""

from __future__ import annotations

from typing import Any, Final

__all__ = ["find_break"]

_VARINT, _FIXED_64, _BYTES, _GROUP, _GROUP_END, _FIXED_32 = range(6)
_DEEPEST: Final = 32


class _Break(ValueError):
    def __init__(self, at: int, why: str) -> None:
        super().__init__(why)
        self.at = at


def find_break(body: bytes, descriptor: Any) -> tuple[int, str]:
    """The offset of the first field that cannot be read as the message of this descriptor, and why."""
    try:
        _walk(body, 0, len(body), descriptor, 0)
    except _Break as found:
        return found.at, str(found)
    return len(body), "something that the decoder refuses"


def _walk(body: bytes, at: int, end: int, descriptor: Any, depth: int) -> None:
    if depth > _DEEPEST:
        raise _Break(at, "messages nested too deep")
    while at < end:
        start = at
        tag, at = _varint(body, at, end)
        field = descriptor.fields_by_number.get(tag >> 3)
        kind = tag & 7
        if kind in (_GROUP, _GROUP_END) or kind > _FIXED_32 or not tag >> 3:
            raise _Break(start, "a field of no kind that is in use")
        if kind == _VARINT:
            _, at = _varint(body, at, end)
            continue
        length, at = _length(body, at, end, kind)
        if at + length > end:
            raise _Break(start, f"a field of {length:,} bytes of which {end - at:,} are there")
        if kind == _BYTES and field is not None:
            _look_inside(body, at, at + length, field, depth)
        at += length


def _length(body: bytes, at: int, end: int, kind: int) -> tuple[int, int]:
    if kind == _BYTES:
        return _varint(body, at, end)
    return (8 if kind == _FIXED_64 else 4), at


def _look_inside(body: bytes, at: int, end: int, field: Any, depth: int) -> None:
    if field.message_type is not None:
        _walk(body, at, end, field.message_type, depth + 1)
    elif field.type == field.TYPE_STRING:
        try:
            body[at:end].decode("utf-8")
        except UnicodeDecodeError as error:
            raise _Break(at + error.start, "text that is not UTF-8") from error
    elif field.type in (field.TYPE_UINT32, field.TYPE_SINT64):
        while at < end:
            _, at = _varint(body, at, end)


def _varint(body: bytes, at: int, end: int) -> tuple[int, int]:
    value = 0
    for place in range(10):
        if at + place >= end:
            raise _Break(at, "a number that is cut off")
        byte = body[at + place]
        value |= (byte & 0x7F) << (7 * place)
        if byte < 0x80:
            return value, at + place + 1
    raise _Break(at, "a number without an end")
