"""What an observer may state about a halt: the claim verified by itself, two looks, and what they cannot show. Pure.

It believes neither the agent nor the control plane: the receipt must be signed by the enrolled host, lie in a tree
that the trust root's witnesses signed, and the nonce comes from that tree's root, which nobody knew before.
"""

from __future__ import annotations

import msgspec

from sekisho.ledger import Policy, TlogProof, leaf_hash
from sekisho.model.errors import VerificationError
from sekisho.model.instants import Instant
from sekisho.model.statements import (
    CharterAdopted,
    HostEnrolled,
    KeyCompromised,
    LogPosition,
    ObservationMade,
    OrderReference,
    Reading,
    ReceiptGiven,
    RecoveryAnnounced,
    RecoveryVetoed,
    SignatureWithdrawn,
    TimeMarked,
)
from sekisho.observer.process_table import ProcessTable, TreeReading, TreeSelectors, judge_tree
from sekisho.orders import halt_nonce
from sekisho.ports.control import FeedItem, OpenHalt, StoredStatement
from sekisho.signing import Recorded, Regime, TrustRoot
from sekisho.signing.trust import start_regime

__all__ = ["HaltClaim", "Look", "UnprovenHalt", "fold_regime", "state_observation", "verify_claim"]

_OPERATOR_COMMANDS = ("sekisho.agent", "sekisho agent")
_INIT_PID = 1
_REGIME = (
    CharterAdopted,
    HostEnrolled,
    KeyCompromised,
    RecoveryAnnounced,
    RecoveryVetoed,
    SignatureWithdrawn,
    TimeMarked,
)
MEANS = "two looks at the host's process table: the tree and group of the run, and whoever names it"


class UnprovenHalt(VerificationError):
    """What the control plane calls a halted-receipt is not one, is not witnessed, or is about something else."""

    code = "unproven-halt"


class HaltClaim(msgspec.Struct, frozen=True, kw_only=True):
    """A halted-receipt that was verified, and the witnessed tree that the nonce comes from."""

    host: str
    run: str
    order: OrderReference
    receipt: str
    after: LogPosition


class Look(msgspec.Struct, frozen=True, kw_only=True):
    """The process table at an instant of the observer's own clock."""

    at: Instant
    table: ProcessTable


def fold_regime(root: TrustRoot, items: tuple[FeedItem, ...]) -> Regime:
    """The regime from the charters and enrolments of a host's feed, each with its own proof.

    Raises what proofs and signatures raise; other kinds are passed over, as are items without proof.
    """
    policy = Policy.from_text(root.witnesses, path="trust.witnesses")
    regime = start_regime(root)
    for item in items:
        if item.proof is None:
            continue
        proof = TlogProof.from_text(item.proof, path="feed.proof")
        median = proof.verify(item.envelope, policy).median_time
        seen = Instant.from_seconds(median) if median is not None else None
        verified = regime.verify(item.envelope, path="feed", index=proof.index, now=seen)
        if isinstance(verified.predicate, _REGIME):
            leaf = leaf_hash(item.envelope).hex()
            regime = regime.after(
                Recorded(index=proof.index, leaf=leaf, verified=verified, seen=seen)
            )
    return regime


def verify_claim(
    halt: OpenHalt, stored: StoredStatement, regime: Regime, root: TrustRoot
) -> HaltClaim:
    """The claim behind an open halt. Raises UnprovenHalt, and what proofs and signatures raise."""
    if stored.proof is None:
        raise UnprovenHalt(f"receipt {halt.receipt[:16]} is in no witnessed checkpoint yet")
    policy = Policy.from_text(root.witnesses, path="trust.witnesses")
    cosigned = TlogProof.from_text(stored.proof, path="proof").verify(stored.envelope, policy)
    verified = regime.verify(stored.envelope, path="receipt")
    receipt = verified.predicate
    if not isinstance(receipt, ReceiptGiven) or receipt.stage != "halted" or receipt.order is None:
        raise UnprovenHalt(f"{halt.receipt[:16]} is no halted-receipt")
    if verified.digest != halt.receipt or receipt.host != halt.host or receipt.order != halt.order:
        raise UnprovenHalt(f"receipt {verified.digest[:16]} is not the one that the halt names")
    return HaltClaim(
        host=receipt.host,
        run=receipt.run or "",
        order=receipt.order,
        receipt=verified.digest,
        after=LogPosition(size=cosigned.checkpoint.size, root=cosigned.checkpoint.root.hex()),
    )


def state_observation(
    claim: HaltClaim, first: Look, second: Look, *, own_pids: frozenset[int], own_user: int
) -> ObservationMade:
    """What two looks show, stated as seen; whether that contradicts the agent is not judged here."""
    selectors = TreeSelectors(run=claim.run or claim.host, others=own_pids)
    gap = second.at.since(first.at)
    before = judge_tree(first.table, first.table, selectors, interval_s=gap)
    both = judge_tree(first.table, second.table, selectors, interval_s=gap)
    limits, other_user = _limits(claim, first.table, own_pids, own_user)
    return ObservationMade(
        effective=second.at,
        host=claim.host,
        order=claim.order,
        receipt=claim.receipt,
        after=claim.after,
        nonce=halt_nonce(claim.after, claim.host, "observe"),
        readings=(_reading(first.at, before), _reading(second.at, both)),
        work_cpu_ms=round(both.cpu_s_between * 1000),
        host_busy_ms=round(both.host_busy_s * 1000),
        means=MEANS,
        other_user=other_user,
        limits=limits,
    )


def _reading(at: Instant, reading: TreeReading) -> Reading:
    return Reading(at=at, processes=reading.processes, running=reading.running)


def _limits(
    claim: HaltClaim, table: ProcessTable, own_pids: frozenset[int], own_user: int
) -> tuple[tuple[str, ...], bool]:
    """What these looks cannot show, in words; and whether the observer is another user than work and agent."""
    theirs = {
        row.user
        for row in table.rows
        if row.pid not in own_pids
        and (
            any(name in row.command for name in _OPERATOR_COMMANDS)
            or (claim.run and claim.run in row.command)
        )
    }
    limits = ["the observer shares the host with the work: its kernel could lie to both"]
    if own_user in theirs:
        limits.append("the observer runs as the same user as the work or its agent")
    if not theirs:
        limits.append("neither work nor agent was seen, so their user could not be compared")
    if not any(row.pid == _INIT_PID for row in table.rows):
        limits.append("this user is not shown all processes of the host")
    if not claim.run:
        limits.append("the receipt names no run: work was looked for by the host's name only")
    return tuple(limits), bool(theirs) and own_user not in theirs
