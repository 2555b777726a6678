"""The tree over an order's hosts: in if and only if in, and no proof that can be bent."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sekisho.ledger import EMPTY_ROOT
from sekisho.model.errors import InvalidInput, VerificationError
from sekisho.model.membership import LeafProof, Membership
from sekisho.model.wire import canonical, from_json, parse_json
from sekisho.orders.membership import (
    ForeignMembership,
    ForgedMembership,
    HostTree,
    decide_membership,
    host_leaf,
    sealed_leaf,
    sealed_leaves,
    verify_absence,
    verify_membership,
)

IDS = st.text(alphabet="abcd-/0123", min_size=1, max_size=8).map(host_leaf)
SETS = st.sets(IDS, max_size=40)


@given(SETS, IDS)
def test_a_leaf_is_proved_in_if_and_only_if_it_is_in(leaves: set[bytes], leaf: bytes) -> None:
    """Of any leaf and any set the one true proof is made, and it verifies."""
    tree = HostTree(leaves)
    proof = tree.prove(leaf)

    assert (proof.says == "in") == (leaf in leaves) == (leaf in tree)
    assert decide_membership(proof, leaf, root=tree.root, size=tree.size) == proof.says


@given(SETS, IDS, IDS)
def test_no_proof_of_one_leaf_shows_the_contrary_of_another(
    leaves: set[bytes], leaf: bytes, other: bytes
) -> None:
    """A proof that verifies for a leaf says the truth about it, whosever proof it was."""
    tree = HostTree(leaves)
    try:
        told = decide_membership(tree.prove(other), leaf, root=tree.root, size=tree.size)
    except (ForgedMembership, ForeignMembership):
        return
    assert (told == "in") == (leaf in leaves)


@settings(max_examples=60)
@given(st.sets(IDS, min_size=1, max_size=12), IDS, st.data())
def test_each_changed_bit_of_a_proof_is_found(
    leaves: set[bytes], leaf: bytes, data: st.DataObject
) -> None:
    """One bit of a leaf, an index or a path, and the proof is none."""
    tree = HostTree(leaves)
    proof = tree.prove(leaf)
    place = data.draw(st.integers(0, len(proof.leaves) - 1))
    shown = data.draw(st.sampled_from(_bent(proof.leaves[place])))
    bent = msgspec.structs.replace(
        proof, leaves=(*proof.leaves[:place], shown, *proof.leaves[place + 1 :])
    )
    with pytest.raises((ForgedMembership, ForeignMembership)):
        decide_membership(bent, leaf, root=tree.root, size=tree.size)


@given(st.sets(IDS, min_size=1, max_size=12), IDS, st.integers(0, 255))
def test_each_changed_bit_of_the_root_is_found(leaves: set[bytes], leaf: bytes, bit: int) -> None:
    """A proof under a root that was not signed is none."""
    tree = HostTree(leaves)
    root = (int(tree.root, 16) ^ (1 << bit)).to_bytes(32, "big").hex()
    with pytest.raises(ForgedMembership):
        decide_membership(tree.prove(leaf), leaf, root=root, size=tree.size)


@given(st.sets(IDS, min_size=2, max_size=12), IDS, st.integers(0, 12))
def test_another_count_than_the_one_signed_proves_no_falsehood(
    leaves: set[bytes], leaf: bytes, size: int
) -> None:
    """Under a count that is a lie a proof fails, or still says the truth."""
    tree = HostTree(leaves)
    try:
        told = decide_membership(tree.prove(leaf), leaf, root=tree.root, size=size)
    except (ForgedMembership, ForeignMembership):
        return
    assert (told == "in") == (leaf in leaves)


@pytest.mark.parametrize("says", ["in", "out"])
def test_a_proof_that_calls_itself_the_contrary(says: str) -> None:
    """Whoever renames a proof proves nothing."""
    tree = HostTree([b"a", b"c"])
    proof = tree.prove(b"a" if says == "out" else b"b")
    bent = msgspec.structs.replace(proof, says=says)
    with pytest.raises(VerificationError):
        decide_membership(bent, b"a" if says == "out" else b"b", root=tree.root, size=tree.size)


def test_neighbours_that_are_not_adjacent_show_no_gap() -> None:
    """Two leaves with one between them do not show that this one is absent."""
    tree = HostTree([b"a", b"b", b"c"])
    first, last = (tree.prove(leaf).leaves[0] for leaf in (b"a", b"c"))
    forged = Membership(says="out", leaves=(first, last))
    with pytest.raises(ForgedMembership, match="edges"):
        verify_absence(forged, b"b", root=tree.root, size=tree.size)


def test_one_leaf_that_is_no_edge_shows_no_gap() -> None:
    """A single neighbour counts at the ends of the tree only."""
    tree = HostTree([b"a", b"b", b"c"])
    forged = Membership(says="out", leaves=tree.prove(b"b").leaves)
    with pytest.raises(ForgedMembership):
        verify_absence(forged, b"bb", root=tree.root, size=tree.size)


def test_the_only_leaf_has_an_edge_on_either_side() -> None:
    """Before and behind a tree of one leaf there is nobody; the leaf itself is not absent."""
    tree = HostTree([b"b"])
    for leaf in (b"a", b"c"):
        verify_absence(tree.prove(leaf), leaf, root=tree.root, size=1)
    shown = Membership(says="out", leaves=tree.prove(b"b").leaves)
    with pytest.raises(ForeignMembership):
        verify_absence(shown, b"b", root=tree.root, size=1)


def test_in_an_empty_scope_nobody_is() -> None:
    """Its root is that of the empty tree; under any other root emptiness proves nothing."""
    tree = HostTree([])
    proof = tree.prove(b"a")
    assert (tree.root, tree.size) == (EMPTY_ROOT.hex(), 0)
    verify_absence(proof, b"a", root=tree.root, size=0)
    with pytest.raises(ForgedMembership):
        verify_absence(proof, b"a", root=HostTree([b"a"]).root, size=0)


def test_an_empty_proof_of_a_tree_with_hosts() -> None:
    """Nothing shown is nothing proved."""
    tree = HostTree([b"a"])
    with pytest.raises(ForgedMembership):
        verify_absence(Membership(says="out"), b"b", root=tree.root, size=1)
    with pytest.raises(ForgedMembership):
        verify_membership(Membership(says="in"), b"a", root=tree.root, size=1)


def test_no_proof_is_no_word() -> None:
    """Without a proof nothing is known."""
    assert decide_membership(None, b"a", root="0" * 64, size=3) == "unknown"


@given(st.sets(st.text(alphabet="abc", min_size=1, max_size=4), max_size=8), st.binary(min_size=1))
def test_a_sealed_tree_holds_its_hosts_among_fillers(hosts: set[str], salt: bytes) -> None:
    """Whoever has no salt sees as many leaves whatever the number of hosts."""
    leaves = sealed_leaves(salt, hosts, 8)
    tree = HostTree(leaves)

    assert (len(leaves), tree.size, leaves) == (8, 8, sorted(leaves))
    assert all(sealed_leaf(salt, host) in tree for host in hosts)
    assert sealed_leaf(salt, "nobody") not in tree


def test_more_hosts_than_leaves_are_no_sealed_order() -> None:
    """The padding holds all of them or the draft is refused."""
    with pytest.raises(InvalidInput, match="do not fit"):
        sealed_leaves(b"salt", ("a", "b", "c"), 2)


@given(SETS, IDS)
def test_a_proof_survives_the_wire(leaves: set[bytes], leaf: bytes) -> None:
    """Written canonically and read strictly it is the same proof."""
    proof = HostTree(leaves).prove(leaf)
    assert from_json(Membership, parse_json(canonical(proof)), path="membership") == proof


@pytest.mark.parametrize(
    "text",
    [
        '{"says":"perhaps"}',
        '{"says":"in","leaves":[{"leaf":"zz","index":0}]}',
        '{"says":"in","leaves":[{"leaf":"61","index":-1}]}',
        '{"says":"in","leaves":[{"leaf":"61","index":0,"path":["00"]}]}',
        '{"says":"out","leaves":[{"leaf":"61","index":0},{"leaf":"62","index":1},{"leaf":"63","index":2}]}',
        "[]",
    ],
)
def test_what_is_no_proof_is_refused_by_its_field(text: str) -> None:
    """A proof from outside is read strictly."""
    with pytest.raises(InvalidInput, match="membership"):
        from_json(Membership, parse_json(text), path="membership")


def _bent(shown: LeafProof) -> list[LeafProof]:
    """One leaf's proof with one bit changed, at every place where there is one."""
    replace = msgspec.structs.replace
    found = [replace(shown, leaf=_flipped(shown.leaf, bit)) for bit in range(4 * len(shown.leaf))]
    found += [replace(shown, index=shown.index ^ (1 << bit)) for bit in range(16)]
    for place, each in enumerate(shown.path):
        for bit in (0, 100, 255):
            path = (*shown.path[:place], _flipped(each, bit), *shown.path[place + 1 :])
            found.append(replace(shown, path=path))
    return [*found, replace(shown, path=(*shown.path, "0" * 64))]


def _flipped(text: str, bit: int) -> str:
    raw = bytearray.fromhex(text)
    raw[bit // 8] ^= 1 << bit % 8
    return raw.hex()
