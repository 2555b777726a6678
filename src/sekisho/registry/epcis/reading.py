"""One event while it is read: the meanings in force, the problems found so far, and the values most fields share."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, TypeAlias

from sekisho.model.instants import Instant
from sekisho.registry.epcis.context import Context, extend_context, resolve_name
from sekisho.registry.epcis.document import Problem
from sekisho.registry.epcis.identifiers import canonical_identifier, is_uri
from sekisho.registry.epcis.moments import parse_moment
from sekisho.registry.epcis.numbers import number_text
from sekisho.registry.epcis.words import Kind, find_word, refuse_word

__all__ = ["FieldReader", "Reading"]

_MOST_PROBLEMS: Final = 20  # of one event: who sends 100,000 wrong EPCs is not told 100,000 times
_NOT_A_URI: Final = "is no URI; write one, such as https://id.gs1.org/01/... or urn:epc:id:..."
_CONTROL: Final = frozenset(chr(code) for code in range(32)) - frozenset("\t\n\r")


class Reading:
    """What reading one event has found so far. Paths begin at the event: `readPoint.id`."""

    __slots__ = ("context", "full", "problems", "used")

    def __init__(self, context: Context) -> None:
        self.context = context
        self.problems: list[Problem] = []
        self.used: dict[str, str] = {}
        self.full = False

    def fault(self, path: str, problem: str) -> None:
        """Note what is wrong; behind the twentieth only that there is more."""
        if len(self.problems) < _MOST_PROBLEMS:
            self.problems.append(Problem(_clipped(path), problem))
        elif not self.full:
            self.full = True
            self.problems.append(Problem("", "has more problems than these; mend them first"))

    def lack(self, path: str, problem: str) -> None:
        """Note what an event does not say; nothing where it says it, but wrongly."""
        if not any(one.path.startswith(path) for one in self.problems):
            self.fault(path, problem)

    def uri(self, value: Any, path: str) -> str:
        """An identifier, compact ones opened; "" where it is none."""
        if is_uri(value):
            prefix, _, rest = value.partition(":")
            if prefix not in self.context.prefixes:
                return value
            opened = self._space(prefix) + rest
            if is_uri(opened):
                return opened
        self.fault(path, f"{_shown(value)} {_NOT_A_URI}")
        return ""

    def uris(self, value: Any, path: str) -> tuple[str, ...]:
        """A list of identifiers."""
        if not isinstance(value, list):
            self.fault(path, "is no list; write [ ... ]")
            return ()
        prefixes = self.context.prefixes
        return tuple(
            [
                item
                if is_uri(item) and item.partition(":")[0] not in prefixes
                else self.uri(item, f"{path}[{at}]")
                for at, item in enumerate(value)
            ]
        )

    def identifier(self, value: Any, path: str) -> str:
        """An identifier of a thing, party or place in its one spelling: else one chip could be registered twice."""
        return canonical_identifier(self.uri(value, path))

    def identifiers(self, value: Any, path: str) -> tuple[str, ...]:
        """A list of them."""
        return tuple(map(canonical_identifier, self.uris(value, path)))

    def word(self, kind: Kind, value: Any, path: str) -> str:
        """A word of CBV 2.0, bare; or a whole address of another vocabulary. "" where it is neither."""
        if not isinstance(value, str):
            self.fault(path, f"{_shown(value)} is no text; write a word of CBV 2.0")
            return ""
        known = find_word(kind, value)
        if known is not None:
            return known
        wrong = refuse_word(kind, value)
        if not wrong:
            opened = self.uri(value, path)
            known = find_word(kind, opened)
            wrong = refuse_word(kind, opened) if known is None and opened else ""
            if not wrong:
                return known or opened
        self.fault(path, wrong)
        return ""

    def words(self, kind: Kind, value: Any, path: str) -> tuple[str, ...]:
        """A list of words."""
        if not isinstance(value, list):
            self.fault(path, "is no list; write [ ... ]")
            return ()
        return tuple(self.word(kind, item, f"{path}[{at}]") for at, item in enumerate(value))

    def moment(self, value: Any, path: str) -> Instant | None:
        """A date-time with its zone."""
        found = parse_moment(value) if isinstance(value, str) else None
        if found is None:
            self.fault(
                path, f"{_shown(value)} is no real date-time; write 2026-01-31T09:00:00.000+09:00"
            )
        return found

    def number(self, value: Any, path: str) -> str | None:
        """A number in its canonical text."""
        if isinstance(value, bool) or not isinstance(value, int | float):
            self.fault(path, f"{_shown(value)} is no number; write it as 12.5, without quotes")
            return None
        return number_text(value)

    def text(self, value: Any, path: str) -> str:
        """A text without control characters, which the XML form could not carry."""
        if not isinstance(value, str):
            self.fault(path, f"{_shown(value)} is no text; write it in quotes")
            return ""
        if not value.isprintable() and not _CONTROL.isdisjoint(value):
            self.fault(path, "holds a control character; take it out")
        return value

    def members(self, value: Any, path: str) -> list[dict[str, Any]]:
        """A list of objects; what is no object in it is a problem and left out."""
        if not isinstance(value, list):
            self.fault(path, "is no list; write [ ... ]")
            return []
        for at, item in enumerate(value):
            if not isinstance(item, dict):
                self.fault(f"{path}[{at}]", "is no object; write { ... }")
        return [item for item in value if isinstance(item, dict)]

    def name(self, name: str) -> str:
        """An extension field's name as `{namespace}local`. Raises ValueError, saying why, where it has no meaning."""
        found = resolve_name(self.context, name)
        if isinstance(found, str):
            raise ValueError(found)  # noqa: TRY004 - the value is wrong, whatever its type here
        resolved, term = found
        if term:
            self.used[term] = self.context.own[term]
        return resolved

    def within(self, value: Any, path: str) -> Reading:
        """The same reading under the context of a nested object; its problems come here."""
        inner = Reading(extend_context(self.context, value, self.problems, path))
        inner.problems = self.problems
        return inner

    def _space(self, prefix: str) -> str:
        own = self.context.own.get(prefix)
        if own is None:
            return self.context.meaning(prefix) or ""
        self.used[prefix] = own
        return own


def _clipped(path: str) -> str:
    """A path, unless somebody's names are so long that nobody could read it."""
    return path if len(path) <= 500 else f"{path[:500]}..."


FieldReader: TypeAlias = Callable[[Reading, Any, str], Any]


def _shown(value: Any) -> str:
    """A wrong value as a problem shows it: short, and escaped."""
    if value is None:
        return "null"
    return ascii(value)[:80] if isinstance(value, str | int | float) else type(value).__name__
