"""Attacks with tables and job records: what is too much is refused before it is made, what lies is found out."""

from __future__ import annotations

import io
import json
import random
import tracemalloc
from contextlib import suppress
from typing import Any

import pyarrow as pa  # type: ignore[import-untyped]  # it comes without types
import pyarrow.parquet as pq  # type: ignore[import-untyped]  # it comes without types
import pytest

from sekisho.adapters.telemetry.columns import SeriesBook
from sekisho.adapters.telemetry.csv_samples import parse_csv
from sekisho.adapters.telemetry.job_records.kubernetes import parse_pods
from sekisho.adapters.telemetry.job_records.node_lists import expand_node_list
from sekisho.adapters.telemetry.job_records.slurm import parse_sacct, parse_sacct_json
from sekisho.adapters.telemetry.job_records.table import parse_allocations_csv
from sekisho.adapters.telemetry.names_table import table_mapper
from sekisho.adapters.telemetry.parquet_samples import parse_parquet
from sekisho.model.errors import InvalidInput

NOON = "2026-09-21T12:00:00Z"
LONG = "timestamp,device,metric,value\n"
SACCT = "JobID|Start|End|AllocTRES|NodeList\n"


def book() -> SeriesBook:
    return SeriesBook(table_mapper(site="osaka-1"), "osaka-1")


def packed(columns: dict[str, Any], **options: Any) -> bytes:
    out = io.BytesIO()
    pq.write_table(pa.table(columns), out, **options)
    return out.getvalue()


# --- node lists --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        "gpu[1-1000000000]",
        "a[0-999]b[0-999]c[0-999]",
        "n[000000000001-999999999999]",
        "n" + "[0-9]" * 20_000,
        ",".join(["n[1-99999]"] * 20_000),
        "n[" + "1-99999," * 20_000 + "1]",
    ],
)
def test_a_node_list_that_names_a_thousand_million_hosts_is_refused_before_it_is_written_out(
    text: str,
) -> None:
    """Ranges, products and long lists end in a refusal that takes less than a hundred megabytes."""
    tracemalloc.start()
    with pytest.raises(InvalidInput, match=r"more than 100000 hosts|is no list"):
        expand_node_list(text, limit=100_000)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 100_000_000


def test_a_job_with_a_thousand_million_hosts_costs_its_row() -> None:
    """Its row is malformed and counted; the job of nine hosts beside it is taken."""
    lines = [
        f"{n}|1789981200|1789992000|gres/gpu=8|{nodes}"
        for n, nodes in enumerate(["n[1-9]", "n[1-1000000000]"])
    ]
    records = parse_sacct(SACCT + "\n".join(lines), site="osaka-1", zone="")
    assert [len(job.hosts) for job in records.allocations] == [9]
    assert [(r.reason, r.count) for r in records.refused] == [("malformed", 1)]


def test_a_resource_count_of_many_digits_is_no_count() -> None:
    """Python turns at most 4,300 digits into a number and takes long over fewer: nobody has that many chips."""
    for count in ("9" * 100_000, "-8", "8.5", "0x8"):
        records = parse_sacct(
            f"{SACCT}1|1789981200|1789992000|gres/gpu={count}|n1\n", site="osaka-1", zone=""
        )
        assert (records.allocations, records.passed_over) == ((), 1)


# --- CSV ---------------------------------------------------------------------------------------------------


def test_a_table_of_a_million_columns_is_refused() -> None:
    """The reader of samples and the reader of jobs both refuse such a heading."""
    names = ",".join(f"c{number}" for number in range(1_000_000))
    for parse in (lambda b: parse_csv(b, book()), lambda b: parse_allocations_csv(b, site="s")):
        with pytest.raises(InvalidInput):
            parse(f"timestamp,device,{names}\n".encode())


def test_a_table_of_ten_thousand_columns_is_refused_by_their_number() -> None:
    """The refusal says how many columns came and how many may."""
    names = ",".join(f"c{number}" for number in range(10_000))
    with pytest.raises(InvalidInput, match="10002 columns, more than 512"):
        parse_csv(f"timestamp,device,{names}\n".encode(), book())


def test_a_quote_that_is_never_closed_costs_one_line_of_ten_thousand() -> None:
    """Its line is malformed and counted; the good lines before and after it are all read."""
    good = f"{NOON},GPU-a,power_w,1\n"
    text = LONG + good * 5_000 + f'{NOON},"GPU-a,power_w,1\n' + good * 5_000
    samples = parse_csv(text.encode(), book())
    assert len(samples.value) == 10_000
    assert [(r.reason, r.count) for r in samples.refused] == [("malformed", 1)]


def test_a_line_of_megabytes_costs_itself() -> None:
    """A line of nine megabytes is malformed and counted, and the next line is read."""
    text = f"{LONG}{NOON},GPU-{'a' * 9_000_000},power_w,1\n{NOON},GPU-a,power_w,1\n"
    samples = parse_csv(text.encode(), book())
    assert samples.value.tolist() == [1.0]
    assert [(r.reason, r.count) for r in samples.refused] == [("malformed", 1)]


@pytest.mark.parametrize(
    "cell", ["=1+1", "@SUM(A1)", "+cmd|' /C calc'!A0", "-2+3+cmd|' /C calc'!A0"]
)
def test_a_formula_is_neither_a_value_nor_a_device(cell: str) -> None:
    """It is not evaluated, not stored as a number, and names no device of a table that we may write later."""
    known = book()
    text = f"{LONG}{NOON},{cell},power_w,1\n{NOON},GPU-a,power_w,{cell}\n"
    samples = parse_csv(text.encode(), known)
    assert known.devices.keys() <= {"GPU-a", "+cmd|' /C calc'!A0"} - {cell}
    assert [known.why(int(number)).reason for number in samples.channel] == ["no device"]
    assert [(r.reason, r.count) for r in samples.refused] == [("not a number", 1)]


def test_nul_bytes_cost_their_lines() -> None:
    """In a cell, in the heading, in a file of nothing else: never a crash, never a device with one in its name."""
    for body in (LONG + f"{NOON},GPU-\0,power_w,1\n", "timestamp,dev\0ice\n", "\0" * 5_000):
        known = book()
        with suppress(InvalidInput):
            parse_csv(body.encode(), known)
        assert known.devices == {}


def test_noise_is_taken_or_refused_by_every_reader(dice: random.Random) -> None:
    """Whatever bytes come, the only error is InvalidInput."""
    readers: list[Any] = [
        lambda b: parse_csv(b, book()),
        lambda b: parse_parquet(b, book()),
        lambda b: parse_sacct(b, site="s", zone="UTC"),
        lambda b: parse_sacct_json(b, site="s"),
        lambda b: parse_pods(b, site="s"),
        lambda b: parse_allocations_csv(b, site="s"),
    ]
    seeds = [
        f"{LONG}{NOON},GPU-a,power_w,1\n".encode(),
        f"{SACCT}1|1789981200|1789992000|gres/gpu=8|n[1-3]\n".encode(),
        f"job,start,chips,hosts\na,{NOON},8,n[1-3]\n".encode(),
        b'{"jobs":[{"job_id":1,"time":{"start":5,"end":9},"tres":{"allocated":[{"type":"gres","name":"gpu","count":8}]}}]}',
        b'{"items":[{"metadata":{"name":"a"},"spec":{"nodeName":"n","containers":[{"resources":{"limits":{"nvidia.com/gpu":"8"}}}]},"status":{"startTime":"2026-09-21T12:00:00Z"}}]}',
        packed({"at_us": [1], "device": ["GPU-a"], "power_w": [1]}),
    ]
    for _ in range(300):
        body = bytearray(dice.choice(seeds))
        for _ in range(dice.randint(0, 4)):
            place = dice.randrange(len(body))
            body[place : place + dice.randint(0, 3)] = dice.randbytes(dice.randint(0, 3))
        for read in readers:
            with suppress(InvalidInput):
                read(bytes(body))


# --- JSON --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("parse", [parse_sacct_json, parse_pods])
@pytest.mark.parametrize(
    "body", [b"[" * 1_000_000, b'{"jobs":' * 100_000, b'{"items":[],"items":[]}']
)
def test_json_that_nests_or_repeats_is_refused(parse: Any, body: bytes) -> None:
    """Brackets without end and a name that stands twice are refused, for Slurm and for Kubernetes alike."""
    with pytest.raises(InvalidInput):
        parse(body, site="osaka-1")


def test_one_pod_cannot_have_more_chips_than_there_are() -> None:
    """Fifty containers that ask for a thousand million chips each are one pod out of range."""
    wants = {"limits": {"nvidia.com/gpu": "999999999"}}
    spec = {"nodeName": "n1", "containers": [{"resources": wants}] * 50}
    item = {"metadata": {"name": "a"}, "spec": spec, "status": {"startTime": NOON}}
    records = parse_pods(json.dumps({"items": [item]}).encode(), site="osaka-1")
    assert [(r.reason, r.count) for r in records.refused] == [("out of range", 1)]


# --- Parquet -----------------------------------------------------------------------------------------------


def test_a_page_that_unpacks_to_gigabytes_is_refused_before_it_is_unpacked(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Some kilobytes of zstd ask for fifty megabytes; the limit, smaller here, is held against the page itself."""
    monkeypatch.setattr("sekisho.adapters.telemetry.parquet_pages.MAX_PAGE", 8 << 20)
    columns = {"at_us": list(range(50)), "device": ["GPU-a"] * 50, "power_w": [1.5] * 50}
    bomb = packed(
        columns | {"remark": ["x" * 1_000_000] * 50},
        compression="zstd",
        use_dictionary=["device"],
        data_page_size=1 << 30,
    )
    assert len(bomb) < 100_000
    with pytest.raises(InvalidInput, match="unpacks to more than"):
        parse_parquet(bomb, book(), path="x.parquet")


def test_metadata_that_denies_a_page_does_not_hide_it() -> None:
    """Sizes in the footer are changed; the walk over the pages does not end where the footer says, and refuses."""
    honest = packed(
        {"at_us": list(range(5_000)), "device": ["GPU-a"] * 5_000, "power_w": [1.5] * 5_000},
        use_dictionary=False,
        compression="none",
    )
    chunk = pq.read_metadata(io.BytesIO(honest)).row_group(0).column(0)
    size = _varint(chunk.total_compressed_size * 2)
    assert size in honest
    lie = _varint(len(honest) * 2 + 10_000)[: len(size)]
    with pytest.raises(InvalidInput):
        parse_parquet(honest.replace(size, lie), book())


def test_a_text_that_a_dictionary_repeats_is_held_once() -> None:
    """60 kB once on disk, and a million rows of it: 60 GB for a reader that writes it out."""
    rows = 200_000
    name = pa.array(["x" * 60_000]).take(pa.array([0] * 3, pa.int32()))
    texts = pa.DictionaryArray.from_arrays(pa.array([0] * rows, pa.int32()), name[:1])
    bomb = packed({"at_us": list(range(rows)), "device": texts, "power_w": [1] * rows})
    known = book()
    before = pa.total_allocated_bytes()
    samples = parse_parquet(bomb, known)
    assert {known.why(int(number)).reason for number in set(samples.channel)} == {"no device"}
    assert pa.default_memory_pool().max_memory() - before < 500_000_000


def test_more_rows_than_a_file_may_have_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ten rows refuse a file where nine are the most."""
    monkeypatch.setattr("sekisho.adapters.telemetry.parquet_samples.MAX_ROWS", 9)
    with pytest.raises(InvalidInput, match="more than 9 rows"):
        parse_parquet(
            packed({"at_us": list(range(10)), "device": ["a"] * 10, "x": [1] * 10}), book()
        )


def test_a_file_that_is_cut_or_changed_is_refused_or_read(dice: random.Random) -> None:
    """Half a file, a footer of another length, any byte changed: InvalidInput or samples, and nothing else."""
    whole = packed({"at_us": list(range(50)), "device": ["GPU-a"] * 50, "power_w": [1.5] * 50})
    bodies = [whole[: len(whole) * part // 8] for part in range(8)]
    bodies += [whole[:-8] + (2**31).to_bytes(4, "little") + b"PAR1"]
    for _ in range(300):
        changed = bytearray(whole)
        changed[dice.randrange(len(whole))] = dice.randrange(256)
        bodies.append(bytes(changed))
    for body in bodies:
        with suppress(InvalidInput):
            assert len(parse_parquet(body, book(), path="x.parquet").value) <= 50


def _varint(number: int) -> bytes:
    out = bytearray()
    while number > 127:
        out.append(number & 127 | 128)
        number >>= 7
    return bytes(out) + bytes([number])
