"""Proofs against the recursive definition: every pair of small sizes, random large ones, and everything a bit away."""

from __future__ import annotations

import random
from functools import cache

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sekisho.ledger.tree import (
    MAX_TREE_SIZE,
    BadProof,
    Frontier,
    consistency_proof,
    fold_level,
    inclusion_proof,
    leaf_hash,
    leaf_hashes,
    node_hash,
    verify_consistency,
    verify_inclusion,
)
from tests.ledger import reference

MOST = 130
LEAVES = [reference.leaf(b"%d" % number) for number in range(MOST)]
hashes = st.binary(min_size=32, max_size=32)
large = st.integers(min_value=1, max_value=MAX_TREE_SIZE)


@cache
def root(start: int, stop: int) -> bytes:
    """MTH over LEAVES[start:stop]."""
    return reference.mth(LEAVES[start:stop])


def read(level: int, index: int) -> bytes:
    """A node of the tree over all LEAVES."""
    return root(index << level, (index + 1) << level)


def flipped(data: bytes, bit: int) -> bytes:
    """The same bytes but for one bit."""
    return (int.from_bytes(data, "big") ^ 1 << bit).to_bytes(len(data), "big")


def is_included(leaf: bytes, index: int, size: int, proof: list[bytes], head: bytes) -> bool:
    """The verdict as a boolean; any other error than BadProof is a defect and comes through."""
    try:
        verify_inclusion(leaf, index, size, proof, head)
    except BadProof:
        return False
    return True


def is_consistent(old: int, new: int, first: bytes, second: bytes, proof: list[bytes]) -> bool:
    """The verdict as a boolean; any other error than BadProof is a defect and comes through."""
    try:
        verify_consistency(old, new, first, second, proof)
    except BadProof:
        return False
    return True


def maimed(proof: list[bytes], dice: random.Random) -> list[list[bytes]]:
    """A proof cut short or made longer anywhere, with hashes swapped, one of another length, a bit flipped."""
    extra = dice.randbytes(32)
    found = [proof[:at] for at in range(len(proof))] + [proof[at:] for at in range(1, len(proof))]
    found += [[*proof[:at], extra, *proof[at:]] for at in range(len(proof) + 1)]
    for at, item in enumerate(proof):
        for other in (flipped(item, dice.randrange(256)), item[:-1], item + b"\0", b""):
            found.append([*proof[:at], other, *proof[at + 1 :]])
        if at:
            found.append([*proof[: at - 1], item, proof[at - 1], *proof[at + 1 :]])
    return found


def test_hashes_are_those_of_the_definition() -> None:
    """Leaves, nodes, levels and growing trees hash as RFC 6962 writes them, one by one and in rows."""
    entries = [b"", b"a", b"\x00" * 65_535]
    assert leaf_hashes(entries) == [reference.leaf(entry) for entry in entries]
    assert [leaf_hash(entry) for entry in entries] == leaf_hashes(entries)
    assert node_hash(LEAVES[0], LEAVES[1]) == reference.node(LEAVES[0], LEAVES[1])
    assert fold_level(LEAVES[:4]) == [root(0, 2), root(2, 4)]
    frontier = Frontier()
    for size in range(1, MOST + 1):
        frontier.append(LEAVES[size - 1])
        assert frontier.root() == root(0, size)


def test_every_small_inclusion_proof_is_the_definitions() -> None:
    """For every index of every size up to 130 the proof is PATH, verifies, and at no neighbouring index."""
    for size in range(1, MOST + 1):
        head = root(0, size)
        for index in range(size):
            proof = inclusion_proof(index, size, read)
            assert proof == reference.path(index, 0, size, root)
            verify_inclusion(LEAVES[index], index, size, proof, head)
            for at in {index - 1, index + 1, index ^ 1, size - 1 - index, size} - {index}:
                assert not is_included(LEAVES[index], at, size, proof, head)


def test_every_small_consistency_proof_is_the_definitions() -> None:
    """For every pair of sizes up to 130 the proof is PROOF, verifies, and from no other old size."""
    for new in range(1, MOST + 1):
        for old in range(1, new):
            proof = consistency_proof(old, new, read)
            assert proof == reference.proof(old, 0, new, root)
            first, second = root(0, old), root(0, new)
            assert is_consistent(old, new, first, second, proof)
            assert not is_consistent(old - 1, new, first, second, proof)
            assert not is_consistent(old + 1, new, first, second, proof)


def test_every_small_inclusion_proof_fails_when_maimed(dice: random.Random) -> None:
    """Cut, extended, reordered, with a hash of another length or one random bit flipped, none verifies."""
    for size in range(1, MOST + 1):
        for index in range(0, size, 1 + size // 16):
            proof = inclusion_proof(index, size, read)
            for other in maimed(proof, dice):
                assert not is_included(LEAVES[index], index, size, other, root(0, size))


def test_every_small_consistency_proof_fails_when_maimed(dice: random.Random) -> None:
    """Cut, extended, reordered, with a hash of another length or one random bit flipped, none verifies."""
    for new in range(2, MOST + 1):
        for old in range(1, new, 1 + new // 16):
            proof = consistency_proof(old, new, read)
            for other in maimed(proof, dice):
                assert not is_consistent(old, new, root(0, old), root(0, new), other)


@pytest.mark.parametrize(("index", "size"), [(0, 1), (4, 7), (6, 7), (100, 130), (129, 130)])
def test_every_bit_of_an_inclusion_proof_counts(index: int, size: int) -> None:
    """Whichever single bit of leaf, proof or root is flipped, the proof fails."""
    proof, head = inclusion_proof(index, size, read), root(0, size)
    for bit in range(256):
        assert not is_included(flipped(LEAVES[index], bit), index, size, proof, head)
        assert not is_included(LEAVES[index], index, size, proof, flipped(head, bit))
        for at, item in enumerate(proof):
            other = [*proof[:at], flipped(item, bit), *proof[at + 1 :]]
            assert not is_included(LEAVES[index], index, size, other, head)


@pytest.mark.parametrize(("old", "new"), [(1, 2), (3, 7), (4, 7), (6, 8), (99, 130), (128, 130)])
def test_every_bit_of_a_consistency_proof_counts(old: int, new: int) -> None:
    """Whichever single bit of either root or of the proof is flipped, the proof fails."""
    proof, first, second = consistency_proof(old, new, read), root(0, old), root(0, new)
    for bit in range(256):
        assert not is_consistent(old, new, flipped(first, bit), second, proof)
        assert not is_consistent(old, new, first, flipped(second, bit), proof)
        for at, item in enumerate(proof):
            other = [*proof[:at], flipped(item, bit), *proof[at + 1 :]]
            assert not is_consistent(old, new, first, second, other)


@settings(max_examples=300)
@given(large, st.data())
def test_large_inclusion_proof_leads_where_the_definition_leads(
    size: int, data: st.DataObject
) -> None:
    """In trees of any size up to 2^63 - 1 the climb is the recursive one, and a bit or a step away it is not."""
    index = data.draw(st.integers(min_value=0, max_value=size - 1))
    dice = random.Random(data.draw(st.integers()))
    length = reference.shape_of_path(index, size)
    proof, leaf = [dice.randbytes(32) for _ in range(length)], dice.randbytes(32)
    head = reference.climb(leaf, index, size, proof)
    assert length <= 63
    assert is_included(leaf, index, size, proof, head)
    for other in maimed(proof, dice):
        assert not is_included(leaf, index, size, other, head)
    for at in {index - 1, index + 1, index ^ 1, size - 1 - index} - {index}:
        assert not is_included(leaf, at, size, proof, head)


@settings(max_examples=300)
@given(large, st.data())
def test_large_consistency_proof_leads_where_the_definition_leads(
    new: int, data: st.DataObject
) -> None:
    """In trees of any size up to 2^63 - 1 both climbs are the recursive ones, and a bit or a step away they are not."""
    old = data.draw(st.integers(min_value=1, max_value=new))
    dice = random.Random(data.draw(st.integers()))
    length = reference.shape_of_growth(old, new)
    proof, seed = [dice.randbytes(32) for _ in range(length)], dice.randbytes(32)
    first, second = reference.grow(old, new, seed, proof)
    assert length <= 64
    assert is_consistent(old, new, first, second, proof)
    for other in maimed(proof, dice):
        assert not is_consistent(old, new, first, second, other)
    assert old == new or not is_consistent(old, new, second, first, proof)


@pytest.mark.parametrize(("index", "size"), [(7, 7), (8, 7), (-1, 7), (0, 0), (0, -1)])
def test_leaf_outside_its_tree_is_refused_by_name(index: int, size: int) -> None:
    """An index at or beyond the size is told as such, before any hash is looked at."""
    with pytest.raises(BadProof, match=f"index {index} lies outside a tree of {size}"):
        verify_inclusion(LEAVES[0], index, size, [b"?"], root(0, 7))


@pytest.mark.parametrize("size", [2**63, 2**64, 2**200])
def test_tree_that_no_log_can_have_is_refused(size: int) -> None:
    """Sizes end at 2^63 - 1, so that a proof has at most 63 hashes, however well the hashes fit."""
    proof = [LEAVES[0]] * reference.shape_of_path(0, size)
    with pytest.raises(BadProof, match="no tree has"):
        verify_inclusion(LEAVES[0], 0, size, proof, reference.climb(LEAVES[0], 0, size, proof))
    with pytest.raises(BadProof, match="no tree has"):
        verify_consistency(1, size, LEAVES[0], LEAVES[0], proof)


def test_proof_of_a_wrong_length_says_which(dice: random.Random) -> None:
    """Longer, shorter, empty and a hash that is none: four messages, and the hash is named before the length."""
    proof, head = inclusion_proof(4, 7, read), root(0, 7)
    odd = [*proof, b"short"]
    for other, told in ((odd[:-1] * 2, "longer"), (proof[1:], "shorter"), (odd, "not 32 bytes")):
        with pytest.raises(BadProof, match=told):
            verify_inclusion(LEAVES[4], 4, 7, other, head)
        with pytest.raises(BadProof, match=told):
            verify_consistency(5, 7, root(0, 5), head, other)
    with pytest.raises(BadProof, match="empty"):
        verify_consistency(5, 7, root(0, 5), head, [])
    for short in (LEAVES[4][:31], LEAVES[4] + b"\0", b""):
        with pytest.raises(BadProof, match="not 32 bytes"):
            verify_inclusion(short, 4, 7, proof, head)
        with pytest.raises(BadProof, match="not 32 bytes"):
            verify_consistency(5, 7, short, head, consistency_proof(5, 7, read))


def test_lone_leaf_is_its_own_root_and_32_bytes_long() -> None:
    """In a tree of one leaf there is no path, but a root that is no hash is none even where the leaf repeats it."""
    verify_inclusion(LEAVES[0], 0, 1, [], LEAVES[0])
    with pytest.raises(BadProof, match="not 32 bytes"):
        verify_inclusion(b"root", 0, 1, [], b"root")


@settings(max_examples=50)
@given(st.lists(hashes, min_size=2, max_size=40), st.data())
def test_hashes_that_add_up_to_the_right_length_are_refused(
    items: list[bytes], data: st.DataObject
) -> None:
    """A byte moved from one hash of a proof to the next is not the same proof."""
    size = 1 << len(items)
    at = data.draw(st.integers(min_value=1, max_value=len(items) - 1))
    head = reference.climb(LEAVES[0], 0, size, items)
    moved = [*items[: at - 1], items[at - 1] + items[at][:1], items[at][1:], *items[at + 1 :]]
    assert is_included(LEAVES[0], 0, size, items, head)
    assert not is_included(LEAVES[0], 0, size, moved, head)


@pytest.mark.parametrize("length", [0, 31, 33, 64])
def test_tree_over_hashes_of_another_length_is_no_tree(length: int) -> None:
    """A log that hashes something else than 32 bytes into its root cannot prove anything under it."""
    for size in (2, 7, 100):
        for at in range(reference.shape_of_path(1, size)):
            proof = [bytes(length if at == place else 32) for place in range(7)]
            proof = proof[: reference.shape_of_path(1, size)]
            head = reference.climb(LEAVES[1], 1, size, proof)
            with pytest.raises(BadProof, match="not 32 bytes"):
                verify_inclusion(LEAVES[1], 1, size, proof, head)
    for at in range(reference.shape_of_growth(3, 7)):
        proof = [bytes(length if at == place else 32) for place in range(4)]
        first, second = reference.grow(3, 7, LEAVES[0], proof)
        with pytest.raises(BadProof, match="not 32 bytes"):
            verify_consistency(3, 7, first, second, proof)
