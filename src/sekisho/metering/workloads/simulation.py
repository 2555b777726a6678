"""A small performance model of one chip: kernels pass, the clock follows the power limit, instruments read with noise.

Every number here is our own choice (O), made to be plausible and not fitted to a device: what it is for is that
readings and truth part ways for the reasons for which they really do.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Final

import msgspec

from sekisho.metering.workloads.draws import Draws
from sekisho.metering.workloads.kernels import Kernel, Machine

__all__ = ["Columns", "Conditions", "simulate"]

_STEP_KHZ: Final = 15_000  # clocks move in steps
_IDLE: Final = (
    0.11  # shares of the power limit: standing, with a kernel, matrix unit, other pipes, memory
)
_KERNEL: Final = 0.07
_MATRIX: Final = 1.0
_VECTOR: Final = 0.34
_MEMORY: Final = 0.30
_BEND: Final = 2.2  # dynamic power over clock: a lower clock runs at a lower voltage
_SHARES: Final = ("tensor", "fp32", "fp16", "fp64")


class Conditions(msgspec.Struct, frozen=True, kw_only=True):
    """What the chip runs under: power cap as a share of the limit, and memory that the workload holds."""

    cap: float = 1.0
    memory_share: float = 0.6


class Columns(msgspec.Struct, frozen=True, kw_only=True):
    """Readings by field name, running sums of operations, and the exact total."""

    readings: Mapping[str, tuple[int, ...]]
    done: Mapping[str, tuple[int, ...]]
    operations: Mapping[str, int]


class _Tick:
    """What passed in one tick."""

    def __init__(self) -> None:
        self.spent = dict.fromkeys((*_SHARES, "busy", "occupied", "switching"), 0.0)
        self.moved = dict.fromkeys(("dram_bytes", "link_bytes", "host_bytes"), 0.0)

    def add(self, kernel: Kernel, share: float, seconds: float) -> None:
        for name in _SHARES:
            self.spent[name] += getattr(kernel, name) * share
        self.spent["switching"] += kernel.tensor * kernel.toggle * share
        self.spent["busy"] += kernel.busy * seconds
        self.spent["occupied"] += kernel.occupied * seconds
        for name in self.moved:
            self.moved[name] += getattr(kernel, name) * share


class _Progress:
    """The kernel in hand and how much of it is left."""

    def __init__(self, program: Iterator[Kernel]) -> None:
        self._program = program
        self.kernel = Kernel()
        self.left = 0.0
        self.finished: dict[str, int] = {}

    def pass_time(self, tick: _Tick, seconds: float, clock_hz: float, *, may_begin: bool) -> bool:
        """Let `seconds` pass; False where there was nothing to do at the end of them."""
        while seconds > 1e-12:
            if self.left <= 0.0:
                if not may_begin:
                    return False
                self.kernel, self.left = next(self._program), 1.0
            whole = self.kernel.cycles / clock_hz + self.kernel.fixed_s
            taken = min(self.left * whole, seconds)
            share = taken / whole if whole else 1.0
            tick.add(self.kernel, share, taken)
            seconds -= taken
            self.left -= share
            if self.left <= 1e-9:
                self._finish()
        return self.left > 0.0

    def _finish(self) -> None:
        self.left = 0.0
        for name, n in self.kernel.operations.items():
            self.finished[name] = self.finished.get(name, 0) + n

    def done(self) -> dict[str, int]:
        """Finished work, and what is in hand by its share, rounded down."""
        found = dict(self.finished)
        if self.left > 0.0:
            for name, n in self.kernel.operations.items():
                part = n * int((1.0 - self.left) * 10**9) // 10**9
                found[name] = found.get(name, 0) + part
        return found


def simulate(
    machine: Machine,
    program: Iterator[Kernel],
    conditions: Conditions,
    draws: Draws,
    *,
    seconds: int,
    hz: int,
) -> Columns:
    """Run `program` for at least `seconds`, until the piece of work begun last is finished."""
    progress, instruments = _Progress(program), _Instruments(machine, conditions, draws, hz)
    clock_khz = _top_khz(machine)
    sums: list[dict[str, int]] = []
    ticks = 0
    while True:
        tick = _Tick()
        goes_on = progress.pass_time(
            tick, 1 / hz, clock_khz * 1000.0, may_begin=ticks < seconds * hz
        )
        power = instruments.read(tick, clock_khz)
        sums.append(progress.done())
        clock_khz = _next_clock(machine, clock_khz, power, conditions.cap)
        ticks += 1
        if ticks >= seconds * hz and not goes_on:
            break
    formats = sorted(progress.finished)
    return Columns(
        readings={name: tuple(values) for name, values in instruments.columns.items()},
        done={name: tuple(row.get(name, 0) for row in sums) for name in formats},
        operations={name: progress.finished[name] for name in formats},
    )


def _top_khz(machine: Machine) -> int:
    return machine.row.max_clock_khz or machine.row.clock_khz


def _next_clock(machine: Machine, clock_khz: int, power: float, cap: float) -> int:
    """The governor: down where the tick drew more than the cap, slowly up where it drew less."""
    top = _top_khz(machine)
    wanted = clock_khz * min((cap / power) ** (1 / _BEND), 1.04)
    return int(min(max(wanted, top * 0.35), top)) // _STEP_KHZ * _STEP_KHZ


class _Instruments:
    """Counters and sensors with their own faults: a fixed bias of each device, noise, steps."""

    def __init__(self, machine: Machine, conditions: Conditions, draws: Draws, hz: int) -> None:
        self._machine, self._conditions, self._draws, self._hz = machine, conditions, draws, hz
        self._counter_bias = 1.0 + draws.between(-0.012, 0.012)
        self._clock_bias = 1.0 + draws.between(-0.005, 0.005)
        self._power_bias = 1.0 + draws.between(-0.04, 0.04)
        self._energy_mj = draws.whole(10**6, 10**9)
        self.columns: dict[str, list[int]] = {}

    def read(self, tick: _Tick, clock_khz: int) -> float:
        """Write one reading of every field. Returns the true power over the power limit."""
        cycles = clock_khz * 1000.0 / self._hz
        power = self._power(tick, cycles, clock_khz)
        seen_w = power * self._machine.row.tdp_w * self._power_bias * (1 + self._draws.normal(0.02))
        self._energy_mj += round(power * self._machine.row.tdp_w * 1000 / self._hz)
        values = {f"{name}_ppm": self._share(tick.spent[name] / cycles) for name in _SHARES}
        values |= {
            "sm_active_ppm": self._share(tick.spent["occupied"] * self._hz),
            "util_ppm": round(min(tick.spent["busy"] * self._hz, 1.0) * 100) * 10_000,
            "dram_ppm": self._share(self._rate(tick, "dram_bytes") / self._machine.bandwidth),
            "sm_clock_khz": self._read_clock(clock_khz),
            "power_mw": max(round(seen_w * 1000), 0),
            "energy_mj": self._energy_mj,
            "mem_used_kib": self._memory_kib(),
            "nvlink_tx": round(self._rate(tick, "link_bytes")),
            "nvlink_rx": round(self._rate(tick, "link_bytes")),
            "pcie_tx": round(self._rate(tick, "host_bytes") * 0.5),
            "pcie_rx": round(self._rate(tick, "host_bytes") * 0.5),
        }
        for name, value in values.items():
            self.columns.setdefault(name, []).append(value)
        return power

    def _power(self, tick: _Tick, cycles: float, clock_khz: int) -> float:
        """Of the power limit. Dynamic power goes with the clock, and more so with its voltage."""
        speed = math.pow(clock_khz / _top_khz(self._machine), _BEND)
        matrix = tick.spent["switching"] / cycles
        vector = (tick.spent["fp32"] + tick.spent["fp16"] + tick.spent["fp64"]) / cycles
        memory = min(self._rate(tick, "dram_bytes") / self._machine.bandwidth, 1.0)
        busy = tick.spent["busy"] * self._hz
        dynamic = _MATRIX * matrix + _VECTOR * vector + _KERNEL * busy
        return _IDLE + speed * dynamic + _MEMORY * memory

    def _rate(self, tick: _Tick, name: str) -> float:
        return tick.moved[name] * self._hz

    def _share(self, value: float) -> int:
        noisy = value * self._counter_bias * (1 + self._draws.normal(0.004))
        return round(min(max(noisy, 0.0), 1.0) * 10**6)

    def _read_clock(self, clock_khz: int) -> int:
        return round(clock_khz * self._clock_bias) // _STEP_KHZ * _STEP_KHZ

    def _memory_kib(self) -> int:
        gigabytes = float(self._machine.chip.memory_gb or 16)
        return round(gigabytes * self._conditions.memory_share * 10**9 / 1024)
