"""The regime as its log tells it: which charter is in force, who may speak, whose word counts, and when it was said.

A pure fold. `verify` takes an envelope's bytes and says what it states and by whose authority, or raises; `after`
gives the regime that follows. The sequencer, the agent and the auditor all run this one fold.

The steps of `verify`, in order: (1) parse envelope and statement strictly; (2) refuse what this regime cannot take,
whoever signed it; (3) find whose keys the kind asks for, without those that were reported or took their signature
back; (4) try every signature against every such key; (5) ask the charter whether the distinct keys make the power;
(6) for a charter, ask the one before as well, or its recovery keys.

A time mark may come between the moment when a statement is judged and its place in the log. So `verify` refuses
nothing because time has passed: what time takes away (a late veto, a lapsed emergency) has no effect in the fold.
"""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from sekisho.model.errors import (
    BadSignature,
    NotAuthorised,
    StateConflict,
    UnknownCriticalField,
    VerificationError,
)
from sekisho.model.instants import Instant
from sekisho.model.persistent import PersistentMap
from sekisho.model.statements import (
    CharterAdopted,
    CharterLog,
    HostEnrolled,
    KeyCompromised,
    KeyDrilled,
    OrderIssued,
    OrderSealed,
    PartyEnrolled,
    Predicate,
    RecoveryAnnounced,
    RecoveryVetoed,
    TimeMarked,
    parse_payload_leniently,
)
from sekisho.signing.charter import Charter
from sekisho.signing.compromise import Doubt, Spoken
from sekisho.signing.dsse import Envelope, IsSigned, distinct_signers, parse_envelope, try_signature
from sekisho.signing.enrolment import Enrolled, SharedKey, UnknownSpeaker
from sekisho.signing.folding import Adopted, fold_statement
from sekisho.signing.keybook import KeyBook, UnprovedKey
from sekisho.signing.keys import PublicKey
from sekisho.signing.recorded import Recorded, Verified
from sekisho.signing.recovery import (
    Announcement,
    RecoveryBreak,
    check_announcement,
    verify_recovered,
    verify_veto,
)
from sekisho.signing.speaking import keys_for, verify_authority
from sekisho.signing.succession import (
    CharterBreak,
    ForgedRegime,
    verify_root,
    verify_succession,
)
from sekisho.signing.witnessing import Mark, Marks, verify_quoted

__all__ = [
    "Adopted",
    "CharterBreak",
    "ForgedRegime",
    "LogKeyReported",
    "Recorded",
    "Regime",
    "ReplayedDrill",
    "SharedKey",
    "UnknownSpeaker",
    "Verified",
    "is_restricting",
]


class ReplayedDrill(VerificationError):
    """A drill that proves nothing new: its challenge is no witnessed tree of this log, or not a newer one."""

    code = "replayed-drill"


class LogKeyReported(StateConflict):
    """A report against the log's own key, without which nothing could be recorded, not even the remedy."""

    code = "log-key-reported"


class Regime(msgspec.Struct, frozen=True, kw_only=True):
    """What a reader of the log's first N entries may believe about who may speak, and about when.

    `adopted` holds all charter versions, `marks` the witnessed times, `keys` what became of keys; `announcements` are
    the recoveries open under the charter in force; `spoken` and `doubts` what compromised keys leave standing.
    """

    root_charter: str
    log_key: PublicKey
    charter: Charter | None = None
    former_log_key: PublicKey | None = None
    adopted: tuple[Adopted, ...] = ()
    enrolled: Enrolled = Enrolled()
    marks: Marks = Marks()
    keys: KeyBook = KeyBook()
    announcements: Mapping[str, Announcement] = {}
    spoken: PersistentMap[str, Spoken] = PersistentMap()
    doubts: tuple[Doubt, ...] = ()

    @classmethod
    def start(cls, root_charter: str, log_key: PublicKey) -> Regime:
        """An empty regime under a trust root: the digest of charter version 1 (hex) and the log's key."""
        return cls(root_charter=root_charter, log_key=log_key)

    # --- who may speak -----------------------------------------------------------------------

    @property
    def hosts(self) -> PersistentMap[str, HostEnrolled]:
        return self.enrolled.hosts

    @property
    def parties(self) -> PersistentMap[str, PartyEnrolled]:
        return self.enrolled.parties

    def in_force(self) -> Charter:
        """The charter in force; raises NotAuthorised where none is adopted yet."""
        if self.charter is None:
            raise NotAuthorised("no charter is adopted yet", remedy="adopt charter version 1 first")
        return self.charter

    def charter_at(self, index: int | None) -> Charter:
        """The charter in force for entry `index`, or for a tree of that size; None is after all that is known."""
        current = self.in_force()
        if index is None:
            return current
        held = (row.charter for row in reversed(self.adopted) if row.index < index)
        return next(held, self.adopted[0].charter)

    def knows_key(self, key_id: str) -> bool:
        """Whether a key speaks, or ever spoke by a charter, for anybody here."""
        named = (key.key_id for row in self.adopted for key in row.charter.every_key())
        return key_id in named or self.enrolled.knows_key(key_id)

    def live_keys(self, keys: list[PublicKey], payload: str = "") -> list[PublicKey]:
        """Those of the keys that count today, for a payload of this digest."""
        return self.keys.counting(keys, payload)

    def verify(
        self,
        raw: bytes,
        *,
        path: str = "",
        index: int | None = None,
        now: Instant | None = None,
        kinds: frozenset[str] | None = None,
        is_signed: IsSigned = try_signature,
    ) -> Verified:
        """What an envelope states, and by whose authority. Raises an error that names the fault.

        `index` is its place where it is known and may lie before other entries known; `now` the witnessed instant
        that a reader of single entries knows of. Where the caller takes certain `kinds` alone, another raises
        StateConflict before a signature of it is tried: how many keys that takes is the kind's to say. `is_signed`
        tries one signature of what is no charter (see `supposing`).
        """
        envelope = parse_envelope(raw, path=path)
        statement, unknown = parse_payload_leniently(envelope.payload, path=path)
        predicate = statement.predicate
        if kinds is not None and statement.kind not in kinds:
            raise StateConflict(f"a {statement.kind} is not a {' or a '.join(sorted(kinds))}")
        if unknown and not is_restricting(predicate):
            raise UnknownCriticalField(
                f"{statement.kind} needs fields that this reader does not know: {', '.join(sorted(unknown))}",
                remedy="update before acting on it",
            )
        self._check_fitness(predicate)
        if isinstance(predicate, CharterAdopted):
            signers = self._verify_charter(predicate, envelope, now)
        else:
            signers = self._verify_signers(statement.kind, predicate, envelope, index, is_signed)
        return Verified(
            kind=statement.kind,
            predicate=predicate,
            digest=statement.digest,
            signers=signers,
            envelope=envelope.at_rest(),
        )

    def _verify_signers(
        self,
        kind: str,
        predicate: Predicate,
        envelope: Envelope,
        index: int | None,
        is_signed: IsSigned,
    ) -> frozenset[str]:
        log_keys = [self.log_key, *([self.former_log_key] if self.former_log_key else ())]
        keys = keys_for(kind, predicate, self.enrolled, log_keys, lambda: self.charter_at(index))
        live = self.keys.counting(keys, envelope.digest, index)
        signers = distinct_signers(envelope, live, is_signed)
        if not verify_authority(kind, predicate, signers, lambda: self.charter_at(index)):
            raise BadSignature(f"no signature of this {kind} is by the key it must come from")
        return signers

    def _verify_charter(
        self, terms: CharterAdopted, envelope: Envelope, now: Instant | None
    ) -> frozenset[str]:
        """The root or the keys in force first: a stranger's charter must not choose how many keys we try."""
        digest, old = envelope.digest, self.charter
        new = Charter(terms, digest)
        if old is None:
            verify_root(terms, digest, self.root_charter)
            before: frozenset[str] = frozenset()
        else:
            verify_succession(terms, old)
            before = self._verify_former(terms, old, envelope, now)
        live = self.keys.counting(new.keys.values(), digest)
        signers = distinct_signers(envelope, live)
        new.verify_power("amend", signers)
        return signers | before

    def _verify_former(
        self, terms: CharterAdopted, old: Charter, envelope: Envelope, now: Instant | None
    ) -> frozenset[str]:
        """The word of the charter that is to be followed: its quorum for `amend`, or its recovery keys."""
        if terms.recovers is None:
            live = self.keys.counting(old.keys.values(), envelope.digest)
            signers = distinct_signers(envelope, live)
            old.verify_power("amend", signers)
            return signers
        verify_recovered(terms, old, self.announcements, self.marks, now=now)
        live = self.keys.counting(old.recovery.values(), envelope.digest)
        signers = distinct_signers(envelope, live)
        old.verify_recovery(signers)
        return signers

    def _check_fitness(self, fact: Predicate) -> None:
        """Refuse what no signature could make right here."""
        if isinstance(fact, HostEnrolled):
            named = [key.key_id for key in self.charter.every_key()] if self.charter else []
            self.enrolled.check_host(fact, {*named, *self.keys.silenced})
        elif isinstance(fact, RecoveryAnnounced):
            problems = check_announcement(fact, self.in_force(), self.keys.silenced)
            if problems:
                raise RecoveryBreak("; ".join(problems))
        elif isinstance(fact, RecoveryVetoed):
            verify_veto(fact, self.in_force(), self.announcements)
        elif isinstance(fact, KeyDrilled):
            self._check_drill(fact)
        elif isinstance(fact, KeyCompromised) and fact.key == self.log_key.key_id:
            raise LogKeyReported(
                "this is the log's own key", remedy="amend the charter with another log key first"
            )

    def _check_drill(self, fact: KeyDrilled) -> None:
        before = self.keys.drills.get(fact.key)
        if self.marks.of_size(fact.size, fact.challenge) is None:
            raise ReplayedDrill("its challenge is no witnessed tree that this log quotes")
        if before is not None and fact.size <= before.size:
            raise ReplayedDrill(f"its challenge is not newer than size {before.size}")

    def after(self, recorded: Recorded) -> Regime:
        """The regime once a verified statement is in the log."""
        return fold_statement(self, recorded)

    def makes_power(self, spoken: Spoken, signers: frozenset[str]) -> bool:
        """Whether these keys make the power that a statement was made under, by the charter of its place."""
        charter = self.charter_at(spoken.index if spoken.index >= 0 else None)
        if spoken.kind == "charter-adopted":
            new = self.charter_at(spoken.index + 1)
            if not new.standing("amend", signers).is_met:
                return False
            if new.terms.recovers is not None and charter.terms.recovery is not None:
                return len(charter.recovery.keys() & signers) >= charter.terms.recovery.k
        if spoken.kind == "pack-published" and charter.standing("publish-rules", signers).is_met:
            return True
        return charter.standing(spoken.power, signers).is_met

    # --- when it was said --------------------------------------------------------------------

    @property
    def newest_mark(self) -> Mark | None:
        """The newest witnessed tree that the log quotes: what a drill takes as its challenge."""
        return self.marks.newest

    def recorded_between(self, index: int) -> tuple[Instant | None, Instant | None]:
        """An entry's recorded time: after the first instant, not after the second; None is not known yet."""
        return self.marks.before(index), self.marks.after(index)

    def verify_mark(self, fact: TimeMarked, index: int) -> Mark | None:
        """The mark that a time mark makes; None where it quotes nothing, or nothing is adopted yet.

        Raises the named error where what it quotes does not count.
        """
        if fact.checkpoint is None or self.charter is None:
            return None
        return self.verify_tree(fact.checkpoint, index)

    def verify_tree(self, note: str, index: int) -> Mark:
        """A cosigned checkpoint as known at entry `index`, under the charter that its tree holds. Raises why not."""
        return verify_quoted(note, index, self._log_at)

    def _log_at(self, size: int) -> CharterLog:
        return self.charter_at(size).terms.log

    # --- how sure the keys are ---------------------------------------------------------------

    def doubtful_keys(self, at: Instant) -> tuple[UnprovedKey, ...]:
        """The charter's keys that no drill has proved for longer than the charter allows; reported ones left out.

        A key that was never drilled counts from the instant at which the charter first named it.
        """
        charter = self.in_force()
        every_s = charter.terms.key_drill_every_s
        if not every_s:
            return ()
        found: list[UnprovedKey] = []
        for key in charter.every_key():
            if key.key_id not in self.keys.silenced:
                since = self._named_since(key.key_id)
                found += self.keys.unproved((key.key_id,), at, every_s=every_s, known_since=since)
        return tuple(found)

    def _named_since(self, key_id: str) -> Instant:
        """When the charter came to name a key, without a break since."""
        first = self.adopted[-1]
        for row in reversed(self.adopted):
            if all(key.key_id != key_id for key in row.charter.every_key()):
                break
            first = row
        return self.marks.after(first.index) or first.charter.terms.effective


def is_restricting(predicate: Predicate) -> bool:
    """Whether a statement only takes away: then a critical field that we do not know must not disarm it."""
    return isinstance(predicate, OrderIssued | OrderSealed) and predicate.kind != "resume"
