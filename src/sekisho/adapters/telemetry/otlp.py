"""OTLP/HTTP metrics, in protobuf and in JSON, to samples.

Gauges and sums are read, histograms and summaries are counted and passed over. A series is what its resource, scope and
point attributes together say. Rules, each tested:

- A point with the flag "no recorded value" was not measured: it is refused as blank, never zero.
- A point whose time is 0 has no time and is refused; a year is judged by cleaning, not here.
- A cumulative sum is a counter as it stands. A delta is what came to pass between its start and its time: it is read as
  a mean rate that stands from its start on (joules as watts, bytes as bytes per second), so that rate x span is the
  delta again and no state is kept between deliveries. A delta without a start is refused.
- A broken attribute costs its own point; a broken frame around it costs the body, as in the reference library.

Source: opentelemetry-proto 1.x, metrics/v1/metrics.proto; OTLP specification, sections OTLP/HTTP and JSON encoding.
"""

from __future__ import annotations

from typing import Final

from sekisho.adapters.telemetry.columns import Samples, SeriesBook
from sekisho.adapters.telemetry.otlp_json import read_json
from sekisho.adapters.telemetry.otlp_wire import read_wire
from sekisho.model.errors import InvalidInput

__all__ = ["MAX_BODY", "OTLP_TYPES", "content_type_of", "parse_otlp"]

MAX_BODY: Final = 256 << 20
PROTOBUF: Final = "application/x-protobuf"
JSON: Final = "application/json"
OTLP_TYPES: Final = (PROTOBUF, JSON)


def parse_otlp(body: bytes, book: SeriesBook, *, content_type: str) -> Samples:
    """The number points of one export request (or of a file of them, JSON one to a line).

    Raises InvalidInput for another content type, more than MAX_BODY bytes, and a body that cannot be read as a whole.
    """
    if len(body) > MAX_BODY:
        raise InvalidInput(f"more than {MAX_BODY} bytes", path="body", remedy="send less at once")
    kind = content_type.partition(";")[0].strip().lower()
    if kind == PROTOBUF:
        return read_wire(body, book)
    if kind == JSON:
        return read_json(body, book)
    raise InvalidInput(
        f"{kind[:80]!r} is no OTLP encoding",
        path="content-type",
        remedy=f"send {PROTOBUF} or {JSON}",
    )


def content_type_of(body: bytes) -> str:
    """The encoding of a file that nobody named, by its first byte: a protobuf request begins with a line feed."""
    return JSON if body[:1] in (b"{", b"[", b" ") else PROTOBUF
