"""Who is among the hosts that an order names: a Merkle tree over their sorted leaves, and proofs that tell one host.

Pure. A resolved scope's leaf is the host id's bytes; a sealed order's is SHA-256(salt || host id), among fillers, so
that the tree tells nobody how many hosts there are. Root and count of leaves are in the order that was signed, so a
proof can be given by anybody and forged by nobody. Absence is shown by the two neighbours, whose places are adjacent.
Source: protocol section 8; hashes and paths as in RFC 6962 section 2.1.
"""

from __future__ import annotations

import bisect
import hashlib
from collections.abc import Iterable

from sekisho.ledger.tree import (
    EMPTY_ROOT,
    BadProof,
    fold_level,
    inclusion_proof,
    leaf_hash,
    leaf_hashes,
    subtree_root,
    verify_inclusion,
)
from sekisho.model.errors import InvalidInput, VerificationError
from sekisho.model.membership import LeafProof, Membership, MembershipShown

__all__ = [
    "ForeignMembership",
    "ForgedMembership",
    "HostTree",
    "LeafProof",
    "Membership",
    "MembershipShown",
    "decide_membership",
    "host_leaf",
    "sealed_leaf",
    "sealed_leaves",
    "verify_absence",
    "verify_membership",
]


class ForgedMembership(VerificationError):
    """A proof of membership or absence that does not lead to the root which the order's signers signed."""

    code = "forged-membership"


class ForeignMembership(VerificationError):
    """A proof of membership or absence that is about another host."""

    code = "foreign-membership"


class HostTree:
    """The tree over the leaves of the hosts that an order names; built once, asked for each host.

    `root` is in hexadecimal, `size` the count of leaves. Leaves are sorted by their bytes; no leaf stands twice.
    """

    __slots__ = ("_levels", "leaves", "root", "size")

    def __init__(self, leaves: Iterable[bytes]) -> None:
        self.leaves = sorted(set(leaves))
        self.size = len(self.leaves)
        self._levels = [leaf_hashes(self.leaves)]
        while len(self._levels[-1]) > 1:
            row = self._levels[-1]
            self._levels.append(fold_level(row[: len(row) & ~1]))
        self.root = subtree_root(0, self.size, self._read).hex()

    def __contains__(self, leaf: bytes) -> bool:
        place = bisect.bisect_left(self.leaves, leaf)
        return place < self.size and self.leaves[place] == leaf

    def prove(self, leaf: bytes) -> Membership:
        """That the leaf is in the tree, or that it is not: whichever is true."""
        place = bisect.bisect_left(self.leaves, leaf)
        if place < self.size and self.leaves[place] == leaf:
            return Membership(says="in", leaves=(self._leaf_proof(place),))
        near = [at for at in (place - 1, place) if 0 <= at < self.size]
        return Membership(says="out", leaves=tuple(map(self._leaf_proof, near)))

    def _leaf_proof(self, index: int) -> LeafProof:
        path = inclusion_proof(index, self.size, self._read)
        return LeafProof(
            leaf=self.leaves[index].hex(), index=index, path=tuple(each.hex() for each in path)
        )

    def _read(self, level: int, index: int) -> bytes:
        return self._levels[level][index]


def host_leaf(host: str) -> bytes:
    """A host's leaf in the tree of a resolved scope: the bytes of its id."""
    return host.encode()


def sealed_leaf(salt: bytes, host: str) -> bytes:
    """A host's leaf in the tree of a sealed order: SHA-256(salt || host id)."""
    return hashlib.sha256(salt + host.encode()).digest()


def sealed_leaves(salt: bytes, hosts: Iterable[str], leaves: int) -> list[bytes]:
    """The leaves of a sealed order, `leaves` of them: the hosts' own, and fillers that no host's id can give.

    Raises InvalidInput where the hosts do not fit.
    """
    mine = {sealed_leaf(salt, host) for host in hosts}
    if len(mine) > leaves:
        raise InvalidInput(f"{len(mine)} hosts do not fit among {leaves} leaves", path="leaves")
    # No id of a host begins with a zero byte, so a filler is nobody's leaf.
    fillers = (
        hashlib.sha256(salt + b"\x00" + number.to_bytes(4, "big")).digest()
        for number in range(leaves - len(mine))
    )
    return sorted((*mine, *fillers))


def verify_membership(proof: Membership, leaf: bytes, *, root: str, size: int) -> None:
    """Check that `leaf` is in the tree with this root (hexadecimal) and count of leaves.

    Raises ForeignMembership where the proof is of another leaf, ForgedMembership where it leads elsewhere.
    """
    if proof.says != "in" or len(proof.leaves) != 1:
        raise ForgedMembership("a proof of membership shows one leaf, and says so")
    mine = proof.leaves[0]
    if mine.leaf != leaf.hex():
        raise ForeignMembership("the proof of membership is of another host")
    _verify_leaf(mine, root, size)


def verify_absence(proof: Membership, leaf: bytes, *, root: str, size: int) -> None:
    """Check that `leaf` is not in the tree with this root and count: between neighbours, at an edge, or it is empty.

    1. The leaves shown stand at adjacent places, the first at 0 or the last at the end where only one is shown.
    2. The leaf lies between them in the order of bytes. 3. Each leads to the root. Raises ForeignMembership where the
    gap shown is not this leaf's, ForgedMembership otherwise.
    """
    if proof.says != "out":
        raise ForgedMembership("a proof of absence says that it is one")
    _verify_gap(proof.leaves, size)
    for shown in proof.leaves:
        _verify_leaf(shown, root, size)
    if not proof.leaves and root != EMPTY_ROOT.hex():
        raise ForgedMembership("the order's root is not that of a tree without hosts")
    if not _is_between(proof.leaves, leaf, size):
        raise ForeignMembership("the proof of absence is of another host")


def decide_membership(
    proof: Membership | None, leaf: bytes, *, root: str, size: int
) -> MembershipShown:
    """What a proof shows of a leaf; no proof shows nothing. Raises what the two verifications raise."""
    if proof is None:
        return "unknown"
    verify = verify_membership if proof.says == "in" else verify_absence
    verify(proof, leaf, root=root, size=size)
    return proof.says


def _verify_gap(shown: tuple[LeafProof, ...], size: int) -> None:
    """The places of the neighbours: side by side, or one alone at an edge, or none of a tree that is empty."""
    places = tuple(leaf.index for leaf in shown)
    edges = {(0,), (size - 1,)} if size else {()}
    is_pair = len(places) == 2 and places[1] == places[0] + 1
    if not is_pair and places not in edges:
        raise ForgedMembership("the leaves shown leave no gap of which they are the edges")


def _is_between(shown: tuple[LeafProof, ...], leaf: bytes, size: int) -> bool:
    """Whether a leaf lies in the gap whose edges are shown."""
    found = [bytes.fromhex(each.leaf) for each in shown]
    if len(found) == 2:
        return found[0] < leaf < found[1]
    if not found:
        return True
    before_all = shown[0].index == 0 and leaf < found[0]
    return before_all or (shown[0].index == size - 1 and found[0] < leaf)


def _verify_leaf(shown: LeafProof, root: str, size: int) -> None:
    leaf = leaf_hash(bytes.fromhex(shown.leaf))
    path = [bytes.fromhex(each) for each in shown.path]
    try:
        verify_inclusion(leaf, shown.index, size, path, bytes.fromhex(root))
    except BadProof as error:
        raise ForgedMembership(f"the proof does not hold under the order's root: {error}") from None
