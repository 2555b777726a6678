"""A sheet of paper before it is printed: what stands on it, in order, in one language. Who prints it lays it out."""

from __future__ import annotations

from typing import Literal, TypeAlias

import msgspec

from sekisho.model.instants import Instant

__all__ = ["Bar", "Bars", "Code", "Heading", "Part", "Sheet", "Table", "Text", "Tone"]

# How a text or a row is to be seen: good, bad and open each have a sign of their own, never a colour alone.
Tone: TypeAlias = Literal["plain", "good", "bad", "open", "small", "strong"]


class Heading(msgspec.Struct, frozen=True, tag=True):
    """A heading within the sheet."""

    text: str


class Text(msgspec.Struct, frozen=True, tag=True):
    """A paragraph."""

    text: str
    tone: Tone = "plain"


class Table(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """Rows under a head; `widths` are parts of the sheet's width, `tones` one for each row."""

    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    widths: tuple[int, ...]
    tones: tuple[Tone, ...] = ()


class Bar(msgspec.Struct, frozen=True, kw_only=True):
    """One bar: best as a share of the longest high figure (0 to 1000), with its range."""

    label: str
    low: int
    best: int
    high: int
    text: str


class Bars(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """A few bars to one scale."""

    bars: tuple[Bar, ...]


class Code(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """A text that machines read from paper (a QR code), with what it says for people."""

    text: str
    says: str


Part: TypeAlias = Heading | Text | Table | Bars | Code


class Sheet(msgspec.Struct, frozen=True, kw_only=True):
    """A document for people. `created` is the instant it speaks of: the same sheet is the same bytes for ever.

    `page` is what every page bears, with {page} and {pages} in it.
    """

    language: Literal["en", "ja"]
    title: str
    subtitle: str
    parts: tuple[Part, ...]
    page: str
    created: Instant
