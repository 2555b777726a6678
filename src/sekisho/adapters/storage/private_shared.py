"""The private store in two places: the home's file, which is read, and the database that a standby elsewhere shares.

What is stated is durable in both before anybody is answered. At its start each side gets what the other one has: a
standby what the primary wrote, a database that is new what the home held. What was erased meanwhile may come back so
from a home that was away, and is destroyed again at that very start, since the log says that it is erased.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import groupby, islice
from typing import Final, get_args

from sekisho.adapters.storage.private_postgres import PrivatePostgres
from sekisho.adapters.storage.private_sqlite import PrivateSqlite
from sekisho.ports.private_store import Paper, PaperKind

__all__ = ["SharedPrivate"]

_STEP: Final = 1_000


class SharedPrivate:
    """A `PrivateStore` over both."""

    def __init__(self, home: PrivateSqlite, shared: PrivatePostgres) -> None:
        self._home = home
        self._shared = shared
        try:
            self._meet()
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        self._home.close()
        self._shared.close()

    def save_disclosures(self, digest: str, texts: Sequence[str]) -> None:
        self.save_all({digest: texts}, ())

    def load_disclosures(self) -> dict[str, tuple[str, ...]]:
        return self._home.load_disclosures()

    def erase_disclosures(self, digest: str) -> None:
        self._shared.erase_disclosures(digest)
        # Crash here: whoever erases finds the home's still there, and tries again.
        self._home.erase_disclosures(digest)

    def save_paper(self, paper: Paper) -> None:
        self.save_all({}, (paper,))

    def save_all(self, disclosures: Mapping[str, Sequence[str]], papers: Sequence[Paper]) -> None:
        self._shared.save_all(disclosures, papers)
        # Crash here: nobody was answered; the next start brings it over.
        self._home.save_all(disclosures, papers)

    def load_papers(self, kind: PaperKind, host: str | None = None) -> list[Paper]:
        return self._home.load_papers(kind, host)

    def find_paper(self, kind: PaperKind, digest: str) -> Paper | None:
        return self._home.find_paper(kind, digest)

    def _meet(self) -> None:
        """Each gets what only the other one has; in steps, and again from the beginning after a crash."""
        texts: dict[str, tuple[str, ...]] = {}
        for digest, rows in groupby(self._shared.texts(), key=lambda row: row[0]):
            texts[digest] = tuple(text for _, _, text in rows)
        here = self._home.load_disclosures()
        self._home.save_all({d: t for d, t in texts.items() if d not in here}, ())
        self._shared.save_all({d: t for d, t in here.items() if d not in texts}, ())
        there: set[tuple[str, str]] = set()
        papers = self._shared.papers()
        while step := list(islice(papers, _STEP)):
            there.update((paper.kind, paper.digest) for paper in step)
            self._home.save_all({}, step)
        for kind in get_args(PaperKind):
            mine = (p for p in self._home.load_papers(kind) if (kind, p.digest) not in there)
            while step := list(islice(mine, _STEP)):
                self._shared.save_all({}, step)
