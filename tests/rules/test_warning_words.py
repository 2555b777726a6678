"""Warnings for people: grouped by kind of doubt, in two languages, and nothing left out."""

from __future__ import annotations

from sekisho.model.instants import parse_date_or_instant
from sekisho.rules import decide, load_pack, parse_request
from sekisho.rules.warning_words import warnings_in_words

WARNINGS = (
    "a: to be verified",
    "p knows the law until 2026-08-31; what came later is not in it",
    "else",
    "b: was to be looked at again by 2026-11-10",
    "H100: fp8 is recalled, to be verified",
    "c: was to be looked at again by 2026-11-10",
)


def test_each_kind_of_doubt_is_one_line() -> None:
    """Until when the law is known; anything else as it stands; what is past its review; what is recalled."""
    assert warnings_in_words(WARNINGS, "en") == [
        "p knows the law until 2026-08-31; what came later is not in it.",
        "else",
        "To be looked at again by 2026-11-10, which has passed: b, c.",
        "Recalled, to be verified (R): a, H100: fp8.",
    ]


def test_they_are_told_in_the_reader_s_language() -> None:
    """All but what has no form of its own."""
    told = warnings_in_words(WARNINGS, "ja")
    assert told[0].startswith("p は 2026-08-31 まで")
    assert told[1] == "else"
    assert told[2].endswith("b, c。")
    assert "a, H100: fp8" in told[3]


def test_every_warning_of_the_longest_pack_has_a_form() -> None:
    """A dozen warnings become a handful of lines, and no name is lost on the way."""
    asked = parse_request(
        b'{"kind":"transfer","id":"t","activity":"export","item":{"chip":"H20"},"count":1,'
        b'"origin":"US","destination":"CN"}'
    )
    answer = decide(asked, load_pack("us-ear"), parse_date_or_instant("2026-11-22"))
    told = warnings_in_words(answer.warnings, "ja")
    assert len(answer.warnings) > 8 > len(told)
    for warning in answer.warnings:
        name = warning.split(":")[0].split(" knows")[0]
        assert any(name in line for line in told)
    assert not any("to be" in line for line in told)
