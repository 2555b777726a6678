"""Reading EPCIS 2.0 JSON-LD: documents, query documents, bare events and lists of events.

1. Read the bytes strictly (model.wire). 2. Find the events and the contexts around them. 3. Read each event by itself:
one that is wrong is named and left out, and the others stand. There is no XML here.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from sekisho.model.errors import InvalidInput
from sekisho.model.wire import parse_json
from sekisho.registry.epcis.context import STANDARD, Context, extend_context, resolve_name
from sekisho.registry.epcis.document import Document, Problem
from sekisho.registry.epcis.event import Event
from sekisho.registry.epcis.events import read_event
from sekisho.registry.epcis.moments import parse_moment

__all__ = ["event_of", "parse_document"]

_MOST_PROBLEMS: Final = 1_000
_DOCUMENTS: Final = frozenset({"EPCISDocument", "EPCISQueryDocument"})
_HEADER: Final = frozenset(
    "@context type id schemaVersion creationDate epcisHeader epcisBody sender receiver instanceIdentifier".split()
)
_RESULTS: Final = frozenset("@context queryName subscriptionID resultsBody".split())
_LIST_MISSING: Final = "is missing or no list; write the events here as [ ... ]"


class _Around:
    """What stands around the events of a document: meanings, fields to ignore, and what is wrong with it."""

    def __init__(self, context: Context) -> None:
        self.context = context
        self.ignored: set[str] = set()
        self.problems: list[Problem] = []

    def enter(self, holder: Mapping[str, Any], known: frozenset[str], path: str) -> None:
        """Take an object's @context and ignored fields; anything else that it may not hold is a problem."""
        if "@context" in holder:
            where = f"{path}@context"
            self.context = extend_context(self.context, holder["@context"], self.problems, where)
        for name in holder:
            if name not in known:
                self._extra(name, holder[name], f"{path}{name}")

    def _extra(self, name: str, value: Any, path: str) -> None:
        found = resolve_name(self.context, name)
        if isinstance(found, str):
            self.problems.append(Problem(path, found))
        elif found[0].endswith("}ignoreFields"):
            self._ignore(value, path)

    def _ignore(self, value: Any, path: str) -> None:
        names = value if isinstance(value, list) else [value]
        for at, name in enumerate(names):
            found = resolve_name(self.context, name) if isinstance(name, str) else "is no name"
            if isinstance(found, str):
                self.problems.append(Problem(f"{path}[{at}]", found))
            else:
                self.ignored.add(found[0])


def parse_document(data: bytes, *, path: str = "") -> Document:
    """Read a document, a query document, a bare event or a list of events, at most 16 MiB.

    Events with a problem are left out of `events`; where the document around them has one, none stands. Raises
    InvalidInput, naming `path`, where nothing can be read: no JSON, or nothing that could be an event.
    """
    if data[:64].lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"<"):
        raise InvalidInput("is XML, not JSON", path=path, remedy="give EPCIS 2.0 as JSON-LD")
    value = parse_json(data, path=path)
    if isinstance(value, dict) and (value.get("type") in _DOCUMENTS or "epcisBody" in value):
        return _parse_whole(value)
    if isinstance(value, list):
        return _read_all(value, "[{}]", _Around(STANDARD))
    if isinstance(value, dict) and "type" in value:
        return _read_all([value], "", _Around(_bare_context(value)))
    raise InvalidInput(
        "holds no EPCIS event: neither a document, nor an event, nor a list of events",
        path=path,
        remedy="give an EPCIS 2.0 JSON-LD document; XML is not read",
    )


def event_of(document: bytes) -> Event:
    """Read the one event that `event_document` wrote. Raises InvalidInput where it is not sound."""
    found = parse_document(document)
    if found.problems or len(found.events) != 1:
        first = found.problems[0] if found.problems else Problem("", "is not one event")
        raise InvalidInput(first.problem, path=first.path)
    return found.events[0]


def _bare_context(value: Mapping[str, Any]) -> Context:
    """A bare event without any @context is read under GS1's; one that has an @context must name GS1's in it."""
    return Context() if "@context" in value else STANDARD


def _parse_whole(value: Mapping[str, Any]) -> Document:
    around = _Around(Context())
    around.enter(value, _HEADER, "")
    _check_header(value, around.problems)
    found = _find_events(value, around)
    created = value.get("creationDate")
    return _read_all(*found, around, created if isinstance(created, str) else "")


def _check_header(value: Mapping[str, Any], problems: list[Problem]) -> None:
    if value.get("type") not in _DOCUMENTS:
        problems.append(Problem("type", "is missing; write EPCISDocument or EPCISQueryDocument"))
    version = value.get("schemaVersion")
    if version not in ("2.0", "2.0.0", "2.0.1"):
        problems.append(Problem("schemaVersion", 'is not one that is read; write "2.0"'))
    created = value.get("creationDate")
    if not isinstance(created, str) or parse_moment(created) is None:
        problems.append(Problem("creationDate", "is no real date-time; write 2026-01-31T09:00:00Z"))


def _find_events(value: Mapping[str, Any], around: _Around) -> tuple[list[Any], str]:
    """The list of events and the path of each, with what stands around it taken on the way."""
    body = value.get("epcisBody")
    if not isinstance(body, dict):
        around.problems.append(Problem("epcisBody", "is missing or no object; write { ... }"))
        return [], ""
    path = "epcisBody."
    around.enter(body, frozenset({"@context", "eventList", "event", "queryResults"}), path)
    if value.get("type") == "EPCISQueryDocument":
        body, path = _results(body, around)
    elif "event" in body and "eventList" not in body:
        return [body["event"]], "epcisBody.event"
    events = body.get("eventList")
    if isinstance(events, list):
        return events, f"{path}eventList[{{}}]"
    around.problems.append(Problem(f"{path}eventList", _LIST_MISSING))
    return [], ""


def _results(body: Mapping[str, Any], around: _Around) -> tuple[Mapping[str, Any], str]:
    path = "epcisBody.queryResults."
    results = body.get("queryResults")
    if not isinstance(results, dict):
        return {}, path
    around.enter(results, _RESULTS, path)
    path += "resultsBody."
    inner = results.get("resultsBody")
    if not isinstance(inner, dict):
        return {}, path
    around.enter(inner, frozenset({"@context", "eventList"}), path)
    return inner, path


def _read_all(values: list[Any], path: str, around: _Around, created: str = "") -> Document:
    """Each event by itself. `path` has a place for the event's index, or is that of the only one."""
    events: list[Event] = []
    positions: list[int] = []
    problems = list(around.problems)
    ignored = frozenset(around.ignored)
    for at, value in enumerate(values):
        context = _bare_context(value) if _is_listed(path, value) else around.context
        event, wrong = read_event(value, context, ignored)
        if event is not None:
            events.append(event)
            positions.append(at)
        elif len(problems) <= _MOST_PROBLEMS:
            base = path.format(at)
            problems += [Problem(_join(base, one.path), one.problem) for one in wrong]
    if len(problems) > _MOST_PROBLEMS:
        kept = problems[:_MOST_PROBLEMS]
        problems = [*kept, Problem("", "has more problems than these; mend them first")]
    return Document(
        events=() if around.problems else tuple(events),
        positions=() if around.problems else tuple(positions),
        total=len(values),
        problems=tuple(problems),
        context=around.context.own,
        created=created,
    )


def _is_listed(path: str, value: Any) -> bool:
    return path == "[{}]" and isinstance(value, dict)


def _join(base: str, path: str) -> str:
    if not base or not path or path.startswith("["):
        return base + path
    return f"{base}.{path}"
