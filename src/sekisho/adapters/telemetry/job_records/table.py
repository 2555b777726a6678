"""A plain table."""
from __future__ import annotations
from sekisho.adapters.telemetry.job_records.records import JobRecords
__all__ = ["parse_allocations_csv"]
def parse_allocations_csv(body: bytes, *, site: str, path: str = "") -> JobRecords:
    raise NotImplementedError
