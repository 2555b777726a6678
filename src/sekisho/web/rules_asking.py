"""What a page or a call asks of the rules: which law of which day, known when, read how, under which packs."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final, cast, get_args

import msgspec

from sekisho.model.errors import InvalidInput
from sekisho.model.instants import Instant, parse_date_or_instant
from sekisho.rules import Pack, Request, RequestKind
from sekisho.rules.library import DEFAULT_PACKS
from sekisho.rules.pack import Reading
from sekisho.web.plane import Plane
from sekisho.web.problems import NotFound

__all__ = ["MOST_DATES", "MOST_PACKS", "When", "day_of", "find_packs", "parse_when", "require_pack"]

MOST_DATES: Final = 12
MOST_PACKS: Final = 16


class When(msgspec.Struct, frozen=True, kw_only=True):
    """The instant of the law (None: the request's own day, else now), what was known, and how it is read."""

    at: Instant | None = None
    as_of: Instant | None = None
    reading: Reading = "enforced"

    def day(self, request: Request, now: Instant) -> Instant:
        """The instant whose law answers a request."""
        return self.at if self.at is not None else day_of(request, now)


def day_of(request: Request, now: Instant) -> Instant:
    """The day that a request speaks of, else now. Raises InvalidInput for a day that does not exist."""
    return parse_date_or_instant(request.on, path="on") if request.on else now


def parse_when(at: str, as_of: str, reading: str) -> When:
    """Raises InvalidInput with the parameter's name."""
    if reading and reading not in get_args(Reading):
        raise InvalidInput(
            f"{reading[:40]!r} is no reading",
            path="reading",
            remedy=f"one of {', '.join(get_args(Reading))}",
        )
    return When(
        at=_instant(at, "at"),
        as_of=_instant(as_of, "as_of"),
        reading=cast("Reading", reading or "enforced"),
    )


def require_pack(plane: Plane, name: str, version: str = "") -> Pack:
    """The pack of that name, as it counts here, else as it ships. Raises NotFound."""
    found = plane.control.rules.find(name, plane.control.clock.now(), version)
    if found is None:
        named = f"{name[:64]!r} {version[:64]}".strip()
        raise NotFound(
            f"no rule pack {named} is at hand",
            remedy=f"use {', '.join(plane.control.rules.names())}",
        )
    return found


def find_packs(plane: Plane, names: Sequence[str], kind: RequestKind) -> tuple[Pack, ...]:
    """The packs named, each once; `all` is every one that speaks about the kind; none is the kind's own.

    Raises InvalidInput for a name that is not at hand.
    """
    wanted = list(dict.fromkeys(name for text in names for name in text.split(",") if name))
    if wanted == ["all"]:
        return tuple(_speaking(plane, kind))
    if len(wanted) > MOST_PACKS:
        raise InvalidInput(f"more than {MOST_PACKS} packs", path="pack", remedy="name fewer")
    return tuple(_named(plane, name) for name in wanted or [DEFAULT_PACKS[kind]])


def _named(plane: Plane, name: str) -> Pack:
    try:
        return require_pack(plane, name)
    except NotFound as error:
        raise InvalidInput(error.message, path="pack", remedy=error.remedy) from None


def _speaking(plane: Plane, kind: RequestKind) -> Iterable[Pack]:
    for name in plane.control.rules.names():
        try:
            pack = require_pack(plane, name)
        except InvalidInput:
            continue  # published without its bytes: the list of packs says so
        if any(kind in rule.kinds for rule in pack.rules):
            yield pack


def _instant(text: str, path: str) -> Instant | None:
    return parse_date_or_instant(text.strip(), path=path) if text.strip() else None
