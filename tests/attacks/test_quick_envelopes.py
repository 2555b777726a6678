"""The short way through an envelope takes no form that the strict way refuses: one test for each deviation."""

from __future__ import annotations

import json
from typing import Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sekisho.model.statements import PAYLOAD_TYPE
from sekisho.model.wire import canonical
from sekisho.signing import parse_envelope, sign_payload
from sekisho.signing.dsse import MAX_ENVELOPE, _parse_quickly
from tests.factory import AUTHORITY, PARTY, VERIFIER, order_issued, run_declared, signed
from tests.long_way import outcome_of, the_long_way

ONE: Final = signed(run_declared(), PARTY).raw
FOUR: Final = signed(order_issued(), *AUTHORITY[:3], VERIFIER[0]).raw
OPEN: Final = b'{"payload":"'
FIRST: Final = ONE.index(b'{"keyid"')
HINT: Final = PARTY.public.key_id.encode()


def spoilt(name: str) -> bytes:
    """The envelope of one signature with one thing about it that no canonical envelope has."""
    signature = ONE[FIRST:-2]
    body = ONE[len(OPEN) : ONE.index(b'"', len(OPEN))]
    swap = {
        "space": (b'":"', b'": "'),
        "comma at the end": (b"}]}", b"},]}"),
        "comma at the front": (b"[{", b"[,{"),
        "no comma between": (signature, signature + signature),
        "no signature": (signature, b""),
        "fields the other way round": (
            signature,
            b'{"sig":%b,"keyid":%b}' % (signature.split(b'"sig":')[1][:-1], signature[9:75]),
        ),
        "field twice": (b'{"keyid"', b'{"keyid":"","keyid"'),
        "field more": (b'{"keyid"', b'{"alg":"x","keyid"'),
        "field less": (b'"keyid":"%b",' % HINT, b""),
        "escape": (b'"payloadType"', b'"payload\\u0054ype"'),
        "other type": (b"in-toto", b"in-tota"),
        "keyid in capitals": (HINT, HINT.upper()),
        "keyid too long": (HINT, b"a" * 129),
        "sig too long": (signature.split(b'"sig":"')[1][:-2], b"AAAA" * 2049),
        "base64 with a line break": (body[:8], body[:4] + b"\\n" + body[4:8]),
        "base64 without its end": (body, body[:-1]),
        "base64 with loose bits": (body, body[:-4] + b"AB=="),
        "base64 for names": (body[:4], b"--__"),
        "base64 padded twice": (body, body + b"===="),
        "another object": (ONE, ONE + b"{}"),
        "line end": (ONE, ONE + b"\n"),
        "byte-order mark": (ONE, b"\xef\xbb\xbf" + ONE),
        "nul": (b"}]}", b"}]}\x00"),
        "list instead": (ONE, b"[" + ONE + b"]"),
        "nothing": (ONE, b""),
        "only its beginning": (ONE, OPEN),
        "no end of the payload": (ONE, OPEN + body),
    }
    before, after = swap[name]
    assert before in ONE
    return ONE.replace(before, after, 1)


SPOILT: Final = (
    """
space|comma at the end|comma at the front|no comma between|no signature|fields the other way round|field twice
field more|field less|escape|other type|keyid too long|sig too long|base64 with a line break
base64 without its end|base64 with loose bits|base64 for names|base64 padded twice|another object|line end
byte-order mark|nul|list instead|nothing|only its beginning|no end of the payload
""".strip()
    .replace("\n", "|")
    .split("|")
)


@pytest.mark.parametrize("name", SPOILT)
def test_a_deviation_is_refused_as_the_long_way_refuses_it(name: str) -> None:
    """Not taken by the short way, refused by both, in the same words."""
    raw = spoilt(name)
    assert _parse_quickly(raw, PAYLOAD_TYPE) is None
    with the_long_way():
        long = outcome_of(lambda: parse_envelope(raw, path="feed"))
    assert long[0] == "InvalidInput"
    assert outcome_of(lambda: parse_envelope(raw, path="feed")) == long


def test_a_hint_that_is_no_digest_goes_the_long_way() -> None:
    """A keyid is anybody's text: what is not plain hexadecimal is sound, and read."""
    raw = spoilt("keyid in capitals")
    assert _parse_quickly(raw, PAYLOAD_TYPE) is None
    assert parse_envelope(raw).signatures[0].keyid == HINT.decode().upper()


@pytest.mark.parametrize("raw", [ONE, FOUR])
def test_a_sound_envelope_is_the_same_both_ways(raw: bytes) -> None:
    """One signature and four; and the short way is the one that is taken."""
    with the_long_way():
        long = parse_envelope(raw)
    assert parse_envelope(raw) == long
    assert _parse_quickly(raw, PAYLOAD_TYPE) == long


@pytest.mark.parametrize("count", [64, 65])
def test_sixty_four_signatures_are_taken_and_no_more(count: int) -> None:
    """The limit counts on both ways."""
    form = json.loads(ONE)
    form["signatures"] = form["signatures"] * count
    raw = canonical(form)
    with the_long_way():
        long = outcome_of(lambda: parse_envelope(raw))
    assert outcome_of(lambda: parse_envelope(raw)) == long
    assert (long[0] == "gave") == (count == 64)


def test_an_envelope_over_the_limit_is_refused_however_sound() -> None:
    """65,535 bytes are the most that an entry bundle can carry."""
    payload = b"x" * 48_900
    raw = sign_payload(payload, [PARTY]).raw
    assert len(raw) <= MAX_ENVELOPE
    assert parse_envelope(raw).payload == payload
    assert outcome_of(lambda: parse_envelope(raw, limit=len(raw) - 1))[0] == "InvalidInput"


@pytest.mark.parametrize("kind", ["text/plain", 'a"b', "a\\b", "é", "\x7f", "", "\ud800"])
def test_other_payload_types_are_read_alike(kind: str) -> None:
    """A manifest's type, and types that JSON would have to escape."""
    raw = sign_payload(b"x", [PARTY], payload_type="text/plain").raw
    with the_long_way():
        long = outcome_of(lambda: parse_envelope(raw, payload_type=kind))
    assert outcome_of(lambda: parse_envelope(raw, payload_type=kind)) == long


@given(st.sampled_from([ONE, FOUR]), st.data())
def test_changed_bytes_are_judged_alike(raw: bytes, data: st.DataObject) -> None:
    """Whatever is changed, put in or taken out: the same envelope or the same refusal."""
    changed = bytearray(raw)
    for _ in range(data.draw(st.integers(1, 3))):
        at = data.draw(
            st.integers(0, len(changed)) | st.integers(max(0, len(changed) - 120), len(changed))
        )
        put = data.draw(st.sampled_from(PIECES) | st.binary(max_size=3))
        changed[at : at + data.draw(st.integers(0, 3))] = put
    mutant = bytes(changed)
    with the_long_way():
        long = outcome_of(lambda: parse_envelope(mutant, path="feed"))
    assert outcome_of(lambda: parse_envelope(mutant, path="feed")) == long


PIECES: Final = (
    *(
        b",",
        b'"',
        b"}",
        b"]",
        b"{",
        b"[",
        b" ",
        b"=",
        b"==",
        b"A",
        b"a",
        b"0",
        b"\\n",
        b"\\",
        b"\n",
    ),
    *(
        b'{"keyid":"","sig":""}',
        b',{"keyid":"","sig":"AAAA"}',
        b'","payloadType":"',
        b"\x00",
        b"\xff",
    ),
)
