"""`sekisho lease grant` and `list`: the issuer answers a host's request file, and shows what is leased."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sekisho.catalogue import say
from sekisho.cli.answer import Answer, AsJson, deliver
from sekisho.cli.durations import length_in_words
from sekisho.cli.plain_text import tame
from sekisho.cli.reading import read_input
from sekisho.cli.surroundings import (
    DisclosuresFile,
    HomeFolder,
    LogPlace,
    PolicyFile,
    Sources,
    language_of,
    look,
    require_state,
    settings_of,
)
from sekisho.model.amounts import format_flop, format_flop_short
from sekisho.model.errors import InvalidInput, SekishoError, StateConflict, Unavailable

if TYPE_CHECKING:
    from sekisho.cli.words import View
    from sekisho.licensing import LeaseState, LicenceState
    from sekisho.model.statements import LeaseGranted, LeaseRequested
    from sekisho.ports.control import LeaseAnswer

__all__ = ["add_to"]

MAX_REQUEST = 65_535


def add_to(app: typer.Typer) -> None:
    """Put this part's commands into the group."""
    app.command()(grant)
    app.command("list")(list_leases)


def grant(
    context: typer.Context,
    *,
    file: Annotated[
        str, typer.Argument(metavar="F", help="The host's request, as `lease request` wrote it.")
    ],
    out: Annotated[str, typer.Option("--out", help="Where the lease goes; never over a file.")],
    control: Annotated[str, typer.Option("--control", help="The issuer's address.")] = "",
    home: HomeFolder = "",
    as_json: AsJson = False,
) -> None:
    """Answer a host's request: the lease with its proof in a witnessed checkpoint, to be carried back.

    The issuer must be running: at --control, else where its home says. Exit 1 where it refuses, with every reason, and
    where the lease that it granted before is good for nothing any more.
    """
    from sekisho.ceremony import create_file
    from sekisho.licensing.carrying import write_lease_file

    language = language_of(context)
    raw = read_input(file, limit=MAX_REQUEST)
    asked = _parse_request(raw, file)
    if Path(out).exists():
        raise InvalidInput("a file is already there", path="--out", remedy="name another file")
    answer = _ask(control or _address(context, home), raw)
    fact = _parse_lease(answer.envelope, asked)
    _refuse_idle(context, home, fact)
    create_file(Path(out), write_lease_file(answer))
    document = {
        "file": out,
        "host": fact.host,
        "number": fact.number,
        "not_after": str(fact.not_after),
        "share": fact.share,
        "term": fact.term,
    }
    text = say(
        "lease.granted",
        language,
        file=out,
        host=tame(fact.host),
        number=str(fact.number),
        until=str(fact.not_after),
    )
    deliver(Answer(document=document, text=text), as_json=as_json)


def list_leases(
    context: typer.Context,
    *,
    host: Annotated[str, typer.Option("--host", help="Leases of this host alone.")] = "",
    licence: Annotated[str, typer.Option("--licence", help="Leases of this licence alone.")] = "",
    every: Annotated[bool, typer.Option("--all", help="Those that have ended as well.")] = False,
    home: HomeFolder = "",
    log: LogPlace = "",
    policy: PolicyFile = "",
    disclosures: DisclosuresFile = "",
    as_json: AsJson = False,
) -> None:
    """Leases that live, by licence and in the order of granting; what nobody disclosed is shown as such."""
    view = look(
        context,
        Sources(home=home, log=log, policy=policy, disclosures=disclosures, books=True),
    )
    state = require_state(view, as_json=as_json)
    found = [
        (of, lease)
        for of in state.licences.licences.values()
        for lease in (of.leases if every else of.live_leases())
        if host in ("", lease.granted.host) and licence in ("", of.licence.number)
    ]
    text = "\n".join(_line(of, lease, view) for of, lease in found)
    rows = [_row(of, lease) for of, lease in found]
    deliver(Answer(document=rows, text=text or say("lease.none", view.language)), as_json=as_json)


def _address(context: typer.Context, home: str) -> str:
    """Where the issuer's home is being served. Raises InvalidInput where nothing says so."""
    from sekisho.app.home import Home

    settings = settings_of(context)
    place = Home(path=Path(home).expanduser() if home else settings.home)
    address = place.find_address()
    if not address:
        raise InvalidInput(
            "no issuer is running there",
            path=str(place.path),
            remedy="start it with `sekisho up --home DIR`, or name its address with --control",
        )
    return address


def _ask(control: str, raw: bytes) -> LeaseAnswer:
    """The issuer's answer. Raises InvalidInput for what is no address; nobody tries again by itself here."""
    from sekisho.ceremony import ask_lease

    if not control.lower().startswith(("https://", "http://")):
        raise InvalidInput(
            f"{control[:60]!r} is no address of an issuer",
            path="--control",
            remedy="write https://HOST[:PORT]",
        )
    try:
        return ask_lease(control, raw)
    except Unavailable as error:
        remedy = "see whether the issuer runs there, then ask again"
        raise Unavailable(error.message, remedy=remedy) from None


def _refuse_idle(context: typer.Context, home: str, fact: LeaseGranted) -> None:
    """Raise StateConflict where a lease that was granted before is good for nothing now, as far as a log here says."""
    from sekisho.ceremony import SystemClock

    why = f"it ended at {fact.not_after}" if fact.not_after <= SystemClock().now() else ""
    try:
        state = look(context, Sources(home=home, books=True)).footing.state
    except (
        SekishoError
    ):  # the lease is granted: a log that cannot be read here takes nothing from it
        state = None
    found = state.licences.licences.get(fact.licence.leaf) if state is not None else None
    if found is not None:
        of_host = (x for x in found.leases if x.granted == fact)
        ended = next((x.ended for x in of_host if x.ended), None)
        why = found.obstacle() or (f"it is closed ({ended})" if ended else why)
    if why:
        raise StateConflict(
            f"lease {fact.number} of host {fact.host} is of no use to it any more: {why}",
            remedy="carry nothing; let the host ask anew once its licence is in force",
        )


def _parse_request(raw: bytes, path: str) -> LeaseRequested:
    from sekisho.model.statements import LeaseRequested, parse_payload
    from sekisho.signing import parse_envelope

    statement = parse_payload(parse_envelope(raw.strip(), path=path).payload, path=path)
    if not isinstance(statement.predicate, LeaseRequested):
        raise InvalidInput(f"is a {statement.kind}, expected a lease-requested", path=path)
    return statement.predicate


def _parse_lease(raw: bytes, asked: LeaseRequested) -> LeaseGranted:
    """What came back, if it answers what was asked; whether it may be believed is the host's to judge."""
    from sekisho.model.statements import LeaseGranted, parse_payload
    from sekisho.signing import parse_envelope

    fact = parse_payload(parse_envelope(raw, path="lease").payload, path="lease").predicate
    if not isinstance(fact, LeaseGranted) or (fact.host, fact.number, fact.nonce) != (
        asked.host,
        asked.number,
        asked.nonce,
    ):
        raise InvalidInput("the issuer's answer is no lease for this request", path="lease")
    return fact


def _row(of: LicenceState, lease: LeaseState) -> dict[str, object]:
    def shown(flop: int | None) -> str | None:
        return None if flop is None else format_flop(flop)

    granted = lease.granted
    return {
        "licence": of.licence.number,
        "host": granted.host,
        "number": granted.number,
        "share": granted.share,
        "term": granted.term,
        "not_after": str(granted.not_after),
        "allowance_flop": shown(lease.allowance_flop),
        "consumed_flop": shown(lease.consumed_flop),
        "ended": lease.ended,
        "leaf": lease.leaf,
    }


def _line(of: LicenceState, lease: LeaseState, view: View) -> str:
    language, granted = view.language, lease.granted

    def shown(flop: int | None) -> str:
        return say("licence.hidden", language) if flop is None else format_flop_short(flop)

    left = length_in_words(max(0.0, granted.not_after.since(view.now)), language)
    ended = lease.ended
    how = say(f"licence.ended.{ended}", language) if ended else ""
    drawn = f"{of.licence.number}/{granted.share}" if granted.share else of.licence.number
    line = say(
        "licence.lease-line",
        language,
        host=granted.host,
        number=granted.number,
        until=granted.not_after,
        allowance=shown(lease.allowance_flop),
        consumed=shown(lease.consumed_flop) if ended else "-",
        how=how or say("licence.open", language, length=left),
    )
    return f"{drawn}: {line}"
