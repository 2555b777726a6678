"""A home brought back from its backup: never to less than what witnesses have cosigned, which would fork the log.

Whoever restores names who may know of a newer checkpoint: mirrors, published copies, the witnesses themselves. What is
newer is brought over from published files before the home stands; where that is not asked for, nothing is restored.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import msgspec

from sekisho.adapters.bounded_files import read_up_to
from sekisho.adapters.durable_files import OsDisk, replace_file
from sekisho.adapters.keys.key_pack import MAX_PACK, open_key_pack
from sekisho.adapters.storage import FileTileStore
from sekisho.adapters.storage.backup_files import copy_still
from sekisho.adapters.storage.private_sqlite import read_disclosures
from sekisho.adapters.transport.http_tiles import HttpTileStore
from sekisho.adapters.transport.witness_client import HttpWitness
from sekisho.app.backup import KEY_PACK, Backup, check_backup, load_backup
from sekisho.app.home import Elsewhere, Home
from sekisho.app.upkeep import rebuild_log
from sekisho.ledger import Cosigned
from sekisho.ledger.checkpoint import Checkpoint
from sekisho.ledger.copying import CopyDiverged, compare_copy, complete_copy
from sekisho.ledger.reader import TreeReader
from sekisho.ledger.tiles import CHECKPOINT_PATH
from sekisho.ledger.tree import subtree_root
from sekisho.model.errors import InvalidInput, StateConflict, Unavailable, VerificationError
from sekisho.model.statements import DisclosureErased
from sekisho.operations.reading import policy_of, read_state
from sekisho.ports.tile_store import TileStore
from sekisho.ports.witness import WitnessConflict
from sekisho.signing import Recorded, TrustRoot, current_root
from sekisho.signing.disclosure import concealed_of
from sekisho.signing.notes import MAX_NOTE_BYTES, Note, VerifierKey

__all__ = ["BackupOlder", "RestorePlan", "Restored", "restore_home"]

Heard = Callable[[int, int], None]


class BackupOlder(StateConflict):
    """Witnesses cosigned a tree that grew beyond the backup: a log that went on from it would fork."""

    code = "backup-older"


class RestorePlan(msgspec.Struct, frozen=True, kw_only=True):
    """What to bring back where. `sources` are logs (folders, addresses), `witnesses` addresses of witnesses.

    `replay` completes an older backup from the newest source; `as_it_is` takes it on the caller's word that nothing
    newer was cosigned. `root` is the caller's own trust root, else the backup's.
    """

    backup: Path
    home: Path
    sources: tuple[str, ...] = ()
    witnesses: tuple[str, ...] = ()
    replay: bool = False
    as_it_is: bool = False
    root: TrustRoot | None = None
    passphrase: bytes | None = None
    elsewhere: Elsewhere = Elsewhere()


class _Source(msgspec.Struct, frozen=True, kw_only=True):
    """A log that was named, and the checkpoint that it has under the witnesses."""

    place: str
    store: TileStore
    held: Cosigned

    @property
    def size(self) -> int:
        return self.held.checkpoint.size


class Restored(msgspec.Struct, frozen=True, kw_only=True):
    """What came of it: entries, how many of them replayed, statements whose fields are lost, who was asked."""

    size: int
    replayed: int
    lost: int
    asked: tuple[str, ...]
    keys: bool


def restore_home(plan: RestorePlan, heard: Heard = lambda *_: None) -> Restored:
    """Bring a home back into a folder that is not there yet, or empty.

    1. The backup is whole (`check_backup`); 2. whoever was named is asked for a newer checkpoint: a newer one refuses
    or, with `replay`, is completed from; another tree refuses always; 3. the files, the published ones as far as they
    go, and the database up to them; 4. only then the folder takes its name. Raises BackupOlder, CopyDiverged where
    the log forked, InvalidInput, StateConflict, Unavailable.
    """
    _require_empty(plan.home)
    if not (plan.sources or plan.witnesses or plan.as_it_is):
        raise InvalidInput(
            "nobody is named who may know of a newer checkpoint",
            path="--newest, --witness",
            remedy="name a mirror or the witnesses; --as-it-is takes the backup on your word",
        )
    backup, own = load_backup(plan.backup)
    root = plan.root or own
    if root.origin != backup.origin:
        raise InvalidInput(f"is a backup of {backup.origin!r}", path=str(plan.backup))
    check_backup(plan.backup, root, heard)
    state, held = read_state(FileTileStore(plan.backup / "log"), root)
    ahead = _ask_witnesses(plan, held)
    with _newest(plan, root) as newest:
        size = held.checkpoint.size
        if newest is not None:
            _compare(plan, current_root(root, state.regime), held, newest)
            size = max(size, newest.size)
        for place, witnessed in ahead.items():
            if witnessed > size:
                raise _older(size, witnessed, place)
        lost = _build(plan, backup, newest, heard)
    return Restored(
        size=size,
        replayed=size - held.checkpoint.size,
        lost=lost,
        asked=(*plan.sources, *plan.witnesses),
        keys=plan.passphrase is not None,
    )


def _require_empty(home: Path) -> None:
    if home.exists() and (not home.is_dir() or any(home.iterdir())):
        raise StateConflict(
            f"{home} is not empty", remedy="move it aside and keep it: it may know more"
        )


def _ask_witnesses(plan: RestorePlan, held: Cosigned) -> dict[str, int]:
    """Each witness is shown the backup's own checkpoint: it says where it stands where that is another place."""
    size, ahead = held.checkpoint.size, dict[str, int]()
    for address in plan.witnesses:
        with HttpWitness(address) as witness:
            try:
                witness.add_checkpoint(size, (), held.note.to_bytes())
            except WitnessConflict as conflict:
                if conflict.size > size:
                    ahead[address] = conflict.size
                if conflict.size == size:
                    raise CopyDiverged(
                        f"{address} cosigned another tree of size {size}: the log forked",
                        remedy="keep both as evidence; see sekisho log check-evidence",
                    ) from None
            except Unavailable as silent:  # asked once here, and not again by itself
                raise Unavailable(
                    silent.message, remedy="start it and try again, or name a mirror: --newest"
                ) from None
    return ahead


@contextmanager
def _newest(plan: RestorePlan, root: TrustRoot) -> Iterator[_Source | None]:
    """The source with the largest verified log."""
    found: list[_Source] = []
    with ExitStack() as opened:
        for place in plan.sources:
            store: TileStore
            if "://" in place:
                store = remote = HttpTileStore(place)
                opened.callback(remote.close)
            else:
                store = FileTileStore(Path(place).expanduser())
            found.append(_Source(place=place, store=store, held=read_state(store, root)[1]))
        yield max(found, key=lambda source: source.size, default=None)


def _compare(plan: RestorePlan, root: TrustRoot, held: Cosigned, newest: _Source) -> None:
    """One of the two trees begins the other. Raises CopyDiverged, and BackupOlder unless it is to be replayed."""
    mine = FileTileStore(plan.backup / "log")
    keys = [VerifierKey.from_text(root.log, path="log"), *policy_of(root).logs]
    if newest.size > held.checkpoint.size:
        if not plan.replay:
            raise _older(held.checkpoint.size, newest.size, newest.place)
        tree = TreeReader(newest.store, newest.held.checkpoint)
        compare_copy(mine, keys, tree.size, lambda n: subtree_root(0, n, tree.node))
        return
    tree = TreeReader(mine, held.checkpoint)
    size = newest.size
    if size and subtree_root(0, size, tree.node) != newest.held.checkpoint.root:
        raise CopyDiverged(
            f"the log of size {size} at {newest.place} does not begin the backup's: the log forked",
            remedy="keep both as evidence, and find out which the witnesses cosigned",
        )


def _older(size: int, newest: int, place: str) -> BackupOlder:
    return BackupOlder(
        f"the backup's log has {size} entries, and {place} knows of {newest} under the witnesses: "
        "a log that went on from it would fork",
        remedy="restore a newer backup, or add --replay with --newest naming a mirror or published copy of that size",
    )


def _build(plan: RestorePlan, backup: Backup, newest: _Source | None, heard: Heard) -> int:
    """Everything in a folder beside, then its name; how many statements' concealed fields are lost."""
    beside = plan.home.with_name(f".{plan.home.name}.restoring")
    shutil.rmtree(beside, ignore_errors=True)  # what a killed restore left: never a home
    try:
        lost = _fill(Home.open(beside, plan.elsewhere), plan, backup, newest, heard)
        # Crash before: a folder that nobody takes for a home; the next call begins anew.
        if plan.home.exists():
            plan.home.rmdir()
        beside.rename(plan.home)
        OsDisk().sync_folder(plan.home.parent)
    finally:
        shutil.rmtree(beside, ignore_errors=True)  # keys may lie in it
    return lost


def _fill(
    home: Home, plan: RestorePlan, backup: Backup, newest: _Source | None, heard: Heard
) -> int:
    for file in backup.files:
        if file.path.startswith("home/"):
            path = file.path.removeprefix("home/")
            copy_still(plan.backup / file.path, home.path / path)
    if plan.passphrase is not None:
        _restore_keys(plan, home)
    _publish(plan, home, newest)
    _complete_database(home, heard)
    return _lost(home)


def _complete_database(home: Home, heard: Heard) -> None:
    """The database up to the published checkpoint; one on a server is its own administrator's to bring back."""
    if home.elsewhere.database:
        return
    root = home.load_root()
    size = 0
    if (home.path / "log.sqlite").exists():
        with home.open_entries(root.origin) as entries:
            size = entries.size
    published = FileTileStore(home.public).read(CHECKPOINT_PATH, MAX_NOTE_BYTES)
    if size < Checkpoint.from_text(Note.from_bytes(published).text).size:
        rebuild_log(home, heard)


def _restore_keys(plan: RestorePlan, home: Home) -> None:
    path = plan.backup / KEY_PACK
    if not path.is_file():
        raise InvalidInput("holds no keys", path=str(plan.backup), remedy="bring them by hand")
    data = read_up_to(path, MAX_PACK)
    for name, content in open_key_pack(data, plan.passphrase or b"", path=str(path)).items():
        target = home.path / name
        if not target.resolve().is_relative_to(home.path.resolve()):
            raise InvalidInput("leads out of the home", path=f"{path}: {name[:80]}")
        replace_file(target, content)


def _publish(plan: RestorePlan, home: Home, newest: _Source | None) -> None:
    own = FileTileStore(plan.backup / "log")
    public = FileTileStore(home.public)
    note = own.read(CHECKPOINT_PATH, MAX_NOTE_BYTES)
    root = home.load_root()
    _, held = read_state(own, root)
    complete_copy(own, public, 0, held)
    if newest is not None and newest.size > held.checkpoint.size:
        complete_copy(newest.store, public, held.checkpoint.size, newest.held)
    elif public.read(CHECKPOINT_PATH, MAX_NOTE_BYTES) != note:
        raise VerificationError("the checkpoint changed while it was copied")


def _lost(home: Home) -> int:
    """Statements that conceal fields which are neither here nor erased."""
    kept = read_disclosures(home.path / "private.sqlite")
    concealing: set[str] = set()
    erased: set[str] = set()

    def hear(entry: Recorded) -> None:
        predicate = entry.verified.predicate
        if concealed_of(predicate):
            concealing.add(entry.verified.digest)
        if isinstance(predicate, DisclosureErased):
            erased.add(predicate.statement)

    read_state(FileTileStore(home.public), home.load_root(), hear=hear)
    return len(concealing - kept.keys() - erased)
