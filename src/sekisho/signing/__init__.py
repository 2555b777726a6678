"""Keys, envelopes, quorums, charters, notes and disclosures: whose word counts, and why."""

from sekisho.signing.charter import Charter, CharterFault, Standing
from sekisho.signing.disclosure import (
    Disclosure,
    ForgedDisclosure,
    conceal,
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
from sekisho.signing.keys import Ed25519Signer, PublicKey, Signer
from sekisho.signing.profiles import draft_charter
from sekisho.signing.regime import (
    CharterBreak,
    ForgedRegime,
    Recorded,
    Regime,
    SharedKey,
    UnknownSpeaker,
    Verified,
)
from sekisho.signing.trust import (
    TrustRoot,
    find_root,
    format_trust,
    parse_policy,
    parse_trust,
    root_of,
)

__all__ = [
    "Charter",
    "CharterBreak",
    "CharterFault",
    "Disclosure",
    "Ed25519Signer",
    "Envelope",
    "EnvelopeSignature",
    "ForgedDisclosure",
    "ForgedRegime",
    "PublicKey",
    "Recorded",
    "Regime",
    "SharedKey",
    "Signer",
    "Standing",
    "TrustRoot",
    "UnknownSpeaker",
    "Verified",
    "add_signature",
    "conceal",
    "distinct_signers",
    "draft_charter",
    "find_root",
    "format_trust",
    "pae",
    "parse_disclosure",
    "parse_envelope",
    "parse_policy",
    "parse_trust",
    "reveal_field",
    "root_of",
    "sign_payload",
    "verify_disclosure",
]
