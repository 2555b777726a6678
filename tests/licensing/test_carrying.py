"""Leases as files and as numbered QR parts: there and back, and every way in which a person can get it wrong."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sekisho.licensing.carrying import (
    MAX_CARRIED,
    join_parts,
    parse_carried,
    split_parts,
    write_feed_file,
    write_lease_file,
)
from sekisho.model.errors import InvalidInput
from sekisho.ports.control import FeedItem, LeaseAnswer
from tests.factory import charter_envelope

ANSWER = LeaseAnswer(
    envelope=b'{"payload":"x"}', proof="c2sp.org/tlog-proof@v1\n", disclosures=("d",)
)


def lines(*parts: str) -> list[tuple[str, str]]:
    return [(f"line {number}", part) for number, part in enumerate(parts, 1)]


def test_a_lease_file_goes_there_and_back() -> None:
    """Envelope, proof and disclosures, byte for byte."""
    carried = parse_carried(write_lease_file(ANSWER))

    assert (carried.lease, carried.feed) == (ANSWER, None)


def test_a_feed_file_goes_there_and_back() -> None:
    """Items with and without proof, and the checkpoint."""
    items = (FeedItem(envelope=b"one", proof="p"), FeedItem(envelope=b"two"))
    carried = parse_carried(write_feed_file(items, "note"))

    assert carried.lease is None
    assert carried.feed is not None
    assert (carried.feed.items, carried.feed.checkpoint) == (items, "note")


def test_one_envelope_by_itself_is_a_feed_of_one_item() -> None:
    """An order or an outage as it was signed needs no wrapping."""
    raw = charter_envelope().raw
    carried = parse_carried(raw + b"\n")

    assert carried.feed is not None
    assert carried.feed.items == (FeedItem(envelope=raw),)


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"[]",
        b"{}",
        b'{"envelope":1,"proof":""}',
        b'{"envelope":"!!","proof":""}',
        b'{"items":[{"proof":"p"}]}',
        b'{"items":[{"envelope":"=="}]}',
        b'{"envelope":"","envelope":""}',
    ],
)
def test_what_is_no_lease_file_is_refused_by_name(raw: bytes) -> None:
    """Bad input names the file or the field."""
    with pytest.raises(InvalidInput) as error:
        parse_carried(raw, path="lease.json")
    assert error.value.path.startswith("lease.json")


@given(st.binary(min_size=1, max_size=5_000), st.integers(1, 900), st.randoms())
def test_parts_in_any_order_make_the_file_again(
    whole: bytes, chars: int, order: random.Random
) -> None:
    """Doubled scans, blank lines and spaces around a line do no harm."""
    parts = list(split_parts(whole, chars=max(chars, len(whole) // 400 + 1)))
    shuffled = [*parts, parts[0], "", f"  {parts[-1]}\r"]
    order.shuffle(shuffled)

    assert join_parts(lines(*shuffled)) == whole


def test_a_part_keeps_to_the_alphabet_that_a_qr_code_packs_best() -> None:
    """Digits, capitals and a few signs: nothing that a scanner would change."""
    for part in split_parts(bytes(range(256)) * 8):
        assert set(part) <= set("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:")
        assert len(part) < 900


def test_a_missing_part_is_named() -> None:
    """By its number, and how many there are."""
    parts = split_parts(b"x" * 3_000)

    with pytest.raises(InvalidInput, match=f"lack 2 of {len(parts)} parts: 2, 4"):
        join_parts(lines(parts[0], *(p for n, p in enumerate(parts) if n not in (0, 1, 3))))


@pytest.mark.parametrize(
    "spoilt",
    [
        "hello",
        "SEKISHO:1:0/2:" + "A" * 64 + ":AA",
        "SEKISHO:1:3/2:" + "A" * 64 + ":AA",
        "SEKISHO:2:1/1:" + "A" * 64 + ":AA",
        "SEKISHO:1:1/1:" + "a" * 64 + ":AA",
    ],
)
def test_a_line_that_is_no_part_is_named(spoilt: str) -> None:
    """With the line where it stands."""
    with pytest.raises(InvalidInput) as error:
        join_parts(lines(split_parts(b"x")[0], spoilt))
    assert error.value.path == "line 2"


def test_a_changed_part_is_found() -> None:
    """By the digest of the whole, or at once beside its true like."""
    parts = split_parts(b"y" * 900)
    changed = parts[0][:-1] + ("A" if parts[0][-1] != "A" else "B")

    with pytest.raises(InvalidInput, match="read wrongly or changed"):
        join_parts(lines(changed, *parts[1:]))
    with pytest.raises(InvalidInput, match="differs from another part 1"):
        join_parts(lines(*parts, changed))


def test_nothing_to_split_and_nothing_to_join_are_said() -> None:
    """An empty file, one too long, and no line at all."""
    with pytest.raises(InvalidInput):
        split_parts(b"")
    with pytest.raises(InvalidInput):
        split_parts(b"x" * (MAX_CARRIED + 1))
    with pytest.raises(InvalidInput, match="QR codes"):
        split_parts(b"x" * MAX_CARRIED)
    with pytest.raises(InvalidInput, match="hold no part"):
        join_parts([])
