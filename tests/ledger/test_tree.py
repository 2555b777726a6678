from __future__ import annotations

import hashlib
from functools import cache

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sekisho.ledger.tree import (
    EMPTY_ROOT,
    BadProof,
    Frontier,
    NodeReader,
    consistency_proof,
    inclusion_proof,
    leaf_hash,
    node_hash,
    verify_consistency,
    verify_inclusion,
)
from sekisho.model.errors import InvalidInput

MOST = 300
LEAVES = [leaf_hash(str(number).encode()) for number in range(MOST)]
# The eight leaves of the reference tree of RFC 6962 implementations, and its roots at each size.
REFERENCE = [
    bytes.fromhex(text)
    for text in (
        "",
        "00",
        "10",
        "2021",
        "3031",
        "40414243",
        "5051525354555657",
        "606162636465666768696a6b6c6d6e6f",
    )
]
REFERENCE_ROOTS = [
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]


@cache
def slow_root(start: int, stop: int) -> bytes:
    """MTH of RFC 6962 section 2.1, word for word."""
    if start == stop:
        return hashlib.sha256(b"").digest()
    if stop - start == 1:
        return LEAVES[start]
    split = 1
    while split * 2 < stop - start:
        split *= 2
    return node_hash(slow_root(start, start + split), slow_root(start + split, stop))


def reader(size: int) -> NodeReader:
    """Reads nodes by the recursive definition, and only such as lie in the tree."""

    def read(level: int, index: int) -> bytes:
        start, stop = index << level, (index + 1) << level
        assert stop <= size
        return slow_root(start, stop)

    return read


sizes = st.integers(min_value=1, max_value=MOST)


def test_roots_match_the_reference_tree() -> None:
    """The reference tree has the published root at each of its sizes."""
    frontier = Frontier()
    for entry, root in zip(REFERENCE, REFERENCE_ROOTS, strict=True):
        frontier.append(leaf_hash(entry))
        assert frontier.root().hex() == root


def test_empty_tree_has_the_hash_of_nothing() -> None:
    """The root of no leaves is SHA-256 of the empty string."""
    assert Frontier().root() == EMPTY_ROOT == hashlib.sha256(b"").digest()


@given(st.integers(min_value=0, max_value=MOST))
def test_frontier_gives_the_root_of_the_definition(size: int) -> None:
    """Appending one by one yields the recursive definition's root, and stores one root a set bit."""
    frontier = Frontier()
    frontier.extend(LEAVES[:size])
    assert frontier.root() == slow_root(0, size)
    assert len(frontier.roots) == size.bit_count()


@given(sizes, st.data())
def test_frontier_resumes_where_it_stood(size: int, data: st.DataObject) -> None:
    """A frontier built again from size and roots goes on to the same root."""
    cut = data.draw(st.integers(min_value=0, max_value=size))
    first = Frontier()
    first.extend(LEAVES[:cut])
    second = Frontier(first.size, first.roots)
    second.extend(LEAVES[cut:size])
    assert second.root() == slow_root(0, size)


def test_frontier_refuses_roots_that_do_not_fit_its_size() -> None:
    """A frontier of three leaves has two perfect subtrees."""
    with pytest.raises(InvalidInput):
        Frontier(3, [bytes(32)])


@given(sizes, st.data())
def test_inclusion_proof_verifies_only_where_it_belongs(size: int, data: st.DataObject) -> None:
    """Every proof built verifies, and not for another leaf, index, size, root, order or bit."""
    index = data.draw(st.integers(min_value=0, max_value=size - 1))
    proof = inclusion_proof(index, size, reader(size))
    root = slow_root(0, size)
    verify_inclusion(LEAVES[index], index, size, proof, root)
    wrong = [
        (leaf_hash(b"another"), index, size, proof, root),
        (LEAVES[index], index, size, proof, bytes(32)),
        (LEAVES[index], index, size, [*proof, bytes(32)], root),
        (LEAVES[index], index, size, [bytes(32), *proof], root),
        (LEAVES[index], size, size, proof, root),
        (LEAVES[index], -1, size, proof, root),
    ]
    if proof:
        spot = data.draw(st.integers(min_value=0, max_value=len(proof) - 1))
        flipped = bytearray(proof[spot])
        flipped[data.draw(st.integers(min_value=0, max_value=31))] ^= 1
        wrong += [
            (LEAVES[index], index, size, proof[:-1], root),
            (LEAVES[index], index, size, [*proof[:spot], bytes(flipped), *proof[spot + 1 :]], root),
            (LEAVES[index], index, size, [*proof[:spot], b"", *proof[spot + 1 :]], root),
        ]
    for leaf, at, of, hashes, head in wrong:
        with pytest.raises(BadProof):
            verify_inclusion(leaf, at, of, hashes, head)


@given(sizes, st.data())
def test_inclusion_proof_does_not_verify_at_another_index(size: int, data: st.DataObject) -> None:
    """A leaf is shown at its own index only."""
    index = data.draw(st.integers(min_value=0, max_value=size - 1))
    other = (
        data.draw(st.integers(min_value=0, max_value=size - 1).filter(lambda n: n != index))
        if size > 1
        else 1
    )
    proof = inclusion_proof(index, size, reader(size))
    with pytest.raises(BadProof):
        verify_inclusion(LEAVES[index], other, size, proof, slow_root(0, size))


@given(sizes, st.data())
def test_consistency_proof_verifies_only_between_its_trees(size: int, data: st.DataObject) -> None:
    """Every proof built verifies, and not with other roots, more, fewer or changed hashes."""
    old = data.draw(st.integers(min_value=1, max_value=size))
    proof = consistency_proof(old, size, reader(size))
    first, second = slow_root(0, old), slow_root(0, size)
    verify_consistency(old, size, first, second, proof)
    wrong = [
        (first, bytes(32), proof),
        (bytes(32), second, proof),
        (first, second, [*proof, bytes(32)]),
        (first, second, [bytes(32), *proof]),
    ]
    if proof:
        spot = data.draw(st.integers(min_value=0, max_value=len(proof) - 1))
        flipped = bytearray(proof[spot])
        flipped[0] ^= 16
        wrong += [
            (second, first, proof),
            (first, second, proof[:-1]),
            (first, second, [*proof[:spot], bytes(flipped), *proof[spot + 1 :]]),
        ]
    for head, later, hashes in wrong:
        with pytest.raises(BadProof):
            verify_consistency(old, size, head, later, hashes)


def test_all_small_trees_prove_every_pair() -> None:
    """For every size up to 40 and every smaller size the consistency proof verifies, and the swap does not."""
    for size in range(1, 41):
        for old in range(1, size):
            proof = consistency_proof(old, size, reader(size))
            verify_consistency(old, size, slow_root(0, old), slow_root(0, size), proof)
            with pytest.raises(BadProof):
                verify_consistency(size, old, slow_root(0, size), slow_root(0, old), proof)


def test_proof_from_the_empty_tree_is_refused() -> None:
    """Nothing follows from the empty tree, so no proof from it holds."""
    with pytest.raises(BadProof):
        verify_consistency(0, 1, EMPTY_ROOT, LEAVES[0], [])
    verify_consistency(0, 0, EMPTY_ROOT, EMPTY_ROOT, [])


@pytest.mark.parametrize(("index", "size"), [(0, 0), (1, 1), (-1, 2)])
def test_no_inclusion_proof_outside_the_tree(index: int, size: int) -> None:
    """A proof for a leaf that is not there cannot be built."""
    with pytest.raises(InvalidInput):
        inclusion_proof(index, size, reader(size))


def test_no_consistency_proof_backwards() -> None:
    """A proof that a log shrank cannot be built."""
    with pytest.raises(InvalidInput):
        consistency_proof(2, 1, reader(2))
