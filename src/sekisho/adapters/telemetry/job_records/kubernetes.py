"""Kubernetes."""
from __future__ import annotations
from sekisho.adapters.telemetry.job_records.records import JobRecords
__all__ = ["parse_pods"]
def parse_pods(body: bytes, *, site: str, path: str = "") -> JobRecords:
    raise NotImplementedError
