"""Evidence of a fork: two checkpoints that one log signed and that no append-only log can have signed.

One self-contained document that anybody verifies offline with nothing but the log's own key. Of one size with two
roots the two notes are the whole proof. Of different sizes there must also be the root that the larger tree has at
the smaller's size, with the hashes that lead from it to the larger's signed root: what the log signed at the
smaller size is then another tree. Two such notes without these hashes are a *suspicion*: kept, and not called proof.

What it does not show: which of the two trees is the true one, or who else was shown which.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Literal, TypeAlias

import msgspec

from sekisho.ledger.checkpoint import Checkpoint
from sekisho.ledger.policy import Policy
from sekisho.ledger.proof import MAX_PROOF_HASHES
from sekisho.ledger.reader import TreeReader
from sekisho.ledger.tree import (
    HASH_SIZE,
    BadProof,
    consistency_proof,
    consistency_roots,
    subtree_root,
)
from sekisho.model.errors import BadSignature, InvalidInput
from sekisho.model.wire import (
    canonical,
    decode_base64,
    encode_base64,
    from_json,
    parse_canonical,
)
from sekisho.signing.notes import MAX_NOTE_BYTES, Note, VerifierKey, verify_note

__all__ = [
    "FORK_FORMAT",
    "MAX_EVIDENCE_BYTES",
    "EvidenceVerdict",
    "ForkEvidence",
    "Reason",
    "cosigners_of_both",
    "evidence_from_proof",
    "find_fork",
    "judge_evidence",
]

FORK_FORMAT = "sekisho-fork/v1"
MAX_EVIDENCE_BYTES = 5 * MAX_NOTE_BYTES

Reason: TypeAlias = Literal[
    "two-roots",
    "not-a-prefix",
    "no-hashes",
    "same-tree",
    "prefix",
    "empty-tree",
    "two-logs",
    "not-signed",
    "bad-hashes",
]


class _Wire(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The document's fields as they stand in its canonical JSON; `prefix` and `hashes` are base64."""

    format: Literal["sekisho-fork/v1"]
    smaller: str
    larger: str
    prefix: str | None = None
    hashes: tuple[str, ...] = ()


class ForkEvidence(msgspec.Struct, frozen=True, kw_only=True):
    """Two notes of one log, the one with fewer entries first; of one size the one whose bytes sort first.

    `prefix` is the root (32 bytes) of the larger tree's first entries, as many as the smaller has, and `hashes` the
    RFC 6962 consistency proof from there; both are left out where the sizes are equal, or where nobody had the tiles.
    """

    smaller: Note
    larger: Note
    prefix: bytes | None = None
    hashes: tuple[bytes, ...] = ()

    @classmethod
    def of(
        cls, first: Note, second: Note, *, prefix: bytes | None = None, hashes: Sequence[bytes] = ()
    ) -> ForkEvidence:
        """Put two conflicting notes into their one order. Raises InvalidInput where either is no checkpoint."""
        smaller, larger = sorted((first, second), key=_rank)
        return cls(smaller=smaller, larger=larger, prefix=prefix, hashes=tuple(hashes))

    @classmethod
    def from_bytes(cls, data: bytes, *, path: str = "evidence") -> ForkEvidence:
        """Read the one form strictly; nothing is verified yet. Raises InvalidInput naming the field."""
        wire = from_json(
            _Wire, parse_canonical(data, path=path, limit=MAX_EVIDENCE_BYTES), path=path
        )
        smaller = Note.from_bytes(wire.smaller.encode(), path=f"{path}.smaller")
        larger = Note.from_bytes(wire.larger.encode(), path=f"{path}.larger")
        if _rank(smaller, f"{path}.smaller") > _rank(larger, f"{path}.larger"):
            raise InvalidInput("the notes stand in the wrong order", path=path)
        if len(wire.hashes) > MAX_PROOF_HASHES:
            raise InvalidInput(f"more than {MAX_PROOF_HASHES} hashes", path=f"{path}.hashes")
        if wire.prefix is None and wire.hashes:
            raise InvalidInput("hashes without the prefix they start from", path=f"{path}.hashes")
        hashes = [_hash(text, f"{path}.hashes[{i}]") for i, text in enumerate(wire.hashes)]
        prefix = None if wire.prefix is None else _hash(wire.prefix, f"{path}.prefix")
        return cls(smaller=smaller, larger=larger, prefix=prefix, hashes=tuple(hashes))

    def to_bytes(self) -> bytes:
        """The document: canonical JSON, without a line end."""
        wire = _Wire(
            format="sekisho-fork/v1",
            smaller=self.smaller.to_bytes().decode(),
            larger=self.larger.to_bytes().decode(),
            prefix=None if self.prefix is None else encode_base64(self.prefix),
            hashes=tuple(encode_base64(item) for item in self.hashes),
        )
        fields = {name: value for name, value in msgspec.structs.asdict(wire).items() if value}
        return canonical(fields)

    @property
    def checkpoints(self) -> tuple[Checkpoint, Checkpoint]:
        """The smaller and the larger checkpoint as written; trust them only after `judge_evidence`."""
        return Checkpoint.from_text(self.smaller.text), Checkpoint.from_text(self.larger.text)

    @property
    def is_proof(self) -> bool:
        """Whether it carries all that a proof needs (which says nothing about whether it holds)."""
        smaller, larger = self.checkpoints
        return smaller.size == larger.size or self.prefix is not None

    @property
    def file_name(self) -> str:
        """The name under which every room keeps it: the same conflict has the same name everywhere."""
        kind = "fork" if self.is_proof else "suspicion"
        return f"{kind}-{hashlib.sha256(self.to_bytes()).hexdigest()[:32]}.json"


class EvidenceVerdict(msgspec.Struct, frozen=True, kw_only=True):
    """What a document of evidence comes to: `holds` is that the log forked.

    *fails*: it shows no fork. *unverifiable*: two signed checkpoints that may or may not be of one log, for want of
    hashes. `detail` is for people who look for the fault.
    """

    verdict: Literal["holds", "fails", "unverifiable"]
    reason: Reason
    detail: str = ""


def judge_evidence(evidence: ForkEvidence, keys: Sequence[VerifierKey]) -> EvidenceVerdict:
    """Judge evidence by the log's own keys alone (several while the log's key changes). Raises nothing.

    1. Each note is signed by one of the keys, under that key's own name; 2. both are of one log; 3. of one size
    they have two roots; 4. else the hashes lead from `prefix` to the larger's root, and `prefix` is not the
    smaller's.
    """
    for name, note in (("smaller", evidence.smaller), ("larger", evidence.larger)):
        fault = _fault_of(note, keys)
        if fault:
            return EvidenceVerdict(verdict="fails", reason="not-signed", detail=f"{name}: {fault}")
    smaller, larger = evidence.checkpoints
    if smaller.origin != larger.origin:
        detail = f"{smaller.origin}, {larger.origin}"
        return EvidenceVerdict(verdict="fails", reason="two-logs", detail=detail)
    if smaller.size == larger.size:
        if smaller.root == larger.root:
            return EvidenceVerdict(verdict="fails", reason="same-tree")
        return EvidenceVerdict(verdict="holds", reason="two-roots")
    return _judge_growth(smaller, larger, evidence)


def _judge_growth(
    smaller: Checkpoint, larger: Checkpoint, evidence: ForkEvidence
) -> EvidenceVerdict:
    if smaller.size == 0:
        return EvidenceVerdict(verdict="fails", reason="empty-tree")
    if evidence.prefix is None:
        return EvidenceVerdict(verdict="unverifiable", reason="no-hashes")
    try:
        built = consistency_roots(smaller.size, larger.size, evidence.prefix, evidence.hashes)
    except BadProof as error:
        return EvidenceVerdict(verdict="fails", reason="bad-hashes", detail=str(error))
    if built != (evidence.prefix, larger.root):
        detail = "they lead to other roots"
        return EvidenceVerdict(verdict="fails", reason="bad-hashes", detail=detail)
    if evidence.prefix == smaller.root:
        return EvidenceVerdict(verdict="fails", reason="prefix")
    return EvidenceVerdict(verdict="holds", reason="not-a-prefix")


def find_fork(first: Note, second: Note, tree: TreeReader | None) -> ForkEvidence | None:
    """Compare two verified checkpoints of one log; None where the smaller is a prefix of the larger.

    `tree` reads the larger one's tree and authenticates every tile that it uses; it is not asked where the sizes
    are equal or one is 0. Raises what reading it raises: DamagedTile, NotStored, InvalidInput, Unavailable.
    """
    evidence = ForkEvidence.of(first, second)
    smaller, larger = evidence.checkpoints
    if smaller.size == larger.size:
        return None if smaller.root == larger.root else evidence
    if smaller.size == 0:
        return None
    if tree is None or tree.checkpoint.root != larger.root:
        raise InvalidInput(f"the tree at hand is not the one of size {larger.size}", path="tree")
    prefix = subtree_root(0, smaller.size, tree.node)
    if prefix == smaller.root:
        return None
    hashes = consistency_proof(smaller.size, larger.size, tree.node)
    return ForkEvidence.of(first, second, prefix=prefix, hashes=hashes)


def evidence_from_proof(held: Note, newer: Note, hashes: Sequence[bytes]) -> ForkEvidence:
    """What a log's own failed consistency proof shows about itself: a fork, or no more than a suspicion.

    A log that forked and proves growth along its new branch proves with the same hashes that the branch has another
    root at the old size. Where the old size is a power of two the hashes do not say which, nor do careless ones.
    """
    old, new = Checkpoint.from_text(held.text), Checkpoint.from_text(newer.text)
    bare = ForkEvidence.of(held, newer)
    try:
        prefix, root = consistency_roots(old.size, new.size, old.root, hashes)
    except BadProof:
        return bare
    if root != new.root or prefix == old.root:
        return bare
    return ForkEvidence.of(held, newer, prefix=prefix, hashes=hashes)


def cosigners_of_both(evidence: ForkEvidence, policy: Policy) -> frozenset[str]:
    """The policy's witnesses whose cosignatures stand under both notes: they broke their one promise."""
    both = [_cosigners(note, policy) for note in (evidence.smaller, evidence.larger)]
    return both[0] & both[1]


def _cosigners(note: Note, policy: Policy) -> frozenset[str]:
    names = {witness.key: witness.name for witness in policy.witnesses}
    try:
        return frozenset(names[item.key] for item in verify_note(note, names))
    except BadSignature:
        return frozenset()


def _fault_of(note: Note, keys: Sequence[VerifierKey]) -> str:
    """Why the note is not the signed word of the log that it names; empty where it is."""
    try:
        verified = verify_note(note, keys)
        origin = Checkpoint.from_text(note.text).origin
    except (BadSignature, InvalidInput) as error:
        return str(error)
    if all(item.key.name != origin for item in verified):
        return f"a checkpoint of {origin!r} under the key of another log"
    return ""


def _rank(note: Note, path: str = "checkpoint") -> tuple[int, bytes]:
    return Checkpoint.from_text(note.text, path=path).size, note.to_bytes()


def _hash(text: str, path: str) -> bytes:
    data = decode_base64(text, path=path)
    if len(data) != HASH_SIZE:
        raise InvalidInput("a hash that is not 32 bytes long", path=path)
    return data
