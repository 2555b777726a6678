"""Transfers, clusters, contracts, access: wrong fields by their path, contradictions, countries, days."""

from __future__ import annotations

import json
from typing import Any

import pytest

from sekisho.model.errors import InvalidInput
from sekisho.rules import parse_request, parse_requests, request_schema
from sekisho.rules.requests import (
    ChipSpec,
    ItemAsked,
    PartyAsked,
    TransferRequest,
    WeightsAsked,
)

TRANSFER: dict[str, Any] = {"kind": "transfer", "id": "t", "item": {"chip": "H100"}}
CLOUD: dict[str, Any] = {"kind": "cloud-use", "id": "c"}
WEIGHTS = {"form": "weights", "weights": {}}


def refused(request: dict[str, Any]) -> InvalidInput:
    """The error of a request that must not be read."""
    with pytest.raises(InvalidInput) as caught:
        parse_request(json.dumps(request), path="F")
    return caught.value


@pytest.mark.parametrize(
    ("fields", "path", "words"),
    [
        ({"count": 0}, "F.count", ">= 1"),
        ({"count": -5}, "F.count", ">= 1"),
        ({"count": 1.5}, "F.count", "int"),
        ({"count": "5"}, "F.count", "int"),
        ({"count": 10**9 + 1}, "F.count", "<= 1000000000"),
        ({"activity": "smuggling"}, "F.activity", "write one of export, in-country, reexport"),
        ({"end_use": []}, "F.end_use", "length >= 1"),
        ({"end_use": ["training", "fun"]}, "F.end_use[1]", "technical-analysis"),
        ({"destination": "jp"}, "F.destination", "write it in capitals: JP"),
        ({"destination": "Japan"}, "F.destination", "write JP"),
        ({"destination": "XX"}, "F.destination", "'XX' is no country"),
        ({"destination": "EU"}, "F.destination", "member state"),
        ({"destination": "US-CA"}, "F.destination", "no country"),
        ({"origin": "UK"}, "F.origin", "write GB"),
        ({"destination": 5}, "F.destination", "str"),
        ({"consignee": {"country": "zz"}}, "F.consignee.country", "'zz' is no country"),
        ({"end_user": {"parent_headquarters": "cn"}}, "F.end_user.parent_headquarters", "CN"),
        ({"intermediates": [{}, {"country": "Q1"}]}, "F.intermediates[1].country", "no country"),
        ({"item": {"chip": "H100", "designer_country": "us"}}, "F.item.designer_country", "US"),
        ({"item": {"chip": ""}}, "F.item.chip", "length >= 1"),
        ({"item": {"chips_each": -1, "form": "computer"}}, "F.item.chips_each", ">= 1"),
        ({"item": {"eccn": "3A90"}}, "F.item.eccn", "write it as 5A992"),
        ({"item": {"spec": {"die_mm2": "-1"}}}, "F.item.spec.die_mm2", "decimal"),
        ({"item": {"spec": {"die_mm2": 814}}}, "F.item.spec.die_mm2", '"12.5"'),
        ({"item": {"spec": {"mem_bw_gbs": "1e3"}}}, "F.item.spec.mem_bw_gbs", "exponent"),
        ({"item": {"form": "weights", "weights": {"training_flop": "1e26"}}}, "", "not 1e3"),
        ({"consignee": {"listed_owner_share": "50"}}, "F.consignee.listed_owner_share", '"0.5"'),
        ({"so_far": {"country_tpp": "-3"}}, "F.so_far.country_tpp", "decimal"),
        ({"on": "2026-02-30"}, "F.on", "no day of the calendar"),
        ({"on": "2026-13-01"}, "F.on", "no day of the calendar"),
        ({"on": "2025-02-29"}, "F.on", "no day of the calendar"),
        ({"on": "2.3.2026"}, "F.on", "write it as 2026-02-28"),
        ({"facts": {"Kopf": True}}, "", "no name of a fact"),
        ({"facts": {"places": ["JP", "zz"]}}, "F.facts", "ur"),
        ({"facts": {"places": ["JP", "XX"]}}, "F.facts.places[1]", "'XX' is no jurisdiction"),
        ({"quantity": 3}, "F", "quantity"),
        ({"item": {"chip": "H100", "chp": 1}}, "F.item", "chp"),
    ],
    ids=str,
)
def test_a_wrong_field_is_refused_by_its_path(
    fields: dict[str, object], path: str, words: str
) -> None:
    """Counts, countries, words, decimals, days: what is wrong, where, what to write."""
    error = refused({**TRANSFER, **fields})
    assert error.path.startswith(path or "F")
    assert words in str(error)


@pytest.mark.parametrize(
    ("item", "path"),
    [
        ({"chip": "H100", "spec": {}}, "F.item.chip"),
        ({"form": "ic", "chip": "H100", "weights": {}}, "F.item.weights"),
        ({"form": "computer", "weights": {"published": True}}, "F.item.weights"),
        ({"form": "weights"}, "F.item.weights"),
        ({**WEIGHTS, "chip": "H100"}, "F.item.chip"),
        ({**WEIGHTS, "spec": {}}, "F.item.spec"),
        ({**WEIGHTS, "chips_each": 8}, "F.item.chips_each"),
        ({"chip": "H100", "chips_each": 8}, "F.item.chips_each"),
        ({"form": "hbm", "chip": "H100"}, "F.item.chip"),
        ({"form": "ic", "spec": {"hbm": True}}, "F.item.spec.hbm"),
        ({"form": "hbm", "spec": {"hbm": False}}, "F.item.spec.hbm"),
        ({"datacenter": True, "spec": {"datacenter": False}}, "F.item.datacenter"),
        ({"designer_country": "US", "spec": {"designer_country": "CN"}}, "F.item.designer_country"),
        ({"spec": {"die_mm2": "0"}}, "F.item.spec.die_mm2"),
        ({"form": "hbm", "spec": {"stack_mm2": "0.0"}}, "F.item.spec.stack_mm2"),
        ({"spec": {"count": 2}}, "F.item.spec.count"),
        ({"spec": {"dies": [{}], "fp16_dense_tflops": "1"}}, "F.item.spec.fp16_dense_tflops"),
        ({"spec": {"dies": [{}], "die_mm2": "1"}}, "F.item.spec.die_mm2"),
        ({"spec": {"dies": [{}], "planar": True}}, "F.item.spec.planar"),
        ({"spec": {"dies": [{}, {"die_mm2": "0"}]}}, "F.item.spec.dies[1].die_mm2"),
        (
            {"form": "weights", "weights": {"synthetic": [], "synthetic_training_flop": "1"}},
            "F.item.weights.synthetic_training_flop",
        ),
        (
            {"form": "weights", "weights": {"training_flop": "5", "added_flop": "6"}},
            "F.item.weights.added_flop",
        ),
        (
            {"form": "weights", "weights": {"training_flop": "5", "synthetic_training_flop": "6"}},
            "F.item.weights.synthetic_training_flop",
        ),
        (
            {
                "form": "weights",
                "weights": {
                    "training_flop": "5",
                    "synthetic": [{"training_flop": "3"}, {"training_flop": "3"}],
                },
            },
            "F.item.weights.synthetic",
        ),
    ],
    ids=str,
)
def test_an_item_that_contradicts_itself_is_refused(item: dict[str, Any], path: str) -> None:
    """Two answers to one question, or a part larger than the whole: nobody is to guess which one is meant."""
    error = refused({**TRANSFER, "item": item})
    assert error.path == path
    assert error.remedy


@pytest.mark.parametrize(
    ("request_", "path"),
    [
        ({**TRANSFER, "activity": "export", "origin": "US", "destination": "US"}, "F.activity"),
        ({**TRANSFER, "activity": "in-country", "origin": "US", "destination": "SG"}, "F.activity"),
        (
            {
                **TRANSFER,
                "end_user_is_consignee": True,
                "consignee": {"name": "a"},
                "end_user": {"name": "b"},
            },
            "F.end_user_is_consignee",
        ),
        (
            {
                **TRANSFER,
                "consignee": {"listed_owner_known": False, "listed_owner_share": "0.1"},
            },
            "F.consignee.listed_owner_known",
        ),
        (
            {
                **TRANSFER,
                "exporter": {
                    "name": "a",
                    "parent": "a",
                    "headquarters": "US",
                    "parent_headquarters": "CN",
                },
            },
            "F.exporter.parent_headquarters",
        ),
        (
            {
                **CLOUD,
                "cluster": {
                    "chips": [{"chip": "H100", "count": 1}],
                    "networked": False,
                    "network_gbit_s": "400",
                },
            },
            "F.cluster.networked",
        ),
        ({**CLOUD, "on": "2026-02-31"}, "F.on"),
        ({**CLOUD, "jurisdictions": ["JP", "XX"]}, "F.jurisdictions[1]"),
        ({"kind": "access", "id": "a", "on": "2026-00-01"}, "F.on"),
        ({"kind": "access", "id": "a", "place": "eu"}, "F.place"),
        ({"kind": "cluster", "id": "a"}, "F"),
        (
            {"id": "a", "origin": "known", "lineage_flop": "1", "lineage_post_training_flop": "2"},
            "F.lineage_post_training_flop",
        ),
        ({"id": "a", "jurisdictions": ["UK"]}, "F.jurisdictions[0]"),
        ({"id": "a", "on": "2026-06-31"}, "F.on"),
    ],
    ids=str,
)
def test_a_request_that_contradicts_itself_is_refused(request_: dict[str, Any], path: str) -> None:
    """Of every kind, with the path of the field."""
    assert refused(request_).path == path


def test_what_python_builds_is_checked_alike() -> None:
    """Values that did not come from JSON meet the same refusals, with the field's own path."""
    with pytest.raises(InvalidInput) as caught:
        ItemAsked(chip="H100", spec=ChipSpec())
    assert caught.value.path == "chip"
    with pytest.raises(InvalidInput):
        PartyAsked(listed_owner_known=False, listed_owner_share="1")
    with pytest.raises(InvalidInput):
        WeightsAsked(training_flop="1", added_flop="2")
    with pytest.raises(InvalidInput):
        TransferRequest(kind="transfer", id="t", item=ItemAsked(), on="2026-02-30")


@pytest.mark.parametrize(
    "request_",
    [
        {**TRANSFER, "activity": "reexport", "origin": "SG", "destination": "HK"},
        {**TRANSFER, "activity": "in-country", "origin": "SG", "destination": "SG"},
        {**TRANSFER, "end_user_is_consignee": True, "consignee": {"name": "a"}},
        {**TRANSFER, "item": {"form": "computer", "chip": "no such chip", "chips_each": 8}},
        {**TRANSFER, "item": {"form": "other", "eccn": "5A992", "chip": "H100", "chips_each": 2}},
        {**TRANSFER, "item": {"form": "hbm", "spec": {"hbm": True, "stack_mm2": "110"}}},
        {**TRANSFER, "so_far": {"market_share": "1.2"}},
        {**CLOUD, "jurisdictions": ["EU", "US-CA"]},
        {**TRANSFER, "on": "2024-02-29"},
    ],
    ids=str,
)
def test_what_does_not_contradict_itself_is_read(request_: dict[str, Any]) -> None:
    """An unknown chip is a missing fact and no error; a share of another market may be more than one."""
    assert parse_request(json.dumps(request_)).id == request_["id"]


def test_every_kind_is_in_the_schema() -> None:
    """One of five shapes, none of which takes a field that it does not know."""
    schema = request_schema()
    names = {"RunRequest", "ClusterRequest", "TransferRequest", "CloudUseRequest", "AccessRequest"}
    assert {part["$ref"].rpartition("/")[2] for part in schema["anyOf"]} == names
    assert all(schema["$defs"][name]["additionalProperties"] is False for name in names)
    country = schema["$defs"]["TransferRequest"]["properties"]["destination"]
    assert "JP" in json.dumps(country)


def test_a_list_names_the_row_and_the_field() -> None:
    """The second of three."""
    rows = parse_requests(
        json.dumps([TRANSFER, {**TRANSFER, "count": 0}, TRANSFER]).encode(), file="F"
    )
    assert [isinstance(row, TransferRequest) for _, row in rows] == [True, False, True]
    error = rows[1][1]
    assert isinstance(error, InvalidInput)
    assert error.path == "F[1].count"
