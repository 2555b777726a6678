"""The console's pages of inventories: each site's verdict, differences with reasons, in both languages."""

from __future__ import annotations

import pytest
from litestar import Litestar
from litestar.testing import TestClient

from sekisho.app.inventories import TokenPlan, new_token
from tests.inventoried import gpu_uuid, serial
from tests.regime import LiveRegime
from tests.web.agents import Agent

Asking = TestClient[Litestar]
SITE = "/chips/inventories/site"


@pytest.fixture(scope="module", autouse=True)
def reported(client: Asking, regime: LiveRegime) -> None:
    """A node of hall-7 reports one board that nobody registered, and one with a name that means harm."""
    token = new_token(regime.control.home, TokenPlan(site="hall-7"))[0]
    agent = Agent(client, "node-of-hall-7")
    agent.enroll(token)
    agent.report(901, hostname="<script>alert(1)</script>")


def test_sites_are_listed_before_and_after_they_were_compared(client: Asking) -> None:
    """What nobody has compared yet says so; afterwards it has a verdict in words."""
    page = client.get("/chips/inventories")
    assert page.status_code == 200
    assert "not compared yet" in page.text
    assert client.get(SITE, params={"site": "hall-7"}).status_code == 200
    page = client.get("/chips/inventories")
    assert "not compared yet" not in page.text
    assert "fails" in page.text


def test_differences_stand_in_a_table_with_reasons_and_sources(client: Asking) -> None:
    """What a node wrote is text, never markup."""
    page = client.get(SITE, params={"site": "hall-7"}).text
    assert serial(901) in page
    assert "no chip or component is registered with this serial" in page
    assert "node node-of-hall-7 message" in page
    assert "&lt;script&gt;" in page
    assert "<script>alert" not in page
    assert gpu_uuid(901) not in page


def test_the_page_speaks_japanese(client: Asking) -> None:
    """Codes of differences too."""
    page = client.get(SITE, params={"site": "hall-7", "lang": "ja"}).text
    assert "未登録" in page
    assert "不成立" in page


def test_an_unknown_site_is_404_and_none_is_422(client: Asking) -> None:
    """As a page."""
    assert client.get(SITE, params={"site": "nowhere"}).status_code == 404
    assert client.get(SITE).status_code == 422


def test_the_watch_raises_what_is_serious_once(client: Asking, regime: LiveRegime) -> None:
    """One finding in the log for the board that nobody registered, however often it is compared."""
    inventories = regime.control.inventories
    assert inventories.compare_and_raise() == 1
    before = regime.control.desk.state.size
    assert inventories.compare_and_raise() == 1
    (entry,) = [
        recorded
        for recorded in client.app.state["plane"].journal.newest(
            200, before=None, without=frozenset()
        )
        if recorded.verified.kind == "irregularity-found"
    ]
    assert entry.verified.predicate.irregularity == "unregistered"
    assert entry.verified.predicate.books == "inventory"
    assert entry.index < before
