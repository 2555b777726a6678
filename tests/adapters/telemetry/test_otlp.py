"""OTLP: protobuf and JSON give the same samples, and what a point says is what is taken."""

from __future__ import annotations

import json
import math
from typing import Any

import pytest
from google.protobuf.message import DecodeError  # type: ignore[import-untyped]  # no types
from hypothesis import given, settings
from hypothesis import strategies as st
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import (
    ExportMetricsServiceRequest,
)

from sekisho.adapters.telemetry.columns import PASSED_OVER, Samples, SeriesBook
from sekisho.adapters.telemetry.names_otel import otel_mapper
from sekisho.adapters.telemetry.otlp import content_type_of, parse_otlp
from sekisho.model.errors import InvalidInput
from sekisho.model.telemetry import Reason
from tests.otlp_bodies import (
    JSON,
    NOON_NS,
    PROTOBUF,
    Point,
    as_json,
    echo_book,
    request,
    rows_of,
    walk,
)

BOTH = pytest.mark.parametrize("encoding", [PROTOBUF, JSON])
NOON_US = NOON_NS // 1000


def read(made: ExportMetricsServiceRequest, book: SeriesBook, encoding: str) -> Samples:
    """A request sent in one of the encodings."""
    body = made.SerializeToString() if encoding == PROTOBUF else as_json(made)
    return parse_otlp(body, book, content_type=encoding)


def fleet() -> SeriesBook:
    return SeriesBook(otel_mapper(site="osaka-1"), "osaka-1")


def taken(points: list[Point], encoding: str) -> list[tuple[str, str, int, float]]:
    """Device, field, microseconds, and the value in the field's base unit."""
    book = fleet()
    samples = read(request(points), book, encoding)
    found = []
    for number, at, value in zip(samples.channel, samples.at_us, samples.value, strict=True):
        if number >= 0:
            channel = book.channels[number]
            found.append((channel.device, channel.field, int(at), float(value) * channel.factor))
    return found


def refusals(points: list[Point], encoding: str) -> list[tuple[Reason, int]]:
    """Reason and count: of the parser, and of series that nothing can be made of."""
    book = fleet()
    samples = read(request(points), book, encoding)
    said = [(refusal.reason, refusal.count) for refusal in samples.refused]
    return said + [(book.why(int(n)).reason, 1) for n in samples.channel if n <= -2]


texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
values = st.one_of(
    st.floats(allow_nan=True, allow_infinity=True),
    st.integers(-(2**63), 2**63 - 1),
    st.none(),
)
# Attributes: at most six; JSON writes a double in a way that need not come back as the same text, so none of them.
attributes = st.dictionaries(
    texts.filter(lambda key: not key.startswith("otel.")),
    st.one_of(texts, st.booleans(), st.integers(-(2**53), 2**53)),
    max_size=6,
)
points = st.builds(
    Point,
    name=st.sampled_from(["a", "b", "hw.power"]),
    value=values,
    time=st.one_of(st.just(0), st.integers(1, 2**64 - 1)),
    start=st.one_of(st.just(0), st.integers(1, 2**64 - 1)),
    unit=st.sampled_from(["", "W"]),
    flags=st.sampled_from([0, 0, 0, 1, 2]),
    sums=st.sampled_from([0, 2]),
    monotonic=st.booleans(),
    attributes=attributes,
)


@given(st.lists(points, max_size=12), attributes, texts)
@settings(max_examples=150, deadline=None)
def test_the_quick_way_reads_what_the_reference_library_reads(
    said: list[Point], resource: dict[str, Any], scope: str
) -> None:
    """Whatever attributes, values, flags and times; twice, since a book that knows a series takes a shorter way."""
    made, book = request(said, resource=resource, scope=scope), echo_book()
    first = read(made, book, PROTOBUF)
    assert rows_of(first, book) == walk(made)
    assert rows_of(read(made, book, PROTOBUF), book) == walk(made)


@given(st.lists(points, max_size=8), attributes, texts)
@settings(max_examples=80, deadline=None)
def test_json_reads_what_protobuf_reads(
    said: list[Point], resource: dict[str, Any], scope: str
) -> None:
    """The same request, written by protobuf's own JSON library."""
    made, book = request(said, resource=resource, scope=scope), echo_book()
    assert rows_of(read(made, book, JSON), book) == walk(made)


@given(st.binary(max_size=200), st.integers(0, 400), st.integers(0, 255))
@settings(max_examples=150, deadline=None)
def test_a_damaged_request_is_read_as_the_reference_reads_it_or_refused(
    noise: bytes, place: int, byte: int
) -> None:
    """One byte changed, or noise in its place: never another error, never a sample that the reference does not see."""
    whole = bytearray(request([Point(), Point(time=NOON_NS + 1)]).SerializeToString())
    if place < len(whole):
        whole[place] = byte
    for body in (bytes(whole), noise):
        book = echo_book()
        try:
            samples = parse_otlp(body, book, content_type=PROTOBUF)
        except InvalidInput:
            continue
        try:
            reference = ExportMetricsServiceRequest.FromString(body)
        except DecodeError:  # ours refuses a broken point alone, the reference the whole body
            continue
        assert set(rows_of(samples, book)) <= set(walk(reference))


@BOTH
def test_whole_numbers_and_fractions_are_both_values(encoding: str) -> None:
    """AsInt and asDouble, a negative one, and an infinity that cleaning will refuse."""
    got = taken([Point(value=v) for v in (7, -7, 0.25, math.inf)], encoding)
    assert got == [("GPU-0001", "power_mw", NOON_US, v) for v in (7.0, -7.0, 0.25, math.inf)]


@BOTH
def test_no_recorded_value_is_not_measured(encoding: str) -> None:
    """The flag makes a point blank: refused and counted, not zero; with a value beside it just the same."""
    flagged = [Point(value=None, flags=1), Point(value=3.0, flags=1), Point(value=2.0)]
    assert refusals(flagged, encoding) == [("blank", 1), ("blank", 1)]
    assert [row[3] for row in taken(flagged, encoding)] == [2.0]


@BOTH
def test_a_point_without_a_value_is_refused(encoding: str) -> None:
    """Neither a number nor the flag for none: the point is malformed and counted."""
    assert refusals([Point(value=None)], encoding) == [("malformed", 1)]


@BOTH
def test_time_zero_is_no_time(encoding: str) -> None:
    """Refused with a count; 1970 itself passes here, since cleaning judges years."""
    assert refusals([Point(time=0), Point(time=0)], encoding) == [("no time", 2)]
    assert taken([Point(time=5_000_000)], encoding) == [("GPU-0001", "power_mw", 5_000, 1.5)]


@BOTH
def test_a_running_total_of_energy_stays_a_counter(encoding: str) -> None:
    """A cumulative sum of joules is taken as the counter's reading at the point's own time."""
    energy = Point(name="hw.energy", unit="J", sums=2, value=1234.5, start=NOON_NS - 10**12)
    assert taken([energy], encoding) == [("GPU-0001", "energy_mj", NOON_US, 1234.5)]


@BOTH
def test_a_delta_of_energy_is_mean_power_over_its_stretch(encoding: str) -> None:
    """6,000 J in ten seconds are 600 W from the start on: power x span is the delta again."""
    delta = Point(name="hw.energy", unit="J", sums=1, value=6000.0, start=NOON_NS - 10 * 10**9)
    assert taken([delta], encoding) == [("GPU-0001", "power_mw", NOON_US - 10_000_000, 600.0)]


@BOTH
def test_a_delta_of_bytes_is_a_rate(encoding: str) -> None:
    """4,000 bytes in two seconds are 2,000 bytes a second from the start on."""
    said = {"hw.id": "GPU-0001", "hw.gpu.direction": "transmit"}
    delta = Point(
        name="hw.gpu.io", unit="By", sums=1, value=4_000, start=NOON_NS - 2 * 10**9, attributes=said
    )
    assert taken([delta], encoding) == [("GPU-0001", "pcie_tx", NOON_US - 2_000_000, 2000.0)]


@BOTH
@pytest.mark.parametrize("start", [0, NOON_NS, NOON_NS + 1])
def test_a_delta_without_a_start_before_its_time_is_refused(encoding: str, start: int) -> None:
    """Energy over a stretch of no length or of unknown length is no power."""
    delta = Point(name="hw.energy", unit="J", sums=1, value=6000.0, start=start)
    assert refusals([delta], encoding) == [("no time", 1)]


@BOTH
@pytest.mark.parametrize(
    "point",
    [
        Point(name="hw.gpu.memory.usage", unit="By", sums=1, monotonic=False, value=4096),
        Point(name="hw.power", sums=1, value=4096.0, start=1),
    ],
)
def test_changes_of_a_level_are_refused_since_they_say_no_level(
    encoding: str, point: Point
) -> None:
    """A delta of memory or of power says by how much it changed, and nobody sent from where."""
    assert refusals([point], encoding) == [("unknown unit", 1)]


@BOTH
def test_a_level_as_a_sum_that_goes_up_and_down_is_a_level(encoding: str) -> None:
    """Used memory as a cumulative sum that is not monotonic: 4,096 bytes are four kibibytes in use."""
    level = Point(name="hw.gpu.memory.usage", unit="By", sums=2, monotonic=False, value=4096)
    assert taken([level], encoding) == [("GPU-0001", "mem_used_kib", NOON_US, 4.0)]


@BOTH
def test_histograms_and_summaries_are_passed_over_and_counted(encoding: str) -> None:
    """Each point of the three kinds keeps its place as passed over, and none is refused."""
    made = request([Point()])
    for name in ("histogram", "exponential_histogram", "summary"):
        metric = made.resource_metrics[0].scope_metrics[0].metrics.add(name="latency")
        getattr(metric, name).data_points.add(time_unix_nano=NOON_NS, count=3)
    samples = read(made, fleet(), encoding)
    assert samples.channel.tolist() == [0, PASSED_OVER, PASSED_OVER, PASSED_OVER]
    assert samples.refused == ()


@BOTH
def test_resource_scope_and_point_together_are_the_series(encoding: str) -> None:
    """Two hosts with a GPU "0" each are two devices; the nearer of two attributes of one name counts."""
    book = fleet()
    for host in ("n1", "n2"):
        near = {"hw.id": "0", "hw.type": "gpu", "host.id": "x"}
        made = request([Point(attributes=near)], resource={"host.name": host, "hw.id": "9"})
        read(made, book, encoding)
    assert sorted(book.devices) == ["n1/0", "n2/0"]


@BOTH
def test_the_same_series_again_is_one_look_up(encoding: str) -> None:
    """A second delivery teaches the book nothing."""
    book = fleet()
    read(request([Point()]), book, encoding)
    known = len(book.by_key)
    read(request([Point(value=9.0, time=NOON_NS + 10**9)]), book, encoding)
    assert len(book.by_key) == known


def test_points_in_another_order_of_fields_are_read_by_the_reference_library() -> None:
    """Attributes first, value before time: a valid encoding that no exporter writes."""
    point = request([Point()]).resource_metrics[0].scope_metrics[0].metrics[0].gauge.data_points[0]
    parts = [type(point)(attributes=point.attributes), type(point)(as_double=2.5)]
    parts.append(type(point)(time_unix_nano=NOON_NS))
    body = b"".join(part.SerializeToString() for part in parts)
    metric = _field(1, b"hw.power") + _field(3, b"W") + _field(5, _field(1, body))
    whole = _field(1, _field(2, _field(2, metric)))
    book = fleet()
    samples = parse_otlp(whole, book, content_type=PROTOBUF)
    assert samples.value.tolist() == [2.5]
    assert samples.at_us.tolist() == [NOON_US]


def test_exemplars_teach_the_book_no_series() -> None:
    """They differ from point to point, so a series with them is known by its attributes alone."""
    book, made = fleet(), request([Point(), Point(time=NOON_NS + 1)])
    for place, point in enumerate(
        made.resource_metrics[0].scope_metrics[0].metrics[0].gauge.data_points
    ):
        point.exemplars.add(as_double=float(place), time_unix_nano=NOON_NS)
    samples = read(made, book, PROTOBUF)
    assert samples.value.tolist() == [1.5, 1.5]
    assert len(book.by_key) == 1


def test_a_file_with_a_request_to_a_line_is_read() -> None:
    """As the collector's file exporter writes; an empty line is nothing."""
    lines = [json.dumps(json.loads(as_json(request([Point(value=v)])))) for v in (1.0, 2.0)]
    body = "\n".join([lines[0], "", lines[1]]).encode()
    assert parse_otlp(body, fleet(), content_type=JSON).value.tolist() == [1.0, 2.0]


def test_names_of_the_protocols_own_file_are_read_in_json() -> None:
    """snake_case and names of enumerations, as protobuf's JSON reader takes them too."""
    point = {"time_unix_nano": str(NOON_NS), "start_time_unix_nano": NOON_NS - 10**9}
    said = [{"key": "hw.id", "value": {"string_value": "GPU-0001"}}]
    said.append({"key": "hw.type", "value": {"stringValue": "gpu"}})
    sums = {"is_monotonic": True, "aggregation_temporality": "AGGREGATION_TEMPORALITY_DELTA"}
    sums |= {"data_points": [point | {"as_int": "500", "attributes": said}]}
    metric = {"name": "hw.energy", "unit": "J", "sum": sums}
    body = json.dumps({"resource_metrics": [{"scope_metrics": [{"metrics": [metric]}]}]})
    book = fleet()
    samples = parse_otlp(body.encode(), book, content_type=f"{JSON}; charset=utf-8")
    assert samples.value.tolist() == [500.0]
    assert book.channels[0].field == "power_mw"


def test_another_content_type_is_refused_with_the_two_that_are_read() -> None:
    """Plain text is refused, and the refusal names protobuf and JSON."""
    with pytest.raises(InvalidInput, match=r"content-type.*x-protobuf or application/json"):
        parse_otlp(b"", fleet(), content_type="text/plain")


@pytest.mark.parametrize("pad", [0, 32, 44, 76])
def test_an_encoding_that_nobody_named_is_told_by_the_first_byte(pad: int) -> None:
    """A request begins with a line feed and its length, which may be the code of a brace."""
    made = request([Point()], scope="x" * pad)
    assert content_type_of(made.SerializeToString()) == PROTOBUF
    assert content_type_of(as_json(made)) == JSON


def _field(number: int, inside: bytes) -> bytes:
    """A length-delimited field."""
    length, head = len(inside), bytearray([number << 3 | 2])
    while length > 127:
        head.append(length & 127 | 128)
        length >>= 7
    return bytes(head) + bytes([length]) + inside
