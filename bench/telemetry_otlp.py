"""`python bench/telemetry_otlp.py`: how many points, rows and records a second the other readers of telemetry take.

Processor time of the whole process on one core, from the body to arrays of channels, times and values, every check
included. OTLP comes in two shapes: a metric with all its points, as a collector sends what it scraped, and a metric for
each point, as NVIDIA's fleet agent sends. Beside ours the reference library parses the same body and a plain walk looks
at each point and its attributes. The samples are compared first: a wrong answer is no fast one.
"""

from __future__ import annotations

import io
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import (
    ExportMetricsServiceRequest,
)
from row import Row, Target, row_of

from sekisho.adapters.telemetry.columns import Mapper, SeriesBook
from sekisho.adapters.telemetry.csv_samples import parse_csv
from sekisho.adapters.telemetry.job_records.slurm import parse_sacct
from sekisho.adapters.telemetry.names_otel import otel_mapper
from sekisho.adapters.telemetry.names_table import table_mapper
from sekisho.adapters.telemetry.otlp import parse_otlp
from sekisho.adapters.telemetry.parquet_samples import parse_parquet

sys.path.insert(0, str(Path(__file__).parents[1]))  # the bodies that the tests read too
from tests.otlp_bodies import JSON, PROTOBUF, as_json

__all__ = ["measure_otlp", "measure_tables"]

ROUNDS = 7
NOON_NS = 1_790_000_000_000_000_000
POINTS = Target(least=500_000)
COLLECTED = (
    *("DCGM_FI_PROF_PIPE_TENSOR_ACTIVE", "DCGM_FI_PROF_SM_ACTIVE", "DCGM_FI_PROF_DRAM_ACTIVE"),
    *("DCGM_FI_DEV_SM_CLOCK", "DCGM_FI_DEV_POWER_USAGE", "DCGM_FI_DEV_FB_USED"),
    *("DCGM_FI_DEV_GPU_TEMP", "DCGM_FI_DEV_MEM_CLOCK"),
)


def measure_otlp(gpus: int) -> list[Row]:
    """Points a second of both shapes, of series known and met first, beside the reference library."""
    many, single = _collected(gpus), _by_agent(gpus)
    return [
        *_beside("a metric, many points", many),
        *_beside("a metric for each point", single),
        _known("  the same in JSON", many[:2], JSON),
    ]


def measure_tables(rows: int) -> list[Row]:
    """Rows a second of CSV and Parquet, and job rows of sacct."""
    long, jobs = _long_csv(rows), rows // 5
    records = _sacct(jobs)
    by_sacct = [
        _rate(lambda: parse_sacct(records, site="bench", zone="Asia/Tokyo"), jobs) for _ in range(3)
    ]
    return [
        _reader(f"CSV rows, wide, seven metrics ({rows:,})", rows, _wide_csv(rows), parse_csv),
        _reader(f"CSV rows, long ({rows:,})", rows, long, parse_csv),
        _reader("  with quotes, line by line", rows, _quoted(long), parse_csv),
        _reader(f"Parquet rows, seven metrics ({rows:,})", rows, _parquet(rows), parse_parquet),
        _row(f"sacct rows, four of five of them steps ({jobs:,})", by_sacct),
    ]


# --- OTLP -------------------------------------------------------------------------------------------------


def _beside(what: str, made: Sequence[ExportMetricsServiceRequest]) -> list[Row]:
    bodies = [each.SerializeToString() for each in made]
    count = _check(made[0])
    book = _book(otel_mapper)
    parse_otlp(bodies[0], book, content_type=PROTOBUF)
    ours, plain, first = [], [], []
    for body in bodies:
        ours.append(_rate(lambda: parse_otlp(body, book, content_type=PROTOBUF), count))  # noqa: B023
        plain.append(_rate(lambda: _walk(body), count))  # noqa: B023
    for body in bodies[:2]:
        new = _book(otel_mapper)
        first.append(_rate(lambda: parse_otlp(body, new, content_type=PROTOBUF), count))  # noqa: B023
    return [
        _row(f"OTLP points, {what} ({count:,})", ours, POINTS),
        _row("  the same, every series met first", first),
        _row("  opentelemetry-proto: parse and walk", plain),
    ]


def _known(what: str, made: Sequence[ExportMetricsServiceRequest], encoding: str) -> Row:
    bodies, count, book = [as_json(each) for each in made], _check(made[0]), _book(otel_mapper)
    parse_otlp(bodies[0], book, content_type=encoding)
    rates = [_rate(lambda: parse_otlp(b, book, content_type=encoding), count) for b in bodies]  # noqa: B023
    return _row(what, rates)


def _check(made: ExportMetricsServiceRequest) -> int:
    """How many points there are; ends the measurement where ours reads another value or time than the walk."""
    body = made.SerializeToString()
    walked = _walk(body)
    samples = parse_otlp(body, _book(otel_mapper), content_type=PROTOBUF)
    if samples.refused or samples.value.tolist() != [value for _, _, _, value in walked]:
        raise SystemExit("the two readers of OTLP differ")
    if samples.at_us.tolist() != [at // 1000 for _, _, at, _ in walked]:
        raise SystemExit("the two readers of OTLP differ in their times")
    return len(walked)


def _walk(body: bytes) -> list[tuple[str, dict[str, str], int, float]]:
    """The plain way: every point with its name and labels."""
    request = ExportMetricsServiceRequest.FromString(body)
    return [
        (
            metric.name,
            {each.key: each.value.string_value for each in point.attributes},
            point.time_unix_nano,
            point.as_double,
        )
        for resource in request.resource_metrics
        for scope in resource.scope_metrics
        for metric in scope.metrics
        for point in metric.gauge.data_points
    ]


def _collected(gpus: int) -> list[ExportMetricsServiceRequest]:
    """What a collector sends that scrapes dcgm-exporter."""
    made = []
    for turn in range(ROUNDS):
        request, scope = _start()
        for number, name in enumerate(COLLECTED):
            metric = scope.metrics.add(name=name)
            for gpu in range(gpus):
                point = metric.gauge.data_points.add(as_double=(gpu * 7 + turn + number) / 16)
                point.time_unix_nano = NOON_NS + turn * 10**10
                _say(point, _dcgm_labels(gpu))
        made.append(request)
    return made


def _by_agent(gpus: int) -> list[ExportMetricsServiceRequest]:
    """What the fleet agent sends."""
    made = []
    for turn in range(ROUNDS):
        request, scope = _start()
        for gpu in range(gpus):
            for number, name in enumerate(COLLECTED):
                metric = scope.metrics.add(name=name.lower(), unit="1")
                metric.description = "Metric from component accelerator-nvidia-dcgm-prof"
                point = metric.gauge.data_points.add(as_double=(gpu * 7 + turn + number) / 16)
                point.time_unix_nano = NOON_NS + turn * 10**10
                _say(point, {"uuid": _uuid(gpu), "gpu": f"{gpu % 8}"})
        made.append(request)
    return made


def _start() -> tuple[ExportMetricsServiceRequest, Any]:
    request = ExportMetricsServiceRequest()
    resource = request.resource_metrics.add()
    _say(resource.resource, {"service.name": "dcgm", "host.name": "gpu07"})
    scope = resource.scope_metrics.add()
    scope.scope.name = "exporter"
    return request, scope


def _dcgm_labels(gpu: int) -> dict[str, str]:
    said = {"UUID": _uuid(gpu), "gpu": f"{gpu % 8}", "device": f"nvidia{gpu % 8}"}
    said |= {"modelName": "NVIDIA H100 80GB HBM3", "Hostname": f"gpu{gpu // 8:04d}"}
    return said | {"pci_bus_id": f"00000000:{gpu % 8:02X}:00.0", "DCGM_FI_DRIVER_VERSION": "550.54"}


def _uuid(gpu: int) -> str:
    return f"GPU-{gpu:08x}-1111-2222-3333-444455556666"


def _say(owner: Any, said: dict[str, str]) -> None:
    for key, value in said.items():
        owner.attributes.add(key=key).value.string_value = value


# --- tables -----------------------------------------------------------------------------------------------


def _wide_csv(rows: int) -> bytes:
    lines = (
        b"%d,%b,%d.5,97,0.5,0.25,0.125,1755,%d\n"
        % (1_790_000_000_000 + row // 1000 * 1000, _uuid(row % 1000).encode(), row % 700, row)
        for row in range(rows)
    )
    head = b"timestamp,device,power_w,gpu_util,sm_active,tensor_active,dram_active,sm_clock_mhz,mem_used_mib\n"
    return head + b"".join(lines)


def _long_csv(rows: int) -> bytes:
    lines = (
        b"2026-09-21T12:%02d:%02dZ,%b,power_w,%d.5,NVIDIA H100,gpu07\n"
        % (row // 60_000 % 60, row // 1000 % 60, _uuid(row % 1000).encode(), row % 700)
        for row in range(rows)
    )
    return b"timestamp,device,metric,value,chip,host\n" + b"".join(lines)


def _quoted(body: bytes) -> bytes:
    return body.replace(b"NVIDIA H100", b'"NVIDIA H100"')


def _parquet(rows: int) -> bytes:
    counted = np.arange(rows)
    columns = {
        "at_us": 1_790_000_000_000_000 + counted // 1000 * 10_000_000,
        "device": pa.array([_uuid(row % 1000) for row in range(rows)]).dictionary_encode(),
        **dict.fromkeys(("tensor_ppm", "sm_active_ppm", "dram_ppm"), counted % 1000000),
        **dict.fromkeys(("util_ppm", "sm_clock_khz", "power_mw"), counted % 900000),
        "mem_used_kib": counted,
    }
    out = io.BytesIO()
    pq.write_table(pa.table(columns), out, compression="zstd")
    return out.getvalue()


def _sacct(rows: int) -> bytes:
    """Four of five rows are steps, as accounting has them."""
    lines = ["JobID|User|Account|State|Start|End|Elapsed|AllocTRES|NodeList"]
    tres = "billing=64,cpu=64,gres/gpu:h100=8,gres/gpu=8,mem=512G,node=1"
    for row in range(rows):
        step = ("", ".batch", ".extern", ".0", ".1")[row % 5]
        times = "2026-09-21T09:00:00|2026-09-21T12:00:00|03:00:00"
        lines.append(
            f"{row // 5}{step}|u{row % 90}|lab-{row % 7}|COMPLETED|{times}|{tres}|gpu[01-04,7]"
        )
    return "\n".join(lines).encode()


def _reader(what: str, rows: int, body: bytes, parse: Callable[[bytes, SeriesBook], object]) -> Row:
    book = _book(table_mapper)
    parse(body, book)
    return _row(what, [_rate(lambda: parse(body, book), rows) for _ in range(3)])


def _book(mapper: Callable[..., Mapper]) -> SeriesBook:
    return SeriesBook(mapper(site="bench"), "bench")


def _row(what: str, rates: Sequence[float], target: Target | None = None) -> Row:
    return row_of(what, "/s", rates, target)


def _rate(work: Callable[[], object], count: int) -> float:
    began = time.process_time()
    work()
    return count / (time.process_time() - began)


def main() -> None:
    for row in [*measure_otlp(2_000), *measure_tables(200_000)]:
        print(f"{row.what:60} {row.median:>12,.0f} {row.unit}")


if __name__ == "__main__":
    main()
