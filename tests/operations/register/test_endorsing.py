"""Endorsements: whose word a document is, by the keys of parties and charter in force."""

from __future__ import annotations

import msgspec
import pytest

from sekisho.model.errors import BadSignature, InvalidInput
from sekisho.model.wire import canonical, sha256_hex
from sekisho.signing import add_signature, parse_envelope, sign_payload
from sekisho.signing.endorsing import (
    ENDORSEMENT_TYPE,
    MAX_ENDORSEMENT,
    Endorsed,
    EndorsedElsewhere,
    EndorsedOther,
    Voices,
    endorse,
    parse_endorsement,
    verify_endorsement,
)
from tests import factory as f
from tests.capturing import PARTIES, endorsed, enrolled, key_of, regime_of

DOCUMENT = b'{"type":"EPCISDocument"}'
DIGEST = sha256_hex(DOCUMENT)


def verify(raw: bytes | None, *, digest: str = DIGEST) -> Endorsed:
    assert raw is not None
    return verify_endorsement(raw, digest, f.ORIGIN, regime_of())


def test_parties_are_those_whose_keys_signed() -> None:
    """One or several, in whichever order."""
    assert verify(endorsed(DOCUMENT, "maker")).parties == {"maker"}
    assert verify(endorsed(DOCUMENT, "dist", "maker")).parties == {"maker", "dist"}


def test_powers_are_those_whose_quorums_signed() -> None:
    """A quorum of charter keys makes its powers; one key short of it makes none."""
    regime = regime_of()
    assert regime.charter is not None
    grant = next(g for g in regime.charter.terms.powers if g.power == "adjudicate")
    asked = {part.constituency: part.k for part in grant.quorums}
    keys = [*f.AUTHORITY[: asked.get("authority", 0)], *f.VERIFIER[: asked.get("verifiers", 0)]]
    assert "adjudicate" in verify(endorsed(DOCUMENT, *keys)).powers
    assert "adjudicate" not in verify(endorsed(DOCUMENT, *keys[1:], "maker")).powers


def test_the_payload_is_as_documented() -> None:
    """Canonical JSON with the document's digest and the log's origin, in a DSSE envelope of its own type."""
    envelope, endorsement = parse_endorsement(endorse(DIGEST, f.ORIGIN, [key_of("maker")]).raw)
    assert envelope.payload_type == ENDORSEMENT_TYPE
    assert envelope.payload == b'{"document":"%b","log":"%b"}' % (
        DIGEST.encode(),
        f.ORIGIN.encode(),
    )
    assert (endorsement.document, endorsement.log) == (DIGEST, f.ORIGIN)


def test_a_second_signer_adds_to_it() -> None:
    """Two envelopes over the same payload join into one."""
    one, other = (endorse(DIGEST, f.ORIGIN, [key_of(party)]) for party in ("maker", "dist"))
    assert verify(add_signature(one, other).raw).parties == {"maker", "dist"}


def test_a_wrong_hint_is_not_believed_and_does_no_harm() -> None:
    """The key id says dist, the signature is the maker's: it counts as the maker's."""
    envelope = endorse(DIGEST, f.ORIGIN, [key_of("maker")])
    forged = msgspec.json.decode(envelope.raw)
    forged["signatures"][0]["keyid"] = key_of("dist").public.key_id
    assert verify(canonical(forged)).parties == {"maker"}


def test_what_is_no_endorsement_is_refused() -> None:
    """Another payload type, a field too many, bytes that are not canonical, too large."""
    maker = [key_of("maker")]
    payload = canonical({"document": DIGEST, "log": f.ORIGIN})
    bad = [
        sign_payload(payload, maker).raw,
        sign_payload(
            canonical({"document": DIGEST, "log": f.ORIGIN, "also": "x"}),
            maker,
            payload_type=ENDORSEMENT_TYPE,
        ).raw,
        sign_payload(b" " + payload, maker, payload_type=ENDORSEMENT_TYPE).raw,
        endorse(DIGEST, f.ORIGIN, maker).raw + b" " * MAX_ENDORSEMENT,
        b"",
    ]
    for raw in bad:
        with pytest.raises(InvalidInput):
            verify(raw)


def test_the_keys_are_laid_out_anew_when_the_regime_changes() -> None:
    """A party that changed its key speaks by the new one only, from then on."""
    regime = regime_of()
    voices = Voices(f.ORIGIN, lambda: regime)
    old = endorsed(DOCUMENT, "maker")
    assert old is not None
    assert voices.verify(old, DIGEST).parties == {"maker"}
    fresh = f.signer("the maker's next key")
    regime = msgspec.structs.replace(
        regime, enrolled=regime.enrolled.with_party(enrolled("maker", fresh))
    )
    with pytest.raises(BadSignature):
        voices.verify(old, DIGEST)
    assert voices.verify(endorse(DIGEST, f.ORIGIN, [fresh]).raw, DIGEST).parties == {"maker"}


def test_another_document_and_another_log_are_told_apart() -> None:
    """Each has its own error, so that whoever sent it knows what to mend."""
    with pytest.raises(EndorsedOther):
        verify(endorsed(DOCUMENT, "maker"), digest=sha256_hex(b"another"))
    with pytest.raises(EndorsedElsewhere):
        verify(endorsed(DOCUMENT, "maker", log="other.example/log"))


def test_signatures_of_strangers_beside_a_known_one_count_for_nobody() -> None:
    """They add no party, and do not spoil what is there."""
    found = verify(endorsed(DOCUMENT, "maker", f.signer("stranger")))
    assert found == Endorsed(parties=frozenset({"maker"}))
    assert parse_envelope(
        endorsed(DOCUMENT, *PARTIES) or b"", payload_type=ENDORSEMENT_TYPE
    ).signatures
