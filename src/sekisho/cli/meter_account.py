"""`sekisho meter account` and `windows`: who computed how much in which window, and when a threshold was met."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Final, cast

import typer

from sekisho.catalogue import Language, say
from sekisho.cli.answer import Answer, AsJson, deliver, worst_code
from sekisho.cli.durations import parse_length
from sekisho.cli.meter_place import AnySite, StorePlace, find_place
from sekisho.cli.plain_text import tame
from sekisho.cli.progress import bar
from sekisho.cli.reading import read_input
from sekisho.cli.surroundings import language_of
from sekisho.model.amounts import parse_quantity
from sekisho.model.errors import InvalidInput
from sekisho.model.instants import Instant, parse_date_or_instant

if TYPE_CHECKING:
    from sekisho.metering import CountingRule, RowError
    from sekisho.metering.accounts import (
        Account,
        Correction,
        JobTable,
        KeyKind,
        Ledger,
        OwnerTable,
        Question,
        Reading,
        Style,
        Window,
    )

__all__ = ["Counting", "add_to", "owners_of", "rule_of"]

By = Annotated[str, typer.Option("--by", help="job, run, customer, owner or site.")]
WindowText = Annotated[
    str, typer.Option("--window", help="30d, 12h, or a calendar's day, month or year.")
]
Thresholds = Annotated[
    list[str] | None,
    typer.Option("--threshold", help="An amount to watch, as 1e23; once for each."),
]
Sliding = Annotated[bool, typer.Option("--sliding", help="Sliding windows only.")]
InCalendar = Annotated[bool, typer.Option("--calendar", help="Calendar windows only, in UTC.")]
Anchor = Annotated[
    str, typer.Option("--anchor", help="From when windows of so many days are counted.")
]
From = Annotated[str, typer.Option("--from", help="A day or an instant in UTC.")]
To = Annotated[str, typer.Option("--to", help="A day or an instant in UTC; not included.")]
Owners = Annotated[
    str, typer.Option("--owners", help="CSV customer,owner and share, from, to: who owns whom.")
]
Counting = Annotated[
    str,
    typer.Option(
        "--counting", help="max-over-formats, bf16-equivalent, format-used; ', nominal' behind it."
    ),
]
Horizon = Annotated[
    str, typer.Option("--forecast", help="How far ahead a crossing is looked for; 0 for not.")
]
_RULE: Final = "max-over-formats"
_MAX_OWNERS: Final = 64 * 1024 * 1024
_MOST_ERRORS: Final = 1_000


def add_to(app: typer.Typer) -> None:
    """Add this part's commands to the group."""
    app.command()(account)
    app.command()(windows)


def account(
    context: typer.Context,
    *,
    by: By = "customer",
    window: WindowText = "30d",
    threshold: Thresholds = None,
    sliding: Sliding = False,
    calendar: InCalendar = False,
    anchor: Anchor = "",
    since: From = "",
    until: To = "",
    owners: Owners = "",
    counting: Counting = _RULE,
    horizon: Horizon = "90d",
    bucket: Annotated[
        str, typer.Option("--bucket", help="Length of an entry; it divides a day.")
    ] = "1h",
    engine: Annotated[str, typer.Option("--engine", help="duckdb or spark.")] = "duckdb",
    site: AnySite = "",
    store: StorePlace = "",
    as_json: AsJson = False,
) -> None:
    """Figures per key and window from telemetry, every crossing of a threshold with its instant, and what is ahead.

    Ends with 3 where something has no bound, or a record has no end and its device fell silent. Forecasts begin at
    --to, where that is not behind us.
    """
    from sekisho.app.usage import Grounds, account_store
    from sekisho.metering.accounts import Question

    language, now = language_of(context), _now()
    span = _Span(since, until, now)
    ahead = parse_length(horizon, path="--forecast")
    is_ahead = ahead > 0 and span.end >= now
    question = Question(
        by=_kind(by),
        window=_window(window, anchor),
        style=_style(sliding=sliding, calendar=calendar, window=window),
        start=span.start,
        end=span.end,
        thresholds=_thresholds(threshold),
        now=now if is_ahead else None,
        horizon=now.plus(ahead) if is_ahead else None,
    )
    grounds = Grounds(
        rule=rule_of(counting),
        owners=owners_of(owners),
        site=site,
        bucket_s=parse_length(bucket, path="--bucket"),
    )
    with bar(say("meter.account.bar", language)) as heard:
        found = account_store(
            find_place(context, store), question, grounds, engine=engine, heard=heard
        )
    deliver(_answer(found, counting, language, engine=engine), as_json=as_json)


def windows(
    context: typer.Context,
    *,
    file: Annotated[
        str,
        typer.Argument(
            metavar="F", help="CSV job,start,end,chips and customer,run,site,chip,flop."
        ),
    ],
    by: By = "customer",
    window: WindowText = "30d",
    threshold: Thresholds = None,
    sliding: Sliding = False,
    calendar: InCalendar = False,
    anchor: Anchor = "",
    since: From = "",
    until: To = "",
    owners: Owners = "",
    counting: Counting = _RULE,
    declared: Annotated[
        bool, typer.Option("--declared", help="Hold thresholds against declared FLOP too.")
    ] = False,
    as_of: Annotated[
        str, typer.Option("--as-of", help="What was recorded by then, corrections too.")
    ] = "",
    as_json: AsJson = False,
) -> None:
    """The same from a table of jobs, without a store: FLOP where a chip or FLOP stand, chip-seconds where neither does.

    A row that cannot be read is named and ends the command with 2. Columns id, recorded, replaces carry corrections.
    """
    from sekisho.metering.accounts import account as account_entries
    from sekisho.metering.accounts import identify, parse_job_table, standing_at
    from sekisho.metering.accounts.job_table import MAX_BYTES

    language, rule = language_of(context), rule_of(counting)
    table = parse_job_table(read_input(file, limit=MAX_BYTES), file, rule=rule)
    seen = parse_date_or_instant(as_of, path="--as-of") if as_of else None
    ledger = standing_at(table.entries, seen)
    readings: tuple[Reading, ...] = ("bound", "declared") if declared else ("bound",)
    question = _table_question(
        table,
        by=_kind(by),
        window=_window(window, anchor),
        style=_style(sliding=sliding, calendar=calendar, window=window),
        thresholds=_thresholds(threshold),
        readings=readings,
        span=(since, until),
    )
    with bar(say("meter.account.bar", language)) as heard:
        identities = identify(table.allocations, owners_of(owners))
        found = account_entries(ledger.entries, question, identities, heard=heard)
    answer = _answer(found, counting, language)
    deliver(_with_rows(answer, table.errors, ledger, language), as_json=as_json)


def _answer(found: Account, counting: str, language: Language, engine: str = "") -> Answer:
    from sekisho.cli.account_words import (
        account_document,
        account_lines,
        is_closed,
        is_measured,
    )

    return Answer(
        document=account_document(found, counting, engine),
        text="\n".join(account_lines(found, counting, language)),
        exit_code=0 if found.keys and is_measured(found) and is_closed(found) else 3,
    )


def _with_rows(
    answer: Answer, errors: tuple[RowError, ...], ledger: Ledger, language: Language
) -> Answer:
    """The answer with the rows that could not be read, and with every correction: none goes unsaid."""
    document = cast("dict[str, Any]", answer.document)
    document |= {
        "rows_refused": len(errors) + len(ledger.problems),
        "errors": [
            *({"line": e.line, "error": e.error} for e in errors[:_MOST_ERRORS]),
            *({"error": problem} for problem in ledger.problems[:_MOST_ERRORS]),
        ],
        "corrections": [_correction(row) for row in ledger.corrections],
    }
    lines = [
        say(
            "meter.account.corrected",
            language,
            entry=tame(row.entry.id),
            replaced=tame(", ".join(old.id for old in row.replaced)),
            bound=_signed(row.bound_change),
            estimate=_signed(row.estimate_change),
        )
        for row in ledger.corrections
    ]
    lines += [
        say("meter.account.bad_row", language, line=e.line, error=tame(e.error))
        for e in errors[:20]
    ]
    lines += [tame(problem) for problem in ledger.problems[:20]]
    codes = [answer.exit_code, 2 if errors or ledger.problems else 0]
    text = "\n".join([answer.text, *lines])
    return Answer(document=document, text=text, exit_code=worst_code(codes))


def _correction(row: Correction) -> dict[str, Any]:
    return {
        "entry": row.entry.id,
        "replaces": [old.id for old in row.replaced],
        "bound_change": _signed(row.bound_change),
        "estimate_change": _signed(row.estimate_change),
        "lowers": row.is_lowering,
    }


def _signed(change: int | None) -> str:
    return "not measured" if change is None else f"{change:+d}"


# --- flags ----------------------------------------------------------------------------------------


class _Span:
    """From when to when; thirty days up to now unless somebody says otherwise.

    Never beyond now: an allocation that is to go on has used nothing of what is ahead; that is for the forecast.
    """

    def __init__(self, since: str, until: str, now: Instant) -> None:
        self.end = min(parse_date_or_instant(until, path="--to"), now) if until else now
        self.start = (
            parse_date_or_instant(since, path="--from") if since else self.end.plus(-30 * 86_400)
        )
        if self.start.us < 0:
            raise InvalidInput(
                "begins before 1970, and no reading is that old",
                path="--from" if since else "--to",
                remedy="write 1970-01-01 or a later day",
            )


def _table_question(
    table: JobTable,
    *,
    by: KeyKind,
    window: Window,
    style: Style,
    thresholds: tuple[int, ...],
    readings: tuple[Reading, ...],
    span: tuple[str, str],
) -> Question:
    """A table's own time unless somebody says otherwise: from its first start to behind its last end."""
    from sekisho.metering.accounts import Question

    since, until = span
    starts = [entry.start for entry in table.entries]
    ends = [entry.end for entry in table.entries]
    start = (
        parse_date_or_instant(since, path="--from") if since else min(starts, default=Instant(0))
    )
    end = parse_date_or_instant(until, path="--to") if until else max(ends, default=Instant(1))
    return Question(
        by=by,
        window=window,
        style=style,
        start=start,
        end=end if end > start or until else Instant(start.us + 1),
        thresholds=thresholds,
        readings=readings,
        unit=table.unit,
    )


def _kind(by: str) -> KeyKind:
    from sekisho.metering.accounts import KEYS

    for key in KEYS:
        if by == key:
            return key
    raise InvalidInput(
        f"{by[:40]!r} is no key", path="--by", remedy=f"write one of {', '.join(KEYS)}"
    )


def _window(text: str, anchor: str) -> Window:
    from sekisho.metering.accounts import parse_window

    at = parse_date_or_instant(anchor, path="--anchor") if anchor else None
    return parse_window(text, anchor=at, path="--window")


def _style(*, sliding: bool, calendar: bool, window: str) -> Style:
    if sliding == calendar:
        return "calendar" if window in ("day", "month", "year") and not sliding else "both"
    return "sliding" if sliding else "calendar"


def _thresholds(written: list[str] | None) -> tuple[int, ...]:
    return tuple(parse_quantity(text, path="--threshold") for text in written or ())


def rule_of(text: str) -> CountingRule:
    """The counting rule that a flag names. Raises InvalidInput."""
    from sekisho.metering import parse_counting_rule

    return parse_counting_rule(text)


def owners_of(file: str) -> OwnerTable | None:
    """The table of owners that a flag names; None where it names none."""
    from sekisho.metering.accounts import parse_owner_table

    return parse_owner_table(read_input(file, limit=_MAX_OWNERS), file) if file else None


def _now() -> Instant:
    from sekisho.ceremony import SystemClock

    return SystemClock().now()
