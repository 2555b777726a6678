"""`sekisho order`: draft, preview, sign, issue and follow holds, pauses and resumes."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, get_args

import typer

from sekisho.catalogue import say
from sekisho.cli.answer import Answer, AsJson, deliver
from sekisho.cli.countersign import (
    Ceremony,
    KeyFile,
    OutFile,
    PassphraseFile,
    Phrase,
    issue,
    show_statement,
    sign,
)
from sekisho.cli.durations import length_in_words, parse_length, when_in_words
from sekisho.cli.surroundings import (
    CharterFile,
    HomeFolder,
    LogPlace,
    PolicyFile,
    Sources,
    look,
    require_state,
)
from sekisho.model.errors import InvalidInput, StateConflict

if TYPE_CHECKING:
    from sekisho.ceremony import State
    from sekisho.cli.words import View
    from sekisho.model.statements import Effect, OrderKind, OrderReference, Scope
    from sekisho.orders import KnownOrder
    from sekisho.orders.lifecycle import HostUnderOrder

__all__ = ["app"]

app = typer.Typer(help="Draft, sign, issue and follow orders.", no_args_is_help=True)
_KINDS = ("order-issued",)
_DRAFTED = ("pause", "hold", "resume")
_EFFECTS = {"pause": "checkpoint-then-stop", "hold": "freeze", "resume": "lift"}
_SCOPE = {
    "site": "sites",
    "licensee": "licensees",
    "licence": "licences",
    "run": "runs",
    "lineage": "lineages",
    "chip": "chips",
    "jurisdiction": "jurisdictions",
    "host": "hosts",
}
_File = Annotated[str, typer.Argument(metavar="F", help="The order: a draft or an envelope.")]
_Control = Annotated[str, typer.Option("--control", help="The control plane's address.")]


@app.command()
def draft(
    context: typer.Context,
    *,
    out: Annotated[str, typer.Option("--out", help="Where the draft goes; never over a file.")],
    kind: Annotated[str, typer.Option("--kind", help="pause, hold or resume.")],
    legal_basis: Annotated[str, typer.Option("--legal-basis", help="On what law it rests.")],
    appeal: Annotated[str, typer.Option("--appeal", help="How to appeal, and by when.")],
    scope: Annotated[
        list[str] | None,
        typer.Option(
            "--scope", help="site=S, run=R, licensee=, licence=, host=...; or everywhere."
        ),
    ] = None,
    effect: Annotated[
        str, typer.Option("--effect", help="checkpoint-then-stop, freeze or lift; fits the kind.")
    ] = "",
    lasts: Annotated[str, typer.Option("--lasts", help="How long: 90s, 30m, 24h, 14d.")] = "24h",
    grace: Annotated[str, typer.Option("--grace", help="From receipt to the effect.")] = "30s",
    starts_in: Annotated[str, typer.Option("--starts-in", help="From now to its begin.")] = "0s",
    issue_within: Annotated[
        str, typer.Option("--issue-within", help="How long signatures are good for issue.")
    ] = "24h",
    lifts: Annotated[
        list[str] | None, typer.Option("--lifts", help="REGISTER/NUMBER that a resume lifts.")
    ] = None,
    exempt: Annotated[
        list[str] | None, typer.Option("--exempt", help="A run that goes on.")
    ] = None,
    drill: Annotated[bool, typer.Option("--drill", help="Act on each site's canary only.")] = False,
    home: HomeFolder = "",
    log: LogPlace = "",
    policy: PolicyFile = "",
    as_json: AsJson = False,
) -> None:
    """Write the order that would be next in its register, and show what it would do."""
    from sekisho.ceremony import OrderPlan, create_file, draft_order
    from sekisho.model.statements import make_payload

    view = look(context, Sources(home=home, log=log, policy=policy))
    state = require_state(view, as_json=as_json)
    lifted = tuple(_lifted(state, text) for text in lifts or ())
    kind_word = _kind(kind)
    plan = OrderPlan(
        kind=kind_word,
        scope=_scope(scope or [], state, lifted),
        effect=_effect(effect or _EFFECTS[kind]),
        lasts_s=parse_length(lasts, path="--lasts"),
        legal_basis=legal_basis,
        appeal=appeal,
        grace_s=parse_length(grace, path="--grace") if kind != "resume" else 0,
        starts_in_s=parse_length(starts_in, path="--starts-in"),
        issue_within_s=parse_length(issue_within, path="--issue-within"),
        lifts=lifted,
        exemptions=tuple(exempt or ()),
        drill=drill,
    )
    payload = _checked(make_payload(draft_order(state, plan, now=view.now)))
    create_file(Path(out), payload)
    _deliver_page(view, payload, out, as_json=as_json)


@app.command()
def preview(
    context: typer.Context,
    *,
    file: _File,
    home: HomeFolder = "",
    log: LogPlace = "",
    policy: PolicyFile = "",
    as_json: AsJson = False,
) -> None:
    """Whom an order would touch as the log stands, and what it would change for them."""
    sources = Sources(home=home, log=log, policy=policy)
    _, _, view, page = show_statement(context, file, _KINDS, sources)
    require_state(view, as_json=as_json)
    deliver(Answer(document=page.to_document(), text=page.to_text()), as_json=as_json)


@app.command("sign")
def sign_order(
    context: typer.Context,
    *,
    file: _File,
    key: KeyFile,
    phrase: Phrase = "",
    passphrase_file: PassphraseFile = "",
    out: OutFile = "",
    home: HomeFolder = "",
    log: LogPlace = "",
    policy: PolicyFile = "",
    charter: CharterFile = "",
    as_json: AsJson = False,
) -> None:
    """Show the order, have its digest phrase typed back, and add your signature."""
    ceremony = Ceremony(
        file=file,
        key=key,
        kinds=_KINDS,
        phrase=phrase,
        passphrase_file=passphrase_file,
        out=out,
        sources=Sources(home=home, log=log, policy=policy, charter=charter),
    )
    sign(context, ceremony, as_json=as_json)


@app.command("issue")
def issue_order(
    context: typer.Context, file: _File, control: _Control, as_json: AsJson = False
) -> None:
    """Hand a signed order in; agents get it at once."""
    issue(context, file, _KINDS, control, as_json=as_json)


@app.command("list")
def list_orders(
    context: typer.Context,
    *,
    home: HomeFolder = "",
    log: LogPlace = "",
    policy: PolicyFile = "",
    as_json: AsJson = False,
) -> None:
    """Every order of every register, in force or not."""
    view = look(context, Sources(home=home, log=log, policy=policy))
    state = require_state(view, as_json=as_json)
    orders = [k for book in state.orders.orders.values() for k in book.values()]
    orders.sort(key=lambda k: (k.order.register, k.order.number))
    rows = [_order_row(state, known, view) for known in orders]
    text = "\n".join(_order_text(known, row, view) for known, row in zip(orders, rows, strict=True))
    deliver(Answer(document=rows, text=text or say("order.none", view.language)), as_json=as_json)


@app.command()
def status(
    context: typer.Context,
    *,
    register: Annotated[str, typer.Argument(metavar="[REGISTER", help="As pause/JP.")] = "",
    number: Annotated[int, typer.Argument(metavar="NUMBER]", help="Its number.", min=0)] = 0,
    home: HomeFolder = "",
    log: LogPlace = "",
    policy: PolicyFile = "",
    as_json: AsJson = False,
) -> None:
    """How far each host has come under an order, how sure that is, and until when it may be said."""
    view = look(context, Sources(home=home, log=log, policy=policy))
    state = require_state(view, as_json=as_json)
    chosen = _chosen(state, view, register, number)
    rows = [
        {**_order_row(state, known, view), "hosts": _host_rows(state, known, view)}
        for known in chosen
    ]
    text = "\n".join(_status_text(state, known, view) for known in chosen)
    deliver(
        Answer(document=rows, text=text or say("order.none-in-force", view.language)),
        as_json=as_json,
    )


def _kind(word: str) -> OrderKind:
    if word not in _DRAFTED:
        raise InvalidInput(
            f"{word[:40]!r} is not drafted here", path="--kind", remedy=f"use {', '.join(_DRAFTED)}"
        )
    return word  # type: ignore[return-value]  # checked just above


def _effect(word: str) -> Effect:
    from sekisho.model.statements import Effect

    if word not in get_args(Effect):
        raise InvalidInput(
            f"{word[:40]!r} is no effect",
            path="--effect",
            remedy=f"use {', '.join(get_args(Effect))}",
        )
    return word  # type: ignore[return-value]  # checked just above


def _scope(texts: list[str], state: State, lifted: tuple[OrderReference, ...]) -> Scope:
    """The scope as typed; a resume that gives none takes the scope that all it lifts have in common."""
    from sekisho.model.statements import Scope
    from sekisho.model.wire import from_json

    if not texts and lifted:
        scopes = [found.order.scope for o in lifted if (found := state.orders.find(o))]
        if any(scope != scopes[0] for scope in scopes):
            raise InvalidInput(
                "what it lifts has different scopes", path="--scope", remedy="draft one resume each"
            )
        return scopes[0]
    fields: dict[str, list[str]] = {}
    for text in texts:
        name, equals, value = text.partition("=")
        if text != "everywhere" and not (equals and value and name in _SCOPE):
            raise InvalidInput(
                f"{text[:60]!r} is no scope",
                path="--scope",
                remedy=f"use everywhere, or {'=, '.join(_SCOPE)}=",
            )
        if equals:
            fields.setdefault(_SCOPE[name], []).append(value)
    if not texts or ("everywhere" in texts and fields):
        raise InvalidInput("must give attributes or say everywhere, and not both", path="--scope")
    wide = {"everywhere": True} if "everywhere" in texts else {}
    return from_json(Scope, {**fields, **wide}, path="--scope")  # type: ignore[dict-item]  # JSON


def _lifted(state: State, text: str) -> OrderReference:
    register, _, number = text.rpartition("/")
    known = state.orders.orders.get(register, {}).get(int(number) if number.isdecimal() else -1)
    if known is None:
        raise InvalidInput(
            f"{text[:80]!r} is no order of this log",
            path="--lifts",
            remedy="write REGISTER/NUMBER, as pause/JP/1; see sekisho order list",
        )
    return known.reference


def _checked(payload: bytes) -> bytes:
    """The draft read back as a signer will read it: a field that no reader takes is refused here, not there."""
    from sekisho.model.statements import parse_payload

    parse_payload(payload, path="order")
    return payload


def _deliver_page(view: View, payload: bytes, out: str, *, as_json: bool) -> None:
    from sekisho.cli.documents import parse_document
    from sekisho.cli.words import describe

    page = describe(parse_document(payload, path=out), view)
    text = f"{page.to_text()}\n{say('order.drafted', view.language, file=out)}"
    deliver(Answer(document={**page.to_document(), "file": out}, text=text), as_json=as_json)


def _chosen(state: State, view: View, register: str, number: int) -> list[KnownOrder]:
    """The order asked for, all of a register, or all that are in force."""
    if not register:
        return list(state.orders.in_force(view.now))
    book = state.orders.orders.get(register)
    if book is None:
        known = ", ".join(sorted(state.orders.heads))
        raise InvalidInput(
            f"{register[:60]!r} is no register", path="REGISTER", remedy=f"use one of {known}"
        )
    if number and number not in book:
        raise StateConflict(f"register {register} has no order {number}")
    return [book[n] for n in sorted(book) if not number or n == number]


def _order_row(state: State, known: KnownOrder, view: View) -> dict[str, object]:
    from sekisho.model.wire import to_plain

    order = known.order
    in_force = {o.digest for o in state.orders.in_force(view.now)}
    return {
        "register": order.register,
        "number": order.number,
        "digest": known.digest,
        "kind": order.kind,
        "effect": order.effect,
        "scope": to_plain(order.scope),
        "not_before": str(order.not_before),
        "expires": str(order.expires),
        "on_expiry": order.on_expiry,
        "drill": order.drill,
        "in_force": known.digest in in_force,
    }


def _order_text(known: KnownOrder, row: dict[str, object], view: View) -> str:
    from sekisho.cli.words import Page
    from sekisho.cli.words.order import scope_in_words

    order = known.order
    return say(
        "order.line.in_force" if row["in_force"] else "order.line.over",
        view.language,
        register=order.register,
        number=order.number,
        effect=order.effect,
        scope=scope_in_words(Page(view), order.scope),
        until=when_in_words(order.expires, view.now, view.language),
        digest=known.digest[:16],
    )


def _lives(state: State, known: KnownOrder) -> list[HostUnderOrder]:
    """Every host that the order covers or that was heard of under it, by name."""
    from sekisho.ceremony import facts_under

    heard = {life.host: life for life in state.lives.under(known.reference)}
    covered = (
        {}
        if known.order.kind == "resume"
        else {
            host.host: state.lives.of(known.reference, host.host)
            for host in facts_under(state, known)
        }
    )
    return [life for _, life in sorted({**covered, **heard}.items())]


def _host_rows(state: State, known: KnownOrder, view: View) -> list[dict[str, object]]:
    rows: list[dict[str, object]] = []
    for life in _lives(state, known):
        last = life.stages[-1] if life.stages else None
        verdict = life.verdict if life.verdict and view.now < life.verdict.lapses else None
        rows.append(
            {
                "host": life.host,
                "stage": last.stage if last else None,
                "at": str(last.at) if last else None,
                "stages": [{"stage": s.stage, "at": str(s.at)} for s in life.stages],
                "degree": life.degree(view.now),
                "lapses": str(verdict.lapses) if verdict else None,
                "lapsed": life.verdict is not None and verdict is None,
                "reasons": list(verdict.reasons) if verdict else [],
                "limits": list(verdict.limits) if verdict else [],
            }
        )
    return rows


def _status_text(state: State, known: KnownOrder, view: View) -> str:
    lines = [_order_text(known, _order_row(state, known, view), view)]
    lines += [line for life in _lives(state, known) for line in _host_lines(life, view)]
    if len(lines) == 1:
        lines.append("  " + say("order.no-hosts", view.language))
    return "\n".join(lines)


def _host_lines(life: HostUnderOrder, view: View) -> list[str]:
    from sekisho.cli.plain_text import quote

    language = view.language
    stages = [f"{say(f'show.stage.{s.stage}', language)} {s.at}" for s in life.stages]
    degree = life.degree(view.now)
    lines = [
        say(
            "order.host",
            language,
            host=life.host,
            stages=" → ".join(stages) or say("order.silent", language),
            degree=say(f"order.degree.{degree}", language),
        )
    ]
    if life.verdict is not None:
        left = life.verdict.lapses.since(view.now)
        key = "order.lapses" if left > 0 else "order.lapsed"
        length = length_in_words(abs(left), language)
        lines.append(say(key, language, at=life.verdict.lapses, length=length))
        if left > 0:
            lines += [
                f"      {quote(text)}" for text in (*life.verdict.reasons, *life.verdict.limits)
            ]
    return lines
