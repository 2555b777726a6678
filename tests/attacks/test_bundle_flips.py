"""Random single-bit changes of a whole bundle: none may hold."""

from __future__ import annotations

import os
import random
from pathlib import Path

import pytest

from sekisho.auditor import Trust, audit_bundle, open_evidence
from sekisho.auditor.bundle import as_bundle
from sekisho.model.errors import InvalidInput
from tests.factory_bundle import Sealed, honest_story, pack_tar, reseal, seal

SEED = int(os.environ.get("SEKISHO_SEED", "0"))


@pytest.fixture(scope="module")
def honest() -> Sealed:
    """An honest bundle, sealed once for this module."""
    return seal(honest_story())


def verdict_of_tar(sealed: Sealed, data: bytes, path: Path) -> str:
    """The verdict on a tar, or "bad input" where a flip in its first header leaves no tar at all."""
    path.write_bytes(data)
    try:
        return audit_bundle(open_evidence(path), Trust(policy=sealed.root)).verdict
    except InvalidInput:
        return "bad input"


def flip_somewhere(
    files: dict[str, bytes], dice: random.Random
) -> tuple[str, int, dict[str, bytes]]:
    """One random bit of all bits of all files."""
    paths = sorted(files)
    path = dice.choices(paths, [len(files[path]) for path in paths])[0]
    bit = dice.randrange(8 * len(files[path]))
    data = bytearray(files[path])
    data[bit // 8] ^= 1 << bit % 8
    return path, bit, {**files, path: bytes(data)}


def run_flips(sealed: Sealed, count: int, tmp_path: Path) -> list[str]:
    """What survived of `count` changes, each a folder's file, a tar's byte, or a file under a manifest made anew."""
    dice = random.Random(f"flips {SEED}")
    print(f"seed {SEED}, {count} single-bit changes")  # noqa: T201  # the seed, so that a failure can be played again
    tar = pack_tar(sealed.files)
    plain = {path: data for path, data in sealed.files.items() if not path.startswith("manifest.")}
    survived = []
    for number in range(count):
        if number % 3 == 0:
            bit = dice.randrange(8 * len(tar))
            data = bytearray(tar)
            data[bit // 8] ^= 1 << bit % 8
            what = f"tar bit {bit}"
            verdict = verdict_of_tar(sealed, bytes(data), tmp_path / "b.tar")
        else:
            anew = number % 3 == 1
            path, bit, files = flip_somewhere(plain if anew else sealed.files, dice)
            what = f"{path} bit {bit}{', signed anew' if anew else ''}"
            flipped = reseal(files).files if anew else files
            verdict = audit_bundle(as_bundle(flipped), Trust(policy=sealed.root)).verdict
        if verdict in ("holds", "unverifiable"):
            survived.append(f"{what}: {verdict}")
    return survived


def test_sixty_random_single_bit_changes_are_all_caught(honest: Sealed, tmp_path: Path) -> None:
    """No single changed bit holds: in a folder, in a tar, or under a manifest that its operator signs anew."""
    assert run_flips(honest, 60, tmp_path) == []


@pytest.mark.soak
def test_a_thousand_random_single_bit_changes_are_all_caught(
    honest: Sealed, tmp_path: Path
) -> None:
    """The same a thousand times."""
    assert run_flips(honest, 1000, tmp_path) == []
