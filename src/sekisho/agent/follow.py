"""Following a regime under the agent's name for it; edit `sekisho.following.follow`, where it lives."""

from __future__ import annotations

from sekisho.following.follow import Finding, Followed, Follower, Unwitnessed

__all__ = ["Finding", "Followed", "Follower", "Unwitnessed"]
