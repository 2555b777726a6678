"""/metrics: our own state for a Prometheus on this machine, as OpenMetrics text."""

from __future__ import annotations

from typing import Annotated, Literal

from litestar import Response, get
from litestar.params import QueryParameter

from sekisho.web.feed_metrics import feed_families
from sekisho.web.open_metrics import CONTENT_TYPE, write_families
from sekisho.web.own_metrics import own_families
from sekisho.web.plane import Lent

__all__ = ["serve_metrics"]


@get("/metrics", include_in_schema=False, sync_to_thread=True)
def serve_metrics(
    plane: Lent,
    names: Annotated[Literal["yes", "no"], QueryParameter()] = "no",
) -> Response[bytes]:
    """Every family once; licences and sites by name only where the scraper asks for names."""
    wants_names = names == "yes"
    families = [
        *own_families(plane.look(), plane.control.telemetry, names=wants_names),
        *feed_families(plane.news.waiting, plane.control.push, names=wants_names),
    ]
    return Response(
        content=write_families(families),
        media_type=CONTENT_TYPE,
        headers={"cache-control": "no-store"},
    )
