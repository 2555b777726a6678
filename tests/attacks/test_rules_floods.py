"""The attack: a small body or a small pack that costs its reader minutes or gigabytes."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest
from litestar.testing import TestClient

from sekisho.model.errors import InvalidInput
from sekisho.model.instants import parse_date_or_instant
from sekisho.rules import ClusterRequest, Judge, decide, load_pack, parse_requests
from sekisho.rules.requests.reading import parse_request
from sekisho.web import create_app
from sekisho.web.rules_api import MOST_DECIDED
from tests.regime import live_regime
from tests.rule_packs import rule_text, small_pack

AT = parse_date_or_instant("2026-02-01")
SOON = 10.0  # seconds; each of these took half a minute or more


@pytest.mark.parametrize("row", [b"1", b"{}", b"[]"])
def test_a_list_of_half_a_million_wrong_rows_is_refused_unread(row: bytes) -> None:
    """A megabyte of them made 640 megabytes of errors."""
    begun = time.monotonic()
    with pytest.raises(InvalidInput, match="more than 1000 requests"):
        parse_requests(b"[" + (row + b",") * 300_000 + row + b"]", file="F", most=1000)
    assert time.monotonic() - begun < SOON


def test_lines_beyond_the_bound_are_refused_unread() -> None:
    """Lines as lists: no error is made for a row that nobody will be told of."""
    with pytest.raises(InvalidInput, match="more than 5 requests"):
        parse_requests(b'{"id": "r"}\n' * 6, file="F", most=5)
    assert len(parse_requests(b'{"id": "r"}\n' * 5, file="F", most=5)) == 5


def test_a_thousand_unknown_chips_cost_a_thousand_lines_and_not_their_square() -> None:
    """Twenty-four such clusters in a megabyte took 40 seconds; near names are sought for the first lines only."""
    lines = [{"chip": f"chip that nobody knows {n}", "count": 1} for n in range(1000)]
    row = {"kind": "cluster", "id": "c", "cluster": {"chips": lines}}
    begun = time.monotonic()
    for number in range(6):
        request = parse_request(json.dumps({**row, "id": f"c{number}"}))
        assert isinstance(request, ClusterRequest)
        assert decide(request, load_pack("treaty-2511"), AT).decision == "unsure"
    assert time.monotonic() - begun < SOON


def test_a_pack_with_thousands_of_thresholds_is_ready_at_once() -> None:
    """A file of half a megabyte kept a judge busy for 45 seconds before its first answer."""
    rows = []
    for start in range(0, 3600, 900):
        limbs = ", ".join(
            f'{{quantity: run_flop, op: ">", value: {number}, unit: FLOP}}'
            for number in range(start, start + 900)
        )
        rows.append(rule_text(f"r{start}", "deny", f"{{any: [{limbs}]}}"))
    pack = small_pack(*rows)
    begun = time.monotonic()
    judge = Judge(pack, AT)
    for flop, word in (("0", "permit"), ("1", "deny"), ("2999", "deny"), ("3000", "deny")):
        request = parse_request(json.dumps({"id": "r", "planned_flop": flop}))
        assert judge.word(request)[0] == word
    assert time.monotonic() - begun < SOON


def test_a_body_is_not_answered_a_thousandfold(tmp_path: Path) -> None:
    """A thousand requests under every pack were 169 megabytes of answers: the bound counts answers."""
    row = {"kind": "transfer", "id": "t", "item": {"chip": "H100"}}
    body = json.dumps([row] * MOST_DECIDED)
    with live_regime(tmp_path) as regime:
        app = create_app(regime.control, language="en")
        with TestClient(app, base_url="http://127.0.0.1") as client:
            refused = client.post("/api/v1/rules/decide?pack=us-ear&pack=jp-export", content=body)
    assert refused.status_code == 422
    assert f"more than {MOST_DECIDED} answers" in refused.json()["detail"]
