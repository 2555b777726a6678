"""How many proofs a second are verified and built, how fast a tree grows and a log is checked; one core, one process.

Each of our figures is taken in turns with its rivals, a thousand calls at a time, in processor time: pymerkle where it
has the like, and the bare cost of as many calls of `hashlib.sha256`, below which nothing written in Python can get.
"""

from __future__ import annotations

import hashlib
import random
import statistics
import time
from collections.abc import Callable, Sequence
from functools import partial

import msgspec
import pymerkle
from row import Row, Target

from sekisho.ledger import (
    Checkpoint,
    Frontier,
    TileTree,
    check_tree,
    consistency_proof,
    inclusion_proof,
    leaf_hash,
    verify_consistency,
    verify_inclusion,
)
from sekisho.ledger.proof_rows import check_proof_rows
from sekisho.ledger.proven import ProvenTree
from sekisho.ledger.tiles import (
    Tile,
    bundles_of_tree,
    encode_bundle,
    encode_hashes,
    tiles_of_tree,
)
from sekisho.ledger.tree import fold_level, leaf_hashes, root_of_roots
from sekisho.model.wire import canonical, encode_base64
from sekisho.ports.tile_store import NotStored

__all__ = ["measure"]

VERIFIED = Target(least=100_000)
SMALL = 100_000
AT_ONCE = 1000
ENTRY = b"%d" + b"." * 90
PEER = f"pymerkle {pymerkle.__version__}"

Work = Callable[[int], object]
"""One thing to do, told its number."""


class Forest(msgspec.Struct, frozen=True, kw_only=True):
    """A tree with every node in memory, and its tiles and bundles as a log would serve them."""

    entries: list[bytes]
    rows: list[list[bytes]]
    files: dict[str, bytes]

    @property
    def size(self) -> int:
        return len(self.rows[0])

    @property
    def root(self) -> bytes:
        return self.root_at(self.size)

    def root_at(self, size: int) -> bytes:
        """The root of the first `size` leaves, from the nodes that are there."""
        at, roots = 0, []
        while at < size:
            level = (size - at).bit_length() - 1
            roots.append(self.node(level, at >> level))
            at += 1 << level
        return root_of_roots(roots)

    def node(self, level: int, index: int) -> bytes:
        return self.rows[level][index]

    def read(self, path: str, limit: int) -> bytes:
        if path not in self.files:
            raise NotStored(path)
        return self.files[path][: limit + 1]

    def write(self, path: str, data: bytes) -> None:
        self.files[path] = data

    def exists(self, path: str) -> bool:
        return path in self.files


def plant(size: int) -> Forest:
    """A tree of numbered entries."""
    entries = [ENTRY % number for number in range(size)]
    rows = [leaf_hashes(entries)]
    while len(rows[-1]) > 1:
        rows.append(fold_level(rows[-1][: len(rows[-1]) & ~1]))
    files = {}
    for tile in bundles_of_tree(size):
        files[tile.to_path()] = encode_bundle(_part(entries, tile))
    for tile in tiles_of_tree(size):
        files[tile.to_path()] = encode_hashes(_part(rows[8 * (tile.level or 0)], tile))
    return Forest(entries=entries, rows=rows, files=files)


def _part(row: list[bytes], tile: Tile) -> list[bytes]:
    return row[256 * tile.index : 256 * tile.index + tile.width]


def _received(path: Sequence[bytes]) -> tuple[bytes, ...]:
    """A proof as a reader has it: hashes just parsed, not scattered over the memory of a whole tree."""
    return tuple(bytes(bytearray(item)) for item in path)


def measure(rounds: int, size: int) -> list[Row]:
    """All rows; `rounds` turns of a thousand calls each, the large tree with `size` leaves."""
    dice = random.Random(7)  # noqa: S311  # which leaves are asked for; guards nothing
    large, small = plant(size), plant(SMALL)
    asked = [dice.randrange(size) for _ in range(AT_ONCE)]
    return [
        *_inclusion(large, dice, rounds),
        *_consistency(large, [at or 1 for at in asked], rounds),
        *_building(large, small, [at % SMALL for at in asked], rounds),
        *_growing(small, rounds),
        *_checking(small, asked, rounds),
    ]


def _inclusion(tree: Forest, dice: random.Random, rounds: int) -> list[Row]:
    root, size, mean = tree.root, tree.size, 0.0
    known = ProvenTree(size, root)
    found: list[list[float]] = [[], [], [], []]
    for _ in range(rounds):  # proofs that nobody asked for before in each round
        asked = [dice.randrange(size) for _ in range(AT_ONCE)]
        leaves = [_received([tree.node(0, index)])[0] for index in asked]
        paths = [_received(inclusion_proof(index, size, tree.node)) for index in asked]
        mean = statistics.mean(map(len, paths))
        theirs = [_as_theirs(*each, size) for each in zip(asked, leaves, paths, strict=True)]
        turns = _in_turns(
            1,
            lambda at: verify_inclusion(leaves[at], asked[at], size, paths[at], root),  # noqa: B023 - used at once
            lambda at: known.verify_inclusion(leaves[at], asked[at], paths[at]),  # noqa: B023
            lambda at: _bare(len(paths[at])),  # noqa: B023
            lambda at: pymerkle.verify_inclusion(leaves[at], root, theirs[at]),  # noqa: B023
        )
        for at, turn in enumerate(turns):
            found[at] += turn
    alone, among, bare, peer = found
    n = rounds * AT_ONCE
    return [
        _rate(
            f"proof verification: {n:,} entries of {size:,}, one checkpoint",
            among,
            n,
            VERIFIED,
            _beside(among, bare, peer),
        ),
        _rate("  each alone, from leaf to root", alone, n, VERIFIED, _beside(alone, bare, peer)),
        _rate(f"  bare sha256, {mean:.0f} times", bare, n),
        _rate(f"  {PEER} verify_inclusion", peer, n),
    ]


def _as_theirs(
    index: int, leaf: bytes, path: Sequence[bytes], size: int
) -> pymerkle.InclusionProof:
    """Our proof as pymerkle's value: leaves count from one there, and the path opens with the leaf."""
    rule = _rule(index, size)
    return pymerkle.InclusionProof("sha256", True, size, index + 1, rule, [leaf, *path])


def _consistency(tree: Forest, asked: Sequence[int], rounds: int) -> list[Row]:
    root, size = tree.root, tree.size
    heads = [tree.root_at(old) for old in asked]
    paths = [_received(consistency_proof(old, size, tree.node)) for old in asked]
    hashed = [_hashed(old, size) for old in asked]
    ours, bare = _in_turns(
        rounds,
        lambda at: verify_consistency(asked[at], size, heads[at], root, paths[at]),
        lambda at: _bare(hashed[at]),
    )
    mean, n = statistics.mean(hashed), rounds * AT_ONCE
    return [
        _rate(f"proof verification: consistency to {size:,}", ours, n, note=_beside(ours, bare)),
        _rate(f"  bare sha256, as often ({mean:.0f} times)", bare, n),
    ]


def _building(large: Forest, small: Forest, asked: Sequence[int], rounds: int) -> list[Row]:
    warm = TileTree(SMALL, small.read)
    peer_tree = pymerkle.InmemoryTree.init_from_entries(small.entries)
    ours, peer = _in_turns(
        rounds,
        lambda at: inclusion_proof(asked[at], SMALL, warm.node),
        lambda at: peer_tree.prove_inclusion(asked[at] + 1, SMALL),
    )
    (cold,) = _in_turns(
        min(rounds, 3),
        lambda at: inclusion_proof(asked[at], large.size, TileTree(large.size, large.read).node),
    )
    n = rounds * AT_ONCE
    return [
        _rate(
            "proof build: inclusion in 100,000, tiles held", ours, n, note=_beside(ours, None, peer)
        ),
        _rate(f"  {PEER} prove_inclusion, tree in memory", peer, n),
        _rate(
            f"  in {large.size:,}, nothing held: three tiles read and hashed",
            cold,
            min(rounds, 3) * AT_ONCE,
        ),
    ]


def _growing(tree: Forest, rounds: int) -> list[Row]:
    frontier, peer_tree = Frontier(), pymerkle.InmemoryTree()
    entries = tree.entries
    ours, bare, peer = _in_turns(
        rounds,
        lambda at: frontier.append(leaf_hash(entries[at])),
        lambda _: _bare(2),
        lambda at: peer_tree.append_entry(entries[at]),
    )
    n = rounds * AT_ONCE
    return [
        _rate("frontier: entries hashed and appended", ours, n, note=_beside(ours, bare, peer)),
        _rate(f"  {PEER} append_entry, tree in memory", peer, n),
    ]


def _checking(tree: Forest, asked: Sequence[int], rounds: int) -> list[Row]:
    checkpoint = Checkpoint(origin="log.example/bench", size=tree.size, root=tree.root)
    times = max(1, rounds // 10)
    fsck, bare = [], []
    for _ in range(times):
        fsck.append(_seconds(lambda: _sound(tree, checkpoint)) / tree.size)
        bare.append(_seconds(partial(_bare, 2 * tree.size)) / tree.size)
    lines = b"".join(_proof_row(tree, at % tree.size) for at in asked)
    rows = [
        _seconds(lambda: check_proof_rows(lines, path="bench")) / len(asked) for _ in range(times)
    ]
    return [
        _rate("fsck: entries of 100,000, files in memory", fsck, times, note=_beside(fsck, bare)),
        _rate("log check-proof: rows, inclusion in 100,000", rows, times * len(asked)),
    ]


def _sound(tree: Forest, checkpoint: Checkpoint) -> None:
    if not check_tree(tree, checkpoint).holds:
        raise RuntimeError("the log that was planted does not hold")


def _proof_row(tree: Forest, index: int) -> bytes:
    path = inclusion_proof(index, tree.size, tree.node)
    row = {
        "kind": "inclusion",
        "leafIdx": index,
        "treeSize": tree.size,
        "root": encode_base64(tree.root),
        "leafHash": encode_base64(tree.node(0, index)),
        "proof": [encode_base64(item) for item in path],
    }
    return canonical(row) + b"\n"


def _rule(index: int, size: int) -> list[int]:
    """On which side pymerkle's proofs put each node of the path, its closing zero included."""
    inner = (index ^ (size - 1)).bit_length()
    sides = [index >> level & 1 for level in range(inner)]
    return [*sides, *[1] * (index >> inner).bit_count(), 0]


def _hashed(old: int, new: int) -> int:
    """How many nodes a consistency proof makes its verifier hash: left siblings count twice."""
    height = (old & -old).bit_length() - 1
    bits = (old - 1) >> height
    inner = (bits ^ (new - 1) >> height).bit_length()
    left = bits.bit_count()
    return inner + left + (bits >> inner).bit_count()


_MESSAGE = bytes(65)


def _bare(times: int) -> None:
    """As many hashes of an inner node's 65 bytes, with nothing around them."""
    sha256, message = hashlib.sha256, _MESSAGE
    for _ in range(times):
        sha256(message).digest()


def _in_turns(rounds: int, *works: Work) -> list[list[float]]:
    """Processor seconds a call of each work, by round: one after the other, so that a slow moment slows them all."""
    found: list[list[float]] = [[] for _ in works]
    for _ in range(rounds):
        for seconds, work in zip(found, works, strict=True):
            seconds.append(
                _seconds(lambda work=work: [work(at) for at in range(AT_ONCE)]) / AT_ONCE
            )
    return found


def _seconds(work: Callable[[], object]) -> float:
    began = time.process_time()
    work()
    return time.process_time() - began


def _rate(
    what: str, seconds: Sequence[float], n: int, target: Target | None = None, note: str = ""
) -> Row:
    median = 1 / statistics.median(seconds)
    return Row(what=what, unit="/s", median=median, n=n, target=target or Target(), note=note)


def _beside(
    ours: Sequence[float], bare: Sequence[float] | None = None, peer: Sequence[float] | None = None
) -> str:
    """Ratios of rates, taken round by round."""
    told = []
    if bare:
        told.append(f"{_ratio(bare, ours):.2f} of bare sha256")
    if peer:
        told.append(f"{_ratio(peer, ours):.1f} x {PEER}")
    return ", ".join(told)


def _ratio(theirs: Sequence[float], ours: Sequence[float]) -> float:
    return statistics.median(them / us for them, us in zip(theirs, ours, strict=True))
