"""What an order would do, in words: whom it covers, what runs there, what goes on, and what would be lost."""

from __future__ import annotations

from decimal import Decimal

from sekisho.ceremony import BlastRadius, HostInReach
from sekisho.cli.durations import length_in_words
from sekisho.cli.plain_text import tame
from sekisho.cli.words.page import MAX_NAMES, Page, names

__all__ = ["describe_reach"]


def describe_reach(page: Page, reach: BlastRadius) -> None:
    """Names first, then work, exemptions, checkpoints and cost; what is not known says so, and is never 0."""
    for part in ("hosts", "sites", "runs", "licensees"):
        found: tuple[str, ...] = getattr(reach, part)
        page.tell("covers", f"covers.{part}", count=len(found), names=names(found) or "-")
    for service in reach.services:
        page.tell(
            "exempt_services",
            f"reach.exempt.{service.why}",
            run=tame(service.run),
            hosts=names(service.hosts),
            devices=service.devices,
        )
    if not reach.stops or not reach.hosts:
        return
    _describe_work(page, reach)
    for row in reach.rows[:MAX_NAMES]:
        page.add("reach_host", _host_in_words(page, row))
    if len(reach.rows) > MAX_NAMES:
        page.tell("reach_host", "reach.more", count=len(reach.rows) - MAX_NAMES)
    _describe_loss(page, reach)


def _describe_work(page: Page, reach: BlastRadius) -> None:
    count, devices = len(reach.hosts), reach.devices
    if reach.running is None:
        page.tell("work_now", "reach.work.unknown", count=count, devices=devices)
        return
    heard = count - len(reach.not_seen)
    page.tell("work_now", "reach.work", running=reach.running, count=heard, devices=devices)
    if reach.not_seen:
        page.tell(
            "work_now",
            "reach.work.unseen",
            count=len(reach.not_seen),
            names=names(reach.not_seen),
        )


def _host_in_words(page: Page, row: HostInReach) -> str:
    language = page.view.language
    if row.checkpoint is None:
        saved = page.say("show.reach.no-checkpoint")
    else:
        saved = page.say(
            "show.reach.checkpoint",
            digest=row.checkpoint.sha256[:16],
            age=length_in_words(row.checkpoint_age_s or 0, language),
        )
    within = ""
    if row.saved == "kept":
        length = length_in_words(row.checkpoints_within_s or 0, language)
        within = page.say("show.reach.within", length=length)
    return page.say(
        "show.reach.host",
        host=tame(row.host),
        site=tame(row.site),
        devices=row.devices,
        run=tame(row.run or "-"),
        work=page.say(f"show.reach.is.{row.work}"),
        saved=saved + within,
        risk=_hours(page, row.at_risk_device_hours),
    )


def _describe_loss(page: Page, reach: BlastRadius) -> None:
    page.tell(
        "at_risk",
        "reach.at-risk",
        hours=_hours(page, reach.at_risk_device_hours),
        measured=reach.measured,
        count=len(reach.hosts),
    )
    if reach.unmeasured:
        page.tell(
            "at_risk",
            "reach.unmeasured",
            count=len(reach.unmeasured),
            names=names(reach.unmeasured),
        )
    if reach.without_checkpoint:
        page.tell(
            "no_checkpoint",
            "reach.without",
            count=len(reach.without_checkpoint),
            names=names(reach.without_checkpoint),
        )
    page.tell(
        "held",
        "reach.held",
        hours=_hours(page, reach.held_device_hours),
        length=length_in_words(reach.lasts_s, page.view.language),
    )


def _hours(page: Page, hours: Decimal | None) -> str:
    if hours is None:
        return page.say("show.reach.not-measured")
    return page.say("show.reach.hours", hours=f"{hours.normalize():f}")
