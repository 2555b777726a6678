"""Exporter text: golden examples, the reference parser beside ours, the quick way beside the careful one."""

from __future__ import annotations

import math
import random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client.parser import text_string_to_metric_families

from sekisho.adapters.telemetry.columns import PASSED_OVER, SeriesBook
from sekisho.adapters.telemetry.names_dcgm import dcgm_mapper
from sekisho.adapters.telemetry.prometheus_text import parse_prometheus
from tests.exporter_bodies import (
    Said,
    as_text,
    dcgm_series,
    dcgm_values,
    everything_book,
    said,
    written_label,
)

NOW = 1_700_000_000_000_000


def read(text: str | bytes, book: SeriesBook | None = None) -> Said:
    book = book or everything_book()
    body = text.encode() if isinstance(text, str) else text
    return said(parse_prometheus(body, book, received_us=NOW), book)


def only(text: str) -> tuple[str, int, float]:
    (row,), refused = read(text)
    assert not refused
    return row[0], row[1], float.fromhex(row[2])


def test_a_scrape_of_a_dcgm_exporter_becomes_channels_of_its_devices() -> None:
    """Names, units and devices by the table; what is not ours is passed over and counted."""
    book = SeriesBook(dcgm_mapper(site="east"), "east")
    series = dcgm_series(hosts=1, gpus=2)
    samples = parse_prometheus(
        as_text(series, [str(n) for n in range(len(series))]), book, received_us=NOW
    )
    assert len(samples.channel) == len(series)
    assert (
        samples.channel == PASSED_OVER
    ).sum() == 4  # memory clock and temperature of two devices
    first = book.channels[samples.channel[0]]
    assert (first.device, first.field, first.factor) == (
        "GPU-00000000-595d-41c7-8d21-79bcfa600000",
        "sm_clock_khz",
        1000.0,
    )
    assert set(samples.at_us.tolist()) == {NOW}
    assert samples.value.tolist() == [float(n) for n in range(len(series))]
    assert book.devices[first.device].host == "node-0000.cluster.example"


@pytest.mark.parametrize(
    ("line", "labels"),
    [
        ('m{a="}"} 1', '[["a", "}"]]'),
        ('m{a="} 2"} 1', '[["a", "} 2"]]'),
        (r'm{a="\"} 3 \\"} 1', r'[["a", "\"} 3 \\"]]'),
        (r'm{a="x\ny"} 1', r'[["a", "x\ny"]]'),
        ('m { a = "b" , c="d", } 1', '[["a", "b"], ["c", "d"]]'),
        ("m{} 1", "[]"),
        ('m{a=""} 1', '[["a", ""]]'),
        ('{"m"} 1', "[]"),
        ('{"m","a.b"="c"} 1', '[["a.b", "c"]]'),
        ('  \tm{a="b"}\t 1 \r', '[["a", "b"]]'),
        ('m{a="b"}1', '[["a", "b"]]'),
        ('m{a="#"} 1', '[["a", "#"]]'),
    ],
)
def test_labels_are_read_as_they_are_written(line: str, labels: str) -> None:
    """Braces, quotes, escapes and blanks where the format allows them."""
    assert only(line + "\n") == (f'["m", {labels}]', NOW, 1.0)


@pytest.mark.parametrize(
    ("written", "value"),
    [
        ("0.5", 0.5),
        ("-3", -3.0),
        ("+1e3", 1000.0),
        ("1.", 1.0),
        (".5", 0.5),
        ("1E-2", 0.01),
        ("+Inf", math.inf),
        ("-inf", -math.inf),
        ("1.7976931348623159e308", math.inf),
        ("9007199254740993", 9007199254740992.0),
        ("140737488355328", 140737488355328.0),
    ],
)
def test_a_value_is_read_as_the_format_has_it(written: str, value: float) -> None:
    """Decimal numbers rounded to the nearest double, and infinities."""
    assert only(f"m {written}\n")[2] == value


def test_not_a_number_is_a_value_that_cleaning_refuses() -> None:
    """The parser hands it on: it is well-formed."""
    assert math.isnan(only("m NaN\n")[2])


def test_a_time_is_milliseconds_and_seconds_in_openmetrics() -> None:
    """Only a body that says `# EOF` at its end is OpenMetrics."""
    assert only("m 1 1395066363000\n")[1] == 1395066363000_000
    assert only("m 1 -5\n")[1] == -5000
    assert only("m 1 1395066363.25\n# EOF\n")[1] == 1395066363_250_000
    assert only("# EOF\nm 1 1395066363000\n")[1] == 1395066363000_000
    assert read("m 1 1395066363.25\n") == ([], {"malformed": 1})


def test_an_exemplar_is_passed_over() -> None:
    """In OpenMetrics it stands behind the sample; elsewhere it is an error."""
    line = 'c_total{a="b"} 17 1520879607.789 # {trace_id="KOO # {}"} 0.67 1520879607.7\n'
    assert only(line + "# EOF\n") == ('["c_total", [["a", "b"]]]', 1520879607_789_000, 17.0)
    assert read(line) == ([], {"malformed": 1})


@pytest.mark.parametrize(
    "line",
    [
        "m",
        "m ",
        "m-1 2",
        "m one",
        "m 1_000",
        "m 0x1p3",
        "m 1 2 3",
        "m 1 2.5",
        "m 1 1e3",
        "m 1 99999999999999999999",
        'm{a="b} 1',
        "m{a=b} 1",
        'm{a="b"',
        'm{a="b" c="d"} 1',
        'm{,a="b"} 1',
        'm{a="b",,} 1',
        'm{1a="b"} 1',
        'm{a="b",a="c"} 1',
        r'm{a="\x"} 1',
        'm{__name__="other"} 1',
        '{a="b"} 1',
        '{"m","n"} 1',
        'm{"n"} 1',
        '{""} 1',
        "1m 1",
        "m 1 # {} 1",
        "m " + "1" * 65,
    ],
)
def test_a_line_that_breaks_the_format_is_refused_alone(line: str) -> None:
    """Its neighbours are read, and the refusal names the line."""
    rows, refused = read(f"before 1\n{line}\nafter 2\n")
    assert [row[0] for row in rows] == ['["before", []]', '["after", []]']
    assert refused == {"malformed": 1}


def test_a_refusal_says_where_and_what_to_do() -> None:
    """The number of the line counts comments and blank lines."""
    body = b'# HELP m x\n\nm 1\nm{a="\xff"} 1\n'
    samples = parse_prometheus(body, everything_book(), received_us=NOW)
    (refusal,) = samples.refused
    assert refusal.first.startswith("line 4: bytes that are not UTF-8: ")
    assert refusal.remedy


def test_the_same_lines_in_later_blocks_are_numbered_through() -> None:
    """A large body is read in pieces; a message still names the line of the whole."""
    body = as_text(dcgm_series(10), ["1"] * len(dcgm_series(10))) + b"bad\n"
    count = len(body.splitlines())
    samples = parse_prometheus(body, everything_book(), received_us=NOW)
    assert samples.refused[0].first.startswith(f"line {count}: ")


def test_a_body_of_comments_alone_says_nothing() -> None:
    """Nor does an empty one, or one of blank lines."""
    for body in ("", "\n", "# HELP m x\n", "  # x\n\n", "# EOF", "# EOF\n"):
        assert read(body) == ([], {})


def test_a_series_that_begins_like_a_known_one_is_another() -> None:
    """`m {a="b"}` begins with `m` and a blank."""
    rows, refused = read('m 1\nm {a="b"} 2\nm {a="b"} 3 4\n')
    assert [row[0] for row in rows] == ['["m", []]', *['["m", [["a", "b"]]]'] * 2]
    assert not refused


def test_a_last_line_without_an_end_is_refused() -> None:
    """Its value may have lost digits; what came before is read."""
    rows, refused = read("m 1\nm 0.12")
    assert (len(rows), refused) == (1, {"malformed": 1})


def test_a_warm_book_reads_large_bodies_as_a_fresh_one_does(dice: random.Random) -> None:
    """By looking series up, and by the order of last time; with lines added, moved and left out in between."""
    book = everything_book()
    series = dcgm_series(hosts=12)
    for round_number in range(6):
        if round_number == 3:
            del series[100:107]
            series.insert(500, ("new", {"UUID": "} 1"}))
        if round_number == 5:
            dice.shuffle(series)
        body = as_text(series, dcgm_values(len(series), dice))
        assert read(body, book) == read(body)


# --- beside the reference ---------------------------------------------------------------------

NAMES = st.from_regex(r"[a-zA-Z_:][a-zA-Z0-9_:]{0,8}", fullmatch=True)
LABEL_NAMES = st.from_regex(r"[a-zA-Z][a-zA-Z0-9]{0,4}|_[a-z]", fullmatch=True)
LABEL_VALUES = st.text(
    st.one_of(
        st.sampled_from(' ,}{"\\\n=#\t1.'),
        st.characters(exclude_categories=("Cs", "Cc", "Zl", "Zp", "Zs")),
    ),
    max_size=8,
)
VALUES = st.one_of(
    st.floats().map(repr),
    st.floats(0, 1).map(lambda share: f"{share:.6f}"),
    st.integers(-(2**63), 2**63).map(str),
    st.sampled_from(["NaN", "+Inf", "-Inf", "0", "1.", ".5", "+5", "1E5", "-0.0"]),
)
TIMES = st.one_of(st.just(""), st.integers(-(2**40), 2**42).map(lambda at: f" {at}"))
BLANKS = st.sampled_from(["", "", "", " ", "\t"])


@st.composite
def lines(draw: st.DrawFn) -> str:
    """A sample line in one of the ways in which the format allows it."""
    name, labels = draw(NAMES), draw(st.dictionaries(LABEL_NAMES, LABEL_VALUES, max_size=3))
    inside = (draw(BLANKS) + "," + draw(BLANKS)).join(
        f'{label}={draw(BLANKS)}"{written_label(text)}"' for label, text in labels.items()
    )
    braces = f"{draw(BLANKS)}{{{draw(BLANKS)}{inside}{draw(BLANKS)}}}" if labels else ""
    return f"{draw(BLANKS)}{name}{braces} {draw(BLANKS)}{draw(VALUES)}{draw(TIMES)}"


def by_reference(text: str) -> list[tuple[str, int, str]]:
    """What prometheus_client reads; it has times as float seconds, so they are rounded to milliseconds."""
    book = everything_book()
    rows = []
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            number = book.learn(object(), sample.name, sample.labels)
            stamp = sample.timestamp
            at_us = NOW if stamp is None else round(float(stamp) * 1000) * 1000
            rows.append((book.channels[number].device, at_us, float(sample.value).hex()))
    return rows


@given(st.lists(lines(), max_size=6))
def test_what_is_well_formed_is_read_as_the_reference_reads_it(texts: list[str]) -> None:
    """prometheus_client, sample by sample; and twice with one book, so that every quick way is taken."""
    text = "".join(f"{line}\n" for line in texts)
    book = everything_book()
    expected: Said = by_reference(text), {}
    assert [read(text, book) for _ in range(3)] == [expected] * 3


@given(st.lists(lines(), min_size=1, max_size=4), st.data())
def test_what_is_damaged_is_read_by_a_warm_book_as_by_a_fresh_one(
    texts: list[str], data: st.DataObject
) -> None:
    """The quick ways take nothing that the careful reader refuses, and read nothing differently."""
    book = everything_book()
    whole = "".join(f"{line}\n" for line in texts).encode()
    for _ in range(3):
        read(whole, book)
    at = data.draw(st.integers(0, len(whole) - 1))
    put = data.draw(
        st.sampled_from([b"", *(bytes([byte]) for byte in b' \t\n"\\{}#=,e+_0x\r\x00\xff')])
    )
    until = data.draw(st.integers(at, min(len(whole), at + 3)))
    damaged = whole[:at] + put + whole[until:]
    assert read(damaged, book) == read(damaged)


@given(lines(), st.data())
def test_a_damaged_line_that_is_taken_is_one_that_the_reference_takes(
    line: str, data: st.DataObject
) -> None:
    """Ours is the stricter of the two: it may refuse more, never read something else."""
    at = data.draw(st.integers(0, len(line) - 1))
    put = data.draw(st.sampled_from(["", *' "\\{}#=,e+0']))  # the reference keeps __ for itself
    damaged = line[:at] + put + line[at + 1 :] + "\n"
    rows, _ = read(damaged)
    if rows:
        assert rows == by_reference(damaged)


@given(st.lists(st.text("0123456789+-.eE", max_size=9), min_size=1, max_size=5))
def test_numbers_in_bulk_are_the_numbers_that_python_reads(tails: list[str]) -> None:
    """Arrow's conversion beside Python's, for everything that is made of a number's letters."""
    book = everything_book()
    names = [f"m{place}" for place in range(len(tails))]
    read("".join(f"{name} 1\n" for name in names), book)
    text = "".join(f"{name} {tail}\n" for name, tail in zip(names, tails, strict=True))
    rows, refused = read(text, book)
    good = {name: float(tail) for name, tail in zip(names, tails, strict=True) if _is_number(tail)}
    assert [float.fromhex(row[2]) for row in rows] == list(good.values())
    assert refused.get("malformed", 0) == len(tails) - len(good)


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def test_samples_of_many_blocks_are_arrays_of_one_length() -> None:
    """Whichever way each block took."""
    series = dcgm_series(hosts=8)
    samples = parse_prometheus(
        as_text(series, ["1"] * len(series)), everything_book(), received_us=NOW
    )
    assert {len(series)} == {len(samples.channel), len(samples.at_us), len(samples.value)}
    assert samples.channel.dtype == np.int64
