"""A log for tests of the regime's own fold: statements in a row, and marks by two real witnesses."""

from __future__ import annotations

import msgspec

from sekisho.model.instants import Instant
from sekisho.model.statements import (
    CharterAdopted,
    CharterKey,
    KeyCompromised,
    KeyReplacement,
    OrderConfirmed,
    OrderIssued,
    OrderReference,
    Predicate,
    RecoveryAnnounced,
    RecoveryVetoed,
    Reference,
)
from sekisho.orders import HostFacts, OrderBook, decide_demand, record_in_book
from sekisho.signing import (
    Charter,
    Envelope,
    PackShelf,
    Recorded,
    Regime,
    put_on_shelf,
    recovered_terms,
)
from sekisho.signing.keys import Signer
from tests.factory import (
    AUTHORITY,
    LOG,
    NOW,
    ORIGIN,
    RECOVERY,
    VERIFIER,
    charter_envelope,
    order_issued,
    recorded,
    signed,
    signer,
    time_marked,
)

__all__ = [
    "AMENDERS",
    "DAY_S",
    "NEW_KEY",
    "REPORTERS",
    "RegimeLog",
    "announced",
    "confirm",
    "effect_at",
    "issue",
    "key_of",
    "next_terms",
    "reference_of",
]

DAY_S = 86_400
AMENDERS: tuple[Signer, ...] = (*AUTHORITY[:3], VERIFIER[0])
REPORTERS: tuple[Signer, ...] = (AUTHORITY[3], VERIFIER[1])
NEW_KEY = signer("authority-5 again")


class RegimeLog:
    """A regime with its registers and its packs, entry by entry; `hour` is the test's own clock."""

    def __init__(self, charter: Envelope | None = None) -> None:
        first = charter or charter_envelope()
        self.regime = Regime.start(first.digest, LOG.public)
        self.book = OrderBook()
        self.shelf = PackShelf()
        self.entries: list[Recorded] = []
        self.now = NOW
        self.put(signed(time_marked(0, NOW, cosigners=()), LOG))
        self.put(first)

    def put(self, envelope: Envelope) -> Recorded:
        """Verify and fold one entry; raises what the regime raises, and then nothing is in the log."""
        entry = recorded(envelope, self.regime, len(self.entries))
        before, self.regime = self.regime, self.regime.after(entry)
        self.book = record_in_book(self.book, entry, before, self.regime)
        self.shelf = put_on_shelf(self.shelf, entry, before)
        self.entries.append(entry)
        return entry

    def add(self, fact: Predicate, *signers: Signer) -> Recorded:
        """State a fact under these keys."""
        return self.put(signed(fact, *signers))

    def mark(self, at: Instant | None = None, **note: object) -> Recorded:
        """Quote the tree of everything so far, witnessed at an instant (the log's own clock where none is given)."""
        self.now = max(self.now, at or self.now)
        size = len(self.entries)
        return self.add(time_marked(size, at or self.now, **note), LOG)  # type: ignore[arg-type]  # a test's own note

    def pass_time(self, seconds: float) -> Instant:
        """Let time pass and have it witnessed."""
        self.now = self.now.plus(seconds)
        self.mark()
        return self.now

    def report(self, key: Signer, since: Instant | None = None) -> Recorded:
        """Report a key, and have the report witnessed."""
        fact = KeyCompromised(
            effective=self.now, key=key.public.key_id, since=since or self.now, reason="stolen"
        )
        entry = self.add(fact, *REPORTERS)
        self.mark()
        return entry

    def announce(self, fact: RecoveryAnnounced | None = None, *signers: Signer) -> Recorded:
        """Announce a recovery, and have it witnessed."""
        entry = self.add(fact or announced(self.regime.in_force()), *(signers or RECOVERY[:2]))
        self.mark()
        return entry

    def veto(self, entry: Recorded, constituency: str = "verifiers", *signers: Signer) -> Recorded:
        """A constituency says no."""
        fact = RecoveryVetoed(
            effective=self.now,
            announcement=Reference(log=ORIGIN, leaf=entry.leaf),
            constituency=constituency,
            reason="no key was lost",
        )
        return self.add(fact, *(signers or VERIFIER[:1]))

    def recovering(self, entry: Recorded, **changes: object) -> CharterAdopted:
        """The version that carries an announcement out, bent as a test asks."""
        fact = entry.verified.predicate
        assert isinstance(fact, RecoveryAnnounced)
        reference = Reference(log=ORIGIN, leaf=entry.leaf)
        terms = recovered_terms(self.regime.in_force(), fact, reference, now=self.now)
        return msgspec.structs.replace(terms, **changes)

    def recover(self, entry: Recorded, *signers: Signer, **changes: object) -> Recorded:
        """Adopt it, under recovery keys and the new quorum."""
        return self.add(self.recovering(entry, **changes), *(signers or (*RECOVERY[:2], *AMENDERS)))


def next_terms(log: RegimeLog, /, **changes: object) -> CharterAdopted:
    """The version after the one in force."""
    charter = log.regime.in_force()
    following: dict[str, object] = {
        "version": charter.terms.version + 1,
        "previous": charter.digest,
        "recovers": None,
    }
    return msgspec.structs.replace(charter.terms, **{**following, **changes})


def key_of(key: Signer, organisation: str = "Authority", holder: str = "somebody") -> CharterKey:
    """A key as a charter lists it."""
    return CharterKey(public=key.public.to_text(), organisation=organisation, holder=holder)


def announced(
    charter: Charter, *replaced: tuple[str, Signer, Signer], **changes: object
) -> RecoveryAnnounced:
    """Notice that keys are to be replaced; by default the authority's fifth one."""
    rows = replaced or (("authority", AUTHORITY[4], NEW_KEY),)
    fact = RecoveryAnnounced(
        effective=NOW,
        previous=charter.digest,
        version=charter.terms.version + 1,
        replacements=tuple(
            KeyReplacement(constituency=name, old=old.public.key_id, new=key_of(new))
            for name, old, new in rows
        ),
    )
    return msgspec.structs.replace(fact, **changes)


def issue(log: RegimeLog, *signers: object, **fields: object) -> Recorded:
    """An order under the charter in force, next in its register, its batch opened by a mark."""
    kind = str(fields.get("kind", "pause"))
    head = log.book.heads[f"{kind}/JP"]
    given: dict[str, object] = {
        "number": head.number + 1,
        "previous": head.digest,
        "now": log.now,
        "expires": log.now.plus(365 * DAY_S),
        **fields,
    }
    order = order_issued(charter_digest=log.regime.in_force().digest, **given)  # type: ignore[arg-type]  # the test's
    log.mark()
    entry = log.add(order, *(signers or AMENDERS))  # type: ignore[arg-type]  # signers
    log.mark()
    return entry


def reference_of(entry: Recorded) -> OrderReference:
    order = entry.verified.predicate
    assert isinstance(order, OrderIssued)
    return OrderReference(
        register=order.register, number=order.number, digest=entry.verified.digest
    )


def confirm(log: RegimeLog, entry: Recorded, *signers: object, kind: str = "pause") -> Recorded:
    fact = OrderConfirmed(effective=log.now, order=reference_of(entry), kind=kind)  # type: ignore[arg-type]  # a kind
    return log.add(fact, *signers)  # type: ignore[arg-type]  # signers


def effect_at(log: RegimeLog, at: Instant) -> str | None:
    return decide_demand(log.book.in_force(at), HostFacts(host="host-1", site="site-1")).effect
