"""A map that never changes, held against the dict that does."""

from __future__ import annotations

import threading
from typing import Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sekisho.model import persistent
from sekisho.model.persistent import PersistentMap, changed_keys

KEYS: Final = st.one_of(st.integers(0, 400), st.text(max_size=3), st.tuples(st.integers(0, 3)))
STEPS: Final = st.lists(st.tuples(st.booleans(), KEYS, st.integers()), max_size=200)


class SameHash:
    """A key whose hash tells it from nothing."""

    def __init__(self, name: int) -> None:
        self.name = name

    def __hash__(self) -> int:
        return 7

    def __eq__(self, other: object) -> bool:
        return isinstance(other, SameHash) and other.name == self.name


def applied(
    steps: list[tuple[bool, object, int]],
) -> tuple[PersistentMap[object, int], dict[object, int]]:
    mine: PersistentMap[object, int] = PersistentMap()
    model: dict[object, int] = {}
    for adds, key, value in steps:
        if adds:
            mine, model[key] = mine.plus(key, value), value
        else:
            mine = mine.minus(key)
            model.pop(key, None)
    return mine, model


@given(STEPS)
def test_it_holds_what_a_dict_holds_in_the_same_order(
    steps: list[tuple[bool, object, int]],
) -> None:
    """Any adding, replacing and taking away; keys in the order in which they first came."""
    mine, model = applied(steps)
    assert list(mine.items()) == list(model.items())
    assert len(mine) == len(model)
    assert dict(mine) == model
    assert mine == PersistentMap(model)
    for key in [*model, "absent", 10**30]:
        assert (key in mine, mine.get(key)) == (key in model, model.get(key))


@given(STEPS, st.lists(st.tuples(st.booleans(), KEYS, st.integers()), max_size=20))
def test_an_older_map_stays_as_it_was(
    steps: list[tuple[bool, object, int]], later: list[tuple[bool, object, int]]
) -> None:
    """A dry run that is thrown away changes nothing."""
    mine, model = applied(steps)
    branch = mine
    for adds, key, value in later:
        branch = branch.plus(key, value) if adds else branch.minus(key)
    assert list(mine.items()) == list(model.items())


@given(STEPS, st.lists(st.tuples(st.booleans(), KEYS, st.integers()), max_size=20))
def test_the_changed_keys_are_those_that_differ(
    steps: list[tuple[bool, object, int]], later: list[tuple[bool, object, int]]
) -> None:
    """None that differs is missing, each once, and none that nobody touched is named."""
    before, _ = applied(steps)
    after = before
    for adds, key, value in later:
        after = after.plus(key, value) if adds else after.minus(key)
    changed = changed_keys(before, after)
    touched = {key for _, key, _ in later}
    different = {k for k in {*before, *after} if before.get(k) != after.get(k)}
    assert different <= set(changed) <= touched
    assert len(changed) == len(set(changed))


@given(STEPS, STEPS)
def test_maps_of_two_descents_are_compared_as_a_whole(
    steps: list[tuple[bool, object, int]], others: list[tuple[bool, object, int]]
) -> None:
    """Without a common ancestor every key that differs is still named."""
    one, other = applied(steps)[0], applied(others)[0]
    different = {k for k in {*one, *other} if one.get(k) != other.get(k)}
    assert different <= set(changed_keys(one, other))


def test_keys_of_one_hash_are_told_apart() -> None:
    """However many: below the last bit of the hash a leaf grows instead of splitting for ever."""
    mine: PersistentMap[SameHash, int] = PersistentMap((SameHash(n), n) for n in range(200))
    assert [mine[SameHash(n)] for n in range(200)] == list(range(200))
    assert len(mine.minus(SameHash(3))) == 199
    assert SameHash(200) not in mine


def test_a_key_that_was_taken_away_comes_back_at_the_end() -> None:
    """As in a dict."""
    mine = PersistentMap({"a": 1, "b": 2}).minus("a").plus("a", 3)
    assert list(mine.items()) == [("b", 2), ("a", 3)]


def test_what_is_not_there_is_a_key_error() -> None:
    """And taking it away changes nothing."""
    mine = PersistentMap({"a": 1})
    with pytest.raises(KeyError):
        mine["b"]
    assert mine.minus("b") is mine


def test_a_map_of_a_map_is_itself() -> None:
    """So that a fold may be handed either."""
    mine = PersistentMap({"a": 1})
    assert PersistentMap.of(mine) is mine
    assert PersistentMap.of({"a": 1}) == mine
    assert repr(mine) == "PersistentMap({'a': 1})"


def test_one_addition_copies_a_few_nodes_of_a_hundred_thousand() -> None:
    """What is shared is counted, not timed: at most one node for each level."""
    before = PersistentMap((n, n) for n in range(100_000))
    after = before.plus(-7, 0)
    assert len(nodes_of(after) - nodes_of(before)) <= 6


def test_readers_of_old_maps_are_not_disturbed_by_a_writer() -> None:
    """Many threads read while one goes on."""
    first = PersistentMap((n, n) for n in range(500))
    held = [first]
    wrong: list[int] = []

    def read() -> None:
        for _ in range(200):
            mine = held[-1]
            if sorted(mine) != list(range(len(mine))):
                wrong.append(len(mine))

    threads = [threading.Thread(target=read) for _ in range(3)]
    for thread in threads:
        thread.start()
    for n in range(500, 1_500):
        held.append(held[-1].plus(n, n))
    for thread in threads:
        thread.join()
    assert not wrong


def nodes_of(of: PersistentMap[object, int] | PersistentMap[int, int]) -> set[int]:
    found: set[int] = set()
    pending = [of._root]
    while pending:
        node = pending.pop()
        if node is not persistent._EMPTY:
            found.add(id(node))
        if type(node) is tuple:
            pending.extend(node)
    return found
