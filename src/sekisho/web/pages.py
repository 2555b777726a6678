"""The console's pages. Each looks once, renders, and can be asked for its live part alone."""

from __future__ import annotations

from collections.abc import Sequence
from http import HTTPStatus
from typing import Annotated, Any, Final
from urllib.parse import urlencode

from litestar import Controller, MediaType, Request, Response, get
from litestar.datastructures import Cookie, State
from litestar.params import FromPath, FromQuery, QueryParameter

from sekisho.app.control_room import STAGES, due_of, late_under, progress_by_site
from sekisho.licensing import burn_down as burn_over_time
from sekisho.model.errors import InvalidInput
from sekisho.orders import KnownOrder
from sekisho.orders.access import access_terms
from sekisho.signing.phrase import digest_phrase
from sekisho.web.api import decode_name
from sekisho.web.bars import burn_down
from sekisho.web.burn_chart import draw_burn_down
from sekisho.web.evidence import Evidence, find_entry, gather_evidence, inclusion_row
from sekisho.web.host_lists import (
    AT_ONCE,
    ROWS,
    TILES,
    HostList,
    HostsAsked,
    PageNumber,
    Typed,
    count_by_site,
    list_hosts,
    needing_a_look,
)
from sekisho.web.order_charts import CAP_STAGES, draw_timeline
from sekisho.web.orderly import lives_of, quorums_of, row_of, standings_under
from sekisho.web.plane import Lent, Plane
from sekisho.web.postings import post_ledger
from sekisho.web.problems import NotFound, problem_of
from sekisho.web.rendering import PageRequest, choose_language
from sekisho.web.sentences import say_entry, say_kind
from sekisho.web.snapshot import Snapshot
from sekisho.web.standing import HostStanding, judge_host

__all__ = ["Pages", "language_for", "render_page", "respond_with_page"]

Asking = Request[Any, Any, State]
Page = Response[str]

_COOKIE: Final = "sekisho-language"
_YEAR_S: Final = 365 * 86_400
_ROWS: Final = 50
_SITES: Final = 100
_PICTURES: Final = 6
"""So many sites of an order are drawn at once; each of the others is a line that leads to its picture."""
_URGENT: Final = 24
_HEARTBEATS: Final = frozenset({"time-marked", "orders-in-force"})


class Pages(Controller):
    """Every page a person opens; no page changes anything."""

    path = "/"
    include_in_schema = False

    @get("/", sync_to_thread=True)
    def show_overview(self, request: Asking, plane: Lent) -> Page:
        """Sites, orders, licences, the log and its witnesses, at a glance."""
        look = plane.look()
        sites = {s: [judge_host(look, h) for h in hosts] for s, hosts in look.sites.items()}
        standings = [each for hosts in sites.values() for each in hosts]
        is_crowd = len(standings) > TILES
        return render_page(
            plane,
            request,
            "overview.html",
            look=look,
            hosts=len(standings),
            unknown=sum(each.word in ("silent", "lapsed") for each in standings),
            counts=count_by_site(standings),
            tiles=needing_a_look(sites, _URGENT) if is_crowd else sites,
            is_crowd=is_crowd,
            most_sites=_SITES,
            pausing=[row_of(look, known) for known in look.in_force if _is_pausing(known)],
            rows=[row_of(look, known) for known in look.all_orders[:6]],
            licences=[(state, burn_down(state.book)) for state in look.licences.licences.values()],
        )

    @get("/orders", sync_to_thread=True)
    def list_orders(self, request: Asking, plane: Lent) -> Page:
        """Every order ever issued, newest first, and the registers' heads."""
        look = plane.look()
        rows = [row_of(look, known) for known in look.all_orders]
        return render_page(plane, request, "orders.html", look=look, rows=rows)

    @get("/orders/{register:str}/{number:int}", sync_to_thread=True)
    def show_order(  # noqa: PLR0913, PLR0917  # the fields of the form
        self,
        request: Asking,
        plane: Lent,
        register: FromPath[str],
        number: FromPath[int],
        site: Typed = "",
        word: Typed = "",
        q: Typed = "",
        page: PageNumber = 1,
    ) -> Page:
        """One order's life, live: who signed it, what it asks, and how far each host has come."""
        look = plane.look()
        asked = HostsAsked(site=site, word=word, query=q, page=page)
        book = look.orders.orders.get(decode_name(register))
        known = None if book is None else book.get(number)
        recorded = None if known is None else plane.journal.find(known.digest)
        if known is None or recorded is None:
            raise NotFound(f"no order {number} is in register {decode_name(register)}")
        state = plane.control.desk.state
        sites = progress_by_site(state, known, look.at) if known.is_shown else ()
        due = due_of(state, known)
        in_force = known.is_shown and any(each.digest == known.digest for each in look.in_force)
        named = sorted(known.named) if known.named is not None else None
        pictured = tuple(each for each in sites if each.site == site) if site else sites[:_PICTURES]
        stages = CAP_STAGES if known.order.effect == "cap" else STAGES
        own = standings_under(look, known) if known.order.kind != "resume" else ()
        return render_page(
            plane,
            request,
            "order.html",
            look=look,
            row=row_of(look, known, own),
            order=known.order,
            terms=access_terms(known.order) if known.order.kind == "suspend-access" else None,
            sites=pictured,
            more_sites=() if site else sites[_PICTURES:_SITES],
            sites_left=0 if site else max(0, len(sites) - _SITES),
            timelines=[
                draw_timeline(each, known.order.not_before, due, look.at, stages=stages)
                for each in pictured
            ],
            named=named,
            most_named=ROWS,
            late=late_under(state, known, look.at) if in_force else (),
            appeals=state.appeals.against(known.reference),
            recorded=recorded,
            phrase=digest_phrase(known.digest),
            quorums=quorums_of(look.regime, known.order.kind, recorded.verified.signers),
            lives=[
                (lifted, found, lives_of(look, lifted, found.rows))
                for lifted in _acted_on(look, known)
                for found in [_listed(look, lifted, known, own, asked)]
            ],
            is_witnessed=look.cosigned is not None
            and recorded.index < look.cosigned.checkpoint.size,
        )

    @get("/licences/{number:str}", sync_to_thread=True)
    def show_licence(self, request: Asking, plane: Lent, number: FromPath[str]) -> Page:
        """One licence: its books as a double-entry ledger, its leases, and the decision it rests on."""
        look = plane.look()
        state = look.licences.by_number(decode_name(number))
        if state is None:
            raise NotFound(f"no licence {decode_name(number)} is in the log")
        kinds = ("lease-granted", "lease-closed", "licence-amended")
        entries = [entry for kind in kinds for entry in plane.journal.of_kind(kind)]
        burns = [
            (found, draw_burn_down(found, look.at, state.licence.period.end))
            for found in burn_over_time(state, look.at)
        ]
        postings = post_ledger(state, sorted(entries, key=lambda entry: entry.index))
        return render_page(
            plane,
            request,
            "licence.html",
            look=look,
            state=state,
            bar=burn_down(state.book),
            burns=burns,
            postings=postings,
            agrees=postings[-1].after == state.book,
            warnings=plane.control.rules.warnings_of(state.licence),
        )

    @get("/log", sync_to_thread=True)
    def show_log(
        self,
        request: Asking,
        plane: Lent,
        before: Annotated[int | None, QueryParameter(ge=0, le=2**53)] = None,
        all_: Annotated[bool, QueryParameter(name="all")] = False,
    ) -> Page:
        """The newest entries of the log in words; heartbeats only where they are asked for."""
        look = plane.look()
        skipped = frozenset() if all_ else _HEARTBEATS
        entries = plane.journal.newest(_ROWS, before=before, without=skipped)
        words = language_for(plane, request)
        return render_page(
            plane,
            request,
            "log.html",
            look=look,
            before=before,
            all=all_,
            entries=[(e, say_kind(e.verified.kind, words), say_entry(e, words)) for e in entries],
        )

    @get("/proof", sync_to_thread=True)
    def show_proof(self, request: Asking, plane: Lent, q: FromQuery[str] = "") -> Page:
        """Paste a digest: what is in the log, who signed it, and the proof to take along."""
        look, evidence, problem, status = plane.look(), None, "", HTTPStatus.OK
        words = language_for(plane, request)
        if q:
            try:
                evidence = gather_evidence(plane, find_entry(plane, q[:200]))
            except InvalidInput as error:
                problem = str(error)
                status = HTTPStatus(problem_of(error).status)
        return render_page(
            plane,
            request,
            "proof.html",
            status=status,
            look=look,
            asked=q[:200],
            evidence=evidence,
            problem=problem,
            kind=say_kind(evidence.recorded.verified.kind, words) if evidence else "",
            sentence=say_entry(evidence.recorded, words) if evidence else "",
        )

    @get("/proof/{leaf:str}/tlog-proof", sync_to_thread=True)
    def download_proof(self, plane: Lent, leaf: FromPath[str]) -> Response[bytes]:
        """The entry's tlog-proof as a file."""
        evidence = _evidence(plane, leaf)
        if evidence.proof is None:
            raise NotFound("no witnessed checkpoint covers this entry yet")
        return _download(evidence.proof.to_text().encode(), f"{leaf[:16]}.tlog-proof", "text/plain")

    @get("/proof/{leaf:str}/envelope", sync_to_thread=True)
    def download_envelope(self, plane: Lent, leaf: FromPath[str]) -> Response[bytes]:
        """The entry itself: the envelope's exact bytes as a file."""
        raw = _evidence(plane, leaf).recorded.verified.envelope.raw
        return _download(raw, f"{leaf[:16]}.dsse.json", "application/json")

    @get("/proof/{leaf:str}/inclusion", sync_to_thread=True)
    def download_inclusion(self, plane: Lent, leaf: FromPath[str]) -> Response[bytes]:
        """The inclusion proof as one JSON line, for `sekisho log check-proof`."""
        row = inclusion_row(_evidence(plane, leaf))
        return _download(row.encode(), f"{leaf[:16]}.inclusion.jsonl", "application/jsonl")


def respond_with_page(plane: Plane, request: Asking, error: Exception) -> Page:
    """A page that says what went wrong, with the status that the table of problems gives it."""
    problem = problem_of(error)
    return render_page(
        plane,
        request,
        "error.html",
        status=HTTPStatus(problem.status),
        look=plane.look(),
        problem=problem,
    )


def render_page(
    plane: Plane,
    request: Asking,
    template: str,
    *,
    status: HTTPStatus = HTTPStatus.OK,
    **values: Any,
) -> Page:
    """A page in the language that was asked for, or its live part alone."""
    language = language_for(plane, request)
    kept = [(k, v) for k, v in request.query_params.multi_items() if k != "lang"]
    asked = PageRequest(
        language=language,
        path=request.url.path,
        query=urlencode(kept),
        is_fragment=request.headers.get("hx-request") == "true",
    )
    cookies = []
    if request.query_params.get("lang") == language:
        cookies = [
            Cookie(key=_COOKIE, value=language, max_age=_YEAR_S, httponly=True, samesite="strict")
        ]
    return Response(
        content=plane.renderer.render(template, asked, **values),
        media_type=MediaType.HTML,
        status_code=status,
        headers={"cache-control": "no-store", "content-language": language},
        cookies=cookies,
    )


def language_for(plane: Plane, request: Asking) -> Any:
    """The language of one request."""
    return choose_language(
        request.query_params.get("lang"),
        request.cookies.get(_COOKIE),
        request.headers.get("accept-language", ""),
        plane.renderer.language,
    )


def _evidence(plane: Plane, leaf: str) -> Evidence:
    return gather_evidence(plane, find_entry(plane, leaf))


def _download(content: bytes, name: str, media_type: str) -> Response[bytes]:
    return Response(
        content=content,
        media_type=media_type,
        headers={
            "content-disposition": f'attachment; filename="{name}"',
            "cache-control": "no-store",
        },
    )


def _is_pausing(known: KnownOrder) -> bool:
    return known.order.effect in ("freeze", "checkpoint-then-stop")


def _listed(
    look: Snapshot,
    lifted: KnownOrder,
    known: KnownOrder,
    own: Sequence[HostStanding],
    asked: HostsAsked,
) -> HostList:
    """The page of hosts that is asked for, under an order or under one that it lifts."""
    standings = own if lifted.digest == known.digest else standings_under(look, lifted)
    return list_hosts(standings, asked, rows=AT_ONCE)


def _acted_on(look: Snapshot, known: KnownOrder) -> list[KnownOrder]:
    """The orders whose hosts an order's page shows: its own, or those that a resume lifts."""
    if known.order.kind != "resume":
        return [known]
    return [found for lifted in known.order.lifts if (found := look.orders.find(lifted))]
