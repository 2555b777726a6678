"""Words and EPCs by number: each is stored once, and the newest asked for are remembered."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from sqlalchemy import Column, Connection, Table, func, select

from sekisho.adapters.storage.register_engine import RegisterEngine
from sekisho.adapters.storage.register_packing import is_plain, plain
from sekisho.adapters.storage.register_schema import epcs, words
from sekisho.model.errors import Corrupt

__all__ = ["Dictionary", "Vocabulary"]

WORDS_HELD = 65_536
EPCS_HELD = 65_536


class Dictionary:
    """The rows of a table of texts with numbers. What a transaction adds is remembered once that stands (`keep`)."""

    def __init__(self, engine: RegisterEngine, table: Table, text: Column[str], most: int) -> None:
        self._engine = engine
        self._table = table
        self._most = most
        self._lock = threading.Lock()
        self._ids: dict[str, int] = {}
        self._texts: dict[int, str] = {}
        self._by_text = select(text, table.c.id).where(engine.among(text, "wanted"))
        self._by_id = select(text, table.c.id).where(engine.among(table.c.id, "wanted"))
        self._newest = select(func.max(table.c.id))

    def ids(
        self, connection: Connection, texts: Iterable[str], *, remember: bool = True
    ) -> dict[str, int]:
        """The numbers of those that are there."""
        held = self._ids
        found = {text: held.get(text, 0) for text in texts}
        missing = [text for text, number in found.items() if not number]
        if not missing:
            return found
        wanted = {"wanted": self._engine.wanted(filter(is_plain, missing))}
        read: dict[str, int] = {row[0]: row[1] for row in connection.execute(self._by_text, wanted)}
        if remember:
            self.keep(read)
        return {t: number or read[t] for t, number in found.items() if number or t in read}

    def intern(self, connection: Connection, texts: Iterable[str]) -> dict[str, int]:
        """The numbers of all of them, new ones included; to be kept once the transaction stands."""
        wanted = dict.fromkeys(texts)
        found = self.ids(connection, wanted, remember=False)
        missing = [plain(text) for text in wanted if text not in found]
        if missing:
            first = (connection.execute(self._newest).scalar_one() or 0) + 1
            fresh = {text: first + place for place, text in enumerate(missing)}
            rows = [(number, text) for text, number in fresh.items()]
            self._engine.add(connection, self._table, rows)
            found |= fresh
        return found

    def texts(self, connection: Connection, ids: Iterable[int]) -> dict[int, str]:
        """What these numbers mean. Raises Corrupt where one means nothing."""
        held = self._texts
        found = {number: held.get(number) for number in ids}
        missing = [number for number, text in found.items() if text is None]
        if missing:
            if not all(isinstance(number, int) for number in missing):
                raise self._strange()
            wanted = {"wanted": self._engine.wanted(missing)}
            read: dict[str, int] = {
                row[0]: row[1] for row in connection.execute(self._by_id, wanted)
            }
            self.keep(read)
            found.update((number, text) for text, number in read.items())
        known = {number: text for number, text in found.items() if isinstance(text, str)}
        if len(known) < len(found):
            raise self._strange()
        return known

    def _strange(self) -> Corrupt:
        return Corrupt(
            f"a row in the register's database means none of its {self._table.name}",
            remedy="restore it from a backup",
        )

    def keep(self, fresh: Mapping[str, int]) -> None:
        """Remember them; when there are too many, begin anew."""
        if not fresh:
            return
        with self._lock:
            if len(self._ids) + len(fresh) > self._most:
                # New ones, since somebody may be reading the old.
                self._ids, self._texts = {}, {}
            if len(fresh) <= self._most:
                self._ids.update(fresh)
                self._texts.update((number, text) for text, number in fresh.items())


class Vocabulary(NamedTuple):
    """The two dictionaries of a register."""

    words: Dictionary
    epcs: Dictionary

    @classmethod
    def of(cls, engine: RegisterEngine) -> Vocabulary:
        return cls(
            Dictionary(engine, words, words.c.word, WORDS_HELD),
            Dictionary(engine, epcs, epcs.c.epc, EPCS_HELD),
        )
