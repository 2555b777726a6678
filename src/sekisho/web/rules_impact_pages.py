"""The pages of the questionnaire, and what can be taken along from it: paper, an unsigned statement, the answers."""

from __future__ import annotations

from collections.abc import Callable
from http import HTTPStatus

import anyio.to_thread
from litestar import Controller, Response, get, post

from sekisho.catalogue import Language
from sekisho.rules.impact import format_answers
from sekisho.web.pages import language_for
from sekisho.web.plane import Lent, Plane
from sekisho.web.rules_forms import Fields, read_fields
from sekisho.web.rules_frame import Asking, Page, render_rules
from sekisho.web.rules_impact import (
    MAX_FORM,
    Told,
    draft_statement,
    impact_page,
    print_declaration,
    print_letter,
    read_told,
)

__all__ = ["ImpactPages"]


class ImpactPages(Controller):
    """The questionnaire; nothing that is answered here is kept."""

    path = "/impact"
    include_in_schema = False

    @get("/", sync_to_thread=True)
    def begin(self, request: Asking, plane: Lent) -> Page:
        """The first section."""
        return _answered(plane, request, Fields())

    @post("/", status_code=HTTPStatus.OK, request_max_body_size=MAX_FORM)
    async def go_on(self, request: Asking, plane: Lent) -> Page:
        """The next section, one to be changed, or the answer."""
        fields = await read_fields(request, MAX_FORM)
        return await anyio.to_thread.run_sync(
            _answered, plane, request, fields, limiter=plane.rules_threads
        )

    @post("/letter.pdf", status_code=HTTPStatus.OK, request_max_body_size=MAX_FORM)
    async def print_letter(self, request: Asking, plane: Lent) -> Response[bytes]:
        """The answer on paper."""
        return await _print(request, plane, print_letter, "impact.pdf")

    @post("/declaration.pdf", status_code=HTTPStatus.OK, request_max_body_size=MAX_FORM)
    async def print_declaration(self, request: Asking, plane: Lent) -> Response[bytes]:
        """The self-declaration for clouds, on one page."""
        return await _print(request, plane, print_declaration, "self-declaration.pdf")

    @post("/statement.json", status_code=HTTPStatus.OK, request_max_body_size=MAX_FORM)
    async def draft_statement(self, request: Asking, plane: Lent) -> Response[bytes]:
        """The statement that the company signs elsewhere, for the public key that it names; nobody signs it here."""
        fields = await read_fields(request, MAX_FORM)
        payload = await anyio.to_thread.run_sync(
            draft_statement,
            plane,
            read_told(fields),
            fields.text("public"),
            limiter=plane.rules_threads,
        )
        return _file(payload, "impact-statement.json", "application/json")

    @post("/answers.json", status_code=HTTPStatus.OK, request_max_body_size=MAX_FORM)
    async def take_answers(self, request: Asking) -> Response[bytes]:
        """The answers as the command line reads them."""
        told = read_told(await read_fields(request, MAX_FORM))
        return _file(format_answers(told.answers), "answers.json", "application/json")


async def _print(
    request: Asking,
    plane: Plane,
    write: Callable[[Plane, Told, Language], bytes],
    name: str,
) -> Response[bytes]:
    fields = await read_fields(request, MAX_FORM)
    language: Language = language_for(plane, request)
    printed = await anyio.to_thread.run_sync(
        write, plane, read_told(fields), language, limiter=plane.rules_threads
    )
    return _file(printed, name, "application/pdf")


def _file(content: bytes, name: str, media_type: str) -> Response[bytes]:
    """A file to be kept; its name is ours, since what a company writes of itself stands in no header."""
    return Response(
        content=content,
        media_type=media_type,
        headers={
            "content-disposition": f'attachment; filename="{name}"',
            "cache-control": "no-store",
        },
    )


def _answered(plane: Plane, request: Asking, fields: Fields) -> Page:
    values = impact_page(plane, fields, language_for(plane, request))
    return render_rules(plane, request, "impact.html", "impact", **values)
