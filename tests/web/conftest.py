"""One running regime for each module of web tests, and a client of its application."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from litestar import Litestar
from litestar.testing import TestClient

from sekisho.web import create_app
from tests.regime import LiveRegime, live_regime


@pytest.fixture(scope="module")
def regime(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveRegime]:
    with live_regime(tmp_path_factory.mktemp("regime")) as running:
        yield running


@pytest.fixture(scope="module")
def client(regime: LiveRegime) -> Iterator[TestClient[Litestar]]:
    app = create_app(regime.control, language="en")
    with TestClient(app, base_url="http://127.0.0.1", raise_server_exceptions=False) as asking:
        yield asking
