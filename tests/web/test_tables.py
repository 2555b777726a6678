"""The projections over HTTP: rows of one moment, page by page, never older than what the reader wrote."""

from __future__ import annotations

import json
from typing import Any

import pytest
from litestar import Litestar
from litestar.testing import TestClient

from sekisho.app import TABLES
from sekisho.model.statements import FindingRaised
from sekisho.web import tables
from tests.factory import HOST, signed
from tests.regime import LiveRegime

Asking = TestClient[Litestar]


def rows(client: Asking, table: str, after: str = "") -> Any:
    answer = client.get(f"/api/v1/tables/{table}", params={"after": after})
    assert answer.status_code == 200, answer.text
    return answer.json()


def accuse(client: Asking, regime: LiveRegime, detail: str) -> dict[str, Any]:
    fact = FindingRaised(effective=regime.now, finding="test", host="host-1", detail=detail)
    answer = client.post("/api/v1/statements", content=signed(fact, HOST).raw)
    admitted: dict[str, Any] = answer.json()
    return admitted


def test_every_table_is_named(client: Asking, regime: LiveRegime) -> None:
    """With how much of the log they tell of."""
    answer = client.get("/api/v1/tables").json()
    assert tuple(answer["tables"]) == TABLES
    assert answer["size"] >= regime.licence.index


def test_a_row_is_a_canonical_document_with_its_entry(client: Asking, regime: LiveRegime) -> None:
    """Its text is what the check compares; the entry is where the log says so."""
    (licence,) = rows(client, "licences")["rows"]
    assert (licence["key"], licence["entry"] >= regime.licence.index) == ("LIC-1", True)
    assert json.loads(licence["document"])["leaf"] == regime.licence.leaf
    assert [row["key"] for row in rows(client, "hosts")["rows"]] == ["host-1", "host-2"]


def test_who_wrote_reads_what_he_wrote(client: Asking, regime: LiveRegime) -> None:
    """The answer tells of every entry that the desk had answered for when it was asked."""
    for n in range(3):
        admitted = accuse(client, regime, f"written {n}")
        found = rows(client, "findings")
        assert found["size"] > admitted["index"]
        (row,) = [row for row in found["rows"] if row["key"] == admitted["leaf"]]
        assert row["entry"] == admitted["index"]


def test_long_tables_come_in_pages(
    client: Asking, regime: LiveRegime, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each row once, in order, whatever the page's size."""
    whole = rows(client, "keys")["rows"]
    monkeypatch.setattr(tables, "MOST_ROWS", 4)
    found, after = [], ""
    while True:
        page = rows(client, "keys", after)
        assert len(page["rows"]) <= 4
        found += page["rows"]
        if page["next"] is None:
            break
        after = page["next"]
    assert found == whole
    assert len(whole) > 8


def test_a_table_that_is_not_there_is_not_found(client: Asking) -> None:
    """In words."""
    answer = client.get("/api/v1/tables/secrets")
    assert (answer.status_code, answer.json()["code"]) == (404, "not-found")


def test_rows_that_lag_behind_are_not_shown(
    client: Asking, regime: LiveRegime, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Rather no answer than one that hides the newest entries."""
    monkeypatch.setattr(tables, "WRITTEN_WITHIN_S", 0.01)
    monkeypatch.setattr(regime.control.projector, "_written", 0)
    answer = client.get("/api/v1/tables/hosts")
    assert answer.status_code == 503
    assert "newest entries" in answer.json()["detail"]
    monkeypatch.undo()
    accuse(client, regime, "and on")
    assert rows(client, "hosts")["rows"]
