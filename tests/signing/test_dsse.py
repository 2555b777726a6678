from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sekisho.model.errors import InvalidInput
from sekisho.model.statements import make_payload
from sekisho.model.wire import canonical, encode_base64
from sekisho.signing import (
    Envelope,
    EnvelopeSignature,
    add_signature,
    distinct_signers,
    pae,
    parse_envelope,
    sign_payload,
)
from tests.factory import AUTHORITY, charter_envelope, host_enrolled, order_issued, signed

KEYS = [key.public for key in AUTHORITY]
ONE = signed(order_issued(), AUTHORITY[0])


def plain(envelope: Envelope) -> dict[str, Any]:
    """An envelope's JSON, to be tampered with."""
    form: dict[str, Any] = json.loads(envelope.raw)
    return form


def test_the_pre_authentication_encoding_is_the_one_of_dsse() -> None:
    """The example of the DSSE protocol's own text."""
    assert pae("http://example.com/HelloWorld", b"hello world") == (
        b"DSSEv1 29 http://example.com/HelloWorld 11 hello world"
    )


def test_an_envelope_goes_there_and_back() -> None:
    """Payload, signatures and bytes are kept exactly."""
    parsed = parse_envelope(ONE.raw)
    assert parsed == ONE
    assert parsed.payload == make_payload(order_issued())
    assert canonical(plain(ONE)) == ONE.raw


def test_the_signature_is_over_type_and_payload() -> None:
    """The same payload under another type, or another payload, is not signed."""
    for other in (
        msgspec.structs.replace(ONE, payload_type="text/plain"),
        msgspec.structs.replace(ONE, payload=make_payload(host_enrolled())),
        msgspec.structs.replace(ONE, payload=ONE.payload + b" "),
    ):
        assert distinct_signers(other, KEYS) == frozenset()
    assert distinct_signers(ONE, KEYS) == {KEYS[0].key_id}


def test_a_wrong_keyid_still_verifies_and_a_right_one_proves_nothing() -> None:
    """The hint may lie, be empty or name another key: the signature alone says whose it is."""
    (signature,) = ONE.signatures
    for hint in ("", "nonsense", KEYS[1].key_id):
        lying = msgspec.structs.replace(signature, keyid=hint)
        assert distinct_signers(msgspec.structs.replace(ONE, signatures=(lying,)), KEYS) == {
            KEYS[0].key_id
        }
    forged = EnvelopeSignature(keyid=KEYS[1].key_id, sig=encode_base64(bytes(64)))
    assert not distinct_signers(msgspec.structs.replace(ONE, signatures=(forged,)), KEYS)


def test_a_key_that_nobody_asks_about_does_not_count() -> None:
    """A good signature under a key outside the list is no signature."""
    assert not distinct_signers(ONE, KEYS[1:])
    assert not distinct_signers(ONE, [])


def test_signatures_of_two_envelopes_over_one_payload_are_joined() -> None:
    """Each signature is kept once, sorted, whoever brought it."""
    other = signed(order_issued(), AUTHORITY[1], AUTHORITY[0])
    joined = add_signature(ONE, other)
    assert joined == add_signature(other, ONE) == add_signature(joined, joined)
    assert distinct_signers(joined, KEYS) == {KEYS[0].key_id, KEYS[1].key_id}
    assert parse_envelope(joined.raw) == joined


def test_signatures_over_another_payload_or_type_are_not_joined() -> None:
    """What was signed elsewhere is refused, not carried along."""
    with pytest.raises(InvalidInput, match="same payload"):
        add_signature(ONE, signed(host_enrolled(), AUTHORITY[1]))
    with pytest.raises(InvalidInput, match="same payload"):
        add_signature(ONE, sign_payload(ONE.payload, [AUTHORITY[1]], payload_type="text/plain"))


def test_another_payload_type_is_refused() -> None:
    """A manifest's envelope is no statement, and only who asks for a manifest gets one."""
    manifest = sign_payload(b"{}", [AUTHORITY[0]], payload_type="application/x")
    with pytest.raises(InvalidInput, match="payload type"):
        parse_envelope(manifest.raw)
    assert parse_envelope(manifest.raw, payload_type="application/x") == manifest


def test_an_envelope_above_its_limit_is_refused() -> None:
    """Entry bundles carry 16-bit lengths, so 65,535 bytes are the most."""
    big = sign_payload(b"x" * 49_200, [AUTHORITY[0]])
    assert len(big.raw) > 65_535
    with pytest.raises(InvalidInput, match="65535"):
        parse_envelope(big.raw)
    assert parse_envelope(big.raw, limit=1 << 20) == big


@pytest.mark.parametrize(
    "change",
    [
        {"extra": 1},
        {"payload": 5},
        {"payload": plain(ONE)["payload"].rstrip("=") + "\n"},
        {"payloadType": "application/vnd.in-toto+JSON"},
        {"signatures": []},
        {"signatures": [{"keyid": "", "sig": "%%%%"}]},
        {"signatures": [{"sig": "AAAA"}]},
        {"signatures": [{"keyid": "", "sig": "AAAA", "cert": "x"}]},
        {"signatures": [{"keyid": "x" * 129, "sig": "AAAA"}]},
        {"signatures": [{"keyid": "", "sig": "AAAA"}] * 65},
        {"signatures": {"keyid": "", "sig": "AAAA"}},
    ],
    ids=lambda change: next(iter(change)) + " " + str(next(iter(change.values())))[:30],
)
def test_another_form_of_envelope_is_refused(change: dict[str, Any]) -> None:
    """Fields that nobody signed, missing fields and bad base64 are refused."""
    with pytest.raises(InvalidInput):
        parse_envelope(canonical({**plain(ONE), **change}), path="entry 4")


@given(st.integers(0, len(ONE.raw) * 8 - 1))
def test_a_changed_bit_never_passes_for_the_same_signature(bit: int) -> None:
    """Any one bit changed: the envelope is refused, or is no longer signed, or only its hint lies."""
    raw = bytearray(ONE.raw)
    raw[bit // 8] ^= 1 << bit % 8
    try:
        changed = parse_envelope(bytes(raw))
    except InvalidInput:
        return
    if distinct_signers(changed, KEYS):
        assert changed.signatures[0].keyid != ONE.signatures[0].keyid
        assert changed.payload == ONE.payload


def test_the_digest_names_the_payload_whoever_signed_it() -> None:
    """Two envelopes of one statement are one statement."""
    three = charter_envelope()
    more = add_signature(three, signed_more(three))
    assert more.raw != three.raw
    assert more.digest == three.digest


def signed_more(envelope: Envelope) -> Envelope:
    """Another authority key over the same payload."""
    return sign_payload(envelope.payload, [AUTHORITY[4]])
