"""Balances, reports and production in words: the forms as a person reads them on a terminal, English or Japanese."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from fractions import Fraction
from typing import TYPE_CHECKING, Final

from sekisho.catalogue import Language, say
from sekisho.cli.plain_text import tame

if TYPE_CHECKING:
    from sekisho.app import AreaBook, CheckedProduction
    from sekisho.registry.balance import (
        Balance,
        BulkResult,
        Fault,
        FlowCheck,
        Mirror,
        NationalStock,
        Report,
        ReportLine,
        TransitRow,
    )
    from sekisho.registry.production import Check, QuotaState

__all__ = [
    "amount",
    "balance_lines",
    "book_lines",
    "bulk_lines",
    "fault_lines",
    "figure",
    "mirror_lines",
    "production_lines",
    "quota_line",
    "report_lines",
    "stock_lines",
    "stock_rows",
    "transit_lines",
]

_NAMED: Final = 20
_DAY_S: Final = 86_400
_STOCK: Final = ("opening", "production", "imports", "exports", "destroyed", "other", "closing")


def figure(value: int | None, language: Language) -> str:
    """A count with thousands, or that it was not measured."""
    return say("balance.not-measured", language) if value is None else f"{value:,}"


def amount(value: Fraction | None) -> str | None:
    """An exact figure as a decimal of at most six places."""
    if value is None:
        return None
    text = f"{float(value):.6f}" if abs(value) < 10**9 else str(round(value))
    return text.rstrip("0").rstrip(".") if "." in text else text


def balance_lines(balance: Balance, language: Language) -> Iterator[str]:
    """A balance sheet: opening, each code, book, counted, unaccounted for; what is missing by name; why."""
    opening = "counted" if balance.opening_counted else "book"
    if balance.number == 1:
        opening = "first"
    rows = [("PB", say(f"balance.opening.{opening}", language), f"{balance.opening:,}")]
    rows += [
        (change.code, _code(change.code, language), f"{change.net:+,}")
        for change in balance.changes
    ]
    rows += [
        ("BA", say("balance.book", language), f"{balance.book:,}"),
        ("PE", say("balance.counted", language), figure(balance.counted, language)),
        ("MF", say("balance.unaccounted", language), figure(balance.unaccounted, language)),
        ("", say("balance.cumulative", language), figure(balance.cumulative, language)),
    ]
    unit = say("balance.unit", language)
    yield f"{balance.area}  {balance.number}  {balance.period.start} - {balance.period.end}  ({unit})"
    width = max(_width(name) for _, name, _ in rows)
    for code, name, value in rows:
        yield f"  {code:4}{_pad(name, width)}  {value:>14}"
    if balance.late:
        yield say("balance.late", language, count=balance.late)
    for key in ("missing", "surplus", "contradicted"):
        epcs: Sequence[str] = getattr(balance, key)
        if epcs:
            yield f"{say(f'balance.{key}', language)}: {_named(epcs)}"
    reasons = "; ".join(say(f"balance.reason.{reason}", language) for reason in balance.reasons)
    verdict = say(f"balance.verdict.{balance.verdict}", language)
    yield f"{verdict}: {reasons}" if reasons else verdict


def book_lines(book: AreaBook, language: Language) -> Iterator[str]:
    """An area's book at an instant, and its last balance."""
    verdict = say(f"balance.verdict.{book.verdict}", language)
    yield say(
        "registry.balance.book",
        language,
        area=tame(book.area),
        held=f"{book.held:,}",
        at=book.at,
        verdict=verdict,
    )
    for change in book.changes:
        yield f"  {change.code:4}{_code(change.code, language)}: {change.net:+,}"
    if book.last is None:
        yield f"  {say('registry.balance.none', language)}"
        return
    last = book.last
    yield "  " + say(
        "registry.balance.last",
        language,
        number=last.number,
        start=last.period.start,
        end=last.period.end,
        verdict=say(f"balance.verdict.{last.verdict}", language),
    )


def report_lines(report: Report, language: Language) -> Iterator[str]:
    """A report as its form: the header, then its entries in columns."""
    head = report.header
    yield f"{head.type} {head.number}  {say(f'balance.type.{head.type}', language)}"
    yield f"  {say('balance.area', language)}: {tame(head.area)}   {say('balance.keeper', language)}: {head.party}"
    yield f"  {say('balance.country', language)}: {head.country}   {head.period.start} - {head.period.end}"
    yield say("registry.balance.columns", language)
    for line in report.lines:
        yield _entry(line, language)


def _entry(line: ReportLine, language: Language) -> str:
    told = [line.batch, line.description, line.point, line.note]
    if line.code:
        told.insert(0, _code(line.code, language))
    if line.direction is not None:
        told.append("-> out" if line.direction == "out" else "-> in")
    if line.corrects is not None:
        target = {"report": line.corrects.report, "entry": line.corrects.entry}
        told.append(say("registry.balance.corrects", language, **target))
    way = f"{tame(line.area_from) or '-'} -> {tame(line.area_to) or '-'}"
    rest = ", ".join(tame(part) for part in told if part)
    return f"{line.entry:5}  {line.at}  {line.code:4}  {line.items:5,}  {way}  {rest}"


def fault_lines(faults: Sequence[Fault], count: int, language: Language) -> Iterator[str]:
    """Every fault with its code, report and entry."""
    if not faults:
        yield say("registry.balance.sound", language, count=count)
        return
    yield say("registry.balance.faults", language, count=count, faults=len(faults))
    for fault in faults:
        entry = f" entry {fault.entry}" if fault.entry else ""
        yield f"  {tame(fault.area)} {fault.report}{entry}: {fault.code}: {tame(fault.problem)}"


def bulk_lines(results: Iterable[BulkResult], language: Language) -> Iterator[str]:
    """Each period's difference with its sigma, and what sounds."""
    for result in results:
        yield say(
            "registry.bulk.period",
            language,
            start=result.period.start,
            end=result.period.end,
            verdict=say(f"balance.verdict.{result.verdict}", language),
        )
        if result.missing:
            yield "  " + say("registry.bulk.missing", language, names=", ".join(result.missing))
        if result.unaccounted is not None and result.sigma is not None:
            muf, sigma = f"{result.unaccounted:+,}", f"{result.sigma:.3g}"
            yield "  " + say("registry.bulk.figures", language, muf=muf, sigma=sigma)
        if result.cumulated is not None and result.cumulated_sigma is not None:
            cumuf, sigma = f"{result.cumulated:+,}", f"{result.cumulated_sigma:.3g}"
            yield "  " + say("registry.bulk.cumulated", language, cumuf=cumuf, sigma=sigma)
        for alarm in result.alarms:
            yield "  " + say(f"registry.bulk.alarm.{alarm}", language)
        if result.is_coarse:
            yield "  " + say("registry.bulk.coarse", language)


def stock_lines(stock: NationalStock, start: object, end: object, language: Language) -> list[str]:
    """A country's stock as the register has it."""
    title = say("registry.stock.title", language, country=stock.country, start=start, end=end)
    names = {flow: say(f"registry.stock.{flow}", language) for flow in _STOCK}
    width = max(map(_width, names.values()))
    rows = (f"  {_pad(name, width)}  {getattr(stock, flow):>12,}" for flow, name in names.items())
    return [title, *rows]


def stock_rows(rows: Iterable[FlowCheck], language: Language) -> Iterator[str]:
    """What a declaration says of each figure, and what was found."""
    for row in rows:
        yield say(
            "registry.stock.row",
            language,
            flow=say(f"registry.stock.{row.flow}", language),
            declared=figure(row.declared, language),
            registered=figure(row.registered, language),
            verdict=say(f"balance.verdict.{row.verdict}", language),
        )


def mirror_lines(rows: Iterable[Mirror], language: Language) -> Iterator[str]:
    """Both sides' figures of each flow and the gap between them."""
    for row in rows:
        gap = None if row.gap is None else f"{float(row.gap):.1%}"
        yield say(
            "registry.mirror.row",
            language,
            exporter=row.exporter,
            importer=row.importer,
            model=tame(row.model),
            exports=figure(row.exports, language),
            imports=figure(row.imports, language),
            gap=gap or say("balance.not-measured", language),
            verdict=say(f"balance.verdict.{row.verdict}", language),
        )


def transit_lines(rows: Sequence[TransitRow], language: Language) -> Iterator[str]:
    """What is on its way or does not match, oldest first."""
    if not rows:
        yield say("registry.transit.none", language)
    for row in rows:
        yield say(
            "registry.transit.row",
            language,
            reference=tame(row.reference),
            state=say(f"balance.transit.{row.state}", language),
            shipper=row.shipper or "?",
            consignee=row.consignee or "?",
            shipped=figure(row.shipped, language),
            received=figure(row.received, language),
            difference=figure(row.difference, language),
            days=row.age_s // _DAY_S,
        )


def production_lines(checked: CheckedProduction, language: Language) -> Iterator[str]:
    """One report's checks."""
    report = checked.report
    yield say(
        "registry.production.report",
        language,
        fab=report.fab,
        product=report.product,
        start=report.period.start,
        end=report.period.end,
        verdict=say(f"balance.verdict.{checked.verdict}", language),
    )
    for check in checked.checks:
        yield f"  {_check(check, language)}"
        if check.why:
            yield f"    {tame(check.why)}"


def _check(check: Check, language: Language) -> str:
    name = say(f"registry.production.check.{check.name}", language)
    if check.missing:
        names = ", ".join(check.missing)
        return say("registry.production.missing", language, name=name, names=names)
    return say(
        "registry.production.check",
        language,
        name=name,
        stated=amount(check.stated),
        expected=amount(check.expected),
        unit=check.unit,
        residual=amount(check.residual),
        tolerance=amount(check.tolerance),
        verdict=say(f"balance.verdict.{check.verdict}", language),
    )


def quota_line(state: QuotaState, language: Language) -> str:
    """One quota's account."""
    return say(
        "registry.production.quota",
        language,
        fab=state.quota.fab,
        product=state.quota.product,
        start=state.quota.period.start,
        end=state.quota.period.end,
        granted=state.quota.dies,
        replaced=-state.balance("replacement"),
        used=state.used,
        available=state.available,
        over=state.over,
        verdict=say(f"balance.verdict.{state.verdict}", language),
    )


def _code(code: str, language: Language) -> str:
    from sekisho.registry.balance import BALANCE_CODES, CODES

    if code in BALANCE_CODES:
        return say(f"balance.code.{code}", language)
    return say(f"balance.code.{CODES[code].key}", language) if code in CODES else tame(code)


def _named(epcs: Sequence[str]) -> str:
    more = f" (+{len(epcs) - _NAMED:,})" if len(epcs) > _NAMED else ""
    return ", ".join(tame(epc) for epc in epcs[:_NAMED]) + more


def _width(text: str) -> int:
    """Columns on a terminal: a full-width sign takes two."""
    return sum(2 if unicodedata.east_asian_width(sign) in "WF" else 1 for sign in text)


def _pad(text: str, width: int) -> str:
    return text + " " * (width - _width(text))
