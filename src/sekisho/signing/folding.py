"""What one entry changes in the regime: one function a kind, and what is remembered of all of them. Pure."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import msgspec

from sekisho.model.errors import SekishoError
from sekisho.model.statements import (
    CharterAdopted,
    HostEnrolled,
    HostRetired,
    KeyCompromised,
    KeyDrilled,
    PartyEnrolled,
    RecoveryAnnounced,
    RecoveryVetoed,
    SignatureWithdrawn,
    TimeMarked,
)
from sekisho.signing.charter import Charter
from sekisho.signing.compromise import ORDERS, find_doubts
from sekisho.signing.keybook import Drill
from sekisho.signing.recorded import Recorded
from sekisho.signing.recovery import Announcement, is_notice_over
from sekisho.signing.speaking import spoken_of
from sekisho.signing.succession import log_key_of

if TYPE_CHECKING:
    from sekisho.signing.regime import Regime

__all__ = ["Adopted", "fold_statement"]


class Adopted(msgspec.Struct, frozen=True, kw_only=True):
    """A charter version and the entry that adopted it."""

    index: int
    charter: Charter


def fold_statement(regime: Regime, recorded: Recorded) -> Regime:
    """The regime once a verified statement is in the log."""
    fact = recorded.verified.predicate
    fold = _FOLDS.get(type(fact))
    after = fold(regime, fact, recorded) if fold is not None else regime
    return _remember(after, recorded)


def _adopt(regime: Regime, fact: CharterAdopted, recorded: Recorded) -> Regime:
    """A new version in force. Until the log's new key has marked the time once, the old one still may."""
    charter, old = Charter(fact, recorded.verified.digest), regime.charter
    log_key, former = regime.log_key, regime.former_log_key
    if old is None and former is not None:
        # The reader's root names a later key: the first version says which one the log began with.
        log_key, former = log_key_of(fact.log), None
    if old is not None and fact.log.vkey != old.terms.log.vkey:
        log_key, former = log_key_of(fact.log), regime.log_key
    return _with(
        regime,
        charter=charter,
        adopted=(*regime.adopted, Adopted(index=recorded.index, charter=charter)),
        log_key=log_key,
        former_log_key=former,
        announcements={},
    )


def _enrol_host(regime: Regime, fact: HostEnrolled, _: Recorded) -> Regime:
    return _with(regime, enrolled=regime.enrolled.with_host(fact))


def _retire_host(regime: Regime, fact: HostRetired, _: Recorded) -> Regime:
    return _with(regime, enrolled=regime.enrolled.without_host(fact.host))


def _enrol_party(regime: Regime, fact: PartyEnrolled, _: Recorded) -> Regime:
    return _with(regime, enrolled=regime.enrolled.with_party(fact))


def _mark(regime: Regime, fact: TimeMarked, recorded: Recorded) -> Regime:
    """A time mark. One that quotes nothing witnessed is an entry like any other, and tells no time."""
    if regime.former_log_key is not None and regime.log_key.key_id in recorded.verified.signers:
        regime = _with(regime, former_log_key=None)
    try:
        mark = regime.verify_mark(fact, recorded.index)
    except SekishoError:
        return regime
    marks = regime.marks.plus(mark) if mark is not None else regime.marks
    if marks is regime.marks:
        return regime
    # Once a tree that holds a report is witnessed, no later mark says anything new about it.
    is_open = any(regime.marks.after(report.index) is None for report in regime.keys.reports)
    after = _with(regime, marks=marks)
    return _weigh(after) if is_open else after


def _report(regime: Regime, fact: KeyCompromised, recorded: Recorded) -> Regime:
    grace_s = regime.in_force().terms.compromise_grace_s
    return _weigh(_with(regime, keys=regime.keys.reported(fact, recorded, grace_s=grace_s)))


def _withdraw(regime: Regime, fact: SignatureWithdrawn, recorded: Recorded) -> Regime:
    return _with(regime, keys=regime.keys.taken_back(fact, recorded.index))


def _drill(regime: Regime, fact: KeyDrilled, recorded: Recorded) -> Regime:
    mark = regime.marks.of_size(fact.size, fact.challenge)
    if mark is None:
        return regime
    drill = Drill(index=recorded.index, size=fact.size, proved=mark.at)
    return _with(regime, keys=regime.keys.drilled(fact.key, drill))


def _announce(regime: Regime, fact: RecoveryAnnounced, recorded: Recorded) -> Regime:
    announced = Announcement(
        fact=fact, leaf=recorded.leaf, index=recorded.index, seen=recorded.seen
    )
    return _with(regime, announcements={**regime.announcements, recorded.leaf: announced})


def _veto(regime: Regime, fact: RecoveryVetoed, _: Recorded) -> Regime:
    """A veto that comes after the notice is a word too late."""
    announced = regime.announcements.get(fact.announcement.leaf)
    if announced is None or is_notice_over(announced, regime.in_force(), regime.marks, now=None):
        return regime
    vetoed = msgspec.structs.replace(announced, vetoed=fact.constituency)
    return _with(regime, announcements={**regime.announcements, announced.leaf: vetoed})


def _remember(regime: Regime, recorded: Recorded) -> Regime:
    """What was said under which power, by which keys: needed on the day when one of them is reported."""
    row = spoken_of(recorded) if regime.charter is not None else None
    if row is None:
        return regime
    after = _with(regime, spoken=regime.spoken.plus(row.digest, row))
    reports = regime.keys.reports
    # An order told after a later report, as single entries come to an agent; in the log none stands behind one.
    is_late = row.kind in ORDERS and any(r.index > row.index for r in reports)
    return _weigh(after) if is_late or (reports and row.kind == "order-confirmed") else after


def _weigh(regime: Regime) -> Regime:
    """What is in doubt, told anew."""
    doubts = find_doubts(
        regime.spoken.values(), regime.keys.reports, regime.marks, regime.makes_power
    )
    return _with(regime, doubts=doubts)


def _with(regime: Regime, **changes: object) -> Regime:
    return msgspec.structs.replace(regime, **changes)


_FOLDS: dict[type, Callable[[Regime, Any, Recorded], Regime]] = {
    CharterAdopted: _adopt,
    HostEnrolled: _enrol_host,
    HostRetired: _retire_host,
    PartyEnrolled: _enrol_party,
    TimeMarked: _mark,
    KeyCompromised: _report,
    SignatureWithdrawn: _withdraw,
    KeyDrilled: _drill,
    RecoveryAnnounced: _announce,
    RecoveryVetoed: _veto,
}
