"""Devices and counters: what computes, what counts it, what can answer for itself."""

from __future__ import annotations

from sekisho.adapters.devices.emulated_link import (
    EmulatedDevice,
    EmulatedProcess,
    spawn_emulated_device,
)
from sekisho.adapters.devices.file_counter import FileCounter
from sekisho.adapters.devices.host_cpu import HostCpu, parse_cpuinfo, read_host_cpu

__all__ = [
    "EmulatedDevice",
    "EmulatedProcess",
    "FileCounter",
    "HostCpu",
    "parse_cpuinfo",
    "read_host_cpu",
    "spawn_emulated_device",
]
