"""The corroborating process: it looks at the host by itself and shares no code with the agent."""

from __future__ import annotations

from sekisho.observer.observe import (
    HaltClaim,
    Look,
    UnprovenHalt,
    fold_regime,
    state_observation,
    verify_claim,
)
from sekisho.observer.process_table import ProcessRow, ProcessTable, read_process_table
from sekisho.observer.work_tree import TreeReading, TreeSelectors, judge_tree

__all__ = [
    "HaltClaim",
    "Look",
    "ProcessRow",
    "ProcessTable",
    "TreeReading",
    "TreeSelectors",
    "UnprovenHalt",
    "fold_regime",
    "judge_tree",
    "read_process_table",
    "state_observation",
    "verify_claim",
]
