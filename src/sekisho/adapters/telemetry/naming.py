"""Which device a series speaks of, read from labels as exporters and collectors name them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

import msgspec

from sekisho.adapters.telemetry.columns import Unusable
from sekisho.model.telemetry import DeviceSeen

__all__ = ["BAD_NAME", "MAX_NAME", "NO_DEVICE", "NO_SHARE", "as_slice", "device_from", "is_name"]

MAX_NAME: Final = 256
_UUID: Final = re.compile(r"(GPU|MIG)-[0-9A-Za-z/-]{4,200}", re.ASCII)
_PROFILE: Final = re.compile(r"(?:([1-7])c\.)?([1-7])g\.\d{1,4}gb", re.ASCII)
# Compute slices of a whole chip; 7 where no line fits (NVIDIA MIG user guide, supported GPUs).
_SLICES_OF: Final = (
    (re.compile(r"\bA30\b"), 4),
    (re.compile(r"\bRTX PRO 6000\b"), 4),
    (re.compile(r"\bRTX PRO (?:5000|4500)\b"), 2),
)

_DEVICES: Final = ("gpu.uuid", "uuid", "UUID", "gpu_uuid", "GPU_UUID", "hw.id")
_HOSTS: Final = (
    *("host.name", "k8s.node.name", "hostname", "Hostname", "host", "node", "host.id"),
    "machine.id",
)
_CHIPS: Final = ("gpu.model", "hw.model", "model", "modelName", "gpu.name", "hw.name")
_SLOTS: Final = ("gpu.pci_address", "pci_bus_id", "gpu.number", "gpu.index", "gpu_number", "gpu")
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
    slot, name = _first(labels, _SLOTS), _first(labels, _DEVICES)
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
    found = _PROFILE.search(profile)
    of = next((most for chip, most in _SLICES_OF if chip.search(seen.chip)), 7)
    slices = int(found[1] or found[2]) if found else 0
    if (
        not parent.startswith("GPU-")
        or not is_name(parent)
        or not seen.chip
        or not 0 < slices <= of
    ):
        return NO_SHARE
    return msgspec.structs.replace(
        seen, device=f"{parent}/{instance}", parent=parent, slices=slices, slices_of=of
    )


def is_name(text: str) -> bool:
    """Whether a text can stand for a device or host: short, printable, and no formula of a spreadsheet."""
    return 0 < len(text) <= MAX_NAME and text.isprintable() and text[0] not in "=+@-"


def _first(labels: Mapping[str, str], names: tuple[str, ...]) -> str:
    return next((labels[name] for name in names if labels.get(name)), "")
