"""The console's pages of balances, in both languages: closed, failed, never counted; charts with their tables."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from typing import get_args

import pytest
from litestar import Litestar
from litestar.testing import TestClient

from sekisho.app import ClosedArea
from sekisho.catalogue import MESSAGES
from sekisho.model.wire import canonical, to_plain
from sekisho.registry.balance import CODES, Inventory, Item, Reason, TransitState, held_at
from sekisho.registry.balance.reports import ReportType
from sekisho.web import create_app
from tests.chip_stories import chip_regime
from tests.regime import LiveRegime
from tests.registry.balance.test_sigma import book, day, figure, period

Asking = TestClient[Litestar]
UNIT = 10**21


@pytest.fixture(scope="module")
def regime(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveRegime]:
    with chip_regime(tmp_path_factory.mktemp("chips")) as running:
        yield running


@pytest.fixture(scope="module")
def closed(regime: LiveRegime) -> ClosedArea:
    """The area with the most in it, counted with one chip missing and a dummy in its place."""
    control = regime.control
    now = control.clock.now()
    balances = control.books.balances
    area = max(balances.show_all(now), key=lambda found: found.held).area
    held, _ = held_at(tuple(balances.load_ledger(area)), now)
    party = balances.areas.keeper_in.get(area) or "keeper"
    items = tuple(Item(epc=epc) for epc in (*sorted(held)[1:], "urn:dummy:<script>"))
    inventory = Inventory(party=party, area=area, taken=now, items=items)
    blind = period(1, figure("capacity", UNIT), figure("declared", UNIT))
    books = [book(day(0, 50), blind, day(2), significant=200 * UNIT)]
    path = control.home.path / "bulk-areas.json"
    path.write_bytes(canonical([to_plain(one) for one in books]))
    return balances.close(area, party=party, until=now, now=now, inventory=inventory)


@pytest.fixture(scope="module")
def client(regime: LiveRegime, closed: ClosedArea) -> Iterator[Asking]:
    assert closed.balance.verdict == "fails"
    app = create_app(regime.control, language="en")
    with TestClient(app, base_url="http://127.0.0.1", raise_server_exceptions=False) as asking:
        yield asking


def page(client: Asking, path: str, language: str = "en") -> str:
    answer = client.get(f"{path}{'&' if '?' in path else '?'}lang={language}")
    client.cookies.clear()
    assert answer.status_code == 200, answer.text
    assert not re.search(r"<script(?![^>]*\bsrc=)|<style|\sstyle=|\son\w+=", answer.text)
    return html.unescape(re.sub(r"<[^>]+>", " ", answer.text))


def test_areas_are_listed_with_what_fails_first(client: Asking, closed: ClosedArea) -> None:
    """With the last figure, and `not measured` where nobody counted."""
    words = page(client, "/chips/balances")
    area = closed.balance.area
    assert words.index(f" {area} ") < words.index("never closed")
    assert "not measured" in words
    assert "物質収支区域" in page(client, "/chips/balances", "ja")


def test_a_sheet_says_what_is_missing_and_what_is_too_much(
    client: Asking, closed: ClosedArea
) -> None:
    """One for the other: the figure is 0, and the balance fails all the same."""
    path = f"/chips/balances/area?name={closed.balance.area}"
    words = page(client, path)
    assert closed.balance.missing[0] in words
    assert "urn:dummy:<script>" in words
    assert "Unaccounted for (+ = loss) +0" in re.sub(r"\s+", " ", words)
    assert "未計量差" in page(client, path, "ja")
    assert page(client, f"{path}&number=1") is not None


def test_the_chart_of_a_bulk_area_has_a_table_that_says_the_same(client: Asking) -> None:
    """A bar that alarms, a period that was not measured, a band; and each figure in words."""
    text = client.get("/chips/balances").text
    assert 'class="muf alarm"' in text
    assert 'class="unmeasured"' in text
    assert 'class="band"' in text
    words = page(client, "/chips/balances")
    assert f"{50 * UNIT:+,}" in words
    assert "nameplate: random 0, systematic 0.01 (synthetic)" in words


def test_what_is_in_transit_is_listed(client: Asking) -> None:
    """Or it is said that nothing is."""
    assert "In transit" in page(client, "/chips/transit")
    assert "輸送中" in page(client, "/chips/transit", "ja")


@pytest.mark.parametrize(
    "path", ["/chips/balances/area?name=no-such-area", "/chips/balances/area?name={area}&number=9"]
)
def test_what_is_not_there_is_not_found(client: Asking, closed: ClosedArea, path: str) -> None:
    """404, in words."""
    answer = client.get(path.format(area=closed.balance.area))
    assert answer.status_code == 404


def test_a_failed_balance_becomes_a_finding_in_the_log(
    client: Asking, regime: LiveRegime, closed: ClosedArea
) -> None:
    """Stated by the control plane itself, once, with what it is about concealed."""
    control = regime.control
    for seconds in (60, 120):
        control.books.tend(
            control.clock.now().plus(seconds), control.chips.committer.raise_irregularity
        )
    text = client.get("/log").text
    assert text.count("balance-missing") == text.count("balance-surplus") == 1
    assert closed.balance.missing[0] not in text


def test_every_word_of_a_balance_has_its_message() -> None:
    """Codes, reasons, states, report types, in both languages."""
    keys = {f"balance.code.{code.key}" for code in CODES.values()}
    keys |= {f"balance.reason.{reason}" for reason in get_args(Reason)}
    keys |= {f"balance.transit.{state}" for state in get_args(TransitState)}
    keys |= {f"balance.type.{kind}" for kind in get_args(ReportType)}
    assert keys <= set(MESSAGES)
