"""`sekisho licence amend`, `suspend`, `lift`, `revoke` and `outage`: what happens to a licence after its issue."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sekisho.cli.answer import AsJson
from sekisho.cli.drafting import DraftOut, deliver_draft
from sekisho.cli.durations import parse_length
from sekisho.cli.licence_flags import (
    PackName,
    load_named_pack,
    parse_lease_terms,
    parse_mode,
    parse_shares,
)
from sekisho.cli.surroundings import (
    HomeFolder,
    LogPlace,
    PolicyFile,
    Sources,
    look,
    require_state,
)
from sekisho.model.amounts import parse_quantity
from sekisho.model.errors import InvalidInput
from sekisho.model.instants import parse_date_or_instant

if TYPE_CHECKING:
    from sekisho.ceremony import AmendedTerms

__all__ = ["add_to"]

_Number = Annotated[str, typer.Argument(metavar="NUMBER", help="A licence's number.")]
_Reason = Annotated[str, typer.Option("--reason", help="Why; it is public.")]
_Granting = Annotated[
    str,
    typer.Option(
        "--application", help="The application that it grants, with its approvals so far."
    ),
]


def add_to(app: typer.Typer) -> None:
    """Add this part's commands to the group."""
    app.command()(amend)
    app.command()(suspend)
    app.command()(lift)
    app.command()(revoke)
    app.command()(outage)


def amend(
    context: typer.Context,
    *,
    number: _Number,
    reason: _Reason,
    out: DraftOut,
    mode: Annotated[
        str, typer.Option("--mode", help="advise, block-new, drain, freeze or kill.")
    ] = "",
    budget: Annotated[str, typer.Option("--budget", help="The whole budget anew, as 1e21.")] = "",
    until: Annotated[str, typer.Option("--until", help="When it ends: a date or instant.")] = "",
    hosts: Annotated[
        list[str] | None, typer.Option("--host", help="The whole set of hosts anew; repeat.")
    ] = None,
    share: Annotated[
        list[str] | None,
        typer.Option("--share", help="NAME=FLOP[@SITE,SITE][/ISSUER-KEY-ID]; all of them anew."),
    ] = None,
    interval: Annotated[str, typer.Option("--interval", help="A lease's length.")] = "",
    grace: Annotated[str, typer.Option("--grace", help="From a lease's end to the effect.")] = "",
    quantum: Annotated[str, typer.Option("--quantum", help="What is reserved at a time.")] = "",
    egress: Annotated[
        str, typer.Option("--egress", help="What a host may send outside the set, bytes a second.")
    ] = "",
    application: _Granting = "",
    pack: PackName = "",
    home: HomeFolder = "",
    log: LogPlace = "",
    policy: PolicyFile = "",
    as_json: AsJson = False,
) -> None:
    """Draft a licence's terms anew; what is left out stays. The rules are asked again with its lineage's total."""
    from sekisho.ceremony import AmendedTerms, find_licence

    view = look(context, Sources(home=home, log=log, policy=policy))
    state = require_state(view, as_json=as_json)
    lengths = {"interval_s": interval, "grace_s": grace, "quantum_s": quantum}
    terms = AmendedTerms(
        reason=reason,
        mode=parse_mode(mode) if mode else None,
        budget_flop=parse_quantity(budget, path="--budget") if budget else None,
        until=parse_date_or_instant(until, path="--until") if until else None,
        hosts=tuple(hosts) if hosts else None,
        terms=parse_lease_terms(lengths, find_licence(state, number).licence.lease)
        if any(lengths.values())
        else None,
        shares=parse_shares(share) if share else None,
        application=application,
        egress_bytes_per_s=parse_quantity(egress, path="--egress") if egress else None,
    )
    if terms == AmendedTerms(reason=reason, application=application):
        raise InvalidInput(
            "nothing is changed",
            path="amend",
            remedy="name --mode, --budget, --until, --host, --share, --egress or a lease's terms",
        )
    sources = Sources(home=home, log=log, policy=policy)
    _deliver_amendment(context, number, terms, (pack, out), sources, as_json=as_json)


def suspend(
    context: typer.Context,
    *,
    number: _Number,
    reason: _Reason,
    out: DraftOut,
    home: HomeFolder = "",
    log: LogPlace = "",
    policy: PolicyFile = "",
    as_json: AsJson = False,
) -> None:
    """Draft a suspension: no lease is granted and no quantum begins until an amendment lifts it."""
    from sekisho.ceremony import draft_suspension

    view = look(context, Sources(home=home, log=log, policy=policy))
    state = require_state(view, as_json=as_json)
    fact = draft_suspension(state, number, reason, now=view.now)
    deliver_draft(view, fact, Path(out), as_json=as_json)


def lift(
    context: typer.Context,
    *,
    number: _Number,
    reason: _Reason,
    out: DraftOut,
    application: _Granting = "",
    pack: PackName = "",
    home: HomeFolder = "",
    log: LogPlace = "",
    policy: PolicyFile = "",
    as_json: AsJson = False,
) -> None:
    """Draft the amendment that lifts a suspension and changes nothing else."""
    from sekisho.ceremony import AmendedTerms

    terms = AmendedTerms(reason=reason, lifts=True, application=application)
    sources = Sources(home=home, log=log, policy=policy)
    _deliver_amendment(context, number, terms, (pack, out), sources, as_json=as_json)


def revoke(
    context: typer.Context,
    *,
    number: _Number,
    reason: _Reason,
    out: DraftOut,
    home: HomeFolder = "",
    log: LogPlace = "",
    policy: PolicyFile = "",
    as_json: AsJson = False,
) -> None:
    """Draft a licence's end before its time; it is final."""
    from sekisho.ceremony import draft_licence_revocation

    view = look(context, Sources(home=home, log=log, policy=policy))
    state = require_state(view, as_json=as_json)
    fact = draft_licence_revocation(state, number, reason, now=view.now)
    deliver_draft(view, fact, Path(out), as_json=as_json)


def outage(
    context: typer.Context,
    *,
    name: Annotated[str, typer.Argument(metavar="NAME", help="The outage's own name.")],
    lasts: Annotated[str, typer.Option("--lasts", help="How long from now: 72h at most.")],
    reason: _Reason,
    out: DraftOut,
    sites: Annotated[
        list[str] | None, typer.Option("--site", help="Only there; repeat. Nowhere is everywhere.")
    ] = None,
    hosts: Annotated[list[str] | None, typer.Option("--host", help="Only these; repeat.")] = None,
    home: HomeFolder = "",
    log: LogPlace = "",
    policy: PolicyFile = "",
    as_json: AsJson = False,
) -> None:
    """Draft the declaration that the issuer is away: grace lasts until its end. Two constituencies sign it."""
    from sekisho.ceremony import MAX_OUTAGE_S, OutagePlan, draft_outage

    lasts_s = parse_length(lasts, path="--lasts")
    if not 0 < lasts_s <= MAX_OUTAGE_S:
        raise InvalidInput(
            f"{lasts[:40]!r} is no length that an outage may have",
            path="--lasts",
            remedy=f"declare at most {MAX_OUTAGE_S // 3_600} hours, and again if need be",
        )
    view = look(context, Sources(home=home, log=log, policy=policy))
    state = require_state(view, as_json=as_json)
    plan = OutagePlan(
        outage=name,
        reason=reason,
        lasts_s=lasts_s,
        sites=tuple(sites or ()),
        hosts=tuple(hosts or ()),
    )
    deliver_draft(view, draft_outage(state, plan, now=view.now), Path(out), as_json=as_json)


def _deliver_amendment(
    context: typer.Context,
    number: str,
    terms: AmendedTerms,
    files: tuple[str, str],
    sources: Sources,
    *,
    as_json: bool,
) -> None:
    from sekisho.ceremony import draft_licence_amendment

    view = look(context, sources)
    state = require_state(view, as_json=as_json)
    pack, out = load_named_pack(files[0]), files[1]
    fact = draft_licence_amendment(state, number, terms, pack, now=view.now)
    deliver_draft(view, fact, Path(out), as_json=as_json)
