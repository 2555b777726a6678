"""Records of who had which devices: Slurm's accounting, Kubernetes' pods, a plain table."""

from sekisho.adapters.telemetry.job_records.records import JobRecords

__all__ = ["JobRecords"]
