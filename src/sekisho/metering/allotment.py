"""Whose every enrolled device was, for every millisecond of a period: the whole-device account.

leased + exempt + undecided + unattributed + not seen = device time, exactly, whatever schedulers and exporters say.
Times are cut to their millisecond first. A MIG slice counts its share of its parent, and all slices together never
more than the parent. What two jobs claim at once is counted once here; to each job's own bound it counts in full.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from fractions import Fraction
from typing import Literal, TypeAlias

import msgspec

from sekisho.metering.device_boards import SEEN, Board, Claim, Happening, boards_of
from sekisho.metering.device_claims import lay_claims
from sekisho.metering.device_findings import AllotmentFinding, find_in_devices, merge_findings
from sekisho.model.instants import Instant, Period
from sekisho.model.telemetry import Allocation, DeviceSeen, SeenSpan

__all__ = ["Allotment", "AllotmentFinding", "DeviceAccount", "SeenSpan", "allot"]

Verdict: TypeAlias = Literal["holds", "fails", "unverifiable"]
_WORST: tuple[Verdict, ...] = ("fails", "unverifiable", "holds")
_NOTHING = Fraction(0)
_Share: TypeAlias = Fraction | int
# Whole numbers as long as no slice is in play: most devices have none, and a fraction costs ten times as much.
_NONE: _Share = 0
_WHOLE: _Share = 1


class DeviceAccount(msgspec.Struct, frozen=True, kw_only=True):
    """One whole device's time in milliseconds; fractions of one come from MIG slices.

    `leased` is claimed by a job, `exempt` only by jobs that a rule or licence exempts, `undecided` by a record that
    does not say which of several devices it had. `unattributed` nobody claims although readings show the device;
    `not_seen` nobody claims and no reading shows: it is not known to be idle. `overlapped` of the leased and exempt
    time was claimed by more than one job. `dark` of the leased and exempt time has no reading.
    """

    device: str
    site: str
    chip: str
    device_ms: int
    leased_ms: Fraction = _NOTHING
    exempt_ms: Fraction = _NOTHING
    undecided_ms: Fraction = _NOTHING
    unattributed_ms: Fraction = _NOTHING
    not_seen_ms: Fraction = _NOTHING
    overlapped_ms: Fraction = _NOTHING
    dark_ms: Fraction = _NOTHING


class Allotment(msgspec.Struct, frozen=True, kw_only=True):
    """An account for each whole device, by name, and what does not fit together."""

    accounts: tuple[DeviceAccount, ...]
    findings: tuple[AllotmentFinding, ...]

    @property
    def verdict(self) -> Verdict:
        """*holds* where every millisecond is accounted by evidence; else the worst that was found."""
        found: set[str] = {finding.verdict for finding in self.findings}
        if any(a.not_seen_ms or a.undecided_ms or a.dark_ms for a in self.accounts):
            found.add("unverifiable")
        return next((verdict for verdict in _WORST if verdict in found), "holds")


def allot(
    period: Period,
    devices: Sequence[DeviceSeen],
    allocations: Sequence[Allocation],
    seen: Sequence[SeenSpan] | None = None,
) -> Allotment:
    """Account every device of `devices` in a period.

    A device counts from when it was first seen (from the period's start where nobody says) to the period's end: that
    its readings stop does not end it. `seen` are the stretches with readings; without them a device counts as seen
    from its first to its last reading. An allocation without an end runs to the last reading of each device, or to
    the period's end where that came before its start.
    """
    boards = boards_of(period, devices, seen)
    findings = [*find_in_devices(period, devices), *lay_claims(period, boards, allocations)]
    accounts = []
    for name in sorted(boards):
        account, overlaps = _account(boards[name])
        accounts.append(account)
        findings += overlaps
    return Allotment(accounts=tuple(accounts), findings=tuple(merge_findings(findings)))


class _Moment(msgspec.Struct, frozen=True):
    """Shares of a device in one stretch in which nothing changes. The first five make one."""

    leased: _Share
    exempt: _Share
    undecided: _Share
    unattributed: _Share
    not_seen: _Share
    overlapped: _Share
    dark: _Share


class _State(msgspec.Struct, frozen=True):
    """What holds in one stretch: claims by device or slice, and which of them readings show."""

    claims: Mapping[str, frozenset[Claim]]
    seen: frozenset[str]

    def jobs(self, member: str) -> frozenset[str]:
        return frozenset(c.job for c in self.claims.get(member, ()) if not c.maybe)

    def has(self, member: str, *, leased: bool = False) -> bool:
        """Whether a job surely has it; of leases alone, or of any."""
        held = self.claims.get(member, ())
        return any(not c.maybe and not (leased and c.exempt) for c in held)


def _account(board: Board) -> tuple[DeviceAccount, list[AllotmentFinding]]:
    sums = dict.fromkeys(_Moment.__struct_fields__, _NONE)
    overlaps: list[AllotmentFinding] = []
    for start, end, state in _stretches(board):
        moment = _moment(board, state)
        for name in sums:
            share = getattr(moment, name)
            if share:
                sums[name] += share * (end - start)
        overlaps += _overlaps(board, state, start, end)
    account = DeviceAccount(
        device=board.device,
        site=board.site,
        chip=board.chip,
        device_ms=board.end - board.start,
        **{f"{name}_ms": Fraction(value) for name, value in sums.items()},
    )
    return account, overlaps


def _stretches(board: Board) -> Iterator[tuple[int, int, _State]]:
    """The device's time, cut wherever something begins or ends."""
    active: Counter[tuple[str, Happening]] = Counter()
    at = board.start
    for event_at, change, member, what in sorted(board.events, key=lambda event: event[0]):
        if event_at > at:
            yield at, event_at, _state(active)
            at = event_at
        active[member, what] += change
        if not active[member, what]:
            del active[member, what]
    if at < board.end:
        yield at, board.end, _state(active)


def _state(active: Mapping[tuple[str, Happening], int]) -> _State:
    claims: dict[str, set[Claim]] = {}
    seen = set()
    for (member, what), count in active.items():
        if count and isinstance(what, Claim):
            claims.setdefault(member, set()).add(what)
        elif count and what == SEEN:
            seen.add(member)
    return _State({member: frozenset(held) for member, held in claims.items()}, frozenset(seen))


def _moment(board: Board, state: _State) -> _Moment:
    """Shares, each cut to what those before it leave of the whole: leases, exempt, undecided, the rest."""
    whole = board.device
    named = _share(board, (m for m in (whole, *board.shares) if state.has(m)))
    leased = _share(board, (m for m in (whole, *board.shares) if state.has(m, leased=True)))
    is_maybe = any(claim.maybe for claim in state.claims.get(whole, ()))
    free = _NONE if is_maybe else _WHOLE - named
    seen_free = _share(board, (m for m in state.seen if not state.has(m)))
    unattributed = min(free, seen_free)
    seen_named = _share(board, (m for m in state.seen if state.has(m) or state.has(whole)))
    jobs = state.jobs(whole)
    crowded = (m for m in board.shares if len(jobs | state.jobs(m)) > 1 and state.has(m))
    return _Moment(
        leased=leased,
        exempt=named - leased,
        undecided=_WHOLE - named if is_maybe else _NONE,
        unattributed=unattributed,
        not_seen=free - unattributed,
        overlapped=_WHOLE if len(jobs) > 1 else _share(board, crowded),
        dark=_NONE if whole in state.seen else named - min(named, seen_named),
    )


def _share(board: Board, members: Iterable[str]) -> _Share:
    """Of the whole device, never more than all of it."""
    shares = [_WHOLE if m == board.device else board.shares.get(m, _NONE) for m in members]
    return min(_WHOLE, sum(shares, _NONE))


def _overlaps(board: Board, state: _State, start: int, end: int) -> Iterator[AllotmentFinding]:
    whole = state.jobs(board.device)
    for member in state.claims:
        jobs = whole | state.jobs(member)
        if len(jobs) > 1 and state.has(member):
            yield AllotmentFinding(
                kind="overlap",
                verdict="fails",
                device=member,
                jobs=tuple(sorted(jobs)),
                start=Instant(start * 1000),
                end=Instant(end * 1000),
                why="claimed by several jobs at once: it counts to each one's bound, and once here",
            )
