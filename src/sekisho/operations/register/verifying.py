"""What a log says of the batches that a passport rests on: the log read whole, or the entries that travel with it.

Nothing that the passport says of the log is believed: the root comes from the reader.
"""

from __future__ import annotations

from sekisho.ledger import TlogProof
from sekisho.ledger.tree import leaf_hash
from sekisho.model.errors import InvalidInput, VerificationError
from sekisho.model.statements import CustodyMoved
from sekisho.model.wire import decode_base64
from sekisho.operations.reading import policy_of, read_state
from sekisho.operations.register.passports import committed_in
from sekisho.ports.tile_store import TileStore
from sekisho.registry.passport import Attachment, Passport
from sekisho.registry.passport_line import Committed, LogSeen
from sekisho.signing import Recorded, TrustRoot

__all__ = ["seen_in_entries", "seen_in_log"]


def seen_in_log(store: TileStore, root: TrustRoot) -> LogSeen:
    """Every batch that a public log commits to; who stated it held the power then.

    Raises what `read_state` raises.
    """
    found: dict[str, Committed] = {}

    def hear(entry: Recorded) -> None:
        fact = entry.verified.predicate
        if isinstance(fact, CustodyMoved):
            found[entry.leaf] = Committed(
                leaf=entry.leaf,
                entry=entry.index,
                batch=fact.batch,
                events=fact.events,
                root=fact.root,
            )

    _, cosigned = read_state(store, root, hear=hear)
    return LogSeen(committed=found, size=cosigned.checkpoint.size)


def seen_in_entries(passport: Passport, root: TrustRoot) -> LogSeen:
    """The batches whose entries travel with a passport, each under a checkpoint that the root's witnesses saw.

    That the entry is in the witnessed log is shown; that whoever signed it might state batches is not. An entry whose
    proof fails commits to nothing, so that no line can rest on it.
    """
    policy = policy_of(root)
    found: dict[str, Committed] = {}
    for attached in passport.entries:
        try:
            entry = decode_base64(attached.envelope, path="entries.envelope")
            proof = TlogProof.from_text(attached.proof, path="entries.proof")
            proof.verify(entry, policy)
        except (InvalidInput, VerificationError):
            found[attached.leaf] = _nothing(attached)
            continue
        stated = committed_in(entry, proof.index)
        is_named = leaf_hash(entry).hex() == attached.leaf
        found[attached.leaf] = stated if is_named else _nothing(attached)
    return LogSeen(committed=found)


def _nothing(attached: Attachment) -> Committed:
    return Committed(leaf=attached.leaf, entry=-1, batch=0, events=0, root="")
