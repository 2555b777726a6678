"""What an observer may state about a halt: the claim verified by itself, two looks, and what they cannot show. Pure.

It believes neither the agent nor the control plane: the receipt must be signed by the enrolled host, lie in a tree
that the trust root's witnesses signed, and the nonce comes from that tree's root, which nobody knew before.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import msgspec

from sekisho.ledger import Policy, TlogProof, leaf_hash
from sekisho.model.errors import SekishoError, VerificationError
from sekisho.model.instants import Instant
from sekisho.model.statements import (
    CharterAdopted,
    HostEnrolled,
    InstrumentReading,
    KeyCompromised,
    LogPosition,
    ObservationMade,
    OrderIssued,
    OrderReference,
    Reading,
    ReceiptGiven,
    RecoveryAnnounced,
    RecoveryVetoed,
    SignatureWithdrawn,
    TimeMarked,
    parse_payload,
)
from sekisho.observer.process_table import ProcessTable
from sekisho.observer.work_tree import TreeReading, TreeSelectors, judge_tree
from sekisho.orders import UNSHOWN, halt_nonce
from sekisho.ports.control import FeedItem, OpenHalt, StoredStatement
from sekisho.ports.work_finder import WorkMarks
from sekisho.signing import Recorded, Regime, TrustRoot, parse_envelope
from sekisho.signing.trust import start_regime

__all__ = [
    "HaltClaim",
    "Look",
    "Sight",
    "UnprovenHalt",
    "fold_regime",
    "is_lifted",
    "state_observation",
    "verify_claim",
]

_OPERATOR_COMMANDS = ("sekisho.agent", "sekisho agent")
_INIT_PID = 1
_REGIME = (
    CharterAdopted,
    HostEnrolled,
    InstrumentReading,
    KeyCompromised,
    RecoveryAnnounced,
    RecoveryVetoed,
    SignatureWithdrawn,
    TimeMarked,
)
MEANS = "looks at the host's process table: the tree and groups of the run, and whoever names it"
_LONGEST_TEXT = 4000


class UnprovenHalt(VerificationError):
    """What the control plane calls a halted-receipt is not one, is not witnessed, or is about something else."""

    code = "unproven-halt"


class HaltClaim(msgspec.Struct, frozen=True, kw_only=True):
    """A halted-receipt that was verified, and the witnessed tree that the nonce comes from.

    `given` is when the host says that it gave it, or by when witnesses had seen it where it is dated ahead of that;
    `devices` is how many the host has enrolled.
    """

    host: str
    run: str
    order: OrderReference
    receipt: str
    after: LogPosition
    given: Instant
    devices: int = 0


class Sight(msgspec.Struct, frozen=True, kw_only=True):
    """What was seen besides the first look and the last.

    `between` are further looks, `marks` where a scheduler put the work, `known` processes that are work by other signs
    than their looks now; `instruments`, `limits` and `means` are stated as they are.
    """

    between: tuple[Look, ...] = ()
    marks: WorkMarks = WorkMarks()
    known: frozenset[tuple[int, int]] = frozenset()
    instruments: tuple[InstrumentReading, ...] = ()
    limits: tuple[str, ...] = ()
    means: str = ""


class Look(msgspec.Struct, frozen=True, kw_only=True):
    """The process table at an instant of the observer's own clock."""

    at: Instant
    table: ProcessTable


_NOTHING_MORE = Sight()


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


def is_lifted(order: OrderReference, items: tuple[FeedItem, ...]) -> bool:
    """Whether a host's feed says that an order is lifted. Nothing is proved by it: it only spares a further look."""
    for item in items:
        try:
            fact = parse_payload(parse_envelope(item.envelope).payload).predicate
        except SekishoError:
            continue
        if isinstance(fact, OrderIssued) and order in fact.lifts:
            return True
    return False


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
    enrolled = regime.hosts.get(receipt.host)
    seen = cosigned.median_time
    return HaltClaim(
        host=receipt.host,
        run=receipt.run or "",
        order=receipt.order,
        receipt=verified.digest,
        after=LogPosition(size=cosigned.checkpoint.size, root=cosigned.checkpoint.root.hex()),
        # A receipt dated ahead would have every instrument taken for one that still shows the time before the halt.
        given=receipt.effective
        if seen is None
        else min(receipt.effective, Instant.from_seconds(seen)),
        devices=len(enrolled.devices) if enrolled is not None else 0,
    )


def state_observation(
    claim: HaltClaim,
    first: Look,
    second: Look,
    *,
    own_pids: frozenset[int],
    own_user: int,
    sight: Sight = _NOTHING_MORE,
) -> ObservationMade:
    """What the looks show, stated as seen; whether that contradicts the agent is not judged here."""
    selectors = TreeSelectors(
        run=claim.run or claim.host, others=own_pids, marks=sight.marks, known=sight.known
    )
    looks = (first, *sight.between, second)
    judged = _judge_looks(looks, selectors)
    limits, other_user = _limits(claim, first.table, own_pids, own_user)
    return ObservationMade(
        effective=second.at,
        host=claim.host,
        order=claim.order,
        receipt=claim.receipt,
        after=claim.after,
        nonce=halt_nonce(claim.after, claim.host, "observe"),
        readings=tuple(_reading(look.at, one) for look, one in zip(looks, judged, strict=True)),
        work_cpu_ms=_work_ms(judged),
        host_busy_ms=round(judged[-1].host_busy_s * 1000),
        means=f"{MEANS}; {sight.means}"[:_LONGEST_TEXT] if sight.means else MEANS,
        other_user=other_user,
        limits=(*limits, *sight.limits),
        instruments=sight.instruments,
    )


def _judge_looks(looks: Sequence[Look], selectors: TreeSelectors) -> list[TreeReading]:
    """Each look compared with the one before, the first with itself; the last with the first, as a whole."""
    first, last = looks[0], looks[-1]
    whole = judge_tree(first.table, last.table, selectors, interval_s=last.at.since(first.at))
    between = [
        judge_tree(a.table, b.table, selectors, interval_s=b.at.since(a.at))
        for a, b in pairwise(looks[:-1])
    ]
    before = judge_tree(first.table, first.table, selectors, interval_s=whole.interval_s)
    return [before, *between, whole]


def _work_ms(judged: Sequence[TreeReading]) -> int:
    """What the whole shows, or one stretch of it where more ended within than anybody waited for."""
    return round(max(one.cpu_s_between for one in judged) * 1000)


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
        limits.append(UNSHOWN)
    if not claim.run:
        limits.append("the receipt names no run: work was looked for by the host's name only")
    return tuple(limits), bool(theirs) and own_user not in theirs
