"""The page of access to models: who is suspended, what is served where, and counts that never pass silence for zero."""

from __future__ import annotations

import html
import re
from typing import Any

import pytest
from litestar import Litestar
from litestar.testing import TestClient

from sekisho.access.tally import start_of
from sekisho.model.statements import AccessDecided, AccessTerms, OrderReference, Scope, Span
from sekisho.operations.ordering import OrderPlan, draft_order
from sekisho.web.access_views import list_models
from sekisho.web.plane import Plane
from tests.factory import AUTHORITY, VERIFIER
from tests.regime import LiveRegime, key_of

Asking = TestClient[Litestar]
TERMS = AccessTerms(models=("model-1",), nationalities=("XA",), jurisdictions=("XB-01",))


def words(text: str) -> str:
    return re.sub(r"\s+", " ", html.unescape(re.sub(r"<[^>]+>", " ", text)))


def page(client: Asking, language: str = "en") -> str:
    answer = client.get(f"/access?lang={language}")
    assert answer.status_code == 200
    return answer.text


def state(regime: LiveRegime, ago: int, *, host: str = "host-1", **told: Any) -> None:
    """A roll-up of the minute that began so many whole minutes ago."""
    start = start_of(regime.now, 60).plus(-60 * ago)
    fields: dict[str, Any] = {"model": "model-1", "served": 0, "refused": 0, **told}
    fact = AccessDecided(
        effective=regime.now, host=host, period=Span(start=start, end=start.plus(60)), **fields
    )
    regime.submit(fact, key_of(host))


@pytest.mark.parametrize("language", ["en", "ja"])
def test_where_nobody_stated_anything_nothing_is_measured(client: Asking, language: str) -> None:
    """No suspension, no roll-up: said in words, and no zero anywhere."""
    told = words(page(client, language))
    assert {
        "en": "No suspension of access is in force",
        "ja": "効力のある利用停止命令はありません",
    }[language] in told
    assert {"en": "served where is not measured", "ja": "未計測です"}[language] in told


@pytest.fixture(scope="module")
def suspended(regime: LiveRegime, client: Asking) -> OrderReference:
    """A suspension of XA, and the roll-ups of two hosts: whole, short, of nobody, with a gap."""
    plan = OrderPlan(
        kind="suspend-access",
        scope=Scope(sites=("site-1",)),
        effect="suspend-access",
        lasts_s=3_600,
        legal_basis="<b>Act</b>, section 1",
        appeal="in writing within 14 days",
        access=TERMS,
    )
    order = draft_order(regime.control.desk.state, plan, now=regime.now)
    admitted = regime.submit(order, *AUTHORITY[:3], VERIFIER[0])
    named = OrderReference(register=order.register, number=order.number, digest=admitted.digest)
    state(regime, 6, workers=2, served=100)
    state(regime, 4, workers=2, silent=1, served=30, refused=1)
    state(regime, 3, workers=0)
    state(regime, 2, workers=4, silent=1, served=41, refused=2, orders=(named,), state="restricted")
    state(regime, 2, host="host-2", workers=0)
    return named


@pytest.mark.parametrize("language", ["en", "ja"])
def test_a_suspension_stands_with_its_classes_its_models_and_since_when(
    client: Asking, regime: LiveRegime, suspended: OrderReference, language: str
) -> None:
    """Also on the order's own page; foreign text stays text."""
    text = page(client, language)
    told = words(text)
    order = regime.control.desk.state.orders.find(suspended)
    assert order is not None
    assert {"en": "nationality: XA", "ja": "国籍: XA"}[language] in told
    assert {"en": "served in: XB-01", "ja": "提供先: XB-01"}[language] in told
    assert {"en": "unknown class: refused", "ja": "区分不明：拒否"}[language] in told
    assert "model-1" in told
    assert "<b>Act</b>" in told
    assert "<b>Act</b>" not in text
    assert f'datetime="{order.order.not_before}"' in text
    own = words(client.get(f"/orders/suspend-access~JP/1?lang={language}").text)
    assert {"en": "Refused users nationality: XA", "ja": "拒否される利用者 国籍: XA"}[
        language
    ] in own


def row(text: str, host: str) -> str:
    found = [part for part in text.split("<tr>") if f'href="/hosts/{host}"' in part]
    assert len(found) == 1
    return words(found[0].split("</tr>")[0])


def test_counts_stand_with_their_period_and_their_error(
    client: Asking, suspended: OrderReference
) -> None:
    """A worker that fell silent makes them a lower bound; the day says of how many periods it is not known."""
    told = row(page(client), "host-1")
    assert "41 served, 2 refused at least: 1 of 4 workers fell silent" in told
    assert "up to 2 s of the counts of each are lost" in told
    assert "171 served, 3 refused in 3 periods (at least: 2 with a silent worker)" in told
    assert "not measured in 2 periods" in told  # one of nobody, and one between that nobody stated
    assert "Restricted" in told
    assert "under suspend-access/JP #1" in told
    assert "per class are not measured" in words(page(client))


def test_a_host_whose_workers_kept_silent_shows_no_zero(
    client: Asking, suspended: OrderReference
) -> None:
    """Not measured, as word and shape; nowhere 0 served."""
    told = row(page(client), "host-2")
    assert told.count("not measured") == 2
    assert "0 served" not in told
    assert "it is not zero" in told


def test_a_point_that_states_no_more_is_late(
    client: Asking, regime: LiveRegime, suspended: OrderReference, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A period and five minutes after its newest one; before that its roll-up may be on its way."""
    assert "Nothing stated since" not in row(page(client), "host-1")
    later = regime.now.plus(600)
    monkeypatch.setattr(type(regime.control.clock), "now", lambda _: later)
    assert "Nothing stated since" in row(page(client), "host-1")


def test_more_models_than_a_page_holds_are_counted(
    client: Asking, suspended: OrderReference
) -> None:
    """The rest stands in the log, and the page says how many there are."""
    plane = client.app.state.plane
    assert isinstance(plane, Plane)
    entries = plane.journal.newest_of("access-decided", 100)
    drawn, more = list_models(plane.look(), entries, 1)
    assert ([each.newest.host for each in drawn], more) == (["host-1"], 1)
    assert len(plane.journal.newest_of("access-decided", 2)) == 2


@pytest.mark.parametrize("path", ["/orders", "/control-room", "/orders/suspend-access~JP/1"])
def test_the_page_is_linked_from_where_one_looks(
    client: Asking, suspended: OrderReference, path: str
) -> None:
    """The orders, the control room, and each suspension."""
    assert 'href="/access"' in client.get(path).text


def test_the_newest_period_counts_whatever_the_order_of_the_log(
    client: Asking, regime: LiveRegime, suspended: OrderReference
) -> None:
    """A roll-up that waited on a disk comes late and is not the newest."""
    state(regime, 30, workers=1, served=9_999)
    told = row(page(client), "host-1")
    assert "41 served, 2 refused at least" in told
