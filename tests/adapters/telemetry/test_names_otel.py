"""Names over OTLP: each row of the table means what its source says, and nothing is guessed."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction

import pytest

from sekisho.adapters.telemetry.columns import Channel, Unusable
from sekisho.adapters.telemetry.names_otel import otel_mapper, otel_names
from sekisho.adapters.telemetry.units import factor_of, units_of
from sekisho.model.telemetry import FIELDS, DeviceSeen

UUID = "GPU-8f2ab5a4-0d3c-4a4f-9a51-111122223333"
NAME = "NVIDIA H100 80GB HBM3"


def told(name: str, **labels: str) -> tuple[Channel, DeviceSeen] | Unusable | None:
    """What a series means; `__` stands for the dot in a label's name."""
    said = {key.replace("__", "."): value for key, value in labels.items()}
    return otel_mapper(site="osaka-1")(name, {"uuid": UUID} | said)


def stored(name: str, value: float, **labels: str) -> tuple[str, int]:
    """Field and the stored whole number of a reported value."""
    found = told(name, **labels)
    assert isinstance(found, tuple)
    field = FIELDS[found[0].field]
    return field.name, round(Fraction(value) * Fraction(found[0].factor) * field.per_unit)


@pytest.mark.parametrize(
    ("name", "labels", "value", "field", "number"),
    [
        ("hw.gpu.utilization", {"hw__gpu__task": "general"}, 0.93, "util_ppm", 930_000),
        ("hw.gpu.utilization", {}, 0.93, "util_ppm", 930_000),
        ("hw.gpu.utilization", {"otel__unit": "%"}, 93, "util_ppm", 930_000),
        ("hw.power", {"hw__type": "gpu"}, 612.5, "power_mw", 612_500),
        ("hw.power", {"hw__type": "gpu", "otel__unit": "mW"}, 612_500, "power_mw", 612_500),
        ("hw.gpu.power.draw", {}, 612.5, "power_mw", 612_500),
        ("hw.energy", {"hw__type": "gpu", "otel__kind": "cumulative"}, 7.5, "energy_mj", 7_500),
        ("hw.energy", {"hw__type": "gpu", "otel__unit": "kW.h"}, 1, "energy_mj", 3_600_000_000),
        ("hw.gpu.speed", {}, 1.755e9, "sm_clock_khz", 1_755_000),
        ("hw.gpu.clock.graphics", {}, 1755, "sm_clock_khz", 1_755_000),
        ("hw.gpu.memory.usage", {}, 2**34, "mem_used_kib", 2**24),
        ("hw.gpu.pipe.utilization", {"pipe": "tensorcore"}, 0.5, "tensor_ppm", 500_000),
        ("gpu.dcgm.pipe.utilization", {"gpu__pipe": "tensor"}, 0.5, "tensor_ppm", 500_000),
        ("gpu.dcgm.pipe.utilization", {"gpu__pipe": "fp64"}, 0.5, "fp64_ppm", 500_000),
        ("gpu.dcgm.clock.frequency", {}, 1.98e9, "sm_clock_khz", 1_980_000),
        ("dcgm.gpu.profiling.pcie_traffic_rate", {"direction": "tx"}, 77, "pcie_tx", 77),
        ("dcgm.gpu.memory.bytes_used", {"memory_state": "used"}, 4096, "mem_used_kib", 4),
        ("dcgm_fi_prof_pipe_tensor_active", {"otel__unit": "1"}, 0.25, "tensor_ppm", 250_000),
        ("dcgm_fi_dev_sm_clock", {"otel__unit": "1"}, 1755, "sm_clock_khz", 1_755_000),
        ("dcgm_fi_dev_gpu_util", {"otel__unit": "1"}, 97, "util_ppm", 970_000),
        (
            *("accelerator_nvidia_power_current_usage_milli_watts", {"otel__unit": "1"}),
            *(612_500, "power_mw", 612_500),
        ),
        (
            *("accelerator_nvidia_gpm_gpu_any_tensor_util_percent", {"otel__unit": "1"}),
            *(42.5, "tensor_ppm", 425_000),
        ),
        ("DCGM_FI_DEV_POWER_USAGE", {"UUID": UUID, "modelName": NAME}, 612.5, "power_mw", 612_500),
    ],
)
def test_a_name_means_its_quantity_in_its_unit(
    name: str, labels: Mapping[str, str], value: float, field: str, number: int
) -> None:
    """A reported value becomes the stored number that the source's unit asks for."""
    assert stored(name, value, **labels) == (field, number)


@pytest.mark.parametrize(
    ("name", "labels"),
    [
        ("hw.gpu.utilization", {"hw__gpu__task": "encoder"}),
        ("hw.power", {"hw__type": "power_supply"}),
        ("hw.power", {}),
        ("gpu.dcgm.memory.bytes_used", {"gpu__memory__state": "free"}),
        ("gpu.dcgm.pipe.utilization", {"gpu__pipe": "int"}),
        ("gpu.dcgm.pcie.io", {"network__io__direction": "transmit", "otel__kind": "cumulative"}),
        ("system.cpu.utilization", {}),
        ("accelerator_nvidia_temperature_current_celsius", {}),
        ("dcgm_fi_dev_mem_clock", {}),
    ],
)
def test_what_is_not_ours_is_passed_over(name: str, labels: Mapping[str, str]) -> None:
    """Other tasks, other parts, other states; a running total of bytes says no rate."""
    assert told(name, **labels) is None


@pytest.mark.parametrize(
    ("name", "labels", "reason"),
    [
        ("hw.power", {"hw__type": "gpu", "otel__unit": "hp"}, "unknown unit"),
        ("hw.gpu.speed", {"otel__unit": "1"}, "unknown unit"),
        ("hw.gpu.power", {"otel__kind": "unclear"}, "unknown unit"),
        ("hw.gpu.power", {"otel__kind": "cumulative"}, "unknown unit"),
        ("dcgm_xid_errors", {"xid": "many"}, "unknown unit"),
        ("hw.gpu.power", {"uuid": ""}, "no device"),
        ("hw.gpu.power", {"uuid": "", "hw__id": "0"}, "no device"),
        ("hw.gpu.power", {"uuid": "GPU-1\n2345"}, "no device"),
        ("hw.gpu.power", {"uuid": "", "hw__id": "0", "host__name": "=cmd"}, "no device"),
        ("hw.gpu.power", {"uuid": "MIG-8f2ab5a4"}, "no device"),
    ],
)
def test_what_cannot_be_used_says_why(name: str, labels: Mapping[str, str], reason: str) -> None:
    """A unit that we do not know, a device that nobody names, a slice of unknown share."""
    found = told(name, **labels)
    assert isinstance(found, Unusable)
    assert found.reason == reason


def test_an_id_that_is_no_uuid_counts_within_its_host() -> None:
    """The convention says that hw.id is unique within the host, so the host is part of the name."""
    found = told("hw.gpu.power", uuid="", hw__id="3", host__name="n7", hw__model=NAME)
    assert isinstance(found, tuple)
    assert found[1] == DeviceSeen(device="n7/3", site="osaka-1", chip=NAME, host="n7")


def test_a_slice_is_named_under_its_device_with_its_share() -> None:
    """Its name begins with its parent's, and its profile says that it has three parts of seven."""
    slice_of = {"uuid": "MIG-1111-2222", "hw__parent": UUID, "hw__model": NAME}
    found = told("hw.gpu.power", gpu__mig__profile="3g.40gb", **slice_of)
    assert isinstance(found, tuple)
    seen = found[1]
    assert (seen.device, seen.parent) == (f"{UUID}/MIG-1111-2222", UUID)
    assert (seen.slices, seen.slices_of) == (3, 7)


def test_a_count_of_xid_errors_carries_its_code() -> None:
    """Value and code are two things: the channel bears the code of its label."""
    for name, label in (("dcgm_xid_errors", "xid"), ("gpu.dcgm.xid_errors", "gpu__error__xid")):
        found = told(name, **{label: "79", "otel__kind": "cumulative"})
        assert isinstance(found, tuple)
        assert (found[0].field, found[0].code) == ("xid", 79)


def test_a_collectors_host_is_the_host_of_dcgms_names() -> None:
    """Where dcgm-exporter's own label is missing, the resource says on which host the exporter ran."""
    found = told("DCGM_FI_DEV_POWER_USAGE", UUID=UUID, host__name="n7")
    assert isinstance(found, tuple)
    assert found[1].host == "n7"


def test_each_row_of_the_table_has_a_field_a_unit_and_a_source() -> None:
    """No row is ambiguous: the conditions of one name exclude one another."""
    for name, rows in otel_names().items():
        assert len({(row.when, row.field) for row in rows}) == len(rows), name
        for row in rows:
            rates = [f"{unit}/s" for unit in units_of("mem_used_kib")]
            assert row.unit in (*units_of(row.field), "By"), name
            assert row.mark in ("P", "R"), name
            assert row.source, name
            assert factor_of(row.field, row.unit) or row.unit == "By", (name, rates)


@pytest.mark.parametrize(
    ("labels", "slot"),
    [
        ({"gpu__pci_address": "0000:1b:00.0", "gpu__index": "3"}, "0000:1b:00.0"),
        ({"pci_bus_id": "0000:1b:00.0", "gpu": "3"}, "0000:1b:00.0"),
        ({"gpu__number": "3"}, "3"),
        ({"gpu_index": "0"}, "0"),
        ({"index": "5"}, "5"),
        ({}, ""),
    ],
)
def test_a_label_says_where_a_device_sits(labels: Mapping[str, str], slot: str) -> None:
    """Its bus id before its number, which changes when another device falls out."""
    found = told("hw.gpu.power", **labels)
    assert isinstance(found, tuple)
    assert found[1].slot == slot
