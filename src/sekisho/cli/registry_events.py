"""`sekisho registry events`, `check`, `rebuild`, `terms`: the register itself, asked, compared and made again."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer

from sekisho.catalogue import Language, say
from sekisho.cli.answer import Answer, AsJson, deliver, verdict_code
from sekisho.cli.plain_text import tame
from sekisho.cli.progress import bar
from sekisho.cli.registry_door import HomeOfRegister, UrlOfRegister, home_of
from sekisho.cli.surroundings import language_of
from sekisho.model.errors import InvalidInput

if TYPE_CHECKING:
    from sekisho.app import Checked
    from sekisho.registry.terms import Place

__all__ = ["add_to"]

_PLACE = re.compile(r"([^=]+)=([A-Z]{2}(?:-[A-Z0-9]{1,3})?)(?::(.+))?")
_MOST = 100_000


def add_to(app: typer.Typer) -> None:
    """Put this part's commands into the group."""
    app.command()(events)
    app.command()(check)
    app.command()(rebuild)
    app.command()(terms)


def events(
    context: typer.Context,
    *,
    epc: Annotated[
        list[str] | None, typer.Option("--epc", help="Events that name one of these.")
    ] = None,
    step: Annotated[list[str] | None, typer.Option("--step", help="Business steps.")] = None,
    kind: Annotated[list[str] | None, typer.Option("--type", help="Types of event.")] = None,
    location: Annotated[
        list[str] | None, typer.Option("--location", help="Business locations, as URIs.")
    ] = None,
    since: Annotated[str, typer.Option("--since", help="Event time from then on.")] = "",
    before: Annotated[str, typer.Option("--before", help="Event time before then.")] = "",
    limit: Annotated[int, typer.Option("--limit", min=1, max=_MOST)] = 100,
    home: HomeOfRegister = "",
    url: UrlOfRegister = "",
    as_json: AsJson = False,
) -> None:
    """Captured events in the order of capture, with what became of each; whatever was refused is among them."""
    params = _params(
        {
            "MATCH_anyEPC": epc,
            "EQ_bizStep": step,
            "eventType": kind,
            "EQ_bizLocation": location,
            "GE_eventTime": [since] if since else None,
            "LT_eventTime": [before] if before else None,
        }
    )
    rows = _over_http(url, params, limit) if url else _in_home(context, home, params, limit)
    language = language_of(context)
    found = list(rows)
    text = "\n".join(_line(row, language) for row in found)
    none = say("registry.events.none", language)
    deliver(Answer(document={"events": found}, text=text or none), as_json=as_json)


def check(context: typer.Context, *, home: HomeOfRegister = "", as_json: AsJson = False) -> None:
    """Compare what the register derived with what its events give; nothing is changed."""
    from sekisho.app import check_home_register

    language = language_of(context)
    with bar(say("registry.check.bar", language)) as heard:
        found = check_home_register(home_of(context, home), heard)
    verdict = "fails" if found.differences else "holds"
    lines = [
        say(
            f"registry.check.{verdict}",
            language,
            events=found.events,
            derived=found.derived,
            count=found.differences,
        ),
        *(f"  {tame(difference.place)}" for difference in found.first),
    ]
    deliver(
        Answer(
            document=_checked(found, verdict),
            text="\n".join(lines),
            exit_code=verdict_code(verdict),
        ),
        as_json=as_json,
    )


def rebuild(context: typer.Context, *, home: HomeOfRegister = "", as_json: AsJson = False) -> None:
    """Make everything that follows from the captured events again, and put it in place."""
    from sekisho.app import rebuild_home_register

    language = language_of(context)
    with bar(say("registry.check.bar", language)) as heard:
        made = rebuild_home_register(home_of(context, home), heard)
    document = {"events": made.events, "effects": made.effects}
    text = say("registry.rebuilt", language, events=made.events, effects=made.effects)
    deliver(Answer(document=document, text=text), as_json=as_json)


def terms(
    context: typer.Context,
    *,
    write: Annotated[
        bool, typer.Option("--write", help="Write a first register.json; never over one.")
    ] = False,
    place: Annotated[
        list[str] | None,
        typer.Option("--place", help="With --write: NAME=COUNTRY or NAME=COUNTRY:KEEPER."),
    ] = None,
    home: HomeOfRegister = "",
    as_json: AsJson = False,
) -> None:
    """What the register is told: whose identifiers mean what, where places are, how strict custody is."""
    from sekisho.app import write_home_terms
    from sekisho.model.wire import to_plain
    from sekisho.registry.terms import RegisterTerms

    if place and not write:
        raise InvalidInput("goes with --write", path="--place")
    where, language = home_of(context, home), language_of(context)
    if write:
        told = RegisterTerms(places=tuple(_place(text) for text in place or ()))
        write_home_terms(where, told)
    else:
        told = where.load_terms()
    lines = [
        say("registry.terms.written", language, file=str(where.register_terms))
        if write
        else say("registry.terms.read", language, file=str(where.register_terms)),
        *(f"  {known.names}: {tame(known.prefix)}" for known in told.namespaces),
        *(f"  {tame(found.place)}: {found.country} {found.keeper or ''}" for found in told.places),
    ]
    deliver(Answer(document=to_plain(told), text="\n".join(lines)), as_json=as_json)


def _params(asked: dict[str, list[str] | None]) -> list[tuple[str, str]]:
    return [(name, value) for name, values in asked.items() for value in values or ()]


def _in_home(
    context: typer.Context, home: str, params: Sequence[tuple[str, str]], limit: int
) -> Iterator[dict[str, Any]]:
    from sekisho.app import read_home_events
    from sekisho.registry.epcis import event_of, parse_query, write_event

    wanted = parse_query(params).wanted
    for row in read_home_events(home_of(context, home), wanted, limit=limit):
        yield {
            "number": row.number,
            "hash": row.hash_id,
            "captured": str(row.received),
            "outcome": row.outcome,
            "parties": list(row.parties),
            "powers": list(row.powers),
            "voided_by": row.voided_by,
            "event": write_event(event_of(row.document)),
        }


def _over_http(url: str, params: Sequence[tuple[str, str]], limit: int) -> Iterator[dict[str, Any]]:
    from sekisho.ceremony import open_register_client

    left = limit
    with open_register_client(url) as client:
        for page in client.fetch_events([*params, ("perPage", str(min(limit, 1_000)))]):
            for event, told in _pairs(page):
                if left == 0:
                    return
                left -= 1
                yield {
                    "number": told.get("number"),
                    "hash": told.get("hashID"),
                    "captured": event.get("recordTime"),
                    "outcome": told.get("outcome"),
                    "parties": told.get("parties"),
                    "powers": told.get("powers"),
                    "voided_by": told.get("voidedBy"),
                    "event": event,
                }


def _pairs(page: Any) -> Iterator[tuple[dict[str, Any], dict[str, Any]]]:
    try:
        listed = page["epcisBody"]["queryResults"]["resultsBody"]["eventList"]
        return zip(listed, page["skh:register"], strict=True)
    except (KeyError, TypeError, ValueError):
        raise InvalidInput("is no answer of a register", path="--url") from None


def _line(row: dict[str, Any], language: Language) -> str:
    event = row["event"]
    named = len(event.get("epcList", ())) + len(event.get("childEPCs", ()))
    who = ", ".join([*(row["parties"] or ()), *(row["powers"] or ())])
    outcome = "voided" if row["voided_by"] else row["outcome"]
    if outcome == "taken" and not who:
        outcome = "seen"  # nobody signed it: it is an observation, and moved nothing
    return say(
        "registry.events.row",
        language,
        number=row["number"],
        at=tame(str(event.get("eventTime"))),
        step=tame(str(event.get("bizStep", "-"))),
        type=tame(str(event.get("type"))),
        count=named,
        outcome=say(f"registry.events.{outcome}", language),
        who=tame(who) or say("registry.events.unsigned", language),
    )


def _checked(found: Checked, verdict: str) -> dict[str, object]:
    def shown(value: bytes | None) -> str | None:
        return None if value is None else value.decode("utf-8", "backslashreplace")

    return {
        "verdict": verdict,
        "events": found.events,
        "derived": found.derived,
        "differences": found.differences,
        "first": [
            {"place": d.place, "kept": shown(d.kept), "made": shown(d.made)} for d in found.first
        ],
    }


def _place(text: str) -> Place:
    from sekisho.model.wire import from_json
    from sekisho.registry.terms import Place

    match = _PLACE.fullmatch(text)
    if match is None:
        raise InvalidInput(
            f"{text[:60]!r} is no place", path="--place", remedy="write NAME=JP or NAME=JP:KEEPER"
        )
    return from_json(
        Place,
        {"place": match[1], "country": match[2], **({"keeper": match[3]} if match[3] else {})},
        path="--place",
    )
