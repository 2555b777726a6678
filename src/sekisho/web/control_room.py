"""The console's pages for who is on call: who is late and what comes next, appeals, drills; and an order's reach.

The second page draws what an order would do before anybody drafts it: no statement is made, nothing is kept.
"""

from __future__ import annotations

from http import HTTPStatus
from typing import Annotated, Any, Final, get_args

from litestar import Controller, Request, Response, get
from litestar.datastructures import State
from litestar.params import QueryParameter

from sekisho.app.control_room import (
    OrderPlan,
    Seen,
    appeal_standing,
    draft_order,
    exercised_sites,
    late_hosts,
    preview_order,
    see_work,
)
from sekisho.model.errors import InvalidInput, SekishoError
from sekisho.model.statements import OrderKind, Scope
from sekisho.model.wire import from_json
from sekisho.web.description import ReadOperation
from sekisho.web.order_charts import draw_reach
from sekisho.web.pages import render_page
from sekisho.web.plane import Lent
from sekisho.web.problems import declare_problems

__all__ = ["ControlRoomPages", "WorkApi"]

Asking = Request[Any, Any, State]
Page = Response[str]
_SCOPES: Final = ("sites", "licensees", "runs", "hosts", "jurisdictions", "chips")
_EFFECTS: Final = {"pause": "checkpoint-then-stop", "hold": "freeze"}
_ROWS: Final = 200
Typed = Annotated[str, QueryParameter(max_length=2_000)]


class WorkApi(Controller):
    """What runs where, for whoever drafts an order away from the control plane."""

    path = "/api/v1/work"

    @get(
        operation_class=ReadOperation,
        responses=declare_problems(HTTPStatus.SERVICE_UNAVAILABLE),
        sync_to_thread=True,
    )
    def show_work(self, plane: Lent) -> Seen:
        """Each host's newest receipt in brief. It is this control plane's word: the receipts are no log entries."""
        return see_work(plane.control, plane.control.clock.now())


class ControlRoomPages(Controller):
    """Pages for people on call; no page changes anything."""

    path = "/"
    include_in_schema = False

    @get("/control-room", sync_to_thread=True)
    def show_room(self, request: Asking, plane: Lent) -> Page:
        """Stragglers with the next step against each, appeals, and how long ago each site was exercised."""
        look, state = plane.look(), plane.control.desk.state
        appeals = [
            (each, appeal_standing(state, each, look.at), state.orders.find(each.filed.order))
            for each in state.appeals.appeals.values()
        ]
        return render_page(
            plane,
            request,
            "control_room.html",
            look=look,
            late=late_hosts(state, look.at) if state.regime.charter is not None else (),
            appeals=list(reversed(appeals)),
            sites=exercised_sites(state),
        )

    @get("/reach", sync_to_thread=True)
    def show_reach(  # the form's fields
        self,
        request: Asking,
        plane: Lent,
        kind: Typed = "pause",
        by: Typed = "",
        names: Typed = "",
        exempt: Typed = "",
        grace: Annotated[int, QueryParameter(ge=0, le=10**6)] = 30,
        hours: Annotated[int, QueryParameter(ge=1, le=24 * 366)] = 24,
        drill: Typed = "",
    ) -> Page:
        """What an order of this kind over this scope would do now: names, work, what would be lost, what is held."""
        look, state = plane.look(), plane.control.desk.state
        reach, problem, status = None, "", HTTPStatus.OK
        if by:
            try:
                plan = _plan(kind, (by, _words(names)), _words(exempt), (grace, hours), drill)
                order = draft_order(state, plan, now=look.at)
                reach = preview_order(state, order, see_work(plane.control, look.at), now=look.at)
            except SekishoError as error:
                problem, status = error.message, HTTPStatus.UNPROCESSABLE_ENTITY
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
            asked={
                "kind": kind,
                "by": by,
                "names": names,
                "exempt": exempt,
                "grace": grace,
                "hours": hours,
                "drill": drill,
            },
        )


def _plan(
    kind: str,
    scope: tuple[str, tuple[str, ...]],
    exempt: tuple[str, ...],
    lengths: tuple[int, int],
    drill: str,
) -> OrderPlan:
    """The order that the form asks about. Raises InvalidInput naming the field."""
    by, names = scope
    grace_s, hours = lengths
    if kind not in _EFFECTS or kind not in get_args(OrderKind):
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
        lasts_s=hours * 3_600,
        legal_basis="-",
        appeal="-",
        grace_s=grace_s,
        exemptions=exempt,
        drill=bool(drill),
    )


def _words(text: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(text.replace(",", " ").split()))[:256]
