"""Kernels: the operations that a workload asks for, exactly, and what one chip must do to deliver them.

The truth is the count of operations (2 m n k of a product, adds and multiplies of the rest). What the chip does is
more: products are padded to tiles, tiles fill multiprocessors in waves, memory and launches take time. That difference
is what a meter reading counters cannot see.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

import msgspec

from sekisho.metering.counting import BITS_OF
from sekisho.metering.tensor_clocks import TensorClock
from sekisho.model.chips import Chip
from sekisho.model.flop import gemm

__all__ = ["Kernel", "Machine", "attention", "elementwise", "fft", "gap", "product", "transfer"]

_TILES: Final = (
    *((256, 128), (128, 128), (128, 64), (64, 64)),
    *((64, 32), (64, 16), (64, 8)),
)
_TILE_BYTES: Final = 64  # the depth of a tile
_PROLOGUE: Final = 1200  # cycles of a tile before and after its products
_LAUNCH_S: Final = 3e-6
_SPLITS: Final = (1, 2, 4, 8, 16)


class Machine(msgspec.Struct, frozen=True, kw_only=True):
    """One chip as the generator knows it; rates of formats that no public table has are shares of the 16-bit one."""

    chip: Chip
    row: TensorClock

    @property
    def bandwidth(self) -> float:
        """Bytes per second of device memory that a good kernel reaches."""
        return float(self.chip.bandwidth_gbs or 1000) * 1e9 * 0.88

    @property
    def lanes(self) -> float:
        """FP32 instructions in one cycle of the whole chip."""
        return self.row.sms * self.row.fp32_ops / 2

    def operations_per_cycle(self, number_format: str) -> float:
        """Dense matrix operations of one multiprocessor in one cycle."""
        if number_format in ("bf16", "fp16"):
            return self.row.fp16_ops
        if number_format == "tf32":
            return self.row.fp16_ops / 2
        if number_format == "fp64":
            return self.row.fp16_ops / 16
        return self.row.fp16_ops * self.chip.peaks[number_format] / self.chip.peaks["fp16"]


class Kernel(msgspec.Struct, frozen=True, kw_only=True):
    """Work done one piece after another. `operations` by format, exact; the rest is what the chip spends.

    `cycles` of the whole chip pass at its clock, `fixed_s` seconds whatever the clock; `tensor`, `fp32`, `fp16`, `fp64`
    are cycles of the whole chip in which a pipe is active. `busy` is the share of the time with a kernel running,
    `occupied` the share of multiprocessors that have one, `toggle` how much the data make circuits switch.
    """

    operations: Mapping[str, int] = {}
    cycles: float = 0.0
    fixed_s: float = 0.0
    tensor: float = 0.0
    fp32: float = 0.0
    fp16: float = 0.0
    fp64: float = 0.0
    dram_bytes: float = 0.0
    link_bytes: float = 0.0
    host_bytes: float = 0.0
    busy: float = 1.0
    occupied: float = 1.0
    toggle: float = 1.0

    def times(self, count: int) -> Kernel:
        """The same, `count` times over."""
        spent = {name: getattr(self, name) * count for name in _SPENT}
        operations = {name: n * count for name, n in self.operations.items()}
        return msgspec.structs.replace(self, operations=operations, **spent)

    def with_toggle(self, toggle: float) -> Kernel:
        return msgspec.structs.replace(self, toggle=toggle)

    @classmethod
    def join(cls, kernels: Iterable[Kernel]) -> Kernel:
        """One after another, seen as one; shares are means by time at a clock of 1.5 GHz."""
        parts = list(kernels)
        operations: dict[str, int] = {}
        for part in parts:
            for name, n in part.operations.items():
                operations[name] = operations.get(name, 0) + n
        spent = {name: sum(getattr(part, name) for part in parts) for name in _SPENT}
        weights = [part.cycles / 1.5e9 + part.fixed_s for part in parts]
        shares = {
            name: sum(getattr(part, name) * w for part, w in zip(parts, weights, strict=True))
            / (sum(weights) or 1.0)
            for name in ("busy", "occupied", "toggle")
        }
        return cls(operations=operations, **spent, **shares)


_SPENT: Final = (
    *("cycles", "fixed_s", "tensor", "fp32", "fp16", "fp64"),
    *("dram_bytes", "link_bytes", "host_bytes"),
)


def product(machine: Machine, m: int, n: int, k: int, number_format: str, count: int = 1) -> Kernel:
    """`count` matrix products (m x k) by (k x n), in the tiling that takes least time."""
    tilings = (
        _Tiling(sides=sides, depth=k, number_format=number_format, tile=tile, split=split)
        for sides in ((m, n), (n, m))
        for tile in _TILES
        for split in _SPLITS
    )
    best = min((_tiled(machine, tiling) for tiling in tilings), key=lambda found: found.cycles)
    size = BITS_OF[number_format] / 8
    moved = (m * k + k * n) * size + m * n * max(size, 2.0)
    one = msgspec.structs.replace(
        best, operations={**best.operations, number_format: gemm(m, n, k)}, dram_bytes=moved
    )
    return _timed(machine, one).times(count)


class _Tiling(msgspec.Struct, frozen=True, kw_only=True):
    """One way to cut a product: output tiles, and how many pieces its depth is cut into."""

    sides: tuple[int, int]
    depth: int
    number_format: str
    tile: tuple[int, int]
    split: int


def _tiled(machine: Machine, cut: _Tiling) -> Kernel:
    """The product padded to tiles, in waves over the multiprocessors; a split depth is added up in FP32."""
    (rows, columns), (high, wide) = cut.sides, cut.tile
    step = _TILE_BYTES * 8 // BITS_OF[cut.number_format]
    padded = -(-cut.depth // (cut.split * step)) * step
    tiles = -(-rows // high) * -(-columns // wide) * cut.split
    area = high * wide
    per_tile = 2 * area * padded / machine.operations_per_cycle(cut.number_format)
    efficiency = 0.97 * area / (area + 1800)
    waves = -(-tiles // machine.row.sms)
    added = rows * columns * (cut.split - 1)
    return Kernel(
        operations={"fp32": added} if added else {},
        cycles=waves * (per_tile / efficiency + _PROLOGUE) + added / machine.lanes,
        tensor=per_tile * tiles / machine.row.sms,
        fp32=(added + 2 * rows * columns) / machine.lanes,
        occupied=min(tiles / machine.row.sms, 1.0),
    )


def attention(
    machine: Machine, sequence: int, heads: int, width: int, number_format: str, count: int = 1
) -> Kernel:
    """`count` causal attentions over `heads` heads of `width`: two products over the lower triangle, and a softmax.

    Blocks of 128 on the diagonal are computed whole, which is half wasted; five FP32 operations for each score.
    """
    blocks = -(-sequence // 128)
    scores = sequence * (sequence + 1) // 2
    computed = blocks * (blocks + 1) // 2 * 128 * 128
    rate = machine.operations_per_cycle(number_format)
    tensor = 4 * computed * width * heads / rate / machine.row.sms
    vector = 4 * computed * heads / machine.lanes
    one = Kernel(
        operations={number_format: 4 * scores * width * heads, "fp32": 5 * scores * heads},
        cycles=max(tensor / 0.62, vector / 0.6) + _PROLOGUE,
        tensor=tensor,
        fp32=vector,
        dram_bytes=8.0 * sequence * width * heads,
    )
    return _timed(machine, one).times(count)


def elementwise(
    machine: Machine,
    elements: int,
    *,
    flop: int = 4,
    instructions: int = 8,
    moved: float = 8.0,
    count: int = 1,
) -> Kernel:
    """`flop` FP32 operations, `instructions` and `moved` bytes for each element: norms, activations, optimisers."""
    spent = elements * instructions / machine.lanes
    one = Kernel(
        operations={"fp32": elements * flop} if flop else {},
        cycles=spent / 0.8,
        fp32=spent * 0.75,
        dram_bytes=elements * moved,
    )
    return _timed(machine, one).times(count)


def fft(machine: Machine, points: int, count: int = 1, *, fused: float = 0.5) -> Kernel:
    """`count` complex FFTs of `points` (a power of two): 5 N log2 N operations, in passes through memory.

    `fused` is the share of operations that an instruction does two at a time.
    """
    levels = points.bit_length() - 1
    flop = 5 * points * levels
    passes = -(-levels // 12)
    spent = flop * (1 - fused / 2) / machine.lanes
    one = Kernel(
        operations={"fp32": flop},
        cycles=spent / 0.7,
        fp32=spent,
        dram_bytes=16.0 * points * passes,
    )
    return _timed(machine, one).times(count)


def transfer(seconds: float, *, link_bytes: float = 0.0, host_bytes: float = 0.0) -> Kernel:
    """Waiting for other chips or the host while a kernel stands: busy to NVML, and nothing is computed."""
    return Kernel(fixed_s=seconds, link_bytes=link_bytes, host_bytes=host_bytes, occupied=0.15)


def gap(seconds: float, *, host_bytes: float = 0.0) -> Kernel:
    """No kernel at all."""
    return Kernel(fixed_s=seconds, host_bytes=host_bytes, busy=0.0, occupied=0.0)


def _timed(machine: Machine, one: Kernel) -> Kernel:
    """Memory and computing overlap: the longer one counts, at the table's clock; a launch comes before."""
    by_memory = one.dram_bytes / machine.bandwidth
    by_clock = one.cycles / (machine.row.clock_khz * 1000)
    if by_memory > by_clock:
        return msgspec.structs.replace(one, cycles=0.0, fixed_s=by_memory + _LAUNCH_S)
    return msgspec.structs.replace(one, fixed_s=one.fixed_s + _LAUNCH_S)
