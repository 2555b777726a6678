"""What somebody may hand in at an open log's counter, each under its name."""

from __future__ import annotations

import json

import pytest

from sekisho.intake import Gate, parse_gate
from sekisho.model.errors import InvalidInput, NotAuthorised
from sekisho.model.wire import canonical, encode_base64
from sekisho.signing import Ed25519Signer, add_signature, parse_envelope, sign_payload
from sekisho.signing.dsse import pae
from tests.intake.doors import STRANGER, WRITERS, envelope, gate

PAYLOAD = b"a statement"


def forged(**changes: object) -> bytes:
    """A good envelope with fields changed, still in canonical form."""
    return canonical({**json.loads(envelope("a statement")), **changes})


def signature(key: Ed25519Signer, *, keyid: str | None = None, payload: bytes = PAYLOAD) -> object:
    """One signature of the default payload, under any key id."""
    signed = key.sign(pae("application/vnd.in-toto+json", payload))
    return {"keyid": key.public.key_id if keyid is None else keyid, "sig": encode_base64(signed)}


def test_a_quorum_of_writers_is_let_in() -> None:
    """What the attacks below change is otherwise good."""
    assert gate().judge(envelope("a statement")).envelope == envelope("a statement")
    assert gate().judge(forged(signatures=[signature(w) for w in WRITERS])).payload_sha256


def test_too_few_signatures() -> None:
    """One of the two asked for is not enough, and the answer counts them."""
    with pytest.raises(NotAuthorised, match="1 of 2"):
        gate().judge(envelope("a statement", WRITERS[0]))


def test_no_signature_at_all() -> None:
    """An envelope that nobody signed is none."""
    with pytest.raises(InvalidInput):
        gate().judge(forged(signatures=[]))


def test_one_key_twice_under_two_key_ids() -> None:
    """Names are hints: one key is one signer, whatever it calls itself."""
    other = WRITERS[1].public.key_id
    two = [signature(WRITERS[0]), signature(WRITERS[0], keyid=other)]
    with pytest.raises(NotAuthorised, match="1 of 2"):
        gate().judge(forged(signatures=two))


def test_one_signature_twice() -> None:
    """The same line again adds nobody."""
    with pytest.raises(NotAuthorised, match="1 of 2"):
        gate().judge(forged(signatures=[signature(WRITERS[0])] * 2))


def test_a_key_that_is_not_listed() -> None:
    """A stranger's good signature is nobody's."""
    with pytest.raises(NotAuthorised, match="1 of 2"):
        gate().judge(envelope("a statement", WRITERS[0], STRANGER))


def test_a_stranger_under_a_writers_key_id() -> None:
    """A borrowed name lends no authority."""
    borrowed = signature(STRANGER, keyid=WRITERS[1].public.key_id)
    with pytest.raises(NotAuthorised, match="1 of 2"):
        gate().judge(forged(signatures=[signature(WRITERS[0]), borrowed]))


def test_a_writer_without_its_name_is_still_a_writer() -> None:
    """Every signature is tried against every key, so that a lost hint keeps nobody out."""
    bare = [signature(WRITERS[0], keyid=""), signature(WRITERS[1], keyid="00")]
    assert gate().judge(forged(signatures=bare)).envelope


def test_signatures_moved_from_another_payload() -> None:
    """What was signed for one statement says nothing for another."""
    moved = [signature(w, payload=b"another") for w in WRITERS]
    with pytest.raises(NotAuthorised, match="0 of 2"):
        gate().judge(forged(signatures=moved))


def test_another_payload_type() -> None:
    """A signature over bytes of another kind is refused before it is counted."""
    other = sign_payload(PAYLOAD, WRITERS, payload_type="application/json").raw
    with pytest.raises(InvalidInput, match="payload type"):
        gate().judge(other)


def test_a_payload_type_changed_after_signing() -> None:
    """The kind is signed: relabelled, no signature counts."""
    other = sign_payload(PAYLOAD, WRITERS, payload_type="text/plain").raw
    relabelled = other.replace(b"text/plain", b"application/vnd.in-toto+json")
    with pytest.raises(NotAuthorised, match="0 of 2"):
        gate().judge(relabelled)


@pytest.mark.parametrize(
    "bend",
    [
        lambda raw: raw + b" ",
        lambda raw: raw + b"\n",
        lambda raw: b"\xef\xbb\xbf" + raw,
        lambda raw: raw.replace(b'","payloadType"', b'", "payloadType"'),
        lambda raw: json.dumps(json.loads(raw), indent=1).encode(),
        lambda raw: json.dumps(
            dict(reversed(json.loads(raw).items())), separators=(",", ":")
        ).encode(),
        lambda raw: raw.replace(b'"payload":', b'"payload":"","payload":', 1),
        lambda raw: raw.replace(b"in-toto", b"in\\u002dtoto"),
        lambda raw: canonical({**json.loads(raw), "note": "unsigned"}),
        lambda raw: raw[:-1],
        lambda raw: b"[" + raw + b"]",
        lambda raw: raw * 2,
        lambda _: b"",
        lambda _: b"{}",
        lambda _: b"null",
        lambda _: b"\xff\xfe",
    ],
    ids=[
        "a space after",
        "a line end after",
        "a byte order mark",
        "a space within",
        "indented",
        "other order",
        "a name twice",
        "an escape",
        "a field nobody signed",
        "cut off",
        "in a list",
        "twice",
        "empty",
        "no fields",
        "null",
        "no text",
    ],
)
def test_an_envelope_in_another_spelling(bend: object) -> None:
    """One statement has one envelope form: what would hash otherwise and mean the same is refused."""
    assert callable(bend)
    with pytest.raises(InvalidInput):
        gate().judge(bend(envelope("a statement")))


def test_a_payload_in_other_base64() -> None:
    """The same bytes in another spelling are another leaf, and refused."""
    raw = json.loads(envelope("ab"))
    assert raw["payload"] == "YWI="
    for other in ("YWJ=", "YWI", "YWI==", "YWI=\n", "YW I="):
        with pytest.raises(InvalidInput):
            gate().judge(canonical({**raw, "payload": other}))


def test_an_entry_longer_than_a_bundle_can_carry() -> None:
    """65,536 bytes are refused here, before they could fail the group that they share."""
    with pytest.raises(InvalidInput):
        gate().judge(envelope("long", size=49_152))


def test_more_signatures_than_anybody_needs() -> None:
    """A flood of signatures is refused before each is tried against each key."""
    with pytest.raises(InvalidInput):
        gate().judge(forged(signatures=[signature(WRITERS[0])] * 65))


def test_the_same_statement_by_other_writers_is_one_payload() -> None:
    """Who signed is no part of a statement's identity: a second quorum repeats it."""
    first, second = envelope("a", *WRITERS[:2]), envelope("a", *WRITERS[1:])
    assert first != second
    assert gate().judge(first).payload_sha256 == gate().judge(second).payload_sha256


def test_signatures_joined_from_two_writers_make_the_quorum() -> None:
    """Writers may sign apart from one another."""
    parts = [parse_envelope(envelope("a", writer)) for writer in WRITERS[:2]]
    assert gate().judge(add_signature(*parts).raw).envelope


@pytest.mark.parametrize("quorum", [0, -1, 3])
def test_a_gate_that_nobody_or_everybody_passes_is_refused(quorum: int) -> None:
    """One key listed twice is one: a quorum beyond the distinct keys, or of none, is no gate."""
    keys = [WRITERS[0].public, WRITERS[1].public, WRITERS[0].public]
    with pytest.raises(InvalidInput, match="of 2 distinct keys"):
        Gate(keys, quorum)


def gate_file(**changes: object) -> bytes:
    """A gate's file with fields changed."""
    keys = [writer.public.to_text() for writer in WRITERS]
    return json.dumps({"keys": keys, "quorum": 2, **changes}).encode()


def test_a_gate_is_read_from_its_file() -> None:
    """The keys and the quorum that it names decide."""
    read = parse_gate(gate_file(), path="gate.json")
    assert read.judge(envelope("a statement")).envelope
    with pytest.raises(NotAuthorised):
        read.judge(envelope("a statement", WRITERS[0], STRANGER))


@pytest.mark.parametrize(
    ("raw", "where"),
    [
        (b"", "gate.json"),
        (b"{", "gate.json"),
        (gate_file(quorum="2"), "gate.json.quorum"),
        (gate_file(quorum=4), "gate.json.quorum"),
        (gate_file(quorum=0), "gate.json.quorum"),
        (gate_file(keys=[]), "gate.json.quorum"),
        (gate_file(keys=["no key"]), "gate.json.keys[0]"),
        (gate_file(extra=1), "gate.json"),
        (gate_file(keys=[WRITERS[0].public.to_text()] * 257), "gate.json.keys"),
        (b'{"keys":[],"keys":[],"quorum":1}', "gate.json"),
    ],
)
def test_a_gate_file_that_says_something_else_is_refused_with_its_place(
    raw: bytes, where: str
) -> None:
    """A misread gate would let anybody in, or nobody: each fault names its field."""
    with pytest.raises(InvalidInput) as caught:
        parse_gate(raw, path="gate.json")
    assert caught.value.path.startswith(where)


def test_signatures_that_are_not_over_the_encoding() -> None:
    """Zeros, and a writer's own signature over the bare payload, count for nobody."""
    for sign in (lambda _: bytes(64), lambda writer: writer.sign(PAYLOAD)):
        bare = [{"keyid": w.public.key_id, "sig": encode_base64(sign(w))} for w in WRITERS]
        with pytest.raises(NotAuthorised, match="0 of 2"):
            gate().judge(forged(signatures=bare))


def test_a_flood_of_signatures_is_not_tried_against_every_key() -> None:
    """More signatures than a quorum and a few to spare are refused unread: each would be tried against each key."""
    junk = [signature(WRITERS[0], keyid=str(number)) for number in range(7)]
    with pytest.raises(InvalidInput, match="7 signatures"):
        gate().judge(forged(signatures=junk))
