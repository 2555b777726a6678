"""The control plane as a process of its own: `python -m sekisho.rehearsal.control --home H --port P --parent PID`.

Prints one JSON line with its address once it answers; ends on SIGTERM, or when its parent is gone.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import sys
import threading
import time
from pathlib import Path

from sekisho.app import Elsewhere, Home
from sekisho.model.errors import SekishoError
from sekisho.rehearsal.serving import Standby, load_witness_file, serve_home

__all__ = ["main"]

_PARENT_CHECK_S = 0.5


def main() -> int:
    """Serve until told to stop; the exit code."""
    parser = argparse.ArgumentParser(prog="sekisho.rehearsal.control")
    parser.add_argument("--home", type=Path, required=True)
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--parent", type=int, required=True)
    parser.add_argument("--standby", action="store_true")
    parser.add_argument("--take-over-after", type=float, default=None)
    parser.add_argument("--database", default="")
    parser.add_argument("--shared", action="store_true")
    parser.add_argument("--witnesses", type=Path, default=None)
    options = parser.parse_args()
    threading.Thread(target=_follow_parent, args=(options.parent,), daemon=True).start()
    try:
        return serve_home(
            Home.open(options.home, Elsewhere(database=options.database, shared=options.shared)),
            port=options.port,
            language="en",
            on_ready=_announce,
            standby=Standby(take_over_after_s=options.take_over_after) if options.standby else None,
            witnesses=load_witness_file(options.witnesses) if options.witnesses else None,
        )
    except SekishoError as error:
        sys.stderr.write(f"{error}\n")
        return 4


def _announce(address: str) -> None:
    sys.stdout.write(json.dumps({"address": address, "pid": os.getpid()}) + "\n")
    sys.stdout.flush()


def _follow_parent(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(_PARENT_CHECK_S)
    os.kill(os.getpid(), signal.SIGTERM)


if __name__ == "__main__":
    sys.exit(main())
