"""`sekisho meter whole`: whose every device was, for every millisecond, and what does not fit together."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from fractions import Fraction
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from sekisho.catalogue import Language, say
from sekisho.cli.answer import Answer, AsJson, deliver, verdict_code
from sekisho.cli.meter_place import StorePlace, open_place
from sekisho.cli.plain_text import tame
from sekisho.cli.progress import bar
from sekisho.cli.reading import read_input
from sekisho.cli.surroundings import language_of
from sekisho.model.errors import InvalidInput
from sekisho.model.instants import Instant, Period, parse_date_or_instant

if TYPE_CHECKING:
    from sekisho.metering.allotment import Allotment, AllotmentFinding, DeviceAccount

__all__ = ["add_to"]

_USUAL_S: Final = 30 * 86_400
_SHOWN: Final = 200
"""Rows that a person is shown, those with most to explain first; the document has all."""
_CELLS: Final = 40
_SIGNS: Final[Mapping[str, str]] = {
    "leased": "#",
    "exempt": "=",
    "undecided": "?",
    "unattributed": "-",
    "not_seen": ".",
}
"""The parts of a device's time, which make up all of it, and how a bar shows each."""
_BESIDE: Final = ("overlapped", "dark")


def add_to(app: typer.Typer) -> None:
    """Add this part's commands to the group."""
    app.command()(whole)


def whole(
    context: typer.Context,
    *,
    since: Annotated[
        str, typer.Option("--from", help="A day or an instant in UTC; 30 days before --to.")
    ] = "",
    until: Annotated[
        str, typer.Option("--to", help="A day or an instant in UTC, not included; now at most.")
    ] = "",
    enrolled: Annotated[
        str,
        typer.Option(
            "--enrolled", help="CSV device,site and chip,host,from: what must be accounted."
        ),
    ] = "",
    store: StorePlace = "",
    as_json: AsJson = False,
) -> None:
    """Every device accounted whole: leased + exempt + undecided + unattributed + not seen = its time.

    Ends with 1 where something does not fit together, with 3 where something was not seen or not measured.
    """
    from sekisho.app.telemetry import account_whole
    from sekisho.metering.enrolment import MAX_REGISTER, parse_register

    language = language_of(context)
    period = _period(since, until, _now())
    register = (
        parse_register(read_input(enrolled, limit=MAX_REGISTER), enrolled) if enrolled else None
    )
    with bar(say("meter.whole.bar", language)) as heard:
        heard(0, 1)
        found = account_whole(open_place(context, store), period, register)
    text = "\n".join(_lines(found, period, language))
    answer = Answer(document=_document(found, period), text=text, exit_code=_code(found))
    deliver(answer, as_json=as_json)


def _period(since: str, until: str, now: Instant) -> Period:
    end = min(now, parse_date_or_instant(until, path="--to")) if until else now
    start = parse_date_or_instant(since, path="--from") if since else end.plus(-_USUAL_S)
    if start >= end:
        raise InvalidInput(
            "the period is empty: nothing is accounted ahead of now",
            path="--from",
            remedy="write a beginning before --to and before now",
        )
    return Period(start, end)


def _code(found: Allotment) -> int:
    """1 for any finding but an open record, which may just run; of no device at all nothing was measured."""
    if any(finding.kind != "open allocation" for finding in found.findings):
        return 1
    return verdict_code(found.verdict) if found.accounts else 3


# --- the document ---------------------------------------------------------------------------------


def _document(found: Allotment, period: Period) -> dict[str, Any]:
    return {
        "start": str(period.start),
        "end": str(period.end),
        "verdict": found.verdict if found.accounts or found.findings else "unverifiable",
        "devices": [
            {"device": one.device, "site": one.site, "chip": one.chip, **_figures([one])}
            for one in found.accounts
        ],
        "total": {"devices": len(found.accounts), **_figures(found.accounts)},
        "findings": [_finding(finding) for finding in found.findings],
    }


def _figures(accounts: Sequence[DeviceAccount]) -> dict[str, Any]:
    """Whole milliseconds, the parts adding up to the whole, and each part's exact share of it.

    A MIG slice may leave a fraction of a millisecond: then the milliseconds are to the next one, the shares exact.
    """
    device_ms = sum(account.device_ms for account in accounts)
    parts = {name: _sum(accounts, name) for name in _SIGNS}
    beside = {name: _sum(accounts, name) for name in _BESIDE}
    whole_ms = dict(zip(parts, _apportion(list(parts.values()), device_ms), strict=True))
    return {
        "device_ms": device_ms,
        **{f"{name}_ms": count for name, count in whole_ms.items()},
        **{
            f"{name}_ms": -(-value.numerator // value.denominator) for name, value in beside.items()
        },
        "shares": {name: str(value / device_ms) for name, value in parts.items()}
        if device_ms
        else None,
    }


def _sum(accounts: Iterable[DeviceAccount], name: str) -> Fraction:
    return sum((getattr(account, f"{name}_ms") for account in accounts), Fraction(0))


def _apportion(values: Sequence[Fraction], total: int) -> list[int]:
    """Whole numbers that add up to the total, each within one of its value: the largest rests are rounded up."""
    cut = [int(value) for value in values]
    by_rest = sorted(range(len(values)), key=lambda place: cut[place] - values[place])
    for place in by_rest[: total - sum(cut)]:
        cut[place] += 1
    return cut


def _finding(finding: AllotmentFinding) -> dict[str, Any]:
    return {
        "kind": finding.kind,
        "verdict": finding.verdict,
        "device": finding.device,
        "jobs": list(finding.jobs),
        "start": str(finding.start),
        "end": str(finding.end),
        "why": finding.why,
    }


# --- in words -------------------------------------------------------------------------------------


def _lines(found: Allotment, period: Period, language: Language) -> Iterator[str]:
    if not found.accounts:
        yield say("meter.whole.none", language)
    else:
        hours = _hours(sum(one.device_ms for one in found.accounts))
        told = {"start": period.start, "end": period.end, "count": len(found.accounts)}
        yield say("meter.whole.head", language, hours=hours, **told)
        yield say("meter.whole.legend", language)
        for one in sorted(found.accounts, key=_unexplained, reverse=True)[:_SHOWN]:
            names = (one.device, one.site, one.chip or "-")
            yield _line("  ".join(tame(name) for name in names), [one], language)
        if len(found.accounts) > _SHOWN:
            yield say("meter.whole.more", language, count=len(found.accounts) - _SHOWN)
        yield _line(say("meter.whole.total", language), found.accounts, language)
    yield from (_finding_line(finding, language) for finding in found.findings[:_SHOWN])
    if len(found.findings) > _SHOWN:
        yield say("meter.whole.more-findings", language, count=len(found.findings) - _SHOWN)


def _unexplained(account: DeviceAccount) -> Fraction:
    return account.undecided_ms + account.unattributed_ms + account.not_seen_ms


def _line(name: str, accounts: Sequence[DeviceAccount], language: Language) -> str:
    """A bar, the name, and the parts that are not nothing."""
    total = sum(account.device_ms for account in accounts)
    parts = {part: _sum(accounts, part) for part in _SIGNS}
    said = [
        say(f"meter.whole.{part}", language, hours=_hours(value), share=_percent(value / total))
        for part, value in parts.items()
        if value
    ]
    for part in _BESIDE:
        value = _sum(accounts, part)
        if value:
            said.append(say(f"meter.whole.{part}", language, hours=_hours(value)))
    return f"[{_picture(parts, total)}] {name}: {', '.join(said) or _hours(0)}"


def _picture(parts: Mapping[str, Fraction], total: int) -> str:
    """So many cells in proportion; what is not nothing has one at least, at the cost of the largest."""
    if not total:
        return " " * _CELLS
    cells = _apportion([value * _CELLS / total for value in parts.values()], _CELLS)
    for place, value in enumerate(parts.values()):
        if value and not cells[place]:
            cells[cells.index(max(cells))] -= 1
            cells[place] = 1
    return "".join(sign * count for sign, count in zip(_SIGNS.values(), cells, strict=True))


def _finding_line(finding: AllotmentFinding, language: Language) -> str:
    jobs = ", ".join(tame(job) for job in finding.jobs)
    return say(
        "meter.whole.finding",
        language,
        verdict=say(f"audit.verdict.{finding.verdict}", language),
        kind=finding.kind,
        device=f"{tame(finding.device)}, " if finding.device else "",
        jobs=f"{jobs}, " if jobs else "",
        start=finding.start,
        end=finding.end,
        why=tame(finding.why),
    )


def _hours(ms: Fraction | int) -> str:
    return f"{float(ms) / 3_600_000:,.3f}"


def _percent(share: Fraction) -> str:
    """To a tenth; nothing that is there reads as nothing, and nothing that lacks something as all."""
    if 0 < share < Fraction(1, 1000):
        return "<0.1 %"
    if Fraction(999, 1000) < share < 1:
        return ">99.9 %"
    return f"{float(share * 100):.1f} %"


def _now() -> Instant:
    from sekisho.ceremony import SystemClock

    return SystemClock().now()
