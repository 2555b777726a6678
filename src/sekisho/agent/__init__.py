"""What runs on a host: the agent that talks to the outside, and the watchdog that does not.

The decision itself is `sekisho.agent.decide.decide`. Names are loaded on first use: the watchdog is of this package
too, and carries nothing that it does not need.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

__all__ = [
    "AgentSettings",
    "Decision",
    "Duty",
    "Finding",
    "Follower",
    "Host",
    "LeaseFacts",
    "Memory",
    "Situation",
    "TwoClocks",
]

_HOME = {
    "AgentSettings": "host",
    "Decision": "decide",
    "Duty": "duty",
    "Finding": "follow",
    "Follower": "follow",
    "Host": "host",
    "LeaseFacts": "decide",
    "Memory": "memory",
    "Situation": "decide",
    "TwoClocks": "clocks",
}


def __getattr__(name: str) -> Any:  # any public name of the room
    if name not in _HOME:
        raise AttributeError(f"sekisho.agent has no {name}")
    return getattr(import_module(f"sekisho.agent.{_HOME[name]}"), name)
