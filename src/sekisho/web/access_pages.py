"""The console's page of access to models: who is suspended by which order, what is served where, and how much."""

from __future__ import annotations

from typing import Any, Final

from litestar import Controller, Request, Response, get
from litestar.datastructures import State

from sekisho.web.access_views import LOST_S, list_models, list_suspensions
from sekisho.web.pages import render_page
from sekisho.web.plane import Lent

__all__ = ["AccessPages"]

Asking = Request[Any, Any, State]
_ROWS: Final = 200
_ROLL_UPS: Final = 20_000


class AccessPages(Controller):
    """Every page of access to models; none changes anything."""

    path = "/access"
    include_in_schema = False

    @get("/", sync_to_thread=True)
    def show_access(self, request: Asking, plane: Lent) -> Response[str]:
        """From the orders in force and the newest roll-ups of the log; roll-ups are the word of whoever serves."""
        look = plane.look()
        entries = plane.journal.newest_of("access-decided", _ROLL_UPS)
        models, more = list_models(look, entries, _ROWS)
        return render_page(
            plane,
            request,
            "access.html",
            look=look,
            suspensions=list_suspensions(look),
            models=models,
            more=more,
            newest_only=_ROLL_UPS if len(entries) == _ROLL_UPS else 0,
            lost_s=LOST_S,
        )
