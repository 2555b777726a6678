"""Recovery: offline keys replace keys and nothing else, after a notice in which others can say no. Pure.

The steps: (1) k recovery keys announce which keys replace which; (2) the notice runs from the first witnessed tree
that holds the announcement to the newest one, so that no clock of the log's keeper shortens it; (3) within it any
constituency that keeps all its keys may veto by its own quorum; (4) the version that carries the announcement out is
signed by k recovery keys and by its own quorum, and says what the old one said but for those keys. It works under an
expired charter, and does not renew it: recovery replaces keys and nothing else. Source: protocol section 2.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import msgspec

from sekisho.model.errors import NotAuthorised, VerificationError
from sekisho.model.instants import Instant
from sekisho.model.statements import (
    CharterAdopted,
    Constituency,
    KeyReplacement,
    RecoveryAnnounced,
    RecoveryVetoed,
    Reference,
)
from sekisho.signing.charter import Charter
from sekisho.signing.keys import PublicKey
from sekisho.signing.witnessing import Marks

__all__ = [
    "Announcement",
    "RecoveryBreak",
    "check_announcement",
    "is_notice_over",
    "recovered_terms",
    "verify_recovered",
    "verify_veto",
]

_DAY_S = 86_400


class RecoveryBreak(VerificationError):
    """A recovery that may not be carried out: too early, vetoed, of another charter, or changing more than keys."""

    code = "recovery-break"


class Announcement(msgspec.Struct, frozen=True, kw_only=True):
    """A recovery that was announced under the charter in force; `vetoed` names the constituency that stopped it."""

    fact: RecoveryAnnounced
    leaf: str
    index: int
    seen: Instant | None = None
    vetoed: str | None = None

    @property
    def touched(self) -> frozenset[str]:
        """The constituencies whose keys it replaces: these have no say against it."""
        return frozenset(row.constituency for row in self.fact.replacements)


def check_announcement(fact: RecoveryAnnounced, charter: Charter, dead: Iterable[str]) -> list[str]:
    """Why an announcement can never be carried out under this charter, in words; `dead` keys count for nothing."""
    problems = []
    if fact.previous != charter.digest or fact.version != charter.terms.version + 1:
        problems.append(f"it does not follow version {charter.terms.version} in force")
    known = {key.key_id for key in charter.every_key()} | set(dead)
    old = [row.old for row in fact.replacements]
    new = [PublicKey.from_text(row.new.public).key_id for row in fact.replacements]
    for row, key_id in zip(fact.replacements, new, strict=True):
        if row.old not in charter.members_of(row.constituency):
            problems.append(f"key {row.old[:16]} is not in {row.constituency}")
        if key_id in known:
            problems.append(f"the new key {key_id[:16]} is known already")
    if len(set(old)) != len(old) or len(set(new)) != len(new):
        problems.append("it names one key twice")
    if {c.name for c in charter.terms.constituencies} <= {
        r.constituency for r in fact.replacements
    }:
        problems.append("it leaves no constituency that could veto it: recover one after the other")
    return problems


def recovered_terms(
    old: Charter, announced: RecoveryAnnounced, announcement: Reference, *, now: Instant
) -> CharterAdopted:
    """The only version that carries an announcement out: the old terms with the keys replaced."""
    return msgspec.structs.replace(
        old.terms,
        effective=now,
        version=announced.version,
        previous=old.digest,
        recovers=announcement,
        constituencies=_replaced(old.terms.constituencies, announced.replacements),
    )


def verify_veto(fact: RecoveryVetoed, charter: Charter, known: Mapping[str, Announcement]) -> None:
    """Raise where a constituency has no veto here: nothing such is announced, or its own keys are replaced."""
    announced = known.get(fact.announcement.leaf)
    if announced is None or fact.announcement.log != charter.terms.log.origin:
        raise RecoveryBreak(
            "the veto is against nothing that is announced under the charter in force"
        )
    if fact.constituency in announced.touched:
        raise NotAuthorised(
            f"keys of {fact.constituency} are to be replaced: it has no veto in its own matter"
        )


def verify_recovered(
    terms: CharterAdopted,
    charter: Charter,
    known: Mapping[str, Announcement],
    marks: Marks,
    *,
    now: Instant | None,
) -> None:
    """Raise RecoveryBreak unless `terms` carry out an announcement that is still open and whose notice is over.

    `now` is the newest witnessed instant that the reader knows of beside the marks.
    """
    reference = terms.recovers
    announced = known.get(reference.leaf) if reference is not None else None
    if reference is None or announced is None or reference.log != charter.terms.log.origin:
        raise RecoveryBreak("recovers nothing that is announced under the charter in force")
    if announced.vetoed is not None:
        raise RecoveryBreak(f"the announced recovery was vetoed by {announced.vetoed}")
    if not is_notice_over(announced, charter, marks, now=now):
        days = charter.terms.recovery.notice_days if charter.terms.recovery is not None else 0
        raise RecoveryBreak(
            f"the notice of {days} days is not over in witnessed checkpoints",
            remedy="wait: the time counts from the first witnessed tree that holds the announcement",
        )
    expected = recovered_terms(charter, announced.fact, reference, now=terms.effective)
    if msgspec.structs.replace(expected, crit=terms.crit) != terms:
        raise RecoveryBreak("a recovery replaces the announced keys and changes nothing else")


def is_notice_over(
    announced: Announcement, charter: Charter, marks: Marks, *, now: Instant | None
) -> bool:
    """Whether the announcement stood in witnessed trees for as long as the charter asks."""
    recovery = charter.terms.recovery
    start = marks.after(announced.index) or announced.seen
    newest = marks.newest
    ends = [at for at in (newest.at if newest else None, now) if at is not None]
    if recovery is None or start is None or not ends:
        return False
    return max(ends).since(start) >= recovery.notice_days * _DAY_S


def _replaced(
    constituencies: tuple[Constituency, ...], replacements: tuple[KeyReplacement, ...]
) -> tuple[Constituency, ...]:
    """The constituencies with each replaced key in the place of the old one."""
    new = {(row.constituency, row.old): row.new for row in replacements}
    return tuple(
        msgspec.structs.replace(
            group,
            keys=tuple(
                new.get((group.name, PublicKey.from_text(key.public).key_id), key)
                for key in group.keys
            ),
        )
        for group in constituencies
    )
