"""Attacks with OTLP: broken frames, bombs and words that mean something else, each refused or bounded."""

from __future__ import annotations

import json
import time
import tracemalloc
from contextlib import suppress
from typing import Any

import pytest

from sekisho.adapters.telemetry.columns import MAX_DEVICES, MAX_SERIES, SeriesBook
from sekisho.adapters.telemetry.names_otel import otel_mapper
from sekisho.adapters.telemetry.otlp import parse_otlp
from sekisho.model.errors import InvalidInput
from tests.otlp_bodies import JSON, NOON_NS, PROTOBUF, Point, as_json, request

BOTH = pytest.mark.parametrize("encoding", [PROTOBUF, JSON])


def book() -> SeriesBook:
    return SeriesBook(otel_mapper(site="osaka-1"), "osaka-1")


def body_of(points: list[Point], encoding: str, **around: Any) -> bytes:
    made = request(points, **around)
    return made.SerializeToString() if encoding == PROTOBUF else as_json(made)


def bombed(points: list[Point], encoding: str, **around: Any) -> list[str]:
    """Why each point that came is unusable; nothing of it is remembered."""
    known = book()
    samples = parse_otlp(body_of(points, encoding, **around), known, content_type=encoding)
    assert known.devices == {}
    assert len(known.by_key) <= 1
    return [known.why(int(number)).reason for number in samples.channel]


@BOTH
def test_half_a_request_is_refused_whole_at_every_length(encoding: str) -> None:
    """Cut anywhere, it is refused or holds fewer points: never another error, never a point that was not sent."""
    whole = body_of([Point(value=float(v), time=NOON_NS + v) for v in range(4)], encoding)
    for length in range(len(whole)):
        with suppress(InvalidInput):
            assert len(parse_otlp(whole[:length], book(), content_type=encoding).value) < 4
    with pytest.raises(InvalidInput, match="body"):
        parse_otlp(whole[: len(whole) - 1], book(), content_type=encoding)


def test_a_hundred_thousand_attributes_are_refused_and_not_remembered() -> None:
    """Each point that carries them is malformed, and no device is known afterwards."""
    bomb = {f"a{number}": "x" for number in range(100_000)}
    assert bombed([Point(attributes=bomb)] * 2, PROTOBUF) == ["malformed", "malformed"]


def test_a_hundred_thousand_attributes_in_json_are_refused_and_not_remembered() -> None:
    """Their point is malformed in JSON as well, and no device is known afterwards."""
    bomb = [{"key": f"a{number}", "value": {"stringValue": "x"}} for number in range(100_000)]
    point = {"timeUnixNano": NOON_NS, "asInt": 1, "attributes": bomb}
    known = book()
    samples = parse_otlp(_json_of([point]), known, content_type=JSON)
    assert [known.why(int(number)).reason for number in samples.channel] == ["malformed"]
    assert (known.devices, len(known.by_key)) == ({}, 1)


@BOTH
def test_a_bomb_in_the_resource_is_refused_and_not_remembered(encoding: str) -> None:
    """Five thousand attributes around the points make each of them malformed, and no device is known afterwards."""
    bomb = {f"a{number}": "x" * 40 for number in range(5_000)}
    assert bombed([Point(), Point()], encoding, resource=bomb) == ["malformed", "malformed"]


@BOTH
def test_one_attribute_of_a_megabyte_is_refused_and_not_remembered(encoding: str) -> None:
    """A device's id of a megabyte makes its point malformed and names no device."""
    assert bombed([Point(attributes={"hw.id": "x" * 1_000_000})], encoding) == ["malformed"]


def test_values_nested_a_million_deep_cost_their_point() -> None:
    """Lists in lists, as bytes; the reference library gives up at its own depth, and so do we."""
    value = b""
    for _ in range(2_000):
        value = _field(5, _field(1, value)) if len(value) < 60_000 else value
    key = _field(1, b"hw.id") + _field(2, value)
    point = b"\x19" + NOON_NS.to_bytes(8, "little") + b"\x21" + bytes(8) + _field(7, key)
    samples = parse_otlp(_metric(point + b""), book(), content_type=PROTOBUF)
    assert [(r.reason, r.count) for r in samples.refused] == [("malformed", 1)]


def test_json_nested_a_million_deep_is_refused() -> None:
    """A million open brackets are refused for their depth, before anything breaks on them."""
    with pytest.raises(InvalidInput, match="nested deeper"):
        parse_otlp(b'{"resourceMetrics":' + b"[" * 1_000_000, book(), content_type=JSON)


def test_json_with_a_name_twice_is_refused() -> None:
    """Readers differ on which of the two counts, so neither does."""
    text = as_json(request([Point()])).replace(b'"unit"', b'"unit": "mW", "unit"')
    with pytest.raises(InvalidInput, match="stands twice"):
        parse_otlp(text, book(), content_type=JSON)


def test_json_with_a_bare_nan_is_refused_and_the_word_is_a_value_for_cleaning() -> None:
    """In quotes it is the protocol's way to write a value; without them the body is refused."""
    text = as_json(request([Point(value=float("nan"))]))
    samples = parse_otlp(text, book(), content_type=JSON)
    assert str(samples.value.tolist()) == "[nan]"
    with pytest.raises(InvalidInput, match="NaN"):
        parse_otlp(text.replace(b'"NaN"', b"NaN"), book(), content_type=JSON)


@pytest.mark.parametrize(
    "wrong",
    [
        {"asDouble": "twelve"},
        {"asDouble": True},
        {"asDouble": []},
        {"asInt": "1.5"},
        {"asInt": "0x10"},
        {"asInt": {}},
        {"asInt": 1.5},
        {"timeUnixNano": "soon"},
        {"timeUnixNano": -1},
        {"timeUnixNano": str(2**64)},
        {"timeUnixNano": "9" * 5_000},
        {"flags": "x"},
        {"attributes": {}},
        {"attributes": [7]},
        {"attributes": [{"key": 7}]},
        {"attributes": [{"key": "a", "value": "b"}]},
    ],
)
def test_json_of_the_wrong_type_costs_its_point_and_names_it(wrong: dict[str, Any]) -> None:
    """The point is malformed by its path within the request, and the good point before it is taken."""
    good: dict[str, Any] = {"timeUnixNano": str(NOON_NS), "asInt": "1", "attributes": _gpu()}
    samples = parse_otlp(_json_of([good, good | wrong]), book(), content_type=JSON)
    ((reason, count, first),) = [(r.reason, r.count, r.first) for r in samples.refused]
    assert (reason, count) == ("malformed", 1)
    assert first.startswith("resourceMetrics[0].scopeMetrics[0].metrics[0].gauge.dataPoints[1]: ")
    assert samples.value.tolist() == [1.0]


@pytest.mark.parametrize(
    "text",
    [
        b'{"resourceMetrics": {}}',
        b'{"resourceMetrics": [7]}',
        b'{"resourceMetrics": [{"resource": 7}]}',
        b'{"resourceMetrics": [{"scopeMetrics": [{"metrics": "x"}]}]}',
        b'{"resourceMetrics": [{"scopeMetrics": [{"scope": {"name": 7}}]}]}',
        b'{"resourceMetrics": [{"scopeMetrics": [{"metrics": [{"name": 7, "gauge": {}}]}]}]}',
        b"[]",
        b"7",
        b"",
        b"\xff{}",
    ],
)
def test_json_of_another_shape_is_refused_with_its_path(text: bytes) -> None:
    """A body whose parts are not what the protocol says is refused whole, and the refusal says where."""
    with pytest.raises(InvalidInput) as refused:
        parse_otlp(text, book(), content_type=JSON)
    assert refused.value.path


def test_a_blank_of_dcgm_in_json_costs_no_other_point() -> None:
    """9.2e18 stands beyond 2^53, where documents of ours may not go: it comes through, for cleaning to refuse."""
    said = [Point(value=9_223_372_036_854_775_794), Point(value=9.223372036854776e18), Point()]
    samples = parse_otlp(body_of(said, JSON), book(), content_type=JSON)
    assert samples.value.tolist() == [9.223372036854776e18, 9.223372036854776e18, 1.5]


@BOTH
def test_an_attribute_named_as_ours_does_not_change_the_unit_or_the_kind(encoding: str) -> None:
    """A sender may write `otel.unit` itself; what its metric states counts."""
    said = {"hw.id": "GPU-0001", "otel.unit": "kW", "otel.kind": "gauge", "hw.type": "gpu"}
    known = book()
    parse_otlp(body_of([Point(attributes=said)], encoding), known, content_type=encoding)
    assert known.channels[0].factor == 1.0


def test_text_that_is_no_utf8_costs_its_point() -> None:
    """An attribute whose key is broken bytes makes its point malformed."""
    point = b"\x19" + NOON_NS.to_bytes(8, "little") + b"\x21" + bytes(8)
    bad = point + _field(7, _field(1, b"\xff") + _field(2, _field(1, b"x")))
    samples = parse_otlp(_metric(bad), book(), content_type=PROTOBUF)
    assert [(r.reason, r.count) for r in samples.refused] == [("malformed", 1)]


def test_points_shorter_than_a_head_are_no_points() -> None:
    """Every length below that of a point, beside a good one: nothing is taken from the next point's bytes."""
    whole = b"\x19" + NOON_NS.to_bytes(8, "little") + b"\x21" + bytes(8)
    for length in range(len(whole)):
        samples = parse_otlp(_metric(whole[:length], whole), book(), content_type=PROTOBUF)
        assert len(samples.value) <= 2
        assert set(samples.at_us.tolist()) <= {0, NOON_NS // 1000}


def test_a_million_series_are_bounded_in_memory_and_none_is_lost() -> None:
    """Each point names another series: the book holds what it may, and every sample has its channel."""
    count = 5_000
    series = [Point(attributes={"hw.id": f"GPU-{n:08d}", "hw.type": "gpu"}) for n in range(count)]
    body, known = body_of(series, PROTOBUF), book()
    tracemalloc.start()
    samples = parse_otlp(body, known, content_type=PROTOBUF)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert len(set(samples.channel.tolist())) == count
    assert peak / count < 4_000  # bytes a series, all told
    assert count < MAX_SERIES


@pytest.mark.soak
def test_a_million_series_come_through_in_minutes() -> None:
    """A million series in one request are read in less than five minutes.

    As many as a site may name devices have a channel each, the rest are refused for being too many.
    """
    points = [
        Point(attributes={"hw.id": f"GPU-{n:08d}"}, name="hw.gpu.power") for n in range(10**6)
    ]
    body, known = body_of(points, PROTOBUF), book()
    began = time.monotonic()
    samples = parse_otlp(body, known, content_type=PROTOBUF)
    channels = set(samples.channel.tolist())
    assert len([channel for channel in channels if channel >= 0]) == MAX_DEVICES
    assert len(samples.channel) == 10**6
    assert time.monotonic() - began < 300


def test_a_value_that_changes_its_series_teaches_a_bounded_book(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A timestamp as an attribute makes each point its own series: the book forgets, and goes on."""
    monkeypatch.setattr("sekisho.adapters.telemetry.columns.MAX_SERIES", 50)
    known = book()
    for number in range(300):
        said = {"hw.id": "GPU-0001", "hw.type": "gpu", "now": str(number)}
        samples = parse_otlp(
            body_of([Point(attributes=said)], PROTOBUF), known, content_type=PROTOBUF
        )
        assert samples.channel.tolist() == [0]
    assert len(known.by_key) <= 50


def test_more_bytes_than_a_body_may_have_are_refused_unread(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """One byte over the limit is refused for its length, whatever the bytes say."""
    monkeypatch.setattr("sekisho.adapters.telemetry.otlp.MAX_BODY", 100)
    with pytest.raises(InvalidInput, match="more than 100 bytes"):
        parse_otlp(bytes(101), book(), content_type=PROTOBUF)


def _gpu() -> list[dict[str, Any]]:
    said = {"hw.id": "GPU-0001", "hw.type": "gpu"}
    return [{"key": key, "value": {"stringValue": value}} for key, value in said.items()]


def _json_of(points: list[dict[str, Any]]) -> bytes:
    metric = {"name": "hw.power", "unit": "W", "gauge": {"dataPoints": points}}
    return json.dumps({"resourceMetrics": [{"scopeMetrics": [{"metrics": [metric]}]}]}).encode()


def _metric(*points: bytes) -> bytes:
    """A request with one gauge hw.power of these points, as bytes."""
    gauge = b"".join(_field(1, point) for point in points)
    metric = _field(1, b"hw.power") + _field(3, b"W") + _field(5, gauge)
    return _field(1, _field(2, _field(2, metric)))


def _field(number: int, inside: bytes) -> bytes:
    """A length-delimited field."""
    length, head = len(inside), bytearray([number << 3 | 2])
    while length > 127:
        head.append(length & 127 | 128)
        length >>= 7
    return bytes(head) + bytes([length]) + inside
