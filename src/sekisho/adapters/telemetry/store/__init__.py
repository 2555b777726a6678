"""Telemetry as it lies on disk or in an object store (docs/guide/telemetry-store.md): segments, days, records.

<root>/segments/site=S/<received>-<days>-<rows>-<random>-<sha256>.parquet   incoming, immutable, its name its manifest
<root>/manifests/site=S/<day>.json                               what a day consists of, replaced in one move
<root>/readings/site=S/day=D/part-<n>-<random>-<bucket>.parquet  sorted rows; minutes/ the same for their sums
<root>/devices/site=S/  allocations/site=S/                      records, immutable files, read together
<root>/trash/  holds/  locks/                                    what was dropped, what must stay, who is at work
"""

from sekisho.adapters.telemetry.store.manifests import (
    Manifest,
    Partition,
    StoredFile,
    evidence_of,
)
from sekisho.adapters.telemetry.store.reading_store import (
    ReadingStore,
    StoreSettings,
    open_store,
)

__all__ = [
    "Manifest",
    "Partition",
    "ReadingStore",
    "StoreSettings",
    "StoredFile",
    "evidence_of",
    "open_store",
]
