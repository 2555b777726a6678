"""Attacks on the readers of exporter text and remote-write: floods, bombs, disguises, forged slices."""

from __future__ import annotations

import random
import struct
import time

import pytest

from sekisho.adapters.telemetry import columns
from sekisho.adapters.telemetry.columns import PASSED_OVER, SeriesBook, Unusable
from sekisho.adapters.telemetry.decompress import decompress
from sekisho.adapters.telemetry.exposition_lines import LONGEST_SERIES
from sekisho.adapters.telemetry.names_dcgm import dcgm_mapper
from sekisho.adapters.telemetry.prometheus_text import parse_prometheus
from sekisho.adapters.telemetry.remote_write import parse_remote_write
from sekisho.adapters.telemetry.wire_messages import remote_write_2
from sekisho.model.errors import InvalidInput
from tests.exporter_bodies import (
    as_write_1,
    as_write_2,
    dcgm_series,
    everything_book,
    said,
)

NOW = 1_700_000_000_000_000
AT_MS = NOW // 1000
UUID = "GPU-153bdcb7-df30-40e2-3f2c-379902ba72fa"


def dcgm_book() -> SeriesBook:
    return SeriesBook(dcgm_mapper(site="east"), "east")


def test_a_value_hidden_in_a_label_is_not_read() -> None:
    """A reader that looks for the last brace, or the first, would take 999 or another device."""
    line = (
        f'DCGM_FI_DEV_GPU_UTIL{{UUID="{UUID}",pod="x\\"}} 999\\n{{UUID=\\"GPU-other\\"}} 1"}} 50\n'
    )
    book = dcgm_book()
    for _ in range(3):
        samples = parse_prometheus(line.encode(), book, received_us=NOW)
        assert samples.value.tolist() == [50.0]
        assert set(book.devices) == {UUID}


def test_a_line_feed_in_a_label_cannot_forge_a_line() -> None:
    """Written bare it breaks the line in two, and neither half is a sample."""
    body = f'm{{pod="\nDCGM_FI_DEV_GPU_UTIL{{UUID=\\"{UUID}\\"}} 0\n"}} 1\n'.encode()
    samples = parse_prometheus(body, dcgm_book(), received_us=NOW)
    assert len(samples.channel) == 0
    assert samples.refused[0].count == 3


def test_the_label_of_one_device_cannot_claim_a_slice_of_another() -> None:
    """`GPU-a/7` as a UUID would be the seventh slice of GPU-a."""
    body = f'DCGM_FI_DEV_GPU_UTIL{{UUID="{UUID}/7"}} 0\n'.encode()
    book = dcgm_book()
    samples = parse_prometheus(body, book, received_us=NOW)
    assert book.why(int(samples.channel[0])).reason == "no device"
    assert not book.devices


def test_a_label_twice_cannot_name_two_devices() -> None:
    """In text and in both versions of remote-write; readers differ on which of the two counts."""
    text = b'DCGM_FI_DEV_GPU_UTIL{UUID="GPU-a",UUID="GPU-b"} 1\n'
    samples = parse_prometheus(text, dcgm_book(), received_us=NOW)
    assert (len(samples.channel), samples.refused[0].reason) == (0, "malformed")
    request = remote_write_2()["Request"](symbols=["", "__name__", "m", "UUID", "GPU-a", "GPU-b"])
    request.timeseries.add(labels_refs=[1, 2, 3, 4, 3, 5]).samples.add(value=1.0, timestamp=AT_MS)
    samples = parse_remote_write(
        request.SerializeToString(), dcgm_book(), version=2, compressed=False
    )
    assert (len(samples.channel), samples.refused[0].reason) == (0, "malformed")


def test_labels_behind_the_samples_cannot_hide_from_a_known_block() -> None:
    """A series that begins like a known one and names another label behind its sample is another series."""
    known = as_write_1([("m", {"UUID": "GPU-a"})], [[(1.0, AT_MS)]], pack=False)
    inner = known[2:] + b"\x0a\x08\x0a\x03pod\x12\x01x"
    disguised = b"\x0a" + bytes([len(inner)]) + inner
    book = everything_book()
    for body, labels in ((known, 1), (disguised, 2), (known, 1), (disguised, 2)):
        samples = parse_remote_write(body, book, version=1, compressed=False)
        (row,), _ = said(samples, book)
        assert row[0].count("[") - 2 == labels


def test_a_value_that_looks_like_a_sample_is_read_as_the_value_it_is() -> None:
    """Eight bytes that end like a short sample must not be cut in the middle."""
    sly = struct.unpack("<d", b"\x01\x02\x03\x04\x05\x12\x07\x10")[0]
    body = as_write_1([("m", {"UUID": "GPU-a"})], [[(sly, AT_MS)]], pack=False)
    book = everything_book()
    for _ in range(3):
        samples = parse_remote_write(body, book, version=1, compressed=False)
        assert samples.value.tolist() == [sly]


def test_symbols_in_another_order_do_not_lead_to_another_series() -> None:
    """The same references into another table of symbols are other labels."""
    book = everything_book()
    for gpu in ("GPU-a", "GPU-b", "GPU-a", "GPU-b"):
        body = as_write_2([("m", {"UUID": gpu})], [[(1.0, AT_MS)]], pack=False)
        (row,), _ = said(parse_remote_write(body, book, version=2, compressed=False), book)
        assert gpu in row[0]


def test_a_million_series_are_learned_in_bounded_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    """The book forgets and learns anew at its bound, here a thousandth of it, and loses no sample."""
    monkeypatch.setattr(columns, "MAX_SERIES", 4_000)
    book = SeriesBook(lambda _name, _labels: None, "east")
    body = b"".join(b'm{UUID="GPU-%d"} %d\n' % (place, place) for place in range(10_000))
    for _ in range(2):
        samples = parse_prometheus(body, book, received_us=NOW)
        assert samples.value.tolist() == list(range(10_000))
        assert (samples.channel == PASSED_OVER).all()
        assert len(book.by_key) <= 4_000


@pytest.mark.soak
def test_a_million_series_in_one_body_are_all_read() -> None:
    """By number: four of each of a quarter of a million devices, which is as many as a site may name."""
    names = (
        b"DCGM_FI_DEV_GPU_UTIL",
        b"DCGM_FI_DEV_SM_CLOCK",
        b"DCGM_FI_DEV_POWER_USAGE",
        b"DCGM_FI_PROF_PIPE_TENSOR_ACTIVE",
    )
    body = b"".join(
        b'%b{UUID="GPU-%d",pod="p"} %d\n' % (name, place, place % 101)
        for place in range(250_000)
        for name in names
    )
    book = dcgm_book()
    for _ in range(2):
        samples = parse_prometheus(body, book, received_us=NOW)
        assert len(set(samples.channel.tolist())) == 1_000_000


def test_channels_without_end_are_refused_as_too_many(monkeypatch: pytest.MonkeyPatch) -> None:
    """A sender that invents a new device in every line fills no memory."""
    monkeypatch.setattr(columns, "MAX_SERIES", 100)
    book = dcgm_book()
    body = b"".join(b'DCGM_FI_DEV_GPU_UTIL{UUID="GPU-%d"} 1\n' % place for place in range(300))
    samples = parse_prometheus(body, book, received_us=NOW)
    refused = samples.channel[samples.channel < 0]
    assert (len(book.channels), len(book.devices), len(refused)) == (100, 100, 200)
    assert book.why(int(refused[0])).reason == "too many series"


def test_heads_of_a_megabyte_are_not_remembered() -> None:
    """A line over 64 KiB is refused, whatever it says, the second time too."""
    line = b'm{a="' + b"x" * 2**20 + b'"} 1\n'
    book = everything_book()
    for _ in range(2):
        samples = parse_prometheus(b"a 1\n" + line + b"b 2\n", book, received_us=NOW)
        assert samples.value.tolist() == [1.0, 2.0]
        assert samples.refused[0].first.startswith("line 2: longer than 65,536 bytes")
        assert len(samples.refused[0].first) <= 200


def test_a_series_at_the_limit_is_read_alike_by_every_way() -> None:
    """It is the series that is measured, so that a longer value changes nothing."""
    book = everything_book()
    for length, taken in ((LONGEST_SERIES, True), (LONGEST_SERIES + 1, False)):
        head = b'm{a="' + b"x" * (length - 7) + b'"}'
        for tail in (b" 1\n", b" 123456789\n", b" 1 2\n", b" 1\n"):
            samples = parse_prometheus(head + tail, book, received_us=NOW)
            assert (len(samples.channel), len(samples.refused)) == (int(taken), int(not taken))


@pytest.mark.parametrize(
    "line",
    [
        b'm{a="' + b"\\" * 60_000 + b" 1",
        b"m{" + b'a="",' * 12_000 + b" 1",
        b"m{" + b" " * 60_000 + b"1",
        b" " * 65_000,
        b"m " + b"1" * 65_000,
        b"m 1 # {} 1" * 6_000,
        b"m" + b" 1" * 32_000,
        b"{" * 65_000,
    ],
)
def test_a_line_that_invites_backtracking_is_refused_at_once(line: bytes) -> None:
    """A hundred such lines, with and without the end of OpenMetrics, within seconds."""
    began = time.monotonic()
    for end in (b"", b"# EOF\n"):
        body = (line + b"\n") * 50 + end
        assert len(parse_prometheus(body, everything_book(), received_us=NOW).channel) == 0
    assert time.monotonic() - began < 60


def test_a_message_shows_no_control_characters() -> None:
    """What a refusal quotes may end on a terminal."""
    samples = parse_prometheus(b"\x1b[2J\x07{ 1\n", everything_book(), received_us=NOW)
    assert samples.refused[0].first.isprintable()


def test_a_bomb_of_snappy_is_refused_before_it_is_unpacked() -> None:
    """Four gigabytes stated in five bytes; and honest zeros over the limit."""
    for bomb in (b"\xff\xff\xff\xff\x0f", b"\x80\x80\x80\x80\x10" + bytes(2**20)):
        with pytest.raises(InvalidInput):
            parse_remote_write(bomb, everything_book(), version=1)
    with pytest.raises(InvalidInput, match="more than 10 bytes"):
        decompress(b"\x0b\x28aaaaaaaaaaa", "snappy", 10)


def test_messages_nested_without_end_are_refused(dice: random.Random) -> None:
    """Neither the decoder nor the search for the break recurses into them."""
    body = b"\x0a\x00"
    for _ in range(2000):
        length = len(body)
        body = (
            b"\x0a" + bytes([length & 0x7F | 0x80, length >> 7 & 0x7F | 0x80, length >> 14]) + body
        )
    with pytest.raises(InvalidInput, match="at byte"):
        parse_remote_write(body + b"\x0a\xff", everything_book(), version=1, compressed=False)


def test_symbols_without_end_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """The book forgets strings at its bound, and their numbers never stand for other strings."""
    monkeypatch.setattr(columns, "MAX_SERIES", 50)
    book = everything_book()
    for round_number in range(4):
        series = [("m", {"UUID": f"GPU-{round_number}-{place}"}) for place in range(40)]
        body = as_write_2(series, [[(1.0, AT_MS)]] * 40, pack=False)
        samples = parse_remote_write(body, book, version=2, compressed=False)
        names = [
            book.channels[n].device if n >= 0 else book.why(n).reason
            for n in samples.channel.tolist()
        ]
        expected = [f'["m", [["UUID", "GPU-{round_number}-{place}"]]]' for place in range(40)]
        known = expected if round_number == 0 else [*expected[:10], *["too many series"] * 30]
        assert names == (known if round_number < 2 else ["too many series"] * 40)


def test_an_unusable_series_costs_nothing_for_each_repetition() -> None:
    """A million series without a device share one reason."""
    book = dcgm_book()
    series = [(name, {**labels, "UUID": ""}) for name, labels in dcgm_series(hosts=5)]
    body = as_write_1(series, [[(1.0, AT_MS)]] * len(series), pack=False)
    samples = parse_remote_write(body, book, version=1, compressed=False)
    reasons = {number for number in samples.channel.tolist() if number < PASSED_OVER}
    assert len(reasons) == 1
    assert isinstance(book.why(reasons.pop()), Unusable)
