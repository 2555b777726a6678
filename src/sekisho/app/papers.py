"""A home's register of chips as people look at it, beside a control plane that runs on it or without one."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from sekisho.adapters.storage import FileTileStore
from sekisho.app.home import Home
from sekisho.ledger import Cosigned, LogReader, Policy, QuorumMissing
from sekisho.model.errors import StateConflict
from sekisho.operations.register.papers import Papers
from sekisho.ports.tile_store import NotStored

__all__ = ["open_papers"]


@contextmanager
def open_papers(home: Home) -> Iterator[Papers]:
    """The papers of a home's register, read only.

    Raises InvalidInput where no regime is founded here, StateConflict where it keeps no register yet, Unavailable,
    Corrupt.
    """
    root = home.load_root()
    if not home.elsewhere.database and not home.register_file.exists():
        raise StateConflict(
            "this home keeps no register of chips yet", remedy="sekisho up, and capture a document"
        )
    tiles = FileTileStore(home.public)
    policy = Policy.from_text(root.witnesses, path="trust.json witnesses")

    def latest() -> Cosigned | None:
        try:
            return LogReader(tiles).load_checkpoint(policy)
        except (NotStored, QuorumMissing):
            return None  # nothing is witnessed yet: every line is unverifiable, and says so

    with home.open_register(writes=False) as store:
        yield Papers(store, home.load_terms(), log=root.origin, tiles=tiles, latest=latest)
