"""Erasing from the private store: no byte of what was erased is left in its files, whatever else they hold."""

from __future__ import annotations

import hashlib
import random
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from sekisho.adapters.storage.private_sqlite import PrivateSqlite
from sekisho.model.errors import Unavailable
from sekisho.ports.private_store import Paper
from sekisho.signing import conceal

PIECE = 12


def disclosures(count: int) -> dict[str, tuple[str, ...]]:
    """Texts of many lengths, by digests in no order."""
    dice = random.Random(7)
    return {
        hashlib.sha256(bytes([n % 256, n // 256])).hexdigest(): tuple(
            conceal(f"field_{m}", dice.randbytes(dice.randrange(4, 300)).hex(), dice.randbytes(16))[
                1
            ].text
            for m in range(1 + n % 3)
        )
        for n in range(count)
    }


def bytes_of(folder: Path) -> bytes:
    """Everything that the store's files hold: database, write-ahead log, its index."""
    return b"".join(path.read_bytes() for path in sorted(folder.glob("private.sqlite*")))


def pieces_of(texts: tuple[str, ...]) -> set[bytes]:
    """Short runs of the texts, so that a copy that was partly overwritten is found too."""
    return {text[i : i + PIECE].encode() for text in texts for i in range(0, len(text) - PIECE, 2)}


@pytest.fixture
def store(tmp_path: Path) -> Iterator[PrivateSqlite]:
    made = PrivateSqlite(tmp_path / "private.sqlite")
    yield made
    made.close()


def test_no_byte_of_what_was_erased_is_left_in_file_or_write_ahead_log(
    store: PrivateSqlite, tmp_path: Path
) -> None:
    """Among many others, erased one after the other; the bytes are there before."""
    kept = disclosures(90)
    for digest, texts in kept.items():
        store.save_disclosures(digest, texts)
    chosen = random.Random(8).sample(sorted(kept), 15)
    before = bytes_of(tmp_path)
    assert all(text.encode() in before for digest in chosen for text in kept[digest])
    for digest in chosen:
        store.erase_disclosures(digest)
    after = bytes_of(tmp_path)
    left = {digest: texts for digest, texts in kept.items() if digest not in chosen}
    still = "".join(text for texts in left.values() for text in texts).encode()
    for digest in chosen:
        assert digest.encode() not in after
        own = [piece for piece in pieces_of(kept[digest]) if piece not in still]
        assert len(own) > 10
        assert not [piece for piece in own if piece in after]
    assert store.load_disclosures() == left


def test_erasing_leaves_everything_else_as_it_was(store: PrivateSqlite) -> None:
    """Receipts and other statements' disclosures stay; erasing again, or nothing, is harmless."""
    paper = Paper(kind="receipt", host="host-1", number=1, digest="a" * 64, envelope=b"envelope")
    store.save_paper(paper)
    store.save_disclosures("1" * 64, ("one",))
    store.save_disclosures("2" * 64, ("two", "three"))
    for digest in ("2" * 64, "2" * 64, "3" * 64):
        store.erase_disclosures(digest)
    assert store.load_disclosures() == {"1" * 64: ("one",)}
    assert store.load_papers("receipt") == [paper]


def test_what_a_crash_left_unscrubbed_is_scrubbed_at_the_next_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The rows are gone and the process dies before the file is rewritten."""
    ((digest, texts),) = disclosures(1).items()
    store = PrivateSqlite(tmp_path / "private.sqlite")
    store.save_disclosures(digest, texts)

    def die() -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as dying:
        dying.setattr(store, "_scrub", die)
        with pytest.raises(KeyboardInterrupt):
            store.erase_disclosures(digest)
    assert store.load_disclosures() == {}
    assert texts[0].encode() in bytes_of(tmp_path)  # in the write-ahead log
    again = PrivateSqlite(tmp_path / "private.sqlite")
    assert texts[0].encode() not in bytes_of(tmp_path)
    again.close()
    store.close()


def test_a_reader_that_holds_the_write_ahead_log_makes_the_erasure_say_so(
    store: PrivateSqlite, tmp_path: Path
) -> None:
    """It is not called done while a copy is left; asked again without the reader, it is."""
    ((digest, texts),) = disclosures(1).items()
    store.save_disclosures(digest, texts)
    with store._transaction() as connection:
        connection.exec_driver_sql("SELECT 1")
    reader = sqlite3.connect(tmp_path / "private.sqlite", isolation_level=None)
    reader.execute("BEGIN")
    reader.execute("SELECT count(*) FROM disclosures").fetchone()
    with store._engine.connect() as connection:
        connection.exec_driver_sql("PRAGMA busy_timeout=50")
    with pytest.raises(Unavailable):
        store.erase_disclosures(digest)
    reader.close()
    store.erase_disclosures(digest)
    assert texts[0].encode() not in bytes_of(tmp_path)
