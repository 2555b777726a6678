from __future__ import annotations

import random
from functools import cache

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sekisho.ledger import proven
from sekisho.ledger import tree as tree_module
from sekisho.ledger.proven import ProvenTree
from sekisho.ledger.tree import MAX_TREE_SIZE, BadProof, inclusion_proof, verify_inclusion
from tests.ledger import reference

SIZES = (1, 7, 255, 256, 257, 511, 512, 513, 600, 1024, 1300)
LEAVES = [reference.leaf(b"%d" % number) for number in range(max(SIZES))]


@cache
def root(start: int, stop: int) -> bytes:
    return reference.mth(LEAVES[start:stop])


def read(level: int, index: int) -> bytes:
    return root(index << level, (index + 1) << level)


def told(tree: ProvenTree, leaf: bytes, index: int, proof: list[bytes]) -> str:
    """What the tree that remembers says: nothing, or the reason against."""
    try:
        tree.verify_inclusion(leaf, index, proof)
    except BadProof as error:
        return error.message
    return ""


def plainly(tree: ProvenTree, leaf: bytes, index: int, proof: list[bytes]) -> str:
    """What the check from end to end says."""
    try:
        verify_inclusion(leaf, index, tree.size, proof, tree.root)
    except BadProof as error:
        return error.message
    return ""


@pytest.mark.parametrize("size", SIZES)
def test_every_entry_of_a_tree_is_shown_again_and_again(size: int) -> None:
    """Whatever was remembered before, each proof holds at its index and not at its neighbour's."""
    tree = ProvenTree(size, root(0, size))
    for _ in range(2):
        for index in range(0, size, 7):
            proof = inclusion_proof(index, size, read)
            assert told(tree, LEAVES[index], index, proof) == ""
            assert told(tree, LEAVES[index], index ^ 1, proof) != ""


@settings(max_examples=150)
@given(st.sampled_from(SIZES), st.data())
def test_what_is_remembered_never_changes_a_verdict(size: int, data: st.DataObject) -> None:
    """Sound proofs and proofs changed in one place, in any order: verdict and words of the check from end to end."""
    tree = ProvenTree(size, root(0, size))
    dice = random.Random(data.draw(st.integers()))
    for _ in range(12):
        index = dice.randrange(size)
        leaf, proof, at = LEAVES[index], inclusion_proof(index, size, read), index
        match dice.randrange(8):
            case 0 if proof:
                spot = dice.randrange(len(proof))
                proof[spot] = dice.choice([dice.randbytes(32), proof[spot][:-1], b"", LEAVES[0]])
            case 1 if proof:
                del proof[dice.randrange(len(proof))]
            case 2:
                proof.insert(dice.randrange(len(proof) + 1), dice.randbytes(32))
            case 3:
                at = dice.randrange(-3, size + 300)
            case 4:
                leaf = dice.choice([dice.randbytes(32), leaf[:-1], leaf + b"\0"])
            case _:
                pass
        assert told(tree, leaf, at, proof) == plainly(tree, leaf, at, proof)


def test_proof_that_failed_is_not_remembered() -> None:
    """Whoever sends a wrong way first does not make it the known one."""
    tree = ProvenTree(1024, root(0, 1024))
    proof = inclusion_proof(300, 1024, read)
    wrong = [*proof[:-1], bytes(32)]
    for _ in range(3):
        assert told(tree, LEAVES[300], 300, wrong) == "the proof leads to another root"
    assert told(tree, LEAVES[300], 300, proof) == ""
    assert told(tree, LEAVES[300], 300, wrong) == "the proof leads to another root"


def test_known_subtree_spares_the_way_above_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """After one proof through a subtree the next one is hashed to the subtree's root and no further."""
    climbed = list[int]()

    def climb(node: bytes, sides: int, siblings: list[bytes]) -> bytes:
        climbed.append(len(siblings))
        return tree_module.climb(node, sides, siblings)

    monkeypatch.setattr(proven, "climb", climb)
    tree = ProvenTree(1300, root(0, 1300))
    tree.verify_inclusion(LEAVES[300], 300, inclusion_proof(300, 1300, read))
    assert sum(climbed) == len(inclusion_proof(300, 1300, read)) == 11
    climbed.clear()
    tree.verify_inclusion(LEAVES[301], 301, inclusion_proof(301, 1300, read))
    assert climbed == [8]


def test_memory_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """Beyond the most that is remembered it begins anew, and goes on to be right."""
    monkeypatch.setattr(proven, "MOST", 2)
    tree = ProvenTree(1300, root(0, 1300))
    for index in range(0, 1300, 50):
        tree.verify_inclusion(LEAVES[index], index, inclusion_proof(index, 1300, read))
        assert len(tree._shown) <= 2


@pytest.mark.parametrize("size", [0, -1, MAX_TREE_SIZE + 1, 2**64])
def test_tree_that_cannot_be_shows_nothing(size: int) -> None:
    """No size below one and none above 2^63 - 1, however well the hashes fit."""
    proof = [LEAVES[0]] * (reference.shape_of_path(0, size) if size > 0 else 0)
    head = reference.climb(LEAVES[0], 0, size, proof) if size > 0 else LEAVES[0]
    with pytest.raises(BadProof, match=r"no tree has|lies outside"):
        ProvenTree(size, head).verify_inclusion(LEAVES[0], 0, proof)
