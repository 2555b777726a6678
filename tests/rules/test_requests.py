"""Requests: strict fields, JSON or JSON lines, a missing fact is not a misspelt one."""

from __future__ import annotations

import json

import pytest

from sekisho.model.errors import InvalidInput
from sekisho.rules import Request, RunRequest, parse_request, parse_requests, request_schema


@pytest.mark.parametrize(
    ("fields", "where"),
    [
        ({"planned_flop": 5}, "planned_flop"),
        ({"planned_flop": "1e24"}, "planned_flop"),
        ({"planned_flop": "-1"}, "planned_flop"),
        ({"planned_flop": "1" * 39}, "planned_flop"),
        ({"planed_flop": "5"}, "planed_flop"),
        ({"kind": "party"}, "kind"),
        ({"id": "has blanks"}, "id"),
        ({"id": None}, "id"),
        ({"origin": "somewhere"}, "origin"),
        ({"jurisdictions": ["Japan"]}, "jurisdictions"),
        ({"jurisdictions": "JP"}, "jurisdictions"),
        ({"post_training": "no"}, "post_training"),
        ({"cluster": {"chips": []}}, "chips"),
        ({"cluster": {"chips": [{"chip": "H100", "count": 0}]}}, "count"),
        ({"cluster": {"chips": [{"chip": "H100", "count": 1.5}]}}, "count"),
        ({"cluster": {"chips": [{"chip": "", "count": 1}]}}, "chip"),
        ({"origin": "scratch", "lineage_flop": "5"}, "lineage_flop"),
        ({"origin": "scratch", "post_training": True}, "post_training"),
    ],
    ids=str,
)
def test_a_wrong_field_is_refused_by_its_path(fields: dict[str, object], where: str) -> None:
    """Amounts are strings, names are known, contradictions are refused."""
    with pytest.raises(InvalidInput) as caught:
        parse_request(json.dumps({"id": "r", **fields}), path="F")
    assert where in str(caught.value)
    assert str(caught.value).startswith("F")


@pytest.mark.parametrize(
    ("fields", "remedy"),
    [
        ({"planed_flop": "5"}, "did you mean planned_flop?"),
        ({"cluster": {"chips": [{"chip": "H100", "cout": 1}]}}, "did you mean count?"),
        ({"zzz": 1}, "write one of kind, id"),
        ({"cluster": {"chips": [{"chip": "H100", "count": 0}]}}, "whole number of at least 1"),
        ({"cluster": {"chips": [{"chip": "H100", "count": "8"}]}}, "without quotes"),
        ({"jurisdictions": "JP"}, "write a list"),
        ({"cluster": 3}, "write an object"),
        ({"post_training": "no"}, "write true or false"),
        ({"origin": 3}, "write one of known, scratch, unknown"),
        ({"planned_flop": 3}, "string of digits"),
        ({"facts": {"a": 3}}, "string of digits"),
        ({"id": 3}, "write a text in quotes"),
    ],
    ids=str,
)
def test_a_refusal_says_what_to_write(fields: dict[str, object], remedy: str) -> None:
    """The nearest field, or the shape of the value."""
    with pytest.raises(InvalidInput) as caught:
        parse_request(json.dumps({"id": "r", **fields}), path="F")
    assert remedy in caught.value.remedy


def test_a_request_needs_an_id_and_nothing_else() -> None:
    """What is left out is missing, not zero."""
    request = parse_request(b'{"id": "r"}')
    assert request == RunRequest(id="r")
    assert request.planned_flop is None
    with pytest.raises(InvalidInput, match="id"):
        parse_request(b"{}")


def test_json_lines_answer_row_by_row() -> None:
    """A bad line is an error at its number; the others are read."""
    data = b'{"id":"a"}\n\n{"id":"b",}\n{"id":"c","x":1}\n{"id":"d"}\n'
    rows = parse_requests(data, file="F")
    assert [line for line, _ in rows] == [1, 3, 4, 5]
    assert [isinstance(row, RunRequest) for _, row in rows] == [True, False, False, True]
    assert str(rows[1][1]).startswith("F:3")


def test_a_bad_first_line_does_not_stop_the_others() -> None:
    """JSON lines are known by any line that is an object."""
    rows = parse_requests(b'oops\n{"id":"b"}\n', file="F")
    assert [isinstance(row, RunRequest) for _, row in rows] == [False, True]


def test_one_document_may_span_lines_or_be_a_list() -> None:
    """As an editor writes it."""
    one = json.dumps({"id": "a", "planned_flop": "5"}, indent=2).encode()
    assert [row for _, row in parse_requests(one, file="F")] == [
        RunRequest(id="a", planned_flop="5")
    ]
    several = parse_requests(b'[{"id":"a"},\n{"id":"b"}]', file="F")
    assert [row for _, row in several] == [RunRequest(id="a"), RunRequest(id="b")]


@pytest.mark.parametrize(
    "data",
    [b"", b"\n \n", b"[]", b"{", b"\xff", b"\xef\xbb\xbf{}", b'{"id":"a","id":"b"}', b"1" * 400],
)
def test_a_file_without_a_request_is_refused(data: bytes) -> None:
    """Nothing there, not JSON, not UTF-8, doubled names."""
    with pytest.raises(InvalidInput):
        _first_request(data)


def _first_request(data: bytes) -> Request:
    row = parse_requests(data, file="F")[0][1]
    if isinstance(row, InvalidInput):
        raise row
    return row


def test_the_schema_describes_a_request() -> None:
    """Fields, patterns, and no others allowed."""
    schema = request_schema()
    fields = schema["$defs"]["RunRequest"]
    assert fields["additionalProperties"] is False
    assert fields["required"] == ["id"]
    assert "planned_flop" in fields["properties"]
