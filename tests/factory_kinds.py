"""One predicate of every statement kind, and the keys under which each is accepted."""

from __future__ import annotations

from sekisho.model.statements import (
    KINDS,
    AgentReleased,
    ChainHead,
    ChallengeAnswered,
    Checkpoint,
    CheckpointRecorded,
    FindingRaised,
    HaltJudged,
    HostRetired,
    LicenceRevoked,
    LogPosition,
    ObservationMade,
    OrdersInForce,
    PackPublished,
    PackReference,
    Predicate,
    Reading,
    ReceiptAcknowledged,
    Span,
    TimeMarked,
    UsageReported,
    kind_of,
)
from sekisho.signing import conceal
from sekisho.signing.keys import Signer
from tests.factory import (
    AUTHORITY,
    DEVICE,
    HEAD,
    HOST,
    LOG,
    NOW,
    OPERATOR,
    ORDER,
    ORIGIN,
    PARTY,
    REFERENCE,
    SALT,
    VERIFIER,
    charter,
    host_enrolled,
    lease_closed,
    lease_granted,
    lease_requested,
    licence_issued,
    order_issued,
    party_enrolled,
    receipt_given,
    run_declared,
)

__all__ = ["one_of_each", "signers_of"]


def one_of_each() -> dict[str, Predicate]:
    """A predicate of every kind, with every optional field in use somewhere."""
    made: list[Predicate] = [
        *_governance(),
        *_licences(),
        *_receipts(),
        *_orders(),
        *_verdicts(),
    ]
    return {kind_of(predicate): predicate for predicate in made}


def signers_of(kind: str) -> tuple[Signer, ...]:
    """The keys under which `regime()` accepts a statement of this kind."""
    known: dict[str, tuple[Signer, ...]] = {
        "amend": (*AUTHORITY[:3], VERIFIER[0]),
        "enrol-hosts": (AUTHORITY[0], OPERATOR),
        "enrol-parties": (AUTHORITY[0],),
        "publish-rules": AUTHORITY[:2],
        "publish-agent": (*AUTHORITY[:2], VERIFIER[0]),
        "issue-licence": AUTHORITY[:2],
        "grant-lease": (OPERATOR,),
        "keep-registers": (OPERATOR,),
        "order-kind": (*AUTHORITY[:3], VERIFIER[0]),
        "observe": (VERIFIER[0],),
        "judge": (VERIFIER[1],),
        "host": (HOST,),
        "party": (PARTY,),
        "device": (DEVICE,),
        "log": (LOG,),
        "witness-of-fault": (HOST,),
    }
    return known[KINDS[kind].signer]


def _governance() -> list[Predicate]:
    pack = PackReference(name="loop", version="2026.1", sha256="4" * 64)
    return [
        charter(),
        host_enrolled(),
        HostRetired(effective=NOW, host="host-1", reason="sold"),
        party_enrolled(),
        PackPublished(effective=NOW, pack=pack, bytes=5_000, summary="first"),
        AgentReleased(effective=NOW, version="0.1.0", sha256="5" * 64),
        TimeMarked(effective=NOW, checkpoint=f"{ORIGIN}\n0\n\n"),
    ]


def _licences() -> list[Predicate]:
    usage, _ = conceal("consumed_flop", "4000000000", SALT)
    return [
        run_declared(),
        licence_issued(REFERENCE),
        LicenceRevoked(effective=NOW, licence=REFERENCE, number="LIC-1", reason="breach"),
        lease_requested(),
        lease_granted(),
        lease_closed(REFERENCE),
        UsageReported(
            effective=NOW,
            licensee="party-1",
            period=Span(start=NOW, end=NOW.plus(86_400)),
            chains=(ChainHead(host="host-1", sequence=7, digest="6" * 64),),
            concealed=(usage,),
        ),
    ]


def _receipts() -> list[Predicate]:
    written = Checkpoint(sha256="7" * 64, bytes=1_024, step=40)
    return [
        receipt_given(
            2,
            previous="8" * 64,
            stage="halted",
            state="frozen",
            heads=(HEAD,),
            order=ORDER,
            run="run-1",
            means="cgroup v2 freezer",
            leaves="memory stays allocated",
            checkpoint=written,
            processes=3,
        ),
        ReceiptAcknowledged(
            effective=NOW, host="host-1", sequence=2, receipt="8" * 64, heads=(HEAD,)
        ),
        CheckpointRecorded(
            effective=NOW, host="host-1", run="run-1", checkpoint=written, parents=("9" * 64,)
        ),
    ]


def _orders() -> list[Predicate]:
    return [
        order_issued(charter_digest="c" * 64),
        OrdersInForce(effective=NOW, heads=(HEAD,), in_force=(ORDER,), root="a" * 64),
    ]


def _verdicts() -> list[Predicate]:
    return [
        ObservationMade(
            effective=NOW,
            host="host-1",
            order=ORDER,
            receipt="8" * 64,
            after=LogPosition(size=12, root="b" * 64),
            nonce="d" * 64,
            readings=tuple(Reading(at=NOW.plus(s), processes=3, running=0) for s in (0, 5.5)),
            work_cpu_ms=0,
            host_busy_ms=120,
            means="process table",
            other_user=True,
        ),
        ChallengeAnswered(
            effective=NOW,
            device="host-1/device-0",
            nonce="d" * 64,
            memory_bytes=1 << 20,
            digest="e" * 64,
            emulated=True,
        ),
        HaltJudged(
            effective=NOW,
            host="host-1",
            order=ORDER,
            degree="corroborated",
            interval=Span(start=NOW, end=NOW.plus(5.5)),
            lapses=NOW.plus(3_600),
            evidence=("8" * 64,),
            reasons=("no work was seen",),
            limits=("no device key",),
        ),
        FindingRaised(
            effective=NOW, finding="rolled-back", host="host-1", detail="state 9, counter 7"
        ),
    ]
