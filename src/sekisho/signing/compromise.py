"""What a compromised key leaves in doubt: statements whose quorum would not have been met without it. Pure.

A statement is in doubt where it was recorded at the instant that a report names or later, and the keys left do not
make its power. A statement recorded before that instant is not: the key was its holder's then. An order in doubt ends
no work, and after the charter's grace it is treated as expired (`Doubt.lapses`), unless a full quorum confirmed it.
Why it is so, and what a false report can and cannot do: docs/adr/0015-compromise.md.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Final

import msgspec

from sekisho.model.instants import Instant
from sekisho.model.statements import Power
from sekisho.signing.keybook import Report
from sekisho.signing.witnessing import Marks

__all__ = ["ORDERS", "Doubt", "Spoken", "find_doubts"]

ORDERS: Final = ("order-issued", "order-sealed")
"""The kinds that are as if expired once their grace is over: a stolen key gains nothing by sealing its order."""


class Spoken(msgspec.Struct, frozen=True, kw_only=True):
    """A statement under a charter power: where it stands, and the keys that made the power.

    `about` is the payload digest of the order that it issues or confirms.
    """

    index: int
    leaf: str
    digest: str
    kind: str
    power: Power
    signers: frozenset[str]
    about: str | None = None
    seen: Instant | None = None


class Doubt(msgspec.Struct, frozen=True, kw_only=True):
    """A statement that lacks its quorum without a key: which, why, and for orders until when it is as if in force.

    `lapses` is None for other kinds, and for an order as long as the marks do not show when the grace began, or that
    it was recorded after the instant of the report.
    """

    index: int
    leaf: str
    digest: str
    kind: str
    power: Power
    key: str
    since: Instant
    reason: str
    lapses: Instant | None = None


def find_doubts(
    spoken: Iterable[Spoken],
    reports: Sequence[Report],
    marks: Marks,
    stands: Callable[[Spoken, frozenset[str]], bool],
) -> tuple[Doubt, ...]:
    """Every statement in doubt, in log order. `stands` says whether these keys make the power that was asked.

    An order stands as long as its issue or one of its confirmations does.
    """
    if not reports:
        return ()
    rows = sorted(spoken, key=lambda row: row.index)
    confirmed: dict[str, list[Spoken]] = {}
    for row in rows:
        if row.kind == "order-confirmed" and row.about is not None:
            confirmed.setdefault(row.about, []).append(row)
    found = []
    for row in rows:
        if row.kind == "order-confirmed":
            continue
        signings = [row]
        if row.kind in ORDERS:
            # Only under the order's own power: a lower quorum could otherwise stand in for a higher one.
            signings += [c for c in confirmed.get(row.digest, ()) if c.power == row.power]
        falls = [_fall(signing, reports, marks, stands) for signing in signings]
        last = _last(falls)
        if last is not None:
            found.append(_doubt(row, last, marks))
    return tuple(found)


def _fall(
    spoken: Spoken,
    reports: Sequence[Report],
    marks: Marks,
    stands: Callable[[Spoken, frozenset[str]], bool],
) -> Report | None:
    """The report at which this signing lost its quorum; None where it stands."""
    lost: set[str] = set()
    for report in reports:
        if report.key not in spoken.signers or not _is_after(spoken, report, marks):
            continue
        lost.add(report.key)
        if not stands(spoken, spoken.signers - lost):
            return report
    return None


def _is_after(spoken: Spoken, report: Report, marks: Marks) -> bool:
    """Whether a statement may have been made after the key was lost: it was recorded later, or nobody knows when."""
    end = marks.after(spoken.index) or spoken.seen
    return end is None or end >= report.since


def _last(falls: Sequence[Report | None]) -> Report | None:
    """The report at which the last signing fell; None where one stands."""
    fallen = [report for report in falls if report is not None]
    return max(fallen, key=lambda report: report.index) if len(fallen) == len(falls) else None


def _doubt(row: Spoken, report: Report, marks: Marks) -> Doubt:
    return Doubt(
        index=row.index,
        leaf=row.leaf,
        digest=row.digest,
        kind=row.kind,
        power=row.power,
        key=report.key,
        since=report.since,
        reason=f"without key {report.key[:16]}, reported lost since {report.since}, "
        f"its signatures do not make the power {row.power}",
        lapses=_lapse(row, report, marks) if row.kind in ORDERS else None,
    )


def _lapse(row: Spoken, report: Report, marks: Marks) -> Instant | None:
    """The end of the grace, which begins when the report is witnessed: whoever wrote it cannot date it back.

    None where the marks do not show that the order came after the key was lost: in doubt, it stays.
    """
    start = marks.before(row.index)
    told = marks.after(report.index) or report.seen
    if told is None or start is None or start < report.since:
        return None
    return told.plus(report.grace_s)
