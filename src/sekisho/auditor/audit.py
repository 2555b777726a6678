"""The outsider's audit: what is claimed is derived again, from the bytes and the verifier's own trust root alone.

1. The files are those of the manifest, and a tar is its own re-packing (bundle.py). 2. The trust root comes from the
verifier, never from the evidence. 3. The tree is derived from the entries; the checkpoint is the log's and witnessed.
4. The log is read once, from its first entry, through the folds that the regime runs (history.py). 5. Each check of the
table below asks one question of what was gathered and answers holds, fails or unverifiable, with the reason. 6. The
verdict is the worst of them; an unverifiable check may be taken on trust by name, a failing one never. 7. The limits
say what is not covered.

Whatever a hostile byte breaks inside a check makes that check fail; nothing that was not checked ever passes.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import Final, TypeAlias

import msgspec

from sekisho.auditor.access_checks import check_access, check_weights_keys
from sekisho.auditor.approval_checks import check_approvals_given, check_closings
from sekisho.auditor.balance_checks import check_balances
from sekisho.auditor.budget_checks import check_budgets
from sekisho.auditor.bundle import Bundle
from sekisho.auditor.cap_checks import check_caps
from sekisho.auditor.counter_checks import check_counters
from sekisho.auditor.custody_checks import (
    check_chip_tags,
    check_custody,
    check_endorsements,
    check_irregularities,
    check_standings,
)
from sekisho.auditor.deposit_checks import check_deposits
from sekisho.auditor.evidence import Evidence, Trust, gather_evidence
from sekisho.auditor.hold_checks import check_holds
from sekisho.auditor.licence_checks import check_decisions, check_leases, check_licences
from sekisho.auditor.limits import describe_limits
from sekisho.auditor.log_checks import (
    check_checkpoint,
    check_log_tree,
    check_manifest,
    check_time_marks,
    check_witnessed,
)
from sekisho.auditor.order_checks import check_halts, check_orders_in_force, check_registers
from sekisho.auditor.pack_checks import check_packs
from sekisho.auditor.receipt_checks import check_effects, check_receipts
from sekisho.auditor.refusal_checks import check_appeals, check_refusals
from sekisho.auditor.regime_checks import (
    check_charter,
    check_signatures,
    check_trust_root,
    check_uniqueness,
)
from sekisho.auditor.scope_checks import check_scopes
from sekisho.auditor.sealed_checks import check_sealed
from sekisho.auditor.seen_checks import SEEN_CHECK, check_seen
from sekisho.auditor.usage_checks import check_usage_evidence, check_usage_reports
from sekisho.auditor.verdicts import CheckResult, Outcome, Report, worst_verdict
from sekisho.catalogue import Language
from sekisho.model.errors import InvalidInput, SekishoError

__all__ = [
    "CHECKS",
    "Check",
    "audit_bundle",
    "check_names",
    "judge_evidence",
    "require_known_checks",
]

Question: TypeAlias = Callable[[Evidence], Outcome]


class Check(msgspec.Struct, frozen=True):
    """One row of the table. Without a trust root only those that do not ask for it can say anything."""

    name: str
    ask: Question
    needs_root: bool = True


CHECKS: Final[tuple[Check, ...]] = (
    Check("trust-root", check_trust_root, needs_root=False),
    Check("manifest", check_manifest, needs_root=False),
    Check("log-tree", check_log_tree, needs_root=False),
    Check("checkpoint-signature", check_checkpoint),
    Check("witnessed", check_witnessed),
    Check("time-marks", check_time_marks),
    Check("charter", check_charter),
    Check("signatures", check_signatures),
    Check("uniqueness", check_uniqueness),
    Check("registers", check_registers),
    Check("orders-in-force", check_orders_in_force),
    Check("order-scopes", check_scopes),
    Check("holds", check_holds),
    Check("sealed", check_sealed),
    Check("packs", check_packs),
    Check("decisions", check_decisions),
    Check("licences", check_licences),
    Check("approvals", check_approvals_given),
    Check("leases", check_leases),
    Check("receipts", check_receipts),
    Check("counters", check_counters),
    Check("budgets", check_budgets),
    Check("closings", check_closings),
    Check("deposits", check_deposits),
    Check("effects", check_effects),
    Check("caps", check_caps),
    Check("halts", check_halts),
    Check("refusals", check_refusals),
    Check("appeals", check_appeals),
    Check("custody", check_custody),
    Check("endorsements", check_endorsements),
    Check("standings", check_standings),
    Check("chip-tags", check_chip_tags),
    Check("irregularities", check_irregularities),
    Check("balances", check_balances),
    Check("usage-reports", check_usage_reports),
    Check("usage-evidence", check_usage_evidence),
    Check("access", check_access),
    Check("weights-keys", check_weights_keys),
)


def check_names() -> tuple[str, ...]:
    """The names of all checks that every audit makes, in the table's order."""
    return tuple(check.name for check in CHECKS)


def require_known_checks(accepted: Collection[str]) -> None:
    """Raise InvalidInput for a check to accept that no table has."""
    unknown = sorted(set(accepted) - {*check_names(), SEEN_CHECK})
    if unknown:
        raise InvalidInput(
            f"there is no check {unknown[0]!r}",
            path="--accept",
            remedy=f"one of {', '.join(check_names())}",
        )


def audit_bundle(
    bundle: Bundle,
    trust: Trust,
    *,
    accepted: Collection[str] = (),
    language: Language = "en",
    network_gone: bool | None = None,
    progress: Callable[[int, int], None] = lambda *_: None,
) -> Report:
    """The report on opened evidence. Raises InvalidInput only for an unknown name in `accepted`."""
    require_known_checks(accepted)
    evidence = gather_evidence(bundle, trust, progress=progress)
    return judge_evidence(evidence, accepted, language, network_gone=network_gone)


def judge_evidence(
    evidence: Evidence,
    accepted: Collection[str],
    language: Language,
    *,
    network_gone: bool | None,
) -> Report:
    """The report on gathered evidence. The row for what others saw is there where the verifier brought any."""
    table = (*CHECKS, Check(SEEN_CHECK, check_seen)) if evidence.seen else CHECKS
    checks = tuple(_ask(check, evidence) for check in table)
    return Report(
        verdict=worst_verdict(checks, accepted),
        checks=checks,
        limits=describe_limits(evidence, checks, accepted, language, network_gone=network_gone),
    )


def _ask(check: Check, evidence: Evidence) -> CheckResult:
    if check.needs_root and evidence.root is None:
        detail = "without a trust root nobody's signature counts"
        return CheckResult(name=check.name, verdict="unverifiable", detail=detail)
    try:
        outcome = check.ask(evidence)
    except SekishoError as error:
        outcome = Outcome(verdict="fails", detail=f"{type(error).code}: {error}")
    except Exception as error:  # noqa: BLE001  # hostile bytes: a check that breaks has not passed
        outcome = Outcome(verdict="fails", detail=f"{type(error).__name__}: {error}")
    return CheckResult(name=check.name, verdict=outcome.verdict, detail=outcome.detail)
