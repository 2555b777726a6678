"""NVML as an instrument: utilisation and board power of each device, and who holds it. Needs the extra `agent`."""

from __future__ import annotations

from decimal import Decimal

from sekisho.adapters.devices.nvml_census import NvmlCensus
from sekisho.model.errors import Unavailable
from sekisho.model.instants import Instant
from sekisho.ports.device_census import DeviceCensus, SeenDevice
from sekisho.ports.instruments import Shown

__all__ = ["NvmlInstrument"]

_PPM_OF_A_PERCENT = 10_000
_MW_OF_A_W = 1_000


class NvmlInstrument:
    """Implements ports.Instrument. A device that does not answer makes the whole reading unavailable, by its name."""

    def __init__(self, census: DeviceCensus | None = None) -> None:
        self._census = census if census is not None else NvmlCensus()

    def read(self, since: Instant) -> tuple[Shown, ...]:
        del since  # NVML keeps no history that another process could not have emptied
        devices = self._census.seen()
        if not devices:
            raise Unavailable("NVML shows no device")
        return tuple(figure for device in devices for figure in _figures(device))

    def close(self) -> None:
        """Nothing is held open between two looks."""


def _figures(device: SeenDevice) -> list[Shown]:
    if device.lost:
        raise Unavailable(f"{device.device} does not answer: {device.lost}")
    holders = tuple(process.pid for process in device.processes or ())
    found = []
    if device.util_ppm is not None:
        share = Decimal(device.util_ppm) / _PPM_OF_A_PERCENT
        found.append(Shown(quantity="gpu-util", value=share, device=device.device, holders=holders))
    if device.power_mw is not None:
        watts = Decimal(device.power_mw) / _MW_OF_A_W
        found.append(Shown(quantity="power", value=watts, device=device.device, holders=holders))
    if not found:
        raise Unavailable(f"{device.device} shows neither utilisation nor power")
    return found
