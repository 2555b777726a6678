"""What dcgm-exporter's metrics mean: names, units, versions, MIG slices."""

from __future__ import annotations

import pytest

from sekisho.adapters.telemetry.columns import Channel, Unusable
from sekisho.adapters.telemetry.names_dcgm import dcgm_mapper, dcgm_meanings
from sekisho.model.errors import InvalidInput
from sekisho.model.telemetry import FIELDS, DeviceSeen

UUID = "GPU-153bdcb7-df30-40e2-3f2c-379902ba72fa"
LABELS = {"UUID": UUID, "gpu": "0", "modelName": "NVIDIA H100 NVL", "Hostname": "n1", "pod": "p"}
SLICE = {**LABELS, "GPU_I_ID": "7", "GPU_I_PROFILE": "1g.11gb"}


def find(
    name: str, labels: dict[str, str] = LABELS, version: str = ""
) -> tuple[Channel, DeviceSeen] | Unusable | None:
    return dcgm_mapper(site="east", version=version)(name, labels)


def channel(name: str, labels: dict[str, str] = LABELS, version: str = "") -> Channel:
    found = find(name, labels, version)
    assert isinstance(found, tuple)
    return found[0]


def device(labels: dict[str, str]) -> DeviceSeen:
    found = find("DCGM_FI_DEV_SM_CLOCK", labels)
    assert isinstance(found, tuple)
    return found[1]


@pytest.mark.parametrize(
    ("name", "value", "field", "stored"),
    [
        ("DCGM_FI_DEV_SM_CLOCK", 1980, "sm_clock_khz", 1_980_000),
        ("DCGM_FI_DEV_SM_CLOCK_HERTZ", 1.98e9, "sm_clock_khz", 1_980_000),
        ("DCGM_FI_DEV_GPU_UTIL", 87, "util_ppm", 870_000),
        ("DCGM_FI_DEV_POWER_USAGE", 412.5, "power_mw", 412_500),
        ("DCGM_FI_DEV_BOARD_POWER_WATTS", 412.5, "power_mw", 412_500),
        ("DCGM_FI_DEV_TOTAL_ENERGY_CONSUMPTION", 164901192038, "energy_mj", 164901192038),
        ("DCGM_FI_DEV_GPU_ENERGY_JOULES_TOTAL", 164901192, "energy_mj", 164901192000),
        ("DCGM_FI_DEV_FB_USED", 12, "mem_used_kib", 12_288),
        ("DCGM_FI_DEV_FB_USED_BYTES", 12_582_912, "mem_used_kib", 12_288),
        ("DCGM_FI_PROF_PIPE_TENSOR_ACTIVE", 0.930433, "tensor_ppm", 930_433),
        ("DCGM_FI_PROF_TENSOR_UTIL_RATIO", 0.930433, "tensor_ppm", 930_433),
        ("DCGM_FI_PROF_PCIE_TX_BYTES", 33011804, "pcie_tx", 33011804),
        ("DCGM_FI_DEV_XID_ERRORS", 79, "xid", 79),
        ("dcgm_sm_clock", 139, "sm_clock_khz", 139_000),
    ],
)
def test_old_and_new_names_come_to_the_same_stored_numbers(
    name: str, value: float, field: str, stored: int
) -> None:
    """Version 4.9.0 renamed what it reports and changed units; a name tells its unit."""
    found = channel(name)
    assert found.field == field
    assert round(value * found.factor * FIELDS[field].per_unit) == stored


def test_every_row_of_the_table_has_a_source_and_a_mark() -> None:
    """And where a name has several meanings, their versions neither overlap nor leave a gap."""
    for name, rows in dcgm_meanings().items():
        assert all(row.mark in {"P", "S", "R"} and row.source for row in rows), name
        assert [row.until for row in rows[:-1]] == [row.since for row in rows[1:]], name
        assert (rows[0].since, rows[-1].until) == ((), ()), name


def test_every_field_has_an_old_and_a_new_name() -> None:
    """So an exporter of either side of 4.9.0 is read."""
    named = {row.field for rows in dcgm_meanings().values() for row in rows if row.factor}
    assert named == set(FIELDS)


RATIO = "DCGM_FI_DEV_GPU_UTIL_RATIO"


@pytest.mark.parametrize(
    ("version", "factor"),
    [
        ("4.8.3", 0.01),
        ("4.6.0-4.8.3", 0.01),
        ("4.6.0-4.8.3-ubuntu22.04", 0.01),
        ("3.3.5-3.4.1", 0.01),
        ("4.9.0", 1.0),
        ("4.10.2", 1.0),
        ("v5.0", 1.0),
    ],
)
def test_one_name_with_two_units_is_read_by_version(version: str, factor: float) -> None:
    """A percentage until 4.9.0, then a share of one; a tag names DCGM first, then the exporter."""
    assert channel(RATIO, version=version).factor == factor


def test_one_name_with_two_units_is_refused_where_the_version_is_unknown() -> None:
    """Reading 1 % as 100 % is worse than reading nothing."""
    refused = find(RATIO)
    assert isinstance(refused, Unusable)
    assert refused.reason == "unknown unit"
    assert RATIO in refused.why


def test_a_driver_label_tells_the_version() -> None:
    """4.9.0 renamed it on every metric; both at once, or an empty one, tell nothing."""
    new, old = {"DCGM_FI_SYSTEM_DRIVER_VERSION": "580.1"}, {"DCGM_FI_DRIVER_VERSION": "550.54"}
    assert channel(RATIO, LABELS | new).factor == 1.0
    assert channel(RATIO, LABELS | old).factor == 0.01
    assert isinstance(find(RATIO, LABELS | new | old), Unusable)
    assert isinstance(find(RATIO, LABELS | dict.fromkeys(new, "")), Unusable)
    assert channel(RATIO, LABELS | new, version="4.8.4").factor == 0.01


def test_a_unit_that_nobody_states_is_refused() -> None:
    """`(in KB)` of a total or of a rate; `(in %)` of what is a share elsewhere."""
    for name in ("DCGM_FI_DEV_PCIE_TX_THROUGHPUT", "dcgm_fi_prof_pipe_tensor_active"):
        refused = find(name)
        assert isinstance(refused, Unusable)
        assert refused.reason == "unknown unit"


def test_what_is_not_ours_is_passed_over() -> None:
    """Other metrics of the exporter, and other exporters."""
    for name in ("DCGM_FI_DEV_GPU_TEMP", "node_cpu_seconds_total", "up", "DCGM_FI_DEV_SM_CLOCKS"):
        assert find(name, {}) is None


def test_a_version_that_cannot_be_read_is_refused() -> None:
    """With the two ways of writing one."""
    with pytest.raises(InvalidInput, match=r"version: no version.*'latest'.*4\.9\.0"):
        dcgm_mapper(site="east", version="latest")


def test_a_device_is_its_uuid_with_host_and_model() -> None:
    """Labels of jobs and pods say nothing about it."""
    assert device(LABELS) == DeviceSeen(
        device=UUID, site="east", chip="NVIDIA H100 NVL", host="n1", slot="0"
    )


def test_the_host_is_found_under_its_old_and_new_label() -> None:
    """4.8.3 writes it small; without either the scraped target serves."""
    base = {"UUID": UUID}
    assert device(base | {"hostname": "n2", "instance": "x:9400"}).host == "n2"
    assert device(base | {"instance": "10.0.0.1:9400"}).host == "10.0.0.1"
    assert device(base | {"instance": "[fd00::1]:9400"}).host == "[fd00::1]"
    assert device(base).host == ""


def test_a_mig_slice_is_a_part_of_its_parent() -> None:
    """The profile's memory is not read: exporters print 1g.11gb for 1g.12gb (issue 544)."""
    assert device(SLICE) == DeviceSeen(
        device=f"{UUID}/7",
        site="east",
        chip="NVIDIA H100 NVL",
        host="n1",
        slot="0",
        parent=UUID,
        slices=1,
        slices_of=7,
    )


@pytest.mark.parametrize(
    ("profile", "chip", "share"),
    [
        ("3g.40gb", "NVIDIA A100 80GB PCIe", (3, 7)),
        ("7g.79gb", "NVIDIA A100 80GB PCIe", (7, 7)),
        ("1c.3g.40gb", "NVIDIA H100 80GB HBM3", (1, 7)),
        ("1g.10gb+me", "NVIDIA H100 80GB HBM3", (1, 7)),
        ("2g.12gb", "NVIDIA A30", (2, 4)),
        ("4g.96gb", "NVIDIA RTX PRO 6000 Blackwell Server Edition", (4, 4)),
    ],
)
def test_the_share_is_the_profiles_compute_slices(
    profile: str, chip: str, share: tuple[int, int]
) -> None:
    """Of what the chip has: seven, or four of an A30."""
    seen = device(SLICE | {"GPU_I_PROFILE": profile, "modelName": chip})
    assert (seen.slices, seen.slices_of) == share


@pytest.mark.parametrize(
    "labels",
    [
        {"GPU_I_ID": ""},
        {"GPU_I_PROFILE": ""},
        {"GPU_I_PROFILE": "**1g.11gb**"},
        {"GPU_I_PROFILE": "8g.80gb"},
        {"GPU_I_PROFILE": "0g.5gb"},
        {"GPU_I_ID": "seven"},
        {"GPU_I_ID": "7/8"},
        {"modelName": ""},
        {"modelName": "NVIDIA A30", "GPU_I_PROFILE": "7g.24gb"},
    ],
)
def test_a_slice_whose_share_nobody_states_is_not_used(labels: dict[str, str]) -> None:
    """Half of the labels, a profile that does not exist, a chip without a name."""
    refused = find("DCGM_FI_DEV_SM_CLOCK", SLICE | labels)
    assert isinstance(refused, Unusable)
    assert refused.reason == "no device"


@pytest.mark.parametrize(
    "uuid", ["", "GPU-1/7", "MIG-5f0e", "GPU 1", "../x", "G" * 97, "GPU-\x1b[2J"]
)
def test_a_uuid_that_is_no_devices_is_not_used(uuid: str) -> None:
    """None, one that names another's slice, a slice without its parent, letters that no UUID has."""
    refused = find("DCGM_FI_DEV_SM_CLOCK", LABELS | {"UUID": uuid})
    assert isinstance(refused, Unusable)
    assert refused.reason == "no device"


def test_names_from_outside_are_shortened_and_printable() -> None:
    """A host's name may be anything; it is shown on terminals."""
    seen = device(LABELS | {"Hostname": "\x1b[2J" + "n" * 500})
    assert seen.host.startswith("?[2J")
    assert len(seen.host) == 200
