"""Where releases of the agent come from: a repository whose word is verified before it is given."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Final, Literal, Protocol, TypeAlias

import msgspec

from sekisho.model.instants import Instant

__all__ = [
    "ROLES",
    "Heard",
    "Offer",
    "Offered",
    "Placed",
    "ReleaseSource",
    "RoleKeys",
    "RoleName",
    "RoleStanding",
    "Shelf",
]

Heard: TypeAlias = Callable[[int, int], None]
RoleName: TypeAlias = Literal["root", "targets", "snapshot", "timestamp"]
ROLES: Final[tuple[RoleName, ...]] = ("root", "targets", "snapshot", "timestamp")


class Offer(msgspec.Struct, frozen=True, kw_only=True):
    """One release in a repository: its file, and what the repository's signers say of it.

    `statement` is the payload digest of the `agent-released` that it rests on.
    """

    path: str
    version: str
    sequence: int
    sha256: str
    bytes: int
    statement: str


class Offered(msgspec.Struct, frozen=True, kw_only=True):
    """All that a verified repository offers, and until when its word is fresh: the earliest expiry of its roles."""

    offers: tuple[Offer, ...]
    expires: Instant


class Placed(msgspec.Struct, frozen=True, kw_only=True):
    """A release that was put onto the shelf: what it is, and the statement that it came under."""

    sequence: int
    version: str
    sha256: str
    statement: str


class Shelf(msgspec.Struct, frozen=True, kw_only=True):
    """What a host ever put on its shelf, the oldest first, and the sequence that `current` leads to; 0 is nothing."""

    placed: tuple[Placed, ...] = ()
    current: int = 0

    @property
    def highest(self) -> int:
        return max((row.sequence for row in self.placed), default=0)

    def find(self, sequence: int) -> Placed | None:
        return next((row for row in self.placed if row.sequence == sequence), None)


class RoleKeys(msgspec.Struct, frozen=True, kw_only=True):
    """The keys of one role of a repository (base64 of their SPKI), and how many of them it takes."""

    keys: tuple[str, ...]
    threshold: int


class RoleStanding(msgspec.Struct, frozen=True, kw_only=True):
    """How far a staged role has come: its version, how many keys signed of how many asked, and what it offers."""

    role: RoleName
    version: int
    signed: int
    asked: int
    files: tuple[str, ...] = ()

    @property
    def is_met(self) -> bool:
        return self.signed >= self.asked


class ReleaseSource(Protocol):
    """A repository of releases, which is never believed beyond what its signers say.

    Both raise VerificationError by the name of the attack, Unavailable where nothing came in time.
    """

    def fetch(self) -> Offered:
        """What it offers now; no version of any role is older than one that was seen before."""
        ...

    def download(self, offer: Offer, to: Path, heard: Heard) -> None:
        """The file of an offer at `to`, verified by length and digest; `heard` is told of bytes done and to do."""
        ...
