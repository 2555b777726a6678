"""What reading an EPCIS document gives: the events that are sound, and for each that is not, what to mend where."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from sekisho.registry.epcis.event import Event

__all__ = ["Document", "Problem"]


class Problem(msgspec.Struct, frozen=True):
    """What is wrong at a place such as `epcisBody.eventList[3].eventTime`, and what to write instead."""

    path: str
    problem: str


class Document(msgspec.Struct, frozen=True, kw_only=True):
    """Sound events in the order of the document; `positions` are their places in its list, `total` how many it had.

    `context` is the document's own map of prefixes; `created` its creationDate as written, "" for a bare event.
    """

    events: tuple[Event, ...] = ()
    positions: tuple[int, ...] = ()
    total: int = 0
    problems: tuple[Problem, ...] = ()
    context: Mapping[str, str] = {}
    created: str = ""
