"""Releasing an agent: the statement that a quorum signs, which hosts lag behind, and what a repository can express."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from sekisho.model.instants import Instant
from sekisho.model.statements import AgentReleased, PowerGrant
from sekisho.operations.grounds import verify_sound
from sekisho.operations.state import State
from sekisho.signing.releases import Release

__all__ = ["Expression", "HostRelease", "draft_release", "express_quorum", "releases_of_hosts"]


class Expression(msgspec.Struct, frozen=True, kw_only=True):
    """A charter's quorum as one threshold over one set of keys.

    `is_exact` where no set of that many keys lacks a constituency; else only the statement in the log keeps them apart.
    """

    threshold: int
    is_exact: bool


class HostRelease(msgspec.Struct, frozen=True, kw_only=True):
    """What a host was enrolled with: `current`, `older` (a release before the newest), or `unknown` to the log.

    It says what was measured at enrolment. Which release runs today, no statement says.
    """

    host: str
    enrolled: str
    standing: str
    version: str | None = None
    sequence: int | None = None


def draft_release(state: State, fact: AgentReleased, *, now: Instant) -> AgentReleased:
    """The statement for this version, with the next free sequence. Raises StateConflict for what no log would take."""
    newest = state.releases.newest
    sequence = fact.sequence or (newest.sequence if newest is not None else 0) + 1
    drafted = msgspec.structs.replace(fact, sequence=sequence, effective=now)
    verify_sound(f"release {fact.version}", state.releases.problems(drafted))
    return drafted


def releases_of_hosts(state: State) -> tuple[HostRelease, ...]:
    """Every enrolled host, by the digest that it was enrolled with."""
    newest = state.releases.newest
    return tuple(
        _host_release(host.host, host.agent, state.releases.of_bytes(host.agent), newest)
        for host in state.regime.hosts.values()
    )


def express_quorum(grant: PowerGrant, keys: Mapping[str, int]) -> Expression:
    """The power's quorums over keys counted by constituency ("" for one that nobody named).

    The threshold is the sum of the parts. It is exact where all keys but those of one constituency, and one less of
    that one than its part asks for, still do not make it.
    """
    threshold = sum(part.k for part in grant.quorums)
    total = sum(keys.values())
    is_exact = all(
        total - keys.get(part.constituency, 0) + part.k - 1 < threshold for part in grant.quorums
    )
    return Expression(threshold=threshold, is_exact=is_exact)


def _host_release(
    host: str, digest: str, found: tuple[Release, ...], newest: Release | None
) -> HostRelease:
    if not found or newest is None:
        return HostRelease(host=host, enrolled=digest, standing="unknown")
    row = found[-1]
    standing = "current" if row.fact.sha256 == newest.fact.sha256 else "older"
    return HostRelease(
        host=host,
        enrolled=digest,
        standing=standing,
        version=row.fact.version,
        sequence=row.sequence,
    )
