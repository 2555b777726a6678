"""Taking a lease and an acknowledgement: each is verified whole before anything rests on it. Pure.

A lease is in order when, in this sequence: (1) its proof shows it in a checkpoint that the policy's witnesses signed;
(2) the charter's lease issuers signed it; (3) it answers this host's own request, by digest; (4) its disclosure gives
the allowance. From then on its number is spent, whatever follows. It is used only where besides (5) it suits this
host, nonce, register heads and clock (`accept_lease`), and (6) its licence is known, not revoked and names this host.
"""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from sekisho.following import Follower
from sekisho.ledger import TlogProof, leaf_hash
from sekisho.licensing import (
    HeldLease,
    LeaseReplayed,
    StaleLease,
    UnknownLicence,
    accept_lease,
)
from sekisho.model.amounts import parse_flop
from sekisho.model.errors import SekishoError, VerificationError
from sekisho.model.instants import Instant
from sekisho.model.statements import (
    LeaseGranted,
    LeaseRequested,
    LicenceIssued,
    ReceiptAcknowledged,
    Reference,
    RegisterHead,
    parse_payload,
)
from sekisho.ports.control import LeaseAnswer
from sekisho.signing import ForgedDisclosure, parse_envelope, reveal_field

__all__ = [
    "ForeignAcknowledgement",
    "RevokedLicence",
    "SuspendedLicence",
    "TakenAcknowledgement",
    "TakenLease",
    "take_acknowledgement",
    "take_lease",
]


class RevokedLicence(VerificationError):
    """A lease of a licence that was revoked, or whose books are closed."""

    code = "revoked-licence"


class SuspendedLicence(VerificationError):
    """A lease of a licence that is suspended."""

    code = "suspended-licence"


class ForeignAcknowledgement(VerificationError):
    """An acknowledgement that is not about this host's receipt, or something else in its place."""

    code = "foreign-acknowledgement"


class TakenAcknowledgement(msgspec.Struct, frozen=True, kw_only=True):
    """The receipt that the issuer acknowledges, the heads it knows of, and its next challenge if it sent one."""

    sequence: int
    heads: tuple[RegisterHead, ...]
    challenge: str | None = None


class TakenLease(msgspec.Struct, frozen=True, kw_only=True):
    """A lease in order, and why it must not be used (`fault`), where it must not."""

    held: HeldLease
    fault: SekishoError | None = None


def take_lease(
    answer: LeaseAnswer,
    request: bytes,
    follower: Follower,
    *,
    last_number: int,
    latest: Instant,
    asked_us: int | None = None,
) -> TakenLease:
    """The lease that answers `request` (its envelope). Raises the named error where it is not even in order.

    `asked_us` is the elapsed time at which the request was made.
    """
    proof = TlogProof.from_text(answer.proof, path="lease.proof")
    signed_s = follower.prove(proof, answer.envelope).median_time
    verified = follower.regime.verify(answer.envelope, path="lease")
    asked_envelope = parse_envelope(request, path="request")
    asked = parse_payload(asked_envelope.payload, path="request").predicate
    lease = verified.predicate
    if not isinstance(lease, LeaseGranted) or not isinstance(asked, LeaseRequested):
        raise LeaseReplayed(f"a {verified.kind} came where a lease was asked for")
    is_forgotten = lease.request != asked_envelope.digest
    if is_forgotten and (lease.host, lease.number) != (follower.host, last_number + 1):
        raise LeaseReplayed("the lease does not answer this host's own request")
    own = Reference(log=follower.origin, leaf=leaf_hash(answer.envelope).hex())
    held = HeldLease(
        lease=own,
        licence=lease.licence,
        number=lease.number,
        run=_run_of(lease, follower),
        not_after=lease.not_after,
        allowance=str(_allowance(answer, lease)),
        challenge=lease.challenge,
        ends_us=_ends_us(lease, asked_us, signed_s),
    )
    if is_forgotten:
        # Never used, since its nonce is not the one that waits. But its number is taken: without it none would follow.
        why = "the lease answers another request of this host; its number is taken, so it goes back unused"
        return TakenLease(held=held, fault=LeaseReplayed(why))
    fault = _why_unusable(held, lease, asked, follower, last_number=last_number, latest=latest)
    if isinstance(fault, LeaseReplayed) or lease.host != follower.host:
        raise fault or LeaseReplayed("another host's lease")
    return TakenLease(held=held, fault=fault)


def _why_unusable(
    held: HeldLease,
    lease: LeaseGranted,
    asked: LeaseRequested,
    follower: Follower,
    *,
    last_number: int,
    latest: Instant,
) -> SekishoError | None:
    """Why a lease in order must not be used; None where it may."""
    try:
        accept_lease(
            lease,
            host=follower.host,
            last_number=last_number,
            nonce=asked.nonce,
            heads=follower.book.heads,
            latest=latest,
        )
        _check_licence(lease, asked, follower)
        _check_period(lease, follower, latest)
        _check_end(held, follower)
    except (VerificationError, UnknownLicence) as error:
        return error
    return None


def take_acknowledgement(
    raw: bytes, follower: Follower, *, receipts: Mapping[int, str]
) -> TakenAcknowledgement:
    """What the issuer acknowledges, verified.

    `receipts` maps sequence to payload digest. Raises ForeignAcknowledgement, and what `Regime.verify` raises.
    """
    fact = follower.regime.verify(raw, path="acknowledgement").predicate
    if not isinstance(fact, ReceiptAcknowledged) or fact.host != follower.host:
        raise ForeignAcknowledgement("this is no acknowledgement of a receipt of this host")
    if receipts.get(fact.sequence) != fact.receipt:
        raise ForeignAcknowledgement(
            f"receipt {fact.sequence} has another digest than the one acknowledged"
        )
    return TakenAcknowledgement(sequence=fact.sequence, heads=fact.heads, challenge=fact.challenge)


def _ends_us(lease: LeaseGranted, asked_us: int | None, signed_s: int | None) -> int | None:
    """When a lease ends by the elapsed time: what was left of it when witnesses signed, counted from the request.

    The nonce was drawn before anybody could sign the lease that answers it. So this end is never later than the true
    one, however long the network kept the lease and whatever the system clock says.
    """
    if asked_us is None or signed_s is None:
        return None
    left_s = lease.not_after.since(Instant.from_seconds(signed_s))
    return asked_us + round(left_s * 1_000_000)


def _check_end(held: HeldLease, follower: Follower) -> None:
    if held.ends_us is not None and held.ends_us <= follower.elapsed_s * 1_000_000:
        raise StaleLease("the lease was on its way for longer than it lasts")


def _check_period(lease: LeaseGranted, follower: Follower, latest: Instant) -> None:
    """An amendment may have shortened the licence's period since the lease was granted."""
    end = follower.ledger.find(lease.licence.leaf).licence.period.end
    if end <= latest:
        raise StaleLease(f"its licence ended at {end}")


def _run_of(lease: LeaseGranted, follower: Follower) -> str:
    state = follower.ledger.licences.get(lease.licence.leaf)
    return state.licence.run if state else "unknown"


def _allowance(answer: LeaseAnswer, lease: LeaseGranted) -> int:
    value = reveal_field("allowance_flop", answer.disclosures, lease.concealed)
    if value is None:
        raise ForgedDisclosure("the lease came without the one disclosure of its allowance")
    return parse_flop(value, path="lease.allowance_flop")


def _check_licence(lease: LeaseGranted, asked: LeaseRequested, follower: Follower) -> None:
    state = follower.ledger.find(lease.licence.leaf)
    licence: LicenceIssued = state.licence
    obstacle = state.obstacle()
    if obstacle is not None:
        suspended = state.revoked is None and state.closed is None
        raise (SuspendedLicence if suspended else RevokedLicence)(obstacle)
    if lease.licence != asked.licence or follower.host not in licence.hosts:
        raise UnknownLicence(
            f"licence {licence.number} is not the one asked for, or is not for this host"
        )
