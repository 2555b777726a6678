"""The quantities that a device reports, each stored as a whole number of a fixed unit.

Whole numbers, because sums of them come out the same on every engine and in every order: an account that two
parties compute from the same readings is the same to the last operation, and so is the digest of its evidence.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, Literal, TypeAlias

import msgspec

__all__ = ["FIELDS", "Field", "FieldKind"]

FieldKind: TypeAlias = Literal["gauge", "counter", "event"]


class Field(msgspec.Struct, frozen=True, kw_only=True):
    """One quantity. The stored number is value x `per_unit`, rounded half to even.

    `low` and `high` bound what can be true, in stored numbers; what lies outside is refused, never clipped,
    except that a share up to a hundredth above one is one (averages of the exporter round so). A counter only
    grows, until its device or driver starts again.
    """

    name: str
    unit: str  # of the stored number
    per_unit: int  # stored numbers to one base unit: share, Hz, W, J, byte
    kind: FieldKind
    low: int
    high: int
    what: str


def _share(name: str, what: str) -> Field:
    return Field(
        name=name,
        unit="ppm",
        per_unit=1_000_000,
        kind="gauge",
        low=0,
        high=1_000_000,
        what=what,
    )


def _bytes(name: str, what: str) -> Field:
    return Field(name=name, unit="byte/s", per_unit=1, kind="gauge", low=0, high=10**13, what=what)


_ALL: Final = (
    _share("tensor_ppm", "share of cycles in which the tensor pipe was active"),
    _share("sm_active_ppm", "share of cycles with at least one warp on a multiprocessor"),
    _share("dram_ppm", "share of cycles in which device memory moved data"),
    _share("fp16_ppm", "share of cycles in which the 16-bit pipe (not tensor) was active"),
    _share("fp32_ppm", "share of cycles in which the 32-bit pipe was active"),
    _share("fp64_ppm", "share of cycles in which the 64-bit pipe was active"),
    _share("util_ppm", "share of time in which a kernel ran (NVML utilisation)"),
    Field(
        name="sm_clock_khz",
        unit="kHz",
        per_unit=1,  # base unit kHz here, so that a gigahertz fits 32 bits
        kind="gauge",
        low=1,  # a clock of zero is no clock: it would turn activity into a measured nothing
        high=5_000_000,
        what="clock of the multiprocessors",
    ),
    Field(
        name="power_mw",
        unit="mW",
        per_unit=1_000,
        kind="gauge",
        low=1,  # what answers draws power
        high=5_000_000,
        what="power drawn by the device",
    ),
    Field(
        name="energy_mj",
        unit="mJ",
        per_unit=1_000,
        kind="counter",
        low=0,
        high=2**62,
        what="energy since the driver started",
    ),
    Field(
        name="mem_used_kib",
        unit="KiB",
        per_unit=1,  # base unit KiB
        kind="gauge",
        low=0,
        high=2**33,
        what="device memory in use",
    ),
    _bytes("pcie_tx", "sent over PCIe"),
    _bytes("pcie_rx", "received over PCIe"),
    _bytes("nvlink_tx", "sent over NVLink"),
    _bytes("nvlink_rx", "received over NVLink"),
    Field(
        name="xid",
        unit="code",
        per_unit=1,
        kind="event",
        low=0,
        high=10_000,
        what="last Xid error, 0 for none",
    ),
)

FIELDS: Final[Mapping[str, Field]] = {field.name: field for field in _ALL}
"""By name, in the order in which the store writes its columns."""
