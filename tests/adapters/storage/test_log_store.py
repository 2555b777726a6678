"""One suite for the port of the log's database, run on every implementation of it."""

from __future__ import annotations

import random
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Protocol

import pytest

from sekisho.adapters.storage import sqlite_claims
from sekisho.adapters.storage.postgres_log import PostgresLogStore
from sekisho.adapters.storage.sqlite_log import SqliteLogStore
from sekisho.ledger.tree import EMPTY_ROOT, leaf_hash
from sekisho.model.errors import StateConflict
from sekisho.ports.log_store import LogStore, Recorded, Submission, Taken, TreeHead
from tests.ledger.logs import ORIGIN, submission
from tests.ledger.memory_store import MemoryLogStore

EMPTY = TreeHead(size=0, root=EMPTY_ROOT)
ROOT = bytes(range(32))


class Place(Protocol):
    """Somewhere a database lies; opened again after it was closed, it holds what was stored."""

    def open(self) -> LogStore: ...

    def close(self) -> None: ...


class Opened:
    """The database of one file or address, one store at a time."""

    def __init__(self, make: Callable[[], SqliteLogStore | PostgresLogStore]) -> None:
        self._make = make
        self._store: SqliteLogStore | PostgresLogStore | None = None

    def open(self) -> LogStore:
        self.close()
        self._store = self._make()
        return self._store

    def close(self) -> None:
        if self._store is not None:
            self._store.close()
        self._store = None


class InMemory:
    """The fake, which a restart copies."""

    def __init__(self) -> None:
        self._store = MemoryLogStore()

    def open(self) -> LogStore:
        self._store = self._store.after_restart()
        return self._store

    def close(self) -> None:
        pass


@pytest.fixture(params=["memory", "sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Place]:
    """A database in which nothing is stored yet, of each kind."""
    made: Place = InMemory()
    if request.param == "sqlite":
        made = Opened(lambda: SqliteLogStore(tmp_path / "log.db", origin=ORIGIN))
    elif request.param == "postgres":
        url = request.getfixturevalue("postgres_url")
        made = Opened(lambda: PostgresLogStore(url, origin=ORIGIN))
    yield made
    made.close()


@pytest.fixture
def store(place: Place) -> LogStore:
    """A store over the empty database."""
    return place.open()


def recorded(first: int, *given: Submission) -> list[Recorded]:
    """These submissions as entries from index `first` on."""
    return [
        Recorded(
            index=first + offset,
            leaf_hash=leaf_hash(item.envelope),
            envelope=item.envelope,
            payload_sha256=item.payload_sha256,
            unique=item.unique,
        )
        for offset, item in enumerate(given)
    ]


def named(first: int, *names: str) -> list[Recorded]:
    """Statements with a unique key each, as entries from index `first` on."""
    return recorded(first, *(submission(name, f"serial {name}") for name in names))


def mark(index: int, text: bytes = b"mark") -> Recorded:
    """A time mark: no payload digest, no unique key."""
    return Recorded(index=index, leaf_hash=leaf_hash(text), envelope=text)


def without_keys(entries: list[Recorded]) -> list[Recorded]:
    """What reading gives back of them."""
    return [
        Recorded(
            index=e.index,
            leaf_hash=e.leaf_hash,
            envelope=e.envelope,
            payload_sha256=e.payload_sha256,
        )
        for e in entries
    ]


def test_new_log_is_empty(store: LogStore) -> None:
    """A new database stands for the empty tree, and has published nothing."""
    assert (store.load_size(), store.load_head(), store.load_cosigned()) == (0, EMPTY, None)
    assert store.load_entries(0, 10) == []


def test_entries_come_back_in_order_and_content(store: LogStore) -> None:
    """What was sequenced is read back byte for byte, any span of it, fewer past the end."""
    entries = [
        mark(0),
        *named(1, "a", "b"),
        mark(3),
        *recorded(4, submission("größe", "schlüssel", "鍵")),
    ]
    store.sequence(0, entries[:3])
    store.sequence(3, entries[3:])
    assert store.load_size() == 5
    assert store.load_entries(0, 5) == without_keys(entries)
    assert store.load_entries(2, 4) == without_keys(entries[2:4])
    assert store.load_entries(4, 99) == without_keys(entries[4:])
    assert store.load_entries(5, 99) == store.load_entries(3, 3) == []


def test_bytes_of_every_value_come_back(store: LogStore) -> None:
    """Envelopes, digests and keys may hold any byte and be as long as an entry may be."""
    every = bytes(range(256))
    long = Submission(
        envelope=every * 255 + every[:255],
        payload_sha256=every[:32],
        unique=("k" * 512, "'; DROP TABLE log; --", "a\\b%s?:x", "\x01 tab\t"),
    )
    store.sequence(0, recorded(0, long))
    assert store.load_entries(0, 1)[0].envelope == long.envelope
    found = store.find_recorded([long])
    assert set(found.payloads) == {long.payload_sha256}
    assert set(found.unique) == set(long.unique)


def test_entries_are_found_by_payload_and_key(store: LogStore) -> None:
    """Look-ups give index and leaf hash, and nothing for what does not stand."""
    store.sequence(0, [mark(0), *named(1, "a", "b")])
    found = store.find_recorded([submission("a"), submission("x", "serial b", "serial y")])
    assert found.payloads == {
        submission("a").payload_sha256: (1, leaf_hash(submission("a").envelope))
    }
    assert found.unique == {"serial b": (2, leaf_hash(submission("b").envelope))}
    assert store.find_recorded([]).payloads == {}


def test_many_rows_are_written_and_found_at_once(store: LogStore) -> None:
    """A group larger than what one statement binds is stored, read and looked up whole."""
    names = [str(number) for number in range(2500)]
    store.sequence(0, named(0, *names))
    found = store.find_recorded([submission(name, f"serial {name}") for name in names])
    assert (len(found.payloads), len(found.unique)) == (2500, 2500)
    assert [entry.index for entry in store.load_entries(0, 2500)] == list(range(2500))


def test_sequencing_from_another_size_changes_nothing(store: LogStore) -> None:
    """The compare-and-swap is on the number of entries: behind it and ahead of it are both refused."""
    store.sequence(0, named(0, "a"))
    for wrong in (0, 2):
        with pytest.raises(StateConflict) as refused:
            store.sequence(wrong, named(wrong, "b"))
        assert not isinstance(refused.value, Taken)
    assert store.load_size() == 1
    assert store.find_recorded([submission("b", "serial b")]).payloads == {}


REPEATED = {
    "payload": lambda: [submission("new"), submission("a")],
    "key": lambda: [submission("new"), submission("other", "serial a")],
    "payload within": lambda: [submission("new"), submission("new", "key")],
    "key within": lambda: [submission("new", "key"), submission("other", "key")],
}


@pytest.mark.parametrize("kind", REPEATED)
def test_what_stands_already_is_refused_with_its_whole_group(store: LogStore, kind: str) -> None:
    """The database itself holds uniqueness: nothing of such a group is stored, and the next one goes on."""
    store.sequence(0, named(0, "a"))
    with pytest.raises(Taken):
        store.sequence(1, recorded(1, *REPEATED[kind]()))
    assert store.load_size() == 1
    assert store.find_recorded([submission("new", "key")]).payloads == {}
    store.sequence(1, recorded(1, submission("new", "key")))
    assert store.load_size() == 2


def test_payload_and_key_never_meet(store: LogStore) -> None:
    """A unique key that spells a payload's digest takes nothing from it."""
    digest = submission("a").payload_sha256
    spelt = digest.hex()
    store.sequence(0, recorded(0, submission("x", spelt, digest.decode("latin-1"))))
    store.sequence(1, recorded(1, submission("a")))
    found = store.find_recorded([submission("a", spelt)])
    assert (found.payloads[digest][0], found.unique[spelt][0]) == (1, 0)


def test_key_that_one_statement_names_twice_is_its_own(store: LogStore) -> None:
    """An entry does not stand in its own way."""
    store.sequence(0, recorded(0, submission("a", "key", "key")))
    assert store.find_recorded([submission("x", "key")]).unique["key"][0] == 0


def test_marks_repeat(store: LogStore) -> None:
    """Entries without a payload digest are never repetitions, even with the same bytes."""
    store.sequence(0, [mark(0), mark(1)])
    assert store.load_size() == 2


def test_head_moves_by_compare_and_swap(store: LogStore) -> None:
    """From the head that stands only, by size and by root, and never past the entries."""
    store.sequence(0, named(0, "a", "b"))
    one, two = TreeHead(size=1, root=ROOT), TreeHead(size=2, root=ROOT)
    with pytest.raises(StateConflict):
        store.swap_head(EMPTY, TreeHead(size=3, root=ROOT))
    store.swap_head(EMPTY, one)
    for wrong in (EMPTY, two, TreeHead(size=1, root=bytes(32))):
        with pytest.raises(StateConflict):
            store.swap_head(wrong, two)
    assert store.load_head() == one
    store.swap_head(one, two)
    assert (store.load_head(), store.load_size()) == (two, 2)


def test_cosigned_checkpoint_never_steps_back(store: LogStore) -> None:
    """The newest cosigned checkpoint is kept; a smaller one is refused."""
    for size, note in ((3, b"three"), (3, b"three again"), (5, b"five")):
        store.save_cosigned(size, note)
        assert store.load_cosigned() == (size, note)
    with pytest.raises(StateConflict):
        store.save_cosigned(4, b"four")
    assert store.load_cosigned() == (5, b"five")


def test_everything_survives_a_restart(place: Place) -> None:
    """Entries, what they claim, head and checkpoint are there again when the database is opened anew."""
    store = place.open()
    entries = [mark(0), *named(1, "a", "b")]
    store.sequence(0, entries)
    store.swap_head(EMPTY, TreeHead(size=2, root=ROOT))
    store.save_cosigned(2, b"note")
    again = place.open()
    assert again.load_entries(0, 9) == without_keys(entries)
    assert again.load_head() == TreeHead(size=2, root=ROOT)
    assert (again.load_size(), again.load_cosigned()) == (3, (2, b"note"))
    for repeated in (submission("a"), submission("new", "serial b")):
        with pytest.raises(Taken):
            again.sequence(3, recorded(3, repeated))
    again.sequence(3, named(3, "c"))


def test_threads_share_the_store(store: LogStore) -> None:
    """Of many threads that want the same index one gets it, and every entry stands once."""
    lost: list[str] = []

    def append(name: str) -> None:
        while True:
            size = store.load_size()
            try:
                store.sequence(size, named(size, name))
            except StateConflict:
                lost.append(name)
            else:
                return

    threads = [threading.Thread(target=append, args=(str(n),)) for n in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    wanted = {submission(str(n)).envelope for n in range(12)}
    assert {entry.envelope for entry in store.load_entries(0, 99)} == wanted
    assert store.load_size() == 12


def test_random_schedule_agrees_with_a_plain_dictionary(
    place: Place, dice: random.Random, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Groups with repetitions, and restarts, end as a dictionary of what came first says; claims move to disk."""
    monkeypatch.setattr(sqlite_claims, "KEEP", 40)
    store, taken, size = place.open(), dict[str, int](), 0
    for _ in range(120):
        if dice.random() < 0.08:
            store = place.open()
        names = [str(dice.randrange(600)) for _ in range(dice.randrange(1, 9))]
        group = recorded(size, *(submission(name, f"k{int(name) % 450}") for name in names))
        keys = [key for name in names for key in (name, f"k{int(name) % 450}")]
        if len(set(keys)) < len(keys) or any(key in taken for key in keys):
            with pytest.raises(Taken):
                store.sequence(size, group)
            continue
        store.sequence(size, group)
        for entry, name in zip(group, names, strict=True):
            taken[name] = taken[f"k{int(name) % 450}"] = entry.index
        size += len(group)
    asked = [submission(str(name), f"k{name}") for name in range(600)]
    found = store.find_recorded(asked)
    assert {key: place[0] for key, place in found.unique.items()} == {
        key: index for key, index in taken.items() if key.startswith("k")
    }
    assert {
        found.payloads[s.payload_sha256][0] for s in asked if s.payload_sha256 in found.payloads
    } == {index for key, index in taken.items() if not key.startswith("k")}
    assert store.load_size() == size > 100
