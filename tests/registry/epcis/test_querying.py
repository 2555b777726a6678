"""Query parameters of the EPCIS 2.0 REST binding: what is answered, and that the rest is refused by name."""

from __future__ import annotations

import base64
from typing import Any

import pytest

from sekisho.model.errors import InvalidInput
from sekisho.model.instants import Instant
from sekisho.ports.register_store import EventFilter
from sekisho.registry.epcis import Query, next_page_token, parse_named_query, parse_query
from tests.registry.epcis.samples import CHIP, OTHER_CHIP, SITE


def test_nothing_asked_is_everything() -> None:
    """By pages of thirty, from the beginning."""
    assert parse_query([]) == Query(wanted=EventFilter(), per_page=30, after=0)


def test_every_parameter_finds_its_place() -> None:
    """Values with commas, words in any spelling, times to the microsecond."""
    found = parse_query(
        [
            ("eventType", "ObjectEvent,AssociationEvent"),
            ("GE_eventTime", "2026-05-01T09:00:00+09:00"),
            ("LT_eventTime", "2026-06-01T00:00:00Z"),
            ("GE_recordTime", "2026-05-01T00:00:00Z"),
            ("LT_recordTime", "2026-07-01T00:00:00Z"),
            ("EQ_action", "ADD"),
            ("EQ_bizStep", "https://ref.gs1.org/cbv/BizStep-shipping,receiving"),
            ("EQ_bizStep", "https://own.example.org/step/burning"),
            ("EQ_disposition", "active"),
            ("EQ_readPoint", SITE),
            ("EQ_bizLocation", SITE),
            ("MATCH_epc", f"{CHIP},{OTHER_CHIP}"),
            ("perPage", "7"),
            ("orderBy", "recordTime"),
            ("orderDirection", "ASC"),
        ]
    )
    assert found.wanted == EventFilter(
        types=("ObjectEvent", "AssociationEvent"),
        since=Instant.parse("2026-05-01T00:00:00Z"),
        before=Instant.parse("2026-06-01T00:00:00Z"),
        received_since=Instant.parse("2026-05-01T00:00:00Z"),
        received_before=Instant.parse("2026-07-01T00:00:00Z"),
        actions=("ADD",),
        biz_steps=("shipping", "receiving", "https://own.example.org/step/burning"),
        dispositions=("active",),
        read_points=(SITE,),
        biz_locations=(SITE,),
        match_epcs=(CHIP, OTHER_CHIP),
        roles=("epc", "child"),
    )
    assert found.per_page == 7


@pytest.mark.parametrize(
    ("name", "roles"),
    [
        ("MATCH_epc", ("epc", "child")),
        ("MATCH_parentID", ("parent",)),
        ("MATCH_inputEPC", ("input",)),
        ("MATCH_outputEPC", ("output",)),
        ("MATCH_anyEPC", ("epc", "child", "parent", "input", "output")),
    ],
)
def test_a_match_says_in_which_role(name: str, roles: tuple[str, ...]) -> None:
    """As the standard has it."""
    assert parse_query([(name, CHIP)]).wanted == EventFilter(match_epcs=(CHIP,), roles=roles)


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("EQ_transformationID", "urn:a:b", "no parameter that is answered"),
        ("WD_readPoint", SITE, "no parameter that is answered"),
        ("eq_action", "ADD", "no parameter that is answered"),
        ("eventType", "MoveEvent", "no type of event"),
        ("EQ_action", "MOVE", "is no action"),
        ("EQ_bizStep", "departed", "is no bizStep"),
        ("EQ_bizStep", "a b:c", "no word and no address"),
        ("EQ_readPoint", "hall 2", "is no URI"),
        ("MATCH_epc", "", "is no URI"),
        ("GE_eventTime", "2026-02-30T00:00:00Z", "no real date-time"),
        ("GE_eventTime", "2026-05-01T00:00:00Z,2026-05-01T00:00:00Z", "more than once"),
        ("perPage", "0", "from 1 to 1000"),
        ("perPage", "1001", "from 1 to 1000"),
        ("perPage", "9" * 5000, "from 1 to 1000"),
        ("perPage", "٣", "from 1 to 1000"),
        ("perPage", "5,6", "more than once"),
        ("orderBy", "eventTime", "can only be recordTime"),
        ("orderBy", "recordTime", "can only be ASC"),
        ("orderDirection", "DESC", "can only be ASC"),
        ("nextPageToken", "77", "no token that this query gave"),
        ("nextPageToken", "é", "no token that this query gave"),
        ("MATCH_epc", ",".join([CHIP] * 1001), "more than 1000 values"),
    ],
)
def test_what_is_not_answered_is_refused_by_name(name: str, value: str, said: str) -> None:
    """Passed over it would give a wrong answer for a right one."""
    with pytest.raises(InvalidInput, match=said) as caught:
        parse_query([(name, value)])
    assert caught.value.path in (name, "orderDirection")


def test_two_matches_at_once_are_refused() -> None:
    """The store answers one at a time."""
    with pytest.raises(InvalidInput, match="together with MATCH_epc"):
        parse_query([("MATCH_epc", CHIP), ("MATCH_parentID", CHIP)])


def test_a_token_goes_on_behind_its_event_in_its_own_query() -> None:
    """Another query, another number or a changed character is refused."""
    asked = [("EQ_action", "ADD"), ("perPage", "2")]
    token = next_page_token(parse_query(asked), 4711)
    assert parse_query([*asked, ("nextPageToken", token)]).after == 4711
    assert parse_query([("EQ_action", "ADD"), ("nextPageToken", token)]).after == 4711
    plain = base64.urlsafe_b64decode(token + "==")
    other = base64.urlsafe_b64encode(plain.replace(b"4711", b"4712")).decode().rstrip("=")
    for params in ([("nextPageToken", token)], [*asked, ("nextPageToken", other)]):
        with pytest.raises(InvalidInput, match="no token that this query gave"):
            parse_query(params)


def test_a_named_query_is_read_like_its_parameters() -> None:
    """Lists, texts and whole numbers; nothing else."""
    value = {"eventType": ["ObjectEvent", "TransactionEvent"], "EQ_action": "ADD", "perPage": 5}
    asked = [("eventType", "ObjectEvent,TransactionEvent"), ("EQ_action", "ADD"), ("perPage", "5")]
    assert parse_named_query(value) == parse_query(asked)
    refused: list[Any] = [[], "x", {"perPage": True}, {"EQ_action": {"a": 1}}, {"perPage": 1.5}]
    for wrong in refused:
        with pytest.raises(InvalidInput, match="query"):
            parse_named_query(wrong)
