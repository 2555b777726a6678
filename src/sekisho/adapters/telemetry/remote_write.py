"""Prometheus remote-write, versions 1 and 2, to samples.

Each version has a full reader, which decodes a series with the message types of `wire_messages` and checks its labels,
and a quick one for what a Prometheus sends all day: a series known from before with one sample. The quick readers look
at bytes only: a label block is known when the full reader once read exactly these bytes (version 2: exactly these
strings) as the labels of a series, and what follows must be, to the bit, one sample as Prometheus writes it. Fields on
the wire are read one after the other, so the full reader could not read such a series in another way. Whatever else
comes goes through the full reader.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final, Literal

from google.protobuf.message import DecodeError  # type: ignore[import-untyped]  # no types

from sekisho.adapters.telemetry.columns import Samples, SeriesBook
from sekisho.adapters.telemetry.decompress import decompress
from sekisho.adapters.telemetry.remote_write_1 import read_version_1
from sekisho.adapters.telemetry.remote_write_2 import read_version_2
from sekisho.adapters.telemetry.wire_breaks import find_break
from sekisho.adapters.telemetry.wire_messages import remote_write_1, remote_write_2
from sekisho.model.errors import InvalidInput

__all__ = ["LONGEST_BODY", "parse_remote_write"]

LONGEST_BODY: Final = 256 * 2**20
"""Bytes of a request, unpacked; a Prometheus sends some hundred thousand at once."""

_READERS: Final[Mapping[int, Callable[[bytes, SeriesBook], Samples]]] = {
    1: read_version_1,
    2: read_version_2,
}
_MESSAGES: Final = {1: remote_write_1, 2: remote_write_2}


def parse_remote_write(
    body: bytes, book: SeriesBook, *, version: Literal[1, 2], compressed: bool = True
) -> Samples:
    """The samples of a write request: prometheus.WriteRequest, or io.prometheus.write.v2.Request.

    Times are milliseconds. Stale markers are passed over; so are native histograms (a note counts them), exemplars and
    metadata. A series without a name, with a label twice or with references into nowhere is refused, its samples
    counted; a body that is not snappy or not this protobuf is refused whole: InvalidInput with the offset.
    """
    plain = decompress(body, "snappy" if compressed else "identity", LONGEST_BODY)
    try:
        return _READERS[version](plain, book)
    except DecodeError as error:
        at, why = find_break(plain, _MESSAGES[version]()["Request"].DESCRIPTOR)
        raise InvalidInput(
            f"not a remote-write {version} request: {why} at byte {at:,} of {len(plain):,}",
            path="body",
            remedy="send the whole request again, with the version in its Content-Type",
        ) from error
