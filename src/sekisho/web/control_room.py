"""The console's pages for who is on call: who is late and what comes next, appeals, drills; and an order's reach.

The second page draws what an order would do before anybody drafts it: no statement is made, nothing is kept.
"""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any, Final

import msgspec
from litestar import Controller, Request, Response, get
from litestar.datastructures import State

from sekisho.app.control_room import (
    LateHost,
    OrderPlan,
    appeal_standing,
    draft_order,
    exercised_sites,
    late_hosts,
    preview_order,
    see_work,
)
from sekisho.model.errors import InvalidInput, SekishoError
from sekisho.model.instants import Instant
from sekisho.model.statements import Scope
from sekisho.model.wire import from_json
from sekisho.orders.sealed import public_face
from sekisho.web.description import ReadOperation
from sekisho.web.host_lists import HostsAsked, PageNumber, Typed
from sekisho.web.order_charts import draw_reach
from sekisho.web.pages import render_page
from sekisho.web.plane import Lent, Plane
from sekisho.web.problems import declare_problems
from sekisho.web.watch_lists import pick_late, tell_push

__all__ = ["ControlRoomPages", "WorkApi"]

Asking = Request[Any, Any, State]
Page = Response[str]
_SCOPES: Final = ("sites", "licensees", "runs", "hosts", "jurisdictions", "chips")
_EFFECTS: Final = {"pause": "checkpoint-then-stop", "hold": "freeze"}
_ROWS: Final = 200
_LONGEST: Final = 2_000
_NAMES: Final = 256
_DIGITS: Final = 5
_EMPTY: Final = {
    "kind": "pause",
    "by": "",
    "names": "",
    "exempt": "",
    "grace": "30",
    "hours": "24",
    "drill": "",
}


class HostWork(msgspec.Struct, frozen=True, kw_only=True):
    """What a host's newest receipt says of its work, and when."""

    host: str
    at: str
    state: str
    run: str | None


class WorkAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """The hosts that were heard of, as of an instant; `order preview --work` reads it."""

    at: str
    hosts: tuple[HostWork, ...]


class WorkApi(Controller):
    """What runs where, for whoever drafts an order away from the control plane."""

    path = "/api/v1/work"

    @get(
        operation_class=ReadOperation,
        responses=declare_problems(HTTPStatus.SERVICE_UNAVAILABLE),
        sync_to_thread=True,
    )
    def show_work(self, plane: Lent) -> WorkAnswer:
        """Each host's newest receipt in brief. It is this control plane's word: the receipts are no log entries."""
        seen = see_work(plane.control, plane.control.clock.now())
        rows = (
            HostWork(host=row.host, at=str(row.at), state=row.state, run=row.run)
            for row in seen.hosts
        )
        return WorkAnswer(at=str(seen.at), hosts=tuple(rows))


class ControlRoomPages(Controller):
    """Pages for people on call; no page changes anything."""

    path = "/"
    include_in_schema = False

    @get("/control-room", sync_to_thread=True)
    def show_room(
        self,
        request: Asking,
        plane: Lent,
        site: Typed = "",
        q: Typed = "",
        page: PageNumber = 1,
    ) -> Page:
        """Stragglers with the next step against each, appeals, drills, and how orders reach who is pushed to."""
        look, state = plane.look(), plane.control.desk.state
        late = _late(plane, look.at) if state.regime.charter is not None else ()
        asked = HostsAsked(site=site, query=q, page=page)
        appeals = [
            (each, appeal_standing(state, each, look.at), state.orders.find(each.filed.order))
            for each in state.appeals.appeals.values()
        ]
        return render_page(
            plane,
            request,
            "control_room.html",
            look=look,
            late=pick_late(late, asked),
            appeals=list(reversed(appeals)),
            sites=exercised_sites(state),
            most_sites=_ROWS,
            push=tell_push(plane.control.push),
            waiting=plane.news.waiting,
        )

    @get("/reach", sync_to_thread=True)
    def show_reach(self, request: Asking, plane: Lent) -> Page:
        """What an order of this kind over this scope would do now: names, work, what would be lost, what is held."""
        look, state = plane.look(), plane.control.desk.state
        asked = {**_EMPTY, **{k: v[:_LONGEST] for k, v in request.query_params.items()}}
        reach, problem, status = None, "", HTTPStatus.OK
        if asked["by"]:
            try:
                order = draft_order(state, _plan(asked), now=look.at)
                reach = preview_order(state, order, see_work(plane.control, look.at), now=look.at)
            except SekishoError as error:
                problem, status = str(error), HTTPStatus.UNPROCESSABLE_ENTITY
        return render_page(
            plane,
            request,
            "reach.html",
            status=status,
            look=look,
            reach=reach,
            bars=draw_reach(reach.by_site) if reach is not None else (),
            rows=reach.rows[:_ROWS] if reach is not None else (),
            more=max(0, len(reach.rows) - _ROWS) if reach is not None else 0,
            problem=problem,
            scopes=_SCOPES,
            kinds=tuple(_EFFECTS),
            asked=asked,
        )


def _late(plane: Plane, at: Instant) -> tuple[LateHost, ...]:
    """Whom everybody may see to be late: of a sealed order nobody is named here before it opens."""
    late = late_hosts(plane.control.desk.state, at)
    return tuple(row for row in late if public_face(row.known).is_shown)


def _plan(asked: Mapping[str, str]) -> OrderPlan:
    """The order that the form asks about. Raises InvalidInput naming the field."""
    kind, by, names = asked["kind"], asked["by"], _words(asked["names"])
    if kind not in _EFFECTS:
        raise InvalidInput(f"{kind[:40]!r} is not asked about here", path="kind")
    if by != "everywhere" and by not in _SCOPES:
        raise InvalidInput(f"{by[:40]!r} is no attribute of a scope", path="by")
    if by != "everywhere" and not names:
        raise InvalidInput("is empty", path="names", remedy="give at least one name")
    fields: Any = {"everywhere": True} if by == "everywhere" else {by: list(names)}
    return OrderPlan(
        kind=kind,  # type: ignore[arg-type]  # one of the table's
        scope=from_json(Scope, fields, path="names"),
        effect=_EFFECTS[kind],  # type: ignore[arg-type]  # one of the table's
        lasts_s=_whole(asked, "hours") * 3_600,
        legal_basis="-",
        appeal="-",
        grace_s=_whole(asked, "grace"),
        exemptions=_words(asked["exempt"]),
        drill=bool(asked["drill"]),
    )


def _whole(asked: Mapping[str, str], name: str) -> int:
    text = asked[name]
    if not (text.isascii() and text.isdecimal() and len(text) <= _DIGITS):
        raise InvalidInput(
            f"{text[:40]!r} is no whole number of at most {_DIGITS} digits", path=name
        )
    return int(text)


def _words(text: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(text.replace(",", " ").split()))[:_NAMES]
