"""Many inclusion proofs under one checkpoint: what one of them has shown, the next need not show again."""

from __future__ import annotations

from collections.abc import Sequence

from sekisho.ledger.tree import (
    ALL_LEFT,
    HASH_SIZE,
    MAX_TREE_SIZE,
    climb,
    path_length,
    verify_inclusion,
)

__all__ = ["ProvenTree"]

HEIGHT = 8
MOST = 16_384


class ProvenTree:
    """The tree (`size`, `root`), and those of its subtrees of 256 leaves that a proof has led through.

    What holds and what fails is exactly what `tree.verify_inclusion` says: a proof that meets a known subtree's root,
    and goes on from there with the same hashes that led from it to the tree's root before, leads there again. At most
    16,384 subtrees are remembered, some 20 MB. For one thread.
    """

    __slots__ = ("_shown", "root", "size")

    def __init__(self, size: int, root: bytes) -> None:
        self.size = size
        self.root = root
        self._shown: dict[int, tuple[bytes, tuple[bytes, ...]]] = {}

    def verify_inclusion(self, leaf: bytes, index: int, proof: Sequence[bytes]) -> None:
        """Check that `leaf` (a leaf hash) stands at `index`. Raises BadProof."""
        inside, rest = proof[:HEIGHT], tuple(proof[HEIGHT:])
        shown = self._shown.get(index >> HEIGHT)
        if shown is not None and shown[1] == rest and _are_hashes(leaf, inside):
            if climb(leaf, index, inside) == shown[0]:
                return
        elif self._leads_through(leaf, index, proof):
            return
        verify_inclusion(leaf, index, self.size, proof, self.root)

    def _leads_through(self, leaf: bytes, index: int, proof: Sequence[bytes]) -> bool:
        """Whether the proof holds by way of a full subtree, which is then remembered."""
        number = index >> HEIGHT
        if not 0 <= number < self.size >> HEIGHT or self.size > MAX_TREE_SIZE:
            return False
        inside, rest = proof[:HEIGHT], tuple(proof[HEIGHT:])
        is_shaped = len(proof) == path_length(index, self.size) and _are_hashes(leaf, inside)
        if not is_shaped or [*map(len, rest)].count(HASH_SIZE) != len(rest):
            return False
        node = climb(leaf, index, inside)
        inner = (number ^ (self.size - 1 >> HEIGHT)).bit_length()
        if climb(climb(node, number, rest[:inner]), ALL_LEFT, rest[inner:]) != self.root:
            return False
        if len(self._shown) >= MOST:
            self._shown.clear()
        self._shown[number] = node, rest
        return True


def _are_hashes(leaf: bytes, inside: Sequence[bytes]) -> bool:
    """Whether this is a leaf hash and its way up a whole subtree."""
    return len(leaf) == HASH_SIZE and [*map(len, inside)].count(HASH_SIZE) == HEIGHT
