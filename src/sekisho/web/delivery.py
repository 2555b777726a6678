"""How orders get to hosts, over HTTP, for whoever follows an order away from the control plane."""

from __future__ import annotations

from http import HTTPStatus

from litestar import Controller, get

from sekisho.app.control_room import Delivery
from sekisho.web.description import ReadOperation
from sekisho.web.plane import Lent
from sekisho.web.problems import declare_problems
from sekisho.web.watch_lists import tell_push

__all__ = ["DeliveryApi"]


class DeliveryApi(Controller):
    """Who waits for news, and who is pushed to."""

    path = "/api/v1/delivery"

    @get(
        operation_class=ReadOperation,
        responses=declare_problems(HTTPStatus.SERVICE_UNAVAILABLE),
        sync_to_thread=True,
    )
    def show_delivery(self, plane: Lent) -> Delivery:
        """How many hosts wait in a long poll, and how the addresses stand that orders are pushed to."""
        return Delivery(
            at=str(plane.control.clock.now()),
            waiting=plane.news.waiting,
            push=tell_push(plane.control.push),
        )
