"""The console's pages of a licence's life: applications, burn-down over time, versions, suspension."""

from __future__ import annotations

import html
import re

import msgspec
from litestar import Litestar
from litestar.testing import TestClient

from sekisho.catalogue import Language, say
from sekisho.licensing import BurnDown, BurnPoint, Forecast, Mark
from sekisho.model.statements import Reference, Spend
from sekisho.operations.licence_drafts import (
    AmendedTerms,
    AnswerPlan,
    ApplicationPlan,
    draft_application,
    draft_approval,
    draft_licence_amendment,
    draft_suspension,
)
from sekisho.rules import load_pack
from sekisho.web.burn_chart import HEIGHT, WIDTH, draw_burn_down
from tests.factory import AUTHORITY, NOW, ORIGIN, PARTY
from tests.regime import LiveRegime

Asking = TestClient[Litestar]
LANGUAGES: tuple[Language, ...] = ("en", "ja")


def words(text: str) -> str:
    return html.unescape(re.sub(r"<[^>]+>", " ", text))


def test_an_application_says_what_is_missing(regime: LiveRegime, client: Asking) -> None:
    """Filed with one condition attached, in both languages; markup in a reason stays text."""
    state = regime.control.desk.state
    plan = ApplicationPlan(application="APP-1", run="run-1", mode="kill", reason="more")
    regime.submit(draft_application(state, plan, now=regime.now), PARTY)
    for n, refuses in ((0, False), (1, True)):
        answer = AnswerPlan(
            application="APP-1",
            key=AUTHORITY[n].public.key_id,
            reason="<b>not yet</b>",
            refuses=refuses,
            conditions=() if refuses else ("report weekly",),
        )
        fact = draft_approval(regime.control.desk.state, answer, now=regime.now)
        regime.submit(fact, AUTHORITY[n])
    for language in LANGUAGES:
        answer_page = client.get(f"/applications?lang={language}")
        assert answer_page.status_code == 200
        told = words(answer_page.text)
        assert "APP-1" in told
        assert "report weekly" in told
        assert "<b>not yet</b>" not in answer_page.text
        assert say("web.application.is.refused", language) in told


def test_a_licence_shows_its_burn_down_its_versions_and_its_suspension(
    regime: LiveRegime, client: Asking
) -> None:
    """The chart has a table that says the same; an amendment is a posting; a suspension says why."""
    granted, _ = regime.control.grant_lease(regime.lease_request().raw)
    spend = Spend(
        lease=Reference(log=ORIGIN, leaf=granted.admitted.leaf),
        lease_number=1,
        reserved_flop=str(4 * 10**9),
        bound_flop="0",
    )
    regime.take("quantum", spend=spend)
    regime.take("final", spend=spend, state="ended")
    state = regime.control.desk.state
    held = state.licences.by_number("LIC-1")
    assert held is not None
    lower = AmendedTerms(reason="less is enough", budget_flop=held.book.budget - 1)
    fact = draft_licence_amendment(state, "LIC-1", lower, load_pack(), now=regime.now)
    regime.submit(fact, *AUTHORITY[:2])
    held_up = draft_suspension(
        regime.control.desk.state, "LIC-1", "inspection of <the> site", now=regime.now
    )
    regime.submit(held_up, *AUTHORITY[:2])
    for language in LANGUAGES:
        answer = client.get(f"/licences/LIC-1?lang={language}")
        text = answer.text
        assert answer.status_code == 200, words(text)
        told = words(text)
        assert '<svg class="chart"' in text
        assert "<details>" in text
        assert "less is enough" in told
        assert "inspection of <the> site" in told
        assert say("web.burn.basis.too-few-leases", language) in told
        assert say("web.ledger.agrees", language) in told
        assert say("web.posting.amended", language, number=2, host="") in told


def burnt(*points: tuple[float, int, int], forecast: Forecast | None = None) -> BurnDown:
    """A burn-down of 100 FLOP with (second, consumed, leased) each."""
    return BurnDown(
        number="LIC-1",
        share=None,
        budget_flop=100,
        points=tuple(
            BurnPoint(
                at=NOW.plus(at),
                budget_flop=100,
                available_flop=max(0, 100 - consumed - leased),
                leased_flop=leased,
                consumed_flop=consumed,
                forfeited_flop=0,
            )
            for at, consumed, leased in points
        ),
        marks=(Mark(percent=80, crossed=NOW.plus(50)), Mark(percent=95, crossed=None)),
        forecast=forecast or Forecast(basis="too-few-leases"),
    )


def test_a_chart_is_a_stair_within_its_frame() -> None:
    """Each figure holds until the next; nothing lies outside the drawing, over-consumption included."""
    chart = draw_burn_down(
        burnt((0, 0, 0), (50, 80, 10), (90, 130, 0)), NOW.plus(100), NOW.plus(200)
    )
    assert chart is not None
    account, points = chart.areas[0]
    corners = [tuple(map(int, pair.split(","))) for pair in points.split()]
    assert account == "consumed"
    assert corners[:4] == [(0, 310), (500, 310), (500, corners[2][1]), (900, corners[2][1])]
    for _, listed in chart.areas:
        for pair in listed.split():
            x, y = map(int, pair.split(","))
            assert 0 <= x <= WIDTH
            assert 0 <= y <= HEIGHT
    assert [level.x for level in chart.levels] == [500, None]
    assert chart.now == WIDTH


def test_a_forecast_without_a_latest_reaches_the_edge() -> None:
    """Where the slowest rate does not spend it within the licence, the band is open."""
    forecast = Forecast(basis="observed", earliest=NOW.plus(150), parts=8, part_s=1.0)
    found = burnt((0, 0, 0), (50, 50, 0), forecast=forecast)
    chart = draw_burn_down(found, NOW.plus(100), NOW.plus(200))
    assert chart is not None
    assert (chart.now, chart.forecast) == (500, (750, WIDTH))


def test_nothing_is_drawn_of_what_is_unknown() -> None:
    """Undisclosed amounts draw no chart: an empty one would say zero."""
    hidden = msgspec.structs.replace(burnt((0, 0, 0)), undisclosed=1)
    assert draw_burn_down(hidden, NOW, NOW.plus(1)) is None
