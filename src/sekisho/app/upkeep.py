"""What a home needs now and then: its log's key changed, a database made again, fields revealed or erased."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import msgspec

from sekisho.adapters.keys.note_keys import begin_rotation, finish_rotation
from sekisho.adapters.storage import FileTileStore
from sekisho.adapters.storage.log_reading import LogEntries
from sekisho.adapters.storage.private_sqlite import PrivateSqlite
from sekisho.adapters.storage.projections_sql import remove_projections, scratch_projections
from sekisho.app.control import Control
from sekisho.app.home import Home
from sekisho.ledger import LogReader, Policy
from sekisho.ledger.rebuilding import rebuild_store
from sekisho.model.errors import Corrupt, StateConflict
from sekisho.operations.desk import Admitted
from sekisho.operations.disclosing import Reveal, make_reveal
from sekisho.operations.projecting import (
    Check,
    Telling,
    check_projections,
    count_rows,
    make_projections,
    read_entries,
)
from sekisho.operations.reading import read_state
from sekisho.operations.unique_keys import claims_of
from sekisho.ports.log_store import TreeHead
from sekisho.ports.projection_store import View
from sekisho.signing import Recorded
from sekisho.signing.notes import VerifierKey
from sekisho.signing.trust import current_root, with_former_keys

__all__ = [
    "Rebuilt",
    "begin_log_rotation",
    "check_home_projections",
    "erase_disclosures",
    "finish_log_rotation",
    "rebuild_log",
    "rebuild_projections",
    "reveal_field",
]


def begin_log_rotation(home: Home) -> VerifierKey:
    """Draw the log's next key; a control plane started from then on signs every checkpoint with both.

    Raises StateConflict where one is drawn already, InvalidInput where the home has no log.
    """
    origin = home.load_root().origin
    begin_rotation(home.keys / "log.pem")
    return home.next_log_signers(origin)[0].verifier


def finish_log_rotation(home: Home) -> VerifierKey:
    """Drop the log's old key, once the charter in force names the new one, and trust what the charter says now.

    Raises StateConflict where no rotation is under way, or where the log's charter still names the old key.
    """
    root = home.load_root()
    following = home.next_log_signers(root.origin)
    if not following:
        raise StateConflict("no rotation of the log's key is under way")
    state, _ = read_state(FileTileStore(home.public), root)
    current = current_root(root, state.regime)
    if current.log != following[0].verifier.to_text():
        raise StateConflict(
            "the charter in force still names the old key",
            remedy=f"adopt a charter whose log key is {following[0].verifier.to_text()}",
        )
    # Crash here: the home trusts the new key, and both still sign; asked again, the old one goes.
    home.save_root(with_former_keys(current, root))
    finish_rotation(home.keys / "log.pem")
    return following[0].verifier


def rebuild_log(home: Home, progress: Callable[[int, int], None] = lambda *_: None) -> TreeHead:
    """Fill the log's lost or older database from the home's published files; the head after it.

    Raises what `rebuild_store` raises, and what reading the checkpoint by the home's trust root raises.
    """
    root, tiles = home.load_root(), FileTileStore(home.public)
    policy = Policy.from_text(root.witnesses, path="trust.json witnesses")
    cosigned = LogReader(tiles).load_checkpoint(policy)
    with home.open_log(root.origin) as store:
        return rebuild_store(store, tiles, cosigned, claims_of, progress)


class Rebuilt(msgspec.Struct, frozen=True, kw_only=True):
    """Projections that were made again: of how many entries, how many rows in each table, how many unverifiable."""

    size: int
    tables: dict[str, int]
    hidden: int


def rebuild_projections(home: Home, heard: Callable[[int, int], None]) -> Rebuilt:
    """Make a home's projections again from its log and private store alone, and put them in place at once.

    A control plane that runs on this home meanwhile goes on from them. `heard` is told entries done and to do. Raises
    InvalidInput where no regime is founded here, Corrupt, Unavailable, and whatever the log's entries raise.
    """
    with _grounds(home) as (log, telling), scratch_projections() as made:
        entries = read_entries(telling, log.envelopes())
        make_projections(made, telling, entries, lambda done: heard(done, log.size))
        with made.view() as view:
            try:
                _put_in_place(home, view)
            except Corrupt:
                remove_projections(home.projections)
                _put_in_place(home, view)
            tables, hidden = count_rows(view)
        return Rebuilt(size=telling.position.size, tables=tables, hidden=hidden)


def check_home_projections(home: Home, heard: Callable[[int, int], None]) -> Check:
    """A home's projections against those that its log and private store give. Raises as `rebuild_projections`."""
    with (
        _grounds(home) as (log, telling),
        scratch_projections() as made,
        home.open_projections(mend=False) as kept,
    ):
        return check_projections(
            kept,
            made,
            telling,
            log.envelopes(),
            log_size=log.size,
            heard=lambda done: heard(done, log.size),
        )


def _put_in_place(home: Home, made: View) -> None:
    with home.open_projections() as store:
        store.replace(made.position, made.rows())


@contextmanager
def _grounds(home: Home) -> Iterator[tuple[LogEntries, Telling]]:
    """What projections rest on: the log, and a fold of it that has not begun."""
    root = home.load_root()
    private = PrivateSqlite(home.path / "private.sqlite")
    try:
        kept = private.load_disclosures()
    finally:
        private.close()
    with home.open_entries(root.origin) as log:
        yield log, Telling(root, lambda digest: kept.get(digest, ()))


def reveal_field(home: Home, digest: str, name: str) -> Reveal:
    """One concealed field of a home's own statement, for a reader; raises what `make_reveal` raises.

    Reads beside a running control plane. Raises InvalidInput where no regime is founded here.
    """
    root = home.load_root()
    private = PrivateSqlite(home.path / "private.sqlite")
    try:
        kept = private.load_disclosures()
    finally:
        private.close()
    return make_reveal(FileTileStore(home.public), root, digest, name, kept)


def erase_disclosures(
    home: Home, digest: str, basis: str, confirm: Callable[[Recorded], None]
) -> tuple[Admitted, str]:
    """Erase the concealed fields of a home's own statement: the erasure's place in the log, the statement's digest.

    `digest` is the statement's payload or leaf digest. `confirm` is shown the statement, and raises to stop: then
    nothing has changed. Raises StateConflict while a control plane runs on this home, or where there is nothing to
    erase.
    """
    with Control(home, {}) as control:
        recorded = control.desk.find(digest) or next(
            (entry for entry in control.desk.recorded() if entry.leaf == digest), None
        )
        if recorded is None:
            raise StateConflict(
                f"no statement {digest[:16]} is in this log", remedy="name its payload's SHA-256"
            )
        control.deposits.check_erasable(recorded.verified.digest)
        confirm(recorded)
        return control.deposits.erase(recorded.verified.digest, basis), recorded.verified.digest
