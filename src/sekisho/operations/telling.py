"""What people on call are to be told of, found in the log as it stands. Pure: it tells nobody.

An occasion has a key that never changes, so that whoever keeps the keys tells each once. Occasions of many hosts at one
site under one order become one notice: a silent hall is one message, not a thousand.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

import msgspec

from sekisho.catalogue import Language, say
from sekisho.model.instants import Instant
from sekisho.model.wire import sha256_hex
from sekisho.operations.appealing import appeal_standing
from sekisho.operations.state import State
from sekisho.operations.straggling import LateHost, late_hosts
from sekisho.orders import KnownOrder
from sekisho.orders.refusals import is_secret
from sekisho.ports.notifier import Event, Notice

__all__ = ["LEAD_S", "Occasion", "notices_of", "occasions"]

LEAD_S: Final = 900
"""How long before a verdict lapses or a hold ends people are told."""
_NEW_S: Final = 86_400
_NAMED: Final = 20


class Occasion(msgspec.Struct, frozen=True, kw_only=True):
    """One reason to tell somebody; `key` is its own for ever."""

    key: str
    event: Event
    order: str | None = None
    site: str | None = None
    host: str | None = None
    until: Instant | None = None
    detail: str = ""


def occasions(state: State, now: Instant, *, lead_s: float = LEAD_S) -> Iterator[Occasion]:
    """Everything that stands to be told at an instant, in the order in which it should be read."""
    if state.regime.charter is None:
        return
    in_force = state.orders.in_force(now)
    yield from _issued(state, in_force, now)
    for row in late_hosts(state, now):
        yield from _of_straggler(row, now)
    yield from _of_verdicts(state, in_force, now, lead_s)
    yield from _of_appeals(state, now)
    for known in in_force:
        if known.order.kind == "hold" and 0 < known.order.expires.since(now) <= lead_s:
            yield Occasion(
                key=f"hold-ending:{known.digest}",
                event="hold-ending",
                order=_name(known),
                until=known.order.expires,
            )


def notices_of(
    found: Iterable[Occasion], now: Instant, language: Language = "en"
) -> tuple[tuple[Notice, tuple[str, ...]], ...]:
    """Occasions as notices, those of one event, order and site together; each with the keys that it tells of."""
    groups: dict[tuple[str, ...], list[Occasion]] = {}
    for each in found:
        alone = each.key if each.host is None else ""
        place = (each.event, each.order or "", each.site or "", each.detail, alone)
        groups.setdefault(place, []).append(each)
    return tuple(
        (_notice(rows, now, language), tuple(row.key for row in rows)) for rows in groups.values()
    )


def _notice(rows: list[Occasion], now: Instant, language: Language) -> Notice:
    first = rows[0]
    hosts = sorted({row.host for row in rows if row.host is not None})
    ends = [row.until for row in rows if row.until is not None]
    until = min(ends, default=None)
    keys = "\n".join(sorted(row.key for row in rows))
    return Notice(
        notice=sha256_hex(keys.encode())[:32],
        event=first.event,
        at=now,
        text=say(
            f"notice.{first.event}",
            language,
            order=first.order or "",
            site=first.site or "",
            detail=first.detail,
            count=len(hosts),
            until=until or "",
        ),
        order=first.order,
        site=first.site,
        hosts=tuple(hosts[:_NAMED]),
        count=len(hosts),
        until=until,
    )


def _issued(state: State, in_force: tuple[KnownOrder, ...], now: Instant) -> Iterator[Occasion]:
    """Orders in force, ahead, or of the last day: who starts anew is not told of all the past."""
    standing = {known.digest for known in in_force}
    for book in state.orders.orders.values():
        for known in book.values():
            order = known.order
            if known.digest not in standing and now.since(order.effective) > _NEW_S:
                continue
            drill = ", a drill" if order.drill else ""
            told = "sealed" if is_secret(known) else f"{order.effect}{drill}"
            yield Occasion(
                key=f"order-issued:{known.digest}",
                event="order-issued",
                order=_name(known),
                until=order.expires,
                detail=f"{order.kind}, {told}",
            )


def _of_straggler(row: LateHost, now: Instant) -> Iterator[Occasion]:
    late, order, site = row.late, _name(row.known), row.site
    base = f"{late.order.digest}:{late.host}"
    yield Occasion(
        key=f"straggler:{base}",
        event="straggler",
        order=order,
        site=site,
        host=late.host,
        until=late.due,
        detail=late.why,
    )
    if not row.is_due(now):
        return
    event: Event = "step-overdue" if row.is_overdue(now) else "step-due"
    yield Occasion(
        key=f"{event}:{base}:{len(row.steps)}",
        event=event,
        order=order,
        site=site,
        host=late.host,
        until=row.upcoming.overdue,
        detail=" or ".join(row.upcoming.steps),
    )


def _of_verdicts(
    state: State, in_force: tuple[KnownOrder, ...], now: Instant, lead_s: float
) -> Iterator[Occasion]:
    for known in (each for each in in_force if not is_secret(each)):
        for life in state.lives.under(known.reference):
            verdict, host = life.verdict_on_halt, state.regime.hosts.get(life.host)
            if verdict is None or host is None:
                continue
            left = verdict.lapses.since(now)
            lapsing = verdict.degree in ("corroborated", "verified") and 0 < left <= lead_s
            if verdict.degree != "contradicted" and not lapsing:
                continue
            event: Event = "verdict-lapsing" if lapsing else "contradicted"
            yield Occasion(
                key=f"{event}:{life.verdict_digest}",
                event=event,
                order=_name(known),
                site=host.site,
                host=life.host,
                until=verdict.lapses,
            )


def _of_appeals(state: State, now: Instant) -> Iterator[Occasion]:
    for appeal in state.appeals.appeals.values():
        filed, decided = appeal.filed, appeal.decided
        order = f"{filed.order.register}/{filed.order.number}"
        detail = f"{filed.appeal} ({filed.party})"
        if decided is None:
            yield Occasion(
                key=f"appeal-filed:{appeal.leaf}", event="appeal-filed", order=order, detail=detail
            )
        elif appeal_standing(state, appeal, now) == "resume-overdue":
            yield Occasion(
                key=f"resume-overdue:{appeal.leaf}",
                event="resume-overdue",
                order=order,
                until=decided.resume_by,
                detail=detail,
            )


def _name(known: KnownOrder) -> str:
    return f"{known.order.register}/{known.order.number}"
