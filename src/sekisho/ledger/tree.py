"""The Merkle tree of a log: hashing, growing, proving and checking proofs.

Source: RFC 6962 section 2.1 (hashes, proofs) and RFC 9162 section 2.1.3 and 2.1.4 (verification).
Hashes are 32 bytes of SHA-256. A node is named (level, index): the root of the perfect subtree over leaves
index * 2^level .. (index + 1) * 2^level.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Sequence

from sekisho.model.errors import InvalidInput, VerificationError

__all__ = [
    "EMPTY_ROOT",
    "HASH_SIZE",
    "BadProof",
    "Frontier",
    "NodeReader",
    "consistency_proof",
    "fold_level",
    "inclusion_proof",
    "leaf_hash",
    "node_hash",
    "perfect_roots",
    "root_of_roots",
    "subtree_root",
    "verify_consistency",
    "verify_inclusion",
]

HASH_SIZE = 32
EMPTY_ROOT = hashlib.sha256(b"").digest()
_sha256 = hashlib.sha256

NodeReader = Callable[[int, int], bytes]
"""Gives the hash of node (level, index); the node lies wholly within the tree."""


class BadProof(VerificationError):
    """A Merkle proof does not lead from what it starts with to the root that it should reach."""

    code = "bad-proof"


def leaf_hash(entry: bytes) -> bytes:
    """An entry's hash as a leaf; the leading 0 keeps it from ever being a node's."""
    return _sha256(b"\x00" + entry).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """The hash of an inner node over its two children."""
    return _sha256(b"\x01" + left + right).digest()


def fold_level(hashes: Sequence[bytes]) -> list[bytes]:
    """The level above an even number of sibling hashes."""
    sha256 = _sha256
    pairs = iter(hashes)
    return [
        sha256(b"\x01" + left + right).digest() for left, right in zip(pairs, pairs, strict=True)
    ]


def perfect_roots(hashes: Sequence[bytes]) -> list[bytes]:
    """The roots of the perfect subtrees over equal-level hashes that start at a multiple of 256, left first."""
    roots: list[bytes] = []
    row = list(hashes)
    while row:
        if len(row) % 2:
            roots.append(row.pop())
        row = fold_level(row)
    roots.reverse()
    return roots


def root_of_roots(roots: Sequence[bytes]) -> bytes:
    """The tree's root from the roots of its perfect subtrees, left (largest) first."""
    if not roots:
        return EMPTY_ROOT
    root = roots[-1]
    for left in reversed(roots[:-1]):
        root = node_hash(left, root)
    return root


class Frontier:
    """A tree that remembers only its right edge: enough to append and to name the root, at any size.

    `roots` are the perfect subtrees' roots, largest first: one for each bit set in `size`.
    """

    __slots__ = ("_roots", "_size")

    def __init__(self, size: int = 0, roots: Sequence[bytes] = ()) -> None:
        if size < 0 or len(roots) != size.bit_count() or any(len(r) != HASH_SIZE for r in roots):
            raise InvalidInput(
                f"a tree of {size} leaves has {size.bit_count()} perfect subtrees", path="roots"
            )
        self._size = size
        self._roots = list(roots)

    @property
    def size(self) -> int:
        return self._size

    @property
    def roots(self) -> tuple[bytes, ...]:
        return tuple(self._roots)

    def root(self) -> bytes:
        return root_of_roots(self._roots)

    def append(self, leaf: bytes) -> None:
        self.extend((leaf,))

    def extend(self, leaves: Iterable[bytes]) -> None:
        """Append leaf hashes in order; each joins as many full neighbours as there are ones below it."""
        sha256, roots, size = _sha256, self._roots, self._size
        for leaf in leaves:
            carry, node = size, leaf
            while carry & 1:
                node = sha256(b"\x01" + roots.pop() + node).digest()
                carry >>= 1
            roots.append(node)
            size += 1
        self._size = size


def subtree_root(start: int, stop: int, read: NodeReader) -> bytes:
    """The hash over leaves start..stop, where `start` is a multiple of the span's next power of two."""
    roots = []
    while start < stop:
        level = (stop - start).bit_length() - 1
        roots.append(read(level, start >> level))
        start += 1 << level
    return root_of_roots(roots)


def inclusion_proof(index: int, size: int, read: NodeReader) -> list[bytes]:
    """The siblings on the way from leaf `index` up to the root of the tree of `size` leaves (RFC 6962 2.1.1)."""
    if not 0 <= index < size:
        raise InvalidInput(f"no leaf {index} in a tree of {size}", path="index")
    siblings: list[tuple[int, int]] = []
    start, stop = 0, size
    while stop - start > 1:
        middle = start + _largest_power_below(stop - start)
        if index < middle:
            siblings.append((middle, stop))
            stop = middle
        else:
            siblings.append((start, middle))
            start = middle
    return [subtree_root(a, b, read) for a, b in reversed(siblings)]


def consistency_proof(old: int, new: int, read: NodeReader) -> list[bytes]:
    """What shows that the tree of `old` leaves is a prefix of the tree of `new` (RFC 6962 2.1.2)."""
    if not 0 <= old <= new:
        raise InvalidInput(f"no consistency from {old} to {new}", path="size")
    if old in (0, new):
        return []
    siblings: list[tuple[int, int]] = []
    start, stop = 0, new
    while stop != old:
        middle = start + _largest_power_below(stop - start)
        if old <= middle:
            siblings.append((middle, stop))
            stop = middle
        else:
            siblings.append((start, middle))
            start = middle
    if start:  # the old tree is not itself one perfect subtree, so its last part opens the proof
        siblings.append((start, stop))
    return [subtree_root(a, b, read) for a, b in reversed(siblings)]


def verify_inclusion(
    leaf: bytes, index: int, size: int, proof: Sequence[bytes], root: bytes
) -> None:
    """Check that `leaf` (a leaf hash) stands at `index` of the tree with `size` and `root`. Raises BadProof.

    Follows RFC 9162 section 2.1.3.2.
    """
    if not 0 <= index < size:
        raise BadProof(f"index {index} lies outside a tree of {size}")
    _check_hashes([leaf, *proof])
    node, last, computed = index, size - 1, leaf
    for sibling in proof:
        if last == 0:
            raise BadProof("the proof is longer than the path to the root")
        if node & 1 or node == last:
            computed = node_hash(sibling, computed)
            while not node & 1 and node:
                node >>= 1
                last >>= 1
        else:
            computed = node_hash(computed, sibling)
        node >>= 1
        last >>= 1
    if last:
        raise BadProof("the proof is shorter than the path to the root")
    if computed != root:
        raise BadProof("the proof leads to another root")


def verify_consistency(
    old: int, new: int, old_root: bytes, new_root: bytes, proof: Sequence[bytes]
) -> None:
    """Check that the tree (`new`, `new_root`) only appended to (`old`, `old_root`). Raises BadProof.

    Follows RFC 9162 section 2.1.4.2. Equal sizes need equal roots and no proof. A proof from the empty tree
    to a larger one says nothing about it and is refused: whoever starts at 0 has no proof to check.
    """
    if not 0 <= old <= new:
        raise BadProof(f"a tree of {new} cannot follow one of {old}")
    if old == new:
        if proof:
            raise BadProof("equal sizes take no proof")
        if old_root != new_root:
            raise BadProof("one size with two roots")
        return
    if old == 0:
        raise BadProof("a proof from the empty tree says nothing")
    if not proof:
        raise BadProof("the proof is empty")
    _check_hashes([old_root, new_root, *proof])
    if _climb(old, new, old_root, proof) != (old_root, new_root):
        raise BadProof("the proof leads to other roots")


def _climb(old: int, new: int, old_root: bytes, proof: Sequence[bytes]) -> tuple[bytes, bytes]:
    """Both roots as the proof builds them, side by side, from the last leaf of the old tree upwards."""
    path = list(proof) if old & (old - 1) else [old_root, *proof]
    node, last = old - 1, new - 1
    while node & 1:
        node >>= 1
        last >>= 1
    first = second = path[0]
    for sibling in path[1:]:
        if last == 0:
            raise BadProof("the proof is longer than the path to the root")
        if node & 1 or node == last:
            first, second = node_hash(sibling, first), node_hash(sibling, second)
            while not node & 1 and node:
                node >>= 1
                last >>= 1
        else:
            second = node_hash(second, sibling)
        node >>= 1
        last >>= 1
    if last:
        raise BadProof("the proof is shorter than the path to the root")
    return first, second


def _largest_power_below(span: int) -> int:
    return 1 << ((span - 1).bit_length() - 1)


def _check_hashes(hashes: Iterable[bytes]) -> None:
    if any(len(item) != HASH_SIZE for item in hashes):
        raise BadProof("a hash that is not 32 bytes long")
