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
    "ALL_LEFT",
    "EMPTY_ROOT",
    "HASH_SIZE",
    "MAX_TREE_SIZE",
    "BadProof",
    "Frontier",
    "NodeReader",
    "climb",
    "consistency_proof",
    "consistency_roots",
    "fold_level",
    "inclusion_proof",
    "leaf_hash",
    "leaf_hashes",
    "node_hash",
    "path_length",
    "perfect_roots",
    "root_of_roots",
    "subtree_root",
    "verify_consistency",
    "verify_inclusion",
]

HASH_SIZE = 32
MAX_TREE_SIZE = 2**63 - 1
ALL_LEFT = -1  # as many bits set as anybody asks for
EMPTY_ROOT = hashlib.sha256(b"").digest()
# A copy of a hash that has read its prefix costs less than a new one with prefix and content joined before it.
_new_leaf = hashlib.sha256(b"\x00").copy
_new_node = hashlib.sha256(b"\x01").copy

NodeReader = Callable[[int, int], bytes]
"""Gives the hash of node (level, index); the node lies wholly within the tree."""


class BadProof(VerificationError):
    """A Merkle proof does not lead from what it starts with to the root that it should reach."""

    code = "bad-proof"


def leaf_hash(entry: bytes) -> bytes:
    """An entry's hash as a leaf; the leading 0 keeps it from ever being a node's."""
    leaf = _new_leaf()
    leaf.update(entry)
    return leaf.digest()


def leaf_hashes(entries: Iterable[bytes]) -> list[bytes]:
    """`leaf_hash` of each entry, in order."""
    new, hashes = _new_leaf, []
    for entry in entries:
        leaf = new()
        leaf.update(entry)
        hashes.append(leaf.digest())
    return hashes


def node_hash(left: bytes, right: bytes) -> bytes:
    """The hash of an inner node over its two children."""
    node = _new_node()
    node.update(left)
    node.update(right)
    return node.digest()


def fold_level(hashes: Sequence[bytes]) -> list[bytes]:
    """The level above an even number of sibling hashes."""
    new, above, pairs = _new_node, [], iter(hashes)
    for left, right in zip(pairs, pairs, strict=True):
        node = new()
        node.update(left)
        node.update(right)
        above.append(node.digest())
    return above


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
        new, roots, size = _new_node, self._roots, self._size
        for leaf in leaves:
            carry, node = size, leaf
            while carry & 1:
                parent = new()
                parent.update(roots.pop())
                parent.update(node)
                node = parent.digest()
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
    return _siblings(0, index, size, read)


def consistency_proof(old: int, new: int, read: NodeReader) -> list[bytes]:
    """What shows that the tree of `old` leaves is a prefix of the tree of `new` (RFC 6962 2.1.2)."""
    if not 0 <= old <= new:
        raise InvalidInput(f"no consistency from {old} to {new}", path="size")
    if old in (0, new):
        return []
    level = _height(old)
    last = (old - 1) >> level  # the last perfect subtree of the old tree
    opening = (
        [read(level, last)] if last else []
    )  # where it is the whole old tree, its root is known
    return opening + _siblings(level, last, new, read)


def _siblings(level: int, index: int, size: int, read: NodeReader) -> list[bytes]:
    """What stands beside the way from node (level, index) up to the root of the tree of `size` leaves.

    As far as the way to the last leaf is another one, there is a sibling at every level; only the topmost of these
    may be cut short by the tree's end. Above, siblings are left ones, and stand where a bit of the index is set.
    """
    inner = (index ^ (size - 1) >> level).bit_length()
    found = [read(level + up, (index >> up) ^ 1) for up in range(inner - 1)]
    if inner:
        top = level + inner - 1
        found.append(subtree_root(((index >> inner - 1) + 1) << top, size, read))
    border = range(inner, index.bit_length())
    return found + [read(level + up, (index >> up) - 1) for up in border if index >> up & 1]


def path_length(index: int, size: int) -> int:
    """How many siblings lead from leaf `index` to the root of the tree of `size` leaves."""
    inner = (index ^ (size - 1)).bit_length()
    return inner + (index >> inner).bit_count()


def climb(node: bytes, sides: int, siblings: Sequence[bytes]) -> bytes:
    """The node that stands above; a bit of `sides`, lowest first, is set where the sibling stands on the left."""
    new = _new_node
    for sibling in siblings:
        parent = new()
        if sides & 1:
            parent.update(sibling)
            parent.update(node)
        else:
            parent.update(node)
            parent.update(sibling)
        node = parent.digest()
        sides >>= 1
    return node


def verify_inclusion(
    leaf: bytes, index: int, size: int, proof: Sequence[bytes], root: bytes
) -> None:
    """Check that `leaf` (a leaf hash) stands at `index` of the tree with `size` and `root`. Raises BadProof.

    1. Index and size give the proof's length. 2. As far up as the paths of this leaf and of the last one differ,
    a bit of the index says on which side the sibling stands. 3. Above, the path runs along the right edge: where
    a bit is set the sibling is on the left, where none is the node is carried up alone. 4. The end is the root.
    Source: RFC 9162 section 2.1.3.2, with the steps sorted beforehand so that nothing is decided on the way.
    """
    if not 0 <= index < size <= MAX_TREE_SIZE:
        raise BadProof(_outside(index, size))
    inner = (index ^ (size - 1)).bit_length()
    length = inner + (index >> inner).bit_count()
    if len(proof) != length or [*map(len, proof)].count(HASH_SIZE) != length:
        raise BadProof(_misshapen([leaf, *proof], len(proof) > length))
    node = climb(climb(leaf, index, proof[:inner]), ALL_LEFT, proof[inner:])
    if node != root or len(leaf) != HASH_SIZE:
        _check_hashes((leaf,))
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
    if new > MAX_TREE_SIZE:
        raise BadProof(_too_large(new))
    if not proof:
        raise BadProof("the proof is empty")
    _check_hashes((old_root, new_root))
    if _climb(old, new, old_root, proof) != (old_root, new_root):
        raise BadProof("the proof leads to other roots")


def consistency_roots(
    old: int, new: int, old_root: bytes, proof: Sequence[bytes]
) -> tuple[bytes, bytes]:
    """Both roots as a consistency proof between two trees with 0 < old < new builds them. Raises BadProof.

    Where the second is the larger tree's signed root, the first is that tree's root at `old`, whatever anybody else
    signed there. Where `old` is a power of two the proof opens with `old_root` itself.
    """
    if not 0 < old < new <= MAX_TREE_SIZE or not proof:
        raise BadProof("the proof is empty, or its sizes take none")
    _check_hashes((old_root,))
    return _climb(old, new, old_root, proof)


def _climb(old: int, new: int, old_root: bytes, proof: Sequence[bytes]) -> tuple[bytes, bytes]:
    """Both roots as the proof builds them, side by side, from the last perfect subtree of the old tree upwards.

    A sibling on the left belongs to both trees; one on the right came later, and to the new tree alone.
    """
    path = proof if old & (old - 1) else [old_root, *proof]
    height = _height(old)
    bits = (old - 1) >> height
    inner = (bits ^ (new - 1) >> height).bit_length()
    length = 1 + inner + (bits >> inner).bit_count()
    if len(path) != length or [*map(len, path)].count(HASH_SIZE) != length:
        raise BadProof(_misshapen(path, len(path) > length))
    first = second = path[0]
    for sibling in path[1 : 1 + inner]:
        if bits & 1:
            first, second = node_hash(sibling, first), node_hash(sibling, second)
        else:
            second = node_hash(second, sibling)
        bits >>= 1
    for sibling in path[1 + inner :]:
        first, second = node_hash(sibling, first), node_hash(sibling, second)
    return first, second


def _outside(index: int, size: int) -> str:
    return (
        _too_large(size) if size > MAX_TREE_SIZE else f"index {index} lies outside a tree of {size}"
    )


def _too_large(size: int) -> str:
    return f"no tree has {size} leaves: at most 2^63 - 1"


def _misshapen(hashes: Iterable[bytes], is_longer: bool) -> str:
    """What is wrong with a proof before a single hash is computed; a hash of the wrong size is named first."""
    _check_hashes(hashes)
    return f"the proof is {'longer' if is_longer else 'shorter'} than the path to the root"


def _height(size: int) -> int:
    """The height of the last perfect subtree of a tree of `size` leaves: how many zero bits end the size."""
    return (size & -size).bit_length() - 1


def _check_hashes(hashes: Iterable[bytes]) -> None:
    if any(len(item) != HASH_SIZE for item in hashes):
        raise BadProof("a hash that is not 32 bytes long")
