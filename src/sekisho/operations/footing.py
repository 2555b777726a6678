"""What a signer stands on, and what must be of it: the same log, under the same charter. Pure."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from sekisho.model.errors import VerificationError
from sekisho.model.instants import Instant
from sekisho.operations.resolving import RootAt
from sekisho.operations.state import State
from sekisho.signing import Charter, TrustRoot

__all__ = [
    "Footing",
    "ForeignDocument",
    "charter_of",
    "root_of",
    "state_of",
    "verify_own_log",
]


class ForeignDocument(VerificationError):
    """The document is for another log or another regime than the one that the signer trusts."""

    code = "foreign-document"


class Footing(msgspec.Struct, frozen=True, kw_only=True):
    """What a signer stands on: a trust root, the charter in force as far as known, and the log where one was read.

    `witnessed` is the instant of the checkpoint under which it was read, `root_at` that log's own root at a size.
    `disclosures`, by payload digest, were shown to the signer of what a statement conceals.
    """

    root: TrustRoot | None = None
    charter: Charter | None = None
    state: State | None = None
    witnessed: Instant | None = None
    root_at: RootAt | None = None
    disclosures: Mapping[str, tuple[str, ...]] = {}


def root_of(footing: Footing) -> TrustRoot:
    """Raises ForeignDocument where none is trusted."""
    if footing.root is None:
        raise ForeignDocument(
            "no trust root covers the log that this document is for",
            remedy="sekisho trust add, with the charter's digest compared by word of mouth",
        )
    return footing.root


def state_of(footing: Footing) -> State:
    """Raises ForeignDocument where no log was read."""
    if footing.state is None:
        raise ForeignDocument(
            "what it speaks of is in the log, which was not read", remedy="read the log: --log"
        )
    return footing.state


def charter_of(footing: Footing) -> Charter:
    """Raises ForeignDocument where none is known to be in force."""
    if footing.charter is None:
        raise ForeignDocument(
            "the charter in force is not known",
            remedy="read the log (--log), or give the charter itself (--charter)",
        )
    return footing.charter


def verify_own_log(footing: Footing, log: str, does: str) -> None:
    """Raise ForeignDocument for what is of another log than the trusted one."""
    origin = root_of(footing).origin
    if log != origin:
        raise ForeignDocument(f"it {does} of {log}, trusted is {origin}")
