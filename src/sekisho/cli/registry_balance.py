"""`sekisho registry balance ...`, `transit`, `mirror`: books closed, checked, reported, compared with other sides'."""

from __future__ import annotations

import secrets
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from sekisho.catalogue import say
from sekisho.cli import balance_words as words
from sekisho.cli.answer import Answer, AsJson, deliver, verdict_code, worst_code
from sekisho.cli.countersign import add_issue, add_sign
from sekisho.cli.reading import read_input
from sekisho.cli.surroundings import language_of, settings_of
from sekisho.model.errors import InvalidInput
from sekisho.model.instants import Instant, parse_date_or_instant

if TYPE_CHECKING:
    from sekisho.app import AreaBook, ClosedArea, Draft, RegisterBooks
    from sekisho.registry.balance import Balance, BulkResult, Inventory

__all__ = ["add_to", "books_of", "check_new", "write_drafts"]

_Home = Annotated[
    str, typer.Option("--home", help="The home with the register; SEKISHO_HOME if left out.")
]
_Area = Annotated[str, typer.Argument(metavar="AREA", help="A balance area.")]
_Out = Annotated[str, typer.Option("--out", help="A new folder for statements to sign.")]
_DEFAULT_SIGNIFICANT: Final = 80
"""Components: what does 1e24 FLOP in a year (H100, 40 %; regimes.md 2)."""
_MAX: Final = 64 * 1024 * 1024

balance = typer.Typer(help="Balances of areas: close, show, check, report.", no_args_is_help=True)


def add_to(app: typer.Typer) -> None:
    """Put this part's commands into the group."""
    app.add_typer(balance, name="balance")
    app.command()(transit)
    app.command()(mirror)


add_sign(
    balance,
    ("inventory-taken", "balance-closed", "production-reported"),
    "Show what you state, have its digest phrase typed back, and add your signature.",
)
add_issue(
    balance,
    ("inventory-taken", "balance-closed", "production-reported"),
    "Hand a signed statement in.",
)


@contextmanager
def books_of(context: typer.Context, home: str) -> Iterator[RegisterBooks]:
    """The books of the home that the flags name; read beside whatever runs on it."""
    from sekisho.app import Elsewhere, Home, open_books

    settings = settings_of(context)
    folder = Path(home).expanduser() if home else settings.home
    with open_books(Home(path=folder, elsewhere=Elsewhere(database=settings.database))) as books:
        yield books


@balance.command()
def show(
    context: typer.Context,
    *,
    area: Annotated[str, typer.Argument(metavar="[AREA]", help="All areas if left out.")] = "",
    at: Annotated[str, typer.Option("--at", help="A date or instant; now if left out.")] = "",
    as_of: Annotated[str, typer.Option("--as-of", help="By what was known then.")] = "",
    home: _Home = "",
    as_json: AsJson = False,
) -> None:
    """What the book of an area says, and its last closed balance; the verdict is that balance's."""
    when = parse_date_or_instant(at, path="--at") if at else _now()
    known = parse_date_or_instant(as_of, path="--as-of") if as_of else None
    with books_of(context, home) as books:
        held = (
            (books.balances.show(area, when, known),)
            if area
            else books.balances.show_all(when, known)
        )
    language = language_of(context)
    text = "\n".join(line for book in held for line in words.book_lines(book, language))
    answer = Answer(
        document={"areas": [_book(book) for book in held]},
        text=text,
        exit_code=worst_code(verdict_code(book.verdict) for book in held),
    )
    deliver(answer, as_json=as_json)


@balance.command()
def close(
    context: typer.Context,
    *,
    area: _Area,
    party: Annotated[str, typer.Option("--party", help="Who keeps the area and closes it.")],
    until: Annotated[str, typer.Option("--until", help="The period's end: when you counted.")],
    inventory: Annotated[str, typer.Option("--inventory", help="The count, as JSON or CSV.")] = "",
    start: Annotated[str, typer.Option("--from", help="Where the first period begins.")] = "",
    out: _Out = "",
    home: _Home = "",
    as_json: AsJson = False,
) -> None:
    """Close an area's next period: write its three reports, keep them, and draft what the party states."""
    end = parse_date_or_instant(until, path="--until")
    begin = parse_date_or_instant(start, path="--from") if start else None
    count = _read_inventory(inventory, party, area, end) if inventory else None
    if out:
        check_new(out)
    with books_of(context, home) as books:
        closed = books.balances.close(
            area, party=party, until=end, now=_now(), inventory=count, start=begin
        )
    language = language_of(context)
    lines = list(words.balance_lines(closed.balance, language))
    told = {"number": closed.balance.number, "area": area}
    lines.append(say("registry.balance.closed", language, **told))
    files = _draft(closed, out) if out else []
    if files:
        lines.append(say("registry.balance.drafts", language, folder=out))
    document = {"verdict": closed.balance.verdict, **_sheet(closed.balance), "files": files}
    code = verdict_code(closed.balance.verdict)
    deliver(Answer(document=document, text="\n".join(lines), exit_code=code), as_json=as_json)


@balance.command()
def check(
    context: typer.Context,
    *,
    files: Annotated[
        list[str] | None, typer.Argument(metavar="[F...]", help="Reports as JSON.")
    ] = None,
    area: Annotated[str, typer.Option("--area", help="The kept reports of an area.")] = "",
    home: _Home = "",
    as_json: AsJson = False,
) -> None:
    """Quality control: numbers, periods, signs, corrections, sums; of files, or of what a home keeps of an area."""
    from sekisho.registry.balance import check_reports, parse_reports

    if bool(files) == bool(area):
        raise InvalidInput("name files, or an area with --area", path="F, --area")
    if files:
        reports = [r for f in files for r in parse_reports(read_input(f, limit=_MAX), path=f)]
        faults, count = check_reports(reports), len(reports)
    else:
        with books_of(context, home) as books:
            faults = books.balances.check(area)
            count = sum(len(closed.reports) for closed in books.balances.history(area))
    is_open = all(fault.is_open for fault in faults)
    verdict = ("unverifiable" if is_open else "fails") if faults or not count else "holds"
    lines = words.fault_lines(faults, count, language_of(context))
    document = {"verdict": verdict, "reports": count, "faults": faults}
    code = verdict_code(verdict)
    deliver(Answer(document=document, text="\n".join(lines), exit_code=code), as_json=as_json)


@balance.command()
def report(
    context: typer.Context,
    *,
    area: _Area,
    number: Annotated[int, typer.Option("--number", help="Which; the last if left out.")] = 0,
    kind: Annotated[str, typer.Option("--type", help="ICR, PIL or MBR; all if left out.")] = "",
    home: _Home = "",
    as_json: AsJson = False,
) -> None:
    """The reports of a closed period, as they were written."""
    from sekisho.registry.balance import to_plain_reports

    if kind not in ("", "ICR", "PIL", "MBR"):
        raise InvalidInput("is ICR, PIL or MBR", path="--type")
    with books_of(context, home) as books:
        kept = books.balances.history(area)
    if not kept or not 0 <= number <= len(kept):
        raise InvalidInput(f"{area} has {len(kept)} closed balances", path="--number")
    chosen = kept[(number or len(kept)) - 1]
    found = [r for r in chosen.reports if kind in ("", r.header.type)]
    language = language_of(context)
    text = "\n\n".join("\n".join(words.report_lines(one, language)) for one in found)
    deliver(Answer(document=to_plain_reports(found), text=text), as_json=as_json)


@balance.command()
def bulk(
    context: typer.Context,
    file: Annotated[str, typer.Argument(metavar="F", help="A bulk area's book, as JSON.")],
    as_json: AsJson = False,
) -> None:
    """FLOP that a site could have done, less declared and idle, with sigma; alarms by period and cumulated."""
    from sekisho.registry.balance import judge_bulk, parse_bulk_book

    results = judge_bulk(parse_bulk_book(read_input(file, limit=_MAX), path=file))
    code = worst_code(verdict_code(result.verdict) for result in results)
    text = "\n".join(words.bulk_lines(results, language_of(context)))
    document = {"periods": [_bulk(result) for result in results]}
    deliver(Answer(document=document, text=text, exit_code=code), as_json=as_json)


@balance.command()
def stock(
    context: typer.Context,
    *,
    country: Annotated[str, typer.Argument(metavar="COUNTRY", help="Two letters.")],
    start: Annotated[str, typer.Option("--from", help="Where the period begins.")],
    until: Annotated[str, typer.Option("--until", help="Where it ends.")],
    declared: Annotated[str, typer.Option("--declared", help="What the country declares.")] = "",
    last: Annotated[str, typer.Option("--last", help="Its declaration before.")] = "",
    home: _Home = "",
    as_json: AsJson = False,
) -> None:
    """A country's stock by the register; against what it declares, where that is given."""
    from sekisho.model.statements.shapes import Span
    from sekisho.registry.balance import check_stock, parse_stock_declaration

    begin, end = (parse_date_or_instant(t, path="--from, --until") for t in (start, until))
    stated = parse_stock_declaration(read_input(declared, limit=_MAX)) if declared else None
    before = parse_stock_declaration(read_input(last, limit=_MAX)) if last else None
    if stated and (stated.country, stated.period.start, stated.period.end) != (country, begin, end):
        raise InvalidInput("speaks of another country or period", path=declared)
    with books_of(context, home) as books:
        found = books.balances.stock(country, Span(start=begin, end=end))
    rows = check_stock(stated, found, before) if stated else ()
    language = language_of(context)
    lines = [*words.stock_lines(found, begin, end, language), *words.stock_rows(rows, language)]
    document = {"stock": found, "difference": found.difference, "checks": rows}
    code = worst_code(verdict_code(row.verdict) for row in rows) or (1 if found.difference else 0)
    deliver(Answer(document=document, text="\n".join(lines), exit_code=code), as_json=as_json)


def transit(
    context: typer.Context,
    *,
    declared: Annotated[
        str, typer.Option("--declared", help='Both sides: {"shipments":[...],"receipts":[...]}.')
    ] = "",
    home: _Home = "",
    as_json: AsJson = False,
) -> None:
    """What is between two areas: shipments against receipts by movement reference, oldest first."""
    from sekisho.model.wire import to_plain
    from sekisho.registry.balance import match_transit, parse_moved

    if declared:
        sent, got = parse_moved(read_input(declared, limit=_MAX), path=declared)
        rows = match_transit(sent, got, _now())
    else:
        with books_of(context, home) as books:
            rows = books.balances.transit(_now())
    text = "\n".join(words.transit_lines(rows, language_of(context)))
    code = 1 if any(row.is_finding for row in rows) else 0
    document = {"movements": [to_plain(row) for row in rows]}
    deliver(Answer(document=document, text=text, exit_code=code), as_json=as_json)


def mirror(
    context: typer.Context,
    *,
    a: Annotated[str, typer.Argument(metavar="A", help="One side's trade, as JSON.")],
    b: Annotated[str, typer.Argument(metavar="B", help="The other side's.")],
    significant: Annotated[
        int, typer.Option("--significant", min=1, help="One significant quantity, in components.")
    ] = _DEFAULT_SIGNIFICANT,
    as_json: AsJson = False,
) -> None:
    """What one side says that it sent against what the other says that it got; flagged above 5 % or one SQ."""
    from sekisho.registry.balance import parse_trade_declaration, trade_mirrors

    one, other = (parse_trade_declaration(read_input(f, limit=_MAX), path=f) for f in (a, b))
    rows = trade_mirrors(one, other, significant=significant)
    document = {
        "significant": significant,
        "mirrors": [
            {
                "exporter": row.exporter,
                "importer": row.importer,
                "model": row.model,
                "exports": row.exports,
                "imports": row.imports,
                "gap": words.amount(row.gap),
                "flagged": row.is_flagged,
                "verdict": row.verdict,
            }
            for row in rows
        ],
    }
    text = "\n".join(words.mirror_lines(rows, language_of(context)))
    code = worst_code(verdict_code(row.verdict) for row in rows)
    deliver(Answer(document=document, text=text, exit_code=code), as_json=as_json)


def _now() -> Instant:
    from sekisho.ceremony import SystemClock

    return SystemClock().now()


def _read_inventory(file: str, party: str, area: str, taken: Instant) -> Inventory:
    from sekisho.registry.balance import parse_inventory, parse_inventory_table
    from sekisho.registry.balance.inventory import MAX_INVENTORY

    data = read_input(file, limit=MAX_INVENTORY)
    if file.lower().endswith(".csv"):
        return parse_inventory_table(data, party=party, area=area, taken=taken, path=file)
    return parse_inventory(data, path=file)


def check_new(folder: str) -> None:
    """Raise InvalidInput where something is there: drafts never take another's place."""
    if Path(folder).exists():
        raise InvalidInput("is there already", path="--out", remedy="name a new folder")


def _draft(closed: ClosedArea, out: str) -> list[str]:
    from sekisho.app import draft_statements
    from sekisho.model.wire import canonical
    from sekisho.registry.balance import to_plain_reports

    drafts = draft_statements(closed, secrets.token_bytes)
    papers = {"reports.json": canonical(to_plain_reports(closed.reports))}
    return write_drafts(out, drafts, papers)


def write_drafts(out: str, drafts: Sequence[Draft], papers: dict[str, bytes]) -> list[str]:
    """Write drafts by their kind, `disclosures.json` by payload digest, and the papers; the files' paths.

    A crash leaves whole files only; what is closed or kept is so before, and can be drafted again with other salts.
    """
    from sekisho.ceremony import create_file
    from sekisho.model.statements import make_payload, parse_payload
    from sekisho.model.wire import canonical

    folder = Path(out)
    folder.mkdir(mode=0o700)
    written, disclosed = dict(papers), {}
    for place, draft in enumerate(drafts):
        payload = make_payload(draft.fact)
        statement = parse_payload(payload)
        name = f"{statement.kind}.json"
        written[name if name not in written else f"{statement.kind}-{place + 1}.json"] = payload
        disclosed[statement.digest] = [disclosure.text for disclosure in draft.disclosures]
    written["disclosures.json"] = canonical(disclosed)
    for name, data in written.items():
        create_file(folder / name, data)
    return [str(folder / name) for name in sorted(written)]


def _book(book: AreaBook) -> dict[str, Any]:
    return {
        "area": book.area,
        "country": book.country,
        "keeper": book.keeper,
        "at": str(book.at),
        "as_of": None if book.as_of is None else str(book.as_of),
        "held": book.held,
        "changes": book.changes,
        "verdict": book.verdict,
        "last": None if book.last is None else _sheet(book.last),
    }


def _sheet(balance: Balance) -> dict[str, Any]:
    from sekisho.model.wire import to_plain

    plain = to_plain(balance)
    return plain if isinstance(plain, dict) else {}


def _bulk(result: BulkResult) -> dict[str, Any]:
    def flop(figure: float | None) -> str | None:
        return None if figure is None else str(round(figure))

    return {
        "start": str(result.period.start),
        "end": str(result.period.end),
        "unaccounted": flop(result.unaccounted),
        "sigma": flop(result.sigma),
        "cumulated": flop(result.cumulated),
        "cumulated_sigma": flop(result.cumulated_sigma),
        "alarms": result.alarms,
        "coarse": result.is_coarse,
        "missing": result.missing,
        "verdict": result.verdict,
    }
