"""Following a regime from outside: what a host or an access point verifies by itself of what it is told. Pure.

Whoever follows believes no control plane: each statement comes with its proof, is verified under the follower's own
trust root, and is folded, or refused by name.
"""

from __future__ import annotations

from sekisho.following.clocks import BEGINNING, TwoClocks
from sekisho.following.follow import Followed, Follower, Unwitnessed
from sekisho.following.known import Finding

__all__ = ["BEGINNING", "Finding", "Followed", "Follower", "TwoClocks", "Unwitnessed"]
