from __future__ import annotations

import contextlib
import json
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sekisho.model.errors import InvalidInput
from sekisho.model.statements import Digest, Jurisdiction, Name, OrderIssued, RunDeclared
from sekisho.model.wire import (
    MAX_DEPTH,
    JsonValue,
    canonical,
    decode_base64,
    decode_hex,
    encode_base64,
    from_json,
    parse_canonical,
    parse_json,
    to_plain,
)
from tests.factory import order_issued, run_declared

FOREIGN = {
    "duplicate name": b'{"a":1,"a":2}',
    "duplicate name by escape": b'{"a":1,"\\u0061":2}',
    "duplicate name deep inside": b'[{"b":{"a":1,"a":1}}]',
    "NaN": b"[NaN]",
    "infinity": b"[Infinity]",
    "minus infinity": b"[-Infinity]",
    "2^53 + 1": b"[9007199254740993]",
    "-2^53 - 1": b"[-9007199254740993]",
    "a float above 2^53": b"[1e16]",
    "10^400": b"[1e400]",
    "ten thousand digits": b"[" + b"9" * 10_000 + b"]",
    "a fraction of a thousand digits": b"[0." + b"1" * 1_000 + b"]",
    "lone high surrogate": b'["\\ud800"]',
    "lone low surrogate": b'["\\udfff x"]',
    "lone surrogate in a name": b'{"\\ud800":1}',
    "surrogates in the wrong order": b'["\\udc00\\ud800"]',
    "byte-order mark": b"\xef\xbb\xbf[]",
    "not UTF-8": b'["\xff"]',
    "a surrogate in UTF-8": b'["\xed\xa0\x80"]',
    "overlong UTF-8": b'["\xc0\xaf"]',
    "UTF-16": "[1]".encode("utf-16"),
    "depth 65": b"[" * 65 + b"]" * 65,
    "depth 65 of objects": b'{"a":' * 65 + b"1" + b"}" * 65,
    "depth of a million": b"[" * 1_000_000,
    "trailing text": b"[] []",
    "trailing comma": b"[1,]",
    "comment": b"[1] // one",
    "single quotes": b"{'a':1}",
    "leading zero": b"[01]",
    "plus sign": b"[+1]",
    "Arabic digits": "[١]".encode(),
    "control character in a string": b'["\x01"]',
    "nothing": b"",
    "unterminated string": b'["' + b"[" * 70,
}


@pytest.mark.parametrize("data", FOREIGN.values(), ids=FOREIGN.keys())
def test_foreign_json_that_readers_read_differently_is_refused(data: bytes) -> None:
    """Each of these documents is refused as bad input, and the error says where it came from."""
    with pytest.raises(InvalidInput) as refused:
        parse_json(data, path="order.json")
    assert refused.value.path == "order.json"


def test_the_limits_themselves_are_accepted() -> None:
    """2^53, depth 64, a surrogate pair and brackets inside strings are all sound JSON."""
    assert parse_json(b"[9007199254740992,-9007199254740992]") == [2**53, -(2**53)]
    assert parse_json(b"[" * MAX_DEPTH + b"]" * MAX_DEPTH) is not None
    assert parse_json(b'["\\ud83d\\ude00"]') == ["\U0001f600"]
    text = json.dumps(['[{"' * 200, "\\", '\\"['])
    assert parse_json(text) == json.loads(text)
    assert parse_json(b"[" + b"[]," * 500 + b"[]]") == [[]] * 501


def test_a_document_above_its_limit_is_refused_before_it_is_read() -> None:
    """The limit counts bytes and is the caller's choice."""
    assert parse_json(b'"12345"', limit=7) == "12345"
    with pytest.raises(InvalidInput, match="longer than 6 bytes"):
        parse_json(b'"12345"', limit=6)


@pytest.mark.parametrize(
    "data",
    [b'{"b":1,"a":2}', b'{"a": 1}', b"[1.0]", b"[-0]", b"[1e2]", b'["\\u0061"]', b"[1]\n"],
    ids=["order", "space", "1.0", "-0", "1e2", "escape", "newline"],
)
def test_a_second_spelling_of_a_document_is_refused_where_canonical_form_is_asked(
    data: bytes,
) -> None:
    """RFC 8785 has one byte string for one value."""
    with pytest.raises(InvalidInput, match="canonical"):
        parse_canonical(data)


def test_canonical_form_sorts_names_by_utf16_units() -> None:
    """The sorting example of RFC 8785 section 3.2.3."""
    value = {"\u20ac": 1, "\r": 2, "\ufb33": 3, "1": 4, "\U0001f600": 5, "\u0080": 6, "\u00f6": 7}
    names = list(json.loads(canonical(value)))
    assert names == ["\r", "1", "\u0080", "\u00f6", "\u20ac", "\U0001f600", "\ufb33"]


@pytest.mark.parametrize("value", ["\ud800", 2**53 + 1, float("nan"), float("inf"), 10**400])
def test_what_has_no_canonical_form_is_refused(value: object) -> None:
    """Our own side cannot write what the strict parser would not read."""
    with pytest.raises(InvalidInput, match="no canonical form"):
        canonical([value])


scalars = st.none() | st.booleans() | st.integers(-(2**53) + 1, 2**53 - 1) | st.text(max_size=20)
documents = st.recursive(
    scalars,
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4)
    ),
    max_leaves=20,
)


@given(documents)
def test_canonical_bytes_parse_back_to_the_same_value(value: object) -> None:
    """Canonical form goes there and back."""
    assert parse_canonical(canonical(value)) == value


@given(st.binary(max_size=200))
def test_any_bytes_are_json_or_bad_input(data: bytes) -> None:
    """No input makes the parser raise anything but InvalidInput."""
    with contextlib.suppress(InvalidInput):
        assert parse_json(data) == json.loads(data)


@given(st.binary(max_size=64))
def test_base64_and_hexadecimal_go_there_and_back(data: bytes) -> None:
    """Both codecs return the bytes they were given."""
    assert decode_base64(encode_base64(data)) == data
    assert decode_hex(data.hex(), size=len(data)) == data


@pytest.mark.parametrize(
    "text", ["YQ", "YQ=", "YR==", "YQ==\n", "Y Q==", "YQ==YQ==", "-_==", "é==="]
)
def test_base64_with_a_second_spelling_is_refused(text: str) -> None:
    """Padding bits, white space, missing padding and the other alphabet are refused."""
    with pytest.raises(InvalidInput, match="base64"):
        decode_base64(text, path="payload")


@pytest.mark.parametrize("text", ["AB", "a", "0g", " ab", "ab ", "a b0"])
def test_hexadecimal_with_a_second_spelling_is_refused(text: str) -> None:
    """Upper case, white space and odd length are refused."""
    with pytest.raises(InvalidInput):
        decode_hex(text)
    with pytest.raises(InvalidInput, match="32 bytes"):
        decode_hex("ab", size=32)


@pytest.mark.parametrize(
    ("kind", "text"),
    [(Name, "host-1"), (Digest, "0" * 64), (Jurisdiction, "JP")],
    ids=["name", "digest", "jurisdiction"],
)
def test_a_name_with_a_final_newline_is_another_name_and_refused(kind: Any, text: str) -> None:
    """A pattern's `$` also matches before a final newline; ours do not let one through."""
    assert from_json(kind, text) == text
    for other in (f"{text}\n", f"\n{text}", f" {text}", ""):
        with pytest.raises(InvalidInput):
            from_json(kind, other)


def test_a_wrong_field_is_named_by_its_path() -> None:
    """The error says which field, below which document."""
    plain = to_plain(order_issued())
    assert isinstance(plain, dict)
    scope: JsonValue = {"sites": ["site-1", "no such name!"]}
    with pytest.raises(InvalidInput) as refused:
        from_json(OrderIssued, {**plain, "scope": scope}, path="predicate")
    assert refused.value.path == "predicate.scope.sites[1]"
    with pytest.raises(InvalidInput) as refused:
        from_json(OrderIssued, {**plain, "number": "1"})
    assert refused.value.path == "number"


def test_an_instant_and_a_model_value_have_one_plain_form() -> None:
    """`to_plain` and `from_json` are each other's inverse on model values."""
    declared = run_declared()
    plain = to_plain(declared)
    assert isinstance(plain, dict)
    assert plain["effective"] == "2026-11-22T09:00:00Z"
    assert from_json(RunDeclared, plain) == declared
    assert "post_training" not in plain
    assert msgspec.structs.replace(declared, post_training=True) != declared
