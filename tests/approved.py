"""The way from an application to a licence and beyond, on a test desk: one step a function."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from sekisho.model.statements import (
    ApplicationFiled,
    Checkpoint,
    CheckpointRecorded,
    LicenceAmended,
    LicenceIssued,
    Lineage,
)
from sekisho.operations.desk import Admitted
from sekisho.operations.licence_drafts import (
    AmendedTerms,
    AnswerPlan,
    ApplicationPlan,
    draft_application,
    draft_approval,
    draft_licence_amendment,
    draft_suspension,
)
from sekisho.operations.running import LicencePlan, draft_licence
from sekisho.rules import Pack, load_pack
from sekisho.signing.keys import Ed25519Signer
from tests import factory as f
from tests.desks import TestDesk

__all__ = [
    "OFFICERS",
    "TERMS",
    "amend",
    "amendment",
    "application",
    "apply",
    "approve",
    "approved",
    "declare",
    "issue",
    "licence",
    "record_checkpoint",
    "suspend",
]

OFFICERS = f.AUTHORITY[:2]
TERMS = msgspec.structs.replace(f.licence_issued(f.REFERENCE).lease, interval_s=60)


def declare(
    desk: TestDesk, run: str = "run-1", *, planned: int = 10**12, parents: Sequence[str] = ()
) -> Admitted:
    """Declare a run of party-1 on host-1, from scratch or from checkpoints."""
    fact = f.run_declared(run, planned_flop=str(planned))
    lineage = Lineage(scratch=not parents, parents=tuple(parents))
    fact = msgspec.structs.replace(fact, lineage=lineage, effective=desk.clock.now())
    return desk.desk.admit(f.signed(fact, f.PARTY).raw)


def application(desk: TestDesk, name: str = "APP-1", **plan: object) -> ApplicationFiled:
    """The draft of an application for a run."""
    fields: dict[str, object] = {"run": "run-1", "mode": "drain", "lasts_s": 10**6, **plan}
    asked = ApplicationPlan(application=name, **fields)  # type: ignore[arg-type]  # the test's own choice
    return draft_application(desk.desk.state, asked, now=desk.clock.now())


def apply(desk: TestDesk, name: str = "APP-1", **plan: object) -> Admitted:
    """File an application, signed by its party."""
    return desk.desk.admit(f.signed(application(desk, name, **plan), f.PARTY).raw)


def approve(
    desk: TestDesk, name: str = "APP-1", *officers: Ed25519Signer, refuses: bool = False
) -> None:
    """Answers by these keys, by default of two officers."""
    for officer in officers or OFFICERS:
        plan = AnswerPlan(
            application=name,
            key=officer.public.key_id,
            reason="read and judged",
            refuses=refuses,
        )
        fact = draft_approval(desk.desk.state, plan, now=desk.clock.now())
        desk.desk.admit(f.signed(fact, officer).raw)


def approved(desk: TestDesk, name: str = "APP-1", **plan: object) -> str:
    """File an application and have two officers approve it; its name."""
    apply(desk, name, **plan)
    approve(desk, name)
    return name


def licence(
    desk: TestDesk,
    number: str = "LIC-1",
    *,
    run: str = "run-1",
    pack: Pack | None = None,
    **plan: object,
) -> LicenceIssued:
    """The draft of a licence."""
    fields: dict[str, object] = {"terms": TERMS, "mode": "kill", **plan}
    asked = LicencePlan(number=number, **fields)  # type: ignore[arg-type]  # the test's own choice
    return draft_licence(desk.desk.state, run, pack or load_pack(), asked, now=desk.clock.now())


def issue(desk: TestDesk, number: str = "LIC-1", **plan: object) -> Admitted:
    """Issue a licence under the authority's quorum."""
    drafted = licence(desk, number, **plan)  # type: ignore[arg-type]  # passed through
    return desk.desk.admit(f.signed(drafted, *OFFICERS).raw)


def amendment(
    desk: TestDesk, number: str = "LIC-1", *, pack: Pack | None = None, **terms: object
) -> LicenceAmended:
    """The draft of an amendment."""
    asked = AmendedTerms(**{"reason": "as decided", **terms})  # type: ignore[arg-type]  # the test's own choice
    now = desk.clock.now()
    return draft_licence_amendment(desk.desk.state, number, asked, pack or load_pack(), now=now)


def amend(desk: TestDesk, number: str = "LIC-1", **terms: object) -> Admitted:
    """Amend a licence under the authority's quorum."""
    drafted = amendment(desk, number, **terms)  # type: ignore[arg-type]  # passed through
    return desk.desk.admit(f.signed(drafted, *OFFICERS).raw)


def suspend(desk: TestDesk, number: str = "LIC-1") -> Admitted:
    """Suspend a licence under the authority's quorum."""
    fact = draft_suspension(desk.desk.state, number, "inspection", now=desk.clock.now())
    return desk.desk.admit(f.signed(fact, *OFFICERS).raw)


def record_checkpoint(desk: TestDesk, run: str, digest: str) -> Admitted:
    """Host-1 says that it wrote this checkpoint for a run."""
    fact = CheckpointRecorded(
        effective=desk.clock.now(),
        host="host-1",
        run=run,
        checkpoint=Checkpoint(sha256=digest, bytes=1, step=1),
    )
    return desk.desk.admit(f.signed(fact, f.HOST).raw)
