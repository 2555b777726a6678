"""A string that is never closed must not keep a reader busy: one request would hold up every other."""

from __future__ import annotations

import time

import pytest

from sekisho.model.errors import InvalidInput
from sekisho.model.wire import parse_json
from sekisho.signing import parse_envelope
from tests.intake.doors import gate

DEEP = b"[" * 65
SECONDS = 2.0


@pytest.mark.parametrize("piece", [b'\\"', b"\\\\", b'\\u0022\\"', b'"a', b'"\\', b'""'])
def test_a_million_quotes_in_a_string_that_never_ends(piece: bytes) -> None:
    """The time grows with the length and not with its square."""
    document = DEEP + b'"' + piece * (1_000_000 // len(piece))
    start = time.monotonic()
    with pytest.raises(InvalidInput):
        parse_json(document)
    assert time.monotonic() - start < SECONDS


def test_an_envelope_full_of_quotes_at_the_gate() -> None:
    """Who may not even write to a log cannot stop it by one envelope of the full length."""
    raw = (DEEP + b'"' + b'\\"' * 40_000)[:65_535]
    start = time.monotonic()
    for read in (parse_envelope, gate().judge):
        with pytest.raises(InvalidInput):
            read(raw)
    assert time.monotonic() - start < SECONDS


def test_depth_is_counted_behind_every_kind_of_string() -> None:
    """Brackets in strings do not count, brackets behind them do, whatever was escaped before."""
    inside = b'["' + b"[" * 100 + b'\\"' + b"{" * 100 + b'\\\\"]'
    assert parse_json(inside) == ["[" * 100 + '"' + "{" * 100 + "\\"]
    with pytest.raises(InvalidInput, match="deeper"):
        parse_json(b'["\\\\",' + b"[" * 64 + b"]" * 64 + b"]")
