"""The console's pages of hosts: all of them, and one. No page changes anything."""

from __future__ import annotations

from typing import Any, Final

from litestar import Controller, Request, Response, get
from litestar.datastructures import State
from litestar.params import FromPath

from sekisho.web.api import decode_name
from sekisho.web.host_lists import HostsAsked, PageNumber, Typed, list_hosts
from sekisho.web.orderly import life_of
from sekisho.web.pages import render_page
from sekisho.web.plane import Lent
from sekisho.web.problems import NotFound
from sekisho.web.standing import judge_host, judge_under

__all__ = ["HostPages"]

Asking = Request[Any, Any, State]
Page = Response[str]
_SITES: Final = 200


class HostPages(Controller):
    """Hosts, as people look for them."""

    path = "/"
    include_in_schema = False

    @get("/hosts", sync_to_thread=True)
    def show_hosts(
        self,
        request: Asking,
        plane: Lent,
        site: Typed = "",
        word: Typed = "",
        q: Typed = "",
        page: PageNumber = 1,
    ) -> Page:
        """Every enrolled host, counted by site, searched by name, a page at a time."""
        look = plane.look()
        standings = [judge_host(look, host) for hosts in look.sites.values() for host in hosts]
        asked = HostsAsked(site=site, word=word, query=q, page=page)
        found = list_hosts(standings, asked)
        return render_page(plane, request, "hosts.html", look=look, found=found, most_sites=_SITES)

    @get("/hosts/{host:str}", sync_to_thread=True)
    def show_host(self, request: Asking, plane: Lent, host: FromPath[str]) -> Page:
        """One host: its devices, where it stands, its leases, and its life under each order."""
        look = plane.look()
        enrolled = look.regime.hosts.get(decode_name(host))
        if enrolled is None:
            raise NotFound(f"host {decode_name(host)} is not enrolled")
        chain = plane.control.leases.chain(enrolled.host)
        return render_page(
            plane,
            request,
            "host.html",
            look=look,
            host=enrolled,
            standing=judge_host(look, enrolled),
            chain=chain,
            licence=look.licence_of(enrolled.host),
            live=look.live_lease(enrolled.host),
            lives=[
                (known, life_of(look, known, judge_under(look, known, enrolled)))
                for known in look.all_orders
                if known.order.kind != "resume" and look.covers(known, enrolled)
            ],
            findings=[pair for pair in look.findings if pair[1].host == enrolled.host],
        )
