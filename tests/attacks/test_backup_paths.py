"""A backup that somebody else could write to tries to reach out of its folder, or out of the home."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from sekisho.adapters.clocks import SystemClock
from sekisho.adapters.keys.key_pack import open_key_pack, seal_key_pack
from sekisho.app.backup import back_up, check_backup
from sekisho.app.restoring import RestorePlan, restore_home
from sekisho.model.errors import Corrupt, InvalidInput
from sekisho.model.wire import canonical, sha256_hex
from tests.regime import live_regime

PASSPHRASE = b"six random words are better"


@pytest.fixture(scope="module")
def backup(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("regime")
    with live_regime(folder) as regime:
        home = regime.control.home
        back_up(home, folder / "backup", now=SystemClock().now(), passphrase=PASSPHRASE)
    return folder / "backup"


def climb_in_manifest(folder: Path) -> None:
    document = json.loads((folder / "backup.json").read_bytes())
    document["files"][0]["path"] = "home/../../stolen"
    (folder / "backup.json").write_bytes(canonical(document))


def link_in_home(folder: Path) -> None:
    (folder / "home" / "extra").symlink_to("/etc/hostname")


def climb_in_key_pack(folder: Path) -> None:
    """Needs the passphrase: the one who keeps it is not the one who restores."""
    pack = folder / "keys.sealed"
    files = open_key_pack(pack.read_bytes(), PASSPHRASE, path=str(pack))
    pack.write_bytes(seal_key_pack({**files, "../../escaped": b"x"}, PASSPHRASE))
    document = json.loads((folder / "backup.json").read_bytes())
    for row in document["files"]:
        if row["path"] == "keys.sealed":
            row["size"], row["sha256"] = pack.stat().st_size, sha256_hex(pack.read_bytes())
    (folder / "backup.json").write_bytes(canonical(document))


@pytest.mark.parametrize("attack", [climb_in_manifest, link_in_home, climb_in_key_pack])
def test_backup_reaches_out_of_its_folder(
    backup: Path, tmp_path: Path, attack: Callable[[Path], None]
) -> None:
    """Nothing is written outside, and no home comes of it."""
    folder = tmp_path / "inside" / "backup"
    shutil.copytree(backup, folder)
    attack(folder)
    plan = RestorePlan(
        backup=folder, home=tmp_path / "inside" / "home", as_it_is=True, passphrase=PASSPHRASE
    )
    with pytest.raises((InvalidInput, Corrupt)):
        restore_home(plan)
    assert not plan.home.exists()
    assert not list(tmp_path.glob("escaped")) + list(tmp_path.glob("*/escaped"))


def test_backup_key_pack_changed(backup: Path) -> None:
    """One bit of the sealed keys changed: they do not open, with the right passphrase."""
    data = (backup / "keys.sealed").read_bytes()
    changed = data[:-1] + bytes([data[-1] ^ 1])
    assert check_backup(backup).keys == "sealed"
    with pytest.raises(InvalidInput, match="cannot be opened"):
        open_key_pack(changed, PASSPHRASE, path="keys.sealed")
