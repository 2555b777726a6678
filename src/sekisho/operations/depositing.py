"""Deposits and erasures at the desk: what it conceals is deposited when stated, and destroyed when that is stated.

The order of writes, and what a crash between two of them means:

    private store -> concealing statement -> its deposit      erasure statement -> private store
    1. disclosures, no statement: an orphan. Nobody can have relied on it, nothing is owed.
    2. disclosures and statement, no deposit: `complete` makes it at the next start, or before the next statement.
    3. erasure stated, disclosures still there: `complete` destroys them. Destroyed and not stated cannot happen.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Sequence

from sekisho.model.errors import StateConflict
from sekisho.model.statements import DisclosureErased
from sekisho.operations.desk import Admitted, Desk
from sekisho.signing import Recorded
from sekisho.signing.deposit import SecretSharing, make_deposit
from sekisho.signing.deposit_book import DepositBook
from sekisho.signing.deposit_content import pad_texts
from sekisho.signing.disclosure import concealed_of, open_fields
from sekisho.signing.sealing import Sealer

__all__ = ["Depositor"]


class Depositor:
    """Keeps one desk's deposits. Make it before the desk loads; afterwards call `complete` once."""

    def __init__(
        self,
        desk: Desk,
        *,
        sharing: SecretSharing,
        sealer: Sealer,
        draw_secret: Callable[[], bytes] = lambda: secrets.token_bytes(16),
    ) -> None:
        self._desk = desk
        self._sharing = sharing
        self._sealer = sealer
        self._draw_secret = draw_secret
        self._book = DepositBook()
        desk.deposits = self
        desk.on_recorded(self._take)

    @property
    def book(self) -> DepositBook:
        """What the log says of deposits and erasures; an immutable value."""
        return self._book

    def check(self, texts: Sequence[str]) -> None:
        """Raise InvalidInput where these disclosures could not be deposited: asked before anything is stated."""
        if self._book.holders:
            pad_texts(texts)

    def deposits_missing(self) -> tuple[str, ...]:
        """The statements, by payload digest, that have no deposit yet and whose disclosures lie here whole.

        What lies here only in part cannot be deposited any more, nor what a later charter names no holder for; an
        auditor sees that its deposit is missing.
        """
        if not self._book.holders:
            return ()
        return tuple(
            digest
            for digest, concealed in self._book.owed.items()
            if not open_fields(self._desk.disclosures_of(digest), concealed).unopened
        )

    def complete(self) -> None:
        """Deposit and destroy whatever a crash or a full disk left undone. Raises Unavailable while they refuse."""
        with self._desk.lock:
            self._desk.settle()
            for digest in self._erasures_missing():
                self._desk.forget(digest)
            for digest in self.deposits_missing():
                self._deposit(digest)

    def check_erasable(self, digest: str) -> None:
        """Raise StateConflict where the log holds no such statement, or the books still act on what it conceals."""
        recorded = self._desk.find(digest)
        if recorded is None or not concealed_of(recorded.verified.predicate):
            raise StateConflict(
                f"no statement {digest[:16]} that conceals a field is in the log",
                remedy="name the SHA-256 of its payload",
            )
        if any(
            known.digest == digest and known.sealed is not None and not known.is_opened
            for book in self._desk.state.orders.orders.values()
            for known in book.values()
        ):
            raise StateConflict(
                f"{digest[:16]} is a sealed order, which must be opened",
                remedy="erase it once it is open; then nothing of it is concealed any more",
            )
        found = self._desk.state.licences.by_lease(recorded.leaf)
        if found is not None and found[1].ended is None:
            raise StateConflict(
                f"lease {found[1].granted.number} of host {found[1].granted.host} is open and rests on it",
                remedy="erase it once the lease is closed",
            )

    def erase(self, digest: str, basis: str) -> Admitted:
        """State that a statement's concealed fields are erased on this legal basis, then destroy salt and values.

        Afterwards the figure is not measured, never zero. Asked again, it destroys what may be left and answers with
        the first statement. Raises StateConflict where the log holds no such statement, where it conceals nothing, or
        where an open lease rests on it.
        """
        with self._desk.lock:
            self._desk.settle()
            self.check_erasable(digest)
            before = self._erasure_of(digest)
            if before is not None:
                self._desk.forget(digest)
                return Admitted(
                    index=before.index,
                    leaf=before.leaf,
                    digest=before.verified.digest,
                    fresh=False,
                )
            # An erasure that is stated is carried out at every start: it must be possible before it is said.
            self._desk.check_forgettable(digest)
            now = self._desk.clock.now()
            fact = DisclosureErased(effective=now, statement=digest, basis=basis)
            admitted = self._desk.state_fact(fact)
            # Crash here: stated and still readable; `complete` destroys it at the next start.
            self._desk.forget(digest)
            return admitted

    def _take(self, recorded: Recorded) -> None:
        self._book = self._book.after(recorded)

    def _erasures_missing(self) -> list[str]:
        return [digest for digest in self._book.erased if self._desk.disclosures_of(digest)]

    def _deposit(self, digest: str) -> None:
        deposit = make_deposit(
            origin=self._desk.origin,
            statement=digest,
            texts=self._desk.disclosures_of(digest),
            concealed=self._book.owed[digest],
            holders=self._book.holders,
            secret=self._draw_secret(),
            sharing=self._sharing,
            sealer=self._sealer,
        )
        # Crash here: nothing is stated, and the content key is gone with us; the next try draws another.
        self._desk.state_fact(deposit.to_fact(self._desk.clock.now()))

    def _erasure_of(self, digest: str) -> Recorded | None:
        """The statement that erased it before; a walk through the log, and rarely asked for."""
        if digest not in self._book.erased:
            return None
        for recorded in self._desk.recorded():
            fact = recorded.verified.predicate
            if isinstance(fact, DisclosureErased) and fact.statement == digest:
                return recorded
        return None
