"""Small bodies of job records and tables, one of each kind, that every reader takes whole."""

from __future__ import annotations

import io
import json
from typing import Any, Final

import pyarrow as pa  # type: ignore[import-untyped]  # it comes without types
import pyarrow.parquet as pq  # type: ignore[import-untyped]  # it comes without types

__all__ = ["PODS", "SACCT", "SACCT_JSON", "SMALL_PARQUET", "TABLE", "packed"]


def packed(columns: dict[str, Any], **options: Any) -> bytes:
    """A Parquet file of columns."""
    out = io.BytesIO()
    pq.write_table(pa.table(columns), out, **options)
    return out.getvalue()


_JOB: Final = {
    "job_id": 7,
    "nodes": "gpu[01-02]",
    "time": {"start": 1_789_981_200, "end": 1_789_992_000},
    "tres": {"allocated": [{"type": "gres", "name": "gpu", "count": 16}]},
}
_POD: Final = {
    "metadata": {"name": "llm-0", "namespace": "lab-a", "labels": {"job-name": "llm"}},
    "spec": {
        "nodeName": "gpu01",
        "containers": [{"resources": {"limits": {"nvidia.com/gpu": "8"}}}],
    },
    "status": {"phase": "Running", "startTime": "2026-09-21T09:00:00Z"},
}
SACCT: Final = (
    b"JobID|User|Account|State|Start|End|Elapsed|AllocTRES|NodeList\n"
    b"7|u1|lab-a|COMPLETED|2026-09-21T09:00:00|2026-09-21T12:00:00|03:00:00|gres/gpu:h100=16|gpu[01-02]\n"
    b"7.batch|||COMPLETED|2026-09-21T09:00:00|2026-09-21T12:00:00|03:00:00|cpu=4|gpu01\n"
    b"8_1|u2|lab-b|RUNNING|1789981200|Unknown|1-03:00:00|gres/gpu=8|x7\n"
)
SACCT_JSON: Final = json.dumps({"jobs": [_JOB]}).encode()
PODS: Final = json.dumps({"items": [_POD]}).encode()
TABLE: Final = (
    b"job,start,end,chips,hosts,parents,exempt\n"
    b'7,2026-09-21T09:00:00Z,2026-09-21T12:00:00Z,16,"gpu[01-02]",a;b,no\n8,1789981200,,8,x7,,yes\n'
)
SMALL_PARQUET: Final = packed(
    {"at_us": [5, 6], "device": ["GPU-a", "GPU-b"], "power_w": [1.5, None]}
)
