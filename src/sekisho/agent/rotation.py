"""Changing witnesses under the agent's name for them; they live in `sekisho.following.rotation`."""

from __future__ import annotations

from sekisho.following.rotation import policies_ahead, policy_of, verify_by_any

__all__ = ["policies_ahead", "policy_of", "verify_by_any"]
