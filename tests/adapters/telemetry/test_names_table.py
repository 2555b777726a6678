"""What columns of tables mean, and which device a row speaks of."""

from __future__ import annotations

import pytest

from sekisho.adapters.telemetry.columns import Channel, Unusable
from sekisho.adapters.telemetry.names_table import SHORT_NAMES, table_mapper
from sekisho.model.telemetry import FIELDS, DeviceSeen

UUID = "GPU-8f2ab5a4-0d3c-4a4f-9a51-111122223333"


def told(name: str, **labels: str) -> tuple[Channel, DeviceSeen] | Unusable | None:
    return table_mapper(site="osaka-1")(name, {"device": UUID} | labels)


@pytest.mark.parametrize("name", [*SHORT_NAMES, *FIELDS, "dcgm_fi_dev_power_usage"])
def test_every_short_form_and_every_field_is_a_quantity_of_the_device(name: str) -> None:
    """Short forms, our own fields and a DCGM name in small letters each mean a field of the row's device."""
    found = told(name)
    assert isinstance(found, tuple)
    assert found[0].device == found[1].device == UUID
    assert found[0].field in FIELDS


def test_short_forms_carry_their_units() -> None:
    """1 of each, in stored numbers: per cent, megahertz, watts, mebibytes, shares."""
    expected = {"gpu_util": 10_000, "sm_clock_mhz": 1_000, "power_w": 1_000, "mem_used_mib": 1_024}
    for name, number in (expected | {"tensor_active": 1_000_000, "energy_j": 1_000}).items():
        found = told(name)
        assert isinstance(found, tuple)
        assert round(found[0].factor * FIELDS[found[0].field].per_unit) == number, name


def test_a_slice_has_the_share_of_its_profile_in_its_chip() -> None:
    """3 of 7 of an H100; an A30 has four slices; without profile or chip nobody knows the share."""
    for profile, chip, share in (("3g.40gb", "H100", (3, 7)), ("2g.12gb", "NVIDIA A30", (2, 4))):
        found = told("power_w", device=f"{UUID}/5", chip=chip, mig_profile=profile)
        assert isinstance(found, tuple)
        assert (found[1].parent, found[1].slices, found[1].slices_of) == (UUID, *share)
    for labels in ({}, {"chip": "H100"}, {"chip": "NVIDIA A30", "mig_profile": "7g.80gb"}):
        assert isinstance(told("power_w", device=f"{UUID}/5", **labels), Unusable)


def test_what_is_no_quantity_of_ours_is_passed_over_whoever_has_it() -> None:
    """A remark or a temperature is no quantity, and a missing device beside it is no complaint."""
    for name in ("remark", "temperature", "DCGM_FI_DEV_GPU_TEMP", "otel"):
        assert told(name) is None
    assert told("remark", device="") is None


def test_a_column_says_where_a_device_sits() -> None:
    """Its bus id, else its number; what is no name is refused like every other."""
    for labels, slot in (
        ({"pci_bus_id": "00000000:1B:00.0", "gpu_index": "3"}, "00000000:1B:00.0"),
        ({"gpu_index": "3"}, "3"),
        ({}, ""),
    ):
        found = told("power_w", **labels)
        assert isinstance(found, tuple)
        assert found[1].slot == slot
    assert isinstance(told("power_w", gpu_index="=1+1"), Unusable)
