"""Drafting a recovery: the notice, a veto against it, and the version that carries it out. Pure.

What may be announced, who may veto and when a notice is over, `signing.recovery` decides; here it is asked before
anybody signs.
"""

from __future__ import annotations

from collections.abc import Sequence

from sekisho.model.errors import InvalidInput, NotAuthorised, StateConflict
from sekisho.model.instants import Instant
from sekisho.model.statements import (
    CharterAdopted,
    KeyReplacement,
    RecoveryAnnounced,
    RecoveryVetoed,
    Reference,
)
from sekisho.operations.amending import KeyChange
from sekisho.operations.state import State
from sekisho.signing.recovery import (
    Announcement,
    RecoveryBreak,
    check_announcement,
    recovered_terms,
    verify_recovered,
    verify_veto,
)

__all__ = [
    "draft_announcement",
    "draft_recovery",
    "draft_veto",
    "find_announcement",
    "notice_end",
    "problems_of_announcement",
    "problems_of_veto",
    "require_announcement",
]

_DAY_S = 86_400


def draft_announcement(
    state: State, changes: Sequence[KeyChange], *, now: Instant
) -> RecoveryAnnounced:
    """The notice that these keys are to be replaced. Raises InvalidInput naming why it could never be carried out."""
    charter = state.regime.in_force()
    if charter.terms.recovery is None:
        raise StateConflict(
            "the charter in force names no recovery keys",
            remedy="amend it: sekisho charter propose --replace-key",
        )
    rows = []
    for change in changes:
        constituency = charter.constituency_of(change.old)
        if constituency is None:
            raise InvalidInput(f"key {change.old[:16]} is in no constituency", path="--replace-key")
        rows.append(KeyReplacement(constituency=constituency, old=change.old, new=change.new))
    fact = RecoveryAnnounced(
        effective=now,
        previous=charter.digest,
        version=charter.terms.version + 1,
        replacements=tuple(rows),
    )
    problems = check_announcement(fact, charter, state.regime.keys.silenced)
    if problems:
        raise InvalidInput("; ".join(problems), path="--replace-key")
    return fact


def draft_veto(
    state: State, leaf: str, constituency: str, reason: str, *, now: Instant
) -> RecoveryVetoed:
    """A constituency's no. Raises RecoveryBreak or NotAuthorised where it has none."""
    announced = require_announcement(state, leaf)
    charter = state.regime.in_force()
    if not charter.members_of(constituency):
        raise InvalidInput(
            f"{constituency[:60]!r} is no constituency of the charter", path="--constituency"
        )
    origin = charter.terms.log.origin
    fact = RecoveryVetoed(
        effective=now,
        announcement=Reference(log=origin, leaf=announced.leaf),
        constituency=constituency,
        reason=reason,
    )
    verify_veto(fact, charter, state.regime.announcements)
    return fact


def draft_recovery(
    state: State, leaf: str, *, now: Instant, witnessed: Instant | None = None
) -> CharterAdopted:
    """The version that carries an announcement out. Raises RecoveryBreak before the notice is over, or after a veto.

    `witnessed` is the newest witnessed instant that the drafter knows of beside the log's own marks.
    """
    announced = require_announcement(state, leaf)
    charter = state.regime.in_force()
    reference = Reference(log=charter.terms.log.origin, leaf=announced.leaf)
    terms = recovered_terms(charter, announced.fact, reference, now=now)
    verify_recovered(terms, charter, state.regime.announcements, state.regime.marks, now=witnessed)
    return terms


def find_announcement(state: State, leaf: str) -> Announcement | None:
    """What is announced under the charter in force, by its leaf digest; None where nothing such is."""
    return state.regime.announcements.get(leaf)


def require_announcement(state: State, beginning: str) -> Announcement:
    """The one announcement whose leaf digest begins so; the only one where nothing is given."""
    known = [a for leaf, a in state.regime.announcements.items() if leaf.startswith(beginning)]
    if len(known) != 1:
        leaves = ", ".join(a.leaf[:16] for a in known) or "none"
        raise InvalidInput(
            f"{len(known)} recoveries are announced under the charter in force: {leaves}",
            path="--announcement",
            remedy="give the beginning of one leaf digest",
        )
    return known[0]


def notice_end(state: State, announced: Announcement) -> Instant | None:
    """When an announcement's notice is over at the earliest; None before it was seen in a witnessed tree."""
    start = state.regime.marks.after(announced.index) or announced.seen
    recovery = state.regime.in_force().terms.recovery
    if start is None or recovery is None:
        return None
    return start.plus(recovery.notice_days * _DAY_S)


def problems_of_announcement(state: State, fact: RecoveryAnnounced) -> list[str]:
    """Why an announcement could never be carried out as the log stands, in words."""
    return check_announcement(fact, state.regime.in_force(), state.regime.keys.silenced)


def problems_of_veto(state: State, fact: RecoveryVetoed) -> list[str]:
    """Why a veto would stop nothing as the log stands, in words."""
    try:
        verify_veto(fact, state.regime.in_force(), state.regime.announcements)
    except (RecoveryBreak, NotAuthorised) as error:
        return [str(error)]
    return []
