"""The host's processor as an enrolled device: a declared peak, chosen so that it bounds from above.

peak = cores x clock x floating-point operations per core and cycle, in the fastest floating-point format that the
processor's flags name, for the widest core known with those flags. A fused multiply-add counts two. It is *declared*:
read from what the kernel says, measured by nobody.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Literal

import msgspec

from sekisho.model.errors import InvalidInput, Unavailable

__all__ = ["HostCpu", "parse_cpuinfo", "read_host_cpu"]

_CPUINFO = Path("/proc/cpuinfo")
_CPUFREQ = Path("/sys/devices/system/cpu")
_MAX_CPUINFO = 32 << 20


class HostCpu(msgspec.Struct, frozen=True, kw_only=True):
    """Cores, clock in Hz and FLOP per core and cycle, with where each came from."""

    cores: int
    clock_hz: int
    flop_per_cycle: int
    source: str
    mark: Literal["declared"] = "declared"

    @property
    def per_core_peak(self) -> int:
        """FLOP per second of one core: CPU seconds times this is a bound on what a process computed."""
        return self.clock_hz * self.flop_per_cycle

    @property
    def peak_flop_per_s(self) -> int:
        return self.cores * self.per_core_peak


class _Width(msgspec.Struct, frozen=True):
    """`flags` all present: at most `flop` per core and cycle, by `reason`."""

    flags: frozenset[str]
    flop: int
    reason: str


# The first row that fits wins; rows go from the fastest down. Lanes x 2 (multiply and add) x units.
# Tile units: 16 rows x 16 columns x 32 products in 16 cycles, Intel 64 and IA-32 Optimization Reference Manual, AMX
# chapter. Vector widths: the same manual, and AMD's Software Optimization Guides for families 17h, 19h and 1Ah.
# To be verified against those manuals row by row; where cores differ the widest is taken, since the figure bounds.
_WIDTHS = (
    _Width(frozenset({"amx_tile", "amx_fp16"}), 1024, "AMX FP16 tiles: 512 products a cycle"),
    _Width(frozenset({"amx_tile", "amx_bf16"}), 1024, "AMX BF16 tiles: 512 products a cycle"),
    _Width(frozenset({"avx512f", "avx512_fp16"}), 128, "AVX-512 FP16: 32 lanes x 2 x 2 units"),
    _Width(
        frozenset({"avx512f", "avx512_bf16"}), 128, "AVX-512 BF16 dot products: 32 x 2 x 2 units"
    ),
    _Width(frozenset({"avx512f"}), 64, "AVX-512 FP32: 16 lanes x 2 x 2 units"),
    _Width(frozenset({"avx2", "fma"}), 32, "AVX2 FMA FP32: 8 lanes x 2 x 2 units"),
    _Width(frozenset({"avx"}), 16, "AVX FP32: 8 lanes, one multiply and one add unit"),
    _Width(frozenset({"sse2"}), 8, "SSE FP32: 4 lanes, one multiply and one add unit"),
    _Width(frozenset({"sve"}), 512, "SVE FP16 at its widest: 2048 bits, 128 lanes x 2 x 2 units"),
    _Width(frozenset({"asimd", "asimdhp"}), 64, "NEON FP16: 8 lanes x 2 x 4 units"),
    _Width(frozenset({"asimd"}), 32, "NEON FP32: 4 lanes x 2 x 4 units"),
)


def parse_cpuinfo(text: str, *, max_khz: int | None = None) -> HostCpu:
    """What /proc/cpuinfo says, with the kernel's stated maximum clock where there is one.

    Raises InvalidInput where it names no processor, no clock or no vector unit that we know.
    """
    blocks = [_fields(block) for block in text.strip().split("\n\n")]
    blocks = [block for block in blocks if "processor" in block]
    if not blocks:
        raise InvalidInput("names no processor", path="cpuinfo")
    flags = frozenset((blocks[0].get("flags") or blocks[0].get("Features", "")).split())
    cores, counted = _count_cores(blocks, flags)
    clock_hz, clocked = _clock(blocks, max_khz)
    width = next((row for row in _WIDTHS if row.flags <= flags), None)
    if width is None:
        raise InvalidInput(
            "names no vector unit that we know", path="cpuinfo", remedy="declare the peak by hand"
        )
    return HostCpu(
        cores=cores,
        clock_hz=clock_hz,
        flop_per_cycle=width.flop,
        source=f"{counted}; {clocked}; {width.reason}",
    )


def read_host_cpu(cpuinfo: Path = _CPUINFO, cpufreq: Path = _CPUFREQ) -> HostCpu:
    """This host's processor. Raises Unavailable where the kernel does not show it."""
    try:
        with cpuinfo.open(encoding="utf-8", errors="replace") as file:
            text = file.read(_MAX_CPUINFO)
    except OSError as error:
        raise Unavailable(f"{cpuinfo} cannot be read: {error.strerror}") from None
    return parse_cpuinfo(text, max_khz=_read_max_khz(cpufreq))


def _fields(block: str) -> dict[str, str]:
    pairs = (line.partition(":") for line in block.splitlines())
    return {name.strip(): value.strip() for name, _, value in pairs}


def _count_cores(blocks: list[dict[str, str]], flags: frozenset[str]) -> tuple[int, str]:
    """Distinct cores; under a hypervisor every processor it shows, since what it calls a thread may be a core."""
    known = {
        (b["physical id"], b["core id"]) for b in blocks if "physical id" in b and "core id" in b
    }
    if "hypervisor" in flags or not known:
        return len(blocks), f"{len(blocks)} processors shown"
    return len(known), f"{len(known)} physical cores"


def _clock(blocks: list[dict[str, str]], max_khz: int | None) -> tuple[int, str]:
    if max_khz:
        return max_khz * 1000, "clock: cpufreq's maximum"
    shown = [float(b["cpu MHz"]) for b in blocks if re.fullmatch(r"[0-9.]+", b.get("cpu MHz", ""))]
    mhz = max(shown, default=0.0)
    if mhz <= 0:
        raise InvalidInput("names no clock", path="cpuinfo", remedy="declare the peak by hand")
    return round(mhz * 1_000_000), "clock: MHz now, no maximum is shown, so boost may exceed it"


def _read_max_khz(cpufreq: Path) -> int | None:
    found = []
    for path in cpufreq.glob("cpu[0-9]*/cpufreq/cpuinfo_max_freq"):
        text = path.read_text("ascii").strip()
        if text.isdigit():
            found.append(int(text))
    return max(found, default=None)
