"""The drill's real workload: a small network that truly learns, counts its own FLOP and checkpoints on a signal.

Names are loaded on first use: `python -m sekisho.canary` must bind BLAS to one thread before NumPy is imported.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

__all__ = [
    "CanarySettings",
    "Network",
    "NetworkShape",
    "Task",
    "Wishes",
    "load_checkpoint",
    "make_task",
    "pack_checkpoint",
    "parse_checkpoint",
    "step_flop",
    "step_flop_table",
    "train",
]

_HOME = {
    "CanarySettings": "loop",
    "Network": "network",
    "NetworkShape": "flop",
    "Task": "network",
    "Wishes": "loop",
    "load_checkpoint": "checkpoint",
    "make_task": "network",
    "pack_checkpoint": "checkpoint",
    "parse_checkpoint": "checkpoint",
    "step_flop": "flop",
    "step_flop_table": "flop",
    "train": "loop",
}


def __getattr__(name: str) -> Any:  # any public name of the room
    if name not in _HOME:
        raise AttributeError(f"sekisho.canary has no {name}")
    return getattr(import_module(f"sekisho.canary.{_HOME[name]}"), name)
