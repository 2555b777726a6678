"""Keys, envelopes, quorums, charters, notes and disclosures: whose word counts, and why."""

from sekisho.signing.charter import PAUSE_POWERS, Charter, CharterFault, Standing
from sekisho.signing.charter_rules import check_ownership, same_organisation
from sekisho.signing.compromise import Doubt, Spoken
from sekisho.signing.disclosure import (
    Disclosure,
    ForgedDisclosure,
    Opened,
    conceal,
    concealed_of,
    open_fields,
    parse_disclosure,
    reveal_field,
    verify_disclosure,
)
from sekisho.signing.dsse import (
    Envelope,
    EnvelopeSignature,
    add_signature,
    distinct_signers,
    pae,
    parse_envelope,
    sign_payload,
)
from sekisho.signing.emergency import PackShelf, put_on_shelf
from sekisho.signing.keybook import Drill, KeyBook, Report, UnprovedKey
from sekisho.signing.keys import Ed25519Signer, PublicKey, Signer
from sekisho.signing.profiles import draft_charter
from sekisho.signing.recovery import Announcement, RecoveryBreak, recovered_terms
from sekisho.signing.regime import (
    CharterBreak,
    ForgedRegime,
    LogKeyReported,
    Recorded,
    Regime,
    ReplayedDrill,
    SharedKey,
    UnknownSpeaker,
    Verified,
)
from sekisho.signing.trust import (
    TrustRoot,
    current_root,
    find_root,
    format_trust,
    parse_policy,
    parse_trust,
    root_of,
)
from sekisho.signing.witnessing import Mark, Marks, TooFewWitnesses

__all__ = [
    "PAUSE_POWERS",
    "Announcement",
    "Charter",
    "CharterBreak",
    "CharterFault",
    "Disclosure",
    "Doubt",
    "Drill",
    "Ed25519Signer",
    "Envelope",
    "EnvelopeSignature",
    "ForgedDisclosure",
    "ForgedRegime",
    "KeyBook",
    "LogKeyReported",
    "Mark",
    "Marks",
    "Opened",
    "PackShelf",
    "PublicKey",
    "Recorded",
    "RecoveryBreak",
    "Regime",
    "ReplayedDrill",
    "Report",
    "SharedKey",
    "Signer",
    "Spoken",
    "Standing",
    "TooFewWitnesses",
    "TrustRoot",
    "UnknownSpeaker",
    "UnprovedKey",
    "Verified",
    "add_signature",
    "check_ownership",
    "conceal",
    "concealed_of",
    "current_root",
    "distinct_signers",
    "draft_charter",
    "find_root",
    "format_trust",
    "open_fields",
    "pae",
    "parse_disclosure",
    "parse_envelope",
    "parse_policy",
    "parse_trust",
    "put_on_shelf",
    "recovered_terms",
    "reveal_field",
    "root_of",
    "same_organisation",
    "sign_payload",
    "verify_disclosure",
]
