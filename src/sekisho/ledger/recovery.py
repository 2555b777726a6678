"""What must hold before a log goes on after a stop: what was published is ours, and no newer than the database."""

from __future__ import annotations

from collections.abc import Sequence

from sekisho.ledger.checkpoint import Checkpoint, WrongOrigin
from sekisho.ledger.integrator import Integrator
from sekisho.ledger.tiles import CHECKPOINT_PATH
from sekisho.model.errors import Corrupt, InvalidInput, VerificationError
from sekisho.ports.tile_store import TileStore
from sekisho.signing.notes import MAX_NOTE_BYTES, Note, VerifierKey, verify_note

__all__ = ["RolledBack", "load_published", "refuse_rollback", "restore_checkpoint"]


class RolledBack(Corrupt):
    """The database stands for a smaller or another tree than the one that was published."""

    code = "log-rolled-back"


def load_published(tiles: TileStore, keys: Sequence[VerifierKey]) -> Checkpoint | None:
    """The published checkpoint under any of the log's keys; None where there is none. Raises Corrupt."""
    if not tiles.exists(CHECKPOINT_PATH):
        return None
    try:
        note = Note.from_bytes(tiles.read(CHECKPOINT_PATH, MAX_NOTE_BYTES), path=CHECKPOINT_PATH)
        verify_note(note, keys)
        checkpoint = Checkpoint.from_text(note.text)
        if checkpoint.origin != keys[0].name:
            raise WrongOrigin(f"a checkpoint of {checkpoint.origin!r}, not of {keys[0].name!r}")
    except (InvalidInput, VerificationError) as error:
        raise Corrupt(
            f"the published checkpoint is not ours: {error}",
            remedy="check key and folder; restore the file from a copy that was served",
        ) from None
    return checkpoint


def refuse_rollback(published: Checkpoint | None, size: int, integrator: Integrator) -> None:
    """Raise RolledBack unless the published tree is a prefix of the database's `size` entries. Writes nothing."""
    if published is None:
        return
    if published.size > size:
        raise RolledBack(
            f"the published checkpoint has size {published.size}, the database only {size}",
            remedy="restore the newest database, or rebuild it from the published files with "
            "`sekisho log rebuild` (a log of your own: with its folder); appending to this one would fork the log",
        )
    if integrator.root_at(published.size) != published.root:
        raise RolledBack(
            f"the published checkpoint of size {published.size} is not of the tree in the database",
            remedy="restore the database that belongs to it, or rebuild it from the published files "
            "with `sekisho log rebuild`",
        )


def restore_checkpoint(
    published: Checkpoint | None, cosigned: tuple[int, bytes] | None, tiles: TileStore
) -> bytes | None:
    """Write the file unless it is ahead, and give the newest note.

    Also where it says the same already: a process that was killed may have moved it there and never synced its folder,
    and what is announced from here on must outlive a power cut.
    """
    if cosigned is None:
        return None
    size, note = cosigned
    if published is not None and published.size > size:
        return tiles.read(CHECKPOINT_PATH, MAX_NOTE_BYTES)
    # Crash here: as before; the file is behind the database and is written at the next start.
    tiles.write(CHECKPOINT_PATH, note)
    return note
