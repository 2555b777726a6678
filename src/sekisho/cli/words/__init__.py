"""Documents in words, in English and Japanese: what a person reads before a signature is given."""

from __future__ import annotations

from sekisho.cli.words.describe import describe
from sekisho.cli.words.page import Page, Row, View

__all__ = ["Page", "Row", "View", "describe"]
