"""What must hold before a statement may enter the log, beyond its signatures; and what must be unique.

Pure: a table of kinds. Authority is checked by the regime, order in the registers by their own fold; here stand the
conditions that need two rooms, the clock, or the private store's word.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sekisho.inspection.tpm import check_tier
from sekisho.model.errors import InvalidInput, StateConflict
from sekisho.model.statements import (
    KINDS,
    AccessDecided,
    AgentReleased,
    AppealDecided,
    AppealFiled,
    ApplicationFiled,
    ApprovalGiven,
    BalanceClosed,
    CharterAdopted,
    ChipRegistered,
    HaltJudged,
    HostEnrolled,
    InventoryTaken,
    KeyCompromised,
    LicenceAmended,
    LicenceClosed,
    LicenceIssued,
    LicenceRevoked,
    ObservationMade,
    OrderConfirmed,
    OrderIssued,
    OrderOpened,
    OrderSealed,
    OrdersInForce,
    OutageDeclared,
    PackPublished,
    PartyEnrolled,
    ProductionReported,
    ReceiptGiven,
    RecoveryVetoed,
    RefusalRecorded,
    ResolvedScope,
    RunDeclared,
    UsageReported,
    WeightsLocked,
)
from sekisho.operations.access_admission import (
    check_access_decided,
    check_weights_locked,
)
from sekisho.operations.clock_offsets import CLOCK_SLACK_S, may_be_ahead
from sekisho.operations.grounds import Grounds, verify_charter_alive, verify_sound
from sekisho.operations.holding import verify_hold_limits
from sekisho.operations.judging import check_verdict, verify_observer
from sekisho.operations.ladder_admission import (
    check_appeal_decided,
    check_appeal_filed,
    check_refusal,
    verify_names_nobody,
)
from sekisho.operations.licence_admission import (
    check_amended,
    check_answered,
    check_closed,
    check_declared,
    check_filed,
    check_issued,
    check_revoked,
)
from sekisho.operations.pause_quorum import check_party, check_pause_quorum
from sekisho.operations.publishing import verify_publication
from sekisho.operations.resolving import verify_fresh, verify_scope, verify_tree
from sekisho.operations.sealing import verify_opening, verify_sealed
from sekisho.operations.state import State
from sekisho.operations.unique_keys import tags_of, unique_keys
from sekisho.orders import check_release, verify_issue
from sekisho.orders.sealed import open_sealed
from sekisho.signing import Recorded
from sekisho.signing.recovery import is_notice_over

__all__ = ["check_admission", "unique_keys"]

# Statements that only the control plane itself makes, after its own checks; from outside they are refused.
OWN_KINDS = frozenset(
    {
        "time-marked",
        "orders-in-force",
        "lease-granted",
        "lease-closed",
        "licence-closed",
        "usage-reported",
        "chip-registered",
        "custody-moved",
        "irregularity-found",
        "disclosure-deposited",
        "disclosure-erased",
        "order-opened",
        "weights-key-released",
    }
)
# Receipts enter the log only behind the chain that they are links of.
CHAINED_KINDS = frozenset({"receipt-given"})


def check_admission(
    state: State, recorded: Recorded, grounds: Grounds, *, own: bool = False
) -> None:
    """Raise the named error where a verified statement must not enter the log now."""
    kind, fact = recorded.verified.kind, recorded.verified.predicate
    if not KINDS[kind].logged:
        raise InvalidInput(f"a {kind} is not a log entry", remedy="send it to its own address")
    if kind in OWN_KINDS and not own:
        raise InvalidInput(
            f"a {kind} is made by the control plane itself", remedy="send what it rests on"
        )
    if kind in CHAINED_KINDS and not own:
        raise InvalidInput(
            f"a {kind} enters the log with its chain", remedy="send it to /api/v1/receipts"
        )
    host = state.regime.hosts.get(str(getattr(fact, "host", "")))
    is_evidence = may_be_ahead(kind, host, recorded.verified.signers)
    if fact.effective > grounds.now.plus(CLOCK_SLACK_S) and not is_evidence:
        raise InvalidInput(f"is dated {fact.effective}, it is {grounds.now}", path="effective")
    check = _CHECKS.get(type(fact))
    if check is not None:
        check(state, fact, grounds)
    order = _sealed_in(fact, grounds) if isinstance(fact, OrderSealed) else fact
    if isinstance(order, OrderIssued):
        verify_hold_limits(state, order, recorded.verified.digest, recorded.verified.signers)
    if isinstance(fact, ObservationMade):
        verify_observer(state, fact, recorded.verified.signers)
    if isinstance(fact, PackPublished):
        _check_pack(state, fact, recorded.verified.signers)
        verify_publication(state, fact, grounds.load_pack(fact.pack))


def _check_order(state: State, order: OrderIssued, grounds: Grounds) -> None:
    charter = state.regime.in_force()
    verify_issue(order, charter, log=charter.terms.log.origin, now=grounds.now)
    for lifted in order.lifts:
        if state.orders.find(lifted) is None:
            raise StateConflict(f"order {lifted.register} {lifted.number} is not in its register")
    problems = check_release(order, state.orders)
    if problems:
        raise StateConflict("; ".join(problems))
    if order.resolved is not None:
        _check_scope(state, order, order.resolved, grounds)


def _check_sealed(state: State, sealed: OrderSealed, grounds: Grounds) -> None:
    """Outside, inside and hosts agree, and the order inside may be issued now."""
    _check_order(state, verify_sealed(state, sealed, grounds.disclosures), grounds)


def _sealed_in(sealed: OrderSealed, grounds: Grounds) -> OrderIssued | None:
    return open_sealed(sealed, grounds.disclosures).order


def _check_opening(state: State, fact: OrderOpened, grounds: Grounds) -> None:
    verify_opening(state, fact, now=grounds.now)


def _check_scope(
    state: State, order: OrderIssued, resolved: ResolvedScope, grounds: Grounds
) -> None:
    """The hosts that were signed are those of the predicate, in a tree of this log that is not long over.

    A resume repeats the scope of what it lifts, however old that is.
    """
    verify_scope(state.rosters, resolved, log_size=state.size)
    if grounds.root_at is not None:
        verify_tree(resolved, grounds.root_at)
    if order.kind != "resume":
        superseded = state.regime.marks.after(resolved.size)
        verify_fresh(resolved, superseded, now=grounds.now)


def _check_amendment(state: State, fact: CharterAdopted, grounds: Grounds) -> None:
    """A recovery goes on under an expired charter: it replaces keys, and changes no date."""
    if fact.version > 1 and fact.recovers is None:
        verify_charter_alive(state, grounds.now)
    verify_sound(f"charter version {fact.version}", check_pause_quorum(state, fact))


def _check_report(state: State, fact: KeyCompromised, grounds: Grounds) -> None:
    """A report about nobody's key, or one that says nothing new, would only fill the book."""
    regime = state.regime
    if fact.since > grounds.now.plus(CLOCK_SLACK_S):
        raise InvalidInput(f"is {fact.since}, it is {grounds.now}", path="since")
    if not regime.knows_key(fact.key):
        raise InvalidInput(f"key {fact.key[:16]} speaks for nobody here", path="key")
    told = [report.since for report in regime.keys.reports if report.key == fact.key]
    if told and min(told) <= fact.since:
        raise StateConflict(f"key {fact.key[:16]} is reported since {min(told)} already")


def _check_veto(state: State, fact: RecoveryVetoed, _: Grounds) -> None:
    regime = state.regime
    announced = regime.announcements[fact.announcement.leaf]
    if is_notice_over(announced, regime.in_force(), regime.marks, now=None):
        raise StateConflict("the notice is over: a veto comes within it")


def _check_confirmation(state: State, fact: OrderConfirmed, _: Grounds) -> None:
    known = state.orders.find(fact.order)
    where = f"order {fact.order.register} {fact.order.number}"
    if known is None:
        raise StateConflict(f"{where} is not in its register")
    if known.order.kind != fact.kind:
        raise StateConflict(f"{where} is a {known.order.kind}, not a {fact.kind}")


def _check_pack(state: State, fact: PackPublished, signers: frozenset[str]) -> None:
    """What the fold would pass over does not enter: an emergency pack after one that lapsed, by too few."""
    charter = state.regime.in_force()
    if (
        fact.emergency
        and state.shelf.needs_full_quorum(fact.pack.name, state.regime.marks)
        and not charter.standing("publish-rules", signers).is_met
    ):
        raise StateConflict(
            f"an emergency pack {fact.pack.name} lapsed: another one takes the power publish-rules",
            remedy="have it signed by the full quorum",
        )


def _check_receipt(state: State, receipt: ReceiptGiven, _: Grounds) -> None:
    if receipt.order is None or receipt.spend is not None:
        raise InvalidInput(
            "only receipts about orders, without figures, enter the log",
            remedy="send it as a receipt",
        )
    if state.orders.find(receipt.order) is None:
        raise StateConflict(
            f"order {receipt.order.register} {receipt.order.number} is not in the log"
        )


def _check_refusal(state: State, fact: RefusalRecorded, grounds: Grounds) -> None:
    check_refusal(state, fact, grounds.now)


def _check_appeal(state: State, fact: AppealFiled, _: Grounds) -> None:
    check_appeal_filed(state, fact)


def _check_decision(state: State, fact: AppealDecided, _: Grounds) -> None:
    check_appeal_decided(state, fact)


def _check_observation(state: State, fact: ObservationMade, _: Grounds) -> None:
    if state.orders.find(fact.order) is None:
        raise StateConflict("the observation is about an order that is not in the log")
    if fact.host not in state.regime.hosts:
        raise StateConflict(f"host {fact.host} is not enrolled")


def _check_verdict(state: State, fact: HaltJudged, grounds: Grounds) -> None:
    what = f"verdict on host {fact.host}"
    if state.orders.find(fact.order) is None:
        raise StateConflict(f"{what}: it is about an order that is not in the log")
    if fact.host not in state.regime.hosts:
        raise StateConflict(f"{what}: the host is not enrolled")
    problems = check_verdict(state, fact, latest=grounds.now.plus(CLOCK_SLACK_S))
    verify_sound(what, problems)
    verify_names_nobody(state, fact.order, fact.host, what)


def _check_party(state: State, fact: PartyEnrolled, _: Grounds) -> None:
    verify_sound(f"party {fact.party}", check_party(state, fact))


def _check_agent(state: State, fact: AgentReleased, _: Grounds) -> None:
    verify_sound(f"release {fact.version}", state.releases.problems(fact))


def _check_host(state: State, fact: HostEnrolled, _: Grounds) -> None:
    """A host's name is a folder of every bundle: none may take the place of another host's files.

    Its counter is worth what its TPM's certificates prove, at the instant that the enrolment speaks of.
    """
    if any(part.endswith(".jsonl") for part in fact.host.split("/")):
        raise InvalidInput("is named like a file of a bundle", path="host", remedy="rename it")
    check_tier(fact, state.regime.in_force().terms.tpm_roots)


def _check_run(state: State, fact: RunDeclared, _: Grounds) -> None:
    if fact.run in state.licences.runs:
        raise StateConflict(
            f"run {fact.run} is declared already", remedy="declare it under another name"
        )


def _check_heartbeat(state: State, fact: OrdersInForce, _: Grounds) -> None:
    state.orders.verify_heads(fact, fact.effective)


def _check_tags(_state: State, fact: ChipRegistered, _: Grounds) -> None:
    """No tag twice in one statement: against all others the log's unique keys stand."""
    tags = tags_of(fact)
    if len(set(tags)) != len(tags):
        raise StateConflict("chips: one tag stands twice")


def _check_count(_state: State, fact: InventoryTaken, grounds: Grounds) -> None:
    if fact.taken > grounds.now.plus(CLOCK_SLACK_S):
        raise InvalidInput(f"is {fact.taken}, it is {grounds.now}", path="taken")


def _check_account(
    _state: State, fact: BalanceClosed | ProductionReported, grounds: Grounds
) -> None:
    """A report is of a period that is over, and corrects another one than itself."""
    if fact.period.end <= fact.period.start:
        raise InvalidInput("ends before it begins", path="period")
    if fact.period.end > grounds.now.plus(CLOCK_SLACK_S):
        raise InvalidInput(f"ends at {fact.period.end}, it is {grounds.now}", path="period.end")
    if fact.corrects == fact.report:
        raise InvalidInput("corrects itself", path="corrects")


def _check_usage(state: State, fact: UsageReported, grounds: Grounds) -> None:
    """A report is of a period that is over; it overlaps no other, and corrects what stands uncorrected."""
    if fact.period.end > grounds.now.plus(CLOCK_SLACK_S):
        raise InvalidInput(f"ends at {fact.period.end}, it is {grounds.now}", path="period.end")
    problem = state.usage.problem_of(fact)
    if problem:
        raise StateConflict(problem, remedy="correct the report that stands")


def _check_roll_up(state: State, fact: AccessDecided, grounds: Grounds) -> None:
    check_access_decided(state, fact, grounds.now)


def _check_lock(state: State, fact: WeightsLocked, _: Grounds) -> None:
    check_weights_locked(state, fact)


_CHECKS: dict[type, Callable[[State, Any, Grounds], None]] = {
    AgentReleased: _check_agent,
    CharterAdopted: _check_amendment,
    HostEnrolled: _check_host,
    KeyCompromised: _check_report,
    OrderConfirmed: _check_confirmation,
    RecoveryVetoed: _check_veto,
    OrderIssued: _check_order,
    OrderSealed: _check_sealed,
    OrderOpened: _check_opening,
    LicenceIssued: check_issued,
    LicenceAmended: check_amended,
    LicenceRevoked: check_revoked,
    LicenceClosed: check_closed,
    ApplicationFiled: check_filed,
    ApprovalGiven: check_answered,
    OutageDeclared: check_declared,
    ReceiptGiven: _check_receipt,
    ObservationMade: _check_observation,
    HaltJudged: _check_verdict,
    PartyEnrolled: _check_party,
    RunDeclared: _check_run,
    OrdersInForce: _check_heartbeat,
    ChipRegistered: _check_tags,
    InventoryTaken: _check_count,
    BalanceClosed: _check_account,
    ProductionReported: _check_account,
    UsageReported: _check_usage,
    AccessDecided: _check_roll_up,
    RefusalRecorded: _check_refusal,
    AppealFiled: _check_appeal,
    AppealDecided: _check_decision,
    WeightsLocked: _check_lock,
}
