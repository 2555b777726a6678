"""One browser and one served regime for each file of pages; a file that needs more than a plain regime has its own."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser

from tests.browser.watching import Watched, chromium
from tests.regime import LiveRegime, live_regime
from tests.web.serving import serving


@pytest.fixture(scope="module")
def regime(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveRegime]:
    with live_regime(tmp_path_factory.mktemp("regime")) as running:
        yield running


@pytest.fixture(scope="module")
def address(regime: LiveRegime) -> Iterator[str]:
    with serving(regime.control) as served:
        yield served


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as started:
        yield started


@pytest.fixture
def watched(browser: Browser, address: str) -> Iterator[Watched]:
    context = browser.new_context(base_url=address, locale="en-GB")
    yield Watched(context.new_page())
    context.close()
