"""Golden vectors of what is concealed: disclosures, tags, a deposit with its opened shares, a reveal.

Sealing and splitting draw at random; here they are done by hand (`tests.by_hand`), so that the bytes can be made again.
"""

from __future__ import annotations

from sekisho.cli.share_file import format_share
from sekisho.ledger import Checkpoint, TlogProof, leaf_hash, sign_checkpoint
from sekisho.model.statements import make_payload
from sekisho.model.wire import canonical, encode_base64, sha256_hex
from sekisho.operations.disclosing import Reveal
from sekisho.signing import conceal
from sekisho.signing.notes import NoteSigner
from sekisho.signing.tag import TagKey, normalise_identifier, unique_key
from tests.deposited import HOLDERS, SECRET, TEXT, deposit, opened
from tests.factory import LOG, NOW, OPERATOR, ORIGIN, SALT, lease_granted, signed

__all__ = ["IDENTIFIERS", "TAG_KEY", "make_disclosures"]

FIELDS = (
    ("allowance_flop", "62000000000"),
    ("consumed_flop", "0"),
    ("consignee", 'M\u00f6bius \u95a2\u6240 "\\\n'),
    ("", ""),
)
TAG_KEY = bytes(range(32))
IDENTIFIERS = (
    ("nvidia-serial", "1654321098765"),
    ("nvidia-serial", " sn-0042"),
    ("nvidia-serial", "\uff33\uff2e\uff0d\uff10\uff10\uff14\uff12"),
    ("board-serial", "SN\u20110042"),
    ("uuid", "gpu-{0a1b2c3d}"),
)


def make_disclosures() -> dict[str, bytes]:
    """Every vector file of this topic by its name."""
    return {
        "disclosures.json": canonical([_disclosure(*field) for field in FIELDS]) + b"\n",
        "tags.json": canonical(_tags()) + b"\n",
        "deposit.json": canonical(_deposit()) + b"\n",
        "reveal.json": canonical(_reveal()) + b"\n",
    }


def _disclosure(name: str, value: str) -> dict[str, object]:
    digest, disclosure = conceal(name, value, SALT)
    return {
        "salt": SALT.hex(),
        "name": name,
        "value": value,
        "disclosure": disclosure.text,
        "digest": digest,
    }


def _tags() -> dict[str, object]:
    key = TagKey(TAG_KEY)
    rows = []
    for scheme, identifier in IDENTIFIERS:
        tag = key.tag(scheme, identifier)
        rows.append(
            {
                "scheme": scheme,
                "identifier": identifier,
                "normal": normalise_identifier(identifier),
                "tag": tag,
                "unique": unique_key(scheme, tag),
            }
        )
    return {"key": TAG_KEY.hex(), "tags": rows}


def _deposit() -> dict[str, object]:
    """For three holders of whom two open it: the lease of `reveal.json`, its allowance deposited."""
    granted = lease_granted()
    made = deposit(statement=sha256_hex(make_payload(granted)))
    return {
        "log": ORIGIN,
        "concealed": granted.concealed,
        "disclosures": [TEXT],
        "secret": SECRET.hex(),
        "holders": [
            {
                "private": holder._private.private_bytes_raw().hex(),
                "public": holder.key.to_text(),
                "key": holder.key.key_id,
            }
            for holder in HOLDERS[:3]
        ],
        "predicate": made.to_fact(NOW),
        "opened": [format_share(share, ORIGIN).decode() for share in opened(made, 1, 2, 3)],
    }


def _reveal() -> dict[str, object]:
    """In a log of this one entry, without witnesses."""
    entry = signed(lease_granted(), OPERATOR)
    log = NoteSigner(ORIGIN, LOG.private)
    checkpoint = Checkpoint(origin=ORIGIN, size=1, root=leaf_hash(entry.raw))
    proof = TlogProof(index=0, hashes=(), note=sign_checkpoint(checkpoint, log))
    reveal = Reveal(
        log=ORIGIN,
        leaf=leaf_hash(entry.raw).hex(),
        statement=entry.digest,
        disclosure=TEXT,
        envelope=encode_base64(entry.raw),
        proof=proof.to_text(),
    )
    return {
        "root": {
            "charter": f"sha256:{sha256_hex(b'charter')}",
            "log": log.verifier.to_text(),
            "witnesses": f"log {log.verifier.to_text()}\nquorum none\n",
        },
        "reveal": reveal,
    }
