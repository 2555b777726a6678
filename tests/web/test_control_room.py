"""The pages for people on call: stragglers, appeals, drills, an order's reach and how far its sites have come."""

from __future__ import annotations

import html
import re

import pytest
from litestar import Litestar
from litestar.testing import TestClient

from sekisho.model.instants import Instant
from sekisho.model.statements import OrderReference
from sekisho.operations.appealing import AppealPlan, DecisionPlan, draft_appeal, draft_decision
from sekisho.operations.blast_radius import SiteInReach
from sekisho.operations.site_progress import HostProgress, SiteProgress
from sekisho.web.order_charts import LANE, WIDTH, draw_reach, draw_timeline
from tests.factory import AUTHORITY, NOW, PARTY
from tests.regime import LiveRegime

Asking = TestClient[Litestar]


def words(text: str) -> str:
    return re.sub(r"\s+", " ", html.unescape(re.sub(r"<[^>]+>", " ", text)))


@pytest.fixture(scope="module")
def paused(regime: LiveRegime) -> OrderReference:
    """A pause under which host-1 is corroborated and host-2 says nothing, and one appeal against it."""
    order = regime.issue(regime.order())
    regime.take("received", order=order)
    receipt = regime.take("halted", order=order, state="frozen")
    seen = regime.observe(order, "host-1", receipt)
    regime.judge(order, "host-1", "corroborated", (receipt, seen))
    plan = AppealPlan(appeal="APPEAL-1", order=order, party="party-1", asks="<b>lift</b> it")
    regime.submit(draft_appeal(regime.control.desk.state, plan, now=regime.now), PARTY)
    return order


@pytest.mark.parametrize("language", ["en", "ja"])
def test_the_room_shows_appeals_and_sites_that_were_not_exercised(
    client: Asking, paused: OrderReference, language: str
) -> None:
    """Foreign text stays text; a site without a drill has no number of days."""
    answer = client.get(f"/control-room?lang={language}")
    assert answer.status_code == 200
    told = words(answer.text)
    assert "APPEAL-1" in told
    assert "<b>lift</b>" not in answer.text
    assert {"en": "Not exercised", "ja": "未演習"}[language] in told
    assert {"en": "Nobody is late", "ja": "遅れているホストはありません"}[language] in told


def test_a_straggler_stands_in_the_room_with_its_next_step(
    client: Asking, regime: LiveRegime, paused: OrderReference, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Once its time is over: which host, since when, and that a notice is due."""
    later = regime.now.plus(700)
    monkeypatch.setattr(type(regime.control.clock), "now", lambda _: later)
    told = words(client.get("/control-room?lang=en").text)
    assert "host-2 site-1" in told
    assert "No receipt given" in told
    assert "Notice Due by" in told
    page = words(client.get("/orders/pause~JP/1?lang=en").text)
    assert "1 hosts are late: host-2" in page


@pytest.mark.parametrize("language", ["en", "ja"])
def test_an_orders_page_pictures_its_sites(
    client: Asking, paused: OrderReference, language: str
) -> None:
    """Counts with their share, the instant until which it holds, and a lane for each stage."""
    text = client.get(f"/orders/pause~JP/1?lang={language}").text
    picture = re.search(r'<svg class="chart lanes".*?</svg>', text, re.DOTALL)
    assert picture is not None
    assert picture.group(0).count('class="level"') == 6
    assert 'class="l-corroborated tick"' in picture.group(0)
    told = words(text)
    assert "50 %" in told
    assert {"en": "holds until", "ja": "有効期限"}[language] in told
    assert {"en": "1 appeals against", "ja": "不服申立て 1 件"}[language] in told


def test_an_upheld_appeal_says_when_its_resume_is_overdue(
    client: Asking, regime: LiveRegime, paused: OrderReference, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Before its day it is due, after it overdue, and the order stands either way."""
    plan = DecisionPlan(appeal="APPEAL-1", outcome="upheld", reasons="heard", resume_within_s=60)
    decision = draft_decision(regime.control.desk.state, plan, now=regime.now)
    regime.submit(decision, *AUTHORITY[:3])
    assert "Upheld: resume due by" in words(client.get("/control-room?lang=en").text)
    later = regime.now.plus(61)
    monkeypatch.setattr(type(regime.control.clock), "now", lambda _: later)
    assert "Upheld: RESUME OVERDUE" in words(client.get("/control-room?lang=en").text)


@pytest.mark.parametrize("language", ["en", "ja"])
def test_a_supposed_order_shows_whom_it_would_touch(
    client: Asking, paused: OrderReference, language: str
) -> None:
    """Nothing is made: the log is as long as before, and what is not known says so."""
    before = client.get("/api/v1/state").json()["log"]["size"]
    assert client.get(f"/reach?lang={language}").status_code == 200
    answer = client.get(f"/reach?lang={language}&kind=hold&by=sites&names=site-1&hours=2&grace=0")
    told = words(answer.text)
    assert answer.status_code == 200
    assert "host-2" in told
    assert "party-1" in told
    assert {"en": "not measured", "ja": "未計測"}[language] in told
    assert re.search(r'<rect class="r-(unknown|at-risk|idle)"', answer.text)
    assert client.get("/api/v1/state").json()["log"]["size"] - before <= 2  # heartbeats alone


@pytest.mark.parametrize(
    "query",
    [
        "kind=resume&by=everywhere",
        "by=planets&names=Mars",
        "by=sites",
        "by=sites&names=site-1&grace=soon",
        "by=sites&names=site-1&hours=-1",
        "kind=hold&by=sites&names=site-1&hours=999",
        "by=sites&names=%3Cscript%3E",
    ],
)
def test_a_supposed_order_that_cannot_be_says_why(
    client: Asking, paused: OrderReference, query: str
) -> None:
    """The page stays a page, with what is wrong on it and nothing run from it."""
    answer = client.get(f"/reach?{query}")
    assert answer.status_code == 422
    assert 'class="caution bad"' in answer.text
    assert "<script>" not in answer.text.replace("<script src", "")


def test_what_runs_where_is_told_as_json(client: Asking, paused: OrderReference) -> None:
    """Each host that was heard of, with the state of its newest receipt."""
    told = client.get("/api/v1/work").json()
    (row,) = told["hosts"]
    assert (row["host"], row["state"]) == ("host-1", "frozen")


def site(**parts: int) -> SiteInReach:
    zero = dict.fromkeys(("at_risk", "kept", "idle", "exempt", "unknown"), 0)
    found = {**zero, **parts}
    return SiteInReach(site="s", hosts=1, devices=sum(found.values()), **found)


def test_a_bar_is_as_long_as_its_site_and_its_parts_fill_it() -> None:
    """To one scale, the largest site across the whole drawing, and no part of nothing."""
    large, small = draw_reach([site(at_risk=3, idle=1, unknown=4), site(exempt=2)])
    assert (large.length, small.length) == (WIDTH, WIDTH // 4)
    assert [part.part for part in large.parts] == ["at-risk", "idle", "unknown"]
    assert large.parts[-1].x + large.parts[-1].width == WIDTH
    assert draw_reach([]) == ()
    assert draw_reach([site()])[0].parts == ()


def test_a_timeline_runs_to_the_last_lapse_and_marks_now() -> None:
    """A verdict that lapses ahead is right of now; a stage that nobody reached has an empty lane."""

    def at(second: float) -> Instant:
        return NOW.plus(second)

    row = HostProgress(
        host="h",
        site="s",
        devices=1,
        place="corroborated",
        reached={"received": at(0), "halted": at(50), "corroborated": at(60), "lapses": at(200)},
    )
    progress = SiteProgress(
        site="s", hosts=(row,), devices=1, counts={"corroborated": (1, 1)}, holds_until=at(200)
    )
    line = draw_timeline(progress, at(0), at(600), at(100))
    assert (line.start, line.end, line.now, line.due) == (at(0), at(200), 500, None)
    lanes = {lane.stage: lane for lane in line.lanes}
    assert lanes["halted"].ticks == (250,)
    assert lanes["lapses"].ticks == (1000,)
    assert (lanes["verified"].ticks, lanes["verified"].count) == ((), 0)
    assert [lane.y for lane in line.lanes] == [n * LANE for n in range(6)]
    assert draw_timeline(progress, at(0), at(150), at(100)).due == 750
