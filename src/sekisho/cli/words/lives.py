"""Orders and their life at each host in lines and rows: stages, degree of certainty, and when that lapses."""

from __future__ import annotations

from typing import Final

from sekisho.catalogue import say
from sekisho.ceremony import SiteProgress, State, facts_under, progress_by_site
from sekisho.cli.durations import length_in_words, when_in_words
from sekisho.cli.plain_text import quote
from sekisho.cli.words.order import scope_in_words
from sekisho.cli.words.page import Page, View
from sekisho.cli.words.sites import site_row, site_text
from sekisho.model.errors import InvalidInput
from sekisho.model.wire import to_plain
from sekisho.orders import KnownOrder
from sekisho.orders.lifecycle import HostUnderOrder
from sekisho.orders.sealed import public_face

__all__ = ["host_rows", "order_row", "order_text", "status_row", "status_text"]

_UNHALTED: Final = ("cap", "suspend-access")
_HOSTS: Final = 200
"""So many hosts are told in lines; `--site` and `--json` tell all."""


def order_row(state: State, known: KnownOrder, view: View) -> dict[str, object]:
    """One order as data, with whether it is in force at the view's instant."""
    sealed, known = known.sealed, public_face(known)
    order = known.order
    in_force = {o.digest for o in state.orders.in_force(view.now)}
    return {
        "register": order.register,
        "number": order.number,
        "digest": known.digest,
        "kind": order.kind,
        "effect": order.effect,
        "scope": to_plain(order.scope),
        "resolved": to_plain(order.resolved) if order.resolved is not None else None,
        "not_before": str(order.not_before),
        "expires": str(order.expires),
        "on_expiry": order.on_expiry,
        "drill": order.drill,
        "in_force": known.digest in in_force,
        "sealed": not known.is_shown,
        "opens": str(sealed.opens) if sealed is not None else None,
    }


def order_text(known: KnownOrder, row: dict[str, object], view: View) -> str:
    """One order in one line."""
    order, known = known.order, public_face(known)
    if known.sealed is not None and not known.is_shown:
        return say(
            "order.line.sealed",
            view.language,
            register=order.register,
            number=order.number,
            kind=say(f"order.kind.{order.kind}", view.language),
            until=when_in_words(order.expires, view.now, view.language),
            opens=when_in_words(known.sealed.opens, view.now, view.language),
            digest=known.digest[:16],
        )
    return say(
        "order.line.in_force" if row["in_force"] else "order.line.over",
        view.language,
        register=order.register,
        number=order.number,
        effect=say(f"order.effect.{order.effect}", view.language),
        scope=scope_in_words(Page(view), order),
        until=when_in_words(order.expires, view.now, view.language),
        digest=known.digest[:16],
    )


def _lives(state: State, known: KnownOrder) -> list[HostUnderOrder]:
    """Every host that the order covers or that was heard of under it, by name."""
    heard = {life.host: life for life in state.lives.under(known.reference)}
    covered = (
        {}
        if known.order.kind == "resume" or not public_face(known).is_shown
        else {
            host.host: state.lives.of(known.reference, host.host)
            for host in facts_under(state, known)
        }
    )
    return [life for _, life in sorted({**covered, **heard}.items())]


def host_rows(state: State, known: KnownOrder, view: View) -> list[dict[str, object]]:
    """Each host under an order as data; a verdict that has lapsed is said to have, and no longer told."""
    rows: list[dict[str, object]] = []
    for life in _lives(state, known):
        last = life.stages[-1] if life.stages else None
        told = life.verdict_on_halt  # one of an earlier halt is about what is over
        verdict = told if told is not None and view.now < told.lapses else None
        rows.append(
            {
                "host": life.host,
                "stage": last.stage if last else None,
                "at": str(last.at) if last else None,
                "stages": [{"stage": s.stage, "at": str(s.at)} for s in life.stages],
                "degree": None if known.order.kind in _UNHALTED else life.degree(view.now),
                "cap": life.capped.receipt.cap if life.capped is not None else None,
                "lapses": str(verdict.lapses) if verdict else None,
                "lapsed": told is not None and verdict is None,
                "reasons": list(verdict.reasons) if verdict else [],
                "limits": list(verdict.limits) if verdict else [],
            }
        )
    return rows


def status_row(state: State, known: KnownOrder, view: View, site: str = "") -> dict[str, object]:
    """An order with its sites and every host under it, as data; `site` keeps one site alone."""
    sites = _sites(state, known, view, site)
    names = {row.host for each in sites for row in each.hosts}
    return {
        **order_row(state, known, view),
        "sites": [site_row(each) for each in sites],
        "hosts": [row for row in host_rows(state, known, view) if not site or row["host"] in names],
    }


def status_text(state: State, known: KnownOrder, view: View, site: str = "") -> str:
    """An order, its sites and every host under it, for a person."""
    sites = _sites(state, known, view, site)
    names = {row.host for each in sites for row in each.hosts}
    lines = [order_text(known, order_row(state, known, view), view)]
    lines += [site_text(each, view) for each in sites]
    lives = [life for life in _lives(state, known) if not site or life.host in names]
    lines += [line for life in lives[:_HOSTS] for line in _host_lines(life, known, view)]
    if len(lives) > _HOSTS:
        lines.append(say("order.more-hosts", view.language, n=len(lives) - _HOSTS))
    if len(lines) == 1:
        lines.append("  " + say("order.no-hosts", view.language))
    return "\n".join(lines)


def _sites(state: State, known: KnownOrder, view: View, site: str) -> tuple[SiteProgress, ...]:
    """The sites of an order, or the one asked for. Raises InvalidInput where no enrolled host stands there."""
    sites = progress_by_site(state, known, view.now) if public_face(known).is_shown else ()
    if not site:
        return sites
    if all(host.site != site for host in state.regime.hosts.values()):
        raise InvalidInput(
            f"no enrolled host stands at {site[:80]!r}", path="--site", remedy="see order status"
        )
    return tuple(each for each in sites if each.site == site)


def _host_lines(life: HostUnderOrder, known: KnownOrder, view: View) -> list[str]:

    language = view.language
    stages = [f"{say(f'show.stage.{s.stage}', language)} {s.at}" for s in life.stages]
    if life.capped is not None:
        told = {"host": life.host, "stages": " → ".join(stages)}
        return [say("order.capped", language, **told, cap=quote(life.capped.receipt.cap or "-"))]
    if known.order.effect == "suspend-access":
        return [say("order.unasked", language, host=life.host)]
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
    verdict = life.verdict_on_halt
    if verdict is not None:
        left = verdict.lapses.since(view.now)
        key = "order.lapses" if left > 0 else "order.lapsed"
        length = length_in_words(abs(left), language)
        lines.append(say(key, language, at=verdict.lapses, length=length))
        if left > 0:
            lines += [f"      {quote(text)}" for text in (*verdict.reasons, *verdict.limits)]
    return lines
