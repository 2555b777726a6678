"""Holders of deposit keys, and a deposit as it lies in the log, from keys that anybody can derive."""

from __future__ import annotations

import hashlib

import msgspec
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from sekisho.model.statements import CharterAdopted
from sekisho.signing import conceal
from sekisho.signing.deposit import Deposit, OpenedShare, make_deposit, open_share
from sekisho.signing.sealing import X25519Opener
from tests.by_hand import FixedSealer, FixedSharing
from tests.factory import ORIGIN, SALT

__all__ = [
    "CONCEALED",
    "HOLDERS",
    "SECRET",
    "STATEMENT",
    "STRANGER",
    "TEXT",
    "deposit",
    "opened",
    "opener",
    "with_holders",
]


def opener(name: str) -> X25519Opener:
    """A deposit key that depends on nothing but its name."""
    seed = hashlib.sha256(f"sekisho deposit key {name}".encode()).digest()
    return X25519Opener(X25519PrivateKey.from_private_bytes(seed))


HOLDERS: tuple[X25519Opener, ...] = tuple(
    sorted((opener(f"verifier-{n}") for n in range(1, 6)), key=lambda holder: holder.key.key_id)
)
"""In the order in which their shares are numbered."""
STRANGER = opener("stranger")
STATEMENT = "ab" * 32
_DIGEST, _DISCLOSURE = conceal("allowance_flop", "62000000000", SALT)
CONCEALED, TEXT = (_DIGEST,), _DISCLOSURE.text
SECRET = hashlib.sha256(b"sekisho content key").digest()[:16]


def with_holders(terms: CharterAdopted, count: int) -> CharterAdopted:
    """A charter, with deposit keys for the first of its key holders."""
    keys = iter(HOLDERS[:count])
    constituencies = []
    for constituency in terms.constituencies:
        named = tuple(
            msgspec.structs.replace(key, deposit=holder.key.to_text())
            if (holder := next(keys, None)) is not None
            else key
            for key in constituency.keys
        )
        constituencies.append(msgspec.structs.replace(constituency, keys=named))
    return msgspec.structs.replace(terms, constituencies=tuple(constituencies))


def deposit(
    holders: tuple[X25519Opener, ...] = HOLDERS[:3],
    *,
    statement: str = STATEMENT,
    texts: tuple[str, ...] = (TEXT,),
    concealed: tuple[str, ...] = CONCEALED,
    secret: bytes = SECRET,
) -> Deposit:
    """The disclosures of a statement, for three holders of whom two open it."""
    return make_deposit(
        origin=ORIGIN,
        statement=statement,
        texts=texts,
        concealed=concealed,
        holders=[holder.key for holder in holders],
        secret=secret,
        sharing=FixedSharing(),
        sealer=FixedSealer(),
    )


def opened(made: Deposit, *numbers: int) -> list[OpenedShare]:
    """The shares of these numbers, opened by their holders."""
    holders = {holder.key.key_id: holder for holder in HOLDERS}
    return [open_share(made, holders[made.shares[number - 1].key]) for number in numbers]
