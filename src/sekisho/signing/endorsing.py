"""Endorsements: who vouches for a document of events, and for which register's log.

A DSSE envelope beside the document. Its payload is canonical JSON, {"document": SHA-256 of the document's bytes in
hexadecimal, "log": the log's origin}; so it fits one document and one log, and nobody can carry it to another. Its
signatures are tried against the keys of the enrolled parties and of the charter in force; `keyid` is a hint that is
never believed.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from typing import Final

import msgspec

from sekisho.model.errors import BadSignature, InvalidInput, VerificationError
from sekisho.model.statements import Power
from sekisho.model.statements.shapes import Digest
from sekisho.model.wire import canonical, decode_base64, from_json, parse_canonical
from sekisho.signing import Envelope, PublicKey, Regime, Signer, pae, parse_envelope, sign_payload

__all__ = [
    "ENDORSEMENT_TYPE",
    "MAX_ENDORSEMENT",
    "Endorsed",
    "EndorsedElsewhere",
    "EndorsedOther",
    "Endorsement",
    "Voices",
    "endorse",
    "parse_endorsement",
    "verify_endorsement",
]

ENDORSEMENT_TYPE: Final = "application/vnd.sekisho.capture+json"
MAX_ENDORSEMENT: Final = 12_288
"""Bytes of the envelope: 16 signatures, and in base64 still within what servers take as one header."""
MAX_SIGNATURES: Final = 16
MAX_TRIES: Final = 4_096
"""Signatures times keys that one endorsement may cost: else a flood of unknown keys would hold up everybody."""


class EndorsedOther(VerificationError):
    """An endorsement of another document: it says nothing about this one."""

    code = "endorsement-of-another-document"


class EndorsedElsewhere(VerificationError):
    """An endorsement for another register's log."""

    code = "endorsement-for-another-log"


class Endorsement(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is signed: this document, for this log."""

    document: Digest
    log: str


class Endorsed(msgspec.Struct, frozen=True, kw_only=True):
    """Who vouches: enrolled parties by name, and the charter powers whose quorums signed."""

    parties: frozenset[str] = frozenset()
    powers: frozenset[str] = frozenset()


class Voices:
    """Who may endorse now: the keys of enrolled parties and of the charter in force, of one log.

    `regime` gives the regime as the log tells it now; its keys are laid out once for each regime that differs.
    """

    def __init__(self, origin: str, regime: Callable[[], Regime]) -> None:
        self.origin = origin
        self._regime = regime
        self._known: tuple[object, object, _Keys] | None = None

    def verify(self, raw: bytes, document_sha256: str) -> Endorsed:
        """Who endorsed a document; raises what `verify_endorsement` raises."""
        regime = self._regime()
        known = self._known
        if known is None or known[0] is not regime.parties or known[1] is not regime.charter:
            # Two threads may lay them out at once: both get the same.
            known = self._known = (regime.parties, regime.charter, _keys_of(regime))
        return _verify(raw, document_sha256, self.origin, regime, known[2])


class _Keys(msgspec.Struct, frozen=True):
    """Keys by id, and the party that each speaks for; a charter's key may be a party's as well."""

    by_id: dict[str, PublicKey]
    party_of: dict[str, str]


def endorse(document_sha256: str, log: str, signers: Iterable[Signer]) -> Envelope:
    """Endorse a document of this digest for a log."""
    payload = canonical(Endorsement(document=document_sha256, log=log))
    return sign_payload(payload, signers, payload_type=ENDORSEMENT_TYPE)


def parse_endorsement(raw: bytes, *, path: str = "endorsement") -> tuple[Envelope, Endorsement]:
    """Read an endorsement strictly; nothing is verified. Raises InvalidInput with `path`."""
    envelope = parse_envelope(raw, path=path, payload_type=ENDORSEMENT_TYPE, limit=MAX_ENDORSEMENT)
    if len(envelope.signatures) > MAX_SIGNATURES:
        raise InvalidInput(f"more than {MAX_SIGNATURES} signatures", path=path)
    payload = parse_canonical(envelope.payload, path=f"{path}.payload", limit=MAX_ENDORSEMENT)
    return envelope, from_json(Endorsement, payload, path=f"{path}.payload")


def verify_endorsement(raw: bytes, document_sha256: str, origin: str, regime: Regime) -> Endorsed:
    """Who endorsed a document of this digest for the log of this origin, by the regime's keys.

    Raises InvalidInput for a malformed one, EndorsedOther, EndorsedElsewhere, and BadSignature where no signature is
    by the key of a party or charter in force: a stranger's word must not pass as nobody's.
    """
    return _verify(raw, document_sha256, origin, regime, _keys_of(regime))


def _verify(raw: bytes, document_sha256: str, origin: str, regime: Regime, keys: _Keys) -> Endorsed:
    envelope, endorsement = parse_endorsement(raw)
    if endorsement.document != document_sha256:
        raise EndorsedOther(
            f"the endorsement is of document {endorsement.document[:16]}, this is {document_sha256[:16]}",
            remedy="endorse the very bytes that are handed in",
        )
    if endorsement.log != origin:
        raise EndorsedElsewhere(
            f"the endorsement is for the log {endorsement.log[:80]!r}, this is {origin}"
        )
    found = {
        key_id
        for key_id in _signers_of(envelope, keys.by_id)
        if regime.keys.counts(key_id, envelope.digest)
    }
    parties = frozenset(keys.party_of[key_id] for key_id in found if key_id in keys.party_of)
    powers = _powers_of(regime, frozenset(found))
    if not found:
        raise BadSignature(
            "no signature of the endorsement is by a key that speaks here",
            remedy="enrol the party, or sign with the key that is enrolled",
        )
    return Endorsed(parties=parties, powers=powers)


def _signers_of(envelope: Envelope, by_id: dict[str, PublicKey]) -> set[str]:
    """The ids of all distinct keys that signed; as signing.distinct_signers, but within so many tries."""
    data = pae(envelope.payload_type, envelope.payload)
    found: set[str] = set()
    tries = 0
    for signature in envelope.signatures:
        sig = decode_base64(signature.sig)
        hinted = by_id.get(signature.keyid)
        if hinted is not None and hinted.is_signed_by(sig, data):
            found.add(hinted.key_id)
            continue
        tries += len(by_id)
        if tries > MAX_TRIES:
            raise InvalidInput(
                "too many signatures without the id of a known key",
                path="endorsement.signatures",
                remedy="name the signing key's id in keyid, and leave other signatures out",
            )
        match = next((k.key_id for k in by_id.values() if k.is_signed_by(sig, data)), None)
        if match is not None:
            found.add(match)
    return found


def _keys_of(regime: Regime) -> _Keys:
    keys = [(PublicKey.from_text(party.public), party.party) for party in regime.parties.values()]
    held = Counter(key.key_id for key, _ in keys)
    # Who said something must stay one answer: a key that two parties enrolled speaks for neither.
    own = [(key, party) for key, party in keys if held[key.key_id] == 1]
    by_id = dict(regime.charter.keys) if regime.charter is not None else {}
    by_id.update((key.key_id, key) for key, _ in own)
    return _Keys(by_id, {key.key_id: party for key, party in own})


def _powers_of(regime: Regime, signers: frozenset[str]) -> frozenset[Power]:
    charter = regime.charter
    if charter is None or signers.isdisjoint(charter.keys):
        return frozenset()
    grants = charter.terms.powers
    return frozenset(g.power for g in grants if charter.standing(g.power, signers).is_met)
