"""What a stranger computes from docs/wire.md alone, held against the committed vectors; and our code held to both."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

from sekisho.adapters.keys.deposit_keys import ShamirSharing
from sekisho.model.statements import DisclosureDeposited
from sekisho.model.wire import canonical, from_json
from sekisho.operations.disclosing import judge_reveal, parse_reveal
from sekisho.signing import parse_policy, verify_disclosure
from sekisho.signing.deposit import Deposit, OpenedShare, combine_shares, open_share
from sekisho.signing.sealing import DepositKey, X25519Opener
from sekisho.signing.tag import TagKey
from tests.by_hand import FixedSharing, hpke_seal
from tests.vectors.remake import FOLDER


def load(name: str) -> Any:
    return json.loads((FOLDER / name).read_bytes())


DEPOSIT = load("deposit.json")


def unpadded(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def lines(*parts: object) -> bytes:
    return "".join(f"{part}\n" for part in parts).encode()


@pytest.mark.parametrize("row", load("disclosures.json"), ids=lambda row: row["name"] or "empty")
def test_the_committed_disclosure_is_what_a_stranger_computes(row: dict[str, str]) -> None:
    """Base64url of the JSON array; the digest over that text."""
    array = [unpadded(bytes.fromhex(row["salt"])), row["name"], row["value"]]
    text = json.dumps(array, ensure_ascii=False, separators=(",", ":")).encode()
    assert row["disclosure"] == unpadded(text)
    assert row["digest"] == unpadded(hashlib.sha256(row["disclosure"].encode()).digest())
    disclosure = verify_disclosure(row["disclosure"], (row["digest"],))
    assert (disclosure.name, disclosure.value) == (row["name"], row["value"])


@pytest.mark.parametrize("row", load("tags.json")["tags"], ids=lambda row: ascii(row["identifier"]))
def test_the_committed_tag_is_what_a_stranger_computes(row: dict[str, str]) -> None:
    """HMAC over three lines, under the committed key; and ours under whatever spelling."""
    key = bytes.fromhex(load("tags.json")["key"])
    text = lines("sekisho identifier tag v1", row["scheme"], row["normal"])
    assert row["tag"] == hmac.new(key, text, hashlib.sha256).hexdigest()
    assert row["unique"] == f"tag:{row['scheme']}:{row['tag']}"
    assert TagKey(key).is_tag(row["tag"], row["scheme"], row["identifier"])


def committed_deposit() -> Deposit:
    fact = from_json(DisclosureDeposited, DEPOSIT["predicate"])
    return Deposit.from_fact(fact, DEPOSIT["log"])


def openers() -> list[X25519Opener]:
    return [
        X25519Opener(X25519PrivateKey.from_private_bytes(bytes.fromhex(holder["private"])))
        for holder in DEPOSIT["holders"]
    ]


def test_the_committed_deposit_opens_with_the_committed_keys() -> None:
    """Each share as committed, and any two of them the disclosures."""
    deposit, shares = committed_deposit(), []
    for opener, text in zip(openers(), DEPOSIT["opened"], strict=True):
        share, known = open_share(deposit, opener), json.loads(text)
        assert (share.number, share.share.hex()) == (known["number"], known["share"])
        assert (known["statement"], known["log"]) == (share.statement, DEPOSIT["log"])
        shares.append(share)
    for chosen in (shares[:2], shares[1:], shares[::2]):
        texts = combine_shares(deposit, chosen, tuple(DEPOSIT["concealed"]), ShamirSharing())
        assert list(texts) == DEPOSIT["disclosures"]


def test_the_committed_deposit_is_what_a_stranger_computes() -> None:
    """Every part from its written definition: padding, key, ciphertext, commitments, shares, seals."""
    predicate, secret = DEPOSIT["predicate"], bytes.fromhex(DEPOSIT["secret"])
    n, k, statement = len(predicate["shares"]), predicate["threshold"], predicate["statement"]
    shares = FixedSharing().split(secret, k, n)
    commitments = b""
    for number, (holder, share) in enumerate(zip(DEPOSIT["holders"], shares, strict=True), 1):
        bound = (DEPOSIT["log"], statement, k, n, number, holder["key"])
        commitments += hashlib.sha256(
            lines("sekisho deposit commitment v1", *bound) + share
        ).digest()
        public = DepositKey.from_text(holder["public"])
        info = lines("sekisho deposit share v1", *bound)
        sealed = base64.b64decode(predicate["shares"][number - 1]["sealed"])
        seed = hashlib.sha256(b"ephemeral" + public.spki + info).digest()
        ephemeral = X25519PrivateKey.from_private_bytes(seed)
        assert sealed == hpke_seal(ephemeral, public.public, share, info)
        assert hashlib.sha256(public.spki).hexdigest() == holder["key"]
    listed = json.dumps(DEPOSIT["disclosures"], separators=(",", ":")).encode()
    padded = len(listed).to_bytes(4, "big") + listed
    padded += bytes(-len(padded) % 256)
    whole = (DEPOSIT["log"], statement, k, n)
    associated = lines("sekisho deposit content v1", *whole) + commitments
    extracted = hmac.new(bytes(32), secret, hashlib.sha256).digest()
    key = hmac.new(extracted, b"sekisho deposit key v1\x01", hashlib.sha256).digest()
    content = commitments + ChaCha20Poly1305(key).encrypt(bytes(12), padded, associated)
    assert base64.b64decode(predicate["content"]) == content


def test_the_committed_shares_are_numbered_by_key_id() -> None:
    """In the order of the key ids, from 1."""
    keys = [holder["key"] for holder in DEPOSIT["holders"]]
    assert keys == sorted(keys) == [share["key"] for share in DEPOSIT["predicate"]["shares"]]
    assert isinstance(open_share(committed_deposit(), openers()[0]), OpenedShare)


def test_the_committed_reveal_holds_by_its_own_proof() -> None:
    """Under the committed root, and under no other."""
    vector = load("reveal.json")
    root = parse_policy(canonical(vector["root"]), path="root")
    reveal = parse_reveal(canonical(vector["reveal"]))
    verdict = judge_reveal(reveal, root, None)
    assert (verdict.verdict, verdict.value, verdict.known) == ("holds", "62000000000", True)
    assert judge_reveal(reveal, None, None).verdict == "unverifiable"
    entry = base64.b64decode(reveal.envelope)
    assert reveal.leaf == hashlib.sha256(b"\x00" + entry).hexdigest()
    assert vector["reveal"]["statement"] == DEPOSIT["predicate"]["statement"]
