"""Records of schedulers laid on the boards of devices."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from sekisho.metering.device_boards import Board, Claim, to_ms
from sekisho.metering.device_findings import AllotmentFinding, FindingKind
from sekisho.model.instants import Instant, Period
from sekisho.model.telemetry import Allocation

__all__ = ["lay_claims"]


def lay_claims(
    period: Period, boards: Mapping[str, Board], allocations: Sequence[Allocation]
) -> list[AllotmentFinding]:
    """Put each record's job on its devices; what a record leaves open or gets wrong is a finding."""
    roots = {name: board for board in boards.values() for name in (board.device, *board.shares)}
    hosts: dict[tuple[str, str], list[Board]] = {}
    for board in boards.values():
        if board.host:
            hosts.setdefault((board.site, board.host), []).append(board)
    found: list[AllotmentFinding] = []
    for record in allocations:
        if (record.end is not None and record.end <= period.start) or record.start >= period.end:
            continue
        if record.end is None:
            found.append(
                _say(period, record, "open allocation", "nobody wrote that it ended; " + _OPEN)
            )
        if record.devices:
            found += _claim_named(period, roots, record)
        elif record.hosts:
            found += _claim_hosts(period, hosts, record)
        else:
            found.append(_say(period, record, "no devices", "its devices' time stays unattributed"))
    return found


_OPEN = "it counts to each device's last reading, or to the period's end"


def _claim_named(
    period: Period, roots: Mapping[str, Board], record: Allocation
) -> list[AllotmentFinding]:
    found = []
    for name in dict.fromkeys(record.devices):
        board = roots.get(name)
        if board is None:
            why = "no telemetry knows this device: its time is in no account"
            found.append(_say(period, record, "unknown device", why, device=name))
        elif board.site != record.site:
            why = f"a record of {record.site} names a device of {board.site}: a site speaks for its own"
            found.append(_say(period, record, "another site", why, device=name))
        else:
            _claim(period, board, name, record, maybe=False)
    return found


def _claim_hosts(
    period: Period, hosts: Mapping[tuple[str, str], list[Board]], record: Allocation
) -> list[AllotmentFinding]:
    """All devices of the hosts where the number of chips says so; else nobody knows which they were."""
    found, there = [], []
    for host in dict.fromkeys(record.hosts):
        boards = hosts.get((record.site, host), [])
        there += boards
        if not boards:
            why = f"no telemetry knows a device on {host}"
            found.append(_say(period, record, "unknown host", why))
    maybe = record.chips < len(there)
    for board in there:
        _claim(period, board, board.device, record, maybe=maybe)
    if maybe:
        why = f"{record.chips} of {len(there)} devices of its hosts, and nobody says which: all are undecided"
        found.append(_say(period, record, "which devices", why))
    elif there and record.chips > len(there):
        why = f"it has {record.chips} chips, and telemetry knows {len(there)} devices on its hosts"
        found.append(_say(period, record, "more chips than devices", why))
    return found


def _claim(period: Period, board: Board, member: str, record: Allocation, *, maybe: bool) -> None:
    start = to_ms(record.start)
    end = to_ms(record.end) if record.end is not None else _open_end(period, board, start)
    board.add(start, end, member, Claim(record.job, record.exempt, maybe))


def _open_end(period: Period, board: Board, start: int) -> int:
    """Where nobody wrote an end: as long as the device reports, or still."""
    last = board.last_seen
    return last if last is not None and last > start else to_ms(period.end)


def _say(
    period: Period, record: Allocation, kind: FindingKind, why: str, device: str = ""
) -> AllotmentFinding:
    end = record.end if record.end is not None else period.end
    return AllotmentFinding(
        kind=kind,
        verdict="fails" if kind == "another site" else "unverifiable",
        device=device,
        jobs=(record.job,),
        start=Instant(max(period.start.us, record.start.us)),
        end=Instant(min(period.end.us, end.us)),
        why=why,
    )
