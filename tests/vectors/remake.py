"""Golden vectors: the wire formats as committed bytes, made from the seeded keys of `tests.factory`.

`python -m tests.vectors.remake` writes them anew. A changed byte is a changed wire format: wire words and encodings are
for ever, so a difference here is a defect until `docs/wire.md` says otherwise.
"""

from __future__ import annotations

from pathlib import Path

from sekisho.ledger import (
    Checkpoint,
    Frontier,
    consistency_proof,
    leaf_hash,
    sign_checkpoint,
)
from sekisho.ledger.evidence import ForkEvidence
from sekisho.model.statements import KINDS, LogPosition
from sekisho.model.wire import canonical, encode_base64, sha256_hex
from sekisho.orders import EMPTY_HEAD, halt_nonce, in_force_root
from sekisho.signing import TrustRoot, conceal, format_trust, pae, sign_payload
from sekisho.signing.notes import NoteSigner
from sekisho.signing.phrase import digest_phrase
from tests.factory import AUTHORITY, LOG, ORDER, SALT, signed
from tests.factory_kinds import one_of_each, signers_of
from tests.vectors.disclosures import make_disclosures

__all__ = ["FOLDER", "make_all"]

FOLDER = Path(__file__).parent
LOG_NAME = "log.example/sekisho"
MANIFEST_TYPE = "application/vnd.sekisho.manifest+json"


def make_all() -> dict[str, bytes]:
    """Every vector file by its name."""
    return {
        "envelopes.jsonl": _envelopes(),
        "digests.json": _digests(),
        "encodings.json": _encodings(),
        "fork.json": _fork(),
        "manifest.dsse": sign_payload(b"{}", [LOG], payload_type=MANIFEST_TYPE).raw + b"\n",
        "trust.json": format_trust((_root(),)),
        **make_disclosures(),
    }


def _envelopes() -> bytes:
    """One envelope of every kind, one a line, in the order of the table of kinds."""
    each = one_of_each()
    return b"".join(signed(each[kind], *signers_of(kind)).raw + b"\n" for kind in KINDS)


def _digests() -> bytes:
    """Per kind: the payload's digest, its phrase, and the leaf digest of the envelope above."""
    each = one_of_each()
    rows = {}
    for kind in KINDS:
        envelope = signed(each[kind], *signers_of(kind))
        rows[kind] = {
            "payload": envelope.digest,
            "phrase": digest_phrase(envelope.digest),
            "leaf": leaf_hash(envelope.raw).hex(),
        }
    return canonical(rows) + b"\n"


def _encodings() -> bytes:
    """Single encodings: key id, pre-authentication encoding, disclosure, halt nonce, root of what is in force."""
    digest, disclosure = conceal("allowance_flop", "62000000000", SALT)
    tree = LogPosition(size=21, root="b" * 64)
    return (
        canonical(
            {
                "empty_register": EMPTY_HEAD,
                "halt_nonce": {
                    "size": tree.size,
                    "root": tree.root,
                    "host": "host-1",
                    "observe": halt_nonce(tree, "host-1", "observe"),
                    "device host-1/device-0": halt_nonce(tree, "host-1", "device host-1/device-0"),
                },
                "in_force": {"orders": [ORDER], "root": in_force_root((ORDER,))},
                "key": {
                    "spki": AUTHORITY[0].public.to_text(),
                    "id": AUTHORITY[0].public.key_id,
                },
                "pae": {"type": "t", "payload": "p", "base64": encode_base64(pae("t", b"p"))},
                "sd": {"salt": SALT.hex(), "disclosure": disclosure.text, "digest": digest},
            }
        )
        + b"\n"
    )


def _fork() -> bytes:
    """Evidence of a fork between 5 and 7 entries; the two stories part at entry 2."""
    first = [f"entry {number}".encode() for number in range(7)]
    second = [*first[:2], *(f"other {number}".encode() for number in range(2, 7))]
    notes = []
    for entries in (first[:5], second):
        checkpoint = Checkpoint(origin=LOG_NAME, size=len(entries), root=_tree(entries).root())
        notes.append(sign_checkpoint(checkpoint, NoteSigner(LOG_NAME, LOG.private)))
    hashes = consistency_proof(
        5, 7, lambda level, index: _tree(second[index << level : (index + 1) << level]).root()
    )
    evidence = ForkEvidence.of(*notes, prefix=_tree(second[:5]).root(), hashes=hashes)
    return evidence.to_bytes() + b"\n"


def _tree(entries: list[bytes]) -> Frontier:
    tree = Frontier()
    tree.extend(leaf_hash(entry) for entry in entries)
    return tree


def _root() -> TrustRoot:
    return TrustRoot(
        charter=f"sha256:{sha256_hex(b'charter')}",
        log="log.example/sekisho+00000000+AAAA",
        witnesses="log log.example/sekisho+00000000+AAAA\nquorum none\n",
    )


if __name__ == "__main__":
    for name, data in make_all().items():
        (FOLDER / name).write_bytes(data)
