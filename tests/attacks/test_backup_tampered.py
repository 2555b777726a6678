"""Whoever can write to the place where backups lie changes one, and makes its digests fit: none of it is restored."""

from __future__ import annotations

import os
import resource
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from sekisho.adapters.clocks import SystemClock
from sekisho.app import Home
from sekisho.app.backup import back_up, check_backup
from sekisho.app.backup_signature import sign_backup
from sekisho.app.restoring import RestorePlan, restore_home
from sekisho.model.errors import Corrupt, InvalidInput
from tests.app.test_backup import rewrite_manifest
from tests.factory import ORIGIN
from tests.regime import live_regime

PASSPHRASE = b"six random words are better"
FULL_AT = 64 * 1024
"""Where the disk of these tests is full: no file grows beyond it, as with a quota, and the log's database is larger."""


@pytest.fixture(scope="module")
def regime(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a stopped regime's home, and of its backup."""
    folder = tmp_path_factory.mktemp("regime")
    with live_regime(folder) as running:
        home = running.control.home
        back_up(home, folder / "backup", now=SystemClock().now(), passphrase=PASSPHRASE)
    return folder


def change(folder: Path, name: str) -> None:
    path = folder / name
    data = path.read_bytes()
    path.write_bytes(data[:-1] + bytes([data[-1] ^ 1]))


def fit_digests(folder: Path) -> None:
    """Another private store, and digests that fit."""
    change(folder, "home/private.sqlite")
    rewrite_manifest(folder)


def sign_by_another_key(folder: Path) -> None:
    """The same, signed by a log's key of the attacker's own, under the log's name."""
    fit_digests(folder)
    other = Home.open(folder.parent / "attacker")
    sign_backup(folder, (folder / "backup.json").read_bytes(), other, ORIGIN)


def drop_signature(folder: Path) -> None:
    (folder / "backup.sig").unlink()


def take_signature_of_another(folder: Path) -> None:
    """A genuine signature of the same log's key, over other bytes."""
    manifest = folder / "backup.json"
    manifest.write_bytes(manifest.read_bytes().replace(b'"sealed"', b'"none"'))


@pytest.mark.parametrize(
    "attack", [fit_digests, sign_by_another_key, drop_signature, take_signature_of_another]
)
def test_backup_changed_with_digests_that_fit(
    regime: Path, tmp_path: Path, attack: Callable[[Path], None]
) -> None:
    """The manifest is signed by the log's key: without it nothing is checked as whole, and nothing is restored."""
    folder = tmp_path / "backup"
    shutil.copytree(regime / "backup", folder)
    attack(folder)
    with pytest.raises((Corrupt, InvalidInput), match="sign"):
        check_backup(folder)
    plan = RestorePlan(backup=folder, home=tmp_path / "home", as_it_is=True, passphrase=PASSPHRASE)
    with pytest.raises((Corrupt, InvalidInput), match="sign"):
        restore_home(plan)
    assert not plan.home.exists()


def sekisho(*words: str | Path, full: bool) -> int:
    """The command in a process of its own, on a full disk or not; its exit code."""

    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (FULL_AT, FULL_AT))

    return subprocess.run(
        [sys.executable, "-m", "sekisho.cli", *map(str, words)],
        check=False,
        capture_output=True,
        env={**os.environ, "SEKISHO_DATABASE": "", "SEKISHO_COPY": ""},
        preexec_fn=limit if full else None,
    ).returncode


def test_disk_full_in_the_midst_of_a_backup(regime: Path, tmp_path: Path) -> None:
    """Unavailable, and what was begun is no backup for anybody."""
    folder = tmp_path / "backup"
    assert sekisho("home", "backup", folder, "--home", regime / "home", full=True) == 4
    assert folder.exists()
    with pytest.raises(InvalidInput, match="no whole backup"):
        check_backup(folder)


def test_disk_full_in_the_midst_of_a_restore(regime: Path, tmp_path: Path) -> None:
    """Unavailable, no home and no half of one; with room again the same call goes through."""
    words: list[str | Path] = [
        "home",
        "restore",
        regime / "backup",
        "--home",
        tmp_path / "home",
        "--as-it-is",
    ]
    assert sekisho(*words, full=True) == 4
    assert list(tmp_path.iterdir()) == []
    assert sekisho(*words, full=False) == 0
    assert Home(path=tmp_path / "home").is_founded
