"""Slurm: the driver of a run's jobs, the gate at submission and at start, and how both are put into a cluster."""

from __future__ import annotations

from sekisho.adapters.schedulers.slurm.auditing import SlurmAudit
from sekisho.adapters.schedulers.slurm.driver import SlurmDriver
from sekisho.adapters.schedulers.slurm.gate_file import GateFile

__all__ = ["GateFile", "SlurmAudit", "SlurmDriver"]
