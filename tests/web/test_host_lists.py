"""Long lists of hosts: counted by site, searched, cut into pages, so that no page grows with the fleet."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from litestar import Litestar
from litestar.testing import TestClient

from sekisho.model.statements import HostEnrolled, OrderReference
from sekisho.web import create_app
from sekisho.web.host_lists import HostsAsked, list_hosts, needing_a_look
from sekisho.web.standing import HostStanding, Word
from tests.crowd import crowd_host, enrol_crowd
from tests.factory import AUTHORITY, HOST, NOW, host_enrolled
from tests.regime import LiveRegime, live_regime

Asking = TestClient[Litestar]
FLEET = 300
LARGEST = 100_000  # a page of 300 hosts with their whole lives had over 700,000 characters
WORDS: tuple[Word, ...] = ("running", "silent", "contradicted", "idle")


def words(text: str) -> str:
    return re.sub(r"\s+", " ", html.unescape(re.sub(r"<[^>]+>", " ", text)))


def standing(name: str, site: str, word: Word) -> HostStanding:
    host: HostEnrolled = msgspec.structs.replace(
        host_enrolled(name, of=HOST, now=NOW), host=name, site=site
    )
    return HostStanding(host=host, word=word)


@pytest.fixture(scope="module")
def fleet(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveRegime]:
    """A regime of three hundred hosts and two, under one pause."""
    folder: Path = tmp_path_factory.mktemp("fleet")
    with live_regime(folder) as regime:
        hosts = [crowd_host(n) for n in range(1, FLEET + 1)]
        signers = (AUTHORITY[0], regime.operator)
        enrol_crowd(regime.control.desk, hosts, signers, regime.now, "Operator")
        yield regime


@pytest.fixture(scope="module")
def paused(fleet: LiveRegime) -> OrderReference:
    return fleet.issue(fleet.order())


@pytest.fixture(scope="module")
def asking(fleet: LiveRegime, paused: OrderReference) -> Iterator[Asking]:
    app = create_app(fleet.control, language="en")
    with TestClient(app, base_url="http://127.0.0.1", raise_server_exceptions=False) as client:
        yield client


@given(
    fleet=st.lists(
        st.tuples(st.sampled_from(["a", "b"]), st.sampled_from(WORDS)), min_size=1, max_size=40
    ),
    rows=st.integers(1, 7),
)
def test_the_pages_of_a_list_hold_every_host_once(fleet: list[tuple[str, Word]], rows: int) -> None:
    """Whatever the length of a page; counts are of all hosts, whichever page is asked for."""
    standings = [standing(f"h-{n:03d}", site, word) for n, (site, word) in enumerate(fleet)]
    first = list_hosts(standings, HostsAsked(), rows=rows)
    pages = [
        list_hosts(standings, HostsAsked(page=n), rows=rows) for n in range(1, first.pages + 1)
    ]
    assert [row.host.host for page in pages for row in page.rows] == [
        each.host.host for each in standings
    ]
    assert all(sum(count for _, count in page.words) == len(standings) for page in pages)
    assert all(sum(site.hosts for site in page.sites) == len(standings) for page in pages)


def test_a_list_is_narrowed_by_site_word_and_part_of_a_name() -> None:
    """All that is asked for holds together; upper and lower case are one."""
    standings = [
        standing("gpu-1", "a", "running"),
        standing("gpu-2", "b", "running"),
        standing("cpu-1", "a", "silent"),
    ]
    asked = HostsAsked(site="a", word="running", query=" GPU")
    assert [row.host.host for row in list_hosts(standings, asked).rows] == ["gpu-1"]
    assert list_hosts(standings, HostsAsked(query="nobody")).rows == ()
    assert list_hosts(standings, HostsAsked(page=9)).page == 1


def test_an_address_keeps_what_was_asked_and_escapes_it() -> None:
    """A page's link narrows as the page does; strange characters stay data."""
    asked = HostsAsked(site="a&b", query="x=1", page=3)
    assert asked.address(page=4) == "site=a%26b&q=x%3D1&page=4"
    assert asked.address() == "site=a%26b&q=x%3D1"
    assert HostsAsked().address(word="silent") == "word=silent"


def test_who_needs_a_look_comes_first_and_is_bounded() -> None:
    """Contradicted before silent; who works needs no look."""
    sites = {
        "a": [standing("a-1", "a", "silent"), standing("a-2", "a", "running")],
        "b": [standing("b-1", "b", "contradicted")],
    }
    assert [each.host.host for each in needing_a_look(sites, 1)["b"]] == ["b-1"]
    assert needing_a_look(sites, 1)["a"] == []
    assert [each.host.host for each in needing_a_look(sites, 9)["a"]] == ["a-1"]


@pytest.mark.parametrize("language", ["en", "ja"])
@pytest.mark.parametrize("path", ["/", "/hosts", "/orders/pause~JP/1", "/orders", "/control-room"])
def test_no_page_grows_with_the_fleet(
    asking: Asking, path: str, language: str, fleet: LiveRegime
) -> None:
    """Three hundred hosts are counted and not listed."""
    answer = asking.get(f"{path}?lang={language}")
    assert answer.status_code == 200
    assert len(answer.text) < LARGEST
    assert answer.text.count("/hosts/crowd-") <= 60


def test_an_orders_page_is_searched_and_turned(asking: Asking) -> None:
    """By name, by site, by page; the renewal of the page asks for the same part again."""
    found = asking.get("/orders/pause~JP/1?q=crowd-00299&lang=en").text
    assert "crowd-00299" in found
    assert "crowd-00001" not in found
    assert "1 of 302 hosts fit" in words(found)
    assert 'hx-get="/orders/pause~JP/1?q=crowd-00299&amp;lang=en"' in found
    second = asking.get("/orders/pause~JP/1?page=2&lang=en").text
    assert 'rel="prev"' in second
    assert 'href="/orders/pause~JP/1?page=3"' in second
    assert "None of the 302 hosts fits." in words(asking.get("/orders/pause~JP/1?q=zzz").text)


def test_the_list_of_hosts_leads_to_each(asking: Asking) -> None:
    """A site's count leads to its hosts, and a word's count to those that stand so."""
    text = asking.get("/hosts?site=site-1&word=issued&lang=en").text
    assert text.count('href="/hosts/') == 50
    assert "302 of 302 hosts fit; page 1 of 7" in words(text)
    assert 'href="/hosts?site=site-1&amp;word=issued' in text


@pytest.mark.parametrize("query", ["page=0", "page=x", "page=-1", "q=" + "x" * 201])
def test_a_page_that_there_is_not_is_bad_input(asking: Asking, query: str) -> None:
    """No trace and no 500, on each page that has a list."""
    for path in ("/hosts", "/orders/pause~JP/1", "/control-room"):
        assert asking.get(f"{path}?{query}").status_code in {400, 422}


def test_stragglers_are_cut_into_pages(
    asking: Asking, fleet: LiveRegime, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Three hundred late hosts: fifty at a time, found by name."""
    later = fleet.now.plus(900)
    monkeypatch.setattr(type(fleet.control.clock), "now", lambda _: later)
    text = asking.get("/control-room?lang=en").text
    assert "302 of 302 hosts fit; page 1 of 7" in words(text)
    assert text.count('href="/hosts/') == 50
    found = asking.get("/control-room?lang=en&q=crowd-00300").text
    assert "1 of 302 hosts fit" in words(found)
    assert "crowd-00300" in found
