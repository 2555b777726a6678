"""The console's pages of chips: search, passport, holdings, covered clusters, alerts. No page changes anything."""

from __future__ import annotations

from http import HTTPStatus
from typing import Annotated, Any, Final
from urllib.parse import urlencode

from litestar import Controller, Request, Response, get
from litestar.datastructures import State
from litestar.params import FromQuery, QueryParameter

from sekisho.app import Papers, Wanted
from sekisho.catalogue import MESSAGES, Language, say
from sekisho.model.instants import Instant, parse_date_or_instant
from sekisho.registry.clusters import PRESENT
from sekisho.registry.custody.life import STATES
from sekisho.registry.holdings import HELD_BY
from sekisho.registry.passport import Passport
from sekisho.registry.specs import rounded
from sekisho.web.pages import language_for, render_page
from sekisho.web.plane import Lent, Plane
from sekisho.web.problems import NotFound
from sekisho.web.qr import qr_code
from sekisho.web.register_views import (
    STATE_SHAPES,
    VERDICT_SHAPES,
    limb_width,
    say_range,
    share_bars,
)

__all__ = ["RegisterPages"]

Asking = Request[Any, Any, State]
Page = Response[str]
_ROWS: Final = 50
_SHOWN_LINES: Final = 500
_Text = Annotated[str, QueryParameter(max_length=2048)]
_Word = Annotated[str, QueryParameter(max_length=200)]


class RegisterPages(Controller):
    """Every page of chips."""

    path = "/chips"
    include_in_schema = False

    @get("/", sync_to_thread=True)
    def search(  # noqa: PLR0913, PLR0917  # the fields of the form
        self,
        request: Asking,
        plane: Lent,
        q: _Text = "",
        model: _Word = "",
        party: _Word = "",
        site: _Word = "",
        state_: Annotated[str, QueryParameter(name="state", max_length=40)] = "",
        after: _Text = "",
    ) -> Page:
        """Find a chip by what stands on it, or list what a party, a site, a model has."""
        papers = _papers(plane)
        wanted = Wanted(
            text=q.strip(),
            model=model.strip(),
            party=party.strip(),
            site=site.strip(),
            state=state_,
        )
        found = papers.search(wanted, after=after, limit=_ROWS)
        asked = {"q": q, "model": model, "party": party, "site": site, "state": state_}
        kept = {name: value for name, value in asked.items() if value}
        return _render(
            plane,
            request,
            "chips.html",
            "search",
            asked=asked,
            found=found,
            states=STATES,
            more=urlencode({**kept, "after": found.following}) if found.following else "",
        )

    @get("/passport", sync_to_thread=True)
    def show_passport(
        self,
        request: Asking,
        plane: Lent,
        epc: FromQuery[str],
        at: _Word = "",
        as_of: _Word = "",
    ) -> Page:
        """One chip's passport: its timeline with a proof for each line, and what is missing."""
        passport = _load(plane, epc, at, as_of)
        language = language_for(plane, request)
        hidden = max(0, len(passport.lines) - _SHOWN_LINES)
        return _render(
            plane,
            request,
            "passport.html",
            "search",
            passport=passport,
            lines=passport.lines[hidden:],
            hidden=hidden,
            open_alerts=sum(
                not line.is_settled(alert) for line in passport.lines for alert in line.alerts
            ),
            asked_at=at,
            asked_as_of=as_of,
            download="/chips/passport.json?" + _query(epc=epc, at=at, as_of=as_of),
            qr=qr_code(passport.epc, say("web.passport.qr", language)),
        )

    @get("/passport.json", sync_to_thread=True)
    def download_passport(
        self, plane: Lent, epc: FromQuery[str], at: _Word = "", as_of: _Word = ""
    ) -> Response[bytes]:
        """The same passport as a file that anybody can check."""
        passport = _load(plane, epc, at, as_of)
        # The name is ours: an identifier is a stranger's text and stands in no header.
        name = "passport.json"
        return Response(
            content=passport.to_bytes(),
            media_type="application/json",
            headers={
                "content-disposition": f'attachment; filename="{name}"',
                "cache-control": "no-store",
            },
        )

    @get("/holdings", sync_to_thread=True)
    def show_holdings(self, request: Asking, plane: Lent, by: _Word = "site") -> Page:
        """H100 equivalents and counts by site, custodian, owner or country."""
        holdings = _papers(plane).holdings(by)
        return _render(
            plane,
            request,
            "holdings.html",
            "holdings",
            holdings=holdings,
            bars=share_bars(holdings),
            dimensions=HELD_BY,
            say_range=say_range,
        )

    @get("/clusters", sync_to_thread=True)
    def show_clusters(self, request: Asking, plane: Lent) -> Page:
        """Covered clusters, with each limb's figure and whether it alone covers."""
        return _render(
            plane,
            request,
            "clusters.html",
            "clusters",
            found=_papers(plane).clusters(),
            present=PRESENT,
            say_range=say_range,
            rounded=rounded,
            limb_width=limb_width,
        )

    @get("/alerts", sync_to_thread=True)
    def list_alerts(
        self,
        request: Asking,
        plane: Lent,
        before: Annotated[int, QueryParameter(ge=0, le=2**53)] = 0,
    ) -> Page:
        """What a person must look at, newest first."""
        alerts = _papers(plane).alerts(before=before, limit=_ROWS + 1)
        more = alerts[_ROWS - 1].place if len(alerts) > _ROWS else 0
        return _render(plane, request, "alerts.html", "alerts", alerts=alerts[:_ROWS], more=more)


def _papers(plane: Plane) -> Papers:
    return plane.control.papers


def _load(plane: Plane, epc: str, at: str, as_of: str) -> Passport:
    passport = _papers(plane).passport(
        epc,
        now=plane.control.clock.now(),
        at=_instant(at, "at"),
        as_of=_instant(as_of, "as_of"),
    )
    if passport is None:
        raise NotFound(f"no event speaks of {epc[:200]}")
    return passport


def _instant(text: str, path: str) -> Instant | None:
    return parse_date_or_instant(text.strip(), path=path) if text.strip() else None


def _query(**values: str) -> str:
    return urlencode({name: value for name, value in values.items() if value})


def _render(plane: Plane, request: Asking, template: str, part: str, **values: Any) -> Page:
    language: Language = language_for(plane, request)

    def chip_words(key: str, **words: object) -> str:
        kind, _, word = key.partition(".")
        # Codes of alerts may be newer than the catalogue; everything else must stand there.
        if kind == "alert" and f"chip.{key}" not in MESSAGES:
            return word
        return say(f"chip.{key}", language, **words)

    return render_page(
        plane,
        request,
        template,
        status=HTTPStatus.OK,
        look=plane.look(),
        part=part,
        c=chip_words,
        passport_address=lambda epc: "/chips/passport?" + urlencode({"epc": epc}),
        state_shapes=STATE_SHAPES,
        verdict_shapes=VERDICT_SHAPES,
        **values,
    )
