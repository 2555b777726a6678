"""What an order would do, before anybody signs it: work, tenants, exempt services, checkpoints, what is lost. Pure.

Read from the log, and from what is seen of the work (`Seen`), given as an argument: newest receipts are no log entries,
so who reads a public log alone does not know what runs, and is told *not measured*. What is not known is None in every
figure here, never 0, and a sum over hosts says over how many of them it is.
"""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from typing import Final, Literal, TypeAlias

import msgspec

from sekisho.model.instants import Instant
from sekisho.model.statements import HostEnrolled, OrderIssued, ReceiptGiven
from sekisho.operations.state import State
from sekisho.orders import KnownOrder, is_covered
from sekisho.orders.checkpoints import CheckpointKnown

__all__ = [
    "BlastRadius",
    "ExemptService",
    "HostInReach",
    "Saved",
    "Seen",
    "SiteInReach",
    "Work",
    "WorkSeen",
    "preview_order",
    "seen_of",
]

Work: TypeAlias = Literal["running", "frozen", "ended", "none"]
Saved: TypeAlias = Literal["kept", "at-risk", "not-measured", "nothing-runs"]
"""What becomes of the work since the newest checkpoint: `kept` where a host is known to write one within the grace."""
_HOUR: Final = Decimal(3_600)
_STOPS: Final = frozenset({"freeze", "checkpoint-then-stop"})


class WorkSeen(msgspec.Struct, frozen=True, kw_only=True):
    """What a host's newest receipt says of its work, and when."""

    host: str
    at: Instant
    state: Work
    run: str | None = None


class Seen(msgspec.Struct, frozen=True, kw_only=True):
    """What is seen of work beside the log, as of an instant, by host; one that is not here was not heard of."""

    at: Instant
    hosts: tuple[WorkSeen, ...]


class HostInReach(msgspec.Struct, frozen=True, kw_only=True):
    """One host that an order covers. None is "not measured": `work`, the newest checkpoint, device-hours at risk."""

    host: str
    site: str
    devices: int
    run: str | None
    licensees: tuple[str, ...]
    work: Work | None
    seen: Instant | None
    checkpoint: CheckpointKnown | None
    checkpoint_age_s: float | None
    checkpoints_within_s: float | None
    saved: Saved
    at_risk_device_hours: Decimal | None


Spared: TypeAlias = Literal["named-in-the-order", "not-the-canary"]


class ExemptService(msgspec.Struct, frozen=True, kw_only=True):
    """A run in scope that goes on, where, and why."""

    run: str
    hosts: tuple[str, ...]
    devices: int
    why: Spared


class SiteInReach(msgspec.Struct, frozen=True, kw_only=True):
    """Devices of one site by what an order does to them: a picture's bar. The five parts add up to `devices`."""

    site: str
    hosts: int
    devices: int
    at_risk: int
    kept: int
    idle: int
    exempt: int
    unknown: int


class BlastRadius(msgspec.Struct, frozen=True, kw_only=True):
    """Whom an order would touch as the log stands, and what that costs them.

    `at_risk_device_hours` is the sum over the `measured` hosts; None where nothing could be measured of any that may
    run. `held_device_hours` is what an order that stops keeps from its hosts if it lasts its whole length.
    """

    hosts: tuple[str, ...]
    sites: tuple[str, ...]
    runs: tuple[str, ...]
    licensees: tuple[str, ...]
    exempt: tuple[str, ...]
    rows: tuple[HostInReach, ...]
    services: tuple[ExemptService, ...]
    by_site: tuple[SiteInReach, ...]
    devices: int
    running: int | None
    not_seen: tuple[str, ...]
    without_checkpoint: tuple[str, ...]
    at_risk_device_hours: Decimal | None
    measured: int
    unmeasured: tuple[str, ...]
    held_device_hours: Decimal
    lasts_s: float
    stops: bool
    at: Instant


def seen_of(receipts: Iterable[ReceiptGiven], at: Instant) -> Seen:
    """What the newest receipts of hosts show of their work."""
    rows = (
        WorkSeen(host=each.host, at=each.effective, state=each.state, run=each.run)
        for each in receipts
    )
    return Seen(at=at, hosts=tuple(sorted(rows, key=lambda row: row.host)))


def preview_order(
    state: State, order: OrderIssued, seen: Seen | None = None, *, now: Instant | None = None
) -> BlastRadius:
    """Whom the order covers as the log stands, what runs there, and what would be lost.

    `seen` is None where only the log was read. `now` is the instant that ages are counted to; the order's draft's date
    where it is not given.
    """
    at = now or order.effective
    known = state.known(order)
    stops = order.effect in _STOPS
    covered = [h for _, h in sorted(state.regime.hosts.items()) if state.is_host_covered(known, h)]
    work = {} if seen is None else {row.host: row for row in seen.hosts}
    rows = tuple(_row(state, known, host, work.get(host.host), at) for host in covered)
    services = _services(state, known, covered)
    unmeasured = tuple(row.host for row in rows if stops and row.at_risk_device_hours is None)
    figures = [row.at_risk_device_hours for row in rows if row.at_risk_device_hours is not None]
    lasts = order.expires.since(order.not_before)
    devices = sum(row.devices for row in rows)
    return BlastRadius(
        hosts=tuple(row.host for row in rows),
        sites=tuple(sorted({row.site for row in rows})),
        runs=tuple(sorted(_runs(state, rows))),
        licensees=tuple(sorted({name for row in rows for name in row.licensees})),
        exempt=order.exemptions,
        rows=rows,
        services=services,
        by_site=_by_site(rows, services, state),
        devices=devices,
        running=_running(rows),
        not_seen=tuple(row.host for row in rows if row.work is None),
        without_checkpoint=tuple(
            row.host for row in rows if row.checkpoint is None and row.saved != "nothing-runs"
        ),
        at_risk_device_hours=sum(figures, Decimal(0)) if figures or not unmeasured else None,
        measured=len(figures),
        unmeasured=unmeasured,
        held_device_hours=_hours(devices, lasts) if stops else Decimal(0),
        lasts_s=lasts,
        stops=stops,
        at=at,
    )


def _running(rows: tuple[HostInReach, ...]) -> int | None:
    """How many of the hosts that were heard of run work; None where none of them was."""
    heard = [row.work for row in rows if row.work is not None]
    return heard.count("running") if heard or not rows else None


def _row(
    state: State, known: KnownOrder, host: HostEnrolled, seen: WorkSeen | None, at: Instant
) -> HostInReach:
    work = seen.state if seen is not None else None
    standing = state.licences.standing_of(host.host)
    run = seen.run if seen is not None and seen.run else None
    if run is None and len({each.licence.run for each in standing}) == 1:
        run = standing[0].licence.run
    newest = state.checkpoints.of(host.host, run)
    age = None if newest is None else max(0.0, at.since(_written(state, newest)))
    within = _checkpoints_within(state, host.host)
    saved = _saved(known.order, work, newest, within)
    return HostInReach(
        host=host.host,
        site=host.site,
        devices=len(host.devices),
        run=run,
        licensees=tuple(sorted({each.licence.licensee for each in standing})),
        work=work,
        seen=seen.at if seen is not None else None,
        checkpoint=newest,
        checkpoint_age_s=age,
        checkpoints_within_s=within,
        saved=saved,
        at_risk_device_hours=_at_risk(saved, len(host.devices), age),
    )


def _saved(
    order: OrderIssued, work: Work | None, newest: CheckpointKnown | None, within: float | None
) -> Saved:
    """What becomes of the work since the newest checkpoint, on what is known of this host."""
    if work in ("none", "ended") or order.effect not in _STOPS:
        return "nothing-runs"
    writes = order.effect == "checkpoint-then-stop" and order.grace_s > 0
    if writes and within is not None and within <= order.grace_s:
        return "kept"
    return "not-measured" if work is None or newest is None else "at-risk"


def _at_risk(saved: Saved, devices: int, age_s: float | None) -> Decimal | None:
    if saved in ("kept", "nothing-runs"):
        return Decimal(0)
    return None if saved == "not-measured" or age_s is None else _hours(devices, age_s)


def _written(state: State, newest: CheckpointKnown) -> Instant:
    """When a checkpoint was written: as its host says, or when it was recorded where the host dated it ahead."""
    recorded = state.regime.marks.after(newest.index)
    return newest.at if recorded is None else min(newest.at, recorded)


def _checkpoints_within(state: State, host: str) -> float | None:
    """The longest that this host took from an order's receipt to its checkpoint; None where it never did.

    Drills are what makes this known: a host that was never asked has not shown that it can.
    """
    took = []
    for life in state.lives.at(host):
        received = None
        for stage in life.stages:
            if stage.stage == "received":
                received = stage.at
            elif stage.stage == "checkpointed" and received is not None:
                took.append(max(0.0, stage.at.since(received)))
    return max(took, default=None)


def _services(
    state: State, known: KnownOrder, covered: list[HostEnrolled]
) -> tuple[ExemptService, ...]:
    """The runs that the same order without exemptions would reach, and that it leaves alone."""
    names = {host.host for host in covered}
    order = known.order
    wide = state.known(msgspec.structs.replace(order, exemptions=(), drill=False))
    found: dict[tuple[str, Spared], list[HostEnrolled]] = {}
    for host in state.regime.hosts.values():
        for each in state.licences.standing_of(host.host):
            facts = state.host_facts(host, each)
            if not is_covered(wide, facts) or is_covered(known, facts):
                continue
            run = each.licence.run
            named = run in order.exemptions
            if not named and host.host in names:
                continue
            why: Spared = "named-in-the-order" if named else "not-the-canary"
            found.setdefault((run, why), []).append(host)
    return tuple(
        ExemptService(
            run=run,
            hosts=tuple(sorted(host.host for host in hosts)),
            devices=sum(len(host.devices) for host in hosts),
            why=why,
        )
        for (run, why), hosts in sorted(found.items())
    )


def _by_site(
    rows: tuple[HostInReach, ...], services: tuple[ExemptService, ...], state: State
) -> tuple[SiteInReach, ...]:
    exempt: dict[str, int] = {}
    reached = {row.host for row in rows}
    spared = {name for service in services for name in service.hosts} - reached
    for name in spared:
        host = state.regime.hosts[name]
        exempt[host.site] = exempt.get(host.site, 0) + len(host.devices)
    sites = sorted({row.site for row in rows} | exempt.keys())
    return tuple(
        _site(site, [r for r in rows if r.site == site], exempt.get(site, 0)) for site in sites
    )


def _site(site: str, rows: list[HostInReach], exempt: int) -> SiteInReach:
    def devices(saved: Saved) -> int:
        return sum(row.devices for row in rows if row.saved == saved)

    return SiteInReach(
        site=site,
        hosts=len(rows),
        devices=sum(row.devices for row in rows) + exempt,
        at_risk=devices("at-risk"),
        kept=devices("kept"),
        idle=devices("nothing-runs"),
        exempt=exempt,
        unknown=devices("not-measured"),
    )


def _runs(state: State, rows: tuple[HostInReach, ...]) -> set[str]:
    names = {row.host for row in rows}
    licensed = {
        each.licence.run
        for each in state.licences.licences.values()
        if names.intersection(each.licence.hosts)
    }
    return licensed | {row.run for row in rows if row.run is not None}


def _hours(devices: int, seconds: float) -> Decimal:
    """Device-hours, rounded to thousandths."""
    return (Decimal(devices) * Decimal(str(seconds)) / _HOUR).quantize(Decimal("0.001"))
