"""A job that holds an emulated device's memory for as long as it lives: `occupant DEVICE_FOLDER -- COMMAND ...`.

It takes most of the device's memory in its own name, then becomes the command: same process, so when the work is
ended, however it is ended, the device finds its holder gone and the memory free.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

from sekisho.adapters.devices.emulated_link import EmulatedDevice

__all__ = ["main"]

JOB_MIB = 48


def main(arguments: list[str]) -> int:
    """Take the memory and become the command; 2 where the command line is off."""
    if len(arguments) < 3 or arguments[1] != "--":
        sys.stderr.write("usage: occupant DEVICE_FOLDER -- COMMAND [ARGUMENT ...]\n")
        return 2
    EmulatedDevice(Path(arguments[0])).load(JOB_MIB, holder=os.getpid())
    return os.execv(arguments[2], arguments[2:])  # noqa: S606  # the command that the operator wrote, no shell


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
