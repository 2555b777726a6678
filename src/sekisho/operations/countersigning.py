"""Whether one key may put its signature under a document, before it does. Pure; each refusal has its own name.

A signature given to the wrong log, to a charter that is not in force, or to an order that no longer can be issued is
a signature that somebody else may use: so it is refused here, on the signer's own machine.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from sekisho.model.errors import (
    NotAuthorised,
    StateConflict,
    UnknownCriticalField,
)
from sekisho.model.instants import Instant
from sekisho.model.statements import (
    AppealDecided,
    AppealFiled,
    ApplicationFiled,
    ApprovalGiven,
    CharterAdopted,
    KeyCompromised,
    KeyDrilled,
    LicenceAmended,
    LicenceIssued,
    LicenceRevoked,
    LicenceSuspended,
    OrderConfirmed,
    OrderIssued,
    OrderSealed,
    OutageDeclared,
    Power,
    RecoveryAnnounced,
    RecoveryVetoed,
    RefusalRecorded,
    RunDeclared,
    SignatureWithdrawn,
    Statement,
    WeightsLocked,
    power_asked,
)
from sekisho.operations.difference import place_of
from sekisho.operations.footing import (
    Footing,
    ForeignDocument,
    charter_of,
    root_of,
    state_of,
    verify_own_log,
)
from sekisho.operations.grounds import verify_sound, verify_unexpired
from sekisho.operations.ladder_admission import (
    check_appeal_decided,
    check_appeal_filed,
    check_refusal,
)
from sekisho.operations.licence_countersigning import (
    verify_amendment,
    verify_application,
    verify_approval,
    verify_licence,
    verify_lock,
    verify_outage,
    verify_revocation,
    verify_run,
    verify_suspension,
)
from sekisho.operations.pause_quorum import check_pause_quorum
from sekisho.operations.recovering import problems_of_announcement
from sekisho.operations.resolving import verify_scope, verify_tree
from sekisho.operations.sealing import verify_sealed
from sekisho.orders import RegisterGap, TwoDigests, check_release, verify_issue
from sekisho.signing import (
    Charter,
    CharterBreak,
    Envelope,
    PublicKey,
    distinct_signers,
)
from sekisho.signing.recovery import RecoveryBreak, verify_recovered, verify_veto
from sekisho.signing.speaking import tried_powers

__all__ = [
    "KeyWithoutPower",
    "power_for",
    "verify_countersign",
    "verify_document",
    "verify_succession",
]


class KeyWithoutPower(NotAuthorised):
    """The key is in no constituency that the charter asks for this document."""

    code = "key-without-power"


def power_for(statement: Statement) -> Power | None:
    """The charter power that a statement asks for; None where its key comes from elsewhere."""
    return power_asked(statement.kind, statement.predicate)


def verify_countersign(
    footing: Footing, statement: Statement, unknown: tuple[str, ...], key_id: str, *, now: Instant
) -> None:
    """Raise the named error where `key_id` must not sign `statement` now.

    1. to 3. as `verify_document`; 4. the key counts towards the power that it asks for.
    """
    verify_document(footing, statement, unknown, now=now)
    charters = _charters(footing, statement)
    _verify_live(footing, key_id)
    if isinstance(
        statement.predicate, ApplicationFiled | RunDeclared | WeightsLocked | AppealFiled
    ):
        _verify_party(footing, statement.predicate, key_id)
        return
    if not any(key_id in _keys_asked(charter, statement) for charter in charters):
        power = power_for(statement)
        raise KeyWithoutPower(
            f"key {key_id[:16]} has no power to sign {statement.kind} statements ({power or 'not by charter'})"
        )


def verify_document(
    footing: Footing, statement: Statement, unknown: tuple[str, ...], *, now: Instant
) -> None:
    """Raise the named error where nobody should sign `statement` now, whoever it is.

    1. every field is understood (`unknown` are the paths that are not); 2. it is for the trusted log and charter;
    3. it could still take effect.
    """
    if unknown:
        raise UnknownCriticalField(
            f"it has fields that this program does not know: {', '.join(unknown)}"[:400],
            remedy="update before signing: nobody signs what they cannot read",
        )
    fact = statement.predicate
    check = _CHECKS.get(type(fact))
    if check is not None:
        check(footing, fact, statement.digest, now)


def verify_succession(
    footing: Footing, terms: CharterAdopted, digest: str, envelope: Envelope
) -> None:
    """Raise NotAuthorised where a charter lacks signatures: its own quorum's, and those of the one in force.

    The old quorum amends, the old recovery keys recover. What stands before it is asked only where the log was read:
    the log asks it again.
    """
    new = Charter(terms, digest)
    new.verify_power("amend", _counted(footing, new.keys.values(), envelope))
    old = footing.charter
    if terms.version == 1 or old is None or old.digest == digest:
        return
    if terms.recovers is not None:
        old.verify_recovery(_counted(footing, old.recovery.values(), envelope))
    else:
        old.verify_power("amend", _counted(footing, old.keys.values(), envelope))


def _counted(footing: Footing, keys: Iterable[PublicKey], envelope: Envelope) -> frozenset[str]:
    """The signers among these keys, without those that were reported and signatures that were taken back."""
    state = footing.state
    live = state.regime.keys.counting(keys, envelope.digest) if state is not None else keys
    return distinct_signers(envelope, live)


def _charters(footing: Footing, statement: Statement) -> list[Charter]:
    """The charters whose keys count: the one in force, and for a charter itself the new one as well."""
    known = [footing.charter] if footing.charter is not None else []
    if isinstance(statement.predicate, CharterAdopted):
        known.append(Charter(statement.predicate, statement.digest))
    if not known:
        raise ForeignDocument(
            "no charter is known that this could stand under",
            remedy="read the log (--log), or give the charter itself (--charter)",
        )
    return known


def _keys_asked(charter: Charter, statement: Statement) -> frozenset[str]:
    """The ids of the keys of this charter whose signature such a statement asks for."""
    fact = statement.predicate
    if isinstance(fact, KeyDrilled | SignatureWithdrawn):
        return frozenset({fact.key} & {key.key_id for key in charter.every_key()})
    if isinstance(fact, ApprovalGiven):
        return frozenset({fact.key} & {key.key_id for key in charter.keys_of("issue-licence")})
    if isinstance(fact, RecoveryAnnounced):
        return frozenset(charter.recovery)
    if isinstance(fact, RecoveryVetoed):
        return charter.members_of(fact.constituency)
    recovering = isinstance(fact, CharterAdopted) and fact.recovers is not None
    found = (
        frozenset(charter.recovery)
        if recovering and charter.digest != statement.digest
        else frozenset()
    )
    for power in tried_powers(statement.kind, fact):
        found |= {key.key_id for key in charter.keys_of(power)}
    return found


def _verify_live(footing: Footing, key_id: str) -> None:
    """Refuse a key that was reported: its signature would count for nothing, and might mislead."""
    if footing.state is not None and key_id in footing.state.regime.keys.silenced:
        raise KeyWithoutPower(
            f"key {key_id[:16]} was reported compromised and counts for nothing any more",
            remedy="sign with the key that took its place",
        )


def _check_report(footing: Footing, fact: KeyCompromised, _: str, now: Instant) -> None:
    if fact.since > now:
        raise StateConflict(f"the key is to be lost at {fact.since}, which is still ahead")
    known = {key.key_id for key in charter_of(footing).every_key()}
    if fact.key not in known:
        raise ForeignDocument(f"key {fact.key[:16]} is not one of the charter in force")


def _check_drill(footing: Footing, fact: KeyDrilled, _: str, __: Instant) -> None:
    """A challenge that this log never was is another log's, or a trick to have something else signed."""
    state = footing.state
    if state is not None and state.regime.marks.of_size(fact.size, fact.challenge) is None:
        raise ForeignDocument("the challenge is no witnessed tree of this log")


def _check_withdrawal(footing: Footing, fact: SignatureWithdrawn, _: str, __: Instant) -> None:
    state = footing.state
    logged = state.regime.spoken.get(fact.payload) if state is not None else None
    if logged is not None:
        raise StateConflict(f"that payload is entry {logged.index} of the log already")


def _check_announcement(footing: Footing, fact: RecoveryAnnounced, _: str, __: Instant) -> None:
    state = state_of(footing)
    problems = problems_of_announcement(state, fact)
    if problems:
        raise RecoveryBreak("; ".join(problems))


def _check_veto(footing: Footing, fact: RecoveryVetoed, _: str, __: Instant) -> None:
    state = state_of(footing)
    verify_veto(fact, state.regime.in_force(), state.regime.announcements)


def _check_confirmation(footing: Footing, fact: OrderConfirmed, _: str, __: Instant) -> None:
    known = state_of(footing).orders.find(fact.order)
    if known is None or known.order.kind != fact.kind:
        raise ForeignDocument("the order that it confirms is not in this log")


def _check_order(footing: Footing, order: OrderIssued, digest: str, now: Instant) -> None:
    origin, charter = root_of(footing).origin, charter_of(footing)
    verify_issue(order, charter, log=origin, now=now)
    if footing.state is None:
        return
    book = footing.state.orders
    book.check_register(order, charter.terms.registers)
    place = place_of(book, order, digest)
    where = f"{order.register} {order.number}"
    if place == "logged":
        raise StateConflict(f"order {where} is issued already")
    if place == "taken":
        raise TwoDigests(f"order {where} would be a second one at its number")
    if place != "next":
        raise RegisterGap(
            f"order {where} does not follow its register's head", remedy="draft it anew"
        )
    problems = check_release(order, book)
    if problems:
        raise StateConflict("; ".join(problems))
    if order.resolved is not None:
        verify_scope(footing.state.rosters, order.resolved, log_size=footing.state.size)
        if footing.root_at is not None:
            verify_tree(order.resolved, footing.root_at)


def _check_sealed(footing: Footing, sealed: OrderSealed, digest: str, now: Instant) -> None:
    """Nobody signs what they were not shown: the order inside is judged like any other, and the seal with it."""
    order = verify_sealed(state_of(footing), sealed, footing.disclosures.get(digest, ()))
    _check_order(footing, order, digest, now)


def _check_refusal(footing: Footing, fact: RefusalRecorded, _: str, now: Instant) -> None:
    check_refusal(state_of(footing), fact, now)


def _check_appeal(footing: Footing, fact: AppealFiled, _: str, __: Instant) -> None:
    check_appeal_filed(state_of(footing), fact)


def _check_decision(footing: Footing, fact: AppealDecided, _: str, __: Instant) -> None:
    verify_own_log(footing, fact.filed.log, "decides an appeal")
    check_appeal_decided(state_of(footing), fact)


def _verify_party(
    footing: Footing,
    fact: ApplicationFiled | RunDeclared | WeightsLocked | AppealFiled,
    key_id: str,
) -> None:
    """What a party says is its own word, under its own key. Raises UnknownSpeaker for one that is not enrolled."""
    if state_of(footing).regime.enrolled.party_key(fact.party).key_id != key_id:
        raise KeyWithoutPower(f"key {key_id[:16]} is not that of party {fact.party}")


def _check_charter(footing: Footing, terms: CharterAdopted, digest: str, now: Instant) -> None:
    root = footing.root
    if root is not None and terms.log.origin != root.origin:
        raise ForeignDocument(
            f"the charter is for the log {terms.log.origin}, trusted is {root.origin}"
        )
    if terms.version == 1 and terms.previous is None:
        # The first charter has no root before it; where one is trusted already, only that one may be signed.
        if root is not None and root.charter_digest != digest:
            raise ForeignDocument(
                f"another charter {root.charter_digest[:16]} is trusted for {root.origin}",
                remedy="sekisho trust remove, if this one is to take its place",
            )
        return
    if footing.state is None:
        raise CharterBreak("a later version follows the one in force", remedy="read the log: --log")
    verify_sound(f"charter version {terms.version}", check_pause_quorum(footing.state, terms))
    old = footing.state.regime.in_force()
    if terms.version != old.terms.version + 1 or terms.previous != old.digest:
        raise CharterBreak(
            f"version {terms.version} does not follow version {old.terms.version} in force"
        )
    if terms.recovers is None:
        verify_unexpired(old, now)
        return
    # A recovery works under an expired charter. Whether its notice is over, witnesses say and no clock of ours.
    regime = footing.state.regime
    verify_recovered(terms, old, regime.announcements, regime.marks, now=footing.witnessed)


_CHECKS: dict[type, Callable[[Footing, Any, str, Instant], None]] = {
    OrderIssued: _check_order,
    OrderSealed: _check_sealed,
    LicenceIssued: verify_licence,
    LicenceRevoked: verify_revocation,
    LicenceAmended: verify_amendment,
    LicenceSuspended: verify_suspension,
    ApplicationFiled: verify_application,
    RunDeclared: verify_run,
    ApprovalGiven: verify_approval,
    OutageDeclared: verify_outage,
    CharterAdopted: _check_charter,
    KeyCompromised: _check_report,
    KeyDrilled: _check_drill,
    SignatureWithdrawn: _check_withdrawal,
    RecoveryAnnounced: _check_announcement,
    RecoveryVetoed: _check_veto,
    OrderConfirmed: _check_confirmation,
    WeightsLocked: verify_lock,
    RefusalRecorded: _check_refusal,
    AppealFiled: _check_appeal,
    AppealDecided: _check_decision,
}
