"""Cleaning: every sample has one fate, blanks are no numbers, and whole numbers are exact."""

from __future__ import annotations

import math
import struct
from fractions import Fraction
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq  # type: ignore[import-untyped]  # it comes without types
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sekisho.adapters.telemetry.cleaning import clean
from sekisho.adapters.telemetry.columns import Samples
from sekisho.adapters.telemetry.limits import LIMITS, Limits
from sekisho.adapters.telemetry.readings import INCOMING
from sekisho.adapters.telemetry.sentinels import is_sentinel, sentinels
from sekisho.model.telemetry import FIELDS, Intake, Refusals
from tests.telemetry_rows import DAY_US, NOON, S, Said, cleaned, named_book, row_dicts

STALE = struct.unpack("<d", struct.pack("<Q", 0x7FF0000000000002))[0]


def reasons(said: list[Said], **options: int) -> dict[str, int]:
    """How many samples were refused for which reason."""
    intake = cleaned(said, **options).intake  # type: ignore[arg-type]  # only received_us here
    return {refusal.reason: refusal.count for refusal in intake.refused}


def one(field: str, value: float, at_us: int = NOON) -> list[Said]:
    return [("GPU-a", field, at_us, value)]


def fate(field: str, value: float, at_us: int = NOON) -> str | int:
    """The stored number of one sample, or why it was refused."""
    got = cleaned(one(field, value, at_us))
    if got.intake.refused:
        return got.intake.refused[0].reason
    number: int = got.table.column(field.partition("@")[0])[0].as_py()
    return number


def test_samples_of_one_instant_become_one_row() -> None:
    """A column for each field, null for what was not reported; devices apart, instants apart."""
    got = cleaned(
        [
            ("GPU-a", "tensor_ppm", NOON, 0.5),
            ("GPU-b", "power_mw", NOON, 700.25),
            ("GPU-a", "sm_clock_khz@1000", NOON, 1980),
            ("GPU-a", "tensor_ppm", NOON - 10 * S, 0.25),
        ]
    )
    assert got.table.schema.equals(INCOMING)
    rows = sorted(row_dicts(got.table), key=lambda row: (row["device"], row["at_us"]))
    assert rows == [
        {"device": "GPU-a", "at_us": NOON - 10 * S, "tensor_ppm": 250_000},
        {"device": "GPU-a", "at_us": NOON, "tensor_ppm": 500_000, "sm_clock_khz": 1_980_000},
        {"device": "GPU-b", "at_us": NOON, "power_mw": 700_250},
    ]
    assert got.intake == Intake(taken=4, fields={"tensor_ppm": 2, "sm_clock_khz": 1, "power_mw": 1})


@pytest.mark.parametrize("base", [2_147_483_632, 9_223_372_036_854_775_792, 140_737_488_355_328])
@pytest.mark.parametrize("kin", range(4))
@pytest.mark.parametrize(
    "unit",
    ["raw", "MHz to Hz", "mJ to J", "per cent to share", "MiB to byte"],
)
def test_a_blank_is_refused_as_a_blank_in_every_field_and_unit(
    base: int, kin: int, unit: str
) -> None:
    """Not specified, not found, not supported, not permitted, as 32-bit, 64-bit and floating-point numbers."""
    blank = float(base + kin)
    shown = {
        "raw": blank,
        "MHz to Hz": blank * 1e6,
        "mJ to J": blank / 1e3,
        "per cent to share": blank / 100,
        "MiB to byte": blank * 1048576,
    }[unit]
    for field in FIELDS:
        assert fate(field, shown) == "blank", field


@pytest.mark.parametrize(
    "value", [4_294_967_295.0, 18_446_744_073_709_551_615.0, 140_737_488.355328, 2147.483632]
)
def test_all_bits_set_and_blanks_over_a_million_are_blanks(value: float) -> None:
    """What NVML says where it has no value, and 2**47 / 10**6, in fields that could hold such numbers."""
    assert fate("energy_mj@0.001", value) == "blank"
    assert fate("pcie_tx", value) == "blank"


def test_numbers_beside_a_blank_are_numbers() -> None:
    """A counter passes by a blank's neighbourhood and loses none but the blank itself."""
    assert fate("energy_mj@0.001", 2_147_483_631.0) == 2_147_483_631
    assert fate("energy_mj@0.001", 2_147_483_648.0) == 2_147_483_648
    assert fate("mem_used_kib", 2_097_152.0) == 2_097_152  # 2 GiB
    assert fate("energy_mj@0.001", 129_931_554_972.0) == 129_931_554_972  # as one was reported


@given(st.lists(st.floats(allow_nan=True, width=64) | st.sampled_from(sentinels())))
def test_the_quick_look_up_of_blanks_agrees_with_a_comparison(values: list[float]) -> None:
    """With every number that is not within a last bit of a blank, and with every one that is."""
    known = set(sentinels())
    want = [
        any(near in known for near in (v, math.nextafter(v, 0), math.nextafter(v, math.inf)))
        for v in values
    ]
    exact = [v in known for v in values]
    got = is_sentinel(np.array(values, dtype=np.float64)).tolist()
    for found, is_near, is_exact in zip(got, want, exact, strict=True):
        assert is_exact <= found <= (is_near or is_exact)


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (math.nan, "not a number"),
        (math.inf, "not a number"),
        (-math.inf, "not a number"),
        (STALE, "blank"),
        (-1.0, "negative"),
        (-5e-324, "negative"),
        (-(2.0**47), "negative"),
        (1e300, "out of range"),
    ],
)
def test_what_is_no_quantity_is_refused_with_its_reason(value: float, reason: str) -> None:
    """In every field; the NaN with which Prometheus ends a series is a blank and no fault."""
    for field in FIELDS:
        assert fate(field, value) == reason, field


@pytest.mark.parametrize("name", FIELDS)
def test_the_range_of_a_field_is_closed(name: str) -> None:
    """Lowest and highest are taken, what rounds to more or less is refused, and never clipped."""
    field = FIELDS[name]
    scale = field.per_unit
    assert fate(name, field.high / scale) == field.high
    assert fate(name, field.low / scale) == field.low
    over = field.high + (LIMITS.share_over_ppm if field.unit == "ppm" else 0)
    if over < 2**52:
        assert fate(name, (over + 1) / scale) == "out of range"
    if field.low:
        assert fate(name, 0.0) == "out of range"


@pytest.mark.parametrize("share", [1.0000001, 1.005, 1.01])
def test_a_share_up_to_a_hundredth_over_one_is_one(share: float) -> None:
    """Averages of the exporter round so; more is another unit."""
    assert fate("tensor_ppm", share) == 1_000_000
    assert fate("util_ppm@0.01", share * 100) == 1_000_000


def test_a_percentage_that_claims_to_be_a_share_is_refused() -> None:
    """73 is no share, and it is not quietly taken for one."""
    assert fate("tensor_ppm", 73.0) == "out of range"


def test_minus_nothing_is_nothing_and_the_smallest_numbers_too() -> None:
    """-0.0 and subnormal numbers round to 0; nothing of it is left in the store."""
    assert fate("tensor_ppm", -0.0) == 0
    assert fate("tensor_ppm", 5e-324) == 0
    assert fate("util_ppm@0.01", -0.0) == 0


@pytest.mark.parametrize(
    ("at_us", "reason"),
    [
        (0, "no time"),
        (-(2**62), "no time"),
        (NOON // 1000, "no time"),
        (364 * DAY_US, "no time"),
        (365 * DAY_US, "too old"),
        (NOON - LIMITS.oldest_days * DAY_US - 1, "too old"),
        (NOON + LIMITS.ahead_s * S + 1, "in the future"),
        (2**63 - 1, "in the future"),
    ],
)
def test_an_impossible_time_is_refused(at_us: int, reason: str) -> None:
    """A clock that was never set, milliseconds taken for microseconds, too old, too far ahead."""
    assert fate("tensor_ppm", 0.5, at_us) == reason
    assert fate("tensor_ppm", math.nan, at_us) == reason


def test_the_edges_of_the_window_of_time_belong_to_it() -> None:
    """Exactly the oldest and exactly the newest are taken."""
    assert fate("tensor_ppm", 0.5, NOON - LIMITS.oldest_days * DAY_US) == 500_000
    assert fate("tensor_ppm", 0.5, NOON + LIMITS.ahead_s * S) == 500_000


def test_other_limits_can_be_given() -> None:
    """An import of old records, a site that allows no backlog."""
    tight = Limits(oldest_days=1)
    got = cleaned(one("tensor_ppm", 0.5, NOON - 2 * DAY_US), limits=tight)
    assert got.intake.refused_count == 1
    assert cleaned(one("tensor_ppm", 0.5, NOON - 2 * DAY_US)).intake.taken == 1


def test_a_clock_ahead_is_noted_by_host_and_not_corrected() -> None:
    """The rows keep their times."""
    got = cleaned(one("tensor_ppm", 0.5, NOON + 30 * S))
    assert row_dicts(got.table)[0]["at_us"] == NOON + 30 * S
    assert got.intake.notes == (
        "n1: 1 samples up to 30.0 s after their receipt, kept as they are; its clock is ahead",
    )


def test_many_clocks_ahead_are_noted_in_few_words() -> None:
    """A note for each of the first hosts, and how many more."""
    book = named_book()
    said: list[Said] = []
    for number in range(9):
        device = f"GPU-{number}"
        book.learn((device, "tensor_ppm"), "tensor_ppm", {"device": device, "host": f"n{number}"})
        said.append((device, "tensor_ppm", NOON + 5 * S, 0.5))
    notes = cleaned(said, book=book).intake.notes
    assert len(notes) == 6
    assert notes[-1] == "and 4 more hosts whose clocks are ahead"


def test_a_backlog_is_noted() -> None:
    """Eleven minutes old as a whole; with one young sample it is none."""
    old = one("tensor_ppm", 0.5, NOON - 660 * S)
    assert "660 s older than its receipt" in cleaned(old).intake.notes[0]
    assert cleaned([*old, *one("tensor_ppm", 0.5)]).intake.notes == ()


def test_repeats_are_duplicates_and_the_higher_value_stands_in_any_order() -> None:
    """The same value again says nothing new; a lower one is counted and noted, and hides nothing."""
    values = [0.25, 0.75, 0.75, 0.5]
    for order in (values, values[::-1]):
        got = cleaned([("GPU-a", "tensor_ppm", NOON, value) for value in order])
        assert row_dicts(got.table) == [{"device": "GPU-a", "at_us": NOON, "tensor_ppm": 750_000}]
        assert (got.intake.taken, got.intake.duplicates) == (1, 3)
        assert got.intake.notes == (
            "2 samples gave a lower value for an instant that had one: the higher stands",
        )


def test_two_names_of_one_quantity_are_one_cell() -> None:
    """An exporter that reports a clock in MHz and in Hz."""
    got = cleaned(
        [
            ("GPU-a", "sm_clock_khz@1000", NOON, 1980),
            ("GPU-a", "sm_clock_khz@0.001", NOON, 1.98e9),
        ]
    )
    assert (got.intake.taken, got.intake.duplicates, got.intake.notes) == (1, 1, ())


def test_what_is_not_ours_is_passed_over_and_what_names_no_device_is_refused() -> None:
    """With the book's own reason and the first such series."""
    got = cleaned(
        [
            ("", "other", 0, math.nan),
            ("", "lost-2", NOON, 1.0),
            ("", "lost-1", NOON, 1.0),
            ("", "lost-2", NOON, 1.0),
            ("GPU-a", "no_such_field", NOON, 1.0),
            ("GPU-a", "tensor_ppm", NOON, 0.5),
        ]
    )
    assert (got.intake.taken, got.intake.passed_over) == (1, 2)
    (refused,) = got.intake.refused
    assert (refused.reason, refused.count, refused.first) == (
        "no device",
        3,
        "lost-2 names no device",
    )


def test_the_first_refused_sample_is_told_with_device_field_time_and_value() -> None:
    """So that a person finds it; and what to do."""
    got = cleaned([*one("tensor_ppm", 0.5), *one("power_mw", -17.5, NOON - S), *one("xid", -1)])
    (refused,) = got.intake.refused
    assert refused.count == 2
    assert refused.first == "GPU-a power_mw at 2026-09-21T11:59:59Z: -17.5"
    assert refused.remedy


def test_a_time_that_no_calendar_has_is_told_all_the_same() -> None:
    """In microseconds."""
    (refused,) = cleaned(one("tensor_ppm", 0.5, 2**63 - 1)).intake.refused
    assert refused.first == f"GPU-a tensor_ppm at {2**63 - 1} us: 0.5"


def test_nothing_is_an_answer_too() -> None:
    """An empty delivery, and one of which nothing stands, give a table without rows."""
    for said in ([], one("other", 1.0), one("tensor_ppm", math.nan)):
        got = cleaned(said)
        assert got.table.num_rows == 0
        assert got.table.schema.equals(INCOMING)


def test_what_the_parser_refused_and_noted_is_part_of_the_answer() -> None:
    """Nothing that came is left out of the count."""
    book = named_book()
    malformed = Refusals(reason="malformed", count=3, first="line 7")
    none = np.zeros(0, dtype=np.int64)
    samples = Samples(
        channel=none,
        at_us=none,
        value=none.astype(np.float64),
        refused=(malformed,),
        notes=("version 4.9.0 by its names",),
    )
    intake = clean(samples, book, received_us=NOON).intake
    assert intake == Intake(refused=(malformed,), notes=("version 4.9.0 by its names",))


def test_a_book_that_grows_between_deliveries_is_followed() -> None:
    """New series of old and new devices mean what they say, and old ones what they did."""
    book = named_book()
    cleaned([("GPU-a", "tensor_ppm", NOON, 0.5)], book=book)
    got = cleaned([("GPU-b", "power_mw", NOON, 1.0), ("GPU-a", "tensor_ppm", NOON, 0.5)], book=book)
    assert {row["device"]: row for row in row_dicts(got.table)} == {
        "GPU-a": {"device": "GPU-a", "at_us": NOON, "tensor_ppm": 500_000},
        "GPU-b": {"device": "GPU-b", "at_us": NOON, "power_mw": 1000},
    }
    assert got.table.column("device").combine_chunks().dictionary.to_pylist() == ["GPU-a", "GPU-b"]


def test_a_delivery_names_only_its_own_devices() -> None:
    """A book of ten thousand devices does not make every segment carry ten thousand names."""
    book = named_book()
    cleaned([(f"GPU-{n}", "tensor_ppm", NOON, 0.5) for n in range(50)], book=book)
    got = cleaned([("GPU-7", "tensor_ppm", NOON, 0.5)], book=book)
    assert got.table.column("device").combine_chunks().dictionary.to_pylist() == ["GPU-7"]


def test_times_far_apart_are_numbered() -> None:
    """Ten years of microseconds times many devices would not fit 64 bits as one number."""
    book = named_book()
    devices = [f"GPU-{n}" for n in range(20_000)]
    cleaned([(device, "tensor_ppm", NOON, 0.5) for device in devices], book=book)
    early = NOON - 3_600 * DAY_US
    said: list[Said] = [
        ("GPU-3", "tensor_ppm", early, 0.5),
        ("GPU-19999", "tensor_ppm", NOON, 0.5),
        ("GPU-3", "power_mw", early, 1.0),
    ]
    rows = row_dicts(cleaned(said, book=book).table)
    assert sorted((row["device"], row["at_us"], len(row)) for row in rows) == [
        ("GPU-19999", NOON, 3),
        ("GPU-3", early, 4),
    ]


SCALES = st.sampled_from(
    [
        ("tensor_ppm", 1.0),
        ("util_ppm", 0.01),
        ("sm_clock_khz", 1000.0),
        ("sm_clock_khz", 0.001),
        ("power_mw", 1.0),
        ("power_mw", 0.001),
        ("energy_mj", 1.0),
        ("energy_mj", 0.001),
        ("mem_used_kib", 1024.0),
        ("mem_used_kib", 1 / 1024),
        ("mem_used_kib", 1e6 / 1024),
        ("pcie_tx", 1.0),
    ]
)


@given(SCALES, st.data())
def test_a_stored_number_is_the_exact_product_rounded_half_to_even(
    scale: tuple[str, float], data: st.DataObject
) -> None:
    """As fractions compute it, near halves and at them, for every unit that exporters use."""
    name, factor = scale
    field = FIELDS[name]
    exact_factor = Fraction(factor).limit_denominator(10**12) * field.per_unit
    whole = data.draw(st.integers(field.low, min(field.high, 2**44)))
    off = data.draw(st.sampled_from([Fraction(0), Fraction(1, 2), Fraction(1, 3)]))
    value = float((whole + off) / exact_factor)
    for _ in range(data.draw(st.integers(0, 2))):
        value = math.nextafter(value, data.draw(st.sampled_from([0.0, math.inf])))
    want = round(Fraction(value) * exact_factor)
    if field.low <= want <= field.high and not is_sentinel(np.array([value]))[0]:
        assert fate(f"{name}@{factor!r}", value) == want


SAID = st.lists(
    st.tuples(
        st.sampled_from(["GPU-a", "GPU-b", "GPU-c"]),
        st.sampled_from(["tensor_ppm", "power_mw", "energy_mj@0.001", "xid", "other", "lost"]),
        st.sampled_from([0, NOON - 20 * S, NOON - 10 * S, NOON, NOON + 10 * S, NOON + DAY_US]),
        st.floats()
        | st.floats(-1, 2)
        | st.integers(0, 500).map(float)
        | st.sampled_from([2.0**47]),
    ),
    max_size=40,
)


@given(SAID)
def test_every_sample_has_one_fate(said: list[Said]) -> None:
    """Taken + passed over + duplicates + refused = came; and what is taken is in the table, once."""
    got = cleaned(said)
    intake = got.intake
    assert intake.taken + intake.passed_over + intake.duplicates + intake.refused_count == len(said)
    held = sum(len(row) - 2 for row in row_dicts(got.table))
    assert intake.taken == held == sum(intake.fields.values())
    keys = [(row["device"], row["at_us"]) for row in row_dicts(got.table)]
    assert len(keys) == len(set(keys))


@given(SAID, st.randoms())
def test_the_order_of_a_delivery_does_not_matter(said: list[Said], random: object) -> None:
    """The same samples shuffled give the same rows and the same counts."""
    shuffled = list(said)
    random.shuffle(shuffled)  # type: ignore[attr-defined]  # hypothesis' own Random
    one_way, other_way = cleaned(said), cleaned(shuffled)

    def rows(table: object) -> list[list[tuple[str, object]]]:
        return sorted(sorted(row.items(), key=str) for row in row_dicts(table))

    assert rows(one_way.table) == rows(other_way.table)
    assert one_way.intake.taken == other_way.intake.taken
    assert one_way.intake.duplicates == other_way.intake.duplicates


@given(SAID)
def test_nothing_refused_becomes_a_number(said: list[Said]) -> None:
    """Each number in the table is some sample's own, in range; no zero comes from anything but a zero."""
    for row in row_dicts(cleaned(said).table):
        for name in row.keys() - {"device", "at_us"}:
            field = FIELDS[name]
            assert field.low <= row[name] <= field.high
            assert any(
                device == row["device"]
                and at == row["at_us"]
                and heard.partition("@")[0] == name
                and not math.isnan(value)
                and value >= 0
                for device, heard, at, value in said
            )


@pytest.mark.testdata
def test_faults_of_real_power_sensors_are_refused_and_counted(public_records: Path) -> None:
    """154,317 readings of servers, an eighth of each to a device: 17 are negative, one is 0 W; none of them is kept."""
    table = pq.read_table(
        public_records / "mlperf" / "node_power_unet3d_resnet_ssd.parquet",
        columns=["feed", "run_id", "node", "t_unix_s", "watts"],
    ).to_pydict()
    said = [
        (f"{feed}/{run}/{node}", "power_mw@0.125", round(t * S), watts)
        for feed, run, node, t, watts in zip(
            *(table[name] for name in ("feed", "run_id", "node", "t_unix_s", "watts")), strict=True
        )
    ]
    got = cleaned(said, received_us=max(at for _, _, at, _ in said))
    counts = {refusal.reason: refusal.count for refusal in got.intake.refused}
    assert counts == {"negative": 17, "out of range": 1}
    assert got.intake.taken + got.intake.duplicates == len(said) - 18
    assert got.table.column("power_mw").to_numpy().min() > 0
