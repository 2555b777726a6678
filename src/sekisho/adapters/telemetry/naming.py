"""Which device a series speaks of, read from labels as exporters and collectors name them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

import msgspec

from sekisho.adapters.telemetry.columns import Unusable
from sekisho.adapters.telemetry.mig_shares import mig_share
from sekisho.model.telemetry import DeviceSeen

__all__ = [
    "BAD_NAME",
    "MAX_NAME",
    "NO_DEVICE",
    "NO_SHARE",
    "as_slice",
    "device_from",
    "is_name",
    "slot_of",
]

MAX_NAME: Final = 256
_UUID: Final = re.compile(r"(GPU|MIG)-[0-9A-Za-z/-]{4,200}", re.ASCII)

_DEVICES: Final = ("gpu.uuid", "uuid", "UUID", "gpu_uuid", "GPU_UUID", "hw.id")
_HOSTS: Final = (
    *("host.name", "k8s.node.name", "hostname", "Hostname", "host", "node", "host.id"),
    "machine.id",
)
_CHIPS: Final = ("gpu.model", "hw.model", "model", "modelName", "gpu.name", "hw.name")
_SLOTS: Final = (
    # Where it sits, before what its driver counts it as: numbers change when a device falls out.
    *("gpu.pci_address", "gpu.pci.bus_id", "pci_bus_id", "pci_address", "bus_id", "pci.bus_id"),
    *("gpu.number", "gpu.index", "hw.gpu.index", "gpu_number", "gpu_index", "gpu", "index"),
    "minor_number",
)
_PROFILES: Final = ("gpu.mig.profile", "GPU_I_PROFILE", "mig_profile", "hw.gpu.partition")
_PARENTS: Final = ("hw.parent", "gpu.parent_uuid")

NO_DEVICE: Final = Unusable(
    reason="no device",
    why="no label says which device this is: a UUID (uuid, gpu.uuid, hw.id), or hw.id with host.name",
)
BAD_NAME: Final = Unusable(
    reason="no device",
    why=f"a device's name is at most {MAX_NAME} printable characters and begins with none of = + - @",
)
NO_SHARE: Final = Unusable(
    reason="no device",
    why="a slice of a device needs the whole device, the profile (as 1g.10gb) and the chip",
)


def device_from(labels: Mapping[str, str], *, site: str) -> DeviceSeen | Unusable:
    """The device of a series: by UUID, else by an id that is unique within its named host."""
    host, chip = _first(labels, _HOSTS), _first(labels, _CHIPS)
    slot, name = slot_of(labels), _first(labels, _DEVICES)
    if name and not _UUID.match(name):
        name = f"{host}/{name}" if host else ""
    if not name:
        return NO_DEVICE
    if not all(is_name(text) for text in (name, host, chip, slot) if text):
        return BAD_NAME
    seen = DeviceSeen(device=name, site=site, chip=chip, host=host, slot=slot)
    if not name.startswith("MIG-"):
        return seen
    return as_slice(seen, _first(labels, _PARENTS), name, _first(labels, _PROFILES))


def as_slice(seen: DeviceSeen, parent: str, instance: str, profile: str) -> DeviceSeen | Unusable:
    """A device as a slice of its parent: the share is that of its profile in what its chip has."""
    share = mig_share(profile, seen.chip)
    if share is None or not parent.startswith("GPU-") or not is_name(parent):
        return NO_SHARE
    return msgspec.structs.replace(
        seen,
        device=f"{parent}/{instance}",
        parent=parent,
        slices=share.slices,
        slices_of=share.of,
    )


def is_name(text: str) -> bool:
    """Whether a text can stand for a device or host: short, printable, and no formula of a spreadsheet."""
    return 0 < len(text) <= MAX_NAME and text.isprintable() and text[0] not in "=+@-"


def slot_of(labels: Mapping[str, str]) -> str:
    """Where a device sits in its host: its bus id, else its number; "" where no label says it."""
    return _first(labels, _SLOTS)


def _first(labels: Mapping[str, str], names: tuple[str, ...]) -> str:
    return next((labels[name] for name in names if labels.get(name)), "")
