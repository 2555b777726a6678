"""The console's page of applications: each with its state, its answers, and what is still missing."""

from __future__ import annotations

from typing import Any

from litestar import Controller, Request, Response, get
from litestar.datastructures import State

from sekisho.app.applications import standing_of_application
from sekisho.web.pages import render_page
from sekisho.web.plane import Lent

__all__ = ["LicencePages"]

Asking = Request[Any, Any, State]
Page = Response[str]


class LicencePages(Controller):
    """Pages around licences; no page changes anything."""

    path = "/applications"
    include_in_schema = False

    @get("/", sync_to_thread=True)
    def list_applications(self, request: Asking, plane: Lent) -> Page:
        """Every application, the open ones first."""
        state = plane.control.desk.state
        filed = list(state.applications.applications.values())
        rows = [(each, standing_of_application(state, each)) for each in filed]
        rows.sort(key=lambda row: (row[1].state == "decided", -row[0].index))
        licences = {leaf: held.licence.number for leaf, held in state.licences.licences.items()}
        decided = {
            version.leaf: held.licence.number
            for held in state.licences.licences.values()
            for version in held.versions
        }
        return render_page(
            plane,
            request,
            "applications.html",
            look=plane.look(),
            rows=rows,
            licences=licences,
            decided=decided,
            asked=state.regime.in_force().terms.licence_approvals if state.regime.charter else 0,
        )
