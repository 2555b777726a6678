"""One line of exporter text, read character by character where it has to be.

Grammar: Prometheus text exposition format 0.0.4 with the quoted names of Prometheus 3, and OpenMetrics 1.0 where the
body ends with `# EOF`. Stricter than most: an unknown escape, a label named twice, a number with an underscore and
anything left over are refused.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Final

import msgspec

__all__ = [
    "LONGEST_LINE",
    "LONGEST_NUMBER",
    "LONGEST_SERIES",
    "BadLine",
    "Reading",
    "Series",
    "parse_reading",
    "parse_series",
]

LONGEST_LINE: Final = 64 * 1024
LONGEST_SERIES: Final = LONGEST_LINE - 256
"""Bytes of a name with its labels; with a value and a time behind it, a line of LONGEST_LINE has room for it."""
LONGEST_NUMBER: Final = 64
"""Bytes of a value or a time; no exporter prints more, and converting endless digits costs time."""

_BLANK: Final = rb"[ \t]*+"
_QUOTED: Final = rb'"((?:[^"\\]++|\\.)*+)"'
_NAME: Final = re.compile(rb"[a-zA-Z_:][a-zA-Z0-9_:]*+")
_OPEN: Final = re.compile(_BLANK + rb"\{" + _BLANK)
_QUOTED_NAME: Final = re.compile(_QUOTED + _BLANK + rb"(?=[,}])")
_LABEL: Final = re.compile(
    rb"(?:([a-zA-Z_][a-zA-Z0-9_]*+)|" + _QUOTED + rb")" + _BLANK + rb"=" + _BLANK + _QUOTED + _BLANK
)
# Labels as exporters print them: no blanks, no escapes, no quoted names. A part of the grammar, read the same way.
_USUAL: Final = re.compile(
    rb'[a-zA-Z_:][a-zA-Z0-9_:]*+\{((?:[a-zA-Z_][a-zA-Z0-9_]*+="[^"\\]*+"(?:,|(?=\})))++)\}'
)
_USUAL_LABEL: Final = re.compile(r'([^=]++)="([^"]*+)",?')
_COMMA: Final = re.compile(rb"," + _BLANK)
_ESCAPE: Final = re.compile(rb"\\(.)")
_ESCAPED: Final[Mapping[bytes, bytes]] = {b"\\": b"\\", b'"': b'"', b"n": b"\n"}

_VALUE: Final = re.compile(
    rb"[+-]?(?:(?:\d++\.?\d*+|\.\d++)(?:[eE][+-]?\d++)?|[iI][nN][fF](?:[iI][nN][iI][tT][yY])?)|[nN][aA][nN]"
)
_MILLISECONDS: Final = re.compile(rb"[+-]?\d{1,18}")
_SECONDS: Final = re.compile(rb"[+-]?(?:\d{1,18}(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d{1,2})?")
_NAMELESS: Final = "a metric or a label without a name of its own"
_LATEST_US: Final = 2**62


class BadLine(ValueError):
    """A line that cannot be read; the text says why."""


class Series(msgspec.Struct, frozen=True, kw_only=True):
    """What a line speaks of; it ends before byte `end`."""

    name: str
    labels: Mapping[str, str]
    end: int


class Reading(msgspec.Struct, frozen=True, kw_only=True):
    """What a line says: the value as written, and when, None where it does not say."""

    value: float
    at_us: int | None


def parse_series(line: bytes) -> Series:
    """The name and labels at the beginning of a line without leading blanks, or of a part of it. Raises BadLine."""
    usual = _USUAL.match(line)
    if usual is not None:
        return _usual_series(usual)
    found = _NAME.match(line)
    name, end = (found.group().decode("ascii"), found.end()) if found else ("", 0)
    opened = _OPEN.match(line, end)
    if opened is None:
        if not name:
            raise BadLine("no metric name at the beginning")
        if line[end : end + 1] not in (b" ", b"\t", b""):
            raise BadLine("no blank behind the metric name")
        return Series(name=name, labels={}, end=end)
    return _parse_labels(line, name, opened.end())


def _usual_series(found: re.Match[bytes]) -> Series:
    pairs = _USUAL_LABEL.findall(_decode(found.group(1)))
    labels = dict(pairs)
    if len(labels) < len(pairs):
        raise BadLine("a label named twice")
    if "__name__" in labels:
        raise BadLine(_NAMELESS)
    name = found.string[: found.start(1) - 1].decode("ascii")
    return Series(name=name, labels=labels, end=found.end())


def _parse_labels(line: bytes, name: str, at: int) -> Series:
    """The rest of a series from behind its opening brace: an optional quoted name, then labels."""
    quoted = None if name else _QUOTED_NAME.match(line, at)
    if quoted is not None:
        name, at = _unescape(quoted.group(1)), _after_comma(line, quoted.end())
    labels: dict[str, str] = {}
    while line[at : at + 1] != b"}":
        found = _LABEL.match(line, at)
        if found is None:
            raise BadLine("labels that cannot be read")
        plain, odd, value = found.groups()
        label = plain.decode("ascii") if plain is not None else _unescape(odd)
        if label in labels:
            raise BadLine("a label named twice")
        labels[label] = _unescape(value)
        at = _after_comma(line, found.end())
    if not name or "" in labels or "__name__" in labels:
        raise BadLine(_NAMELESS)
    return Series(name=name, labels=labels, end=at + 1)


def _after_comma(line: bytes, at: int) -> int:
    """Where the next label begins, or the closing brace stands."""
    comma = _COMMA.match(line, at)
    if comma is not None:
        return comma.end()
    if line[at : at + 1] != b"}":
        raise BadLine("labels without a comma between them or a brace behind them")
    return at


def parse_reading(rest: bytes, *, is_openmetrics: bool) -> Reading:
    """Value and time from what stands behind a series. Raises BadLine."""
    if is_openmetrics and b" # " in rest:
        rest, _, exemplar = rest.partition(b" # ")
        _check_exemplar(exemplar)
    return _parse_numbers(rest, is_openmetrics=is_openmetrics)


def _check_exemplar(exemplar: bytes) -> None:
    """An exemplar is read like a line of its own and passed over."""
    opened = _OPEN.match(exemplar)
    if opened is None:
        raise BadLine("something other than an exemplar behind #")
    labels = _parse_labels(exemplar, "exemplar", opened.end())
    _parse_numbers(exemplar[labels.end :], is_openmetrics=True)


def _parse_numbers(rest: bytes, *, is_openmetrics: bool) -> Reading:
    tokens = [token for token in rest.replace(b"\t", b" ").split(b" ") if token]
    if len(tokens) not in (1, 2):
        raise BadLine("neither a value alone nor a value and a time behind the series")
    at_us = _parse_time(tokens[1], is_openmetrics=is_openmetrics) if len(tokens) > 1 else None
    return Reading(value=_parse_value(tokens[0]), at_us=at_us)


def _parse_value(token: bytes) -> float:
    if len(token) > LONGEST_NUMBER or not _VALUE.fullmatch(token):
        raise BadLine("a value that is no number")
    return float(token)


def _parse_time(token: bytes, *, is_openmetrics: bool) -> int:
    """Microseconds since the epoch, from whole milliseconds or (OpenMetrics) from seconds."""
    grammar = _SECONDS if is_openmetrics else _MILLISECONDS
    if len(token) > LONGEST_NUMBER or not grammar.fullmatch(token):
        unit = "seconds" if is_openmetrics else "whole milliseconds"
        raise BadLine(f"a time that is not in {unit}")
    in_us = 1_000_000 if is_openmetrics else 1000
    at_us = int((Decimal(token.decode("ascii")) * in_us).to_integral_value())
    if abs(at_us) > _LATEST_US:
        raise BadLine("a time beyond every calendar")
    return at_us


def _unescape(quoted: bytes) -> str:
    if b"\\" not in quoted:
        return _decode(quoted)
    try:
        return _decode(_ESCAPE.sub(lambda found: _ESCAPED[found.group(1)], quoted))
    except KeyError as error:
        raise BadLine('an escape other than \\\\, \\" and \\n') from error


def _decode(text: bytes) -> str:
    try:
        return text.decode("utf-8")
    except UnicodeDecodeError as error:
        raise BadLine("bytes that are not UTF-8") from error
