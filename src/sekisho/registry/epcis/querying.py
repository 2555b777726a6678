"""Queries as the EPCIS 2.0 REST binding spells them, read into what the register's store answers.

What is not answered is refused by its name: a parameter that was passed over would give a wrong answer for a right one.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

import msgspec

from sekisho.model.errors import InvalidInput
from sekisho.model.instants import Instant
from sekisho.model.wire import canonical
from sekisho.ports.register_store import EventFilter
from sekisho.registry.epcis.identifiers import canonical_identifier, is_uri
from sekisho.registry.epcis.legality import ALLOWED
from sekisho.registry.epcis.moments import parse_moment
from sekisho.registry.epcis.words import Kind, find_word, refuse_word

__all__ = ["MAX_PER_PAGE", "Query", "next_page_token", "parse_named_query", "parse_query"]

MAX_PER_PAGE: Final = 1_000
_MOST_VALUES: Final = 1_000
_TOKEN_DIGITS: Final = 20
_ROLES: Final[Mapping[str, tuple[str, ...]]] = {
    "MATCH_epc": ("epc", "child"),
    "MATCH_parentID": ("parent",),
    "MATCH_inputEPC": ("input",),
    "MATCH_outputEPC": ("output",),
    "MATCH_anyEPC": ("epc", "child", "parent", "input", "output"),
}


class Query(msgspec.Struct, frozen=True, kw_only=True):
    """A query: what is wanted, how many events a page holds (1 to 1,000), and the event number to go on behind."""

    wanted: EventFilter = EventFilter()
    per_page: int = 30
    after: int = 0


def parse_query(params: Iterable[tuple[str, str]]) -> Query:
    """Read the parameters of a query: names and values as they stand in its address, values with commas between.

    Raises InvalidInput, naming the parameter, for one that is unknown, not answered here, said twice in two ways, or
    has a value that cannot be.
    """
    values: dict[str, list[str]] = {}
    for name, value in params:
        values.setdefault(name, []).extend(value.split(","))
    for name, given in values.items():
        if name not in _READERS and name not in _PAGING:
            raise InvalidInput(
                "is no parameter that is answered here",
                path=name,
                remedy=f"leave it out; answered are {', '.join([*_READERS, *_PAGING])}",
            )
        if len(given) > _MOST_VALUES:
            raise InvalidInput(f"has more than {_MOST_VALUES} values", path=name)
    _check_order(values)
    wanted = _filter(values)
    return Query(wanted=wanted, per_page=_per_page(values), after=_after(values, wanted))


def parse_named_query(value: Any, *, path: str = "query") -> Query:
    """Read the query of a named query or subscription: an object of parameters. Raises InvalidInput."""
    if not isinstance(value, dict):
        raise InvalidInput("is no object of query parameters", path=path, remedy="write { ... }")
    pairs = []
    for name, given in value.items():
        for item in given if isinstance(given, list) else [given]:
            if isinstance(item, bool) or not isinstance(item, str | int):
                raise InvalidInput("is neither a text nor a whole number", path=f"{path}.{name}")
            pairs.append((name, str(item)))
    return parse_query(pairs)


def next_page_token(query: Query, following: int) -> str:
    """What a client sends to go on behind event `following`; good for this query alone."""
    text = str(following).encode("ascii")
    return base64.urlsafe_b64encode(text + b"." + _mark(query.wanted, text)).decode().rstrip("=")


def _mark(wanted: EventFilter, text: bytes) -> bytes:
    """Ties a token to its query. No secret: whoever forges one sees only what a query without it gives."""
    return hashlib.sha256(text + b"|" + canonical(wanted)).digest()[:12]


def _filter(values: Mapping[str, list[str]]) -> EventFilter:
    found: dict[str, Any] = {}
    matches = [name for name in values if name in _ROLES]
    if len(matches) > 1:
        raise InvalidInput(f"cannot be asked together with {matches[0]}", path=matches[1])
    for name in matches:
        found["roles"] = _ROLES[name]
    for name, given in values.items():
        if name in _READERS:
            target, read = _READERS[name]
            found[target] = read(given, name)
    return EventFilter(**found)


def _per_page(values: Mapping[str, list[str]]) -> int:
    text = _only(values.get("perPage", ["30"]), "perPage")
    if not text.isascii() or not text.isdigit() or not 1 <= int(text[:6]) <= MAX_PER_PAGE:
        raise InvalidInput(f"is no number from 1 to {MAX_PER_PAGE}", path="perPage")
    return int(text)


def _after(values: Mapping[str, list[str]], wanted: EventFilter) -> int:
    if "nextPageToken" not in values:
        return 0
    given = _only(values["nextPageToken"], "nextPageToken")
    try:
        plain = base64.urlsafe_b64decode(given + "=" * (-len(given) % 4))
    except ValueError:
        plain = b""
    text, _, mark = plain.partition(b".")
    known = text.isdigit() and len(text) <= _TOKEN_DIGITS and mark == _mark(wanted, text)
    if not known:
        raise InvalidInput(
            "is no token that this query gave",
            path="nextPageToken",
            remedy="ask for the first page",
        )
    return int(text)


def _only(given: list[str], name: str) -> str:
    if len(given) != 1:
        raise InvalidInput("is given more than once", path=name, remedy="give it once")
    return given[0]


def _types(given: list[str], name: str) -> tuple[str, ...]:
    for value in given:
        if value not in ALLOWED:
            raise InvalidInput(
                f"{value[:60]!r} is no type of event",
                path=name,
                remedy=f"one of {', '.join(ALLOWED)}",
            )
    return tuple(given)


def _actions(given: list[str], name: str) -> tuple[str, ...]:
    if not set(given) <= {"ADD", "OBSERVE", "DELETE"}:
        raise InvalidInput("is no action", path=name, remedy="write ADD, OBSERVE or DELETE")
    return tuple(given)


def _words(kind: Kind) -> Callable[[list[str], str], tuple[str, ...]]:
    def read(given: list[str], name: str) -> tuple[str, ...]:
        return tuple(_word(kind, value, name) for value in given)

    return read


def _word(kind: Kind, value: str, name: str) -> str:
    known = find_word(kind, value)
    if known is not None:
        return known
    wrong = refuse_word(kind, value) or ("" if is_uri(value) else "is no word and no address")
    if wrong:
        raise InvalidInput(wrong, path=name)
    return value


def _identifiers(given: list[str], name: str) -> tuple[str, ...]:
    for value in given:
        if not is_uri(value):
            raise InvalidInput(f"{value[:80]!r} is no URI", path=name, remedy="write it whole")
    return tuple(map(canonical_identifier, given))


def _moment(given: list[str], name: str) -> Instant:
    found = parse_moment(_only(given, name))
    if found is None:
        raise InvalidInput(
            "is no real date-time with a zone", path=name, remedy="write 2026-01-31T09:00:00Z"
        )
    return found


def _check_order(values: Mapping[str, list[str]]) -> None:
    """Events come in the order in which they were recorded, oldest first; no other may be asked for.

    The standard's direction, where only the order is named, is the other one: so both must be said.
    """
    for name, only in (("orderBy", "recordTime"), ("orderDirection", "ASC")):
        asked = name in values or (name == "orderDirection" and "orderBy" in values)
        if asked and values.get(name) != [only]:
            raise InvalidInput(
                f"can only be {only} here",
                path=name,
                remedy="write orderBy=recordTime&orderDirection=ASC",
            )


_PAGING: Final = ("orderBy", "orderDirection", "perPage", "nextPageToken")
_READERS: Final[Mapping[str, tuple[str, Callable[[list[str], str], Any]]]] = {
    "eventType": ("types", _types),
    "GE_eventTime": ("since", _moment),
    "LT_eventTime": ("before", _moment),
    "GE_recordTime": ("received_since", _moment),
    "LT_recordTime": ("received_before", _moment),
    "EQ_action": ("actions", _actions),
    "EQ_bizStep": ("biz_steps", _words("bizStep")),
    "EQ_disposition": ("dispositions", _words("disposition")),
    "EQ_readPoint": ("read_points", _identifiers),
    "EQ_bizLocation": ("biz_locations", _identifiers),
    **dict.fromkeys(_ROLES, ("match_epcs", _identifiers)),
}
