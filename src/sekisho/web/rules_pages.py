"""The console's pages of rules: the packs, what one says on a date, a request decided, chips classified.

No page changes anything: a form asks, and its answer stands on the page that it gives.
"""

from __future__ import annotations

from http import HTTPStatus
from typing import Annotated

import anyio.to_thread
from litestar import Controller, get, post
from litestar.params import FromPath, QueryParameter

from sekisho.rules.reliance import beyond
from sekisho.rules.review import check_pack
from sekisho.web.description import MAX_BODY
from sekisho.web.epcis_bodies import check_announced
from sekisho.web.pages import language_for
from sekisho.web.plane import Lent, Plane
from sekisho.web.rules_asking import parse_when, require_pack
from sekisho.web.rules_classes import class_page
from sekisho.web.rules_comparing import MOST_POPULATION, comparing_page
from sekisho.web.rules_decisions import answer_form, blank_form
from sekisho.web.rules_forms import Fields, read_fields, read_upload
from sekisho.web.rules_frame import Asking, Page, day_text, render_rules
from sekisho.web.rules_views import view_pack

__all__ = ["RulesPages"]

_Word = Annotated[str, QueryParameter(max_length=64)]


class RulesPages(Controller):
    """Every page of packs, decisions and classes."""

    path = "/rules"
    include_in_schema = False

    @get("/", sync_to_thread=True)
    def list_packs(self, request: Asking, plane: Lent) -> Page:
        """The packs at hand and those in this regime's log, and which of them count."""
        packs = plane.control.rules.packs(plane.control.clock.now())
        return render_rules(plane, request, "rules_packs.html", "packs", packs=packs)

    @get("/{name:str}", sync_to_thread=True)
    def show_pack(  # noqa: PLR0913, PLR0917  # the fields of the form
        self,
        request: Asking,
        plane: Lent,
        name: FromPath[str],
        at: _Word = "",
        as_of: _Word = "",
        reading: _Word = "",
        version: _Word = "",
    ) -> Page:
        """What one pack says on a date: rules, values, sets, sources, and what is wrong with it."""
        now = plane.control.clock.now()
        pack, when = require_pack(plane, name, version), parse_when(at, as_of, reading)
        law = (when.at or now, when.as_of, when.reading)
        return render_rules(
            plane,
            request,
            "rules_pack.html",
            "packs",
            view=view_pack(pack, law, now, language_for(plane, request)),
            asked={
                "at": day_text(when.at)[:10],
                "as_of": day_text(when.as_of)[:10],
                "version": version,
            },
            problems=check_pack(pack, now),
            warnings=beyond(pack, law[0]),
        )

    @get("/decide", sync_to_thread=True)
    def ask(self, request: Asking, plane: Lent, form: _Word = "") -> Page:
        """The form: a transfer, a training run, or a request as JSON."""
        values = blank_form(plane, form, Fields())
        return render_rules(plane, request, "rules_decide.html", "decide", **values)

    @post("/decide", status_code=HTTPStatus.OK)
    async def decide(self, request: Asking, plane: Lent) -> Page:
        """The form with its answer: packs side by side, days side by side, every reason."""
        fields = await read_fields(request)
        return await anyio.to_thread.run_sync(
            _decided, plane, request, fields, limiter=plane.rules_threads
        )

    @get("/classify", sync_to_thread=True)
    def list_classes(self, request: Asking, plane: Lent) -> Page:
        """Every chip of the table with its class; narrowed by name, maker, class, pack and date."""
        wanted = Fields.of(list(request.query_params.multi_items()))
        return _classified(plane, request, wanted, None)

    @post("/classify", status_code=HTTPStatus.OK)
    async def classify(self, request: Asking, plane: Lent) -> Page:
        """The same page with the class of a data sheet."""
        spec = await read_fields(request)
        return await anyio.to_thread.run_sync(
            _classified,
            plane,
            request,
            spec.only("pack", "at", "as_of"),
            spec,
            limiter=plane.rules_threads,
        )

    @get("/what-if", sync_to_thread=True)
    def ask_what_if(self, request: Asking, plane: Lent) -> Page:
        """The form: two packs, two dates, two readings, and who is asked."""
        return _compared(plane, request, Fields(), None)

    @post("/what-if", status_code=HTTPStatus.OK, request_max_body_size=MOST_POPULATION + MAX_BODY)
    async def compare(self, request: Asking, plane: Lent) -> Page:
        """The comparison: tables with their charts. The population is read, judged and forgotten."""
        check_announced(request, MOST_POPULATION + MAX_BODY)
        with plane.room.hold():
            fields, uploaded = await read_upload(request, "population", MOST_POPULATION)
            return await anyio.to_thread.run_sync(
                _compared, plane, request, fields, uploaded, limiter=plane.rules_threads
            )


def _decided(plane: Plane, request: Asking, fields: Fields) -> Page:
    language = language_for(plane, request)
    values = answer_form(plane, fields, language)
    return render_rules(plane, request, "rules_decide.html", "decide", **values)


def _classified(plane: Plane, request: Asking, wanted: Fields, spec: Fields | None) -> Page:
    when = parse_when(wanted.text("at"), wanted.text("as_of"), "")
    values = class_page(plane, when, wanted, spec)
    return render_rules(plane, request, "rules_classify.html", "classify", **values)


def _compared(plane: Plane, request: Asking, fields: Fields, uploaded: bytes | None) -> Page:
    values = comparing_page(plane, fields, uploaded, language_for(plane, request))
    return render_rules(plane, request, "rules_what_if.html", "what-if", **values)
