"""Taking the network away from this very process, so that an audit cannot ask anybody anything.

Linux: a fresh network namespace holds one loopback device, and that is down. Root may make one; others may where user
namespaces are open to them. It cannot be undone, so only a process of the audit's own does it.
"""

from __future__ import annotations

import ctypes

__all__ = ["leave_network"]

_CLONE_NEWNET = 0x40000000
_CLONE_NEWUSER = 0x10000000


def leave_network() -> bool:
    """Leave every network for good; False where the host does not allow it, and then nothing has changed."""
    try:
        unshare = ctypes.CDLL(None, use_errno=True).unshare
    except (AttributeError, OSError):
        return False
    return any(unshare(flags) == 0 for flags in (_CLONE_NEWNET, _CLONE_NEWUSER | _CLONE_NEWNET))
