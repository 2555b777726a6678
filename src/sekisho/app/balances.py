"""Balances and production wired: a home's register, the reports kept beside it, the quotas in force."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from sekisho.adapters.storage.report_files import ReportFiles
from sekisho.app.home import Home
from sekisho.model.errors import StateConflict
from sekisho.model.instants import Instant
from sekisho.operations.register.balancing import Balances
from sekisho.operations.register.producing import Productions
from sekisho.operations.register.suspecting import Raising, Suspicions
from sekisho.ports.register_store import RegisterStore
from sekisho.registry.balance import BulkBook, parse_bulk_books
from sekisho.registry.production import Quota, parse_quotas
from sekisho.registry.terms import RegisterTerms

__all__ = ["RegisterBooks", "open_books"]

LOOKED_EVERY_S: Final = 30.0


class RegisterBooks:
    """The balances and production reports of one home, over its register's store."""

    def __init__(self, home: Home, store: RegisterStore, terms: RegisterTerms) -> None:
        self._home = home
        reports = ReportFiles(home.path / "balances")
        self.balances = Balances(store, terms, reports)
        self.productions = Productions(store, reports)
        self._suspicions = Suspicions(self.balances, self.productions, self.quotas)
        self._looked: Instant | None = None

    def quotas(self) -> tuple[Quota, ...]:
        """The quotas in `quotas.json`; none where nobody wrote the file. Raises InvalidInput with the field's path."""
        file = self._home.path / "quotas.json"
        return parse_quotas(file.read_bytes(), path=str(file)) if file.exists() else ()

    def bulk(self) -> tuple[BulkBook, ...]:
        """The bulk areas in `bulk-areas.json`, a list of their books; none without the file. Raises InvalidInput."""
        file = self._home.path / "bulk-areas.json"
        return parse_bulk_books(file.read_bytes(), path=str(file)) if file.exists() else ()

    def tend(self, now: Instant, raising: Raising) -> None:
        """Each half minute: state what newly kept balances and reports give rise to. Raises what stating raises."""
        if self._looked is None or now.since(self._looked) >= LOOKED_EVERY_S:
            self._looked = now
            self._suspicions.raise_new(raising)


@contextmanager
def open_books(home: Home) -> Iterator[RegisterBooks]:
    """A home's books for reading and closing, also while its control plane runs. Raises StateConflict without any."""
    if not home.elsewhere.database and not home.register_file.exists():
        raise StateConflict(
            "this home keeps no register of chips yet", remedy="sekisho up, and capture a document"
        )
    store = home.open_register(writes=False)
    try:
        yield RegisterBooks(home, store, home.load_terms())
    finally:
        store.close()
