"""The host's declared peak, read from what the kernel shows."""

from __future__ import annotations

from pathlib import Path

import pytest

from sekisho.adapters.devices import HostCpu, parse_cpuinfo, read_host_cpu
from sekisho.model.errors import InvalidInput, Unavailable


def _cpuinfo(
    flags: str, *, cores: tuple[tuple[int, int], ...] = ((0, 0),), mhz: str = "2500.000"
) -> str:
    return "\n\n".join(
        f"processor\t: {index}\ncpu MHz\t\t: {mhz}\nphysical id\t: {package}\ncore id\t\t: {core}\nflags\t\t: {flags}"
        for index, (package, core) in enumerate(cores)
    )


@pytest.mark.parametrize(
    ("flags", "flop"),
    [
        ("fpu sse sse2", 8),
        ("sse2 avx", 16),
        ("sse2 avx avx2 fma", 32),
        ("avx avx2 fma avx512f avx512bw", 64),
        ("avx2 fma avx512f avx512_bf16", 128),
        ("avx2 fma avx512f avx512_fp16 amx_tile amx_bf16 amx_int8", 1024),
    ],
)
def test_the_fastest_format_counts(flags: str, flop: int) -> None:
    """The widest floating-point unit that the flags name bounds the core."""
    assert parse_cpuinfo(_cpuinfo(flags)).flop_per_cycle == flop


def test_the_peak_is_the_product() -> None:
    """Peak is cores times clock times FLOP per cycle, in whole FLOP per second, and marked declared."""
    found = parse_cpuinfo(_cpuinfo("avx2 fma", cores=((0, 0), (0, 1), (1, 0))), max_khz=3_000_000)
    assert found == HostCpu(cores=3, clock_hz=3_000_000_000, flop_per_cycle=32, source=found.source)
    assert found.per_core_peak == 96_000_000_000
    assert found.peak_flop_per_s == 288_000_000_000
    assert found.mark == "declared"
    assert "cpufreq's maximum" in found.source


def test_threads_of_one_core_count_once_but_not_under_a_hypervisor() -> None:
    """Two threads are one core; what a hypervisor calls a thread may be a core, so there both count."""
    threads = ((0, 0), (0, 0))
    assert parse_cpuinfo(_cpuinfo("sse2", cores=threads)).cores == 1
    assert parse_cpuinfo(_cpuinfo("sse2 hypervisor", cores=threads)).cores == 2


def test_a_clock_that_is_only_now_is_said_to_be() -> None:
    """Without a stated maximum the fastest MHz shown is taken, and the source says that boost may exceed it."""
    found = parse_cpuinfo(_cpuinfo("sse2", mhz="2596.138"))
    assert found.clock_hz == 2_596_138_000
    assert "boost may exceed it" in found.source


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "no processor"),
        ("processor : 0\ncpu MHz : 2000", "no vector unit"),
        ("processor : 0\nflags : sse2", "no clock"),
    ],
)
def test_what_cannot_be_told_is_refused(text: str, said: str) -> None:
    """No processor, no unit or no clock is an error, never a peak of zero."""
    with pytest.raises(InvalidInput, match=said):
        parse_cpuinfo(text)


def test_this_host_has_a_peak(tmp_path: Path) -> None:
    """The host under the tests is read whole, with cpufreq's maximum where the kernel states one."""
    assert read_host_cpu().peak_flop_per_s > 10**9
    folder = tmp_path / "cpu3" / "cpufreq"
    folder.mkdir(parents=True)
    (folder / "cpuinfo_max_freq").write_text("3700000\n")
    assert read_host_cpu(cpufreq=tmp_path).clock_hz == 3_700_000_000
    with pytest.raises(Unavailable):
        read_host_cpu(tmp_path / "none")
