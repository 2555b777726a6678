"""Canonical JSON at the speed of C: the same bytes, the same values and the same refusals as the long way."""

from __future__ import annotations

from typing import Any, Final

import msgspec
import pytest
import rfc8785
from hypothesis import example, given
from hypothesis import strategies as st

from sekisho.model.instants import Instant
from sekisho.model.quick_json import NotQuick, read_quickly, write_quickly
from sekisho.model.statements import KINDS, make_payload, parse_payload_leniently
from sekisho.model.wire import canonical, parse_canonical, sha256_hex, to_plain
from tests.factory_kinds import one_of_each
from tests.long_way import outcome_of, the_long_way

TEXT: Final = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
ANY: Final = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**70), 2**70)
    | st.integers(-(2**53) - 2, 2**53 + 2)
    | st.floats()
    | TEXT
    | st.text(max_size=3),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(TEXT | st.text(max_size=2), inner, max_size=4)
        | st.dictionaries(st.integers(), inner, max_size=1)
    ),
    max_leaves=12,
)
FACTS: Final = list(one_of_each().values())


@pytest.mark.parametrize("plane", range(17))
def test_every_character_is_escaped_as_the_reference_escapes_it(plane: int) -> None:
    """All of Unicode, as text and as a name."""
    for point in range(plane * 0x10000, (plane + 1) * 0x10000):
        if 0xD800 <= point < 0xE000:
            continue
        text = chr(point)
        expected = rfc8785.dumps(text)
        try:
            assert write_quickly(text) == expected
            assert read_quickly(expected) == text
        except NotQuick:
            assert point >= 0x10000


@given(ANY)
@example(float("nan"))
@example({"a": float("inf"), "b": 1.0})
@example({1: 2})
@example({"\uffff": 1, "\U00010000": 2})
@example([2**53, -(2**53)])
@example("null")
def test_what_is_written_quickly_is_what_the_reference_writes(value: Any) -> None:
    """The same bytes or the same refusal, for whatever Python can hold of JSON."""
    with the_long_way():
        long = outcome_of(lambda: canonical(value))
    assert outcome_of(lambda: canonical(value)) == long


@given(ANY, st.data())
def test_documents_are_read_alike_both_ways(value: Any, data: st.DataObject) -> None:
    """Sound documents and documents with bytes changed, put in and taken out."""
    kind, document = outcome_of(lambda: canonical(value))
    if kind == "gave":
        changed = mutated(document, data)
        with the_long_way():
            long = outcome_of(lambda: parse_canonical(changed, path="here"))
        assert outcome_of(lambda: parse_canonical(changed, path="here")) == long


@pytest.mark.parametrize(
    "document",
    [
        b'{"a":1,"a":1}',
        b'{"b":1,"a":1}',
        b'{"a":1, "b":1}',
        b'{"a":1}\n',
        b" 1",
        b"1.0",
        b"1e3",
        b"-0",
        b"01",
        b"NaN",
        b"-Infinity",
        b"9007199254740992",
        b"9007199254740993",
        b'"\\u0041"',
        b'"\\/"',
        b'"\\u001F"',
        b'"\\ud83d\\ude00"',
        b'"\\ud800"',
        b'"\xed\xa0\x80"',
        b'"\xff"',
        b"\xef\xbb\xbf1",
        b"[1,]",
        b'{"a":1,}',
        b"[" * 65 + b"]" * 65,
        b"[" * 5000 + b"]" * 5000,
        b"",
        b"1 2",
        b'"\x01"',
        '{"\uffff":1,"\U00010000":2}'.encode(),
    ],
)
def test_what_is_not_canonical_is_left_to_the_long_way(document: bytes) -> None:
    """Each deviation by name: the short way takes none of them, and the error is the long way's."""
    with pytest.raises(NotQuick):
        read_quickly(document)
    with the_long_way():
        long = outcome_of(lambda: parse_canonical(document))
    assert outcome_of(lambda: parse_canonical(document)) == long
    assert long[0] == "InvalidInput"


@pytest.mark.parametrize("document", [b"[" * 17 + b"]" * 17, b"1.5", '"\U0001f600"'.encode()])
def test_what_the_short_way_cannot_judge_is_still_read(document: bytes) -> None:
    """Deep lists, fractions and characters beyond the basic plane are sound."""
    with pytest.raises(NotQuick):
        read_quickly(document)
    assert canonical(parse_canonical(document)) == document


def test_a_limit_counts_on_both_ways() -> None:
    """A document over the limit is refused however quickly it could be read."""
    assert outcome_of(lambda: parse_canonical(b'"abc"', limit=4))[0] == "InvalidInput"


@pytest.mark.parametrize("kind", list(KINDS))
def test_every_kind_is_made_and_read_alike_both_ways(kind: str) -> None:
    """The payload's bytes and the statement that they give."""
    fact = one_of_each()[kind]
    payload = make_payload(fact)
    with the_long_way():
        assert make_payload(fact) == payload
        long = parse_payload_leniently(payload)
    assert parse_payload_leniently(payload) == long
    assert long[0].digest == sha256_hex(payload)


def test_every_kind_without_fractions_takes_the_short_way() -> None:
    """Else the figure that the bench shows is of something else."""
    for fact in FACTS:
        assert read_quickly(make_payload(fact))["predicate"] == plain_of(fact)


@given(st.sampled_from(FACTS), st.data())
def test_payloads_are_read_alike_both_ways(fact: Any, data: st.DataObject) -> None:
    """With bytes changed: the same statement, or the same error with the same words and path."""
    changed = mutated(make_payload(fact), data)
    with the_long_way():
        long = outcome_of(lambda: parse_payload_leniently(changed, path="feed"))
    assert outcome_of(lambda: parse_payload_leniently(changed, path="feed")) == long


@given(st.sampled_from(FACTS), st.data())
def test_fields_of_another_type_are_refused_alike(fact: Any, data: st.DataObject) -> None:
    """Whole fields replaced, taken out and added, in canonical bytes with the subject's digest made right."""
    said = plain_of(fact)
    name = data.draw(st.sampled_from(sorted(said)) | st.just("crit") | st.just("unheard-of"))
    said[name] = data.draw(
        ANY.filter(lambda value: outcome_of(lambda: canonical(value))[0] == "gave")
    )
    if data.draw(st.booleans()):
        del said[name]
    form = msgspec.json.decode(make_payload(fact))
    form["predicate"] = said
    form["subject"][0]["digest"]["sha256"] = sha256_hex(canonical(said))
    payload = canonical(form)
    with the_long_way():
        long = outcome_of(lambda: parse_payload_leniently(payload))
    assert outcome_of(lambda: parse_payload_leniently(payload)) == long


def test_instants_are_written_in_their_one_form() -> None:
    """Our own type by its hook, on the short way as on the long one."""
    assert write_quickly([Instant(0)]) == b'["1970-01-01T00:00:00Z"]'
    with pytest.raises(NotQuick):
        write_quickly(object())


def plain_of(fact: Any) -> dict[str, Any]:
    plain: Any = msgspec.json.decode(msgspec.json.encode(to_plain(fact)))
    return dict(plain)


def mutated(document: bytes, data: st.DataObject) -> bytes:
    """A document with up to three small changes, among them those that JSON readers disagree about."""
    changed = bytearray(document)
    for _ in range(data.draw(st.integers(0, 3))):
        at = data.draw(st.integers(0, len(changed)))
        taken = data.draw(st.integers(0, 2))
        put = data.draw(st.sampled_from(PIECES) | st.binary(max_size=2))
        changed[at : at + taken] = put
    return bytes(changed)


PIECES: Final = (
    *(b" ", b"\n", b",", b'"', b"\\", b"{", b"}", b"[", b"]", b":", b"0", b"1", b"-", b".", b"e1"),
    *(
        b"null",
        b"true",
        b"\\u0061",
        b"\\/",
        b'"a":1,',
        b'"_type":"x",',
        b"\xc3\xa9",
        b"\xed\xa0\x80",
    ),
)
