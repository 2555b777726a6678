"""From one charter version to the next: what must be kept, and what may change by the log's own rules. Pure.

Version 1 is the one whose digest the trust root names. Every later one names its predecessor's digest; a gap, a
rollback and a fork are the same fault. The log keeps its origin, since references are made of it; its key and its
witnesses may change, and a tree is judged by the charter that it holds. Source: protocol sections 2 and 3.
"""

from __future__ import annotations

from sekisho.model.errors import InvalidInput, VerificationError
from sekisho.model.statements import CharterAdopted, CharterLog
from sekisho.signing.charter import Charter
from sekisho.signing.charter_rules import CharterFault, check_ownership
from sekisho.signing.keys import PublicKey
from sekisho.signing.notes import NoteAlgorithm, VerifierKey

__all__ = ["CharterBreak", "ForgedRegime", "log_key_of", "verify_root", "verify_succession"]


class ForgedRegime(VerificationError):
    """The first charter is not the one that the trust root names: the whole regime is somebody else's."""

    code = "forged-regime"


class CharterBreak(VerificationError):
    """A charter version that does not follow the one in force: a gap, a rollback, or another predecessor."""

    code = "charter-break"


def verify_root(terms: CharterAdopted, digest: str, root: str) -> None:
    """Raise unless this is version 1 and the very one that the trust root names."""
    if digest != root:
        raise ForgedRegime(
            f"charter {digest[:16]} is not the charter {root[:16]} of the trust root",
            remedy="check where the trust root and this log come from",
        )
    if terms.version != 1 or terms.previous is not None or terms.recovers is not None:
        raise CharterBreak("the first charter must be version 1 without predecessor")


def verify_succession(terms: CharterAdopted, old: Charter) -> None:
    """Raise unless `terms` are the version after `old`, for the same log, with witnesses that others hold."""
    if terms.version != old.terms.version + 1 or terms.previous != old.digest:
        raise CharterBreak(
            f"charter version {terms.version} does not follow version {old.terms.version} in force"
        )
    if terms.log.origin != old.terms.log.origin:
        raise CharterBreak(f"the log {old.terms.log.origin} cannot become {terms.log.origin}")
    if terms.log.vkey != old.terms.log.vkey:
        log_key_of(terms.log)
    problems = check_ownership(terms)
    if problems and terms.log != old.terms.log:
        raise CharterFault("; ".join(problems), remedy="name witnesses that others hold")


def log_key_of(log: CharterLog) -> PublicKey:
    """The key under which the log signs statements: that of its verifier key. Raises CharterFault, InvalidInput."""
    key = VerifierKey.from_text(log.vkey, path="log.vkey")
    if key.name != log.origin:
        raise CharterFault(f"the log {log.origin} has a key named {key.name}")
    if key.algorithm is not NoteAlgorithm.ED25519:
        raise InvalidInput("a log's key is an Ed25519 key", path="log.vkey")
    return PublicKey.from_ed25519_raw(key.public_key)
