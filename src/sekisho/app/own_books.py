"""A home's own books for whoever may read the home: amounts opened, what is unpublished too. Writes nothing."""

from __future__ import annotations

from itertools import islice

from sekisho.adapters.storage import FileTileStore
from sekisho.adapters.storage.private_sqlite import read_disclosures
from sekisho.app.home import Home
from sekisho.ledger import Cosigned
from sekisho.model.errors import InvalidInput, Unavailable
from sekisho.operations.reading import read_state
from sekisho.operations.state import State
from sekisho.signing import Recorded

__all__ = ["read_own_books"]


def read_own_books(home: Home) -> tuple[State, Cosigned] | None:
    """The home's log with its private store's disclosures, and entries that no checkpoint covers yet.

    None where this user cannot read the private store or the log's database: then the public log is all there is. The
    checkpoint is the published one. Raises what reading a public log raises.
    """
    root = home.load_root()
    try:
        kept = read_disclosures(home.path / "private.sqlite")
        entries = home.open_entries(root.origin)
    except (InvalidInput, Unavailable):
        return None

    def open_amounts(entry: Recorded) -> tuple[str, ...]:
        return kept.get(entry.verified.digest, ())

    with entries:
        state, cosigned = read_state(FileTileStore(home.public), root, opens=open_amounts)
        for raw in islice(entries.envelopes(), state.size, None):
            entry = state.verify(raw)
            state = state.after(entry, {entry.verified.digest: open_amounts(entry)})
    return state, cosigned
