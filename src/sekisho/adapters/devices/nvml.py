"""NVIDIA devices through NVML, and from Hopper on GPM: the recorder's source. Needs the extra `agent`.

What the driver does not support or permit is asked once and left out from then on: an exception for each field and
tick would cost more than all that is read. NVML's own PCIe counter is left out, too: each call blocks for the 20 ms
over which it counts, so links are read through GPM or not at all.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from ctypes import c_void_p, cast
from typing import Any, Final

import pynvml as nvml  # type: ignore[import-untyped]  # it comes without types

from sekisho.adapters.devices.nvml_activity import Activity
from sekisho.model.errors import Unavailable
from sekisho.model.telemetry import DeviceSeen
from sekisho.ports.device_meter import DeviceReading

__all__ = ["NvmlMeter"]

Handle = Any
Reader = Callable[[Handle], "Mapping[str, int]"]

# Of a compute slice: seven make the whole of every part that can be split (A100, H100, H200, B200).
SLICES: Final = 7


def _utilisation(handle: Handle) -> Mapping[str, int]:
    return {"util_ppm": nvml.nvmlDeviceGetUtilizationRates(handle).gpu * 10_000}


def _clock(handle: Handle) -> Mapping[str, int]:
    return {"sm_clock_khz": nvml.nvmlDeviceGetClockInfo(handle, nvml.NVML_CLOCK_SM) * 1_000}


def _power(handle: Handle) -> Mapping[str, int]:
    return {"power_mw": nvml.nvmlDeviceGetPowerUsage(handle)}


def _energy(handle: Handle) -> Mapping[str, int]:
    return {"energy_mj": nvml.nvmlDeviceGetTotalEnergyConsumption(handle)}


def _memory(handle: Handle) -> Mapping[str, int]:
    return {"mem_used_kib": nvml.nvmlDeviceGetMemoryInfo(handle).used // 1024}


_READERS: Final[Mapping[str, Reader]] = {
    "util_ppm": _utilisation,
    "sm_clock_khz": _clock,
    "power_mw": _power,
    "energy_mj": _energy,
    "mem_used_kib": _memory,
}
# A slice shares clock, power and links with its parent, and NVML shows no utilisation of it.
_OF_A_SLICE: Final = ("mem_used_kib",)


class _Source:
    """One device or slice with what it can be asked. `parent` is the whole device."""

    def __init__(
        self, seen: DeviceSeen, handle: Handle, parent: Handle, instance: int | None
    ) -> None:
        self.seen = seen
        self.handle = handle
        self.parent = parent
        self.activity = Activity(parent, instance)
        self.readers: tuple[tuple[Handle, Reader], ...] = ()
        self.unreadable: dict[str, str] = {}
        names = _READERS if instance is None else _OF_A_SLICE
        found = [self._try(name, handle) for name in names]
        if instance is not None:
            found.append(self._try("sm_clock_khz", parent))
        self.readers = tuple(reader for reader in found if reader is not None)
        if not self.activity.supported:
            self.unreadable["tensor_ppm"] = self.activity.why

    def _try(self, name: str, handle: Handle) -> tuple[Handle, Reader] | None:
        reader = _READERS[name]
        try:
            reader(handle)
        except nvml.NVMLError as error:
            self.unreadable[name] = str(error)
            return None
        return handle, reader

    def read(self) -> DeviceReading:
        values: dict[str, int] = {}
        try:
            for handle, reader in self.readers:
                values.update(reader(handle))
            values.update(self.activity.read())
        except nvml.NVMLError as error:
            return DeviceReading(device=self.seen.device, values={}, lost=str(error))
        return DeviceReading(device=self.seen.device, values=values)


class NvmlMeter:
    """A `DeviceMeter` over every device of this host; a device that is split into slices is read slice by slice."""

    def __init__(self, *, host: str, site: str) -> None:
        with _translated():
            nvml.nvmlInit()
        try:
            with _translated():
                self._sources = tuple(_find_sources(host, site))
                self._events = _Errors([(s.seen, s.parent) for s in self._sources])
        except BaseException:
            nvml.nvmlShutdown()
            raise
        if not self._sources:
            nvml.nvmlShutdown()
            raise Unavailable("the driver shows no NVIDIA device")

    def devices(self) -> tuple[DeviceSeen, ...]:
        return tuple(source.seen for source in self._sources)

    def unreadable(self) -> Mapping[str, str]:
        shared = set(self._sources[0].unreadable)
        for source in self._sources[1:]:
            shared &= set(source.unreadable)
        return {name: self._sources[0].unreadable[name] for name in sorted(shared)}

    def read(self) -> tuple[DeviceReading, ...]:
        errors = self._events.take()
        found = []
        for source in self._sources:
            reading = source.read()
            xid = errors.get(source.seen.parent or source.seen.device)
            if xid is not None and not reading.lost:
                values = {**reading.values, "xid": xid}
                reading = DeviceReading(device=reading.device, values=values)
            found.append(reading)
        return tuple(found)

    def close(self) -> None:
        for source in self._sources:
            source.activity.close()
        self._events.close()
        with suppress(nvml.NVMLError):  # nothing is left to do about it
            nvml.nvmlShutdown()


class _Errors:
    """Xid errors since the last look: NVML's event set, or nothing where it has none."""

    def __init__(self, devices: Sequence[tuple[DeviceSeen, Handle]]) -> None:
        self._set: Any = None
        self._names: dict[int, str] = {}
        whole = {seen.parent or seen.device: handle for seen, handle in devices}
        try:
            events = nvml.nvmlEventSetCreate()
            for name, handle in whole.items():
                nvml.nvmlDeviceRegisterEvents(handle, nvml.nvmlEventTypeXidCriticalError, events)
                self._names[_address(handle)] = name
        except nvml.NVMLError:
            return
        self._set = events

    def take(self) -> Mapping[str, int]:
        found: dict[str, int] = {}
        for _ in range(
            64 if self._set is not None else 0
        ):  # a storm of errors does not hold a tick
            try:
                data = nvml.nvmlEventSetWait(self._set, 0)
            except nvml.NVMLError:
                break
            found[self._names.get(_address(data.device), "")] = int(data.eventData)
        return found

    def close(self) -> None:
        if self._set is not None:
            with suppress(nvml.NVMLError):  # the process ends
                nvml.nvmlEventSetFree(self._set)


def _find_sources(host: str, site: str) -> Iterator[_Source]:
    for index in range(nvml.nvmlDeviceGetCount()):
        handle = nvml.nvmlDeviceGetHandleByIndex(index)
        seen = DeviceSeen(
            device=_text(nvml.nvmlDeviceGetUUID(handle)),
            site=site,
            chip=_text(nvml.nvmlDeviceGetName(handle)),
            host=host,
        )
        slices = list(_find_slices(handle, seen))
        yield from slices or [_Source(seen, handle, handle, None)]


def _find_slices(parent: Handle, whole: DeviceSeen) -> Iterator[_Source]:
    try:
        if nvml.nvmlDeviceGetMigMode(parent)[0] != nvml.NVML_DEVICE_MIG_ENABLE:
            return
        most = nvml.nvmlDeviceGetMaxMigDeviceCount(parent)
    except nvml.NVMLError:
        return  # a part that cannot be split
    for index in range(most):
        try:
            handle = nvml.nvmlDeviceGetMigDeviceHandleByIndex(parent, index)
        except nvml.NVMLError:
            continue  # numbers of slices have holes
        instance = nvml.nvmlDeviceGetGpuInstanceId(handle)
        seen = DeviceSeen(
            device=f"{whole.device}/{instance}",
            site=whole.site,
            chip=whole.chip,
            host=whole.host,
            parent=whole.device,
            slices=nvml.nvmlDeviceGetAttributes(handle).gpuInstanceSliceCount,
            slices_of=SLICES,
        )
        yield _Source(seen, handle, parent, instance)


def _address(handle: Handle) -> int:
    """The number by which the library knows a device; handles of one device are different objects."""
    contents = cast(handle, c_void_p).value
    return contents or 0


def _text(value: str | bytes) -> str:
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else value


@contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except nvml.NVMLError as error:
        raise Unavailable(
            f"NVML: {error}",
            remedy="install the NVIDIA driver, or run where its libnvidia-ml.so.1 can be loaded",
        ) from None
