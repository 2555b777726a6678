"""The strict JSON border: what two readers would read differently is refused."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sekisho.model.errors import InvalidInput
from sekisho.model.instants import Instant
from sekisho.model.wire import (
    canonical,
    decode_base64,
    decode_hex,
    encode_base64,
    from_json,
    parse_canonical,
    parse_json,
    sha256_hex,
)
from sekisho.rules import RunRequest

JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(1 - 2**53, 2**53 - 1)
    | st.text(st.characters(exclude_categories=["Cs"])),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.text(st.characters(exclude_categories=["Cs"]), max_size=5), inner, max_size=4
        )
    ),
    max_leaves=12,
)


class Sample(msgspec.Struct, frozen=True, kw_only=True):
    when: Instant
    count: int = 0


@given(JSON)
def test_canonical_json_is_read_back_as_the_same_value(value: object) -> None:
    """And its canonical form is accepted as canonical."""
    data = canonical(value)
    assert parse_canonical(data) == value


@pytest.mark.parametrize(
    "data",
    [
        b'{"a":1,"a":2}',
        b'{"a":{"b":1,"b":1}}',
        b"NaN",
        b"[Infinity]",
        b"-Infinity",
        b"9007199254740994",
        b"1e400",
        b"1" + b"0" * 400,
        b'"\\ud800"',
        b'{"\\udfff":1}',
        b"\xef\xbb\xbf{}",
        b"\xff",
        b"{} {}",
        b"[1,]",
        b"",
        b"[" * 65 + b"]" * 65,
        b"[" * 100_000,
        b'{"a":' * 100_000,
    ],
    ids=lambda data: repr(data[:20]),
)
def test_ambiguous_or_hostile_json_is_refused(data: bytes) -> None:
    """Duplicate names, non-numbers, huge numbers, surrogates, depth: an error, never a crash."""
    with pytest.raises(InvalidInput):
        parse_json(data, path="F")


def test_depth_64_is_still_read_and_brackets_in_strings_do_not_count() -> None:
    """The limit is on nesting, not on text."""
    assert parse_json(b"[" * 64 + b"]" * 64)
    assert parse_json(b'"' + b"[" * 1000 + b'"') == "[" * 1000


def test_a_document_over_the_limit_is_refused() -> None:
    """Reads are bounded."""
    with pytest.raises(InvalidInput, match="longer than 4"):
        parse_json(b'"abcd"', limit=4)


def test_json_that_is_not_in_canonical_form_is_refused_where_it_must_be() -> None:
    """A blank more, or names in another order."""
    assert parse_canonical(b'{"a":1,"b":2}') == {"a": 1, "b": 2}
    for data in (b'{"a": 1}', b'{"b":2,"a":1}', b"1.0"):
        with pytest.raises(InvalidInput, match="canonical"):
            parse_canonical(data)


def test_a_wrong_field_is_named_by_its_path() -> None:
    """Unknown fields are passed over, wrong ones are named."""
    sample = from_json(Sample, {"when": "1970-01-01T00:00:01Z", "count": 3, "new": True})
    assert sample == Sample(when=Instant(1_000_000), count=3)
    with pytest.raises(InvalidInput, match="RFC 3339") as caught:
        from_json(Sample, {"when": "yesterday"}, path="F")
    assert caught.value.path == "F.when"


def test_a_wrong_form_is_told_in_words_and_not_as_a_pattern() -> None:
    """Whoever writes 1e3 FLOP is told what to write instead."""
    with pytest.raises(InvalidInput, match="whole FLOP in digits"):
        from_json(RunRequest, {"id": "run-1", "planned_flop": "1e3"})
    with pytest.raises(InvalidInput, match="is not a name"):
        from_json(RunRequest, {"id": "a b"})
    with pytest.raises(InvalidInput, match="such as JP"):
        from_json(RunRequest, {"id": "run-1", "jurisdictions": ["Japan"]})


@given(st.binary(max_size=64))
def test_base64_and_hex_go_there_and_back(data: bytes) -> None:
    """One text for one value."""
    assert decode_base64(encode_base64(data)) == data
    assert decode_hex(data.hex(), size=len(data)) == data


@pytest.mark.parametrize("text", ["AB==", "QQ", "QQ==\n", "QR==", "Q Q=", "-_-_", "é"])
def test_base64_with_a_second_spelling_is_refused(text: str) -> None:
    """Loose bits, missing padding, blanks, the URL alphabet."""
    with pytest.raises(InvalidInput):
        decode_base64(text)


@pytest.mark.parametrize("text", ["AB", "a", "0x", "a b", "zz"])
def test_hex_in_another_form_is_refused(text: str) -> None:
    """Lower case, even, no blanks."""
    with pytest.raises(InvalidInput):
        decode_hex(text)


def test_sha256_is_the_published_one_of_the_empty_text() -> None:
    """A golden value."""
    assert sha256_hex(b"") == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
