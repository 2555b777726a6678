"""`python -m sekisho.adapters.bound_process PARENT MODULE ...`: runs a module for as long as its parent lives.

A parent that is killed cannot end its children; so each child looks after it, and ends itself as if told to. The
kernel's own parent-death signal would fire when the *thread* that started the child ends, and is lost when a process
changes user.
"""

from __future__ import annotations

import os
import runpy
import signal
import sys
import threading
import time

__all__ = ["main"]

_LOOK_EVERY_S = 0.5
_GRACE_S = 10.0


def main() -> None:
    """Follow the parent from a thread of its own, and become the module."""
    parent, module = int(sys.argv[1]), sys.argv[2]
    sys.argv = [module, *sys.argv[3:]]
    threading.Thread(target=_follow, args=(parent,), name="parent", daemon=True).start()
    runpy.run_module(module, run_name="__main__", alter_sys=True)


def _follow(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(_LOOK_EVERY_S)
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(_GRACE_S)
    os._exit(1)


if __name__ == "__main__":
    main()
