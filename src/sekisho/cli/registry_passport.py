"""`sekisho registry passport`: one chip's papers out of a home, and the judging of papers that somebody handed over."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from sekisho.catalogue import MESSAGES, Language, say
from sekisho.cli.answer import Answer, AsJson, deliver, verdict_code
from sekisho.cli.plain_text import quote, tame
from sekisho.cli.reading import read_input
from sekisho.cli.registry_holdings import HomeOfRegister, papers_of
from sekisho.cli.surroundings import (
    LogPlace,
    PolicyFile,
    Sources,
    deliver_unverifiable,
    find_log,
    language_of,
)
from sekisho.model.errors import InvalidInput

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sekisho.model.instants import Instant
    from sekisho.registry.passport import Passport
    from sekisho.registry.passport_check import PassportVerdict
    from sekisho.registry.passport_gaps import Gap
    from sekisho.registry.passport_line import Line

__all__ = ["add_to"]

_VERIFY = "verify"
_Words = Annotated[
    list[str],
    typer.Argument(
        metavar="EPC | SERIAL | verify F", help="A chip; or `verify` and a passport's file."
    ),
]
_At = Annotated[str, typer.Option("--at", help="What held then; a date or instant. Now if empty.")]
_AsOf = Annotated[str, typer.Option("--as-of", help="What was known by then. Now if empty.")]


def add_to(app: typer.Typer) -> None:
    """Put this part's commands into the group."""
    app.command()(passport)


def passport(
    context: typer.Context,
    *,
    words: _Words,
    at: _At = "",
    as_of: _AsOf = "",
    out: Annotated[str, typer.Option("--out", help="Write the file; never over one.")] = "",
    home: HomeOfRegister = "",
    log: LogPlace = "",
    policy: PolicyFile = "",
    as_json: AsJson = False,
) -> None:
    """One chip's passport with its proofs; `passport verify F` judges one by your own trust root."""
    if words[0] == _VERIFY and len(words) == 2:
        _verify(context, words[1], Sources(home=home, log=log, policy=policy), as_json=as_json)
    if words == [_VERIFY]:
        raise InvalidInput(
            "is missing", path="F", remedy="name the passport's file, or - for input"
        )
    if len(words) != 1:
        raise InvalidInput("name one chip, or `verify` and a file", path="EPC")
    found = _load(context, home, words[0], (_instant(at, "--at"), _instant(as_of, "--as-of")))
    language = language_of(context)
    text = "\n".join(_told(found, language))
    if out:
        from sekisho.ceremony import create_file

        create_file(Path(out), found.to_bytes())
        text += "\n" + say("registry.passport.written", language, file=out)
    answer = Answer(document=_plain(found), text=text, exit_code=verdict_code(found.verdict))
    deliver(answer, as_json=as_json)


def _load(
    context: typer.Context, home: str, text: str, view: tuple[Instant | None, Instant | None]
) -> Passport:
    from sekisho.ceremony import SystemClock

    with papers_of(context, home) as papers:
        epcs = papers.find(text)
        if len(epcs) != 1:
            raise InvalidInput(
                f"{len(epcs)} chips bear {text[:80]!r}" if epcs else f"no chip bears {text[:80]!r}",
                path="EPC",
                remedy=f"name one of {', '.join(epcs[:5])}" if epcs else "sekisho registry chips",
            )
        found = papers.passport(epcs[0], now=SystemClock().now(), at=view[0], as_of=view[1])
    if found is None:
        raise InvalidInput(f"no event speaks of {epcs[0][:200]!r}", path="EPC")
    return found


def _instant(text: str, path: str) -> Instant | None:
    from sekisho.model.instants import parse_date_or_instant

    return parse_date_or_instant(text, path=path) if text else None


def _plain(document: object) -> Any:
    from sekisho.model.wire import to_plain

    return to_plain(document)


def _told(found: Passport, language: Language) -> list[str]:
    """The passport in words: who it is, how it stands, its lines, its gaps, and what it does not show."""
    state = found.standing.state if found.standing else "unregistered"
    lines = [f"{tame(found.epc)}: {say(f'chip.state.{state}', language)}"]
    if found.identity is not None:
        who = found.identity
        component = say(f"chip.component.{who.component}", language)
        lines.append(f"  {component}, {quote(who.model)}, {tame(who.maker)}/{tame(who.serial)}")
    if found.specs is not None:
        lines.append(f"  TPP {found.specs.tpp.value}, {_figures(found)}")
    if found.standing is not None:
        where = " ".join(filter(None, (found.standing.site, found.standing.country)))
        lines.append(f"  {tame(found.standing.custodian)} {tame(where)}".rstrip())
    lines.append("")
    lines += [text for line in found.lines for text in _line(line, language)]
    lines += _gaps(found.gaps, found.at or found.issued, language)
    lines.append("")
    lines.append(f"{say(f'chip.verdict.{found.verdict}', language)}: {_why(found, language)}")
    return lines


def _figures(found: Passport) -> str:
    figures = found.specs.h100e if found.specs is not None else ()
    return ", ".join(f"{figure.value} H100e ({figure.source})" for figure in figures)


def _line(line: Line, language: Language) -> list[str]:
    struck = line.struck_by is not None
    outcome = "struck" if struck else line.outcome
    act = say(f"chip.act.{line.act}", language)
    said = f"{line.at}  #{line.number} {'~~' + act + '~~' if struck else act}"
    if outcome != "taken":
        said += f" ({say(f'chip.outcome.{outcome}', language)})"
    if line.after is not None:
        said += f"  {tame(line.after.custodian)} {tame(line.after.place)} {line.after.country}"
    evidence = [say("chip.evidence.party", language, party=tame(name)) for name in line.parties]
    evidence += [say("chip.evidence.power", language, power=name) for name in line.powers]
    signed = ", ".join(evidence) or say("chip.evidence.unsigned", language)
    verdict = say(f"chip.verdict.{line.verdict}", language)
    why = say(f"chip.why.{line.why}", language)
    told = [said.rstrip(), f"    {signed}; {verdict}: {why}"]
    told += [f"    ! {_alert(alert.code, language)}: {tame(alert.detail)}" for alert in line.alerts]
    return told


def _alert(code: str, language: Language) -> str:
    """An alert in words; one that a newer register raised is said by its code."""
    key = f"chip.alert.{code}"
    return say(key, language) if key in MESSAGES else tame(code)


def _gaps(gaps: Iterable[Gap], now: Instant, language: Language) -> list[str]:
    told = []
    for gap in gaps:
        days = f"{gap.seconds(now) / 86_400:.1f} d"
        timed = {"time": days} if gap.kind in ("silent", "in-transit", "whereabouts") else {}
        numbers = " ".join(f"#{number}" for number in gap.lines)
        told.append(f"! {say(f'chip.gap.{gap.kind}', language, **timed)}: {gap.since} {numbers}")
    return ["", *told] if told else []


def _why(found: Passport, language: Language) -> str:
    return say(f"web.passport.verdict.{found.verdict}", language)


def _verify(context: typer.Context, file: str, sources: Sources, *, as_json: bool) -> None:
    """Judge a passport by a log that is read whole, or by the entries that travel with it. Does not return."""
    from sekisho.ceremony import open_log, seen_in_entries, seen_in_log
    from sekisho.registry.passport import MAX_PASSPORT, parse_passport
    from sekisho.registry.passport_check import judge_passport

    language = language_of(context)
    shown = parse_passport(read_input(file, limit=MAX_PASSPORT), path=file)
    place, root = find_log(context, sources, origin=shown.log)
    if root is None or root.origin != shown.log:
        deliver_unverifiable("registry.passport.no-root", language, as_json=as_json)
    is_read = place is not None
    committed = (
        seen_in_log(open_log(place), root) if place is not None else seen_in_entries(shown, root)
    )
    judged = judge_passport(shown, committed)
    deliver(_judged(shown, judged, language, is_read=is_read), as_json=as_json)


def _judged(
    shown: Passport, judged: PassportVerdict, language: Language, *, is_read: bool
) -> Answer:
    limits = [*shown_limits(is_read=is_read)]
    verdict = judged.verdict
    lines = [f"{say(f'chip.verdict.{verdict}', language)}: {tame(shown.epc)}"]
    for check in judged.checks:
        numbers = " ".join(f"#{number}" for number in check.lines)
        word = say(f"chip.verdict.{check.verdict}", language)
        lines.append(f"  {say(f'chip.check.{check.name}', language)}: {word} {numbers}".rstrip())
    for line in judged.lines:
        if line.verdict != "holds":
            word = say(f"chip.verdict.{line.verdict}", language)
            lines.append(f"  #{line.number} {word}: {say(f'chip.why.{line.why}', language)}")
    # A record that holds may tell of a clone: whoever reads the verdict alone must see it.
    alerts = [(line.number, alert) for line in shown.lines for alert in line.alerts]
    lines += [
        f"! #{number} {_alert(alert.code, language)}: {tame(alert.detail)}"
        for number, alert in alerts
    ]
    lines += _gaps(judged.gaps, shown.at or shown.issued, language)
    lines += ["", *(f"- {say(f'chip.limit.{limit}', language)}" for limit in limits)]
    document = {
        "verdict": verdict,
        "epc": shown.epc,
        "log": shown.log,
        "checks": _plain(judged.checks),
        "lines": [
            {"number": line.number, "verdict": line.verdict, "why": line.why}
            for line in judged.lines
        ],
        "alerts": [
            {"number": number, "code": alert.code, "detail": alert.detail}
            for number, alert in alerts
        ],
        "gaps": _plain(judged.gaps),
        "limits": [say(f"chip.limit.{limit}", "en") for limit in limits],
    }
    return Answer(document=document, text="\n".join(lines), exit_code=verdict_code(verdict))


def shown_limits(*, is_read: bool) -> tuple[str, ...]:
    """What the verdict does not say; more of it where no log was read."""
    from sekisho.registry.passport import LIMITS

    return LIMITS if is_read else (*LIMITS, "proof-alone")
