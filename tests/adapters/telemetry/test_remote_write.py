"""Remote-write 1 and 2: golden bytes, the quick readers beside protobuf itself, damage and its place."""

from __future__ import annotations

import random
import struct
from collections.abc import Callable
from typing import Any, Literal

import pytest
from google.protobuf.message import DecodeError  # type: ignore[import-untyped]  # no types
from hypothesis import given
from hypothesis import strategies as st

from sekisho.adapters.telemetry.columns import PASSED_OVER, SeriesBook
from sekisho.adapters.telemetry.names_dcgm import dcgm_mapper
from sekisho.adapters.telemetry.remote_write import parse_remote_write
from sekisho.adapters.telemetry.wire_messages import remote_write_1, remote_write_2
from sekisho.model.errors import InvalidInput
from tests.exporter_bodies import (
    Said,
    Series,
    as_write_1,
    as_write_2,
    dcgm_series,
    everything_book,
    said,
    snappy,
)

Version = Literal[1, 2]
VERSIONS: tuple[Version, Version] = (1, 2)
AT_MS = 1_700_000_000_123
WRITE: dict[int, Callable[..., bytes]] = {1: as_write_1, 2: as_write_2}
STALE = struct.unpack("<d", (0x7FF0000000000002).to_bytes(8, "little"))[0]


def read(body: bytes, version: Version, book: SeriesBook | None = None) -> Said:
    book = book or everything_book()
    samples = parse_remote_write(body, book, version=version, compressed=False)
    return said(samples, book)


def read_or_refuse(body: bytes, version: Version, book: SeriesBook | None = None) -> Said | str:
    try:
        return read(body, version, book)
    except InvalidInput as error:
        return str(error)


def test_bytes_of_version_1_are_read() -> None:
    """Written by hand from the protocol's field numbers."""
    label = b"\x0a\x0d\x0a\x08__name__\x12\x01m" + b"\x0a\x06\x0a\x01a\x12\x01b"
    sample = b"\x12\x10\x09" + struct.pack("<d", 1.5) + b"\x10\xfb\xd0\x95\xff\xbc\x31"
    body = b"\x0a" + bytes([len(label + sample)]) + label + sample
    assert read(body, 1) == ([('["m", [["a", "b"]]]', AT_MS * 1000, (1.5).hex())], {})
    assert as_write_1([("m", {"a": "b"})], [[(1.5, AT_MS)]], pack=False) == body


def test_bytes_of_version_2_are_read() -> None:
    """Symbols, references, a sample, metadata."""
    symbols = b"".join(b"\x22" + bytes([len(word)]) + word for word in (b"", b"__name__", b"m"))
    sample = b"\x12\x07\x10\xfb\xd0\x95\xff\xbc\x31"
    series = b"\x0a\x02\x01\x02" + sample + b"\x2a\x02\x08\x02"
    body = symbols + b"\x2a" + bytes([len(series)]) + series
    assert read(body, 2) == ([('["m", []]', AT_MS * 1000, (0.0).hex())], {})


@pytest.mark.parametrize("version", VERSIONS)
def test_what_a_prometheus_sends_of_a_dcgm_exporter_becomes_channels(version: Version) -> None:
    """Packed with snappy, as on the wire; each device's quantities under its UUID."""
    series = dcgm_series(hosts=1, gpus=1)
    body = WRITE[version](series, [[(float(n), AT_MS)] for n in range(len(series))])
    book = SeriesBook(dcgm_mapper(site="east"), "east")
    samples = parse_remote_write(body, book, version=version)
    assert (samples.channel == PASSED_OVER).sum() == 2
    assert samples.value.tolist() == [float(n) for n in range(len(series))]
    assert set(samples.at_us.tolist()) == {AT_MS * 1000}
    assert {channel.field for channel in book.channels} >= {"tensor_ppm", "sm_clock_khz", "xid"}


@pytest.mark.parametrize("version", VERSIONS)
def test_stale_markers_are_passed_over_and_other_nans_are_not(version: Version) -> None:
    """A stale marker says that the series ended: no measurement, and no fault."""
    series: list[Series] = [("a", {}), ("b", {}), ("c", {})]
    body = WRITE[version](
        series, [[(STALE, AT_MS)], [(float("nan"), AT_MS)], [(1.0, AT_MS)]], pack=False
    )
    book = everything_book()
    for _ in range(3):
        samples = parse_remote_write(body, book, version=version, compressed=False)
        assert (samples.channel < 0).tolist() == [True, False, False]
        assert not samples.refused


@pytest.mark.parametrize("version", VERSIONS)
def test_several_samples_of_a_series_are_read_in_order(version: Version) -> None:
    """And stand where their series stood, whichever way the neighbours went."""
    series: list[Series] = [("a", {}), ("b", {"x": "y"}), ("c", {})]
    samples = [[(1.0, AT_MS)], [(2.0, AT_MS), (0.0, AT_MS + 1), (3.0, 5)], [(0.0, AT_MS)]]
    body = WRITE[version](series, samples, pack=False)
    book = everything_book()
    for _ in range(3):
        rows, refused = read(body, version, book)
        assert [float.fromhex(row[2]) for row in rows] == [1.0, 2.0, 0.0, 3.0, 0.0]
        assert [row[1] // 1000 for row in rows] == [AT_MS, AT_MS, AT_MS + 1, 5, AT_MS]
        assert not refused


def test_histograms_exemplars_and_metadata_are_passed_over() -> None:
    """Histograms are counted in a note: somebody may look for them."""
    for version, messages in ((1, remote_write_1()), (2, remote_write_2())):
        request = messages["Request"]()
        series = request.timeseries.add()
        if version == 1:
            series.labels.add(name="__name__", value="m")
            request.metadata.add(type=1, family="m", help="what it is")
        else:
            request.symbols.extend(["", "__name__", "m"])
            series.labels_refs.extend([1, 2])
            series.created_timestamp = 7
        series.samples.add(value=1.0, timestamp=AT_MS)
        series.exemplars.add(value=2.0)
        series.histograms.add(sum=3.0, count_int=4).positive_spans.add(offset=1, length=1)
        samples = parse_remote_write(
            request.SerializeToString(),
            everything_book(),
            version=version,  # type: ignore[arg-type]  # a loop over literals
            compressed=False,
        )
        assert samples.value.tolist() == [1.0]
        assert samples.notes == ("1 native histograms passed over",)


@pytest.mark.parametrize(
    ("labels", "why"),
    [
        ([], "no metric name"),
        ([("a", "b")], "no metric name"),
        ([("__name__", "")], "no metric name"),
        ([("__name__", "m"), ("a", "1"), ("a", "1")], "the label 'a' twice"),
        ([("__name__", "m"), ("", "1")], "a label without a name"),
    ],
)
@pytest.mark.parametrize("version", VERSIONS)
def test_a_series_that_nobody_can_name_is_refused_alone(
    version: Version, labels: list[tuple[str, str]], why: str
) -> None:
    """Its samples are counted, its neighbours read; the second time as the first."""
    request, symbols = _request(version), [""]
    for these in (labels, [("__name__", "good")]):
        series = request.timeseries.add()
        for pair in these:
            if version == 1:
                series.labels.add(name=pair[0], value=pair[1])
            else:
                series.labels_refs.extend([len(symbols), len(symbols) + 1])
                symbols += pair
        series.samples.add(value=1.0, timestamp=AT_MS)
        series.samples.add(value=2.0, timestamp=AT_MS)
    if version == 2:
        request.symbols.extend(symbols)
    book = everything_book()
    for _ in range(2):
        samples = parse_remote_write(
            request.SerializeToString(), book, version=version, compressed=False
        )
        assert len(samples.channel) == 2
        (refusal,) = samples.refused
        assert (refusal.reason, refusal.count) == ("malformed", 2)
        assert refusal.first == f"series 1: {why}"
        assert refusal.remedy


@pytest.mark.parametrize(
    ("refs", "why"),
    [
        ([1, 2, 3], "a label reference without its other half"),
        ([1, 9], "a label reference beyond the symbols"),
        ([1, 2**32 - 1], "a label reference beyond the symbols"),
    ],
)
def test_references_into_nowhere_are_refused(refs: list[int], why: str) -> None:
    """And do not lead to the labels of another series."""
    request = remote_write_2()["Request"](symbols=["", "__name__", "m", "x"])
    for these in (refs, [1, 2]):
        series = request.timeseries.add(labels_refs=these)
        series.samples.add(value=1.0, timestamp=AT_MS)
    body = request.SerializeToString()
    samples = parse_remote_write(body, everything_book(), version=2, compressed=False)
    assert [refusal.first for refusal in samples.refused] == [f"series 1: {why}"]
    assert len(samples.channel) == 1


@pytest.mark.parametrize("version", VERSIONS)
def test_a_time_beyond_every_calendar_is_refused(version: Version) -> None:
    """As microseconds it would not fit 64 bits."""
    for at_ms in (2**63 - 1, -(2**63)):
        body = WRITE[version]([("m", {})], [[(1.0, at_ms), (2.0, AT_MS)]], pack=False)
        rows, refused = read(body, version)
        assert (len(rows), refused) == (1, {"no time": 1})


def _request(version: Version) -> Any:
    return (remote_write_1() if version == 1 else remote_write_2())["Request"]()


# --- broken bodies ----------------------------------------------------------------------------


@pytest.mark.parametrize("version", VERSIONS)
def test_half_a_protobuf_is_refused_whole_with_the_place(version: Version) -> None:
    """Cut at any byte it is refused, or it is a whole request with fewer series."""
    series = dcgm_series(hosts=1, gpus=1)[:3]
    body = WRITE[version](series, [[(1.5, AT_MS)]] * 3, pack=False)
    whole = 0
    for cut in range(len(body)):
        found = read_or_refuse(body[:cut], version)
        if isinstance(found, str):
            assert " at byte " in found
        else:
            whole += 1
    assert 0 < whole < 60


def test_the_place_is_that_of_the_field_that_breaks() -> None:
    """Inside a label of the second series."""
    body = as_write_1([("m", {}), ("n", {"a": "b"})], [[], []], pack=False)
    at = body.rindex(b"b")
    with pytest.raises(InvalidInput, match=f"text that is not UTF-8 at byte {at} of {len(body)}"):
        read(body[:at] + b"\xff" + body[at + 1 :], 1)


def test_wrong_compression_is_refused_with_a_remedy() -> None:
    """Plain protobuf where snappy is said, snappy where it is not, gzip for snappy."""
    plain = as_write_1([("m", {})], [[(1.0, AT_MS)]], pack=False)
    for body, compressed in (
        (plain, True),
        (snappy(plain), False),
        (b"\x1f\x8b\x08" + plain, True),
    ):
        with pytest.raises(InvalidInput) as caught:
            parse_remote_write(body, everything_book(), version=1, compressed=compressed)
        assert caught.value.remedy


def test_the_other_versions_request_has_nothing_in_it() -> None:
    """The protocol keeps their fields apart, so a mistaken version reads no sample as another."""
    series = dcgm_series(hosts=1, gpus=1)
    samples = [[(1.0, AT_MS)]] * len(series)
    assert read(as_write_2(series, samples, pack=False), 1) == ([], {})
    assert read(as_write_1(series, samples, pack=False), 2) == ([], {})


# --- beside protobuf itself -------------------------------------------------------------------

WORDS = st.text(st.characters(exclude_categories=["Cs"]), max_size=4)
SERIES = st.tuples(
    st.text("mn", min_size=1, max_size=2),
    st.dictionaries(WORDS.filter(lambda word: word not in ("", "__name__")), WORDS, max_size=3),
)
NUMBERS = st.one_of(st.sampled_from([0.0, -0.0, STALE, float("nan"), float("inf")]), st.floats())
TIMES = st.one_of(st.integers(2**35, 2**42 - 1), st.integers(-(2**63), 2**63 - 1))
SAMPLES = st.one_of(
    st.lists(st.tuples(NUMBERS, TIMES), min_size=1, max_size=1),
    st.lists(st.tuples(NUMBERS, TIMES), max_size=3),
)


def by_protobuf(body: bytes, version: Version) -> Said | None:
    """What the message types say, read without any of our shortcuts; None where they refuse."""
    request = _request(version)
    try:
        request.ParseFromString(body)
    except DecodeError:
        return None
    book = everything_book()
    rows: list[tuple[str, int, str]] = []
    refused: dict[Any, int] = {}
    for series in request.timeseries:
        pairs = _pairs(request, series, version)
        names = [name for name, _ in pairs]
        metric = dict(pairs).get("__name__", "")
        if "" in names or len(set(names)) < len(names) or not metric:
            if series.samples:
                refused["malformed"] = refused.get("malformed", 0) + len(series.samples)
            continue
        labels = {name: value for name, value in pairs if name != "__name__"}
        device = book.channels[book.learn(object(), metric, labels)].device
        for sample in series.samples:
            if abs(sample.timestamp) > 2**62 // 1000:
                refused["no time"] = refused.get("no time", 0) + 1
                continue
            is_stale = struct.pack("<d", sample.value) == (0x7FF0000000000002).to_bytes(8, "little")
            name = "-1" if is_stale else device
            rows.append((name, sample.timestamp * 1000, float(sample.value).hex()))
    return rows, refused


def _pairs(request: Any, series: Any, version: Version) -> list[tuple[str, str]]:
    if version == 1:
        return [(label.name, label.value) for label in series.labels]
    refs = list(series.labels_refs)
    if len(refs) % 2 or any(ref >= len(request.symbols) for ref in refs):
        return []
    words = [request.symbols[ref] for ref in refs]
    return list(zip(words[::2], words[1::2], strict=True))


@pytest.mark.parametrize("version", VERSIONS)
@given(written=st.lists(st.tuples(SERIES, SAMPLES), max_size=5))
def test_a_request_is_read_as_protobuf_reads_it(
    version: Version, written: list[tuple[Series, list[tuple[float, int]]]]
) -> None:
    """Three times with one book, so that the quick way is taken; with times of every length."""
    series, samples = [one for one, _ in written], [these for _, these in written]
    body = WRITE[version](series, samples, pack=False)
    book = everything_book()
    expected = by_protobuf(body, version)
    assert [read(body, version, book) for _ in range(3)] == [expected] * 3


@pytest.mark.parametrize("version", VERSIONS)
@given(
    written=st.lists(st.tuples(SERIES, SAMPLES), min_size=1, max_size=3),
    data=st.data(),
)
def test_a_damaged_request_is_read_as_protobuf_reads_it(
    version: Version, written: list[tuple[Series, list[tuple[float, int]]]], data: st.DataObject
) -> None:
    """By a book that knows the whole one: refused where protobuf refuses, and else the same samples."""
    series, samples = [one for one, _ in written], [these for _, these in written]
    body = WRITE[version](series, samples, pack=False)
    book = everything_book()
    read(body, version, book)
    at = data.draw(st.integers(0, max(0, len(body) - 1)))
    put = data.draw(st.binary(max_size=2))
    until = data.draw(st.integers(at, min(len(body), at + 2)))
    damaged = body[:at] + put + body[until:]
    expected = by_protobuf(damaged, version)
    for reader in (book, everything_book()):
        found = read_or_refuse(damaged, version, reader)
        if expected is None:
            assert isinstance(found, str)
        else:
            assert found == expected


@pytest.mark.parametrize("version", VERSIONS)
def test_a_warm_book_reads_requests_in_any_order(version: Version, dice: random.Random) -> None:
    """Of version 2 the symbols stand at other places each time."""
    book = everything_book()
    series = dcgm_series(hosts=2)
    for _ in range(4):
        dice.shuffle(series)
        samples = [[(dice.choice([0.0, dice.random()]), AT_MS + n)] for n in range(len(series))]
        body = WRITE[version](series, samples, pack=False)
        assert read(body, version, book) == by_protobuf(body, version)


@pytest.mark.parametrize("version", VERSIONS)
def test_the_quick_way_is_taken(version: Version, monkeypatch: pytest.MonkeyPatch) -> None:
    """Known series with one sample never reach the full reader, zero or not."""
    series = dcgm_series(hosts=1)
    body = WRITE[version](series, [[(float(n % 2), AT_MS)] for n in range(len(series))], pack=False)
    book = everything_book()
    expected = read(body, version, book)
    monkeypatch.setattr(
        f"sekisho.adapters.telemetry.remote_write_{version}._read_in_full", _read_nothing
    )
    assert read(body, version, book) == expected


def _read_nothing(*_: object) -> None:
    """In the place of the full reader: what it would have to read is missing."""
