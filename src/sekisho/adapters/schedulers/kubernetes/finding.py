"""A run's pods as an observer finds them: by label, with its own token; on the node they are control groups."""

from __future__ import annotations

from sekisho.adapters.schedulers.kubernetes.api import Api
from sekisho.adapters.schedulers.kubernetes.pods import RUN_LABEL, label_of
from sekisho.ports.work_finder import WorkMarks

__all__ = ["PodFinder"]


class PodFinder:
    """Implements ports.WorkFinder. A pod once found stays the run's: its label may be changed, its uid may not."""

    name = "kubernetes, the run's pods"

    def __init__(self, api: Api) -> None:
        self._api = api
        self._known: dict[str, set[str]] = {}

    def find(self, run: str) -> WorkMarks:
        listing = self._api.list_all("/api/v1/pods", labels=f"{RUN_LABEL}={label_of(run)}")
        known = self._known.setdefault(run, set())
        for document in listing.items:
            meta = document.get("metadata")
            uid = meta.get("uid") if isinstance(meta, dict) else None
            if isinstance(uid, str) and uid:
                known.add(f"pod{uid}")
        return WorkMarks(groups=tuple(sorted(known)))
