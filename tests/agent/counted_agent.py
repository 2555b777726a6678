"""The agent's own program over a TPM in its memory, of the tier that the first word names."""

from __future__ import annotations

import sys

from sekisho.agent import main as program
from sekisho.agent import station
from sekisho.ports.counter import CounterTier
from tests.fake_tpm import FakeTpm

__all__ = ["COUNTED_AGENT"]

COUNTED_AGENT = "tests.agent.counted_agent"
TIERS: dict[str, CounterTier] = {"C1": "C1", "C2": "C2"}


def main() -> int:
    """As `python -m sekisho.agent.main`, but for the counter."""
    counter = FakeTpm()
    counter.tier = TIERS[sys.argv[1]]
    station.open_counter = lambda *_: counter
    return program.main(sys.argv[2:])


if __name__ == "__main__":
    sys.exit(main())
