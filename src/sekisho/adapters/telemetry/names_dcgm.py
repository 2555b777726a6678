"""What the metrics of dcgm-exporter mean: names and units by version, devices and MIG slices by their labels.

Names and units stand in `names_dcgm.csv` with their sources. Version 4.9.0 renamed what it reports and changed units
along with the names, so a name tells its unit, except DCGM_FI_DEV_GPU_UTIL_RATIO: a percentage before, a share of one
since. It is taken where the version is known, from whoever asks or from the driver-version label that 4.9.0 renamed on
every metric; else it is refused as of unknown unit.

Devices (docs: NVIDIA MIG user guide; dcgm-exporter issues 544 and 713):
1. A device is the label `UUID`. Without one, or with one that could be taken for another's slice, nothing is used.
2. `GPU_I_ID` and `GPU_I_PROFILE` together name a slice `<UUID>/<GPU_I_ID>`; its share is the profile's compute slices
   (the 3 of 3g.40gb; the 1 of 1c.3g.40gb) of what the chip has. The memory in a profile is not read: exporters
   print 1g.11gb for 1g.12gb.
3. One of the two alone, a profile that does not exist, a slice of a chip that nobody names, a `UUID` of a slice
   without them: nothing is used, since nobody says of what share the samples speak.
4. Labels of jobs, pods and scrapes say nothing about the device and are passed over.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Mapping
from functools import lru_cache
from importlib import resources
from typing import Final, TypeAlias

import msgspec

from sekisho.adapters.telemetry.columns import Channel, Mapper, Unusable
from sekisho.adapters.telemetry.mig_shares import mig_share
from sekisho.model.errors import InvalidInput
from sekisho.model.telemetry import FIELDS, DeviceSeen

__all__ = ["Meaning", "dcgm_mapper", "dcgm_meanings"]

_Version: TypeAlias = tuple[int, ...]

_RENAMED: Final[_Version] = (4, 9, 0)
_DRIVER_LABELS: Final[Mapping[str, _Version]] = {
    "DCGM_FI_SYSTEM_DRIVER_VERSION": _RENAMED,
    "DCGM_FI_DRIVER_VERSION": (4, 8, 4),
}
"""The driver-version label, and an exporter version that prints it."""

# Reported value x factor = the field's base unit: share, kHz, W, J, KiB, byte/s, code.
_FACTORS: Final[Mapping[str, float]] = {
    "ratio": 1.0,
    "percent": 0.01,
    "MHz": 1000.0,
    "Hz": 0.001,
    "W": 1.0,
    "mJ": 0.001,
    "J": 1.0,
    "MiB": 1024.0,
    "B": 1 / 1024,
    "B/s": 1.0,
    "code": 1.0,
}
_UNKNOWN: Final = "?"
_VERSION: Final = re.compile(r"(?:\d+(?:\.\d+)*-)?v?(\d+)\.(\d+)(?:\.(\d+))?(?![\d.])")

_UUID: Final = re.compile(r"[0-9A-Za-z][0-9A-Za-z._:-]{0,95}")
_INSTANCE: Final = re.compile(r"\d{1,4}")
_LONGEST_NAME: Final = 200

_NO_DEVICE: Final = Unusable(
    reason="no device",
    why="no label UUID, or one that is no device's; let the exporter add it (it does by default)",
)
_NO_SHARE: Final = Unusable(
    reason="no device",
    why="a MIG slice needs the labels GPU_I_ID, GPU_I_PROFILE (as 1g.10gb) and modelName, all three",
)


class Meaning(msgspec.Struct, frozen=True, kw_only=True):
    """What a metric's samples are in one span of exporter versions; `factor` None where nobody says the unit."""

    name: str
    since: _Version
    until: _Version
    field: str
    unit: str
    factor: float | None
    mark: str
    source: str


def dcgm_mapper(*, site: str, version: str = "") -> Mapper:
    """Names, units and labels of dcgm-exporter; what other exporters say is passed over.

    `version` is the exporter's, or its release tag (4.6.0-4.8.3); "" where nobody knows. Raises InvalidInput for one
    that cannot be read.
    """
    known = _parse_version(version) if version else None

    def find(name: str, labels: Mapping[str, str]) -> tuple[Channel, DeviceSeen] | Unusable | None:
        rows = dcgm_meanings().get(name)
        if rows is None:
            return None
        meaning = rows[0] if len(rows) == 1 else _choose(rows, known or _version_from(labels))
        if meaning is None or meaning.factor is None:
            return _unknown_unit(name)
        device = _find_device(labels, site)
        if isinstance(device, Unusable):
            return device
        return Channel(device=device.device, field=meaning.field, factor=meaning.factor), device

    return find


@lru_cache(maxsize=1)
def dcgm_meanings() -> Mapping[str, tuple[Meaning, ...]]:
    """The table, by name; several meanings of one name differ in their versions."""
    table = resources.files("sekisho.adapters.telemetry").joinpath("names_dcgm.csv")
    lines = table.read_text(encoding="utf-8").splitlines()
    found: dict[str, tuple[Meaning, ...]] = {}
    for row in csv.DictReader((line for line in lines if not line.startswith("#")), strict=True):
        found[row["name"]] = (*found.get(row["name"], ()), _meaning(row))
    return found


def _meaning(row: Mapping[str, str]) -> Meaning:
    path = f"names_dcgm.csv, {row['name']}"
    if row["field"] not in FIELDS or row["unit"] not in {*_FACTORS, _UNKNOWN}:
        raise InvalidInput("a field or a unit that we do not have", path=path)
    return Meaning(
        name=row["name"],
        since=_parse_version(row["since"]) if row["since"] else (),
        until=_parse_version(row["until"]) if row["until"] else (),
        field=row["field"],
        unit=row["unit"],
        factor=_FACTORS.get(row["unit"]),
        mark=row["mark"],
        source=row["source"],
    )


def _parse_version(text: str) -> _Version:
    found = _VERSION.match(text.strip())
    if found is None:
        raise InvalidInput(
            f"no version of dcgm-exporter: {text[:40]!a}",
            path="version",
            remedy="give it as 4.9.0, or as its image tag 4.6.0-4.8.3-ubuntu22.04",
        )
    return tuple(int(part or 0) for part in found.groups())


def _version_from(labels: Mapping[str, str]) -> _Version | None:
    """The version that a default label betrays; None where it is absent, or both are there."""
    told = [version for label, version in _DRIVER_LABELS.items() if labels.get(label)]
    return told[0] if len(told) == 1 else None


def _choose(rows: tuple[Meaning, ...], version: _Version | None) -> Meaning | None:
    if version is None:
        return None
    fits = (row for row in rows if row.since <= version and (not row.until or version < row.until))
    return next(fits, None)


@lru_cache(maxsize=64)
def _unknown_unit(name: str) -> Unusable:
    return Unusable(
        reason="unknown unit",
        why=f"{name} has had several units, or none that its exporter states; name the exporter's version, or report "
        "the quantity under a name with one unit",
    )


def _find_device(labels: Mapping[str, str], site: str) -> DeviceSeen | Unusable:
    uuid = labels.get("UUID") or labels.get("uuid", "")
    if not _UUID.fullmatch(uuid):
        return _NO_DEVICE
    instance, profile = labels.get("GPU_I_ID", ""), labels.get("GPU_I_PROFILE", "")
    chip = _tidy(labels.get("modelName", ""))
    host = labels.get("Hostname") or labels.get("hostname") or _scraped_host(labels)
    slot = _tidy(labels.get("pci_bus_id") or labels.get("gpu", ""))
    whole = DeviceSeen(device=uuid, site=site, chip=chip, host=_tidy(host), slot=slot)
    if not instance and not profile:
        return _NO_SHARE if uuid.startswith("MIG-") else whole
    return _slice(whole, instance, profile)


def _slice(whole: DeviceSeen, instance: str, profile: str) -> DeviceSeen | Unusable:
    share = mig_share(profile, whole.chip)
    if share is None or not _INSTANCE.fullmatch(instance):
        return _NO_SHARE
    return msgspec.structs.replace(
        whole,
        device=f"{whole.device}/{int(instance)}",
        parent=whole.device,
        slices=share.slices,
        slices_of=share.of,
    )


def _scraped_host(labels: Mapping[str, str]) -> str:
    """Where the exporter itself names no host: the target that Prometheus scraped, without its port."""
    return labels.get("instance", "").rpartition(":")[0] or labels.get("instance", "")


def _tidy(name: str) -> str:
    if len(name) <= _LONGEST_NAME and name.isprintable():
        return name
    return "".join(letter if letter.isprintable() else "?" for letter in name[:_LONGEST_NAME])
