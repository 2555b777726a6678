"""Copying a log: into a folder that any web server can serve, and that is a whole log at every moment.

One pass, which may be cut short anywhere and begun again:

1. The source's checkpoint verifies under the policy. 2. It extends the one that the copy stands at: the root at that
size is computed from the source's own tiles, each authenticated. A fork or a step back ends the pass, with evidence,
and leaves the copy as it was. 3. Tile by tile from the top, then bundle by bundle, what the copy lacks is fetched,
authenticated against the signed root, and written. What an earlier pass left behind is read from the copy and
authenticated in the same way, since that pass may have served another branch. 4. Only then is the checkpoint file
replaced. 5. Only then do partial tiles go whose full ones are there.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import islice

import msgspec

from sekisho.ledger.checkpoint import Checkpoint
from sekisho.ledger.evidence import ForkEvidence, find_fork
from sekisho.ledger.policy import Cosigned, Policy
from sekisho.ledger.reader import TreeReader
from sekisho.ledger.tiles import (
    CHECKPOINT_PATH,
    TILE_WIDTH,
    DamagedTile,
    Tile,
    encode_bundle,
    encode_hashes,
    load_bundle,
)
from sekisho.ledger.tree import leaf_hashes
from sekisho.model.errors import Corrupt, InvalidInput, VerificationError
from sekisho.ports.tile_store import NotStored, TileStore, TileWriter
from sekisho.signing.notes import MAX_NOTE_BYTES, Note

__all__ = ["Copied", "ForkedLog", "Mirror"]

MAX_WORKERS = 32
CHUNK = 16  # times a bundle's 16 MiB is what one pass may hold in memory

Progress = Callable[[int, int], None]
"""Told (files settled, files to settle)."""


class ForkedLog(VerificationError):
    """The source shows a log that is not the one copied before, or one that went back; `evidence` holds both notes."""

    code = "forked-log"

    def __init__(self, message: str, *, evidence: ForkEvidence) -> None:
        super().__init__(message, remedy="ask others what they saw; the copy stays as it was")
        self.evidence = evidence


class Copied(msgspec.Struct, frozen=True, kw_only=True):
    """What a pass came to: the checkpoint that the copy stands at, how many files were written, whether it moved."""

    cosigned: Cosigned
    written: int
    changed: bool


class Mirror:
    """Keeps `target` a copy of `source`, under one policy, with `workers` fetches at a time (1..32)."""

    def __init__(
        self, source: TileStore, target: TileWriter, policy: Policy, *, workers: int = 8
    ) -> None:
        if not 1 <= workers <= MAX_WORKERS:
            raise InvalidInput(f"is not 1 to {MAX_WORKERS}", path="workers")
        self._source = source
        self._target = target
        self._policy = policy
        self._workers = workers

    def copy(self, progress: Progress = lambda *_: None) -> Copied:
        """One pass.

        Raises ForkedLog with evidence; DamagedTile, NotStored and InvalidInput naming the source's file that is
        wrong, gone or too long; what `Policy.verify_cosigned` raises; Corrupt where the copy itself is not one;
        Unavailable where either side does not answer. After all of them the copy is as whole as before.
        """
        raw = self._source.read(CHECKPOINT_PATH, MAX_NOTE_BYTES)
        note = Note.from_bytes(raw, path=CHECKPOINT_PATH)
        self._policy.verify_logged(note)
        held = self._held()
        self._refuse_fork(held, note)
        cosigned = self._policy.verify_cosigned(note)
        size = cosigned.checkpoint.size
        start = held[1].size if held else 0
        written = self._fetch(cosigned.checkpoint, start, progress)
        changed = held is None or held[0] != note
        if changed:
            # Crash before: the copy stands at the older checkpoint, with files beyond it that the next pass checks.
            self._target.write(CHECKPOINT_PATH, raw)
        # Crash here: partial tiles lie about that nobody needs; `tidy` finds them.
        for tile in _filled(start, size):
            self._target.drop_folder(f"{tile.to_path()}.p")
        return Copied(cosigned=cosigned, written=written, changed=changed)

    def tidy(self) -> None:
        """Take away the partial tiles of every full tile, which a crash may have left."""
        held = self._held()
        if held is not None:
            for tile in _filled(0, held[1].size):
                self._target.drop_folder(f"{tile.to_path()}.p")

    def _held(self) -> tuple[Note, Checkpoint] | None:
        """What the copy stands at. Its quorum was checked when it came; the policy may have changed since."""
        if not self._target.exists(CHECKPOINT_PATH):
            return None
        try:
            raw = self._target.read(CHECKPOINT_PATH, MAX_NOTE_BYTES)
            note = Note.from_bytes(raw, path=CHECKPOINT_PATH)
            return note, self._policy.verify_logged(note)
        except (InvalidInput, VerificationError) as error:
            raise Corrupt(
                f"the copy's own checkpoint is not one of this log: {error}",
                remedy="copy into another folder, or name the key that this copy was made under",
            ) from None

    def _refuse_fork(self, held: tuple[Note, Checkpoint] | None, note: Note) -> None:
        if held is None:
            return
        before, now = held[1], Checkpoint.from_text(note.text)
        if before.origin != now.origin:
            raise InvalidInput(
                f"is a log {now.origin!r}, the copy is of {before.origin!r}",
                path=CHECKPOINT_PATH,
                remedy="copy each log into a folder of its own",
            )
        evidence = self._compare(held[0], note, before, now)
        if evidence is not None:
            raise ForkedLog(
                f"{now.origin} forked: its checkpoint of {now.size} entries and the one of {before.size} that "
                "was copied before are not of one log",
                evidence=evidence,
            )
        if now.size < before.size:
            raise ForkedLog(
                f"{now.origin} went back from {before.size} to {now.size} entries",
                evidence=ForkEvidence.of(held[0], note),
            )

    def _compare(
        self, held: Note, note: Note, before: Checkpoint, now: Checkpoint
    ) -> ForkEvidence | None:
        if now.size > before.size:
            return find_fork(held, note, TreeReader(self._source, now))
        try:
            return find_fork(held, note, TreeReader(self._target, before))
        except (DamagedTile, NotStored, InvalidInput) as error:
            raise Corrupt(
                f"the copy is damaged, and the source shows a smaller log: {error.message}",
                remedy="keep the copy's checkpoint, see sekisho log fsck, and copy into another folder",
            ) from None

    def _fetch(self, checkpoint: Checkpoint, start: int, progress: Progress) -> int:
        """Settle every file that the tree of `checkpoint` has and that of `start` had not; how many were written."""
        if checkpoint.size == start:
            return 0
        job = _Job(self._source, self._target, checkpoint)
        # The right edge first: it costs a few files and shows whether the source has what it signed at all.
        job.read_edge()
        total, done = sum(_count(start, checkpoint.size, level) for level in _levels(checkpoint)), 0
        with ThreadPoolExecutor(self._workers, thread_name_prefix="mirror") as pool:
            for level in _levels(checkpoint):
                tiles = _new_tiles(start, checkpoint.size, level)
                while chunk := list(islice(tiles, CHUNK)):
                    files = [file for more in pool.map(job.settle, chunk) for file in more]
                    # Crash here: authenticated files beyond the copy's checkpoint; nobody is promised them.
                    self._target.write_all(files)
                    job.written += len(files)
                    done += len(chunk)
                    progress(done, total)
        return job.written


class _Job:
    """One tree to be copied: what is authentic, from the copy where it has it, else from the source."""

    def __init__(self, source: TileStore, target: TileStore, checkpoint: Checkpoint) -> None:
        self.written = 0
        self._source = source
        self._target = target
        self._overlay = _Overlay(target, source)
        self._remote = TreeReader(source, checkpoint)
        self._either = TreeReader(self._overlay, checkpoint)

    def read_edge(self) -> None:
        self._remote.node(0, self._remote.size - 1)

    def settle(self, tile: Tile) -> Sequence[tuple[str, bytes]]:
        """The files that the copy lacks for one tile, or at the bottom for one tile and its bundle."""
        hashes = self._hashes(tile)
        files = [(tile.to_path(), encode_hashes(hashes))]
        if tile.level == 0:
            bundle = Tile(level=None, index=tile.index, width=tile.width)
            files.append((bundle.to_path(), encode_bundle(self._entries(bundle, hashes))))
        return [(path, data) for path, data in files if not self._is_held(path, data)]

    def _hashes(self, tile: Tile) -> list[bytes]:
        try:
            return self._either.load(tile)
        except (DamagedTile, InvalidInput):
            return self._remote.load(tile)

    def _entries(self, bundle: Tile, hashes: list[bytes]) -> list[bytes]:
        """The entries behind these authenticated leaf hashes."""
        try:
            entries = load_bundle(bundle, self._overlay.read)
        except (DamagedTile, InvalidInput):
            entries = []
        if leaf_hashes(entries) != hashes:
            entries = load_bundle(bundle, self._source.read)
        for offset, pair in enumerate(zip(leaf_hashes(entries), hashes, strict=True)):
            if pair[0] != pair[1]:
                where = bundle.index * TILE_WIDTH + offset
                raise DamagedTile(f"{bundle.to_path()}: entry {where} is not the one in the tree")
        return entries

    def _is_held(self, path: str, data: bytes) -> bool:
        try:
            return self._target.read(path, len(data)) == data
        except (NotStored, InvalidInput):
            return False


class _Overlay:
    """The copy where it has a file, else the source."""

    def __init__(self, first: TileStore, second: TileStore) -> None:
        self._first = first
        self._second = second

    def read(self, path: str, limit: int) -> bytes:
        try:
            return self._first.read(path, limit)
        except NotStored:
            return self._second.read(path, limit)

    def write(self, path: str, data: bytes) -> None:
        self._first.write(path, data)

    def exists(self, path: str) -> bool:
        return self._first.exists(path) or self._second.exists(path)


def _levels(checkpoint: Checkpoint) -> range:
    """The tree's tile levels, top first: each authenticates the one below."""
    height = (max(checkpoint.size, 1).bit_length() - 1) // 8
    return range(height, -1, -1)


def _new_tiles(start: int, size: int, level: int) -> Iterator[Tile]:
    """The tiles of one level that the tree of `size` has and that of `start` had not, or had narrower."""
    before, items = start >> (8 * level), size >> (8 * level)
    for index in range(before // TILE_WIDTH, -(-items // TILE_WIDTH)):
        yield Tile(level=level, index=index, width=min(TILE_WIDTH, items - index * TILE_WIDTH))


def _count(start: int, size: int, level: int) -> int:
    before, items = start >> (8 * level), size >> (8 * level)
    return max(0, -(-items // TILE_WIDTH) - before // TILE_WIDTH)


def _filled(start: int, size: int) -> Iterator[Tile]:
    """Full tiles and bundles of the tree of `size` that were not full in that of `start`."""
    for level in range(8):
        for index in range(start >> (8 * level + 8), size >> (8 * level + 8)):
            yield Tile(level=level, index=index)
            if level == 0:
                yield Tile(level=None, index=index)
