"""`sekisho licence`: declare a run, decide it, draft, sign and issue its licence, and read the books."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from sekisho.catalogue import say
from sekisho.cli.answer import Answer, AsJson, deliver, verdict_code
from sekisho.cli.countersign import (
    add_issue,
    add_sign,
)
from sekisho.cli.durations import length_in_words, when_in_words
from sekisho.cli.licence_apply import add_to as add_applications
from sekisho.cli.licence_burn_down import add_to as add_burn_down
from sekisho.cli.licence_change import add_to as add_changes
from sekisho.cli.licence_close import add_to as add_closing
from sekisho.cli.licence_declare import add_to as add_declarations
from sekisho.cli.licence_draft import add_to as add_drafts
from sekisho.cli.licence_flags import PackName, load_named_pack
from sekisho.cli.surroundings import (
    DisclosuresFile,
    HomeFolder,
    LogPlace,
    PolicyFile,
    Sources,
    look,
    require_state,
)
from sekisho.model.amounts import format_flop, format_flop_short, parse_flop
from sekisho.model.errors import InvalidInput

if TYPE_CHECKING:
    from sekisho.cli.words import View
    from sekisho.licensing import LeaseState, LicenceState
    from sekisho.rules import Decision

__all__ = ["app"]

app = typer.Typer(
    help="Declare and decide runs, issue licences, read their books.", no_args_is_help=True
)
_KINDS = (
    "run-declared",
    "application-filed",
    "approval-given",
    "licence-issued",
    "licence-amended",
    "licence-suspended",
    "licence-revoked",
    "outage-declared",
)
add_sign(
    app,
    _KINDS,
    "Show the licence, declaration or application, have its digest phrase typed back, and add your signature.",
)
add_issue(app, _KINDS, "Hand a signed licence, declaration or application in.")
add_declarations(app)
add_applications(app)
add_drafts(app)
add_changes(app)
add_closing(app)
add_burn_down(app)
_Run = Annotated[str, typer.Argument(metavar="RUN", help="A run that is declared in the log.")]


@app.command()
def decide(
    context: typer.Context,
    *,
    run: _Run,
    pack: PackName = "",
    home: HomeFolder = "",
    log: LogPlace = "",
    policy: PolicyFile = "",
    as_json: AsJson = False,
) -> None:
    """What the rules say of a declared run, with every reason."""
    from sekisho.ceremony import decide_run
    from sekisho.model.wire import to_plain

    view = look(context, Sources(home=home, log=log, policy=policy))
    state = require_state(view, as_json=as_json)
    decision = decide_run(state, run, load_named_pack(pack), now=view.now)
    deliver(
        Answer(
            document=to_plain(decision),
            text=_decision_text(decision),
            exit_code=verdict_code(decision.decision),
        ),
        as_json=as_json,
    )


@app.command("list")
def list_licences(
    context: typer.Context,
    *,
    home: HomeFolder = "",
    log: LogPlace = "",
    policy: PolicyFile = "",
    disclosures: DisclosuresFile = "",
    as_json: AsJson = False,
) -> None:
    """Every licence with its books."""
    view = look(
        context,
        Sources(home=home, log=log, policy=policy, disclosures=disclosures, books=True),
    )
    state = require_state(view, as_json=as_json)
    states = sorted(state.licences.licences.values(), key=lambda s: s.licence.number)
    text = "\n".join(_licence_text(s, view) for s in states)
    rows = [_licence_row(s, view) for s in states]
    deliver(Answer(document=rows, text=text or say("licence.none", view.language)), as_json=as_json)


@app.command()
def show(
    context: typer.Context,
    *,
    number: Annotated[str, typer.Argument(metavar="NUMBER", help="A licence's number.")],
    home: HomeFolder = "",
    log: LogPlace = "",
    policy: PolicyFile = "",
    disclosures: DisclosuresFile = "",
    as_json: AsJson = False,
) -> None:
    """One licence: books and leases; what nobody disclosed is shown as such, never as zero."""
    view = look(
        context,
        Sources(home=home, log=log, policy=policy, disclosures=disclosures, books=True),
    )
    state = require_state(view, as_json=as_json)
    found = state.licences.by_number(number)
    if found is None:
        raise InvalidInput(
            f"no licence {number[:60]!r} is in the log",
            path="NUMBER",
            remedy="see sekisho licence list",
        )
    lines = [_licence_text(found, view), *(_lease_text(lease, view) for lease in found.leases)]
    document = {**_licence_row(found, view), "leases": [_lease_row(s) for s in found.leases]}
    deliver(Answer(document=document, text="\n".join(lines)), as_json=as_json)


def _decision_text(decision: Decision) -> str:
    lines = [f"{decision.id}: {decision.decision}"]
    for rule in decision.rules:
        asked = f"{rule.quantity} {rule.value} {rule.op} {rule.threshold} {rule.unit}".rstrip()
        lines.append(f"  {rule.outcome}: {rule.id} ({rule.cite}): {asked}: {rule.truth}")
    if decision.missing:
        lines.append(f"  missing: {', '.join(decision.missing)}")
    named = decision.policy
    lines.append(f"  {named.name} {named.version} ({named.sha256[:16]})")
    return "\n".join(lines)


def _licence_row(state: LicenceState, view: View) -> dict[str, object]:
    """The books as data: with undisclosed leases the accounts are not known, and None says so."""
    licence, book = state.licence, state.book
    whole = not state.undisclosed
    accounts = {
        name: format_flop(getattr(book, name)) if whole else None
        for name in ("available", "leased", "consumed", "forfeited")
    }
    return {
        "number": licence.number,
        "licensee": licence.licensee,
        "run": licence.run,
        "hosts": list(licence.hosts),
        "budget_flop": licence.budget_flop,
        "books": accounts,
        "overdrawn_flop": format_flop(book.overdrawn) if whole else None,
        "shares": [_share_row(state, name) for name in _shares(state)],
        "version": state.version,
        "versions": [
            {
                "version": v.version,
                "since": str(v.since),
                "budget_flop": format_flop(v.budget_flop),
                "reason": v.reason,
                "digest": v.digest,
            }
            for v in state.versions
        ],
        "undisclosed": state.undisclosed,
        "status": _status(state, view),
        "start": str(licence.period.start),
        "end": str(licence.period.end),
        "mode": licence.mode,
        "leaf": state.leaf,
        "digest": state.digest,
        "live_leases": len(state.live_leases()),
    }


def _shares(state: LicenceState) -> list[str]:
    return [share.share for share in state.licence.shares]


def _share_row(state: LicenceState, name: str) -> dict[str, object]:
    book, known = state.books.of(name), state.books.is_known(name)
    accounts = {
        account: format_flop(getattr(book, account)) if known else None
        for account in ("available", "leased", "consumed", "forfeited", "overdrawn")
    }
    return {"share": name, "budget_flop": format_flop(book.budget), "books": accounts}


def _share_text(state: LicenceState, name: str, view: View) -> str:
    book = state.books.of(name)
    if not state.books.is_known(name):
        budget, count = format_flop_short(book.budget), state.books.unknown.get(name, 0)
        return f"{name}: {say('licence.undisclosed', view.language, budget=budget, count=count)}"
    return say(
        "licence.share",
        view.language,
        share=name,
        available=format_flop_short(book.available),
        leased=format_flop_short(book.leased),
        consumed=format_flop_short(book.consumed),
        forfeited=format_flop_short(book.forfeited),
    )


def _status(state: LicenceState, view: View) -> str:
    if state.closed is not None:
        return "closed"
    if state.revoked is not None:
        return "revoked"
    if state.suspended is not None:
        return "suspended"
    period = state.licence.period
    return "early" if view.now < period.start else "over" if period.end <= view.now else "in-force"


def _licence_text(state: LicenceState, view: View) -> str:
    licence, language = state.licence, view.language
    head = say(
        "licence.line",
        language,
        number=licence.number,
        status=say(f"licence.status.{_status(state, view)}", language),
        run=licence.run,
        licensee=licence.licensee,
        hosts=", ".join(licence.hosts),
        until=when_in_words(licence.period.end, view.now, language),
    )
    budget = format_flop_short(parse_flop(licence.budget_flop))
    if state.undisclosed:
        books = say("licence.undisclosed", language, budget=budget, count=state.undisclosed)
    else:
        book = state.book
        books = say(
            "licence.books",
            language,
            budget=budget,
            available=format_flop_short(book.available),
            leased=format_flop_short(book.leased),
            consumed=format_flop_short(book.consumed),
            forfeited=format_flop_short(book.forfeited),
        )
    return "\n  ".join([head, books, *(_share_text(state, name, view) for name in _shares(state))])


def _lease_row(lease: LeaseState) -> dict[str, object]:
    def shown(flop: int | None) -> str | None:
        return None if flop is None else format_flop(flop)

    return {
        "host": lease.granted.host,
        "number": lease.granted.number,
        "not_after": str(lease.granted.not_after),
        "allowance_flop": shown(lease.allowance_flop),
        "consumed_flop": shown(lease.consumed_flop),
        "ended": lease.ended,
        "leaf": lease.leaf,
    }


def _lease_text(lease: LeaseState, view: View) -> str:
    language = view.language
    hidden = say("licence.hidden", language)
    ended = lease.ended
    away = lease.granted.not_after.since(view.now)
    return "  " + say(
        "licence.lease-line",
        language,
        host=lease.granted.host,
        number=lease.granted.number,
        until=lease.granted.not_after,
        allowance=hidden
        if lease.allowance_flop is None
        else format_flop_short(lease.allowance_flop),
        consumed="-"
        if ended is None
        else hidden
        if lease.consumed_flop is None
        else format_flop_short(lease.consumed_flop),
        how=say(f"licence.ended.{ended}", language)
        if ended
        else say("licence.open", language, length=length_in_words(max(0.0, away), language)),
    )
