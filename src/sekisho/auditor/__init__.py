"""The outsider's verifier: it trusts nobody, works offline, and shares no write code."""

from __future__ import annotations

from sekisho.auditor.audit import CHECKS, audit_bundle, check_names
from sekisho.auditor.bundle import Bundle, open_evidence
from sekisho.auditor.evidence import Evidence, Trust, gather_evidence
from sekisho.auditor.verdicts import CheckResult, Outcome, Report

__all__ = [
    "CHECKS",
    "Bundle",
    "CheckResult",
    "Evidence",
    "Outcome",
    "Report",
    "Trust",
    "audit_bundle",
    "check_names",
    "gather_evidence",
    "open_evidence",
]
