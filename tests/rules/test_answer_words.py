"""Fixed words of answers for people: events of deadlines, and packs that say nothing."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest

from sekisho.catalogue import MESSAGES
from sekisho.model.instants import parse_date_or_instant
from sekisho.rules import decide, load_pack, pack_names, parse_request
from sekisho.rules.acting import KIND_WORDS, says_nothing
from sekisho.rules.answer_words import event_in_words, event_key, missing_in_words
from sekisho.rules.pack import Pack
from sekisho.rules.requests.shapes import RequestKind

_JAPANESE = re.compile("[\u3040-\u30ff\u4e00-\u9fff]")


def _events(pack: Pack) -> Iterator[str]:
    duties = [duty for rule in pack.rules for duty in rule.duties]
    duties += [duty for exception in pack.exceptions for duty in exception.notices]
    return (duty.deadline.event for duty in duties if duty.deadline and duty.deadline.event)


@pytest.mark.parametrize("name", pack_names())
def test_every_event_of_a_shipped_pack_has_its_words(name: str) -> None:
    """In English as the pack writes it, in Japanese by the catalogue."""
    for event in _events(load_pack(name)):
        assert event_in_words(event, "en") == event
        assert event_key(event) in MESSAGES
        assert _JAPANESE.search(event_in_words(event, "ja")), event


def test_no_event_of_the_catalogue_is_left_over() -> None:
    """Each is what a deadline of some shipped pack counts from."""
    used = {event_key(event) for name in pack_names() for event in _events(load_pack(name))}
    assert {key for key in MESSAGES if key.startswith("rules.event.")} == used


def test_an_event_of_ones_own_pack_stays_as_it_is_written() -> None:
    """There is nobody who could have translated it."""
    assert event_in_words("the moon rises", "ja") == "the moon rises"


@pytest.mark.parametrize("kind", KIND_WORDS)
def test_a_silent_pack_says_so_in_the_readers_language(kind: RequestKind) -> None:
    """For every kind of request; in English the sentence of the document."""
    text = says_nothing("us-ear", kind, None)
    assert missing_in_words([text], "en") == [text]
    told = missing_in_words([text], "ja")[0]
    assert told.startswith("us-ear はその日付の")
    assert "says" not in told


def test_a_pack_before_its_first_day_says_so_in_the_readers_language() -> None:
    """As the engine writes it."""
    answer = decide(
        parse_request(b'{"id": "t", "kind": "cloud-use"}'),
        load_pack("us-ear"),
        parse_date_or_instant("2001-01-01", path="at"),
    )
    english, japanese = (missing_in_words(answer.missing, one) for one in ("en", "ja"))
    assert english == list(answer.missing)
    assert "より前" in japanese[0]


def test_facts_keep_their_paths() -> None:
    """They are names of fields, which scripts know too."""
    assert missing_in_words(["facts.c", "item.die_mm2 of X"], "ja") == [
        "facts.c",
        "item.die_mm2 of X",
    ]
