"""Our own state as metrics: the log and its witnesses, budgets, hosts, orders, findings, telemetry and its gaps.

No label bears the name of a customer, a licence, a site or a device: whatever scrapes keeps what it reads for months,
in places that this regime does not control, and who trains how much is what its customers least want told. A scraper
that asks for names (`/metrics?names=yes`) is given licences and sites, never devices.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping

from sekisho import __version__
from sekisho.app.running_telemetry import (
    FleetPicture,
    IntakeTally,
    RunningTelemetry,
    Upkeep,
    judge_device,
)
from sekisho.licensing import Book, LicenceState
from sekisho.model.instants import Instant
from sekisho.web.bars import burn_down
from sekisho.web.open_metrics import Family, FamilyType, Sample
from sekisho.web.snapshot import Snapshot
from sekisho.web.standing import judge_host

__all__ = ["own_families"]

ACCOUNTS = ("available", "leased", "consumed", "forfeited")


def own_families(look: Snapshot, telemetry: RunningTelemetry, *, names: bool) -> Iterator[Family]:
    """Every family, in the order in which it is told."""
    yield _one(
        "sekisho_build",
        "info",
        "The running version.",
        Sample(value=1, labels={"version": __version__}),
    )
    yield from _log(look)
    yield from _licences(look, names=names)
    yield from _hosts(look)
    yield from _intake(telemetry.tally)
    yield from _upkeep(telemetry.upkeep, telemetry.picture, look.at)
    if telemetry.picture is not None:
        yield from _picture(telemetry.picture, look.at, names=names)


def _log(look: Snapshot) -> Iterator[Family]:
    cosigned = look.cosigned
    times = cosigned.times if cosigned else {}
    newest = cosigned.median_time if cosigned else None
    yield _one("sekisho_log_entries", "counter", "Entries in the log.", Sample(value=look.size))
    yield _maybe(
        "sekisho_log_witnessed_entries",
        "counter",
        "Entries that the newest witnessed checkpoint covers.",
        cosigned.checkpoint.size if cosigned else None,
    )
    yield _maybe(
        "sekisho_checkpoint_timestamp_seconds",
        "gauge",
        "When the newest checkpoint was cosigned, the lower median of its witnesses.",
        newest,
        unit="seconds",
    )
    yield _maybe(
        "sekisho_checkpoint_age_seconds",
        "gauge",
        "Age of the newest cosigned checkpoint when this was asked.",
        None if newest is None else max(0.0, look.at.seconds - newest),
        unit="seconds",
    )
    yield Family(
        name="sekisho_witness_timestamp_seconds",
        type="gauge",
        unit="seconds",
        help="When each witness of the charter last cosigned.",
        samples=[
            Sample(value=times[w.name], labels={"witness": w.name})
            for w in look.witnesses
            if w.name in times
        ],
    )
    yield Family(
        name="sekisho_witness_problem",
        type="gauge",
        help="1 where a witness does not cosign now, else 0.",
        samples=[
            Sample(value=int(w.name in look.problems), labels={"witness": w.name})
            for w in look.witnesses
        ],
    )
    witnesses = {w.name for w in look.witnesses}
    others = [what for what in look.problems if what not in witnesses]
    yield _one(
        "sekisho_problems", "gauge", "What a person should look at.", Sample(value=len(others))
    )


def _licences(look: Snapshot, *, names: bool) -> Iterator[Family]:
    states = list(look.licences.licences.values())
    live = [state for state in states if state.revoked is None]
    yield _one(
        "sekisho_leases_live",
        "gauge",
        "Leases that neither ended nor were closed.",
        Sample(value=sum(len(state.live_leases()) for state in states)),
    )
    yield Family(
        name="sekisho_budget_flop",
        type="gauge",
        unit="flop",
        help="Budgets of all licences by account. Scrapers round to 53 bits: exact amounts are in /api/v1/state.",
        samples=_book_samples(_sum(states), {}),
    )
    yield _ratio("sekisho_budget_burned_ratio", "Share of all budgets no longer available.", states)
    yield Family(
        name="sekisho_licences",
        type="gauge",
        help="Licences that are not revoked, by how far their budget is burned down.",
        samples=_counted("level", Counter(burn_down(state.book).level for state in live)),
    )
    if names:
        yield Family(
            name="sekisho_licence_budget_flop",
            type="gauge",
            unit="flop",
            help="Budget of each licence by account.",
            samples=[
                sample
                for state in states
                for sample in _book_samples(state.book, {"licence": state.licence.number})
            ],
        )


def _hosts(look: Snapshot) -> Iterator[Family]:
    standings = (judge_host(look, host) for hosts in look.sites.values() for host in hosts)
    yield Family(
        name="sekisho_hosts",
        type="gauge",
        help="Enrolled hosts by where they stand; silent is unknown, not idle.",
        samples=_counted("standing", Counter(standing.word for standing in standings)),
    )
    yield _one(
        "sekisho_orders_in_force",
        "gauge",
        "Restricting orders in force.",
        Sample(value=len(look.in_force)),
    )
    yield Family(
        name="sekisho_findings",
        type="counter",
        help="Findings in the log by their code.",
        samples=_counted("code", Counter(finding.finding for _, finding in look.findings)),
    )


def _intake(tally: IntakeTally) -> Iterator[Family]:
    began = tally.since.seconds
    fates = {"taken": tally.taken, "passed over": tally.passed_over, "duplicate": tally.duplicates}
    yield Family(
        name="sekisho_telemetry_samples",
        type="counter",
        created=began,
        help="Samples by what became of them, since the server started.",
        samples=_counted("fate", fates),
    )
    yield Family(
        name="sekisho_telemetry_refused",
        type="counter",
        created=began,
        help="Samples that were refused, by reason, since the server started.",
        samples=_counted("reason", tally.refused),
    )
    yield Family(
        name="sekisho_telemetry_bodies",
        type="counter",
        created=began,
        help="Bodies that came, by format, since the server started.",
        samples=_counted("format", tally.bodies),
    )
    yield Family(
        name="sekisho_telemetry_unreadable",
        type="counter",
        created=began,
        help="Bodies of which nothing could be read, since the server started.",
        samples=[Sample(value=tally.unreadable)],
    )


def _upkeep(upkeep: Upkeep, picture: FleetPicture | None, now: Instant) -> Iterator[Family]:
    yield _maybe(
        "sekisho_telemetry_waiting_segments",
        "gauge",
        "Segments that compaction has not merged yet.",
        upkeep.segments,
    )
    yield _maybe(
        "sekisho_telemetry_compaction_lag_seconds",
        "gauge",
        "Age of the oldest segment that compaction has not merged yet; 0 where none waits.",
        upkeep.lag_s,
        unit="seconds",
    )
    yield _maybe(
        "sekisho_telemetry_picture_age_seconds",
        "gauge",
        "Age of the look at the fleet that the families below come from.",
        None if picture is None else max(0.0, now.since(picture.at)),
        unit="seconds",
    )


def _picture(picture: FleetPicture, now: Instant, *, names: bool) -> Iterator[Family]:
    states = [judge_device(device, now) for device in picture.devices]
    counts: dict[str, int] = {"reporting": 0, "stale": 0, "never": 0}
    for state in states:
        counts[state.state] += 1
    yield Family(
        name="sekisho_devices",
        type="gauge",
        help="Devices ever seen, by whether they still report; stale and never are unknown, not idle.",
        samples=_counted("state", counts),
    )
    yield _one(
        "sekisho_telemetry_gaps",
        "gauge",
        "Gaps in the readings of the 24 hours before the look.",
        Sample(value=picture.gaps),
    )
    yield _maybe(
        "sekisho_telemetry_gap_seconds",
        "gauge",
        "Device time of these gaps.",
        picture.gap_s,
        unit="seconds",
    )
    today = str(picture.at)[:10]
    days = [day for day in picture.days if day.day == today]
    sums = {
        "measured": sum(day.measured_ms for day in days),
        "gap": sum(day.gap_ms for day in days),
        "unattributed": sum(day.unattributed_ms for day in days),
    }
    yield Family(
        name="sekisho_device_time_seconds",
        type="gauge",
        unit="seconds",
        help="Device time of the day of the look (UTC): measured, gap, and unattributed.",
        samples=[
            Sample(value=ms / 1000, labels={"kind": kind}) for kind, ms in sums.items() if days
        ],
    )
    if names:
        sites = Counter((s.device.site, s.state) for s in states)
        yield Family(
            name="sekisho_site_devices",
            type="gauge",
            help="Devices of each site by whether they still report.",
            samples=[
                Sample(value=n, labels={"site": site, "state": state})
                for (site, state), n in sorted(sites.items())
            ],
        )


def _book_samples(book: Book, labels: Mapping[str, str]) -> list[Sample]:
    return [
        Sample(value=getattr(book, account), labels={**labels, "account": account})
        for account in ACCOUNTS
    ]


def _sum(states: Iterable[LicenceState]) -> Book:
    total = Book(available=0)
    for state in states:
        book = state.book
        total = Book(
            available=total.available + book.available,
            leased=total.leased + book.leased,
            consumed=total.consumed + book.consumed,
            forfeited=total.forfeited + book.forfeited,
        )
    return total


def _ratio(name: str, told: str, states: list[LicenceState]) -> Family:
    """Nothing where no budget was given: a ratio of nothing is not nought."""
    total = _sum(states)
    used = total.budget - total.available
    ratio = used / total.budget if total.budget else None
    return _maybe(name, "gauge", told, ratio, unit="ratio")


def _counted(label: str, counts: Mapping[str, int]) -> list[Sample]:
    return [Sample(value=count, labels={label: word}) for word, count in sorted(counts.items())]


def _one(name: str, kind: FamilyType, told: str, sample: Sample) -> Family:
    return Family(name=name, type=kind, help=told, samples=[sample])


def _maybe(
    name: str, kind: FamilyType, told: str, value: float | None, *, unit: str = ""
) -> Family:
    """One sample, or none where the value is not known."""
    samples = [] if value is None else [Sample(value=value)]
    return Family(name=name, type=kind, help=told, samples=samples, unit=unit)
