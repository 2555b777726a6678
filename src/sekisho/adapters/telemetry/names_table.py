"""What the columns and metrics of tables mean: short forms, our own field names, and DCGM's.

Short forms carry their unit in the name; shares are 0 to 1, and `gpu_util` is per cent, as NVML reports it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, TypeAlias

import msgspec

from sekisho.adapters.telemetry.columns import Channel, Mapper, Unusable
from sekisho.adapters.telemetry.names_dcgm import dcgm_mapper
from sekisho.adapters.telemetry.naming import BAD_NAME, NO_DEVICE, as_slice, is_name, slot_of
from sekisho.adapters.telemetry.units import factor_of
from sekisho.model.telemetry import FIELDS, DeviceSeen

__all__ = ["SHORT_NAMES", "table_mapper"]

SHORT_NAMES: Final[Mapping[str, tuple[str, str]]] = {
    "tensor_active": ("tensor_ppm", "1"),
    "sm_active": ("sm_active_ppm", "1"),
    "dram_active": ("dram_ppm", "1"),
    "fp16_active": ("fp16_ppm", "1"),
    "fp32_active": ("fp32_ppm", "1"),
    "fp64_active": ("fp64_ppm", "1"),
    "gpu_util": ("util_ppm", "%"),
    "sm_clock_mhz": ("sm_clock_khz", "MHz"),
    "power_w": ("power_mw", "W"),
    "energy_j": ("energy_mj", "J"),
    "mem_used_mib": ("mem_used_kib", "MiB"),
    "xid_error": ("xid", "1"),
}
"""Short form to field and unit; beside them the names of FIELDS, in stored units."""

_Found: TypeAlias = "tuple[Channel, DeviceSeen] | Unusable | None"


def table_mapper(*, site: str) -> Mapper:
    """The meaning of a metric of a device; labels are `device`, `chip`, `host`, `mig_profile` and where it sits."""
    dcgm = dcgm_mapper(site=site)

    def meaning(name: str, labels: Mapping[str, str]) -> _Found:
        field, factor = _own(name)
        if not field and not name.upper().startswith("DCGM_"):
            return None
        seen = _seen(labels, site)
        if isinstance(seen, Unusable):
            return seen
        if field:
            return Channel(device=seen.device, field=field, factor=factor), seen
        return _as_ours(dcgm(name.upper(), _as_dcgm(seen)), seen)

    return meaning


def _own(name: str) -> tuple[str, float]:
    if name in SHORT_NAMES:
        field, unit = SHORT_NAMES[name]
        return field, factor_of(field, unit) or 1.0
    return (name, 1 / FIELDS[name].per_unit) if name in FIELDS else ("", 1.0)


def _seen(labels: Mapping[str, str], site: str) -> DeviceSeen | Unusable:
    device, chip, host = (labels.get(name, "") for name in ("device", "chip", "host"))
    slot = slot_of(labels)
    if not device:
        return NO_DEVICE
    if not all(is_name(text) for text in (device, chip, host, slot) if text):
        return BAD_NAME
    seen = DeviceSeen(device=device, site=site, chip=chip, host=host, slot=slot)
    parent, _, instance = device.partition("/")
    if instance and parent.startswith("GPU-"):
        return as_slice(seen, parent, instance, labels.get("mig_profile", ""))
    return seen


def _as_dcgm(seen: DeviceSeen) -> dict[str, str]:
    return {"UUID": seen.parent or seen.device, "modelName": seen.chip, "Hostname": seen.host}


def _as_ours(found: _Found, seen: DeviceSeen) -> _Found:
    """What DCGM's name means, of the device that the table names."""
    if not isinstance(found, tuple):
        return found
    return msgspec.structs.replace(found[0], device=seen.device), seen
