"""The register of chips wired: its store, what states its batches in the log, and who is told of its events."""

from __future__ import annotations

import secrets
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from sekisho.adapters.storage.content_folder import ContentFolder
from sekisho.adapters.storage.register_sql import open_register
from sekisho.adapters.storage.subscriptions_sqlite import SubscriptionsSqlite
from sekisho.adapters.transport.webhook_client import HttpWebhooks
from sekisho.app.home import Home
from sekisho.app.terms_in_use import stale_terms
from sekisho.model.instants import Instant
from sekisho.operations.desk import Desk
from sekisho.operations.register.committing import Committer
from sekisho.operations.register.delivering import Deliverer
from sekisho.operations.register.endorsing import Voices
from sekisho.operations.register.exporting import collect_register
from sekisho.operations.register.rebuilding import Scratch
from sekisho.operations.register.register import Register
from sekisho.operations.register.subscribing import Subscriptions
from sekisho.ports.register_store import RegisterStore

__all__ = ["RunningRegister", "scratch_in"]

TICK_S: Final = 30.0


class RunningRegister:
    """The register of a running regime. Make it before the desk loads, start it afterwards."""

    def __init__(self, home: Home, desk: Desk) -> None:
        terms = home.load_terms()
        self._store = home.open_register()
        try:
            self._stale = stale_terms(home, self._store, terms)
            self.committer = Committer(
                desk, self._store, home.tag_key(), contents=ContentFolder(home.path / "custody")
            )
            self.register = Register(
                store=self._store,
                terms=terms,
                voices=Voices(desk.origin, lambda: desk.state.regime),
                clock=desk.clock,
                committer=self.committer,
                scratch=scratch_in(home.path),
            )
            self._subscribed = SubscriptionsSqlite(home.path / "subscriptions.sqlite")
        except BaseException:
            self._store.close()
            raise
        self._webhooks = HttpWebhooks()
        self.subscriptions = Subscriptions(
            self.register, self._subscribed, self._webhooks, secrets.token_bytes
        )
        self.deliverer = Deliverer(self.register, self._subscribed, self._webhooks)
        self._ticked: Instant | None = None

    @property
    def problem(self) -> str:
        """What a person should look at; empty while all is well."""
        told = (self._stale, self.register.problem, self.committer.problem, self.deliverer.problem)
        return "; ".join(problem for problem in told if problem)

    def start(self) -> None:
        """Make good what a crash left, then capture and deliver."""
        self.register.start()
        self.deliverer.start()

    def stop(self) -> None:
        """Finish what stands in line."""
        self.deliverer.stop()
        self.register.stop()
        self.committer.stop()

    def disclose(self, size: int) -> dict[str, bytes]:
        """The register's files for a bundle of a log of this size. Raises StateConflict for too much."""
        # What was stated meanwhile is settled first, else its batch would seem to be kept back.
        self.committer.complete()
        return collect_register(self._store, self.register.terms, size=size)

    def close(self) -> None:
        """Close the files; whatever was started must have stopped."""
        self._webhooks.close()
        self._subscribed.close()
        self._store.close()

    def tend(self, now: Instant) -> None:
        """What the keeper does every second: raise what time made due, each half minute."""
        if self._ticked is None or now.since(self._ticked) >= TICK_S:
            self._ticked = now
            if self.register.tick(now):
                self.register.complete()


def scratch_in(folder: Path) -> Scratch:
    """Registers made apart, in a folder of their own in `folder` that is gone afterwards, also where that failed."""

    @contextmanager
    def make() -> Iterator[RegisterStore]:
        with tempfile.TemporaryDirectory(prefix="register-apart-", dir=folder) as apart:
            store = open_register(Path(apart) / "register.sqlite")
            try:
                yield store
            finally:
                store.close()

    return make
