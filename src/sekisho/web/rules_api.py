"""The HTTP API of rules: packs, decisions, classes, comparisons, the questionnaire. It answers and keeps nothing.

The same reading and judging as the command line's; what needs the processor runs in threads of its own, two at a time.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from http import HTTPStatus
from typing import Annotated, Any, Final, TypeVar

import anyio.to_thread
import msgspec
from litestar import Controller, Request, get, post
from litestar.datastructures import State
from litestar.params import PathParameter, QueryParameter

from sekisho.app import KnownPack
from sekisho.model.errors import InvalidInput
from sekisho.model.instants import Instant
from sekisho.model.wire import canonical, from_json, parse_json, to_plain
from sekisho.rules import Pack, decide, decide_side_by_side, parse_requests
from sekisho.rules import Request as RuleRequest
from sekisho.rules.classification import classify
from sekisho.rules.impact import assess, impact_document, parse_answers
from sekisho.rules.requests import ChipSpec, ItemAsked, parse_chip_spec
from sekisho.rules.what_if import Side, diff_document
from sekisho.web.description import ReadOperation
from sekisho.web.epcis_bodies import check_announced, read_bounded
from sekisho.web.plane import Lent, Plane
from sekisho.web.problems import declare_problems
from sekisho.web.rules_asking import When, find_packs, parse_when, require_pack
from sekisho.web.rules_classes import DEFAULT_CLASSES
from sekisho.web.rules_comparing import (
    MOST_POPULATION,
    MOST_ROWS,
    compare,
    read_population,
    sample_requests,
)
from sekisho.web.rules_impact import MAX_FORM, packs_at_hand
from sekisho.web.rules_views import pack_document
from sekisho.web.rules_wire import (
    AnswersView,
    AssessOperation,
    ClassifyOperation,
    DecideOperation,
    DiffAsked,
    DiffOperation,
    PackRow,
    SideAsked,
)

__all__ = ["ImpactApi", "RulesApi"]

MAX_REQUESTS: Final = 1024 * 1024
MOST_DECIDED: Final = 1_000
_DATE: Final = r"^([0-9]{4}-[0-9]{2}-[0-9]{2}(T[0-9:.]{8,15}Z)?)?$"
T = TypeVar("T")
Asking = Request[Any, Any, State]
Day = Annotated[str, QueryParameter(pattern=_DATE, description="A date, or an instant in UTC.")]
Reading = Annotated[str, QueryParameter(pattern="^(enforced|codified|announced)?$")]
PackWord = Annotated[str, QueryParameter(max_length=64)]
PackPart = Annotated[str, PathParameter(pattern=r"^[a-z0-9][a-z0-9.-]{0,63}$")]
_READING: Final = declare_problems(
    HTTPStatus.NOT_FOUND, HTTPStatus.UNPROCESSABLE_ENTITY, HTTPStatus.SERVICE_UNAVAILABLE
)
_ASKING: Final = declare_problems(
    HTTPStatus.FORBIDDEN,
    HTTPStatus.NOT_FOUND,
    HTTPStatus.REQUEST_TIMEOUT,
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    HTTPStatus.UNPROCESSABLE_ENTITY,
    HTTPStatus.TOO_MANY_REQUESTS,
    HTTPStatus.SERVICE_UNAVAILABLE,
)


class RulesApi(Controller):
    """Every route of /api/v1/rules."""

    path = "/api/v1/rules"

    @get("/packs", operation_class=ReadOperation, responses=_READING, sync_to_thread=True)
    def list_packs(self, plane: Lent) -> list[PackRow]:
        """The packs at hand and those in the log, and which of them count now."""
        return [_row(known) for known in plane.control.rules.packs(plane.control.clock.now())]

    @get(
        "/packs/{name:str}", operation_class=ReadOperation, responses=_READING, sync_to_thread=True
    )
    def show_pack(
        self, plane: Lent, name: PackPart, at: Day = "", as_of: Day = "", version: PackWord = ""
    ) -> dict[str, Any]:
        """What a pack says on a date: values with their sources and marks, and which rules act."""
        pack = require_pack(plane, name, version)
        when = parse_when(at, as_of, "")
        return pack_document(pack, when.at or plane.control.clock.now(), when.as_of)

    @post(
        "/decide",
        status_code=HTTPStatus.OK,
        operation_class=DecideOperation,
        responses=_ASKING,
        request_max_body_size=MAX_REQUESTS,
    )
    async def decide(  # the parameters of the route
        self,
        request: Asking,
        plane: Lent,
        at: Day = "",
        as_of: Day = "",
        reading: Reading = "",
        pack: Annotated[list[str] | None, QueryParameter(max_items=20)] = None,
    ) -> AnswersView:
        """Permit, report, licence, deny or unsure, with every reason; several packs side by side."""
        when = parse_when(at, as_of, reading)

        def answer(body: bytes) -> AnswersView:
            return _decided(plane, body, when, tuple(pack or ()))

        _check_query(request, "at", "as_of", "reading", "pack")
        return await _read_and_run(request, plane, MAX_REQUESTS, answer)

    @post(
        "/classify",
        status_code=HTTPStatus.OK,
        operation_class=ClassifyOperation,
        responses=_ASKING,
    )
    async def classify(
        self, request: Asking, plane: Lent, at: Day = "", as_of: Day = "", pack: PackWord = ""
    ) -> dict[str, Any]:
        """The class of an item with its TPP, performance density and H100 equivalents."""
        when = parse_when(at, as_of, "")

        def answer(body: bytes) -> dict[str, Any]:
            law = require_pack(plane, pack or DEFAULT_CLASSES)
            moment = when.at or plane.control.clock.now()
            return _plain(classify(_item(body), law, moment, when.as_of))

        _check_query(request, "at", "as_of", "pack")
        return await _read_and_run(request, plane, MAX_REQUESTS, answer)

    @post(
        "/diff",
        status_code=HTTPStatus.OK,
        operation_class=DiffOperation,
        responses=_ASKING,
        request_max_body_size=MOST_POPULATION,
    )
    async def diff(self, request: Asking, plane: Lent) -> dict[str, Any]:
        """Who is newly caught or freed between two sides; at most 8 MiB and 20,000 requests."""

        def answer(body: bytes) -> dict[str, Any]:
            return _compared(plane, body)

        _check_query(request)
        return await _read_and_run(request, plane, MOST_POPULATION, answer)


class ImpactApi(Controller):
    """Every route of /api/v1/impact."""

    path = "/api/v1/impact"

    @post(
        "/assess",
        status_code=HTTPStatus.OK,
        operation_class=AssessOperation,
        responses=_ASKING,
        request_max_body_size=MAX_FORM,
    )
    async def assess(self, request: Asking, plane: Lent, at: Day = "") -> dict[str, Any]:
        """What the rules mean for a company: scope, cost, contacts; nothing of the answers is kept."""
        when = parse_when(at, "", "")

        def answer(body: bytes) -> dict[str, Any]:
            given = parse_answers(body, "body").given
            moment = when.at or plane.control.clock.now()
            return _plain(impact_document(assess(given, packs_at_hand(plane), moment), "en"))

        _check_query(request, "at")
        return await _read_and_run(request, plane, MAX_FORM, answer)


def _check_query(request: Asking, *known: str) -> None:
    """Refuses a parameter that nobody reads: a misspelt date would be answered by the law of today."""
    for name in request.query_params:
        if name not in known:
            raise InvalidInput(
                "is no parameter here",
                path=name[:40],
                remedy=f"use {', '.join(known)}" if known else "write it into the body",
            )


async def _read_and_run(
    request: Asking, plane: Plane, most: int, answer: Callable[[bytes], T]
) -> T:
    """The body, bounded and held in the room for bodies, then the answer in a thread."""
    check_announced(request, most)
    with plane.room.hold() as held:
        body = await read_bounded(request, most, held)
        return await anyio.to_thread.run_sync(answer, body, limiter=plane.rules_threads)


def _decided(plane: Plane, body: bytes, when: When, names: tuple[str, ...]) -> AnswersView:
    rows = parse_requests(body, file="body", most=MOST_DECIDED)
    if len(rows) == 1 and isinstance(rows[0][1], InvalidInput):
        raise rows[0][1]
    kinds = Counter(row.kind for _, row in rows if not isinstance(row, InvalidInput))
    if sum(n * len(find_packs(plane, names, kind)) for kind, n in kinds.items()) > MOST_DECIDED:
        raise InvalidInput(
            f"more than {MOST_DECIDED} answers, one for each request and pack",
            path="body",
            remedy="send fewer requests, or name fewer packs",
        )
    return AnswersView(
        answers=tuple(_answer(plane, line, asked, when, names) for line, asked in rows)
    )


def _answer(
    plane: Plane, line: int, asked: RuleRequest | InvalidInput, when: When, names: tuple[str, ...]
) -> dict[str, Any]:
    if isinstance(asked, InvalidInput):
        return {"line": line, "error": str(asked), "path": asked.path}
    packs = find_packs(plane, names, asked.kind)
    day = when.day(asked, plane.control.clock.now())
    return _judged(asked, packs, day, when)


def _judged(
    asked: RuleRequest, packs: tuple[Pack, ...], day: Instant, when: When
) -> dict[str, Any]:
    if len(packs) == 1:
        return _plain(decide(asked, packs[0], day, when.as_of, reading=when.reading))
    return _plain(decide_side_by_side(asked, packs, day, when.as_of, reading=when.reading))


def _item(body: bytes) -> ItemAsked | ChipSpec:
    """An item as in a transfer, or a data sheet."""
    value = parse_json(body, path="body")
    if isinstance(value, dict) and {"chip", "spec", "form", "weights"} & set(value):
        return from_json(ItemAsked, value, path="body")
    return parse_chip_spec(body, "body")


def _compared(plane: Plane, body: bytes) -> dict[str, Any]:
    asked = from_json(DiffAsked, parse_json(body, path="body"), path="body")
    a, b = (_side(plane, side, asked.as_of) for side in (asked.a, asked.b))
    if bool(asked.population) == bool(asked.sample):
        raise InvalidInput(
            "either `population` or `sample` is needed", path="body", remedy="send one of the two"
        )
    if not 0 <= asked.sample <= MOST_ROWS:
        raise InvalidInput(f"is not between 1 and {MOST_ROWS}", path="sample")
    if asked.sample:
        return dict(diff_document(compare(a, b, sample_requests(asked.sample, (a.pack, b.pack)))))
    rows = read_population(canonical(list(asked.population)), "population")
    return dict(diff_document(compare(a, b, rows)))


def _side(plane: Plane, side: SideAsked, as_of: str) -> Side:
    when = parse_when(side.at, as_of, side.reading)
    return Side(
        pack=require_pack(plane, side.pack),
        at=when.at,
        now=plane.control.clock.now(),
        as_of=when.as_of,
        reading=when.reading,
    )


def _row(known: KnownPack) -> PackRow:
    pack = known.pack
    row = PackRow(
        name=known.reference.name,
        version=known.reference.version,
        sha256=known.reference.sha256,
        place=known.place,
        published=known.published is not None,
        counts=known.counts,
        problem=known.problem,
    )
    if pack is None:
        return row
    return msgspec.structs.replace(
        row,
        title=pack.title,
        title_ja=pack.title_ja,
        standing=pack.standing,
        jurisdiction=pack.jurisdiction,
        rules=len(pack.rules),
        over=tuple(f"{base.name} {base.version}" for base in pack.over),
    )


def _plain(value: Any) -> dict[str, Any]:
    found: Any = to_plain(value)
    return dict(found)
