"""Reading a public log from outside: its checkpoint under a trust root, every entry against the tree, then the folds.

Nothing that the log says of itself is believed: the root comes from the reader. Whoever reads may be shown an old
tree; how new it is, the witnesses' times in the answer say.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from sekisho.ledger import Cosigned, LogReader, Policy, QuorumMissing, WrongOrigin
from sekisho.ledger.checkpoint import Checkpoint
from sekisho.ledger.tiles import CHECKPOINT_PATH
from sekisho.model.errors import BadSignature, InvalidInput, VerificationError
from sekisho.operations.state import State, start_state
from sekisho.ports.tile_store import TileStore
from sekisho.signing import Recorded, TrustRoot, current_root
from sekisho.signing.notes import MAX_NOTE_BYTES, Note, VerifierKey

__all__ = ["claimed_origin", "policy_of", "read_state"]


def read_state(
    store: TileStore,
    root: TrustRoot,
    disclosures: Mapping[str, tuple[str, ...]] | None = None,
    *,
    opens: Callable[[Recorded], tuple[str, ...]] | None = None,
    hear: Callable[[Recorded], None] = lambda _: None,
) -> tuple[State, Cosigned]:
    """What a public log says, and under which witnessed checkpoint.

    1. The checkpoint is of the root's log, and verifies under the root's policy, unless charters may have changed keys
    or witnesses since; 2. every entry hashes to its place in that tree; 3. the folds take every entry, from the charter
    that the root names, and `hear` is told of it; 4. the checkpoint verifies under the root as the charters left it.
    `disclosures` are by leaf digest; `opens` tells those of an entry, in their place.
    Raises QuorumMissing, WrongOrigin, DamagedTile, ForgedRegime and whatever the
    rooms refuse; NotStored, Unavailable.
    """
    raw = store.read(CHECKPOINT_PATH, MAX_NOTE_BYTES)
    note = Note.from_bytes(raw, path=CHECKPOINT_PATH)
    checkpoint = Checkpoint.from_text(note.text, path=CHECKPOINT_PATH)
    refused = _refusal(note, root)
    if checkpoint.origin != root.origin:
        raise refused or WrongOrigin(
            f"a checkpoint of {checkpoint.origin!r}, the root is for {root.origin!r}"
        )
    by_leaf = disclosures or {}
    opens = opens or (lambda entry: by_leaf.get(entry.leaf, ()))
    try:
        state = _fold(store, checkpoint, root, opens, hear)
    except VerificationError as error:
        raise refused or error from None
    current = current_root(root, state.regime)
    if refused is not None and current == root:
        raise refused
    return state, policy_of(current).verify_cosigned(note)


def _fold(
    store: TileStore,
    checkpoint: Checkpoint,
    root: TrustRoot,
    opens: Callable[[Recorded], tuple[str, ...]],
    hear: Callable[[Recorded], None],
) -> State:
    state = start_state(root)
    for raw in LogReader(store).entries(0, checkpoint.size, checkpoint):
        entry = state.verify(raw)
        state = state.after(entry, {entry.verified.digest: opens(entry)})
        hear(entry)
    return state


def _refusal(note: Note, root: TrustRoot) -> BadSignature | QuorumMissing | None:
    """Why the root's own policy would not take the checkpoint; None where it does."""
    try:
        policy_of(root).verify_cosigned(note)
    except (BadSignature, QuorumMissing) as error:
        return error
    return None


def policy_of(root: TrustRoot) -> Policy:
    """The witness policy of a root. Raises InvalidInput where it is for another log key than the root's own."""
    policy = Policy.from_text(root.witnesses, path="witnesses")
    if VerifierKey.from_text(root.log, path="log") not in policy.logs:
        raise InvalidInput(
            "the witness policy does not name the root's own log key",
            path="witnesses",
            remedy="write both from one charter: sekisho trust add",
        )
    return policy


def claimed_origin(store: TileStore) -> str:
    """The origin that a log's checkpoint claims: good for looking up a trust root, and for nothing else."""
    raw = store.read(CHECKPOINT_PATH, MAX_NOTE_BYTES)
    return Checkpoint.from_text(Note.from_bytes(raw, path=CHECKPOINT_PATH).text).origin
