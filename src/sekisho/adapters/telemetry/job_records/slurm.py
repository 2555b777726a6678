"""Slurm."""
from __future__ import annotations
from sekisho.adapters.telemetry.job_records.records import JobRecords
__all__ = ["parse_sacct", "parse_sacct_json"]
def parse_sacct(text: bytes | str, *, site: str, zone: str, path: str = "") -> JobRecords:
    raise NotImplementedError
def parse_sacct_json(body: bytes, *, site: str, path: str = "") -> JobRecords:
    raise NotImplementedError
