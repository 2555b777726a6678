"""Trees, proofs and a log's files by the words of RFC 6962 and tlog-tiles: slow, recursive, nothing of ours in them."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from itertools import pairwise

__all__ = [
    "climb",
    "grow",
    "leaf",
    "log_files",
    "mth",
    "node",
    "path",
    "proof",
    "shape_of_growth",
    "shape_of_path",
]

Root = Callable[[int, int], bytes]
"""MTH(D[start:stop])."""


def leaf(entry: bytes) -> bytes:
    """MTH({d}) = SHA-256(0x00 || d)."""
    return hashlib.sha256(b"\x00" + entry).digest()


def node(left: bytes, right: bytes) -> bytes:
    """SHA-256(0x01 || left || right)."""
    return hashlib.sha256(b"\x01" + left + right).digest()


def split(n: int) -> int:
    """The largest power of two smaller than n."""
    k = 1
    while 2 * k < n:
        k *= 2
    return k


def mth(leaves: Sequence[bytes]) -> bytes:
    """The Merkle tree hash over leaf hashes."""
    if not leaves:
        return hashlib.sha256(b"").digest()
    if len(leaves) == 1:
        return leaves[0]
    k = split(len(leaves))
    return node(mth(leaves[:k]), mth(leaves[k:]))


def path(m: int, start: int, stop: int, root: Root) -> list[bytes]:
    """PATH(m, D[start:stop]): section 2.1.1."""
    if stop - start == 1:
        return []
    middle = start + split(stop - start)
    if m < middle:
        return [*path(m, start, middle, root), root(middle, stop)]
    return [*path(m, middle, stop, root), root(start, middle)]


def proof(m: int, start: int, stop: int, root: Root, *, known: bool = True) -> list[bytes]:
    """SUBPROOF(m, D[start:stop], known), where m counts from the first leaf of all: section 2.1.2."""
    if m == stop:
        return [] if known else [root(start, stop)]
    middle = start + split(stop - start)
    if m <= middle:
        return [*proof(m, start, middle, root, known=known), root(middle, stop)]
    return [*proof(m, middle, stop, root, known=False), root(start, middle)]


def climb(first: bytes, index: int, size: int, hashes: Sequence[bytes]) -> bytes:
    """The root that PATH's own order of hashes gives for a leaf; needs exactly as many as `shape_of_path` says."""
    if size == 1:
        return first
    k = split(size)
    if index < k:
        return node(climb(first, index, k, hashes[:-1]), hashes[-1])
    return node(hashes[-1], climb(first, index - k, size - k, hashes[:-1]))


def shape_of_path(index: int, size: int) -> int:
    """How many hashes PATH has."""
    if size == 1:
        return 0
    k = split(size)
    return 1 + (shape_of_path(index, k) if index < k else shape_of_path(index - k, size - k))


def grow(
    m: int, n: int, old_root: bytes, hashes: Sequence[bytes], *, known: bool = True
) -> tuple[bytes, bytes]:
    """Both roots that SUBPROOF's own order of hashes gives; `old_root` stands in where the old tree is known."""
    if m == n:
        return (old_root, old_root) if known else (hashes[0], hashes[0])
    k = split(n)
    if m <= k:
        first, second = grow(m, k, old_root, hashes[:-1], known=known)
        return first, node(second, hashes[-1])
    first, second = grow(m - k, n - k, old_root, hashes[:-1], known=False)
    return node(hashes[-1], first), node(hashes[-1], second)


def shape_of_growth(m: int, n: int, *, known: bool = True) -> int:
    """How many hashes SUBPROOF has."""
    if m == n:
        return 0 if known else 1
    k = split(n)
    return 1 + (
        shape_of_growth(m, k, known=known) if m <= k else shape_of_growth(m - k, n - k, known=False)
    )


def log_files(entries: Sequence[bytes]) -> dict[str, bytes]:
    """Every tile and entry bundle of a tree of these entries, and no checkpoint."""
    files = {}
    for start in range(0, len(entries), 256):
        bundle = entries[start : start + 256]
        data = b"".join(len(entry).to_bytes(2, "big") + entry for entry in bundle)
        files[_name("entries", start // 256, len(bundle))] = data
    level, row = 0, [leaf(entry) for entry in entries]
    while row:
        cuts = [*range(0, len(row), 256), len(row)]
        tiles = [row[start:stop] for start, stop in pairwise(cuts)]
        files |= {_name(str(level), at, len(tile)): b"".join(tile) for at, tile in enumerate(tiles)}
        level, row = level + 1, [mth(tile) for tile in tiles if len(tile) == 256]
    return files


def _name(level: str, index: int, width: int) -> str:
    digits = f"{index:03d}" if index < 1000 else f"x{index // 1000:03d}/{index % 1000:03d}"
    return f"tile/{level}/{digits}" + ("" if width == 256 else f".p/{width}")
