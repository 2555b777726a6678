"""Publishing a rule pack: what its quorum is asked to sign, and which bytes belong to it.

A pack enters the log by name, version and digest; who decides by it needs its bytes and, where it is an overlay, the
bytes of every pack below it. So a base stands in the log before what is laid over it, one version has one digest for
ever, and the bytes of all of them go into every bundle.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Final, TypeAlias

import msgspec

from sekisho.model.errors import InvalidInput, StateConflict
from sekisho.model.instants import Instant
from sekisho.model.statements import PackPublished, PackReference
from sekisho.model.wire import sha256_hex
from sekisho.operations.state import State
from sekisho.rules import Pack, Request, request_from_run
from sekisho.rules.review import check_pack

__all__ = [
    "FindBytes",
    "PublicationPlan",
    "check_publication",
    "declared_requests",
    "draft_publication",
    "named",
    "published_bytes",
    "verify_publication",
]

_NAMED: Final = 3
FindBytes: TypeAlias = Callable[[PackReference], bytes | None]
"""The bytes of a pack, whose digest is the reference's; None where they are not at hand."""


class PublicationPlan(msgspec.Struct, frozen=True, kw_only=True):
    """What whoever publishes decides: a word about it, and whether it is an emergency."""

    summary: str = ""
    emergency: bool = False


def draft_publication(
    state: State, pack: Pack, data: bytes, plan: PublicationPlan, *, now: Instant
) -> PackPublished:
    """The statement for its quorum to read and sign. Raises StateConflict with every reason against it.

    What the checks on packs call an error stops it; their warnings do not.
    """
    errors = [problem for problem in check_pack(pack, now) if problem.severity == "error"]
    if errors:
        told = "; ".join(f"{problem.where}: {problem.what}" for problem in errors[:_NAMED])
        raise StateConflict(
            f"pack {named(pack.reference)} has {len(errors)} errors: {told}",
            remedy="see sekisho rules check; correct the pack first",
        )
    fact = PackPublished(
        effective=now,
        pack=pack.reference,
        bytes=len(data),
        summary=plan.summary,
        emergency=plan.emergency,
    )
    counting = state.pack_in_force(pack.name, now)
    if counting is not None and counting.pack == pack.reference and not counting.emergency:
        raise StateConflict(
            f"pack {named(pack.reference)} is published and in force",
            remedy="nothing is to be done; a change needs a version of its own",
        )
    if sha256_hex(data) != pack.sha256:
        raise InvalidInput("are not the bytes that were read", path="pack")
    verify_publication(state, fact, pack)
    return fact


def verify_publication(state: State, fact: PackPublished, pack: Pack | None) -> None:
    """Raise StateConflict where `check_publication` finds something, with what is to be done first."""
    problems = check_publication(state, fact, pack)
    if problems:
        raise StateConflict(
            f"pack {named(fact.pack)}: {'; '.join(problems)}",
            remedy="publish each base first; give changed bytes a version of their own",
        )


def check_publication(state: State, fact: PackPublished, pack: Pack | None) -> list[str]:
    """Why a pack must not enter the log; `pack` is what its bytes say, None where they are not at hand.

    Without the bytes only the log's own word is checked: an emergency must not wait for a file. Nothing is decided
    under such a pack until its bytes are there.
    """
    before = state.shelf.find(fact.pack.name, fact.pack.version)
    problems = []
    if before is not None and before.pack != fact.pack:
        problems.append(f"this version is published with other bytes ({before.pack.sha256[:16]})")
    problems += [
        f"its file would bear the name of that of {named(other.pack)}"
        for other in state.shelf.published.values()
        if _file(other.pack) == _file(fact.pack) and named(other.pack) != named(fact.pack)
    ]
    if pack is None:
        return problems
    if pack.reference != fact.pack:
        problems.append(f"its bytes call themselves {named(pack.reference)}")
    for base in pack.over:
        found = state.shelf.find(base.name, base.version)
        if found is None:
            problems.append(f"it is laid over {named(base)}, which is not published in this log")
        elif found.pack != base:
            problems.append(f"it is laid over other bytes of {named(base)} than were published")
    return problems


def declared_requests(state: State) -> tuple[Request, ...]:
    """What every run of the log asks of the rules: the population that a new pack would be applied to first."""
    return tuple(
        request_from_run(
            run,
            [state.regime.hosts[name] for name in run.hosts if name in state.regime.hosts],
        )
        for _, run in state.licences.runs.values()
    )


def published_bytes(
    published: Iterable[PackReference],
    find_bytes: FindBytes,
    bases_of: Callable[[PackReference], Iterable[PackReference]],
) -> Mapping[str, bytes]:
    """The bytes of the published packs and of all that they are laid over, by `<name>-<version>`.

    What is not at hand is left out: an auditor calls it missing, which is what it is.
    """
    found: dict[str, bytes] = {}
    for reference in _with_bases(published, bases_of):
        data = find_bytes(reference)
        if data is not None:
            found.setdefault(_file(reference), data)
    return found


def _with_bases(
    published: Iterable[PackReference],
    bases_of: Callable[[PackReference], Iterable[PackReference]],
) -> Iterator[PackReference]:
    """Each pack, then what it is laid over: where a path would be taken twice, what was published has it."""
    packs = list(published)
    yield from packs
    for reference in packs:
        yield from bases_of(reference)


def _file(reference: PackReference) -> str:
    """What the file of a pack is called in homes and bundles: a-1 2 and a 1-2 would be one."""
    return f"{reference.name}-{reference.version}"


def named(reference: PackReference) -> str:
    """A pack by name and version."""
    return f"{reference.name} {reference.version}"
