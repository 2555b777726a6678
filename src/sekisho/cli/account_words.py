"""An account as one JSON document, and as lines and bars for a person."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from fractions import Fraction
from typing import TYPE_CHECKING, Any, Final

from sekisho.catalogue import Language, say
from sekisho.cli.plain_text import tame
from sekisho.model.amounts import format_flop_short
from sekisho.model.instants import Period

if TYPE_CHECKING:
    from sekisho.metering.accounts import Account, Crossing, Figures, Foreseen, KeyAccount

__all__ = ["account_document", "account_lines", "is_closed", "is_measured"]

_BAR: Final = 30
_MOST_BARS: Final = 40
_MOST_CROSSINGS: Final = 20
_MOST_KEYS: Final = 100


def account_document(account: Account, counting: str, engine: str = "") -> dict[str, Any]:
    """The document of `meter account --json`; its keys are in docs/guide/accounts.md."""
    asked = account.question
    window = asked.window
    return {
        "by": asked.by,
        "window": {
            "text": window.text,
            "length_s": None if window.length_us is None else _decimal(window.length_us, 10**6),
            "style": asked.style,
            "anchor": str(window.anchor),
        },
        "from": str(asked.start),
        "to": str(asked.end),
        "unit": asked.unit,
        "counting": counting if asked.unit == "FLOP" else None,
        "engine": engine or None,
        "thresholds": [str(threshold) for threshold in asked.thresholds],
        "keys": [_key(key, account) for key in account.keys],
        "notes": list(account.notes),
    }


def _key(row: KeyAccount, account: Account) -> dict[str, Any]:
    unit = _unit(account)
    return {
        "key": row.key,
        "total": _figures(row.total, unit),
        "windows": [
            {"start": str(w.window.start), "end": str(w.window.end), **_figures(w.figures, unit)}
            for w in row.windows
        ],
        "last": _figures(row.last, unit) if row.last is not None else None,
        "peaks": [
            {"figure": peak.reading, "at": str(peak.at), "work": _amount(peak.work, unit)}
            for peak in row.peaks
        ],
        "crossings": [_crossing(crossing) for crossing in row.crossings],
        "forecast": [_foreseen(foreseen) for foreseen in row.foreseen],
        "notes": list(row.notes),
    }


def _figures(figures: Figures, unit: int) -> dict[str, Any]:
    """FLOP as decimal strings; null where nothing of it was measured, and never zero."""
    bounded, estimated = figures.is_measured, figures.is_estimated
    return {
        "entries": figures.entries,
        "bound_low": _amount(figures.bound_low, unit) if bounded else None,
        "bound_high": _amount(figures.bound_high, unit) if bounded else None,
        "bound_is_whole": figures.is_whole,
        "estimate_low": _amount(figures.estimate_low, unit) if estimated else None,
        "estimate_best": _amount(figures.estimate_best, unit) if estimated else None,
        "estimate_high": _amount(figures.estimate_high, unit) if estimated else None,
        "declared": None if figures.declared is None else _amount(figures.declared, unit),
        "chip_seconds": _decimal(figures.chip_ms, 1_000),
        "not_measured": {
            "entries": figures.unbounded,
            "share": _share(figures.unbounded_ms, figures.chip_ms, figures.unbounded),
        },
        "not_estimated": {
            "entries": figures.unestimated,
            "share": _share(figures.unestimated_ms, figures.chip_ms, figures.unestimated),
        },
        "gap_share": _share(figures.gap_ms, figures.chip_ms, figures.gap_ms),
        "open_chip_seconds": _decimal(figures.open_ms, 1_000),
        "exempt_chip_seconds": _decimal(figures.exempt_ms, 1_000),
        "tiers": list(figures.tiers),
    }


def _crossing(crossing: Crossing) -> dict[str, Any]:
    return {
        "threshold": str(crossing.threshold),
        "figure": crossing.reading,
        "direction": crossing.direction,
        "at": str(crossing.at),
        "window": _window(crossing.window),
        "is_whole": crossing.is_whole,
    }


def _foreseen(foreseen: Foreseen) -> dict[str, Any]:
    answers = {
        name: {
            "outlook": answer.outlook,
            "at": None if answer.at is None else str(answer.at),
            "rests_on": answer.rests_on,
        }
        for name, answer in (("earliest", foreseen.earliest), ("expected", foreseen.expected))
    }
    return {
        "threshold": str(foreseen.threshold),
        "window": _window(foreseen.window),
        **answers,
    }


def _window(window: Period | str) -> str | dict[str, str]:
    if isinstance(window, Period):
        return {"start": str(window.start), "end": str(window.end)}
    return window


def _share(part: int, whole: int, count: int) -> float | None:
    """A share of the device time, 0 to 1; null where the time of what is missing is not known either."""
    if not count:
        return 0.0
    return round(part / whole, 6) if whole and part else None


def _unit(account: Account) -> int:
    from sekisho.metering.accounts import PER_UNIT

    return PER_UNIT[account.question.unit]


def _amount(work: int, unit: int) -> str:
    """Whole units, a rest rounded up: bounds stay sound."""
    return str(-(-work // unit))


def _decimal(amount: int, unit: int) -> str:
    whole, rest = divmod(amount, unit)
    places = len(str(unit)) - 1
    return f"{whole}.{rest:0{places}d}".rstrip("0").rstrip(".")


def is_measured(account: Account) -> bool:
    """Whether everything in the account has a bound."""
    return all(key.total.is_whole for key in account.keys)


def is_closed(account: Account) -> bool:
    """Whether nothing in the account rests on a record without an end whose device has fallen silent."""
    return not any(key.total.open_ms for key in account.keys)


# --- for a person ---------------------------------------------------------------------------------


def account_lines(account: Account, counting: str, language: Language) -> list[str]:
    """Each key with its figures, a bar for each window, crossings and what is foreseen."""
    asked = account.question
    lines = [
        say(
            "meter.account.head",
            language,
            unit=asked.unit,
            by=asked.by,
            window=asked.window.text,
            start=asked.start,
            end=asked.end,
            counting=counting if asked.unit == "FLOP" else "-",
        )
    ]
    for row in account.keys[:_MOST_KEYS]:
        lines += _key_lines(row, account, language)
    if not account.keys:
        lines.append(say("meter.account.empty", language))
    if len(account.keys) > _MOST_KEYS:
        lines.append(f"... {len(account.keys) - _MOST_KEYS}")
    return lines


def _key_lines(row: KeyAccount, account: Account, language: Language) -> Iterator[str]:
    unit = _unit(account)
    short = _Short(account)
    name = tame(row.key) if row.key else say("meter.account.nobody", language)
    yield f"{name}: {', '.join(_figure_words(row.total, short, language))}"
    yield from (f"  {line}" for line in _bars(row, unit, account, short))
    for peak in row.peaks:
        yield "  " + say(
            "meter.account.peak",
            language,
            reading=say(f"meter.account.reading.{peak.reading}", language),
            amount=short(peak.work),
            at=peak.at,
        )
    yield from (f"  {line}" for line in _crossing_lines(row.crossings, short, unit, language))
    yield from (f"  {line}" for line in _foreseen_lines(row.foreseen, short, unit, language))
    yield from (f"  {tame(note)}" for note in row.notes)


class _Short:
    """Amounts of an account for a person."""

    def __init__(self, account: Account) -> None:
        self._unit = _unit(account)
        self._is_flop = account.question.unit == "FLOP"

    def __call__(self, work: int) -> str:
        if self._is_flop:
            return format_flop_short(work)
        return f"{-(-work // self._unit):,} chip-s"


def _figure_words(figures: Figures, short: _Short, language: Language) -> Iterator[str]:
    if figures.is_measured or not figures.entries:
        yield say("meter.account.at_most", language, amount=short(figures.bound_high))
    if figures.is_estimated and figures.entries:
        low, best, high = (
            short(figure)
            for figure in (figures.estimate_low, figures.estimate_best, figures.estimate_high)
        )
        yield say("meter.account.about", language, low=low, best=best, high=high)
    if figures.unbounded:
        yield say(
            "meter.account.unmeasured", language, count=figures.unbounded, all=figures.entries
        )
    if figures.open_ms:
        hours = f"{figures.open_ms / 3_600_000:,.3f}"
        yield say("meter.account.open", language, hours=hours)
    share = _share(figures.unestimated_ms, figures.chip_ms, figures.unestimated)
    if figures.is_estimated and share:
        yield say("meter.account.unestimated", language, share=f"{share:.1%}")


def _bars(row: KeyAccount, unit: int, account: Account, short: _Short) -> Iterator[str]:
    """A bar for each calendar window: the bound's high end, of the largest threshold or of the largest window."""
    thresholds = [threshold * unit for threshold in account.question.thresholds]
    shown = row.windows[-_MOST_BARS:]
    whole = max([*thresholds, *(w.figures.bound_high for w in shown)], default=0)
    for window in shown if whole else ():
        work = window.figures.bound_high
        length = round(Fraction(work * _BAR, whole))
        bar = "█" * length + "░" * (_BAR - length)
        of = f" {round(Fraction(work * 100, max(thresholds)))} %" if thresholds else ""
        yield f"{str(window.window.start)[:16]} {bar} {short(work)}{of}"


def _crossing_lines(
    crossings: Sequence[Crossing], short: _Short, unit: int, language: Language
) -> Iterable[str]:
    for crossing in crossings[:_MOST_CROSSINGS]:
        window = crossing.window
        where = (
            f"{str(window.start)[:10]}/{str(window.end)[:10]}"
            if isinstance(window, Period)
            else say("meter.account.sliding", language)
        )
        yield say(
            f"meter.account.{crossing.direction}",
            language,
            threshold=short(crossing.threshold * unit),
            at=crossing.at,
            reading=say(f"meter.account.reading.{crossing.reading}", language),
            window=where,
        )
    if len(crossings) > _MOST_CROSSINGS:
        more = len(crossings) - _MOST_CROSSINGS
        yield say("meter.account.crossings_more", language, count=more)


def _foreseen_lines(
    foreseen: Sequence[Foreseen], short: _Short, unit: int, language: Language
) -> Iterable[str]:
    for row in foreseen:
        for which, answer in (("earliest", row.earliest), ("expected", row.expected)):
            told = {
                "threshold": short(row.threshold * unit),
                "which": say(f"meter.account.{which}", language),
                "outlook": say(f"meter.account.outlook.{answer.outlook}", language),
            }
            if answer.outlook == "met":  # when and by what stands among the crossings
                yield say("meter.account.foreseen.met", language, **told)
                continue
            yield say(
                "meter.account.foreseen",
                language,
                **told,
                at="" if answer.at is None else f" {answer.at}",
                grounds=tame(answer.rests_on),
            )
