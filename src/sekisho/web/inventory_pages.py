"""The console's pages of inventories: each site's verdict, and its differences with their reasons."""

from __future__ import annotations

from typing import Annotated, Any, Final
from urllib.parse import urlencode

from litestar import Controller, Request, Response, get
from litestar.datastructures import State
from litestar.params import QueryParameter

from sekisho.catalogue import Language, say
from sekisho.web.pages import language_for, render_page
from sekisho.web.plane import Lent, Plane
from sekisho.web.problems import NotFound
from sekisho.web.register_views import STATE_SHAPES, VERDICT_SHAPES

__all__ = ["InventoryPages"]

Asking = Request[Any, Any, State]
Page = Response[str]
SHOWN: Final = 500


class InventoryPages(Controller):
    """Every page of inventories."""

    path = "/chips/inventories"
    include_in_schema = False

    @get("/", sync_to_thread=True)
    def list_sites(self, request: Asking, plane: Lent) -> Page:
        """Every site that a table or a node names, with what the newest comparison came to."""
        inventories = plane.control.inventories
        sites = [(site, inventories.newest(site)) for site in inventories.sites()]
        return _render(plane, request, "inventories.html", sites=sites)

    @get("/site", sync_to_thread=True)
    def show_site(
        self,
        request: Asking,
        plane: Lent,
        site: Annotated[str, QueryParameter(min_length=1, max_length=128)],
    ) -> Page:
        """One site, compared now: what differs, why, and where each voice is written."""
        inventories = plane.control.inventories
        if site not in inventories.sites():
            raise NotFound(f"no table and no node names the site {site}")
        found = inventories.compare(site)
        shown = found.differences[:SHOWN]
        return _render(
            plane,
            request,
            "inventory.html",
            found=found,
            shown=shown,
            hidden=len(found.differences) - len(shown),
        )


def _render(plane: Plane, request: Asking, template: str, **values: Any) -> Page:
    language: Language = language_for(plane, request)

    def chip_words(key: str, **words: object) -> str:
        return say(f"chip.{key}", language, **words)

    return render_page(
        plane,
        request,
        template,
        look=plane.look(),
        part="inventories",
        c=chip_words,
        code=lambda word: say(f"inventory.code.{word}", language),
        site_address=lambda name: "/chips/inventories/site?" + urlencode({"site": name}),
        passport_address=lambda epc: "/chips/passport?" + urlencode({"epc": epc}),
        state_shapes=STATE_SHAPES,
        verdict_shapes=VERDICT_SHAPES,
        **values,
    )
