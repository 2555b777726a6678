"""The attack: a date under a misspelt name, which is passed over, so that today's law answers."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest
from litestar import Litestar
from litestar.testing import TestClient

from sekisho.web import create_app
from tests.regime import live_regime

ASKED = json.dumps({"kind": "transfer", "id": "t", "item": {"chip": "H100"}})


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient[Litestar]]:
    with live_regime(tmp_path_factory.mktemp("regime")) as regime:
        app = create_app(regime.control, language="en")
        with TestClient(app, base_url="http://127.0.0.1") as asking:
            yield asking


@pytest.mark.parametrize(
    "path",
    [
        "rules/decide?as-of=2023-01-01",
        "rules/decide?date=2023-01-01",
        "rules/classify?reading=codified",
        "rules/diff?at=2023-01-01",
        "impact/assess?as_of=2023-01-01",
    ],
)
def test_a_parameter_that_nobody_reads_is_refused(client: TestClient[Litestar], path: str) -> None:
    """The answer names it and what may be written."""
    answer = client.post(f"/api/v1/{path}", content=ASKED)
    assert answer.status_code == 422
    assert "is no parameter here" in answer.json()["detail"]


def test_the_parameters_that_are_read_are_taken(client: TestClient[Litestar]) -> None:
    """All of them at once."""
    answer = client.post(
        "/api/v1/rules/decide?at=2024-01-01&as_of=2024-01-01&reading=codified&pack=us-ear",
        content=ASKED,
    )
    assert answer.status_code == 200
