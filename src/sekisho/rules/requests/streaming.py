"""Requests from a stream of JSON lines, one after another, as fast as their decoders read.

The short way decodes a line straight into its shape. Decoders pass over a name that stands twice in one object, and
take its last value; so what was read is written again, and where the line holds more quotation marks than that, the
strict reader of `reading` looks. It is also the one that words every error. A line with a backslash goes to it at
once: without one, each quotation mark begins or ends a string, and every name costs two.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, Final

import msgspec

from sekisho.model.errors import InvalidInput
from sekisho.model.wire import MAX_DOCUMENT
from sekisho.rules.requests.reading import KINDS, Request, request_or_error

__all__ = ["iter_requests"]

_DECODERS: Final = {
    kind.encode(): msgspec.json.Decoder(shape).decode for kind, shape in KINDS.items()
}
_RUN: Final = _DECODERS[b"training-run"]
_ENCODE: Final = msgspec.json.Encoder().encode
_PLAIN: Final = msgspec.json.Decoder().decode
_KIND: Final = b'"kind":'


def iter_requests(
    lines: Iterable[bytes], file: str, *, first: int = 1
) -> Iterator[tuple[int, Request | InvalidInput]]:
    """Each request with its line, or the error that stands there; blank lines are passed over.

    Lines are numbered from `first`, for a part of a longer file.

    The same answers as `parse_requests` gives for JSON lines, without holding them.
    """
    for number, line in enumerate(lines, first):
        request = _quick(line)
        if request is not None:
            yield number, request
        elif line.strip():
            yield number, request_or_error(line, f"{file}:{number}")


def _quick(line: bytes) -> Request | None:
    """The request where no name stands twice for certain; None where the strict reader has to look."""
    if b"\\" in line or len(line) > MAX_DOCUMENT:
        return None
    try:
        request: Request = _decoder(line)(line)
    except (msgspec.MsgspecError, InvalidInput, UnicodeDecodeError):
        return None
    marks = line.count(b'"')
    # A field that was left out is not written, one that was said may be left out where it is the default: so there
    # are never more marks than the names that stand once have.
    if _ENCODE(request).count(b'"') == marks:
        return request
    return request if _ENCODE(_PLAIN(line)).count(b'"') == marks else None


def _decoder(line: bytes) -> Any:
    """The decoder of the kind that the line seems to name; one of another kind refuses the line."""
    start = line.find(_KIND) + len(_KIND)
    if start < len(_KIND):
        return _RUN
    _, _, rest = line[start : start + 20].partition(b'"')
    return _DECODERS.get(rest.partition(b'"')[0], _RUN)
