"""The corroborating process: it looks at the host by itself and shares no code with the agent."""

from __future__ import annotations

from sekisho.observer.process_table import (
    ProcessRow,
    ProcessTable,
    TreeReading,
    TreeSelectors,
    judge_tree,
    read_process_table,
)

__all__ = [
    "ProcessRow",
    "ProcessTable",
    "TreeReading",
    "TreeSelectors",
    "judge_tree",
    "read_process_table",
]
