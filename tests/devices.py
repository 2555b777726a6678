"""Devices as a driver shows them, hosts that enrolled them, and licences that are bound to them."""

from __future__ import annotations

from typing import Any

import msgspec

from sekisho.agent.device_settings import DeviceSettings
from sekisho.agent.events import DevicesCounted
from sekisho.licensing.device_set import root_of
from sekisho.model.statements import EnrolledDevice, HostEnrolled, LicenceIssued, Reference
from sekisho.ports.device_census import SeenDevice, SeenProcess
from tests import factory
from tests.fakes import Rig

__all__ = ["REFERENCE", "bound_to", "count", "enrolled", "host_with", "rig_with", "seen", "working"]

REFERENCE = Reference(log="example.com/log", leaf="1" * 64)
H100 = "NVIDIA H100 80GB HBM3"


def enrolled(name: str, chip: str = "H100 SXM5", **changes: Any) -> EnrolledDevice:
    """A device from the chip table."""
    device = EnrolledDevice(device=name, chip=chip, peak_flop_per_s="1000000000", basis="table")
    return msgspec.structs.replace(device, **changes)


def seen(name: str, **changes: Any) -> SeenDevice:
    """A quiet device as NVML shows it."""
    device = SeenDevice(
        device=name,
        chip=H100,
        slot="00000000:10:00.0",
        util_ppm=0,
        power_mw=70_000,
        power_limit_mw=700_000,
        memory_bytes=80 << 30,
        processes=(),
    )
    return msgspec.structs.replace(device, **changes)


def working(name: str, *pids: int) -> SeenDevice:
    """A device at work by these processes, which stand alone."""
    processes = tuple(SeenProcess(pid=pid, ancestors=(1,)) for pid in pids)
    return seen(name, util_ppm=900_000, power_mw=600_000, processes=processes)


def host_with(*names: str, host: str = "host-1") -> HostEnrolled:
    fact = factory.host_enrolled(host)
    return msgspec.structs.replace(fact, devices=tuple(enrolled(name) for name in names))


def bound_to(*names: str, **changes: Any) -> LicenceIssued:
    """A licence whose set is these devices."""
    licence = factory.licence_issued(REFERENCE)
    fixed = {"devices": len(names), "devices_root": root_of(names)}
    return msgspec.structs.replace(licence, **{**fixed, **changes})


def rig_with(uuid: str = "GPU-0", egress: int | None = None, **devices: Any) -> Rig:
    """An agent that counts its devices: the enrolled one, to which its licence is bound, is `uuid` to the driver."""
    names = {"host-1/device-0": uuid}
    rig = Rig(devices=DeviceSettings(**{"names": names, **devices}))
    root = root_of(("host-1/device-0",))
    rig.control.license(devices=1, devices_root=root, egress_bytes_per_s=egress)
    return rig


def count(rig: Rig, *devices: SeenDevice, times: int = 1, why: str = "") -> None:
    """So many looks two seconds apart, each followed by a look of the duty's."""
    for _ in range(times):
        told = DevicesCounted(at_s=rig.clock.elapsed_s(), seen=None if why else devices, why=why)
        rig.duty.hear(told)
        rig.run_for(2, step=0.5)
