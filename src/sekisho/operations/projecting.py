"""Projections told on from the log, made again from log and private store, and the two compared.

Rows are told entry by entry, so that it makes no difference how many entries a transaction takes, nor where a crash
came between two of them.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from typing import Final, Literal

import msgspec

from sekisho.model.wire import canonical
from sekisho.operations.documents import UNVERIFIABLE
from sekisho.operations.projections import TABLES, changed_documents
from sekisho.operations.state import start_state
from sekisho.ports.projection_store import START, Place, Position, ProjectionStore, Row, View
from sekisho.signing import Recorded, TrustRoot

__all__ = [
    "GROUP",
    "Check",
    "Disclosures",
    "Mismatch",
    "Telling",
    "check_projections",
    "count_rows",
    "is_hidden",
    "make_projections",
    "read_entries",
]

FORMAT: Final = b"sekisho projections v1\n"
"""Part of every position: rows that another release told otherwise are made again."""

GROUP: Final = 1_000
_HIDDEN: Final = f'"{UNVERIFIABLE}"'.encode()
Disclosures = Callable[[str], tuple[str, ...]]
"""A statement's disclosures by its payload digest; none where they are not at hand."""


class Mismatch(msgspec.Struct, frozen=True, kw_only=True):
    """A place where what is kept is not what log and private store give; None where one of the two has no row."""

    table: str
    key: str
    kept: Row | None
    made: Row | None


class Check(msgspec.Struct, frozen=True, kw_only=True):
    """Whether kept projections are, byte for byte, what log and private store give at the kept position.

    Unverifiable where nothing is kept of a log that has entries. `tables` counts the kept rows, `hidden` those with
    an amount that nobody here can open; `behind` is how many entries the kept rows do not tell of yet.
    """

    verdict: Literal["holds", "fails", "unverifiable"]
    why: str
    size: int
    behind: int
    tables: dict[str, int]
    hidden: int
    differences: int = 0
    first: Mismatch | None = None


class Telling:
    """A fold that notes which documents change: how far it is told, and what is still to be written of it."""

    def __init__(self, root: TrustRoot, disclosures: Disclosures) -> None:
        self._disclosures = disclosures
        self.state = start_state(root)
        self.position = START
        self._noted: dict[Place, tuple[object | None, int]] = {}

    def pass_over(self, recorded: Recorded) -> None:
        """Fold an entry of which everything is written already."""
        verified = recorded.verified
        texts = self._disclosures(verified.digest)
        self.state = self.state.after(recorded, {verified.digest: texts} if texts else {})
        grounds = hashlib.sha256(FORMAT + bytes.fromhex(self.position.grounds + recorded.leaf))
        for text in texts:
            grounds.update(b"\n" + text.encode())
        self.position = Position(
            size=recorded.index + 1, leaf=recorded.leaf, grounds=grounds.hexdigest()
        )

    def tell(self, recorded: Recorded) -> None:
        """Fold an entry and note what it changes."""
        before = self.state
        self.pass_over(recorded)
        for place, document in changed_documents(before, self.state, recorded):
            self._noted[place] = (document, recorded.index)

    def take_changes(self) -> tuple[list[Row], list[Place]]:
        """What was noted since the last time: rows to be written, and places where there is no row any more."""
        noted, self._noted = self._noted, {}
        rows = [
            Row(table=place[0], key=place[1], document=canonical(document), index=index)
            for place, (document, index) in noted.items()
            if document is not None
        ]
        return rows, [place for place, (document, _) in noted.items() if document is None]


def read_entries(telling: Telling, envelopes: Iterable[bytes]) -> Iterator[Recorded]:
    """Entries of a log, each verified by the regime of those before it: each is to be told before the next is read."""
    for raw in envelopes:
        yield telling.state.verify(raw)


def make_projections(
    into: ProjectionStore,
    telling: Telling,
    entries: Iterable[Recorded],
    heard: Callable[[int], None] = lambda _: None,
) -> None:
    """Fill an empty store from entries and disclosures alone, up to the telling's position. `heard` counts entries."""
    written = telling.position
    for recorded in entries:
        telling.tell(recorded)
        if telling.position.size % GROUP == 0:
            into.save(written, telling.position, *telling.take_changes())
            written = telling.position
            heard(written.size)
    into.save(written, telling.position, *telling.take_changes())
    heard(telling.position.size)


def check_projections(
    kept: ProjectionStore,
    made: ProjectionStore,
    telling: Telling,
    envelopes: Iterable[bytes],
    *,
    log_size: int,
    heard: Callable[[int], None] = lambda _: None,
) -> Check:
    """Make the projections again in `made`, an empty store, up to where the kept ones stand, and compare them all.

    `envelopes` are the log's entries from the first on, `log_size` how many there are; a fresh `telling` folds them.
    """
    with kept.view() as mine:
        size = mine.position.size
        make_projections(made, telling, read_entries(telling, islice(envelopes, size)), heard)
        with made.view() as others:
            differences, first = _compare(mine, others)
        why = _why(mine.position, telling.position, log_size)
        tables, hidden = count_rows(mine)
    verdict: Literal["holds", "fails", "unverifiable"] = "holds"
    if differences or (why and size):
        verdict = "fails"
    elif why:
        verdict = "unverifiable"
    return Check(
        verdict=verdict,
        why=why,
        size=size,
        behind=max(0, log_size - size),
        tables=tables,
        hidden=hidden,
        differences=differences,
        first=first,
    )


def count_rows(view: View) -> tuple[dict[str, int], int]:
    """How many rows each table has, and how many rows hold an amount that nobody here can open."""
    tables, hidden = dict.fromkeys(TABLES, 0), 0
    for row in view.rows():
        tables[row.table] = tables.get(row.table, 0) + 1
        hidden += is_hidden(row)
    return tables, hidden


def is_hidden(row: Row) -> bool:
    """Whether a row holds an amount that nobody here can open."""
    return _HIDDEN in row.document


def _why(kept: Position, made: Position, log_size: int) -> str:
    if kept.size > log_size:
        return f"the projections tell of {kept.size} entries, the log has {log_size}"
    if not kept.size and log_size:
        return "nothing is projected yet"
    if kept.leaf != made.leaf:
        return f"entry {kept.size - 1} of this log is another than the projections tell of"
    if kept.grounds != made.grounds:
        return "the projections rest on other entries or other disclosures than are here now"
    return ""


def _compare(kept: View, made: View) -> tuple[int, Mismatch | None]:
    """How many places differ, and the first of them. Both views are in the order of their places."""
    mine, others = kept.rows(), made.rows()
    row, other = next(mine, None), next(others, None)
    differences, first = 0, None
    while row is not None or other is not None:
        place = min(found.place for found in (row, other) if found is not None)
        left = row if row is not None and row.place == place else None
        right = other if other is not None and other.place == place else None
        if left != right:
            differences += 1
            first = first or Mismatch(table=place[0], key=place[1], kept=left, made=right)
        row = row if left is None else next(mine, None)
        other = other if right is None else next(others, None)
    return differences, first
