"""Slurm's node lists written out: `gpu[01-03,7],login1` and `rack[1-2]n[1-4]`.

Zeros in front are kept as the first number of a range writes them. What would expand to more hosts than a limit is
refused before it is written out.
Source: Slurm, documentation of hostlist expressions.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import product
from typing import Final, TypeAlias

from sekisho.model.errors import InvalidInput

__all__ = ["expand_node_list"]

_PART: Final = re.compile(r"[^,\[\]]+|\[[^\[\]]*\]|,")
_NUMBERS: Final = re.compile(r"([0-9]{1,12})(?:-([0-9]{1,12}))?", re.ASCII)
_MAX_TEXT: Final = 1 << 20


def expand_node_list(text: str, *, limit: int) -> tuple[str, ...]:
    """The hosts that an expression names, in its order. Raises InvalidInput for a broken one and for too many."""
    if len(text) > _MAX_TEXT or "".join(_PART.findall(text)) != text:
        raise InvalidInput(f"{text[:60]!r} is no list of nodes")
    hosts: list[str] = []
    for pieces in _groups(text):
        count = 1
        for piece in pieces:
            count *= len(piece)
            if len(hosts) + count > limit:
                raise InvalidInput(f"{text[:60]!r} names more than {limit} hosts")
        hosts += ["".join(parts) for parts in product(*pieces)]
    return tuple(hosts)


class _Run:
    """Numbers from one to another, with zeros in front; written out only when they are asked for."""

    def __init__(self, ranges: list[tuple[int, int, int]]) -> None:
        self._ranges = ranges

    def __len__(self) -> int:
        # A length must fit a machine word, and 12 digits in ten thousand ranges still do.
        return sum(last - first + 1 for first, last, _ in self._ranges)

    def __iter__(self) -> Iterator[str]:
        for first, last, width in self._ranges:
            for number in range(first, last + 1):
                yield f"{number:0{width}d}"


_Piece: TypeAlias = "tuple[str] | _Run"


def _groups(text: str) -> Iterator[list[_Piece]]:
    """The expressions between commas, each as pieces that follow one another. Raises InvalidInput."""
    pieces: list[_Piece] = []
    for part in _PART.findall(text):
        if part == ",":
            yield _not_empty(pieces, text)
            pieces = []
        else:
            pieces.append(_run(part[1:-1], text) if part[0] == "[" else (part,))
    yield _not_empty(pieces, text)


def _not_empty(pieces: list[_Piece], text: str) -> list[_Piece]:
    if not pieces:
        raise InvalidInput(f"{text[:60]!r} is no list of nodes")
    return pieces


def _run(inside: str, text: str) -> _Run:
    ranges = []
    for part in inside.split(","):
        found = _NUMBERS.fullmatch(part)
        if found is None or int(found[2] or found[1]) < int(found[1]):
            raise InvalidInput(f"{text[:60]!r}: {part[:30]!r} is no range of numbers")
        ranges.append((int(found[1]), int(found[2] or found[1]), len(found[1])))
    return _Run(ranges)
