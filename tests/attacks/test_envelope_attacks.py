"""Attacks on envelopes and statements, one test each."""

from __future__ import annotations

import json

import msgspec
import pytest

from sekisho.model.errors import BadSignature, InvalidInput, NotAuthorised
from sekisho.model.statements import make_payload
from sekisho.model.wire import canonical, encode_base64
from sekisho.signing import (
    Envelope,
    EnvelopeSignature,
    add_signature,
    parse_envelope,
    sign_payload,
)
from tests.factory import (
    AUTHORITY,
    HOST,
    OPERATOR,
    PARTY,
    REFERENCE,
    VERIFIER,
    host_enrolled,
    licence_issued,
    order_issued,
    receipt_given,
    regime,
    run_declared,
    signed,
)

ORDER = order_issued()
PAUSE = signed(ORDER, *AUTHORITY[:3], VERIFIER[0])


def with_signatures(envelope: Envelope, *signatures: EnvelopeSignature) -> bytes:
    """The envelope's bytes with other signatures."""
    form = json.loads(envelope.raw)
    form["signatures"] = [{"keyid": s.keyid, "sig": s.sig} for s in signatures]
    return canonical(form)


@pytest.mark.parametrize("ids", [2, 3])
def test_envelope_one_key_under_several_ids(ids: int) -> None:
    """One authority key under two or three key ids, with a verifier's, is one of three and no pause."""
    one = signed(ORDER, AUTHORITY[0]).signatures[0]
    verifier = signed(ORDER, VERIFIER[0]).signatures[0]
    copies = [EnvelopeSignature(keyid=AUTHORITY[n].public.key_id, sig=one.sig) for n in range(ids)]
    with pytest.raises(NotAuthorised, match="authority 1 of 3, verifiers 1 of 1"):
        regime().verify(with_signatures(PAUSE, *copies, verifier))


def test_envelope_too_few_keys() -> None:
    """Two of three asked authority keys make no pause."""
    with pytest.raises(NotAuthorised, match="authority 2 of 3"):
        regime().verify(signed(ORDER, *AUTHORITY[:2], *VERIFIER).raw)


def test_envelope_signatures_moved_to_another_order() -> None:
    """The quorum's signatures for one order do not sign the next one."""
    wider = msgspec.structs.replace(ORDER, number=2, previous=PAUSE.digest)
    form = json.loads(PAUSE.raw)
    form["payload"] = encode_base64(make_payload(wider))
    with pytest.raises(NotAuthorised, match="authority 0 of 3"):
        regime().verify(canonical(form))


def test_envelope_payload_changed_under_its_signatures() -> None:
    """One changed byte of the payload, with the subject put right again, loses every signature."""
    form = json.loads(PAUSE.raw)
    longer = msgspec.structs.replace(ORDER, grace_s=9)
    form["payload"] = encode_base64(make_payload(longer))
    with pytest.raises(NotAuthorised):
        regime().verify(canonical(form))


def test_envelope_statement_signed_under_another_payload_type() -> None:
    """Whoever signed the same bytes as something else did not sign a statement."""
    other = sign_payload(
        PAUSE.payload, [*AUTHORITY[:3], VERIFIER[0]], payload_type="application/json"
    )
    with pytest.raises(InvalidInput, match="payload type"):
        regime().verify(other.raw)
    with pytest.raises(NotAuthorised):
        regime().verify(with_signatures(PAUSE, *other.signatures))


def test_envelope_second_spelling_with_the_same_signatures() -> None:
    """White space, other base64, other field order and an extra field are refused before any signature is tried."""
    form = json.loads(PAUSE.raw)
    unordered = json.dumps(dict(reversed(form.items())), separators=(",", ":")).encode()
    for raw in (
        PAUSE.raw + b"\n",
        json.dumps(form).encode(),
        unordered,
        canonical({**form, "payload": form["payload"].rstrip("=") + "="}).replace(b"=", b"", 1),
        canonical({**form, "note": "urgent"}),
        PAUSE.raw.replace(b'"payload"', b'"payload":"","payload"', 1),
    ):
        with pytest.raises(InvalidInput):
            regime().verify(raw)


def test_envelope_base64_with_changed_padding_bits() -> None:
    """Two texts that decode to one payload are not both accepted."""
    payload = b"x" * 100
    form = json.loads(sign_payload(payload, [HOST]).raw)
    assert form["payload"].endswith("eA==")
    form["payload"] = form["payload"][:-4] + "eB=="
    with pytest.raises(InvalidInput, match="base64"):
        parse_envelope(canonical(form))


def test_envelope_padded_with_strangers_signatures() -> None:
    """Sixty strangers beside a quorum change neither the verdict nor the statement's digest."""
    strangers = signed(ORDER, HOST, PARTY, OPERATOR)
    padded = add_signature(PAUSE, strangers)
    verified = regime().verify(padded.raw)
    assert verified.digest == PAUSE.digest
    assert verified.signers == {key.public.key_id for key in (*AUTHORITY[:3], VERIFIER[0])}


def test_envelope_host_signs_its_own_licence_and_its_own_resume() -> None:
    """The host's key is good for receipts and nothing else."""
    resume = order_issued(kind="resume", effect="lift")
    for predicate in (licence_issued(REFERENCE), resume, host_enrolled()):
        with pytest.raises(NotAuthorised):
            regime().verify(signed(predicate, HOST).raw)
    assert regime().verify(signed(receipt_given(), HOST).raw).kind == "receipt-given"


def test_envelope_statement_of_one_kind_dressed_as_another() -> None:
    """A run declaration under the predicate type of a receipt is neither."""
    form = json.loads(make_payload(run_declared()))
    form["predicateType"] = "urn:sekisho:statement:receipt-given:v1"
    for signers in ((HOST,), (PARTY,)):
        with pytest.raises(InvalidInput):
            regime().verify(sign_payload(canonical(form), signers).raw)


def test_envelope_unknown_host_named_with_a_newline() -> None:
    """`host-1` with a newline behind it is not host-1, and no name at all."""
    form = json.loads(make_payload(receipt_given()))
    form["predicate"]["host"] = "host-1\n"
    with pytest.raises(InvalidInput):
        regime().verify(sign_payload(canonical(form), [HOST]).raw)


def test_envelope_all_zero_and_empty_signatures() -> None:
    """Bytes that are no signature are no signature, however many."""
    blank = [EnvelopeSignature(keyid="", sig=encode_base64(bytes(n))) for n in (0, 1, 63, 64, 65)]
    with pytest.raises(BadSignature):
        regime().verify(with_signatures(signed(receipt_given(), HOST), *blank))
