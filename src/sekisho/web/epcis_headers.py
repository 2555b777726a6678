"""The headers of EPCIS 2.0: what a client asks for is given or refused, and every answer names its versions."""

from __future__ import annotations

import re
from typing import Any, Final

from litestar import Request
from litestar.datastructures import ResponseHeader, State

from sekisho.web.epcis_problems import VERSION_HEADERS, NotAcceptable, WrongType

__all__ = ["SPOKEN", "check_asked", "check_type"]

SPOKEN: Final = tuple(
    ResponseHeader(name=name, value=value) for name, value in VERSION_HEADERS.items()
)
"""On every answer: which versions this server speaks."""
_JSON: Final = frozenset({"application/json", "application/ld+json"})
_ACCEPTED: Final = _JSON | {"*/*", "application/*", "application/problem+json"}
_VERSION: Final = re.compile(r"([0-9]{1,4})(?:\.[0-9]{1,4}){0,2}")
_OURS: Final = (2, 0, 0)
_AS_CAPTURED: Final = frozenset({"", "No_Preference", "Never_Translates"})


def check_asked(request: Request[Any, Any, State]) -> None:
    """Raise NotAcceptable for what this server does not speak: other versions, other types, other spellings."""
    for name in ("GS1-EPCIS-Version", "GS1-CBV-Version"):
        asked = _version(request, name)
        if asked is not None and asked != _OURS[: len(asked)]:
            raise NotAcceptable("only 2.0 is spoken here", path=name)
    for name in ("GS1-EPCIS-Min", "GS1-CBV-Min"):
        asked = _version(request, name)
        if asked is not None and asked > _OURS:
            raise NotAcceptable("only 2.0 is spoken here", path=name)
    for name in ("GS1-EPCIS-Max", "GS1-CBV-Max"):
        asked = _version(request, name)
        if asked is not None and asked < _OURS[: len(asked)]:
            raise NotAcceptable("only 2.0 is spoken here", path=name)
    for name in ("GS1-EPC-Format", "GS1-CBV-XML-Format"):
        if request.headers.get(name, "") not in _AS_CAPTURED:
            raise NotAcceptable("events are shown as they were captured", path=name)
    accepted = {
        kind.partition(";")[0].strip() for kind in request.headers.get("accept", "*/*").split(",")
    }
    if not accepted & _ACCEPTED:
        raise NotAcceptable("answers are JSON", path="Accept")


def check_type(request: Request[Any, Any, State]) -> None:
    """Raise WrongType for a body that says it is anything but JSON."""
    kind = request.headers.get("content-type", "application/json").partition(";")[0].strip().lower()
    if kind not in _JSON:
        raise WrongType(
            f"{kind[:60]!r} is not read here", path="Content-Type", remedy="send EPCIS 2.0 JSON-LD"
        )


def _version(request: Request[Any, Any, State], name: str) -> tuple[int, ...] | None:
    text = request.headers.get(name)
    if text is None:
        return None
    if _VERSION.fullmatch(text) is None:
        raise NotAcceptable(f"{text[:20]!r} is no version", path=name)
    return tuple(int(part) for part in text.split("."))
