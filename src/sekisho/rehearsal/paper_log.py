"""A small log on one machine for rehearsing with the calendar: real tree, real judgement of witnesses, a clock by hand.

No database and no processes: entries lie in memory until `publish` writes the tiles that every reader of logs can read.
A crash loses the rehearsal, which begins anew.
"""

from __future__ import annotations

from collections.abc import Sequence

from sekisho.ledger import (
    Checkpoint,
    consistency_proof,
    leaf_hash,
    sign_checkpoint,
)
from sekisho.ledger.edge import RightEdge
from sekisho.ledger.tree import fold_level
from sekisho.ledger.witness import AddCheckpoint, Granted, decide
from sekisho.model.errors import VerificationError
from sekisho.model.instants import Instant
from sekisho.model.statements import TimeMarked, make_payload
from sekisho.operations.state import State
from sekisho.ports.tile_store import TileWriter
from sekisho.signing import Ed25519Signer, Recorded, sign_payload
from sekisho.signing.notes import Note, NoteSigner

__all__ = ["PaperLog", "PaperWitness"]


class PaperWitness:
    """One witness: it remembers the last note that it cosigned and takes only what follows from it."""

    def __init__(self, signer: NoteSigner) -> None:
        self.signer = signer
        self._held: Note | None = None

    def cosign(self, request: AddCheckpoint, log: NoteSigner, now: Instant) -> Note:
        """The note with this witness's line on it. Raises VerificationError where it does not follow."""
        decision = decide(request, {log.name: (log.verifier,)}, self._held)
        if not isinstance(decision, Granted):
            raise VerificationError(f"{self.signer.name} does not cosign: {decision.body}".strip())
        self._held = decision.note
        line = self.signer.sign(request.note.text, timestamp=int(now.seconds))
        return request.note.with_signatures([line])

    @property
    def size(self) -> int:
        return Checkpoint.from_text(self._held.text).size if self._held is not None else 0


class PaperLog:
    """The log, its folder and its witnesses; `state` is what its entries say, folded as everybody folds them."""

    def __init__(
        self,
        signer: Ed25519Signer,
        name: str,
        witnesses: Sequence[PaperWitness],
        store: TileWriter,
    ) -> None:
        self._signer = signer
        self.note_signer = NoteSigner(name, signer.private)
        self._witnesses = tuple(witnesses)
        self._store = store
        self._entries: list[bytes] = []
        self._leaves: list[bytes] = []
        self._edge = RightEdge.empty()
        self._note: Note | None = None
        self.state: State | None = None

    def open(self, state: State) -> None:
        """Begin under a trust root."""
        self.state = state

    def append(self, raw: bytes, now: Instant) -> Recorded:
        """A time mark that quotes the last witnessed tree, then the entry; the new tree is witnessed at once."""
        self._enter(self._mark(now))
        recorded = self._enter(raw)
        self._witness(now)
        return recorded

    def pass_time(self, now: Instant) -> None:
        """Nothing but time: a mark, witnessed."""
        self._enter(self._mark(now))
        self._witness(now)

    def publish(self) -> None:
        """Write the tiles and, after them, the witnessed checkpoint."""
        _, files = RightEdge.empty().extended(self._entries)
        self._store.write_all(files)
        if self._note is not None:
            self._store.write("checkpoint", self._note.to_bytes())

    def _enter(self, raw: bytes) -> Recorded:
        if self.state is None:
            raise VerificationError("the log is not open yet")
        recorded = self.state.verify(raw)
        self.state = self.state.after(recorded, {})
        self._entries.append(raw)
        self._leaves.append(leaf_hash(raw))
        self._edge, _ = self._edge.extended([raw])
        return recorded

    def _mark(self, now: Instant) -> bytes:
        quoted = self._note.to_bytes().decode() if self._note is not None else None
        fact = TimeMarked(effective=now, checkpoint=quoted)
        return sign_payload(make_payload(fact), [self._signer]).raw

    def _witness(self, now: Instant) -> None:
        size = len(self._leaves)
        checkpoint = Checkpoint(origin=self.note_signer.name, size=size, root=self._edge.root())
        note = signed = sign_checkpoint(checkpoint, self.note_signer)
        for witness in self._witnesses:
            proof = consistency_proof(witness.size, size, self._node) if witness.size else []
            request = AddCheckpoint(
                old_size=witness.size, proof=tuple(proof), note=signed, checkpoint=checkpoint
            )
            cosigned = witness.cosign(request, self.note_signer, now)
            note = note.with_signatures(cosigned.signatures[len(signed.signatures) :])
        self._note = note

    def _node(self, level: int, index: int) -> bytes:
        row: list[bytes] = self._leaves[index << level : (index + 1) << level]
        while len(row) > 1:
            row = fold_level(row)
        return row[0]
