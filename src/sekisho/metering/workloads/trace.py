"""A trace: what one device would have reported, and the operations that it was really asked for."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from typing import Final, Literal, TypeAlias

import msgspec

from sekisho.metering.counting import CountingRule
from sekisho.model.errors import InvalidInput
from sekisho.model.instants import Instant
from sekisho.model.telemetry import Usage

__all__ = ["Kind", "Trace", "usage_of"]

Kind: TypeAlias = Literal["training", "inference", "other"]
_PPM: Final = 10**6


class Trace(msgspec.Struct, frozen=True, kw_only=True):
    """One device for at least `seconds`, to the end of the last piece of work begun.

    `readings` holds columns of stored whole numbers under the names of model.telemetry.FIELDS; reading i describes
    the 1/hz seconds that begin at `at_us[i]` (epoch microseconds): shares are means over them, clock and power what an
    instrument would read in them, `energy_mj` a counter at their end. `operations` is the truth: operations by number
    format, exact, of all work in the trace; `done` is the same as a running sum at the end of each reading, work in
    progress counted by its share and rounded down. `number_format` is what an honest operator would declare.
    """

    family: str
    kind: Kind
    seed: int
    chip: str
    hz: int
    number_format: str
    at_us: tuple[int, ...]
    readings: Mapping[str, tuple[int, ...]]
    operations: Mapping[str, int]
    done: Mapping[str, tuple[int, ...]]

    @property
    def seconds(self) -> Fraction:
        return Fraction(len(self.at_us), self.hz)

    def flop(self, rule: CountingRule) -> Fraction:
        """The truth under one counting rule."""
        return rule.count_flop(self.operations)


def usage_of(trace: Trace, *, period_s: int = 1, is_spot: bool = False) -> Usage:
    """What an account of this trace would be summed from, read every `period_s` seconds.

    Averaged readings (`is_spot` False) are means over the period, as integrating counters give them; spot readings are
    one tenth of a second taken for the whole period. Clock and power are read at an instant in either case.
    """
    step = period_s * trace.hz
    if not 1 <= step <= len(trace.at_us):
        raise InvalidInput(f"a period of {period_s} s does not fit into {float(trace.seconds)} s")
    starts = range(0, len(trace.at_us), step)
    rows = [
        _reading(trace, first, min(step, len(trace.at_us) - first), is_spot) for first in starts
    ]
    chip_ms = len(trace.at_us) * 1000 // trace.hz
    return Usage(
        job=f"{trace.family}/{trace.seed}",
        site="generated",
        chip=trace.chip,
        start=Instant(trace.at_us[0]),
        end=Instant(trace.at_us[-1] + 10**6 // trace.hz),
        devices=1,
        chip_ms=chip_ms,
        readings=len(rows),
        tensor_ms=chip_ms,
        tensor_work=sum(row["tensor"] for row in rows),
        util_ms=chip_ms,
        util_work=sum(row["util"] for row in rows),
        clock_ms=chip_ms,
        clock_work=sum(row["clock"] for row in rows),
        clock_max_khz=max(trace.readings["sm_clock_khz"][i] for i in starts),
        power_ms=chip_ms,
        energy_mj=sum(row["energy"] for row in rows),
        pipe_ms=chip_ms,
        pipe_work=sum(row["pipes"] for row in rows),
    )


def _reading(trace: Trace, first: int, count: int, is_spot: bool) -> dict[str, int]:
    """One reading's part of the sums, over the `count` ticks from `first`."""
    ms = count * 1000 // trace.hz
    over = slice(first, first + (1 if is_spot else count))

    def mean(name: str) -> int:
        values = trace.readings[name][over]
        return round(sum(values) / len(values))

    clock = trace.readings["sm_clock_khz"][first]
    pipes = mean("fp16_ppm") + mean("fp32_ppm") + mean("fp64_ppm")
    return {
        "tensor": mean("tensor_ppm") * clock * ms,
        "util": mean("util_ppm") * clock * ms,
        "pipes": pipes * clock * ms,
        "clock": clock * ms,
        "energy": trace.readings["power_mw"][first] * ms // 1000,
    }
