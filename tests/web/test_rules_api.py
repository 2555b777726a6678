"""The HTTP API of rules: the same answers as the command line's, errors with the field's path, bodies with bounds."""

from __future__ import annotations

import json
from typing import Any

import pytest
from litestar import Litestar
from litestar.testing import TestClient

from sekisho.model.instants import parse_date_or_instant
from sekisho.model.wire import to_plain
from sekisho.rules import decide, load_pack, pack_names, parse_request
from sekisho.rules.impact import ANSWERS_FORMAT
from sekisho.web.rules_api import MAX_REQUESTS, MOST_DECIDED
from sekisho.web.rules_comparing import MOST_POPULATION, MOST_ROWS

Asking = TestClient[Litestar]
API = "/api/v1/rules"
TRANSFER = {
    "kind": "transfer",
    "id": "t-1",
    "item": {"chip": "H100 SXM5"},
    "count": 8,
    "destination": "CN",
}
SIDES = {"a": {"pack": "us-ear"}, "b": {"pack": "us-diffusion-tightened", "at": "2027-06-01"}}


def post(client: Asking, path: str, body: object, status: int = 200) -> Any:
    answer = client.post(path, content=json.dumps(body))
    assert answer.status_code == status, answer.text
    return answer.json()


def test_packs_are_listed_with_what_counts(client: Asking) -> None:
    """Every shipped pack by its digest; the published one counts here."""
    rows = {row["name"]: row for row in client.get(f"{API}/packs").json()}
    assert set(pack_names()) <= set(rows)
    assert rows["loop-2026"]["counts"] is True
    assert rows["us-ear"]["published"] is False
    assert rows["us-ear"]["sha256"] == load_pack("us-ear").sha256
    assert rows["us-diffusion-tightened"]["over"] == ["us-ear 1"]


def test_a_pack_is_told_as_it_stands_on_a_date(client: Asking) -> None:
    """Values with source and mark, rules with their status, on the date and by what was known."""
    path = f"{API}/packs/us-eo14110"
    told = client.get(path, params={"at": "2024-06-01"}).json()
    assert told["policy"]["sha256"] == load_pack("us-eo14110").sha256
    assert {row["acts"] for row in told["rules"] if row["outcome"] == "report"} == {True}
    value = next(row for row in told["parameters"] if row["name"] == "model")
    assert (value["value"], value["mark"]) == (str(10**26), "P")
    later = client.get(path, params={"at": "2025-06-01"}).json()
    assert {row["status"] for row in later["rules"] if row["outcome"] == "report"} == {"revoked"}
    early = client.get(path, params={"at": "2024-06-01", "as_of": "2023-01-01"}).json()
    assert all(row["value"] is None for row in early["parameters"])


def test_a_decision_is_that_of_the_rules(client: Asking) -> None:
    """The very document that the rules give for the same request, pack and date."""
    told = post(client, f"{API}/decide?at=2025-06-01&pack=us-ear", TRANSFER)
    request = parse_request(json.dumps(TRANSFER))
    own = decide(request, load_pack("us-ear"), parse_date_or_instant("2025-06-01"))
    assert told == json.loads(json.dumps({"answers": [to_plain(own)]}))


def test_several_packs_stand_side_by_side(client: Asking) -> None:
    """Named one by one, or all that speak about the kind; without a name the kind's own pack."""
    told = post(client, f"{API}/decide?pack=us-ear&pack=jp-export&at=2026-01-01", TRANSFER)
    (answer,) = told["answers"]
    assert [one["policy"]["name"] for one in answer["regimes"]] == ["us-ear", "jp-export"]
    everyone = post(client, f"{API}/decide?pack=all&at=2026-01-01", TRANSFER)["answers"][0]
    names = {one["policy"]["name"] for one in everyone["regimes"]}
    assert {"us-ear", "jp-export"} <= names
    assert "us-eo14110" not in names
    run = {"id": "r", "planned_flop": "1", "origin": "scratch"}
    (plain,) = post(client, f"{API}/decide", run)["answers"]
    assert plain["policy"]["name"] == "loop-2026"


def test_a_list_is_answered_row_by_row(client: Asking) -> None:
    """A row that cannot be read says so with its path; the others are answered; each by its own day."""
    rows = [{**TRANSFER, "on": "2025-06-01"}, {"kind": "gift"}, {**TRANSFER, "destination": "XX"}]
    good, unknown, nowhere = post(client, f"{API}/decide", rows)["answers"]
    assert good["at"] == "2025-06-01T00:00:00Z"
    assert (unknown["line"], unknown["path"]) == (2, "body[1].kind")
    assert nowhere["path"] == "body[2].destination"


@pytest.mark.parametrize(
    ("path", "body", "where"),
    [
        ("/decide", {**TRANSFER, "destination": "XX"}, "body.destination"),
        ("/decide", {**TRANSFER, "colour": "red"}, "body"),
        ("/decide", [], "body"),
        ("/decide?pack=no-such-pack", TRANSFER, "pack"),
        ("/decide?at=2026-02-30", TRANSFER, "at"),
        ("/decide", {**TRANSFER, "facts": {"no-such-fact": True}}, "facts.no-such-fact"),
        ("/decide", [TRANSFER] * (MOST_DECIDED + 1), "body"),
        ("/classify", {"fp16_dense_tflops": "fast"}, "body.fp16_dense_tflops"),
        ("/classify?pack=eu-ai-act", {"chip": "H100 SXM5"}, "pack"),
        ("/diff", {**SIDES}, "body"),
        ("/diff", {**SIDES, "sample": MOST_ROWS + 1}, "sample"),
        ("/diff", {**SIDES, "sample": -1}, "sample"),
        ("/diff", {**SIDES, "more": 1}, "body"),
        (
            "/diff",
            {"a": {"pack": "us-ear", "reading": "loud"}, "b": SIDES["b"], "sample": 1},
            "reading",
        ),
    ],
)
def test_bad_input_is_a_problem_with_the_fields_path(
    client: Asking, path: str, body: object, where: str
) -> None:
    """422 as problem+json, naming where."""
    answer = client.post(f"{API}{path}", content=json.dumps(body))
    assert answer.status_code == 422, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["path"].startswith(where)


def test_a_pack_that_is_not_there_is_not_found(client: Asking) -> None:
    """With the names that there are."""
    answer = client.get(f"{API}/packs/no-such-pack")
    assert answer.status_code == 404
    assert "us-ear" in answer.json()["remedy"]
    body = {**SIDES, "sample": 1, "a": {"pack": "no-such-pack"}}
    assert client.post(f"{API}/diff", content=json.dumps(body)).status_code == 404


def test_chips_and_sheets_are_classified(client: Asking) -> None:
    """A name of the table, an item, or a data sheet; what would decide is named."""
    told = post(client, f"{API}/classify", {"chip": "H100 SXM5"})
    assert (told["class"], told["tpp"]) == ("3A090.a", "15832")
    sheet = {"fp16_dense_tflops": "150", "datacenter": True}
    told = post(client, f"{API}/classify?at=2026-01-01", sheet)
    assert told["class"] == "unsure"
    assert told["missing"]


def test_two_sides_are_compared_over_a_population(client: Asking) -> None:
    """One's own requests, or a made-up population; a bad row is counted and told by its line."""
    told = post(client, f"{API}/diff", {**SIDES, "population": [TRANSFER, {"kind": "gift"}]})
    assert (told["requests"], told["refused"]) == (1, 1)
    assert told["b"]["pack"]["name"] == "us-diffusion-tightened"
    made = post(client, f"{API}/diff", {**SIDES, "sample": 50})
    assert made["requests"] + made["refused"] == 50


def test_answers_give_an_impact(client: Asking) -> None:
    """Scope, cost and contacts of an answers file; nothing known is unsure, never unaffected."""
    path = "/api/v1/impact/assess?at=2026-06-01"
    told = post(client, path, {"format": ANSWERS_FORMAT, "answers": {}})
    assert told["verdict"] == "unsure"
    bad = {"format": ANSWERS_FORMAT, "answers": {"country": "XX"}}
    assert post(client, path, bad, 422)["path"] == "body.answers.country"


@pytest.mark.parametrize(
    ("path", "most"),
    [
        (f"{API}/decide", MAX_REQUESTS),
        (f"{API}/diff", MOST_POPULATION),
        (f"{API}/classify", 65_536),
    ],
)
def test_bodies_have_bounds(client: Asking, path: str, most: int) -> None:
    """One byte more than announced as the most is refused unread."""
    answer = client.post(path, content=b"x" * (most + 1))
    assert answer.status_code == 413


@pytest.mark.parametrize("path", ["decide", "classify", "diff"])
def test_another_site_is_refused(client: Asking, path: str) -> None:
    """A page of another origin asks for nothing here."""
    answer = client.post(f"{API}/{path}", content=b"{}", headers={"origin": "http://evil.example"})
    assert answer.status_code == 403
