"""The attack: put a run where no law looks: in no place at all, in a state that does not exist, in a past country."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest

from sekisho.model.errors import InvalidInput
from sekisho.model.instants import parse_date_or_instant
from sekisho.rules import decide, load_pack, parse_request, request_from_run
from tests.rules.test_declared import run as declared_run

AT = parse_date_or_instant("2026-10-01")
RUN: dict[str, Any] = {
    "kind": "training-run",
    "id": "r",
    "planned_flop": str(10**27),
    "origin": "scratch",
}


@pytest.mark.parametrize("kind", ["training-run", "cluster", "cloud-use", "access"])
def test_a_list_of_no_places_is_refused(kind: str) -> None:
    """It is complete and holds nothing, so every rule about places would pass it."""
    row: dict[str, Any] = {"kind": kind, "id": "r", "jurisdictions": []}
    if kind == "cluster":
        row["cluster"] = {"chips": [{"chip": "H100", "count": 1}]}
    with pytest.raises(InvalidInput, match="names no place") as refused:
        parse_request(json.dumps(row))
    assert refused.value.path == "jurisdictions"


def test_a_run_that_was_declared_nowhere_may_be_anywhere() -> None:
    """A declaration in the log without a place is a missing fact and no permit."""
    run = msgspec.structs.replace(declared_run(), jurisdictions=())
    request = request_from_run(run, [])
    assert request.jurisdictions is None
    request = msgspec.structs.replace(request, planned_flop=str(10**27))
    assert decide(request, load_pack("us-ca-sb53"), AT).decision == "unsure"


@pytest.mark.parametrize("places", [["US-ZZ"], ["US", "US-ZZ"], ["US-CAL"]])
def test_a_state_that_does_not_exist_is_refused(places: list[str]) -> None:
    """A part that lies in no state would close the question which state is meant."""
    with pytest.raises(InvalidInput, match="no part of the United States"):
        parse_request(json.dumps({**RUN, "jurisdictions": places}))
    known = parse_request(json.dumps({**RUN, "jurisdictions": ["US-CA"]}))
    assert decide(known, load_pack("us-ca-sb53"), AT).decision == "report"


@pytest.mark.parametrize("code", ["cn", "SU", "YU", "XK", "AN", "EU", "UK", "ＣＮ", "CN ", "CHN"])
def test_what_is_no_country_today_is_no_destination(code: str) -> None:
    """Small letters, countries that are gone, unions, full-width letters."""
    row = {"kind": "transfer", "id": "t", "item": {"chip": "H100"}, "destination": code}
    with pytest.raises(InvalidInput, match="destination"):
        parse_request(json.dumps(row))
