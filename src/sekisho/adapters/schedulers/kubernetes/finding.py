"""A run's pods as an observer finds them: by label, with its own token; on the node they are control groups."""

from __future__ import annotations

from sekisho.adapters.schedulers.kubernetes.api import Api, Document
from sekisho.adapters.schedulers.kubernetes.pods import RUN_LABEL, label_of, run_label
from sekisho.ports.work_finder import WorkMarks

__all__ = ["PodFinder"]


class PodFinder:
    """Implements ports.WorkFinder. A pod once found stays the run's: its label may be changed, its uid may not."""

    name = "kubernetes, the run's pods"

    def __init__(self, api: Api) -> None:
        self._api = api
        self._known: dict[str, set[str]] = {}

    def note(self) -> None:
        """Keep which pods bear which run's label now. None is forgotten: what a pod left behind may outlive it."""
        for document in self._api.list_all("/api/v1/pods", labels=RUN_LABEL).items:
            label, uid = run_label(document), _uid(document)
            if label is not None and uid:
                self._known.setdefault(label, set()).add(f"pod{uid}")

    def find(self, run: str) -> WorkMarks:
        self.note()
        return WorkMarks(groups=tuple(sorted(self._known.get(label_of(run), ()))))


def _uid(document: Document) -> str:
    meta = document.get("metadata")
    uid = meta.get("uid") if isinstance(meta, dict) else None
    return uid if isinstance(uid, str) else ""
