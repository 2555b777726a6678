"""A map that never changes: adding to it gives another map, and the two share nearly everything.

The folds need it. A state is a value that readers hold for as long as they like and that a dry run may throw away, so
it cannot be changed in place; and copying a dict for each of a million entries takes a million times as long. Here one
addition copies one small leaf and the few branches above it, whatever the size.

A trie over the bits of a key's hash, after P. Bagwell, Ideal Hash Trees (2001), with plain dicts as leaves: these
settle equal hashes by themselves and are copied at the speed of C.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from operator import itemgetter
from typing import Any, Final, TypeVar, overload

__all__ = ["PersistentMap", "changed_keys"]

K = TypeVar("K")
V = TypeVar("V")
D = TypeVar("D")

_BITS: Final = 5
_WIDTH: Final = 1 << _BITS
_MASK: Final = _WIDTH - 1
_LEAF: Final = 24
"""So many keys make a leaf before it becomes a branch: measured, 16 to 32 differ by a tenth."""
_DEEPEST: Final = 60
"""After so many bits of a hash there are none left to tell keys apart: the leaf grows instead."""

# A node is a leaf, key -> (ordinal, value), or a branch, a tuple of nodes. (Any: Python has no recursive alias here
# that mypy could check at every step of the walk.)
_Node = Any
_EMPTY: Final[dict[Any, tuple[int, Any]]] = {}
_ordinal = itemgetter(0)


class PersistentMap(Mapping[K, V]):
    """A mapping without methods that change it; iterates in the order in which its keys first came, as a dict does.

    Safe for any number of threads. `plus` and `minus` take a time that hardly grows with the size; iterating sorts.
    """

    __slots__ = ("_count", "_next", "_root")
    _root: _Node
    _count: int
    _next: int

    def __init__(self, items: Mapping[K, V] | Iterable[tuple[K, V]] = ()) -> None:
        self._root, self._count, self._next = _EMPTY, 0, 0
        for key, value in items.items() if isinstance(items, Mapping) else items:
            self._root, is_new = _added(self._root, key, value, self._next)
            self._count += is_new
            self._next += is_new

    @classmethod
    def of(cls, items: Mapping[K, V]) -> PersistentMap[K, V]:
        """The map of these items; itself where it is one already."""
        return items if isinstance(items, PersistentMap) else cls(items)

    def plus(self, key: K, value: V) -> PersistentMap[K, V]:
        """The map with one more key, or with another value at a key that keeps its place."""
        root, is_new = _added(self._root, key, value, self._next)
        return _make(root, self._count + is_new, self._next + is_new)

    def minus(self, key: K) -> PersistentMap[K, V]:
        """The map without a key; the map itself where the key is not there."""
        if self._item(key) is None:
            return self
        return _make(_without(self._root, hash(key), key), self._count - 1, self._next)

    def __getitem__(self, key: K) -> V:
        item = self._item(key)
        if item is None:
            raise KeyError(key)
        value: V = item[1]
        return value

    @overload
    def get(self, key: K, /) -> V | None: ...
    @overload
    def get(self, key: K, /, default: V | D) -> V | D: ...
    def get(self, key: K, /, default: Any = None) -> Any:
        """The value at a key, or the default."""
        item = self._item(key)
        return default if item is None else item[1]

    def __contains__(self, key: object) -> bool:
        return self._item(key) is not None

    def __len__(self) -> int:
        return self._count

    def __iter__(self) -> Iterator[K]:
        return iter([row[1] for row in self._rows()])

    def __repr__(self) -> str:
        return f"PersistentMap({dict(self.items())!r})"

    def _item(self, key: object) -> tuple[int, Any] | None:
        node, bits = self._root, hash(key)
        while type(node) is tuple:
            node = node[bits & _MASK]
            bits >>= _BITS
        found: tuple[int, Any] | None = node.get(key)
        return found

    def _rows(self) -> list[tuple[int, K, V]]:
        """All keys and values in the order in which the keys came."""
        found: list[tuple[int, K, V]] = []
        pending = [self._root]
        while pending:
            node = pending.pop()
            if type(node) is tuple:
                pending.extend(node)
            else:
                found.extend((item[0], key, item[1]) for key, item in node.items())
        found.sort(key=_ordinal)
        return found


def changed_keys(before: PersistentMap[K, V], after: PersistentMap[K, V]) -> list[K]:
    """The keys that `plus` or `minus` touched between two maps of one descent.

    What the two share is not walked, so that it takes as long as there are changes. Maps that do not descend from
    each other are compared as a whole: then keys come back whose values are equal.
    """
    found: list[K] = []
    pending = [(before._root, after._root)]  # noqa: SLF001  # one class, two functions
    while pending:
        old, new = pending.pop()
        if old is new:
            continue
        if type(old) is tuple and type(new) is tuple:
            pending.extend(zip(old, new, strict=True))
            continue
        mine, others = _flat(old), _flat(new)
        found.extend(key for key in mine if key not in others)
        found.extend(key for key, item in others.items() if mine.get(key) is not item)
    return found


def _make(root: _Node, count: int, following: int) -> PersistentMap[K, V]:
    made: PersistentMap[K, V] = PersistentMap.__new__(PersistentMap)
    made._root, made._count, made._next = root, count, following  # noqa: SLF001  # its own maker
    return made


def _added(root: _Node, key: Any, value: Any, following: int) -> tuple[_Node, bool]:
    """The root with this value at the key, and whether the key is new; a new one takes the ordinal `following`.

    One walk down and no recursion: the folds add a dozen keys for each lease.
    """
    node, bits, depth = root, hash(key), 0
    above: list[tuple[tuple[_Node, ...], int]] = []
    while type(node) is tuple:
        above.append((node, bits & _MASK))
        node = node[bits & _MASK]
        bits >>= _BITS
        depth += _BITS
    before = node.get(key)
    leaf = node.copy()
    leaf[key] = (following if before is None else before[0], value)
    fresh = leaf if len(leaf) <= _LEAF or depth >= _DEEPEST else _split(leaf, depth)
    while above:
        branch, place = above.pop()
        children = [*branch]
        children[place] = fresh
        fresh = tuple(children)
    return fresh, before is None


def _split(leaf: dict[Any, tuple[int, Any]], depth: int) -> _Node:
    children: list[dict[Any, tuple[int, Any]]] = [_EMPTY] * _WIDTH
    for key, item in leaf.items():
        place = (hash(key) >> depth) & _MASK
        children[place] = {**children[place], key: item}
    # Keys whose bits agree fall into one child again: it is split when the next key comes to it.
    return tuple(children)


def _without(node: _Node, bits: int, key: Any) -> _Node:
    if type(node) is tuple:
        place = bits & _MASK
        children = list(node)
        children[place] = _without(node[place], bits >> _BITS, key)
        return tuple(children)
    leaf = node.copy()
    del leaf[key]
    return leaf


def _flat(node: _Node) -> dict[Any, tuple[int, Any]]:
    """All items below a node."""
    if type(node) is not tuple:
        leaf: dict[Any, tuple[int, Any]] = node
        return leaf
    found: dict[Any, tuple[int, Any]] = {}
    for child in node:
        found |= _flat(child)
    return found
