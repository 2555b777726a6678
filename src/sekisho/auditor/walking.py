"""The log read once from its first entry, through the very folds that the regime itself runs.

What a fold refuses is kept as a refusal under the check that it belongs to; the fold goes on without it.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Mapping, Sequence

import msgspec

from sekisho.auditor.history import History, Mark, Refusal, Step
from sekisho.auditor.resolving import named_anew
from sekisho.ledger import Cosigned, Frontier, Policy, leaf_hash
from sekisho.licensing import (
    ApplicationBook,
    LicenceLedger,
    OutageBook,
    StaleTerm,
    UnknownLicence,
    UnknownShare,
    WrongIssuer,
    WrongLeaseNumber,
)
from sekisho.licensing.rosters import Rosters
from sekisho.model.errors import SekishoError, StateConflict
from sekisho.model.instants import Instant
from sekisho.model.statements import (
    CharterAdopted,
    HostEnrolled,
    LeaseClosed,
    LicenceAmended,
    LicenceClosed,
    LicenceIssued,
    LicenceRevoked,
    LicenceSuspended,
    OrderIssued,
    OrderOpened,
    OrderSealed,
    ResolvedScope,
    TimeMarked,
)
from sekisho.orders import OrderBook, record_in_book
from sekisho.orders.lifecycle import OrderLives
from sekisho.signing import (
    PackShelf,
    Recorded,
    Regime,
    TrustRoot,
    current_root,
    put_on_shelf,
    verify_disclosure,
)
from sekisho.signing.notes import Note
from sekisho.signing.trust import start_regime

__all__ = ["policy_under", "walk_log"]

_NO_LEASE = (StaleTerm, UnknownLicence, UnknownShare, WrongIssuer, WrongLeaseNumber)
"""Why a lease is none at all, whatever it amounts to."""
_LICENSING = (LicenceIssued, LicenceAmended, LicenceSuspended, LicenceRevoked, LicenceClosed)


def policy_under(root: TrustRoot, regime: Regime) -> Policy:
    """The witness policy at a point of the log: the trust root's, until a later charter brings its own."""
    return Policy.from_text(
        current_root(root, regime).witnesses, path="the witnesses of root and charter"
    )


def walk_log(
    entries: Sequence[bytes],
    root: TrustRoot,
    disclosures: Mapping[str, tuple[str, ...]],
    *,
    note: Note | None,
    progress: Callable[[int, int], None],
) -> History:
    """Read the whole log under a trust root; hostile entries become faults, never errors of this function."""
    walk = _Walk(root, disclosures)
    for index, raw in enumerate(entries):
        walk.take(index, raw)
        progress(index + 1, len(entries))
    opened = walk.opened_later()
    if opened:
        # What the log itself opens further on is known from the start: once more, with that.
        return walk_log(
            entries, root, {**disclosures, **opened}, note=note, progress=lambda *_: None
        )
    return walk.finish(note)


class _Walk:
    """The folds side by side, with everything seen so far."""

    def __init__(self, root: TrustRoot, disclosures: Mapping[str, tuple[str, ...]]) -> None:
        self._root = root
        self._disclosures = disclosures
        self._regime = start_regime(root)
        self._orders = OrderBook()
        self._ledger = LicenceLedger()
        self._lives = OrderLives()
        self._shelf = PackShelf()
        self._applications = ApplicationBook()
        self._outages = OutageBook()
        self._rosters = Rosters()
        self._steps: list[Step] = []
        self._frontier = Frontier()
        self._roots = [self._frontier.root()]
        self._marks: list[Mark] = []
        self._mark_faults: list[str] = []
        self._speakers: dict[str, Regime] = {}
        self._refusals: list[Refusal] = []

    def take(self, index: int, raw: bytes) -> None:
        leaf = leaf_hash(raw)
        recorded, fault = self._verify(index, leaf.hex(), raw)
        before = Step(
            index=index,
            leaf=leaf.hex(),
            recorded=recorded,
            fault=fault,
            regime=self._regime,
            orders=self._orders,
            ledger=self._ledger,
            lives=self._lives,
            shelf=self._shelf,
            applications=self._applications,
            outages=self._outages,
        )
        self._refusals = []
        if recorded is not None:
            self._fold(recorded)
        self._steps.append(msgspec.structs.replace(before, refusals=tuple(self._refusals)))
        self._frontier.append(leaf)
        self._roots.append(self._frontier.root())

    def opened_later(self) -> dict[str, tuple[str, ...]]:
        """By leaf: what the log's own openings disclose of sealed orders of which nothing was known before."""
        sealed = {
            step.recorded.verified.digest: step.leaf
            for step in self._steps
            if step.recorded is not None
            and isinstance(step.recorded.verified.predicate, OrderSealed)
            and not self._disclosures.get(step.leaf)
        }
        found: dict[str, tuple[str, ...]] = {}
        for step in self._steps if sealed else ():
            fact = step.recorded.verified.predicate if step.recorded is not None else None
            if isinstance(fact, OrderOpened) and fact.order.digest in sealed and fact.disclosures:
                found.setdefault(sealed[fact.order.digest], fact.disclosures)
        return found

    def finish(self, note: Note | None) -> History:
        cosigned, last = self._final(note)
        return History(
            steps=tuple(self._steps),
            regime=self._regime,
            orders=self._orders,
            ledger=self._ledger,
            lives=self._lives,
            roots=tuple(self._roots),
            marks=tuple(self._marks),
            final=last,
            cosigned=cosigned,
            mark_faults=tuple(self._mark_faults),
            speakers=self._speakers,
            applications=self._applications,
            rosters=self._rosters,
        )

    def _final(self, note: Note | None) -> tuple[Cosigned | None, Mark | None]:
        """The final checkpoint if it is witnessed and of this log: it bounds the time of the last entries."""
        if note is None:
            return None, None
        try:
            cosigned = policy_under(self._root, self._regime).verify_cosigned(note)
            tree = self._regime.verify_tree(note.to_bytes().decode(), len(self._steps))
        except SekishoError:
            return None, None
        if cosigned.checkpoint.root != self._roots[-1]:
            return None, None
        return cosigned, Mark(index=len(self._steps), size=tree.size, time=tree.at)

    def _verify(self, index: int, leaf: str, raw: bytes) -> tuple[Recorded | None, str]:
        try:
            verified = self._regime.verify(raw)
        except SekishoError as error:
            return None, f"entry {index}: {type(error).code}: {error.message}"
        return Recorded(index=index, leaf=leaf, verified=verified), ""

    def _fold(self, recorded: Recorded) -> None:
        fact = recorded.verified.predicate
        if isinstance(fact, TimeMarked):
            self._take_mark(recorded.index, fact)
        before, self._regime = self._regime, self._regime.after(recorded)
        self._try("registers", recorded, lambda entry: self._fold_orders(entry, before))
        self._fold_licences(recorded)
        self._try("order-scopes", recorded, self._fold_rosters)
        self._try("approvals", recorded, lambda entry: self._fold_applications(entry, before))
        self._outages = self._outages.after(recorded)
        self._lives = self._lives.after(recorded)
        self._shelf = put_on_shelf(self._shelf, recorded, before)
        if isinstance(fact, HostEnrolled | CharterAdopted):
            self._speakers.update(dict.fromkeys(self._regime.hosts, self._regime))

    def _fold_orders(self, recorded: Recorded, before: Regime) -> None:
        texts = self._disclosures.get(recorded.leaf, ())
        self._orders = record_in_book(self._orders, recorded, before, self._regime, texts=texts)
        fact = recorded.verified.predicate
        if isinstance(fact, OrderIssued | OrderSealed):
            known = self._orders.orders[fact.register][fact.number]
            if known.order.resolved is not None:
                self._name_hosts(recorded, known.order.resolved)

    def _name_hosts(self, recorded: Recorded, resolved: ResolvedScope) -> None:
        """Whom a predicate names; where others were signed, nobody knows, and the check of scopes says so."""
        if resolved.size > recorded.index:
            return
        with contextlib.suppress(SekishoError):
            hosts = named_anew(self._rosters.at(resolved.size), resolved)
            self._orders = self._orders.naming(recorded.verified.digest, hosts)

    def _fold_rosters(self, recorded: Recorded) -> None:
        self._rosters = self._rosters.after(recorded, self._regime.hosts, self._ledger)

    def _fold_applications(self, recorded: Recorded, before: Regime) -> None:
        self._applications = self._applications.after(recorded, before.charter)

    def _fold_licences(self, recorded: Recorded) -> None:
        """With what is rightly disclosed; where the books refuse the amount, without it, so that the rest is seen."""
        known = {recorded.leaf: self._sound_disclosures(recorded)}
        fact = recorded.verified.predicate
        try:
            self._ledger = self._ledger.after(recorded, known)
        except _NO_LEASE as error:
            self._refuse("leases", recorded, error)
        except SekishoError as error:
            licence = isinstance(fact, _LICENSING)
            unopened = isinstance(fact, LeaseClosed) and isinstance(error, StateConflict)
            self._refuse("licences" if licence else "budgets", recorded, error)
            if not licence and not unopened:
                self._try("budgets", recorded, self._fold_undisclosed)

    def _fold_undisclosed(self, recorded: Recorded) -> None:
        self._ledger = self._ledger.after(recorded, {})

    def _sound_disclosures(self, recorded: Recorded) -> tuple[str, ...]:
        if isinstance(recorded.verified.predicate, OrderSealed):
            return ()  # no amount; the check of sealed orders reads it
        concealed = getattr(recorded.verified.predicate, "concealed", ())
        sound = []
        for text in self._disclosures.get(recorded.leaf, ()):
            try:
                verify_disclosure(text, concealed)
            except SekishoError as error:
                self._refuse("budgets", recorded, error)
            else:
                sound.append(text)
        return tuple(sound)

    def _take_mark(self, index: int, fact: TimeMarked) -> None:
        try:
            mark = self._read_mark(index, fact)
        except SekishoError as error:
            self._mark_faults.append(f"time mark {index}: {error.message}")
            return
        if mark is not None:
            self._marks.append(mark)

    def _read_mark(self, index: int, fact: TimeMarked) -> Mark | None:
        """The quoted checkpoint, if it is this very log's, witnessed, and no step back."""
        last = self._marks[-1] if self._marks else None
        if fact.checkpoint is None:
            if last is not None:
                raise StateConflict("quotes no checkpoint although an earlier mark does")
            return None
        size, root, at = self._read_tree(index, fact.checkpoint)
        if size > index or self._roots[size].hex() != root:
            raise StateConflict(f"quotes a checkpoint of size {size} that is not of this log")
        if at is None:
            return None
        mark = Mark(index=index, size=size, time=at)
        if last is not None and (mark.size < last.size or mark.time < last.time):
            raise StateConflict("quotes an older checkpoint than the mark before it")
        return mark

    def _read_tree(self, index: int, text: str) -> tuple[int, str, Instant | None]:
        """Size, root and witnessed time of a quoted checkpoint, by the trust root's witnesses as long as they speak."""
        regime = self._regime
        tree = regime.verify_tree(text, index) if regime.charter is not None else None
        if tree is not None and regime.charter_at(tree.size).terms.version > 1:
            return tree.size, tree.root, tree.at
        policy = Policy.from_text(self._root.witnesses, path="the trust root's witnesses")
        cosigned = policy.verify_cosigned(Note.from_bytes(text.encode()))
        if tree is not None:
            return tree.size, tree.root, tree.at
        seconds, checkpoint = cosigned.median_time, cosigned.checkpoint
        at = Instant.from_seconds(seconds) if seconds is not None else None
        return checkpoint.size, checkpoint.root.hex(), at

    def _try(self, check: str, recorded: Recorded, fold: Callable[[Recorded], None]) -> None:
        try:
            fold(recorded)
        except SekishoError as error:
            self._refuse(check, recorded, error)

    def _refuse(self, check: str, recorded: Recorded, error: SekishoError) -> None:
        why = f"entry {recorded.index}: {type(error).code}: {error.message}"
        self._refusals.append(Refusal(check=check, why=why))
