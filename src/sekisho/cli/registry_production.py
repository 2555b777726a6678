"""`sekisho registry production check`: what fabs report, held against itself, certificates, quotas and the register."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from sekisho.catalogue import say
from sekisho.cli import balance_words as words
from sekisho.cli.answer import Answer, AsJson, deliver, verdict_code, worst_code
from sekisho.cli.reading import read_input
from sekisho.cli.registry_balance import books_of, check_new, write_drafts
from sekisho.cli.surroundings import language_of
from sekisho.model.errors import InvalidInput

if TYPE_CHECKING:
    from sekisho.app import CheckedProduction
    from sekisho.registry.production import Production, QuotaState

__all__ = ["add_to"]

_MAX: Final = 16 * 1024 * 1024
production = typer.Typer(help="Production of fabs.", no_args_is_help=True)


@production.callback()
def _group() -> None:
    """What fabs report, checked."""


def add_to(app: typer.Typer) -> None:
    """Put this part's commands into the group."""
    app.add_typer(production, name="production")


@production.command()
def check(  # the flags
    context: typer.Context,
    *,
    file: Annotated[str, typer.Argument(metavar="F", help="Reports, as JSON or CSV.")],
    quota: Annotated[str, typer.Option("--quota", help="Quotas, as JSON.")] = "",
    dies: Annotated[str, typer.Option("--tolerance-dies", help="A share, such as 0.03.")] = "0.03",
    hbm: Annotated[str, typer.Option("--tolerance-hbm", help="A share.")] = "0.005",
    home: Annotated[
        str, typer.Option("--home", help="Count dies, certificates and quotas of this home too.")
    ] = "",
    keep: Annotated[bool, typer.Option("--keep", help="Keep the reports in that home.")] = False,
    out: Annotated[str, typer.Option("--out", help="A new folder for statements to sign.")] = "",
    as_json: AsJson = False,
) -> None:
    """Does each report hold together? Wafers, yield, scrap, HBM, exposure hours, quotas; what is missing is named."""
    from sekisho.app import judge_productions
    from sekisho.registry.production import Tolerances, parse_quotas

    if keep and not home:
        raise InvalidInput("goes with --home", path="--keep")
    if out:
        check_new(out)
    reports = _read(file)
    quotas = parse_quotas(read_input(quota, limit=_MAX), path=quota) if quota else ()
    earlier: tuple[Production, ...] = ()
    if home:
        with books_of(context, home) as books:
            reports = tuple(books.productions.with_register(report) for report in reports)
            earlier, quotas = books.productions.load(), quotas or books.quotas()
    checked, states = judge_productions(
        reports, quotas, tolerances=Tolerances(dies=dies, hbm=hbm), earlier=earlier
    )
    language = language_of(context)
    lines = [line for one in checked for line in words.production_lines(one, language)]
    lines += [words.quota_line(state, language) for state in states]
    if keep:
        lines += _keep(context, home, reports)
    files = _draft(checked, out) if out else []
    document = {
        "reports": [_report(one) for one in checked],
        "quotas": [_quota(state) for state in states],
        "files": files,
    }
    verdicts = [*(one.verdict for one in checked), *(state.verdict for state in states)]
    code = worst_code(map(verdict_code, verdicts))
    deliver(Answer(document=document, text="\n".join(lines), exit_code=code), as_json=as_json)


def _read(file: str) -> tuple[Production, ...]:
    from sekisho.registry.production import parse_production, parse_production_table

    data = read_input(file, limit=_MAX)
    parse = parse_production_table if file.lower().endswith(".csv") else parse_production
    return parse(data, path=file)


def _keep(context: typer.Context, home: str, reports: tuple[Production, ...]) -> list[str]:
    """Each report is kept by itself: a crash between two keeps the first, and keeping again says so."""
    language = language_of(context)
    with books_of(context, home) as books:
        return [
            say(
                "registry.production.kept",
                language,
                number=books.productions.keep(report),
                fab=report.fab,
            )
            for report in reports
        ]


def _draft(checked: tuple[CheckedProduction, ...], out: str) -> list[str]:
    from sekisho.app import draft_production
    from sekisho.model.wire import canonical, to_plain

    drafts = [draft_production(one, secrets.token_bytes) for one in checked]
    papers = {"reports.json": canonical([to_plain(one.report) for one in checked])}
    return write_drafts(out, drafts, papers)


def _report(one: CheckedProduction) -> dict[str, Any]:
    report = one.report
    return {
        "fab": report.fab,
        "product": report.product,
        "start": str(report.period.start),
        "end": str(report.period.end),
        "verdict": one.verdict,
        "checks": [
            {
                "name": check.name,
                "unit": check.unit,
                "expected": words.amount(check.expected),
                "stated": words.amount(check.stated),
                "residual": words.amount(check.residual),
                "tolerance": words.amount(check.tolerance),
                "missing": check.missing,
                "verdict": check.verdict,
                "why": check.why,
            }
            for check in one.checks
        ],
    }


def _quota(state: QuotaState) -> dict[str, Any]:
    return {
        "fab": state.quota.fab,
        "product": state.quota.product,
        "start": str(state.quota.period.start),
        "end": str(state.quota.period.end),
        "granted": state.quota.dies,
        "replaced": -state.balance("replacement"),
        "used": state.used,
        "available": state.available,
        "over": state.over,
        "refused": state.refused,
        "unknown": state.unknown,
        "verdict": state.verdict,
        "postings": state.postings,
    }
