"""Endorsements of documents of events: see signing.endorsing, where the auditor reads them as well."""

from __future__ import annotations

from sekisho.signing.endorsing import (
    ENDORSEMENT_TYPE,
    MAX_ENDORSEMENT,
    Endorsed,
    EndorsedElsewhere,
    EndorsedOther,
    Endorsement,
    Voices,
    endorse,
    parse_endorsement,
    verify_endorsement,
)

__all__ = [
    "ENDORSEMENT_TYPE",
    "MAX_ENDORSEMENT",
    "Endorsed",
    "EndorsedElsewhere",
    "EndorsedOther",
    "Endorsement",
    "Voices",
    "endorse",
    "parse_endorsement",
    "verify_endorsement",
]
