"""Which model a request asks for, where its JSON body names it: read once, by one reading that nobody can differ from.

Many inference servers serve several models at one address and take the name from the body. A body that two parsers
could read in two ways (a name twice, another encoding or type, packed, cut off, too long) names no model here, and so
is refused as one that is not served.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any, Final, TypeAlias

from sekisho.model.errors import InvalidInput
from sekisho.model.wire import parse_json

__all__ = ["MAX_ASKED", "ModelInBody"]

MAX_ASKED: Final = 1 << 20
_LARGEST: Final = (1 << 64) - 1  # seeds
_JSON: Final = b"application/json"

Message: TypeAlias = MutableMapping[str, Any]
Receive: TypeAlias = Callable[[], Awaitable[Message]]


class ModelInBody:
    """For `AccessGate(model=...)`: the text under `name` of a JSON body of at most `limit` bytes, in memory meanwhile.

    A millisecond for a few kilobytes; the event loop waits for it, so `limit` is what one request may cost all others.
    """

    def __init__(self, name: str = "model", limit: int = MAX_ASKED) -> None:
        self._name = name
        self._limit = limit

    async def read(self, scope: Message, receive: Receive) -> tuple[str, Receive]:
        """The model's name, empty where none is told in one way only, and what gives the body once more."""
        if scope["type"] != "http" or not _is_plain_json(scope):
            return "", receive
        body = bytearray()
        is_more = True
        while is_more:
            message = await receive()
            if message["type"] != "http.request":
                return "", receive
            body += message.get("body", b"")
            if len(body) > self._limit:
                return "", receive
            is_more = bool(message.get("more_body", False))
        return self._named(bytes(body)), _again(bytes(body), receive)

    def _named(self, body: bytes) -> str:
        try:
            told = parse_json(body, limit=self._limit, largest=_LARGEST, any_float=True)
        except InvalidInput:
            return ""
        named = told.get(self._name) if isinstance(told, dict) else None
        return named if isinstance(named, str) else ""


def _is_plain_json(scope: Message) -> bool:
    """One content type that is JSON, in no other character set, and not packed."""
    headers = [(name.lower(), value) for name, value in scope.get("headers", ())]
    kinds = [value for name, value in headers if name == b"content-type"]
    if len(kinds) != 1 or any(name == b"content-encoding" for name, _ in headers):
        return False
    kind, _, more = kinds[0].lower().partition(b";")
    charset = more.strip().replace(b'"', b"")
    return kind.strip() == _JSON and charset in {b"", b"charset=utf-8"}


def _again(body: bytes, receive: Receive) -> Receive:
    """The whole body in one message, then whatever comes after it."""
    told: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

    async def give() -> Message:
        return told.pop() if told else await receive()

    return give
