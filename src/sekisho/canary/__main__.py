"""`python -m sekisho.canary --out DIR --seed N [--resume FILE] [--pace 0.5] [--run RUN] [--steps N]`."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

# Before NumPy is loaded: one thread, so that the work is one core's and its sums are the same every time.
for _name in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[_name] = "1"

from sekisho.canary.loop import CanarySettings, Wishes, train  # noqa: E402  # after the threads are bound
from sekisho.model.errors import SekishoError  # noqa: E402


def main(arguments: list[str] | None = None) -> int:
    """Train; 0 when told to end or done, 2 for bad input or a bad checkpoint."""
    wishes = Wishes()
    wishes.listen()
    try:
        train(_parse_arguments(arguments), wishes)
    except (SekishoError, OSError) as error:
        print(f"canary: {error}", file=sys.stderr)  # noqa: T201  # the command's own voice
        return 2
    return 0


def _parse_arguments(arguments: list[str] | None) -> CanarySettings:
    parser = argparse.ArgumentParser(
        prog="python -m sekisho.canary", description="A small real training run."
    )
    parser.add_argument("--out", type=Path, required=True, help="folder for status and checkpoints")
    parser.add_argument(
        "--seed", type=int, required=True, help="of the task and of the first weights"
    )
    parser.add_argument("--resume", type=Path, help="checkpoint file to go on from")
    parser.add_argument("--pace", type=float, default=0.5, help="share of time computing, 0 to 1")
    parser.add_argument("--run", default="canary", help="name written into the status")
    parser.add_argument("--steps", type=int, help="end after this many steps in all")
    found = parser.parse_args(arguments)
    if not 0 <= found.seed <= 2**53:
        parser.error("--seed must lie between 0 and 2^53")
    return CanarySettings(
        out=found.out,
        seed=found.seed,
        run=found.run,
        pace=found.pace,
        resume=found.resume,
        steps=found.steps,
    )


if __name__ == "__main__":
    sys.exit(main())
