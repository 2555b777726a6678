from __future__ import annotations

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sekisho.ledger.tree import BadProof, leaf_hash, node_hash
from sekisho.model.errors import InvalidInput
from sekisho.registry.commitments import (
    BatchTree,
    batch_path,
    batch_root,
    commitment,
    verify_path,
)

MADE = [
    commitment(number.to_bytes(16, "big"), f"ni:///sha-256;{number}", "job") for number in range(70)
]


def test_a_commitment_is_the_digest_of_salt_hash_id_and_capture() -> None:
    """The commitment to an event is SHA-256 over its salt, its hash id, a line feed and its capture's id."""
    expected = hashlib.sha256(b"0123456789abcdef" + b"ni:///sha-256;00?ver=CBV2.0\njob").digest()
    assert commitment(b"0123456789abcdef", "ni:///sha-256;00?ver=CBV2.0", "job") == expected


@pytest.mark.parametrize(
    ("salt", "hash_id", "capture", "where"),
    [
        (b"", "a", "job", "salt"),
        (b"0" * 15, "a", "job", "salt"),
        (b"0" * 16, "", "job", "hash_id"),
        (b"0" * 16, "é", "job", "hash_id"),
        (b"0" * 16, "a\nb", "job", "hash_id"),
        (b"0" * 16, "a", "", "capture"),
        (b"0" * 16, "a", "b\nc", "capture"),
    ],
)
def test_what_cannot_be_a_commitment_is_refused(
    salt: bytes, hash_id: str, capture: str, where: str
) -> None:
    """A salt of another size, an empty hash id and one that is not ASCII are refused by their names."""
    with pytest.raises(InvalidInput) as refusal:
        commitment(salt, hash_id, capture)
    assert refusal.value.path == where


def test_the_root_of_three_is_that_of_the_standard() -> None:
    """Three commitments stand as RFC 6962 says: two under one node, the third beside it."""
    first, second, third = (leaf_hash(made) for made in MADE[:3])
    assert batch_root(MADE[:3]) == node_hash(node_hash(first, second), third)
    assert batch_path(MADE[:3], 2) == (node_hash(first, second),)
    assert batch_path(MADE[:3], 0) == (second, third)


def test_an_empty_batch_has_no_root() -> None:
    """A batch without events cannot be committed to."""
    with pytest.raises(InvalidInput):
        batch_root([])


@given(st.integers(1, 70).flatmap(lambda n: st.tuples(st.just(n), st.integers(0, n - 1))))
def test_each_path_leads_to_the_root(shape: tuple[int, int]) -> None:
    """From every place of a batch of any size its path leads to the batch's root."""
    size, place = shape
    verify_path(MADE[place], place, size, batch_path(MADE[:size], place), batch_root(MADE[:size]))


@given(st.integers(2, 70), st.data())
def test_no_path_leads_from_another_place(size: int, data: st.DataObject) -> None:
    """A commitment does not verify at a place where another one stands."""
    place, other = data.draw(st.permutations(range(size)))[:2]
    with pytest.raises(BadProof):
        verify_path(
            MADE[place], other, size, batch_path(MADE[:size], other), batch_root(MADE[:size])
        )


def test_several_paths_out_of_one_tree_are_those_of_each() -> None:
    """Paths of several places from one reading of a batch are the same as one by one."""
    tree = BatchTree(MADE[:37])
    assert [tree.path(p) for p in (0, 5, 36)] == [batch_path(MADE[:37], p) for p in (0, 5, 36)]
    assert tree.commitments[36] == MADE[36]


def test_a_commitment_of_another_size_is_no_commitment() -> None:
    """Bytes that are not 32 long verify nowhere, even where a tree over them would."""
    with pytest.raises(BadProof):
        verify_path(b"short", 0, 1, (), leaf_hash(b"short"))


def test_a_place_outside_the_batch_has_no_path() -> None:
    """A place at or beyond the batch's end is refused."""
    with pytest.raises(InvalidInput):
        batch_path(MADE[:3], 3)
