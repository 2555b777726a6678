"""A home's backup: what is copied in which order, what is left out, and the look at it before anybody relies on it.

The order makes it whole while the control plane writes. 1. Published files up to one witnessed checkpoint, each
authenticated under it; 2. the log's database, which holds at least that; 3. the private store, which holds at least
what the log conceals, since it is written before the log; 4. everything else. `backup.json` and its signature come
last: a folder without them is no backup.

    backup.json   what it holds, with sizes and digests      log/    checkpoint and tiles, for `sekisho log fsck`
    home/         files as they lie in a home                keys.sealed   key files under a passphrase, if asked for
    backup.sig    the log's key over `backup.json`
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Annotated, Final, Literal

import msgspec

from sekisho.adapters.bounded_files import read_up_to
from sekisho.adapters.durable_files import replace_file
from sekisho.adapters.keys.key_pack import seal_key_pack
from sekisho.adapters.storage import FileTileStore
from sekisho.adapters.storage.backup_files import (
    check_database,
    copy_file,
    hash_file,
    is_database,
)
from sekisho.adapters.trust_file import MAX_TRUST_FILE
from sekisho.app.backup_signature import SIGNATURE, sign_backup, verify_backup
from sekisho.app.home import Home
from sekisho.ledger.copying import complete_copy
from sekisho.ledger.fsck import check_log
from sekisho.model.errors import Corrupt, InvalidInput, StateConflict
from sekisho.model.instants import Instant
from sekisho.model.statements.shapes import Count, Digest
from sekisho.model.wire import canonical, from_json, parse_json
from sekisho.operations.reading import policy_of, read_state
from sekisho.ports.tile_store import NotStored
from sekisho.signing import TrustRoot, current_root, parse_policy

__all__ = ["Backup", "back_up", "check_backup", "load_backup"]

Heard = Callable[[int, int], None]

MANIFEST: Final = "backup.json"
KEY_PACK: Final = "keys.sealed"
_MAX_MANIFEST: Final = 64 * 1024 * 1024
# Never in a backup of this home. Of another process: it has its own, and a witness brought back from an older copy
# may cosign a fork. Derived: made again from the rest. Large: telemetry has its own store and its own retention.
_OTHERS: Final = frozenset({"witnesses", "hosts", "observer", "device", "logs", "bundles"})
_DERIVED: Final = frozenset({"projections.sqlite", "address"})
_LARGE: Final = frozenset({"telemetry"})
_KEY_FOLDERS: Final = frozenset({"keys", "signers", "weights"})
_PASSING: Final = (".lock", ".tmp", "-wal", "-shm", "-journal")


class BackupFile(msgspec.Struct, frozen=True, kw_only=True):
    """One file, by its path below the backup."""

    path: Annotated[str, msgspec.Meta(max_length=1_024)]
    size: Count
    sha256: Digest


class Backup(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`backup.json`: of which log, as of which witnessed checkpoint, and every file. `backup.sig` signs it."""

    format: Literal["sekisho-backup/v1"] = "sekisho-backup/v1"
    origin: str
    charter: Digest
    made: Instant
    size: Count
    root: Digest
    keys: Literal["none", "sealed"]
    database: Literal["file", "server"]
    files: tuple[BackupFile, ...]
    left_out: tuple[str, ...]


def back_up(
    home: Home,
    folder: Path,
    *,
    now: Instant,
    passphrase: bytes | None = None,
    heard: Heard = lambda *_: None,
) -> Backup:
    """Copy a home into a new folder, beside the control plane that runs on it, and look at the copy.

    With a passphrase the key files are in it, sealed. Raises InvalidInput where no regime is founded or nothing is
    published here, StateConflict where the folder holds something, Unavailable where a disk refuses, and what
    `check_backup` raises.
    """
    root = home.load_root()
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise StateConflict(f"{folder} is not empty", remedy="name a new folder")
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    try:
        state, cosigned = read_state(FileTileStore(home.public), root)
    except NotStored:
        raise InvalidInput(
            "nothing is published here yet", path=str(home.public), remedy="sekisho up"
        ) from None
    complete_copy(FileTileStore(home.public), FileTileStore(folder / "log"), 0, cosigned)
    # Crash from here on: a folder without backup.json, or without its signature.
    found = list(_files(home.path))
    for path in sorted((p for p, why in found if why is None), key=_in_order):
        copy_file(home.path / path, folder / "home" / path, heard)
    if passphrase is not None:
        keys = {str(p): (home.path / p).read_bytes() for p, why in found if why == "key"}
        replace_file(folder / KEY_PACK, seal_key_pack(keys, passphrase))
    backup = Backup(
        origin=root.origin,
        charter=root.charter_digest,
        made=now,
        size=cosigned.checkpoint.size,
        root=cosigned.checkpoint.root.hex(),
        keys="none" if passphrase is None else "sealed",
        database="server" if home.elsewhere.database else "file",
        files=tuple(_listed(folder)),
        left_out=_left_out(found, sealed=passphrase is not None),
    )
    manifest = canonical(backup) + b"\n"
    replace_file(folder / MANIFEST, manifest)
    sign_backup(folder, manifest, home, root.origin)
    check_backup(folder, current_root(root, state.regime), heard)
    return backup


def load_backup(folder: Path) -> tuple[Backup, TrustRoot]:
    """What a backup says of itself, and the trust root that lies in it: a word, until somebody compares the charter.

    Raises InvalidInput where it is none, or not a whole one.
    """
    path, own = folder / MANIFEST, folder / "home" / "trust.json"
    if not (path.is_file() and own.is_file()):
        raise InvalidInput("is no whole backup", path=str(folder), remedy="name another")
    raw, trust = read_up_to(path, _MAX_MANIFEST), read_up_to(own, MAX_TRUST_FILE)
    backup = from_json(Backup, parse_json(raw, path=str(path), limit=_MAX_MANIFEST), path=str(path))
    for number, file_ in enumerate(backup.files):
        if not _is_inside(file_.path):
            raise InvalidInput("leads out of the backup", path=f"{path}: files[{number}].path")
    return backup, parse_policy(trust, path=str(own))


def check_backup(
    folder: Path, root: TrustRoot | None = None, heard: Heard = lambda *_: None
) -> Backup:
    """Look at a whole backup: nothing lacks, nothing is damaged, and its log is the one that witnesses cosigned.

    1. The log's key signed the manifest; 2. every file has its size and digest, and there is no other; 3. every
    database passes SQLite's own check; 4. the published files give the checkpoint's root under `root` (else the
    backup's own), as `sekisho log fsck` finds it. Raises InvalidInput, Corrupt naming the file, Unavailable.
    """
    backup, own = load_backup(folder)
    verify_backup(folder, read_up_to(folder / MANIFEST, _MAX_MANIFEST), root or own)
    listed = {file.path: file for file in backup.files}
    there = {file.path: file for file in _listed(folder)}
    for path in sorted(listed.keys() | there.keys()):
        if listed.get(path) != there.get(path):
            what = "is missing" if path not in there else "is not the file that was copied"
            raise Corrupt(f"{folder / path} {what}", remedy="take another backup")
    for path in there:
        if path.startswith("home/") and is_database(folder / path):
            check_database(folder / path)
    checked = check_log(FileTileStore(folder / "log"), policy_of(root or own), None, heard)
    if checked.faults:
        first = checked.faults[0]
        raise Corrupt(f"{folder}/log/{first.path}: {first.fault}", remedy="take another backup")
    return backup


def _files(home: Path) -> Iterator[tuple[Path, str | None]]:
    """Every file of a home below it, and why it is not copied as it lies; None where it is."""
    for file in sorted(home.rglob("*")):
        path = file.relative_to(home)
        top = path.parts[0]
        if path.parts[:2] == ("public", "log") or not file.is_file():
            continue
        if top in _OTHERS | _DERIVED | _LARGE:
            yield path, "left out"
        elif path.name.endswith(_PASSING) or path.name == ".writable":
            yield path, "passing"
        elif top in _KEY_FOLDERS or file.suffix in {".pem", ".key"} or "secret" in path.name:
            yield path, "key"
        else:
            yield path, None


def _in_order(path: Path) -> tuple[int, str]:
    first = {"log.sqlite": 0, "private.sqlite": 1}
    return first.get(str(path), 2), str(path)


def _listed(folder: Path) -> Iterator[BackupFile]:
    for file in sorted(folder.rglob("*")):
        path = str(file.relative_to(folder))
        if file.is_symlink():
            raise Corrupt(f"{folder / path} is a link", remedy="take another backup")
        if path not in (MANIFEST, SIGNATURE) and file.is_file():
            size, digest = hash_file(file)
            yield BackupFile(path=path, size=size, sha256=digest)


def _left_out(found: list[tuple[Path, str | None]], *, sealed: bool) -> tuple[str, ...]:
    why = {"left out"} if sealed else {"left out", "key"}
    return tuple(sorted({path.parts[0] for path, reason in found if reason in why}))


def _is_inside(path: str) -> bool:
    parts = Path(path).parts
    return bool(parts) and not Path(path).is_absolute() and ".." not in parts
