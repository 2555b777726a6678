"""`sekisho meter report` and `verify-report`: a day's usage stated in the log, and a roll-up checked by an outsider."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from sekisho.catalogue import Language, say
from sekisho.cli.answer import Answer, AsJson, deliver, verdict_code
from sekisho.cli.meter_account import Counting, Owners, owners_of, rule_of
from sekisho.cli.meter_place import StorePlace, find_place
from sekisho.cli.plain_text import tame
from sekisho.cli.reading import read_input
from sekisho.cli.surroundings import (
    HomeFolder,
    LogPlace,
    PolicyFile,
    Sources,
    find_log,
    language_of,
    settings_of,
)
from sekisho.model.amounts import format_flop_short
from sekisho.model.errors import InvalidInput
from sekisho.model.instants import Instant, parse_date_or_instant

if TYPE_CHECKING:
    from sekisho.app.usage import Planned, RollUpCheck, Stated
    from sekisho.metering.accounts.report_book import UsageBook
    from sekisho.metering.accounts.roll_up import RollUp

__all__ = ["add_to"]

_RULE: Final = "max-over-formats"


def add_to(app: typer.Typer) -> None:
    """Add this part's commands to the group."""
    app.command()(report)
    app.command("verify-report")(verify_report)


def report(
    context: typer.Context,
    *,
    day: Annotated[str, typer.Option("--day", help="A day that is over, in UTC.")],
    yes: Annotated[
        bool, typer.Option("--yes", help="Keep and state; without it, it is only shown.")
    ] = False,
    reason: Annotated[
        str, typer.Option("--reason", help="Why figures change; it stays private.")
    ] = "",
    owners: Owners = "",
    counting: Counting = _RULE,
    home: HomeFolder = "",
    store: StorePlace = "",
    as_json: AsJson = False,
) -> None:
    """Roll up a day for each customer, and state it in the home's log; shown first, stated with --yes.

    What was stated is stated once. Other figures for a day that is reported are a correction: a new statement that
    names the old one. The control plane of the home must not be running.
    """
    from sekisho.app import Home
    from sekisho.app.usage import Grounds, UsageDay, plan_usage_day, report_usage_day

    language, begin = language_of(context), parse_date_or_instant(day, path="--day")
    _require_over(begin)
    folder = Path(home).expanduser() if home else settings_of(context).home
    asked = UsageDay(
        day=begin,
        store=store or (str(folder / "telemetry") if home else find_place(context, store)),
        grounds=Grounds(rule=rule_of(counting), owners=owners_of(owners)),
    )
    place = Home(path=folder)
    if not yes:
        deliver(_shown(plan_usage_day(place, asked), day, language), as_json=as_json)
    stated = report_usage_day(place, asked, reason=reason, confirm=lambda _: None)
    deliver(_stated(stated, day, language), as_json=as_json)


def _require_over(day: Instant) -> None:
    """Raise InvalidInput for a day that is not over: what a running job will have been is no usage yet."""
    from sekisho.app.usage import DAY_S
    from sekisho.ceremony import SystemClock

    now = SystemClock().now()
    if day.plus(DAY_S) > now:
        raise InvalidInput(
            f"ends at {day.plus(DAY_S)}, it is {now}",
            path="--day",
            remedy="report a day that is over; sekisho meter account shows what is used so far",
        )


def verify_report(
    context: typer.Context,
    *,
    file: Annotated[
        str, typer.Argument(metavar="F", help="A roll-up document, as a home keeps it.")
    ],
    store: Annotated[
        str, typer.Option("--store", help="The readings that it rests on, to be summed anew.")
    ] = "",
    owners: Owners = "",
    home: HomeFolder = "",
    log: LogPlace = "",
    policy: PolicyFile = "",
    as_json: AsJson = False,
) -> None:
    """Check whether the log states this roll-up, whether it still counts, and whether readings give its figures."""
    from sekisho.app.usage import (
        Grounds,
        check_against_log,
        check_against_readings,
        sum_anew,
        worst_of,
    )
    from sekisho.metering.accounts.roll_up import MAX_ROLL_UP, parse_roll_up

    language = language_of(context)
    roll_up = parse_roll_up(read_input(file, limit=MAX_ROLL_UP), path=file)
    summed = None
    if store:
        grounds = Grounds(rule=rule_of(roll_up.counting), owners=owners_of(owners))
        summed = sum_anew(roll_up, store, grounds)
    book = _book(context, Sources(home=home, log=log, policy=policy))
    checks = (*check_against_log(roll_up, book), *check_against_readings(roll_up, summed))
    deliver(_verified(roll_up, checks, worst_of(checks), language), as_json=as_json)


def _book(context: typer.Context, sources: Sources) -> UsageBook | None:
    """What the log says of usage, by a root that the user trusts; None where no such log is at hand."""
    from sekisho.ceremony import open_log, read_log

    place, root = find_log(context, sources, origin=None)
    if place is None or root is None:
        return None
    return read_log(open_log(place), root).state.usage


# --- in words -------------------------------------------------------------------------------------


def _shown(planned: tuple[Planned, ...], day: str, language: Language) -> Answer:
    lines = [line for plan in planned for line in _plan_lines(plan, language)]
    changing = sum(plan.kind != "unchanged" for plan in planned)
    if not planned:
        lines = [say("meter.report.nothing", language, day=day)]
    elif changing:
        lines.append(say("meter.report.shown", language, count=changing, day=day))
    document = {"day": day, "stated": False, "reports": [_plan(plan) for plan in planned]}
    # A day that nothing was heard of is not measured, which is no zero.
    return Answer(document=document, text="\n".join(lines), exit_code=0 if planned else 3)


def _stated(stated: tuple[Stated, ...], day: str, language: Language) -> Answer:
    lines = []
    for row in stated:
        lines += _plan_lines(row.planned, language)
        key = "meter.report.stated" if row.admitted.fresh else "meter.report.stood"
        known = {"digest": row.admitted.digest} if row.admitted.fresh else {}
        lines.append(
            say(
                key,
                language,
                licensee=row.planned.roll_up.licensee,
                index=row.admitted.index,
                **known,
            )
        )
    document = {
        "day": day,
        "stated": True,
        "reports": [
            _plan(row.planned)
            | {
                "statement": row.admitted.digest,
                "index": row.admitted.index,
                "leaf": row.admitted.leaf,
                "fresh": row.admitted.fresh,
            }
            for row in stated
        ],
    }
    text = "\n".join(lines) if stated else say("meter.report.nothing", language, day=day)
    return Answer(document=document, text=text, exit_code=0 if stated else 3)


def _plan_lines(plan: Planned, language: Language) -> list[str]:
    roll_up = plan.roll_up
    before = "-" if plan.before is None else format_flop_short(plan.before.total("bound_high"))
    jobs = len({(row.site, row.job) for row in roll_up.rows})
    bound = format_flop_short(roll_up.total("bound_high"))
    said: dict[str, dict[str, object]] = {
        "new": {"jobs": jobs, "bound": bound},
        "unchanged": {},
        "correction": {"before": before, "bound": bound},
    }
    lines = [
        say(
            f"meter.report.plan.{plan.kind}", language, licensee=roll_up.licensee, **said[plan.kind]
        )
    ]
    if roll_up.party != roll_up.licensee:
        name = tame(roll_up.party) or say("meter.account.nobody", language)
        lines.append(say("meter.report.party", language, party=name))
    if plan.is_lowering:
        lines.append(say("meter.report.lowers", language))
    return lines


def _plan(plan: Planned) -> dict[str, Any]:
    roll_up = plan.roll_up
    return {
        "kind": plan.kind,
        "licensee": roll_up.licensee,
        "party": roll_up.party,
        "jobs": len({(row.site, row.job) for row in roll_up.rows}),
        "figures": roll_up.concealed_fields(),
        "corrects": roll_up.corrects,
        "bound_change": _text(plan.change("bound_high")),
        "estimate_change": _text(plan.change("estimate_best")),
        "lowers": plan.is_lowering,
    }


def _text(change: int | None) -> str | None:
    return None if change is None else str(change)


def _verified(
    roll_up: RollUp, checks: tuple[RollUpCheck, ...], verdict: str, language: Language
) -> Answer:
    period = roll_up.period
    head = say(
        "meter.verify.head",
        language,
        verdict=verdict,
        licensee=tame(roll_up.licensee),
        start=period.start,
        end=period.end,
    )
    lines = [
        "  "
        + say(
            "meter.verify.check",
            language,
            name=check.name,
            verdict=check.verdict,
            detail=tame(check.detail),
        )
        for check in checks
    ]
    document = {
        "verdict": verdict,
        "licensee": roll_up.licensee,
        "period": {"start": str(period.start), "end": str(period.end)},
        "checks": [
            {"name": check.name, "verdict": check.verdict, "detail": check.detail}
            for check in checks
        ],
    }
    return Answer(
        document=document, text="\n".join([head, *lines]), exit_code=verdict_code(verdict)
    )
