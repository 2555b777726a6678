"""Trees and proofs beside pymerkle, which somebody else wrote: the same roots; each checks the other's proofs."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pymerkle import InmemoryTree, InvalidProof  # type: ignore[import-untyped]  # it has no types
from pymerkle.proof import InclusionProof  # type: ignore[import-untyped]  # it has no types

from sekisho.ledger.tree import (
    BadProof,
    Frontier,
    NodeReader,
    consistency_proof,
    inclusion_proof,
    leaf_hash,
    verify_consistency,
    verify_inclusion,
)
from tests.ledger import reference

entries = st.lists(st.binary(max_size=20), min_size=1, max_size=70)


def tree_of(items: Sequence[bytes]) -> InmemoryTree:
    """The other program's tree of the same entries."""
    tree = InmemoryTree(algorithm="sha256")
    for item in items:
        tree.append_entry(item)
    return tree


def reader(items: Sequence[bytes]) -> NodeReader:
    """Nodes by the definition."""
    leaves = [leaf_hash(item) for item in items]
    return lambda level, index: reference.mth(leaves[index << level : (index + 1) << level])


def as_theirs(index: int, size: int, path: Sequence[bytes]) -> InclusionProof:
    """Our proof as their value: leaves count from one there, and the path opens with the leaf."""
    rule = InmemoryTree.init_from_entries([b""] * size).prove_inclusion(index + 1, size).rule
    return InclusionProof("sha256", True, size, index + 1, rule, list(path))


@settings(max_examples=60)
@given(entries)
def test_roots_are_the_same_at_every_size(items: list[bytes]) -> None:
    """Growing entry by entry, both name one root after each."""
    theirs, ours = tree_of(items), Frontier()
    for size, item in enumerate(items, start=1):
        ours.append(leaf_hash(item))
        assert ours.root() == theirs.get_root(size)


@settings(max_examples=60)
@given(entries, st.data())
def test_inclusion_proofs_verify_both_ways(items: list[bytes], data: st.DataObject) -> None:
    """Their proof holds here and ours there; with one hash changed neither is taken by the other."""
    size = data.draw(st.integers(min_value=1, max_value=len(items)))
    index = data.draw(st.integers(min_value=0, max_value=size - 1))
    tree, leaf = tree_of(items), leaf_hash(items[index])
    root, theirs = tree.get_root(size), tree.prove_inclusion(index + 1, size)
    ours = inclusion_proof(index, size, reader(items))
    assert theirs.path == [leaf, *ours]
    verify_inclusion(leaf, index, size, theirs.path[1:], root)
    as_theirs(index, size, [leaf, *ours]).verify(leaf, root)
    if ours:
        wrong = [*ours[:-1], bytes(32)]
        with pytest.raises(BadProof):
            verify_inclusion(leaf, index, size, wrong, root)
        with pytest.raises(InvalidProof):
            as_theirs(index, size, [leaf, *wrong]).verify(leaf, root)


@settings(max_examples=60)
@given(entries, st.data())
def test_consistency_proofs_agree(items: list[bytes], data: st.DataObject) -> None:
    """Their proof under our roots, ours under theirs: both hold, and neither under a root that is not the old one.

    Their layout is not RFC 6962's: it descends beside the old tree's edge, so the hashes themselves differ.
    """
    new = data.draw(st.integers(min_value=1, max_value=len(items)))
    old = data.draw(st.integers(min_value=1, max_value=new))
    tree, nodes = tree_of(items), reader(items)
    leaves = [leaf_hash(item) for item in items]
    theirs, ours = tree.prove_consistency(old, new), consistency_proof(old, new, nodes)
    theirs.verify(reference.mth(leaves[:old]), reference.mth(leaves[:new]))
    first, second = tree.get_root(old), tree.get_root(new)
    verify_consistency(old, new, first, second, ours)
    if old < new:
        with pytest.raises(BadProof):
            verify_consistency(old, new, second, second, ours)
        with pytest.raises(InvalidProof):
            theirs.verify(second, second)
