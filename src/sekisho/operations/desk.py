"""The desk: the one place where statements are admitted, appended and folded, one after the other.

Every operation here has the same shape: parse, load, decide (pure, with reasons), sign, append durably, receipt.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from typing import Protocol

import msgspec

from sekisho.ledger.sequencer import Appended, Sequencer, Submission
from sekisho.model.errors import (
    BadSignature,
    InvalidInput,
    NotAuthorised,
    SekishoError,
    StateConflict,
)
from sekisho.model.statements import (
    FindingRaised,
    OrderSealed,
    PackReference,
    Predicate,
    ReceiptGiven,
    make_payload,
)
from sekisho.operations.admission import check_admission
from sekisho.operations.clock_offsets import Offsets
from sekisho.operations.grounds import Grounds
from sekisho.operations.state import State, fold_log, start_state
from sekisho.operations.unique_keys import unique_keys
from sekisho.ports.clock import Clock
from sekisho.ports.log_store import LogStore
from sekisho.ports.private_store import PrivateStore
from sekisho.rules import Pack
from sekisho.signing import Recorded, TrustRoot, sign_payload
from sekisho.signing.keys import Signer

__all__ = ["Admitted", "Deposits", "Desk", "Draft"]

READ_STEP = 1_000


class Admitted(msgspec.Struct, frozen=True, kw_only=True):
    """Where a statement stands in the log. `fresh` is False where it stood there before."""

    index: int
    leaf: str
    digest: str
    fresh: bool


class Draft(msgspec.Struct, frozen=True, kw_only=True):
    """A statement of the desk's own that is judged, folded and not in the log yet; its index is a guess."""

    recorded: Recorded
    submission: Submission


class Deposits(Protocol):
    """What deposits the disclosures of the desk's own statements (operations.depositing)."""

    def check(self, texts: Sequence[str]) -> None:
        """Raise InvalidInput where these disclosures could not be deposited."""
        ...

    def complete(self) -> None:
        """Deposit whatever is owed."""
        ...


class Desk:
    """Admits statements to one log. Safe for many threads: one admission at a time, in the order they come."""

    def __init__(  # noqa: PLR0913  # the ports of the one writer
        self,
        *,
        root: TrustRoot,
        sequencer: Sequencer,
        log: LogStore,
        private: PrivateStore,
        clock: Clock,
        signer: Signer,
        load_pack: Callable[[PackReference], Pack | None],
        verify_writer: Callable[[], None] = lambda: None,
    ) -> None:
        self.root = root
        self.private = private
        self.clock = clock
        self.signer = signer
        self._load_pack = load_pack
        self._verify_writer = verify_writer
        self._sequencer = sequencer
        self._log = log
        self._lock = threading.RLock()
        self._disclosures: dict[str, tuple[str, ...]] = {}
        self._by_digest: dict[str, Recorded] = {}
        self._recorded: list[Recorded] = []
        self._listeners: list[Callable[[Recorded], None]] = []
        self._forgotten: list[Callable[[str], None]] = []
        self._state = start_state(root)
        self._is_unsettled = False
        self.deposits: Deposits | None = None
        self.offsets = Offsets()

    @property
    def state(self) -> State:
        """What the log says now; an immutable value."""
        return self._state

    @property
    def origin(self) -> str:
        return self._sequencer.origin

    @property
    def lock(self) -> threading.RLock:
        """Held by an operation that must decide and append without another in between."""
        return self._lock

    def load(self) -> None:
        """Fold the whole log; to be called once, after the sequencer recovered."""
        with self._lock:
            self._disclosures = self.private.load_disclosures()
            size = self._sequencer.size
            for start in range(0, size, READ_STEP):
                rows = self._log.load_entries(start, min(start + READ_STEP, size))
                self._fold([row.envelope for row in rows])

    def on_recorded(self, listener: Callable[[Recorded], None]) -> None:
        """Call `listener` for each entry as it is folded, under the desk's lock; it must return at once."""
        self._listeners.append(listener)

    def on_forgotten(self, listener: Callable[[str], None]) -> None:
        """Call `listener` with each payload digest whose disclosures were destroyed, under the desk's lock."""
        self._forgotten.append(listener)

    def recorded(self) -> list[Recorded]:
        """All entries so far, in log order (a copy)."""
        with self._lock:
            return list(self._recorded)

    def find(self, digest: str) -> Recorded | None:
        """The entry whose payload has this digest."""
        return self._by_digest.get(digest)

    def grounds(self) -> Grounds:
        """What an admission rests on now, beside the log."""
        return Grounds(
            now=self.clock.now(), load_pack=self._load_pack, root_at=self._sequencer.root_at
        )

    def admit(
        self, raw: bytes, *, own: bool = False, disclosures: tuple[str, ...] = ()
    ) -> Admitted:
        """Take a signed statement into the log. Raises an error that says what is wrong; then nothing changed.

        `disclosures` come with a sealed order, whose signers made them; what the desk itself conceals it keeps by
        itself (`state_fact`).
        """
        # Before the lock: what nobody with authority signed must not hold up what somebody did.
        before = self._state
        draft = before.verify(raw)
        with self._lock:
            self.settle()
            if self._state.regime is before.regime:
                draft = msgspec.structs.replace(draft, index=self._state.size)
            else:
                draft = self._state.verify(raw)
            known = self._by_digest.get(draft.verified.digest)
            if known is not None:
                return _admitted(known, fresh=False)
            grounds = msgspec.structs.replace(self.grounds(), disclosures=disclosures)
            check_admission(self._state, draft, grounds, own=own)
            # The rooms judge a dry run first: what they refuse must not be in the log.
            self._state.after(draft, self._with(draft, disclosures))
            self._keep_sealed(draft, disclosures)
            submission = Submission(
                envelope=raw,
                payload_sha256=bytes.fromhex(draft.verified.digest),
                unique=unique_keys(draft),
            )
            # Crash here: nothing is stored; the caller has no answer and submits again.
            self._is_unsettled = True
            place = self._sequencer.append_one(submission)
            # Crash here: the entry is in the log; load() folds it at the next start.
            self._take(draft, place)
            self._is_unsettled = False
            # Crash here: its own date stands beside its recorded time, and whoever reads both finds the offset.
            self._note_offset(draft)
            if disclosures and self.deposits is not None:
                # Crash here: sealed and not deposited; `complete` does it at the next start.
                self.deposits.complete()
            return _admitted(self._by_digest[draft.verified.digest], fresh=place.fresh)

    def _with(self, draft: Recorded, disclosures: tuple[str, ...]) -> Mapping[str, tuple[str, ...]]:
        """What the desk can open, and what just came in."""
        if not disclosures:
            return self._disclosures
        return {**self._disclosures, draft.verified.digest: disclosures}

    def _keep_sealed(self, draft: Recorded, disclosures: tuple[str, ...]) -> None:
        """Keep what came with a sealed order before it is in the log. Raises InvalidInput for any other statement."""
        if not disclosures:
            return
        if not isinstance(draft.verified.predicate, OrderSealed):
            raise InvalidInput(f"a {draft.verified.kind} comes without disclosures")
        if self.deposits is not None:
            self.deposits.check(disclosures)
        # Crash behind this: an orphan disclosure, never an order that nobody can open.
        self.private.save_disclosures(draft.verified.digest, disclosures)
        self._disclosures[draft.verified.digest] = disclosures

    def _note_offset(self, draft: Recorded) -> None:
        """A finding of the desk's own where a host dated its evidence ahead."""
        fact, now = draft.verified.predicate, self.clock.now()
        if not isinstance(fact, FindingRaised | ReceiptGiven):
            return
        fault = self.offsets.note(fact.host, fact.effective, now)
        if fault is None:
            return
        try:
            self.state_fact(
                FindingRaised(
                    effective=now, finding=fault.code, host=fact.host, detail=fault.message
                )
            )
        except (NotAuthorised, BadSignature):
            return  # a desk whose key may raise no findings; the two dates are in the log all the same

    def settle(self) -> None:
        """Take in what an admission of unknown outcome left in the log, before anything else is judged.

        A statement judged without it could contradict it, and the log would hold two that no fold takes. Raises
        Unavailable while the disk refuses.
        """
        with self._lock:
            if not self._is_unsettled:
                return
            size = self._sequencer.resync()
            if size > self._state.size:
                self._fold_up_to(size - 1)
            self._is_unsettled = False

    def verify_writer(self) -> None:
        """Raise FencedOff where another process writes this log: what is answered without an append asks here."""
        self._verify_writer()

    def state_fact(self, predicate: Predicate, *, disclosures: tuple[str, ...] = ()) -> Admitted:
        """Make, sign with the desk's own key and admit a statement of the control plane itself."""
        envelope = sign_payload(make_payload(predicate), [self.signer])
        if disclosures:
            if self.deposits is not None:
                self.deposits.check(disclosures)
            # Before the append: a crash in between leaves an orphan disclosure, never an amount nobody can open.
            self.private.save_disclosures(envelope.digest, disclosures)
            self._disclosures[envelope.digest] = disclosures
        admitted = self.admit(envelope.raw, own=True)
        if disclosures and self.deposits is not None:
            # Crash here: stated and not deposited; `complete` does it at the next start.
            self.deposits.complete()
        return admitted

    def take_drafts(self, drafts: Sequence[Draft], after: State) -> list[Admitted]:
        """Append what was judged and folded one after the other, in one transaction. `after` is the state behind it.

        The caller holds the lock since it began to judge, has settled before, and has made durable what the drafts
        conceal. Raises what the sequencer raises; then what stands of them is unknown until `settle`.
        """
        if not drafts:
            return []
        # Crash here: nothing is stored; whoever asked asks again.
        self._is_unsettled = True
        outcomes = self._sequencer.append([draft.submission for draft in drafts])
        # Crash here: the entries are in the log; load() folds them at the next start.
        places = [place for place in outcomes if isinstance(place, Appended) and place.fresh]
        if len(places) != len(drafts):
            raise StateConflict(
                "another writer took what these statements name",
                remedy="ask again: what stands is read first",
            )
        first, before = places[0].index, self._state.size
        if first > before:
            self._fold_up_to(first - 1)
            for draft, place in zip(drafts, places, strict=True):
                recorded = msgspec.structs.replace(draft.recorded, index=place.index)
                self._state = self._state.after(recorded, self._disclosures)
        else:
            self._state = after
        for draft, place in zip(drafts, places, strict=True):
            self._tell(msgspec.structs.replace(draft.recorded, index=place.index))
        self._is_unsettled = False
        return [_admitted(self._by_digest[d.recorded.verified.digest], fresh=True) for d in drafts]

    def keep_disclosures(self, disclosures: Mapping[str, tuple[str, ...]]) -> None:
        """Know from now on what the private store keeps already."""
        self._disclosures.update(disclosures)

    def check_forgettable(self, digest: str) -> None:
        """Raise what the fold raises where the log could not be read without a statement's disclosures."""
        with self._lock:
            self._fold_without(digest)

    def forget(self, digest: str) -> None:
        """Destroy a statement's disclosures, and hold the state that a start without them would fold."""
        with self._lock:
            # Before anything is destroyed: what a start could not fold must not be left behind.
            state = self._fold_without(digest)
            self.private.erase_disclosures(digest)
            self._disclosures.pop(digest, None)
            self._state = state
            for listener in self._forgotten:
                listener(digest)

    def disclosures_of(self, digest: str) -> tuple[str, ...]:
        return self._disclosures.get(digest, ())

    def mark_time(self) -> None:
        """Append a time mark of its own, which closes the recorded time of what came before."""
        with self._lock:
            self.settle()
            self._fold_up_to(self._sequencer.mark_time().index)

    def _fold_without(self, digest: str) -> State:
        """The state that a start without a statement's disclosures would fold."""
        kept = {each: texts for each, texts in self._disclosures.items() if each != digest}
        state = start_state(self.root)
        for recorded in self._recorded:
            state = state.after(recorded, kept)
        return state

    def _take(self, draft: Recorded, place: Appended) -> None:
        """Fold what was just judged, behind the time mark that its batch may have opened with.

        It is not read back and verified a second time: a mark says nothing about who may speak.
        """
        if not place.fresh:
            self._fold_up_to(place.index)
            return
        if place.index > self._state.size:
            self._fold_up_to(place.index - 1)
        recorded = msgspec.structs.replace(draft, index=place.index)
        self._state = self._state.after(recorded, self._disclosures)
        self._tell(recorded)

    def _fold_up_to(self, index: int) -> None:
        rows = self._log.load_entries(self._state.size, index + 1)
        self._fold([row.envelope for row in rows])

    def _fold(self, entries: list[bytes]) -> None:
        try:
            self._state, fresh = fold_log(self._state, entries, self._disclosures)
        except SekishoError as error:
            # Only another writer or a changed rule can bring this about; the log itself is as it is.
            error.remedy = (
                error.remedy
                or "the log holds an entry that this version refuses: stop and audit it"
            )
            raise
        for recorded in fresh:
            self._tell(recorded)

    def _tell(self, recorded: Recorded) -> None:
        self._recorded.append(recorded)
        self._by_digest[recorded.verified.digest] = recorded
        for listener in self._listeners:
            listener(recorded)


def _admitted(recorded: Recorded, *, fresh: bool) -> Admitted:
    return Admitted(
        index=recorded.index, leaf=recorded.leaf, digest=recorded.verified.digest, fresh=fresh
    )
