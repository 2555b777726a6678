"""The console's page of metering: the fleet's picture, the devices' freshness, and what was refused."""

from __future__ import annotations

from typing import Any

from litestar import Controller, Request, Response, get
from litestar.datastructures import State

from sekisho.web.metering_views import DEVICE_SHAPES, draw_bars, list_devices
from sekisho.web.pages import render_page
from sekisho.web.plane import Lent

__all__ = ["MeteringPages"]

Asking = Request[Any, Any, State]


class MeteringPages(Controller):
    """Every page of metering."""

    path = "/metering"
    include_in_schema = False

    @get("/", sync_to_thread=True)
    def show_fleet(self, request: Asking, plane: Lent) -> Response[str]:
        """What devices report and what they do not; from the newest look of the upkeep, which the page dates."""
        telemetry, look = plane.control.telemetry, plane.look()
        picture = telemetry.picture
        return render_page(
            plane,
            request,
            "metering.html",
            look=look,
            picture=picture,
            is_kept=telemetry.is_kept,
            bars=() if picture is None else draw_bars(picture.days),
            devices=None if picture is None else list_devices(picture, look.at),
            tally=telemetry.tally,
            upkeep=telemetry.upkeep,
            problem=telemetry.problem,
            device_shapes=DEVICE_SHAPES,
        )
