"""A home's backup: whole while the control plane writes, and brought back without ever forking the log."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

import msgspec
import pytest

from sekisho.adapters.clocks import SystemClock
from sekisho.adapters.storage import FileTileStore
from sekisho.adapters.storage.backup_files import hash_file
from sekisho.app import Control, Home
from sekisho.app.backup import Backup, back_up, check_backup, load_backup
from sekisho.app.backup_signature import sign_backup
from sekisho.app.restoring import BackupOlder, Restored, RestorePlan, restore_home
from sekisho.ledger.checkpoint import Checkpoint
from sekisho.ledger.reader import TreeReader
from sekisho.ledger.tree import subtree_root
from sekisho.model.errors import Corrupt, InvalidInput, SekishoError, StateConflict
from sekisho.model.statements import PartyEnrolled
from sekisho.model.wire import canonical
from sekisho.operations.reading import read_state
from tests.factory import AUTHORITY, signer
from tests.regime import LiveRegime, live_regime

PASSPHRASE = b"six random words are better"


class Scene:
    """A regime that was backed up at some point and wrote on, as it lies once its processes are gone."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.home = Home(path=folder / "home")
        self.backup = folder / "backup"
        self.early = folder / "early"
        self.regime: LiveRegime
        self.witnesses: tuple[str, ...] = ()

    def newest(self) -> Checkpoint:
        """What is published now."""
        return read_state(FileTileStore(self.home.public), self.home.load_root())[1].checkpoint

    def restore(self, backup: Path, **more: object) -> Restored:
        plan = RestorePlan(
            backup=backup,
            home=self.folder / "restored",
            passphrase=PASSPHRASE,
            **more,  # type: ignore[arg-type]  # a test's own choice of fields
        )
        return restore_home(plan)


def enrol(regime: LiveRegime, name: str) -> None:
    regime.settle(regime.submit(party(regime, name), AUTHORITY[0]))


def party(regime: LiveRegime, name: str) -> PartyEnrolled:
    return PartyEnrolled(
        effective=regime.now,
        party=name,
        public=signer(name).public.to_text(),
        organisation=name,
        country="JP",
    )


def back_up_here(scene: Scene, folder: Path) -> Backup:
    return back_up(scene.home, folder, now=SystemClock().now(), passphrase=PASSPHRASE)


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    """Backed up early, then written on, backed up again while witnesses and control plane run."""
    made = Scene(tmp_path_factory.mktemp("regime"))
    with live_regime(made.folder) as regime:
        back_up_here(made, made.early)
        enrol(regime, "party-late")
        back_up_here(made, made.backup)
        made.regime, made.witnesses = regime, regime.witnesses
        yield made


@pytest.fixture(autouse=True)
def nothing_restored(scene: Scene) -> None:
    shutil.rmtree(scene.folder / "restored", ignore_errors=True)


def copy_of(folder: Path, to: Path) -> Path:
    shutil.copytree(folder, to)
    return to


def test_a_backup_taken_while_the_control_plane_writes_is_whole(scene: Scene) -> None:
    """Every file, every database and the log under its witnesses hold; keys stand in it sealed only."""
    backup = check_backup(scene.backup)
    names = {file.path for file in backup.files}
    assert {"home/log.sqlite", "home/private.sqlite", "home/trust.json", "keys.sealed"} <= names
    assert not [name for name in names if name.endswith((".pem", "-wal", ".lock"))]
    key = (scene.home.keys / "log.pem").read_bytes()
    assert not [n for n in names if key in (scene.backup / n).read_bytes()]


def test_without_a_passphrase_no_key_is_in_it(scene: Scene, tmp_path: Path) -> None:
    """What is left out is named."""
    backup = back_up(scene.home, tmp_path / "plain", now=SystemClock().now())
    assert backup.keys == "none"
    assert "keys" in backup.left_out
    assert not (tmp_path / "plain" / "keys.sealed").exists()


@pytest.mark.parametrize(
    "path", ["home/log.sqlite", "home/trust.json", "keys.sealed", "log/checkpoint"]
)
@pytest.mark.parametrize("fault", ["changed", "missing"])
def test_a_damaged_backup_is_found(scene: Scene, tmp_path: Path, path: str, fault: str) -> None:
    """One byte changed, or a file gone: the check names it, and nothing is restored."""
    folder = copy_of(scene.backup, tmp_path / "copy")
    data = (folder / path).read_bytes()
    (folder / path).unlink()
    if fault == "changed":
        (folder / path).write_bytes(data[:-1] + bytes([data[-1] ^ 1]))
    with pytest.raises((Corrupt, InvalidInput)):
        check_backup(folder)
    with pytest.raises((Corrupt, InvalidInput)):
        scene.restore(folder, as_it_is=True)
    assert not (scene.folder / "restored").exists()


def test_a_log_that_no_witness_cosigned_is_no_backup(scene: Scene, tmp_path: Path) -> None:
    """A manifest that fits its files is not enough: the published files must give the checkpoint's root."""
    folder = copy_of(scene.backup, tmp_path / "copy")
    (bundle,) = (folder / "log" / "tile" / "entries").rglob("*.p/*")
    data = bundle.read_bytes()
    bundle.write_bytes(data[:-9] + bytes([data[-9] ^ 1]) + data[-8:])
    rewrite_manifest(folder, scene.home)
    with pytest.raises(Corrupt, match="log/tile"):
        check_backup(folder)


def rewrite_manifest(folder: Path, home: Home | None = None) -> None:
    """The digests of the files as they lie now: whoever changes a backup can do that; with the log's key also sign."""
    backup, _ = load_backup(folder)
    files = []
    for file in backup.files:
        size, digest = hash_file(folder / file.path)
        files.append(msgspec.structs.replace(file, size=size, sha256=digest))
    fresh = msgspec.structs.replace(backup, files=tuple(files))
    manifest = canonical(fresh) + b"\n"
    (folder / "backup.json").write_bytes(manifest)
    if home is not None:
        sign_backup(folder, manifest, home, backup.origin)


def test_a_backup_under_write_load_is_a_beginning_of_the_same_log(
    scene: Scene, tmp_path: Path
) -> None:
    """Entries come all the while: what is restored has the live log's first entries, one for one, and its heads."""
    ending = threading.Event()

    def write() -> None:
        number = 0
        while not ending.is_set():
            number += 1
            scene.regime.submit(party(scene.regime, f"party-of-load-{number}"), AUTHORITY[0])

    writing = threading.Thread(target=write, daemon=True)
    writing.start()
    try:
        made = back_up_here(scene, tmp_path / "loaded")
    finally:
        ending.set()
        writing.join()
    live = scene.home.load_root().origin
    done = scene.restore(tmp_path / "loaded", sources=(str(scene.home.public),), replay=True)
    restored = Home(path=scene.folder / "restored")
    with restored.open_entries(live) as copied, scene.home.open_entries(live) as entries:
        assert done.size >= made.size
        copies = list(copied.envelopes())
        assert copies == list(islice(entries.envelopes(), len(copies)))
        assert len(copies) >= done.size
    reader = TreeReader(FileTileStore(scene.home.public), scene.newest())
    assert subtree_root(0, made.size, reader.node).hex() == made.root


def test_a_restored_home_goes_on_as_the_same_log(scene: Scene) -> None:
    """The backup, on the caller's word that nothing newer was cosigned: the same keys, for their owner alone."""
    done = scene.restore(scene.backup, as_it_is=True)
    assert done.replayed == 0
    assert done.asked == ()
    restored = Home(path=scene.folder / "restored")
    assert (restored.keys / "log.pem").read_bytes() == (scene.home.keys / "log.pem").read_bytes()
    assert (restored.keys / "log.pem").stat().st_mode & 0o777 == 0o600


def test_nothing_is_restored_while_nobody_was_asked(scene: Scene) -> None:
    """Neither mirror nor witness named: missing evidence never passes."""
    with pytest.raises(InvalidInput, match="newer checkpoint"):
        scene.restore(scene.early)


def test_an_older_backup_is_refused_with_the_remedy(scene: Scene) -> None:
    """A mirror knows of a larger cosigned tree: going on would fork the log."""
    with pytest.raises(BackupOlder, match="would fork") as refused:
        scene.restore(scene.early, sources=(str(scene.home.public),))
    assert "--replay" in refused.value.remedy
    assert not (scene.folder / "restored").exists()


def test_a_witness_says_that_the_backup_is_older(scene: Scene) -> None:
    """Shown the backup's own checkpoint, each witness says where it stands; it can only be caught up with a source."""
    for address in scene.witnesses:
        with pytest.raises(BackupOlder, match="would fork"):
            scene.restore(scene.early, witnesses=(address,))
        with pytest.raises(BackupOlder, match="would fork"):
            scene.restore(scene.early, witnesses=(address,), replay=True)
    done = scene.restore(
        scene.early, witnesses=scene.witnesses, sources=(str(scene.home.public),), replay=True
    )
    assert set(done.asked) == {*scene.witnesses, str(scene.home.public)}


def test_an_older_backup_is_completed_from_the_published_files(scene: Scene) -> None:
    """With replay every entry up to the newest cosigned checkpoint is there, and the database stands for them."""
    done = scene.restore(scene.early, sources=(str(scene.home.public),), replay=True)
    assert done.replayed > 0
    restored = Home(path=scene.folder / "restored")
    with restored.open_entries(restored.load_root().origin) as entries:
        assert entries.size >= done.size
    with Control(restored, {}) as control:
        assert "party-late" in control.desk.state.regime.parties


def test_a_forked_log_is_never_restored(scene: Scene, tmp_path: Path) -> None:
    """A source that is another regime's log, or another tree, is no source."""
    with live_regime(tmp_path) as other:
        public = str(other.control.home.public)
        with pytest.raises(SekishoError):
            scene.restore(scene.backup, sources=(public,), replay=True)
    assert not (scene.folder / "restored").exists()


def test_a_wrong_passphrase_restores_nothing(scene: Scene) -> None:
    """Keys are opened before the home has its name."""
    with pytest.raises(InvalidInput, match="another passphrase"):
        restore_home(
            RestorePlan(
                backup=scene.backup,
                home=scene.folder / "restored",
                as_it_is=True,
                passphrase=b"another passphrase",
            )
        )
    assert not (scene.folder / "restored").exists()
    assert not list(scene.folder.glob(".*restoring"))


def test_a_home_that_is_there_is_never_restored_over(scene: Scene) -> None:
    """What lies there may know more than the backup."""
    with pytest.raises(StateConflict, match="not empty"):
        restore_home(RestorePlan(backup=scene.backup, home=scene.home.path, as_it_is=True))
