"""Checking a whole log: the tree is derived again from the entries, and every file compared with it."""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from sekisho.ledger.checkpoint import Checkpoint
from sekisho.ledger.policy import Policy
from sekisho.ledger.reader import TreeReader, as_policy
from sekisho.ledger.tiles import (
    CHECKPOINT_PATH,
    TILE_WIDTH,
    DamagedTile,
    Tile,
    bundles_of_tree,
    load_bundle,
    load_hashes,
)
from sekisho.ledger.tree import fold_level, leaf_hashes, perfect_roots, root_of_roots
from sekisho.model.errors import InvalidInput, VerificationError
from sekisho.model.wire import encode_base64
from sekisho.ports.tile_store import NotStored, TileStore
from sekisho.signing.notes import MAX_NOTE_BYTES, Note, VerifierKey

__all__ = ["LogCheck", "LogFault", "check_log", "check_tree"]

MAX_FAULTS = 1000

Progress = Callable[[int, int], None]
"""Told (entries checked, entries in all) after each bundle."""


class LogFault(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that is wrong: the file, and what about it."""

    path: str
    fault: str


class LogCheck(msgspec.Struct, frozen=True, kw_only=True):
    """What a check of a whole log came to.

    `size` and `root` are those of the verified checkpoint, None where none verified; `derived` is the root
    that the entries give, None where entries are missing or wrong. At most 1,000 faults are listed.
    """

    size: int | None
    root: bytes | None
    derived: bytes | None
    faults: tuple[LogFault, ...]

    @property
    def holds(self) -> bool:
        return not self.faults

    @property
    def verdict(self) -> str:
        return "holds" if self.holds else "fails"


def check_log(
    store: TileStore,
    trust: Policy | VerifierKey,
    checkpoint: bytes | None = None,
    progress: Progress = lambda *_: None,
) -> LogCheck:
    """Check a log's folder against its key or a policy.

    1. The checkpoint (`checkpoint` file of the store unless given) verifies; 2. every entry bundle holds what
    it should, and the tree is derived from these bytes alone; 3. every hash tile of every level equals the
    derived one; 4. the derived root is the signed one. Returns the faults; raises nothing about the log's
    content, Unavailable where the store does not answer.
    """
    try:
        raw = store.read(CHECKPOINT_PATH, MAX_NOTE_BYTES) if checkpoint is None else checkpoint
        verified = (
            as_policy(trust).verify_cosigned(Note.from_bytes(raw, path=CHECKPOINT_PATH)).checkpoint
        )
    except (NotStored, InvalidInput, VerificationError) as error:
        fault = LogFault(path=CHECKPOINT_PATH, fault=str(error))
        return LogCheck(size=None, root=None, derived=None, faults=(fault,))
    return check_tree(store, verified, progress)


def check_tree(
    store: TileStore, checkpoint: Checkpoint, progress: Progress = lambda *_: None
) -> LogCheck:
    """Steps 2 to 4 of `check_log`, under a checkpoint that the caller verified."""
    derivation = _Derivation(store, checkpoint)
    for bundle in bundles_of_tree(checkpoint.size):
        derivation.take(bundle)
        progress(bundle.index * TILE_WIDTH + bundle.width, checkpoint.size)
    derived = derivation.finish()
    if derived is not None and derived != checkpoint.root:
        told = f"signs the root {encode_base64(checkpoint.root)}, the entries give {encode_base64(derived)}"
        derivation.report(CHECKPOINT_PATH, told)
    return LogCheck(
        size=checkpoint.size, root=checkpoint.root, derived=derived, faults=tuple(derivation.faults)
    )


class _Derivation:
    """The tree as it grows from the left, with one unfinished tile for each level.

    Where entries and their tile disagree, the signed root decides which of them is at fault, and the right
    one is used from there on, so that one fault is reported once.
    """

    def __init__(self, store: TileStore, checkpoint: Checkpoint) -> None:
        self.faults: list[LogFault] = []
        self._store = store
        self._signed = TreeReader(store, checkpoint)
        self._from_entries = True
        self._rows: list[list[bytes]] = []
        self._done: list[int] = []

    def report(self, path: str, fault: str) -> None:
        if len(self.faults) < MAX_FAULTS:
            self.faults.append(LogFault(path=path, fault=fault))

    def take(self, bundle: Tile) -> None:
        """Hash one bundle and add it to level 0; entries that are gone or wrong are replaced by their tile."""
        tile = Tile(level=0, index=bundle.index, width=bundle.width)
        try:
            hashes = leaf_hashes(load_bundle(bundle, self._store.read))
        except (NotStored, DamagedTile, InvalidInput) as error:
            self.report(bundle.to_path(), error.message)
            hashes = self._replace_entries(tile)
        else:
            hashes = self._settle(bundle, tile, hashes)
        self._add(0, hashes)

    def finish(self) -> bytes | None:
        """The derived root, after comparing the tiles that stayed partial; None where entries are at fault."""
        roots: list[bytes] = []
        for level, row in enumerate(self._rows):
            if row and level:
                self._compare(Tile(level=level, index=self._done[level], width=len(row)), row)
            roots = perfect_roots(row) + roots
        return root_of_roots(roots) if self._from_entries else None

    def _settle(self, bundle: Tile, tile: Tile, derived: list[bytes]) -> list[bytes]:
        """Compare level 0; blame the entries where the tile is the one that the root commits to."""
        if self._stored(tile) == derived:
            return derived
        signed = self._authentic(tile)
        if signed is None:
            self._compare(tile, derived)
            return derived
        first = next(
            i for i, pair in enumerate(zip(signed, derived, strict=True)) if pair[0] != pair[1]
        )
        where = bundle.index * TILE_WIDTH + first
        self.report(bundle.to_path(), f"entry {where} is not the one that the tree holds")
        self._from_entries = False
        return signed

    def _add(self, level: int, hashes: list[bytes]) -> None:
        if level == len(self._rows):
            self._rows.append([])
            self._done.append(0)
        row = self._rows[level]
        row.extend(hashes)
        if len(row) < TILE_WIDTH:
            return
        if level:
            self._compare(Tile(level=level, index=self._done[level]), row)
        self._rows[level] = []
        self._done[level] += 1
        while len(row) > 1:
            row = fold_level(row)
        self._add(level + 1, row)

    def _compare(self, tile: Tile, derived: list[bytes]) -> None:
        try:
            stored = load_hashes(tile, self._store.read)
        except (NotStored, DamagedTile, InvalidInput) as error:
            self.report(tile.to_path(), error.message)
            return
        if stored != derived:
            first = next(
                i for i, pair in enumerate(zip(stored, derived, strict=True)) if pair[0] != pair[1]
            )
            self.report(tile.to_path(), f"hash {first} is not the one that the entries give")

    def _replace_entries(self, tile: Tile) -> list[bytes]:
        self._from_entries = False
        signed = self._authentic(tile) or self._stored(tile)
        if signed is None:
            self.report(tile.to_path(), "cannot stand in for the entries")
        return signed or [bytes(32)] * tile.width

    def _stored(self, tile: Tile) -> list[bytes] | None:
        try:
            return load_hashes(tile, self._store.read)
        except (NotStored, DamagedTile, InvalidInput):
            return None

    def _authentic(self, tile: Tile) -> list[bytes] | None:
        try:
            return self._signed.load(tile)
        except (NotStored, DamagedTile, InvalidInput):
            return None
