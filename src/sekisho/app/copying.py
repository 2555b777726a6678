"""A published copy of the log beside the running control plane: opened, held against the log, followed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sekisho.ledger.copying import PublishedCopy
from sekisho.model.errors import Unavailable

if TYPE_CHECKING:
    from sekisho.adapters.storage.object_tiles import ObjectTileStore
    from sekisho.ledger.sequencer import Sequencer
    from sekisho.ports.tile_store import TileStore

__all__ = ["compare_at_start", "follow_copy", "open_copy"]


def open_copy(address: str) -> ObjectTileStore | None:
    """The store at an address, as s3://BUCKET/PREFIX; None for no address. Raises InvalidInput."""
    if not address:
        return None
    # Here, so that a log without a copy does without the store's library.
    from sekisho.adapters.storage.object_tiles import open_object_tiles

    return open_object_tiles(address)


def follow_copy(
    copied_to: ObjectTileStore | None, tiles: TileStore, sequencer: Sequencer
) -> PublishedCopy | None:
    """The copy that goes on with the log, once it is started; None where there is no store."""
    if copied_to is None:
        return None
    return PublishedCopy(
        source=tiles,
        copy=copied_to,
        keys=[key.verifier for key in sequencer.signers],
        refuse=sequencer.refuse,
    )


def compare_at_start(copy: PublishedCopy, sequencer: Sequencer) -> str:
    """What a person should look at: a copy that is silent; "" where it answers.

    One that knows more than the database stops the start: raises what `PublishedCopy.compare_at_start` raises.
    """
    try:
        copy.compare_at_start(sequencer.size, sequencer.root_at)
    except Unavailable as error:
        return str(error)
    return ""
