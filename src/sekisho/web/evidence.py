"""The proof page's content: one entry of the log with everything that an outsider needs to check it alone."""

from __future__ import annotations

import json
import re
from typing import Final

import msgspec

from sekisho.ledger import Cosigned, TlogProof, leaf_hash
from sekisho.model.errors import InvalidInput
from sekisho.model.instants import Instant
from sekisho.model.wire import encode_base64
from sekisho.signing import PublicKey, Recorded, Regime
from sekisho.web.plane import Plane
from sekisho.web.problems import NotFound

__all__ = ["Evidence", "SignedBy", "WitnessedBy", "find_entry", "gather_evidence", "inclusion_row"]

_DIGEST: Final = re.compile(r"(?:sha256:)?([0-9a-f]{64})")
_INDEX: Final = re.compile(r"#?([0-9]{1,15})")


class SignedBy(msgspec.Struct, frozen=True, kw_only=True):
    """A key that signed an entry, and who holds it as the log says."""

    key_id: str
    organisation: str
    holder: str


class WitnessedBy(msgspec.Struct, frozen=True, kw_only=True):
    """A witness that cosigned the checkpoint, whose it is, and when."""

    name: str
    owner: str
    at: Instant


class Evidence(msgspec.Struct, frozen=True, kw_only=True):
    """An entry, who signed it, and its proof with the witnessed checkpoint; None while none covers it."""

    recorded: Recorded
    signers: tuple[SignedBy, ...]
    proof: TlogProof | None
    hashes: tuple[str, ...] = ()
    root: str = ""
    witnesses: tuple[WitnessedBy, ...] = ()


def find_entry(plane: Plane, asked: str) -> Recorded:
    """The entry that a person pasted: a leaf or payload digest, or an index. Raises InvalidInput, NotFound."""
    text = asked.strip().lower()
    digest, index = _DIGEST.fullmatch(text), _INDEX.fullmatch(text)
    if digest is None and index is None:
        raise InvalidInput(
            "is neither a digest nor an index",
            path="q",
            remedy="paste 64 hexadecimal digits, or #12",
        )
    if digest is not None:
        found = plane.journal.find(digest.group(1))
    else:
        found = plane.journal.at(int(index.group(1))) if index else None
    if found is None:
        raise NotFound(f"nothing in this log bears {text[:80]}")
    return found


def gather_evidence(plane: Plane, recorded: Recorded) -> Evidence:
    """Everything about one entry; its proof is checked against the policy once more before it is shown."""
    regime = plane.control.desk.state.regime
    signers = tuple(_signer(regime, key_id) for key_id in sorted(recorded.verified.signers))
    text = plane.control.prove(recorded.index)
    if text is None:
        return Evidence(recorded=recorded, signers=signers, proof=None)
    proof = TlogProof.from_text(text)
    cosigned = proof.verify(recorded.verified.envelope.raw, plane.control.policy)
    return Evidence(
        recorded=recorded,
        signers=signers,
        proof=proof,
        hashes=tuple(encode_base64(item) for item in proof.hashes),
        root=cosigned.checkpoint.root.hex(),
        witnesses=_witnesses(regime, cosigned),
    )


def inclusion_row(evidence: Evidence) -> str:
    """The inclusion proof as one JSON line, as `sekisho log check-proof` reads it."""
    if evidence.proof is None:
        raise NotFound("no witnessed checkpoint covers this entry yet", remedy="ask again shortly")
    checkpoint = evidence.proof.checkpoint
    row = {
        "kind": "inclusion",
        "leafIdx": evidence.proof.index,
        "treeSize": checkpoint.size,
        "root": encode_base64(checkpoint.root),
        "leafHash": encode_base64(leaf_hash(evidence.recorded.verified.envelope.raw)),
        "proof": list(evidence.hashes),
    }
    return json.dumps(row, separators=(",", ":")) + "\n"


def _witnesses(regime: Regime, cosigned: Cosigned) -> tuple[WitnessedBy, ...]:
    charter = regime.charter
    owners = {w.name: w.owner for w in charter.terms.log.witnesses} if charter else {}
    return tuple(
        WitnessedBy(name=name, owner=owners.get(name, ""), at=Instant.from_seconds(seconds))
        for name, seconds in sorted(cosigned.times.items())
    )


def _signer(regime: Regime, key_id: str) -> SignedBy:
    charter = regime.charter
    held = charter.holder_of(key_id) if charter else None
    if held is not None:
        return SignedBy(key_id=key_id, organisation=held[0], holder=held[1])
    named = {
        PublicKey.from_text(text).key_id: (organisation, name)
        for text, organisation, name in _enrolled(regime)
    }
    named[regime.log_key.key_id] = (charter.terms.log.owner if charter else "", "log")
    organisation, holder = named.get(key_id, ("", ""))
    return SignedBy(key_id=key_id, organisation=organisation, holder=holder)


def _enrolled(regime: Regime) -> list[tuple[str, str, str]]:
    """(key, organisation, name) of everything enrolled: hosts, their devices with keys, parties."""
    found = [(p.public, p.organisation, p.party) for p in regime.parties.values()]
    for host in regime.hosts.values():
        found.append((host.public, host.organisation, host.host))
        found += [(d.public, host.organisation, d.device) for d in host.devices if d.public]
    return found
