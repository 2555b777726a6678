"""Which releases of the agent the log names, and in which order they count. A pure fold.

A release counts by its `sequence`: an agent takes only a higher one than it ever had. So going back to an earlier
release is a step forward, too: a newer statement that names the same bytes again and says why (`reason`).
"""

from __future__ import annotations

import msgspec

from sekisho.model.persistent import PersistentMap
from sekisho.model.statements import AgentReleased
from sekisho.signing.recorded import Recorded

__all__ = ["Release", "ReleaseBook"]


class Release(msgspec.Struct, frozen=True, kw_only=True):
    """One statement that releases an agent: what it says, its payload digest and its place in the log."""

    fact: AgentReleased
    digest: str
    index: int

    @property
    def sequence(self) -> int:
        """The number by which releases are ordered; 0 for a statement without one, which no agent takes."""
        return self.fact.sequence or 0


class ReleaseBook(msgspec.Struct, frozen=True, kw_only=True):
    """Every release that the log names, by the digest of its statement."""

    releases: PersistentMap[str, Release] = PersistentMap()

    def after(self, recorded: Recorded) -> ReleaseBook:
        """The book once an entry is in the log; unchanged by other kinds."""
        fact = recorded.verified.predicate
        if not isinstance(fact, AgentReleased):
            return self
        digest = recorded.verified.digest
        release = Release(fact=fact, digest=digest, index=recorded.index)
        return ReleaseBook(releases=self.releases.plus(digest, release))

    def find(self, digest: str) -> Release | None:
        """The release that a statement of this payload digest names."""
        found: Release | None = self.releases.get(digest)
        return found

    def ordered(self) -> tuple[Release, ...]:
        """All of them, the oldest first: by sequence, then by place in the log."""
        return tuple(sorted(self.releases.values(), key=lambda r: (r.sequence, r.index)))

    @property
    def newest(self) -> Release | None:
        """The release with the highest sequence."""
        rows = self.ordered()
        return rows[-1] if rows else None

    def of_bytes(self, sha256: str) -> tuple[Release, ...]:
        """Every release of these very bytes, the oldest first."""
        return tuple(row for row in self.ordered() if row.fact.sha256 == sha256)

    def problems(self, fact: AgentReleased) -> list[str]:
        """What stands against one more release: no number, an old number, or a silent step back."""
        newest = self.newest
        last = newest.sequence if newest is not None else 0
        found: list[str] = []
        if fact.sequence is None:
            found.append("it has no sequence, and no host would take it")
        elif fact.sequence <= last:
            found.append(f"its sequence {fact.sequence} is not above {last}, the newest in the log")
        if fact.reason is None and self.of_bytes(fact.sha256):
            found.append("these bytes were released before: say why they are released again")
        return found
