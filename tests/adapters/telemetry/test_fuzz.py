"""Parsers of foreign bytes under damaged bodies: some hundreds here, hundreds of thousands in the soak."""

from __future__ import annotations

import os
import random
import subprocess
import sys
from pathlib import Path

import pytest

from tests.adapters.telemetry.fuzz.targets import TARGETS, run_once

ROOT = Path(__file__).parents[3]
RUNS = 200_000


@pytest.mark.parametrize("name", TARGETS)
def test_damaged_bodies_are_read_or_refused(name: str, dice: random.Random) -> None:
    """Nothing but InvalidInput, and never differently by a book that knows the series."""
    target = TARGETS[name]
    for seed in target.seeds:
        run_once(target, seed)
    for _ in range(300):
        run_once(target, damage(dice.choice(target.seeds), dice))


def damage(body: bytes, dice: random.Random) -> bytes:
    """Some bytes changed, left out, doubled, or everything from somewhere on."""
    data = bytearray(body)
    for _ in range(dice.randint(1, 4)):
        at = dice.randrange(len(data) + 1)
        until = min(len(data), at + dice.choice([0, 1, 1, 2, 8]))
        put = dice.choice([b"", bytes([dice.randrange(256)]), bytes(data[at:until]) * 2])
        data[at:until] = put
    return bytes(data if dice.random() < 0.8 else data[: dice.randrange(len(data) + 1)])


@pytest.mark.soak
@pytest.mark.parametrize("name", TARGETS)
def test_a_fuzzer_finds_nothing(name: str, tmp_path: Path) -> None:
    """libFuzzer, led by the coverage of our code; SEKISHO_SEED gives its seed."""
    seed = int(os.environ.get("SEKISHO_SEED", "0")) % 2**31 or 1
    ran = subprocess.run(
        [
            *(sys.executable, "-m", "tests.adapters.telemetry.fuzz", name, f"-runs={RUNS}"),
            *(f"-seed={seed}", "-timeout=20", "-max_len=4096", f"-artifact_prefix={tmp_path}/"),
        ],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stdout[-2000:] + ran.stderr[-4000:]
