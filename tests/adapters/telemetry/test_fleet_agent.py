"""NVIDIA's fleet agent: what it sends and what it writes offline are the same readings."""

from __future__ import annotations

import csv
import io
import json

import pytest

from sekisho.adapters.telemetry.columns import PASSED_OVER, Samples, SeriesBook
from sekisho.adapters.telemetry.fleet_agent import parse_fleet_csv, parse_fleet_json
from sekisho.adapters.telemetry.names_otel import otel_mapper
from sekisho.adapters.telemetry.otlp import parse_otlp
from sekisho.model.errors import InvalidInput
from tests.otlp_bodies import NOON_NS, PROTOBUF, Point, as_json, request

UUID = "GPU-8f2ab5a4-0d3c-4a4f-9a51-111122223333"
NOON = "2026-09-21T14:13:20Z"  # NOON_NS, to the second as the agent writes it
# Component, name, value, label beside the UUID.
SAID = [
    ("accelerator-nvidia-dcgm-prof", "dcgm_fi_prof_pipe_tensor_active", 0.4375, "gpu"),
    ("accelerator-nvidia-dcgm-clock", "dcgm_fi_dev_sm_clock", 1755.0, "gpu"),
    ("accelerator-nvidia-power", "accelerator_nvidia_power_current_usage_milli_watts", 6.5e5, ""),
    ("accelerator-nvidia-temperature", "accelerator_nvidia_temperature_current_celsius", 61.0, ""),
]
EXPECTED = [("tensor_ppm", 0.4375), ("sm_clock_khz", 1755.0), ("power_mw", 650000.0)]


def book() -> SeriesBook:
    return SeriesBook(otel_mapper(site="osaka-1"), "osaka-1")


def said(samples: Samples, known: SeriesBook) -> list[tuple[str, float]]:
    """Field and value as reported; every sample of this device at noon."""
    ours = samples.channel >= 0
    assert set(samples.at_us[ours].tolist()) == {NOON_NS // 1000}
    assert set(known.devices) == {UUID}
    pairs = zip(samples.channel[ours], samples.value[ours], strict=True)
    return [(known.channels[int(c)].field, float(v)) for c, v in pairs]


def labels_of(label: str) -> dict[str, str]:
    return {"uuid": UUID} | ({label: "3"} if label else {})


def offline_csv() -> bytes:
    """A metrics file as the agent's writer makes it: labels as JSON inside a quoted cell."""
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["timestamp", "component", "metric_name", "value", "labels"])
    for component, name, value, label in SAID:
        writer.writerow([NOON, component, name, f"{value:g}", json.dumps(labels_of(label))])
    return text.getvalue().encode()


def sent() -> list[Point]:
    """A metric for each point, all of them of the stated unit 1, as the agent exports."""
    return [
        Point(name=name, value=value, unit="1", attributes=labels_of(label))
        for _, name, value, label in SAID
    ]


def test_the_offline_csv_is_read() -> None:
    """Four rows, three of them ours; the temperature is passed over and counted."""
    known = book()
    samples = parse_fleet_csv(offline_csv(), known)
    assert said(samples, known) == EXPECTED
    assert (samples.channel == PASSED_OVER).sum() == 1
    assert samples.refused == ()


def test_the_offline_json_is_what_it_sends() -> None:
    """The same message as protobuf and as the JSON of protobuf's own library."""
    made = request(sent(), scope="fleetint-exporter")
    known = book()
    assert said(parse_fleet_json(as_json(made), known), known) == EXPECTED
    known = book()
    body = made.SerializeToString()
    assert said(parse_otlp(body, known, content_type=PROTOBUF), known) == EXPECTED


def test_a_list_of_rows_in_json_is_read_too() -> None:
    """The five names of the CSV, labels as an object or as its text; what is no row is refused with its place."""
    rows: list[object] = [
        {"timestamp": NOON, "metric_name": name, "value": value, "labels": labels_of(label)}
        for _, name, value, label in SAID
    ]
    rows += [{"metric_name": "x"}, 7]
    known = book()
    samples = parse_fleet_json(json.dumps(rows).encode(), known)
    assert said(samples, known) == EXPECTED
    assert [(r.reason, r.count, r.first[:3]) for r in samples.refused] == [("malformed", 2, "[4]")]


def test_labels_that_are_no_object_cost_their_rows() -> None:
    """Broken JSON, a list, a number for a text: the series is unusable and says so."""
    lines = [f"{NOON},c,dcgm_fi_dev_sm_clock,1,{cell}" for cell in ('"{"', "[]", '"{""uuid"":1}"')]
    body = "\n".join(["timestamp,component,metric_name,value,labels", *lines]).encode()
    known = book()
    samples = parse_fleet_csv(body, known)
    assert {known.why(int(number)).reason for number in samples.channel} == {"malformed"}
    assert len(samples.channel) == 3


def test_a_count_of_xid_errors_becomes_its_code() -> None:
    """Two errors 79 since the last check say 79; no error 31 says nothing of any other."""
    points = [
        Point(name="dcgm_xid_errors", value=2.0, unit="1", attributes={"uuid": UUID, "xid": "79"}),
        Point(name="dcgm_xid_errors", value=0.0, unit="1", attributes={"uuid": UUID, "xid": "31"}),
    ]
    known = book()
    samples = parse_otlp(request(points).SerializeToString(), known, content_type=PROTOBUF)
    assert said(samples, known) == [("xid", 79.0)]
    assert samples.channel.tolist() == [0, PASSED_OVER]


def test_another_table_of_the_export_is_refused_with_the_remedy() -> None:
    """A table of events holds no readings, and the refusal asks for the metrics file."""
    with pytest.raises(InvalidInput, match="give the metrics file"):
        parse_fleet_csv(b"timestamp,component,event_name,event_type,message\n", book())
