"""TPMs as evidence: certified counters, endorsement chains, credential activation. Pure."""

from __future__ import annotations

from sekisho.inspection.tpm.counters import (
    CertifiedReading,
    CounterMissing,
    CounterSetBack,
    OtherChallenge,
    OtherCounter,
    OtherQuantum,
    continue_from,
    verify_certified,
)
from sekisho.inspection.tpm.endorsement import Endorsement, NotEndorsed, verify_endorsement
from sekisho.inspection.tpm.enrolment import (
    Dice,
    NotActivated,
    challenge_paper,
    check_tier,
    endorsement_of,
    read_paper,
    verify_answer,
)
from sekisho.inspection.tpm.octets import MalformedTpmData

__all__ = [
    "CertifiedReading",
    "CounterMissing",
    "CounterSetBack",
    "Dice",
    "Endorsement",
    "MalformedTpmData",
    "NotActivated",
    "NotEndorsed",
    "OtherChallenge",
    "OtherCounter",
    "OtherQuantum",
    "challenge_paper",
    "check_tier",
    "continue_from",
    "endorsement_of",
    "read_paper",
    "verify_answer",
    "verify_certified",
    "verify_endorsement",
]
