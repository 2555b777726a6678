"""The page that is shown of a document: labelled rows, loud warnings, and the same as data."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from sekisho.catalogue import Language, say
from sekisho.ceremony import Footing, Seen
from sekisho.cli.plain_text import columns, quote, tame, wrap
from sekisho.ledger import Cosigned
from sekisho.model.instants import Instant

__all__ = ["Page", "Row", "View", "names"]

LABEL_COLUMNS = 20
MAX_NAMES = 20


class Row(msgspec.Struct, frozen=True):
    """One line of a page: a stable code for scripts, and its text for people."""

    code: str
    text: str


class View(msgspec.Struct, frozen=True, kw_only=True):
    """From where a document is looked at: language, instant, what the reader stands on, what is seen of work."""

    language: Language
    now: Instant
    footing: Footing = Footing()
    cosigned: Cosigned | None = None
    seen: Seen | None = None


class Page:
    """Collects what is to be shown of one document."""

    def __init__(self, view: View) -> None:
        self.view = view
        self.title = ""
        self.rows: list[Row] = []
        self.warnings: list[Row] = []
        self.data: dict[str, object] = {}

    def say(self, key: str, **values: object) -> str:
        return say(key, self.view.language, **values)

    def add(self, code: str, text: str) -> None:
        """A row whose text is ours, or was quoted already."""
        self.rows.append(Row(code, text))

    def tell(self, code: str, key: str, **values: object) -> None:
        """A row from the catalogue."""
        self.add(code, self.say(f"show.{key}", **values))

    def quote(self, code: str, foreign: str) -> None:
        """A row of somebody else's free text."""
        self.add(code, quote(foreign))

    def warn(self, code: str, **values: object) -> None:
        """Something that a reader must not miss."""
        self.warnings.append(Row(code, self.say(f"show.warn.{code}", **values)))

    def to_text(self) -> str:
        """The page for a terminal: every character printable, every line of ours at the left edge."""
        lines = [tame(self.title)]
        for row in self.rows:
            label = self.say(f"show.label.{row.code}")
            pad = " " * max(1, LABEL_COLUMNS - columns(label))
            lines.append(f"  {label}{pad}{wrap(tame(row.text), LABEL_COLUMNS + 2)}")
        lines += [f"!! {wrap(tame(row.text), 3)}" for row in self.warnings]
        return "\n".join(lines)

    def to_document(self) -> dict[str, object]:
        """The page as data: `says` and `warnings` hold the words, the other keys the facts."""
        says: dict[str, list[str]] = {}
        for row in self.rows:
            says.setdefault(row.code, []).append(tame(row.text))
        warnings = [{"code": row.code, "text": tame(row.text)} for row in self.warnings]
        return {**self.data, "says": says, "warnings": warnings}


def names(values: Iterable[str]) -> str:
    """Names in one line, the first twenty of many; safe whatever they hold."""
    listed = [tame(value) for value in values]
    more = len(listed) - MAX_NAMES
    shown = ", ".join(listed[:MAX_NAMES])
    return f"{shown} … (+{more})" if more > 0 else shown
