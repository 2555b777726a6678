"""The two clocks under the agent's name for them; they live in `sekisho.following.clocks`."""

from __future__ import annotations

from sekisho.following.clocks import BEGINNING, TwoClocks

__all__ = ["BEGINNING", "TwoClocks"]
