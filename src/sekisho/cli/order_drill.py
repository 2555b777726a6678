"""`sekisho order drill-report`: what a drill stopped at each site, how long it took, and what it did not reach."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from sekisho.catalogue import say
from sekisho.cli.answer import Answer, AsJson, deliver
from sekisho.cli.durations import length_in_words
from sekisho.cli.order_naming import find_order
from sekisho.cli.plain_text import tame
from sekisho.cli.surroundings import (
    HomeFolder,
    LogPlace,
    PolicyFile,
    Sources,
    look,
    require_state,
)
from sekisho.cli.words.page import names

if TYPE_CHECKING:
    from sekisho.ceremony import DrillReport, SiteDrill, SiteExercised
    from sekisho.cli.words import View

__all__ = ["add_to"]


def add_to(app: typer.Typer) -> None:
    """Add this part's command to the group."""
    app.command("drill-report")(drill_report)


def drill_report(
    context: typer.Context,
    *,
    order: Annotated[
        str,
        typer.Argument(
            metavar="[REGISTER/NUMBER]",
            help="A drill, as pause/JP/3; every site's last drill if left out.",
        ),
    ] = "",
    home: HomeFolder = "",
    log: LogPlace = "",
    policy: PolicyFile = "",
    as_json: AsJson = False,
) -> None:
    """What a drill stopped at each site, and what it did not reach. Exit 3 where a site was not exercised."""
    from sekisho.ceremony import drill_report as report_drill
    from sekisho.ceremony import exercised_sites

    view = look(context, Sources(home=home, log=log, policy=policy))
    state = require_state(view, as_json=as_json)
    if not order:
        sites = exercised_sites(state)
        _deliver_sites(sites, view, as_json=as_json)
        return
    report = report_drill(state, find_order(state, order, path="REGISTER/NUMBER"), view.now)
    deliver(
        Answer(
            document=_report_row(report),
            text=_report_text(report, view),
            exit_code=3 if report.not_exercised or not report.sites else 0,
        ),
        as_json=as_json,
    )


def _deliver_sites(sites: tuple[SiteExercised, ...], view: View, *, as_json: bool) -> None:
    rows = [
        {
            "site": each.site,
            "hosts": each.hosts,
            "canaries": each.canaries,
            "last": f"{each.last.order.register}/{each.last.order.number}" if each.last else None,
            "at": str(each.at) if each.at else None,
            "days_since": each.days_since(view.now),
        }
        for each in sites
    ]
    lines = [_site_line(each, view) for each in sites]
    missing = any(each.at is None for each in sites)
    deliver(
        Answer(
            document=rows,
            text="\n".join(lines) or say("order.drill.no-sites", view.language),
            exit_code=3 if missing or not sites else 0,
        ),
        as_json=as_json,
    )


def _site_line(each: SiteExercised, view: View) -> str:
    if each.last is None or each.at is None:
        key = "order.drill.never" if each.canaries else "order.drill.no-canary"
        return say(key, view.language, site=tame(each.site))
    return say(
        "order.drill.last",
        view.language,
        site=tame(each.site),
        days=each.days_since(view.now),
        order=f"{each.last.order.register}/{each.last.order.number}",
        at=each.at,
    )


def _report_row(report: DrillReport) -> dict[str, object]:
    order = report.known.order
    return {
        "register": order.register,
        "number": order.number,
        "begun": str(report.begun),
        "sites": [
            {
                "site": site.site,
                "canaries": site.canaries,
                "without_canary": list(site.without_canary),
                "reached": dict(site.reached),
                "seconds": {stage: round(took, 3) for stage, took in site.seconds.items()},
                "exercised": site.is_exercised,
            }
            for site in report.sites
        ],
        "not_exercised": list(report.not_exercised),
    }


def _report_text(report: DrillReport, view: View) -> str:
    order = report.known.order
    lines = [
        say(
            "order.drill",
            view.language,
            order=f"{order.register}/{order.number}",
            begun=report.begun,
        )
    ]
    for site in report.sites:
        lines += _drill_lines(site, view)
    return "\n".join(lines)


def _drill_lines(site: SiteDrill, view: View) -> list[str]:
    language = view.language
    if not site.canaries:
        return [say("order.drill.no-canary", language, site=tame(site.site))]
    stages = (
        say(
            "order.drill.stage",
            language,
            stage=say(f"order.drill.stage.{stage}", language),
            count=count,
            of=site.canaries,
            took=length_in_words(site.seconds[stage], language)
            if stage in site.seconds
            else say("order.drill.open", language),
        )
        for stage, count in site.reached.items()
    )
    key = "order.drill.site" if site.is_exercised else "order.drill.site.not"
    told = "; ".join(stages) or say("order.silent", language)
    lines = [say(key, language, site=tame(site.site), stages=told)]
    if site.without_canary:
        lines.append(
            say(
                "order.drill.without",
                language,
                count=len(site.without_canary),
                names=names(site.without_canary),
            )
        )
    return lines
