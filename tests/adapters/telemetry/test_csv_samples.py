"""CSV of samples: two shapes, two readers, one result, and every wrong line by its number."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sekisho.adapters.telemetry.columns import PASSED_OVER, Samples, SeriesBook
from sekisho.adapters.telemetry.csv_samples import parse_csv
from sekisho.adapters.telemetry.names_table import table_mapper
from sekisho.adapters.telemetry.table_columns import parse_time
from sekisho.model.errors import InvalidInput
from sekisho.model.telemetry import FIELDS

NOON = "2026-09-21T12:00:00Z"
NOON_US = 1_789_992_000_000_000  # the same in microseconds


def book() -> SeriesBook:
    return SeriesBook(table_mapper(site="osaka-1"), "osaka-1")


def rows(samples: Samples, known: SeriesBook) -> list[tuple[str, str, int, float]]:
    """Device, field, microseconds, and the value in the field's base unit."""
    found = []
    for number, at, value in zip(samples.channel, samples.at_us, samples.value, strict=True):
        if number >= 0:
            channel = known.channels[int(number)]
            found.append((channel.device, channel.field, int(at), float(value) * channel.factor))
    return found


def read(text: str) -> list[tuple[str, str, int, float]]:
    known = book()
    return rows(parse_csv(text.encode(), known), known)


def refused(text: str) -> list[tuple[str, int, str]]:
    """Reason, count and the first of each."""
    return [(r.reason, r.count, r.first) for r in parse_csv(text.encode(), book()).refused]


LONG = "timestamp,device,metric,value\n"


def test_a_long_table_is_a_sample_to_a_line() -> None:
    """Devices, chips and hosts are known afterwards; a metric that is not ours is passed over."""
    known = book()
    text = (
        "timestamp,device,metric,value,chip,host\n"
        f"{NOON},GPU-a,power_w,612.5,NVIDIA H100,n1\n"
        f"{NOON},GPU-a,DCGM_FI_DEV_SM_CLOCK,1755,NVIDIA H100,n1\n"
        f"{NOON},GPU-a,DCGM_FI_DEV_GPU_TEMP,61,NVIDIA H100,n1\n"
    )
    samples = parse_csv(text.encode(), known)
    assert rows(samples, known) == [
        ("GPU-a", "power_mw", NOON_US, 612.5),
        ("GPU-a", "sm_clock_khz", NOON_US, 1_755_000.0),
    ]
    assert samples.channel.tolist()[2] == PASSED_OVER
    assert (known.devices["GPU-a"].chip, known.devices["GPU-a"].host) == ("NVIDIA H100", "n1")


def test_a_wide_table_is_a_sample_to_a_cell() -> None:
    """Row by row; an empty cell was not measured, and zero is zero."""
    text = f"timestamp,device,tensor_active,gpu_util\n{NOON},GPU-a,0.5,97\n{NOON},GPU-b,0,\n"
    assert read(text) == [
        ("GPU-a", "tensor_ppm", NOON_US, 0.5),
        ("GPU-a", "util_ppm", NOON_US, 0.97),
        ("GPU-b", "tensor_ppm", NOON_US, 0.0),
    ]


def test_our_own_fields_are_read_in_stored_units() -> None:
    """What a table of readings holds comes back as the same whole numbers."""
    names = [name for name in FIELDS if name != "xid"]
    cells = [str(7 + place) for place in range(len(names))]
    text = f"at_us,device,{','.join(names)}\n{NOON_US},GPU-a,{','.join(cells)}\n"
    got = {field: value * FIELDS[field].per_unit for _, field, _, value in read(text)}
    assert {name: round(value) for name, value in got.items()} == {
        name: int(cell) for name, cell in zip(names, cells, strict=True)
    }


@pytest.mark.parametrize(
    ("written", "us"),
    [
        (NOON, NOON_US),
        ("2026-09-21 21:00:00+09:00", NOON_US),
        ("2026-09-21T12:00:00.25Z", NOON_US + 250_000),
        ("2026-09-21T12:00:00.1234567Z", NOON_US + 123_456),
        ("1789992000", NOON_US),
        ("1789992000.25", NOON_US + 250_000),
        ("1789992000000", NOON_US),
        ("1789992000000000", NOON_US),
        ("1789992000000000000", NOON_US),
        ("0", 0),
    ],
)
def test_a_time_is_read_by_its_form_and_its_magnitude(written: str, us: int) -> None:
    """Seconds below 10^11, milliseconds below 10^14, microseconds below 10^17, else nanoseconds; 1970 passes here."""
    assert parse_time(written) == us
    for power in ("1", "1\n2026-01-01T00:00:00Z,GPU-b,power_w,2"):  # alone, and beside another form
        assert read(f"{LONG}{written},GPU-a,power_w,{power}\n")[0][2] == us


@pytest.mark.parametrize(
    ("written", "why"),
    [
        ("2026-09-21T12:00:00", "names no zone"),
        ("2026-09-21 12:00:00.5", "names no zone"),
        ("2026-02-30T12:00:00Z", "is no time"),
        ("21/09/2026", "is no time"),
        ("-5", "lies before 1970"),
        ("", "is no time"),
        ("99999999999999999999", "is no time"),
    ],
)
def test_a_time_without_a_zone_is_refused_with_its_line_and_the_remedy(
    written: str, why: str
) -> None:
    """Nobody but its writer knows which hour it was; the rest of the file is taken."""
    text = f"{LONG}{NOON},GPU-a,power_w,1\n{written},GPU-a,power_w,2\n"
    samples = parse_csv(text.encode(), book())
    (refusal,) = samples.refused
    assert (refusal.reason, refusal.count) == ("no time", 1)
    assert refusal.first == f"line 3: {written!r} {why}"
    assert "with a zone" in refusal.remedy
    assert samples.value.tolist() == [1.0]


def test_a_wrong_line_costs_itself_and_no_other() -> None:
    """Cells too many or few, a quote that is not closed, a NUL: each refused with its line."""
    good = f"{NOON},GPU-a,power_w,1\n"
    lines = [f"{NOON},GPU-a,power_w", f"{NOON},GPU-a,power_w,1,2", f'{NOON},"GPU-a,power_w,1']
    for wrong in [*lines, f"{NOON},GPU-\0a,power_w,1"]:
        text = f"{LONG}{good}\n{wrong}\n{good}"
        assert len(read(text)) == 2
        ((reason, count, first),) = refused(text)
        assert (reason, count, first[:7]) == ("malformed", 1, "line 4:")


def test_a_cell_that_is_no_number_is_refused_with_line_and_column() -> None:
    """Words for "not measured" are blanks; anything else is no number; what is not ours is not read at all."""
    text = (
        "timestamp,device,power_w,gpu_util,remark\n"
        f"{NOON},GPU-a,[N/A],97,fine\n{NOON},GPU-a,=1+1,97,\n{NOON},GPU-a,1_0,97,\n"
    )
    assert refused(text) == [
        ("blank", 1, "line 2, power_w: '[N/A]'"),
        ("not a number", 2, "line 3, power_w: '=1+1'"),
    ]
    assert [row[1] for row in read(text)] == ["util_ppm"] * 3


def test_a_device_that_could_be_a_formula_or_has_no_name_is_unusable() -> None:
    """Names go into tables of ours that spreadsheets open."""
    known = book()
    names = ["=HYPERLINK(1)", "@x", "-1", "", "a" * 300]
    text = LONG + "".join(f"{NOON},{name},power_w,1\n" for name in names)
    samples = parse_csv(text.encode(), known)
    assert [known.why(int(number)).reason for number in samples.channel] == ["no device"] * 5
    assert known.devices == {}


def test_a_byte_order_mark_ends_of_lines_and_capitals_are_taken_as_people_write_them() -> None:
    """A spreadsheet's mark, CRLF, quotes and capitals change nothing about the sample."""
    text = f'Timestamp,Device,Power_W\r\n{NOON},"GPU-a",1\r\n'
    known = book()
    body = b"\xef\xbb\xbf" + text.encode()
    assert rows(parse_csv(body, known), known) == [("GPU-a", "power_mw", NOON_US, 1.0)]


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "names no columns"),
        ("a,b\n", "no column holds a time"),
        ("timestamp;device;power_w\n", "parted by ';', not by ','"),
        ("timestamp\tdevice\n", "parted by"),
        ("\0JFIF,\n", "is no text"),
        ("timestamp,power_w\n", "no column holds a device"),
        ("timestamp,device\n", "no column says what was measured"),
        ("timestamp,device,power_w,power_w\n", "'power_w' stands twice"),
    ],
)
def test_a_table_that_says_nothing_of_devices_is_refused_as_a_whole(text: str, why: str) -> None:
    """Without columns, a time, a device or a quantity, or with one quantity twice, no line could be read."""
    with pytest.raises(InvalidInput, match=why):
        parse_csv(text.encode(), book(), path="x.csv")


def test_columns_that_nobody_uses_are_named_and_a_wrong_cell_has_its_remedy() -> None:
    """Both readers say which columns counted for nothing, and how a number is written."""
    for cell in ("abc", '"0,62"'):
        known = book()
        text = f"timestamp,device,model,power_w,watt\n{NOON},GPU-a,H100,{cell},7\n"
        found = parse_csv(text.encode(), known)
        assert found.notes == ("columns that metering does not use: model, watt",)
        assert "with a point" in found.refused[0].remedy


def test_what_is_not_utf8_is_refused_with_its_line() -> None:
    """Bytes of another encoding refuse the file, by its name and the line where they stand."""
    body = LONG.encode() + f"{NOON},GPU-a,power_w,1\n".encode() + b"\xff\xfe,,,\n"
    with pytest.raises(InvalidInput, match=r"x\.csv: line 3: is not UTF-8"):
        parse_csv(body, book(), path="x.csv")


cells = st.one_of(
    st.sampled_from(["1", "0.5", "-3e2", "", "nan", "inf", "N/A", "x", " 7", "1.", "1e400"]),
    st.floats(allow_nan=False).map(repr),
)
times = st.sampled_from([NOON, "1789992000", "1789992000000", "2026-09-21T12:00:00", "soon", ""])
names = st.sampled_from(["GPU-a", "GPU-b", "", "=x", "Größe"])
lines = st.tuples(times, names, st.sampled_from(["power_w", "tensor_active", "other"]), cells)


@given(st.lists(lines, max_size=20))
@settings(max_examples=120, deadline=None)
def test_the_quick_reader_reads_what_the_careful_one_reads(said: list[tuple[str, ...]]) -> None:
    """A quote around one cell sends the same table the careful way: samples, refusals and their lines are equal."""
    quick = LONG + "".join(",".join(line) + "\n" for line in said)
    careful = LONG + "".join(
        ",".join([*line[:1], f'"{line[1]}"', *line[2:]]) + "\n" for line in said
    )
    one, other = (parse_csv(text.encode(), book()) for text in (quick, careful))
    assert one.refused == other.refused
    assert one.channel.tolist() == other.channel.tolist()
    assert one.at_us.tolist() == other.at_us.tolist()
    np.testing.assert_array_equal(one.value, other.value)


def test_many_lines_are_read_in_several_blocks() -> None:
    """Beyond four megabytes Arrow hands the file over in blocks, and lines are still counted from the first."""
    line = f"{NOON},GPU-{'a' * 60},power_w,1\n"
    text = LONG + line * 60_000 + f"{NOON},GPU-b,power_w,much\n" + line * 60_000
    samples = parse_csv(text.encode(), book())
    assert len(samples.value) == 120_000
    assert [r.first for r in samples.refused] == ["line 60002, value: 'much'"]


@pytest.mark.testdata
def test_real_switch_counters_are_read_whole_with_their_gap(public_records: Path) -> None:
    """20,806 rows of four ports: every number comes through, and the four silent minutes stay visible."""
    text = (public_records / "zhejiang" / "raw_counters_one_server.csv").read_text("utf-8")
    source = [line.split(",") for line in text.splitlines()[1:]]
    table = "".join(f"{at},{port},nvlink_rx,{octets}\n" for port, at, _, octets, *_ in source)
    known = book()
    samples = parse_csv((LONG + table).encode(), known)
    assert len(samples.value) == 20_806
    assert samples.refused == ()
    assert samples.value.sum() == sum(int(row[3]) for row in source)
    assert len(known.devices) == 4
    mine = np.sort(samples.at_us[samples.channel == 0])
    assert 230 < np.diff(mine).max() / 1e6 < 260
