"""What a reading of job records yields."""

from __future__ import annotations

import msgspec

from sekisho.model.telemetry import Allocation, Refusals

__all__ = ["JobRecords"]


class JobRecords(msgspec.Struct, frozen=True, kw_only=True):
    """Allocations in the order in which they stood, and what was refused: by reason, with the first of each."""

    allocations: tuple[Allocation, ...]
    refused: tuple[Refusals, ...] = ()
    duplicates: int = 0  # rows that say again what a row before them said
    passed_over: int = 0  # steps of jobs, and jobs that had no device or never started
    notes: tuple[str, ...] = ()
