"""What one job had of one type of chip in one stretch of time, summed exactly from readings."""

from __future__ import annotations

import msgspec

from sekisho.model.instants import Instant

__all__ = ["UNATTRIBUTED", "Usage"]

UNATTRIBUTED = ""
"""The job of device time that no allocation claims."""


class Usage(msgspec.Struct, frozen=True, kw_only=True):
    """Sums of whole numbers, the same on every engine; what was not measured is absent from them, not zero.

    `chip_ms` device-milliseconds allocated (a MIG slice counts its share). Of those, `tensor_ms` carry tensor
    activity and clock, `util_ms` carry utilisation and clock, `power_ms` carry power; the rest is gap.
    `tensor_work` = sum of tensor_ppm x sm_clock_khz x milliseconds, `util_work` the same with util_ppm,
    `energy_mj` the energy of `power_ms`. `clock_ms` carry a clock, `clock_work` = sum of sm_clock_khz x
    milliseconds, `clock_max_khz` the highest seen. `doubtful_ms` were measured and set aside by a rule (zero
    tensor activity under load, catch-up after a gap). `readings` are how many readings that rests on, `pipe_work`
    = sum of (fp16 + fp32 + fp64)_ppm x sm_clock_khz x milliseconds outside the tensor pipe. `open_ms` of `chip_ms` are
    of allocations without an end and lie behind the last reading of a device that no longer reports.
    """

    job: str
    site: str
    chip: str
    start: Instant
    end: Instant
    devices: int
    chip_ms: int
    readings: int = 0
    tensor_ms: int = 0
    tensor_work: int = 0
    util_ms: int = 0
    util_work: int = 0
    clock_ms: int = 0
    clock_work: int = 0
    clock_max_khz: int = 0
    power_ms: int = 0
    energy_mj: int = 0
    pipe_ms: int = 0
    pipe_work: int = 0
    doubtful_ms: int = 0
    overlapped_ms: int = 0  # claimed by more than one allocation at once
    open_ms: int = 0
    attested: bool = False
    exempt: bool = False
    evidence: str = ""  # sha256: of the files that the sums rest on, as the store names them
