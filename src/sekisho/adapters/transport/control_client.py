"""The control plane over HTTP: answers are bounded, timed and parsed strictly; nothing in them is believed here."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeVar
from urllib.parse import quote

import httpx
import msgspec

from sekisho.adapters.transport.bounded_body import ACCEPTED, read_body
from sekisho.adapters.transport.whole_time import TimedTransport, within
from sekisho.model.errors import (
    InvalidInput,
    NotAuthorised,
    SekishoError,
    StateConflict,
    Unavailable,
)
from sekisho.model.membership import Membership
from sekisho.model.wire import decode_base64, from_json, parse_json
from sekisho.ports.control import (
    Feed,
    FeedItem,
    LeaseAnswer,
    OpenHalt,
    StoredStatement,
    Unacknowledged,
)

__all__ = ["ControlClient", "parse_feed"]

MAX_ANSWER = 16 * 1024 * 1024
TIMEOUT_S = 10.0
WHOLE_S = 30.0
T = TypeVar("T")


class _Item(msgspec.Struct, frozen=True, kw_only=True):
    envelope: str
    proof: str | None = None
    membership: Membership | None = None
    disclosures: tuple[str, ...] = ()


class _Feed(msgspec.Struct, frozen=True, kw_only=True):
    next: int
    items: tuple[_Item, ...] = ()
    checkpoint: str | None = None


class _Lease(msgspec.Struct, frozen=True, kw_only=True):
    envelope: str
    proof: str
    disclosures: tuple[str, ...] = ()


class _Acknowledged(msgspec.Struct, frozen=True, kw_only=True):
    acknowledgement: str | None = None


class _Stored(msgspec.Struct, frozen=True, kw_only=True):
    envelope: str
    index: int
    leaf: str
    proof: str | None = None


class _Problem(msgspec.Struct, frozen=True, kw_only=True):
    code: str = ""
    detail: str = ""


# What a status means to whoever asked; every other one is "not now".
_REFUSALS: Mapping[int, type[SekishoError]] = {
    400: InvalidInput,
    401: NotAuthorised,
    403: NotAuthorised,
    404: StateConflict,
    409: StateConflict,
    422: InvalidInput,
}


class ControlClient:
    """Implements ports.Control and ports.HaltBoard at a base URL; connections stay open between calls."""

    def __init__(self, url: str, *, timeout_s: float = TIMEOUT_S) -> None:
        self.url = url.rstrip("/")
        self._timeout_s = timeout_s
        # trust_env=False: the control plane is reached directly, never through a proxy that the environment names.
        self._client = httpx.Client(
            trust_env=False,
            follow_redirects=False,
            headers=ACCEPTED,
            transport=TimedTransport(),
        )

    def close(self) -> None:
        self._client.close()

    def fetch_feed(self, host: str, after: int, wait_s: int) -> Feed:
        path = f"/api/v1/hosts/{_name(host)}/feed?after={after}&wait_s={wait_s}"
        return parse_feed(self._exchange("GET", path, None, wait_s), path=path)

    def fetch_order(self, register: str, number: int, host: str = "") -> FeedItem:
        whose = f"?host={quote(host, safe='')}" if host else ""
        return _item(self._ask(_Item, "GET", f"/api/v1/orders/{_name(register)}/{number}{whose}"))

    def fetch_shown(self, asked: bytes) -> FeedItem:
        return _item(self._ask(_Item, "POST", "/api/v1/orders/shown", asked))

    def send_request(self, envelope: bytes) -> LeaseAnswer:
        lease = self._ask(_Lease, "POST", "/api/v1/leases", envelope)
        return LeaseAnswer(
            envelope=decode_base64(lease.envelope, path="lease.envelope"),
            proof=lease.proof,
            disclosures=lease.disclosures,
        )

    def send_receipt(self, envelope: bytes) -> bytes | None:
        told = self._ask(_Acknowledged, "POST", "/api/v1/receipts", envelope).acknowledgement
        return None if told is None else decode_base64(told, path="acknowledgement")

    def send_statement(self, envelope: bytes) -> None:
        self._exchange("POST", "/api/v1/statements", envelope, 0)

    def fetch_halts(self) -> tuple[OpenHalt, ...]:
        return self._ask(tuple[OpenHalt, ...], "GET", "/api/v1/halts?state=open")

    def fetch_statement(self, digest: str) -> StoredStatement:
        stored = self._ask(_Stored, "GET", f"/api/v1/statements/{quote(digest, safe='')}")
        return StoredStatement(
            envelope=decode_base64(stored.envelope, path="statement.envelope"),
            index=stored.index,
            leaf=stored.leaf,
            proof=stored.proof,
        )

    def _ask(
        self,
        kind: type[T],
        method: str,
        path: str,
        content: bytes | None = None,
        *,
        extra_s: int = 0,
    ) -> T:
        body = self._exchange(method, path, content, extra_s)
        return from_json(kind, parse_json(body, path=path), path=path)

    def _exchange(self, method: str, path: str, content: bytes | None, extra_s: int) -> bytes:
        headers = {"content-type": "application/json"} if content is not None else None
        timeout = httpx.Timeout(self._timeout_s, read=self._timeout_s + extra_s)
        try:
            with (
                within(WHOLE_S + self._timeout_s + extra_s),
                self._client.stream(
                    method, f"{self.url}{path}", content=content, headers=headers, timeout=timeout
                ) as response,
            ):
                body = self._read(response)
                if response.is_success:
                    return body
                status = response.status_code
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise Unavailable(
                f"{self.url} does not answer: {error}", remedy="it is tried again"
            ) from None
        kind = _REFUSALS.get(status, Unavailable)
        told = _detail(body)
        if kind is StateConflict and told.startswith(f"{Unacknowledged.code}:"):
            kind = Unacknowledged
        raise kind(f"{path.partition('?')[0]} answered {status}: {told}")

    def _read(self, response: httpx.Response) -> bytes:
        try:
            return read_body(response, MAX_ANSWER, within_s=WHOLE_S, path=self.url)
        except InvalidInput as error:
            raise Unavailable(f"an answer was cut off: {error}") from None


def parse_feed(body: bytes, *, path: str) -> Feed:
    """An answer of the long poll, or a push, as a value; nothing in it is believed. Raises InvalidInput."""
    feed = from_json(_Feed, parse_json(body, path=path), path=path)
    return Feed(
        next=feed.next,
        items=tuple(_item(item) for item in feed.items),
        checkpoint=feed.checkpoint,
    )


def _detail(body: bytes) -> str:
    try:
        problem = from_json(_Problem, parse_json(body, limit=65_536))
    except InvalidInput:
        return body[:200].decode("utf-8", "replace")
    return f"{problem.code}: {problem.detail}"[:1000]


def _name(name: str) -> str:
    """A name as a part of a path: ~ for each slash, since a slash would part it."""
    return quote(name.replace("/", "~"), safe="~")


def _item(item: _Item) -> FeedItem:
    return FeedItem(
        envelope=decode_base64(item.envelope, path="feed.envelope"),
        proof=item.proof,
        membership=item.membership,
        disclosures=item.disclosures,
    )
