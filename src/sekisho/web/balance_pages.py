"""The console's pages of balances: areas by verdict, a balance sheet, the chart of differences, what is in transit."""

from __future__ import annotations

from typing import Annotated, Any, Final
from urllib.parse import urlencode

from litestar import Controller, Request, Response, get
from litestar.datastructures import State
from litestar.params import FromQuery, QueryParameter

from sekisho.catalogue import Language, say
from sekisho.registry.balance import CODES, judge_bulk
from sekisho.web.balance_chart import draw_chart, points_of
from sekisho.web.pages import language_for, render_page
from sekisho.web.plane import Lent, Plane
from sekisho.web.problems import NotFound
from sekisho.web.register_views import STATE_SHAPES, VERDICT_SHAPES

__all__ = ["BalancePages"]

Asking = Request[Any, Any, State]
Page = Response[str]
_SHOWN: Final = 200
_WORST_FIRST: Final = {"fails": 0, "unverifiable": 1, "holds": 2}
_TRANSIT_SHAPES: Final = {
    "under-way": "received",
    "overdue": "non-responsive",
    "differs": "contradicted",
    "matched": "verified",
    "not-received": "unverifiable",
    "not-shipped": "unverifiable",
}


class BalancePages(Controller):
    """Every page of balances; no page changes anything."""

    path = "/chips"
    include_in_schema = False

    @get("/balances", sync_to_thread=True)
    def list_areas(self, request: Asking, plane: Lent) -> Page:
        """Every balance area, what fails first; below them the bulk areas with their charts."""
        books = plane.control.books
        areas = sorted(
            books.balances.show_all(plane.control.clock.now()),
            key=lambda book: (_WORST_FIRST[book.verdict], book.area),
        )
        bulk = []
        for book in books.bulk():
            results = judge_bulk(book)
            points = points_of(results)
            bulk.append((book, tuple(zip(points, results, strict=True)), draw_chart(points)))
        return _render(plane, request, "balances.html", "balances", areas=areas, bulk=bulk)

    @get("/balances/area", sync_to_thread=True)
    def show_area(
        self,
        request: Asking,
        plane: Lent,
        name: FromQuery[str],
        number: Annotated[int, QueryParameter(ge=0, le=10**6)] = 0,
    ) -> Page:
        """One area: the book now, a closed balance as a sheet, the chart of all of them."""
        balances = plane.control.books.balances
        if name not in balances.names():
            raise NotFound(f"there is no balance area {name[:120]}")
        closed = balances.balances(name)
        if number > len(closed):
            raise NotFound(f"{name[:120]} has {len(closed)} closed balances")
        points = points_of(closed)
        return _render(
            plane,
            request,
            "balance.html",
            "balances",
            book=balances.show(name, plane.control.clock.now()),
            sheet=closed[(number or len(closed)) - 1] if closed else None,
            closed=tuple(zip(points, closed, strict=True)),
            chart=draw_chart(points),
            shown=_SHOWN,
        )

    @get("/transit", sync_to_thread=True)
    def list_transit(self, request: Asking, plane: Lent) -> Page:
        """What was shipped and not received whole, oldest first."""
        rows = plane.control.books.balances.transit(plane.control.clock.now())
        shapes = _TRANSIT_SHAPES
        return _render(plane, request, "transit.html", "transit", rows=rows, transit_shapes=shapes)


def _render(plane: Plane, request: Asking, template: str, part: str, **values: Any) -> Page:
    language: Language = language_for(plane, request)

    def chip_words(key: str, **words: object) -> str:
        return say(f"chip.{key}", language, **words)

    def balance_words(key: str, **words: object) -> str:
        return say(f"balance.{key}", language, **words)

    return render_page(
        plane,
        request,
        template,
        look=plane.look(),
        part=part,
        c=chip_words,
        b=balance_words,
        code_key=lambda code: CODES[code].key,
        passport_address=lambda epc: "/chips/passport?" + urlencode({"epc": epc}),
        area_address=lambda name, number=0: (
            "/chips/balances/area?"
            + urlencode({"name": name, **({"number": number} if number else {})})
        ),
        state_shapes=STATE_SHAPES,
        verdict_shapes=VERDICT_SHAPES,
        **values,
    )
