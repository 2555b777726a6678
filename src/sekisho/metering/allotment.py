"""Whose every enrolled device was, for every millisecond of a period: the whole-device account.

leased + exempt + undecided + unattributed + not seen = device time, exactly, whatever schedulers and exporters say.
Times are cut to their millisecond first. A MIG slice counts its share of its parent, and all slices together never
more than the parent. What two jobs claim at once is counted once here; to each job's own bound it counts in full.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from typing import Literal, TypeAlias

import msgspec

from sekisho.metering.claims import Claimed, claims_of
from sekisho.metering.device_findings import AllotmentFinding, find_in_devices, merge_findings
from sekisho.metering.device_lives import Board, Member, SeenSpan, boards_of
from sekisho.model.instants import Period
from sekisho.model.telemetry import Allocation, DeviceSeen

__all__ = ["Allotment", "AllotmentFinding", "DeviceAccount", "SeenSpan", "allot"]

Verdict: TypeAlias = Literal["holds", "fails", "unverifiable"]
_WORST: tuple[Verdict, ...] = ("fails", "unverifiable", "holds")
_NONE = Fraction(0)
_WHOLE = Fraction(1)


class DeviceAccount(msgspec.Struct, frozen=True, kw_only=True):
    """One whole device's time in milliseconds; fractions of one come from MIG slices.

    `leased` is claimed by a job, `exempt` only by jobs that a rule or licence exempts, `undecided` by a record that
    does not say which of several devices it had. `unattributed` nobody claims although readings show the device;
    `not_seen` nobody claims and no reading shows: it is not known to be idle. `overlapped` of the leased and exempt
    time was claimed by more than one job. `dark` of the claimed time has no reading.
    """

    device: str
    site: str
    chip: str
    device_ms: int
    leased_ms: Fraction = _NONE
    exempt_ms: Fraction = _NONE
    undecided_ms: Fraction = _NONE
    unattributed_ms: Fraction = _NONE
    not_seen_ms: Fraction = _NONE
    overlapped_ms: Fraction = _NONE
    dark_ms: Fraction = _NONE


class Allotment(msgspec.Struct, frozen=True, kw_only=True):
    """An account for each whole device, by name, and what does not fit together."""

    accounts: tuple[DeviceAccount, ...]
    findings: tuple[AllotmentFinding, ...]

    @property
    def verdict(self) -> Verdict:
        """*holds* where every millisecond is accounted by evidence; the worst finding, or *unverifiable* for gaps."""
        found = {finding.verdict for finding in self.findings}
        if any(a.not_seen_ms or a.undecided_ms or a.dark_ms for a in self.accounts):
            found.add("unverifiable")
        return next((verdict for verdict in _WORST if verdict in found), "holds")


def allot(
    period: Period,
    devices: Sequence[DeviceSeen],
    allocations: Sequence[Allocation],
    seen: Sequence[SeenSpan] = (),
) -> Allotment:
    """Account every device of `devices` in a period.

    A device counts from when it was first seen (from the period's start where nobody says) to the period's end: that
    its readings stop does not end it. `seen` are stretches with readings; a device of which none is given counts as
    seen from its first to its last reading. An allocation without an end runs to the last reading of each device, or
    to the period's end where there is no later reading than its start.
    """
    boards = boards_of(period, devices, seen)
    claimed = claims_of(period, boards, allocations)
    findings = [*find_in_devices(period, devices), *claimed.findings]
    accounts = []
    for board in boards.values():
        account, overlaps = _account(board, claimed)
        accounts.append(account)
        findings += overlaps
    return Allotment(
        accounts=tuple(sorted(accounts, key=lambda account: account.device)),
        findings=tuple(merge_findings(findings)),
    )


class _Moment(msgspec.Struct, frozen=True):
    """Shares of a device in one stretch in which nothing changes."""

    leased: Fraction
    exempt: Fraction
    undecided: Fraction
    unattributed: Fraction
    not_seen: Fraction
    overlapped: Fraction
    dark: Fraction


def _account(board: Board, claimed: Claimed) -> tuple[DeviceAccount, list[AllotmentFinding]]:
    """Cut the device's time wherever anything changes, and add up the pieces."""
    sums = dict.fromkeys(_Moment.__struct_fields__, _NONE)
    findings: list[AllotmentFinding] = []
    edges = sorted({board.start, board.end, *board.edges(), *claimed.edges(board)})
    inside = [edge for edge in edges if board.start <= edge <= board.end]
    for start, end in zip(inside, inside[1:], strict=False):
        moment = _moment(board, claimed, start)
        for name in sums:
            sums[name] += getattr(moment, name) * (end - start)
        findings += _findings(board, claimed, start, end)
    account = DeviceAccount(
        device=board.device,
        site=board.site,
        chip=board.chip,
        device_ms=max(0, board.end - board.start),
        **{f"{name}_ms": value for name, value in sums.items()},
    )
    return account, findings


def _moment(board: Board, claimed: Claimed, at: int) -> _Moment:
    """Who has which share just after this instant; claims that go over the whole are cut, leases last."""
    slices = board.slices_at(at)
    shares = {member.device: member.share for member in slices}
    whole = claimed.jobs(board.device, at)
    leased = _WHOLE if whole.leased else _total(m for m in slices if claimed.jobs(m.device, at).leased)
    named = _WHOLE if whole.any else _total(m for m in slices if claimed.jobs(m.device, at).any)
    undecided = _WHOLE - named if whole.maybe else _NONE
    free = _WHOLE - named - undecided
    unclaimed_seen = _total(
        m for m in slices if board.is_seen(m.device, at) and not claimed.jobs(m.device, at).any
    )
    is_seen = board.is_seen(board.device, at)
    unattributed = free if is_seen else min(free, unclaimed_seen)
    seen_claimed = _total(
        m for m in slices if board.is_seen(m.device, at) and (whole.any or shares[m.device])
        and (whole.any or claimed.jobs(m.device, at).any)
    )  # fmt: skip
    overlapped = (
        _WHOLE
        if len(whole.all) > 1
        else _total(m for m in slices if len(whole.all | claimed.jobs(m.device, at).all) > 1)
    )
    return _Moment(
        leased=leased,
        exempt=named - leased,
        undecided=undecided,
        unattributed=unattributed,
        not_seen=free - unattributed,
        overlapped=overlapped,
        dark=_NONE if is_seen else named - min(named, seen_claimed),
    )
