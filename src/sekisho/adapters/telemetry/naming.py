"""Which device a series speaks of, read from labels as exporters and collectors name them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from sekisho.adapters.telemetry.columns import Unusable
from sekisho.model.telemetry import DeviceSeen

__all__ = ["BAD_NAME", "MAX_NAME", "NO_DEVICE", "device_from", "is_name", "slices_of_profile"]

MAX_NAME: Final = 256
_UUID: Final = re.compile(r"(GPU|MIG)-[0-9A-Za-z/-]{4,200}", re.ASCII)
_PROFILE: Final = re.compile(r"([1-7])g\.\d+gb(\+\S+)?", re.ASCII | re.IGNORECASE)

_DEVICES: Final = ("gpu.uuid", "uuid", "UUID", "gpu_uuid", "GPU_UUID", "hw.id")
_HOSTS: Final = (
    *("host.name", "k8s.node.name", "hostname", "Hostname", "host", "node", "host.id"),
    "machine.id",
)
_CHIPS: Final = ("gpu.model", "hw.model", "model", "modelName", "gpu.name", "hw.name")
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


def device_from(labels: Mapping[str, str], *, site: str) -> DeviceSeen | Unusable:
    """The device of a series: by UUID, else by an id that is unique within its named host."""
    host, chip = _first(labels, _HOSTS), _first(labels, _CHIPS)
    name = _first(labels, _DEVICES)
    if name and not _UUID.match(name):
        name = f"{host}/{name}" if host else ""
    if not name:
        return NO_DEVICE
    if not (is_name(name) and (not host or is_name(host)) and len(chip) <= MAX_NAME):
        return BAD_NAME
    parent = _first(labels, _PARENTS)
    if name.startswith("MIG-") and parent.startswith("GPU-") and is_name(parent):
        slices = slices_of_profile(_first(labels, _PROFILES))
        return DeviceSeen(
            **{"device": f"{parent}/{name}", "site": site, "chip": chip, "host": host},
            parent=parent,
            slices=slices,
            slices_of=7,
        )
    return DeviceSeen(device=name, site=site, chip=chip, host=host)


def slices_of_profile(profile: str) -> int:
    """Compute slices of seven of a MIG profile such as 3g.40gb; 1 where nobody says."""
    found = _PROFILE.search(profile)
    return int(found[1]) if found else 1


def is_name(text: str) -> bool:
    """Whether a text can stand for a device or host: short, printable, and no formula of a spreadsheet."""
    return 0 < len(text) <= MAX_NAME and text.isprintable() and text[0] not in "=+@-"


def _first(labels: Mapping[str, str], names: tuple[str, ...]) -> str:
    return next((labels[name] for name in names if labels.get(name)), "")
