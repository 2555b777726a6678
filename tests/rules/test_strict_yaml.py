"""Strict YAML: what a person could read in two ways is refused with file and line."""

from __future__ import annotations

import pytest

from sekisho.model.errors import InvalidInput
from sekisho.rules.node_reader import Reader
from sekisho.rules.strict_yaml import Branch, Leaf, Row, parse_yaml


@pytest.mark.parametrize(
    ("text", "line", "what"),
    [
        ("a: 1\nb: 2\na: 3\n", 3, "'a' stands twice"),
        ("a:\n  b: 1\n  b: 2\n", 3, "'b' stands twice"),
        ("a: &x 1\nb: *x\n", 1, "anchor or alias"),
        ("a: 1\nb: *x\n", 2, "anchor or alias"),
        ("a: 1\nb: !!str 2\n", 2, "a tag"),
        ("a: !python/object/apply:os.system [x]\n", 1, "a tag"),
        ("a: 1\nb:\t2\n", 2, "a tab"),
        ("a: 1\n---\nb: 2\n", 2, "second document"),
        ("%YAML 1.1\n---\na: 1\n", 1, "second document or a directive"),
        ("a: 1\n b: 2\n", 2, "mapping values are not allowed"),
        ("a: [1, 2\n", 2, "expected ',' or ']'"),
        ("? [a, b]\n: 1\n", 1, "a key that is not a word"),
        ("a: " + "[" * 30 + "]" * 30, 1, "nested deeper"),
        ("[" * 100_000, 1, "nested deeper"),
        ("", 1, "holds nothing"),
        ("# only a comment\n", 1, "holds nothing"),
        ("\ufeffa: 1\n", 1, "byte-order mark"),
        ("a: 1\nb: \x00\n", 2, "nobody sees (U+0000)"),
        ("a: 1\nb: x\u202ey\n", 2, "nobody sees (U+202E)"),
        ('a: 1\nb: "x\\u202ey"\n', 2, "nobody sees (U+202E)"),
        ('a: 1\nb: "x\\ty"\n', 2, "nobody sees (U+0009)"),
        ("a: x\ufeffy\n", 1, "nobody sees (U+FEFF)"),
        ("- @a\n", 1, "cannot start any token"),
    ],
    ids=lambda value: repr(value)[:30],
)
def test_ambiguous_yaml_is_refused_with_its_line(text: str, line: int, what: str) -> None:
    """Each refusal names file and line."""
    with pytest.raises(InvalidInput) as caught:
        parse_yaml(text, "p.yaml")
    assert what in caught.value.message
    assert caught.value.path == f"p.yaml:{line}"


def test_bytes_that_are_no_utf8_are_refused_with_their_line() -> None:
    """Latin-1 on the second line."""
    with pytest.raises(InvalidInput, match="not UTF-8") as caught:
        parse_yaml(b"a: 1\nb: \xe9\n", "p.yaml")
    assert caught.value.path == "p.yaml:2"


def test_a_document_over_a_megabyte_is_refused() -> None:
    """Reads are bounded."""
    with pytest.raises(InvalidInput, match="longer than"):
        parse_yaml("a" * (2**20 + 1), "p.yaml")


def test_a_document_becomes_nodes_with_lines_and_no_guessed_types() -> None:
    """`no`, `1e24` and a date stay text; quotes are remembered."""
    node = parse_yaml('a: no\nb: ["1e24", 2026-01-01]\n', "p.yaml")
    assert isinstance(node, Branch)
    assert node.fields["a"] == Leaf("no", False, 1)
    assert node.fields["b"] == Row((Leaf("1e24", True, 2), Leaf("2026-01-01", False, 2)), 2)


READER = Reader("p.yaml")


@pytest.mark.parametrize("text", ["yes", "on", "True", '"true"', "1", "[true]"])
def test_a_flag_is_plainly_true_or_false(text: str) -> None:
    """YAML 1.1's many words for yes are refused."""
    with pytest.raises(InvalidInput, match="neither true nor false"):
        READER.boolean(parse_yaml(text, "p.yaml"))


@pytest.mark.parametrize(
    "text", ["2026-02-30", "2025-13-01", "01.02.2026", "20260101", "[x]", "soon"]
)
def test_an_impossible_date_is_refused(text: str) -> None:
    """Days that do not exist, and other notations."""
    with pytest.raises(InvalidInput, match="date"):
        READER.date(parse_yaml(text, "p.yaml"))


@pytest.mark.parametrize("text", ["1.5", "-1", ".inf", "1e400", "many", "[1]"])
def test_an_amount_is_whole_and_exact(text: str) -> None:
    """Fractions, negatives, infinities and words."""
    with pytest.raises(InvalidInput):
        READER.amount(parse_yaml(text, "p.yaml"))
    assert READER.amount(parse_yaml("1e24", "p.yaml")) == 10**24
