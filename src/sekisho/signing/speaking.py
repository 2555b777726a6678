"""Whose keys a kind of statement takes, and whether those that signed are enough. Pure.

Most kinds name a charter power; the rest take a key that comes from elsewhere (`ElsewhereKey`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from sekisho.model.errors import NotAuthorised
from sekisho.model.statements import (
    KINDS,
    AppealFiled,
    ApplicationFiled,
    ApprovalGiven,
    BalanceClosed,
    ChallengeAnswered,
    CharterAdopted,
    ImpactAssessed,
    InventoryTaken,
    KeyDrilled,
    OrderConfirmed,
    OrderIssued,
    OrderSealed,
    PackPublished,
    Power,
    Predicate,
    ProductionReported,
    RecoveryAnnounced,
    RecoveryVetoed,
    RunDeclared,
    SignatureWithdrawn,
    WeightsLocked,
    power_asked,
)
from sekisho.signing.charter import Charter
from sekisho.signing.compromise import Spoken
from sekisho.signing.enrolment import Enrolled
from sekisho.signing.keys import PublicKey
from sekisho.signing.recorded import Recorded

__all__ = ["accepted_powers", "keys_for", "spoken_of", "tried_powers", "verify_authority"]

# What a lost key leaves of these needs no list: leases run out, the heartbeat is said anew every minute, and a batch of
# custody events stands by the signatures of those who sent them, whoever's key put it into the log.
_BY_PARTY = (
    AppealFiled,
    ApplicationFiled,
    BalanceClosed,
    InventoryTaken,
    ProductionReported,
    RunDeclared,
    WeightsLocked,
)
_PASSING = frozenset({"lease-granted", "orders-in-force", "custody-moved"})


def accepted_powers(kind: str, predicate: Predicate) -> tuple[Power, ...]:
    """The powers any of which makes a statement valid: an emergency's full quorum is never too much."""
    if isinstance(predicate, PackPublished) and predicate.emergency:
        return ("publish-emergency", "publish-rules")
    power = power_asked(kind, predicate)
    return () if power is None else (power,)


def tried_powers(kind: str, predicate: Predicate) -> tuple[Power, ...]:
    """The powers whose keys are tried: beside the accepted, those that lift a limit where they signed as well.

    A hold that the pause quorum signed too is free of a hold's limits (protocol section 8).
    """
    powers = accepted_powers(kind, predicate)
    if isinstance(predicate, OrderIssued | OrderSealed) and predicate.kind == "hold":
        return (*powers, "pause")
    return powers


def keys_for(
    kind: str,
    predicate: Predicate,
    enrolled: Enrolled,
    log_keys: list[PublicKey],
    charter: Callable[[], Charter],
) -> list[PublicKey]:
    """The keys that a statement's signatures are tried against. Raises UnknownSpeaker, NotAuthorised."""
    powers = tried_powers(kind, predicate)
    if powers:
        return _keys_of(charter(), powers)
    if KINDS[kind].signer == "log":
        return log_keys
    if isinstance(predicate, ApprovalGiven):
        return _officer_key(predicate, charter())
    if isinstance(predicate, KeyDrilled | SignatureWithdrawn | RecoveryAnnounced | RecoveryVetoed):
        return _charter_keys(predicate, charter())
    own = _enrolled_key(predicate, enrolled)
    if KINDS[kind].signer == "witness-of-fault":
        return [own, *_keys_of(charter(), ("observe", "grant-lease"))]
    return [own]


def verify_authority(
    kind: str, predicate: Predicate, signers: frozenset[str], charter: Callable[[], Charter]
) -> bool:
    """Whether these keys are enough; raises NotAuthorised where the charter says who is missing."""
    powers = accepted_powers(kind, predicate)
    if powers:
        if not any(charter().standing(power, signers).is_met for power in powers[1:]):
            charter().verify_power(powers[0], signers)
        return True
    if isinstance(predicate, RecoveryAnnounced):
        charter().verify_recovery(signers)
    elif isinstance(predicate, RecoveryVetoed):
        charter().verify_veto(predicate.constituency, signers)
    return bool(signers)


def spoken_of(recorded: Recorded) -> Spoken | None:
    """What to remember of a statement under a charter power; None of all others and of what passes by itself."""
    verified = recorded.verified
    power = power_asked(verified.kind, verified.predicate)
    fact = verified.predicate
    # The first charter stands by its digest in the trust root, whoever lost which key.
    is_root = isinstance(fact, CharterAdopted) and fact.version == 1
    if power is None or is_root or verified.kind in _PASSING:
        return None
    return Spoken(
        index=recorded.index,
        leaf=recorded.leaf,
        digest=verified.digest,
        kind=verified.kind,
        power=power,
        signers=verified.signers,
        about=fact.order.digest if isinstance(fact, OrderConfirmed) else None,
        seen=recorded.seen,
    )


def _enrolled_key(predicate: Predicate, enrolled: Enrolled) -> PublicKey:
    if isinstance(predicate, ImpactAssessed):
        return PublicKey.from_text(predicate.public)
    if isinstance(predicate, _BY_PARTY):
        return enrolled.party_key(predicate.party)
    if isinstance(predicate, ChallengeAnswered):
        return enrolled.device_key(predicate.device)
    return enrolled.host_key(str(getattr(predicate, "host", "")))


def _keys_of(charter: Charter, powers: Iterable[Power]) -> list[PublicKey]:
    """Each key once, whichever of the powers it counts towards."""
    found = {key.key_id: key for power in powers for key in charter.keys_of(power)}
    return list(found.values())


def _charter_keys(
    predicate: KeyDrilled | SignatureWithdrawn | RecoveryAnnounced | RecoveryVetoed,
    charter: Charter,
) -> list[PublicKey]:
    if isinstance(predicate, RecoveryAnnounced):
        return list(charter.recovery.values())
    if isinstance(predicate, RecoveryVetoed):
        return [charter.keys[key_id] for key_id in charter.members_of(predicate.constituency)]
    own = [key for key in charter.every_key() if key.key_id == predicate.key]
    if not own:
        raise NotAuthorised(f"key {predicate.key[:16]} is not in the charter in force")
    return own


def _officer_key(approval: ApprovalGiven, charter: Charter) -> list[PublicKey]:
    own = [key for key in charter.keys_of("issue-licence") if key.key_id == approval.key]
    if not own:
        raise NotAuthorised(f"key {approval.key[:16]} may not issue licences")
    return own
