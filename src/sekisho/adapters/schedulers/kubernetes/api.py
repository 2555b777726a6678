"""The API server of one cluster, spoken to with six calls: get, list, watch, create, patch, delete.

A client library would bring a second JSON reader and hundreds of types for these few; every answer here is bounded in
bytes and time and read by our own strict parser. The token file is read again for each call, since the kubelet
renews it. Nothing is followed: a redirect is a refusal.
"""

from __future__ import annotations

import json
import os
import ssl
import time
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack
from pathlib import Path
from typing import Final, Literal

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
from sekisho.model.wire import JsonValue, parse_json

__all__ = ["Api", "Document", "Expired", "Listing", "Missing", "connect_api"]

Document = dict[str, JsonValue]
MAX_ANSWER: Final = 32 * 1024 * 1024
MAX_LINE: Final = 4 * 1024 * 1024
MAX_PAGES: Final = 2_000
PAGE: Final = 250
TIMEOUT_S: Final = 5.0
INT64: Final = 2**63 - 1
_IN_CLUSTER: Final = Path("/var/run/secrets/kubernetes.io/serviceaccount")
_PATCHES: Final[Mapping[str, str]] = {
    "merge": "application/merge-patch+json",
    "json": "application/json-patch+json",
}


class Missing(StateConflict):
    """There is no such object, or the cluster does not know its kind."""


class Expired(Unavailable):
    """The place in the history from which to go on is gone (410): list anew."""


class Listing(msgspec.Struct, frozen=True, kw_only=True):
    """All objects of a listing, of one state of the cluster; a watch goes on from `version`."""

    items: tuple[Document, ...]
    version: str


class Api:
    """One API server. Raises Unavailable where it does not answer, NotAuthorised, StateConflict (409), Missing."""

    def __init__(
        self,
        server: str,
        *,
        token_file: Path | None = None,
        verify: ssl.SSLContext | bool = True,
        timeout_s: float = TIMEOUT_S,
    ) -> None:
        self._token_file = token_file
        self._timeout_s = timeout_s
        self._client = httpx.Client(
            base_url=server.rstrip("/"),
            timeout=timeout_s,
            trust_env=False,
            follow_redirects=False,
            transport=TimedTransport(verify=verify),
            headers={"accept": "application/json", **ACCEPTED},
        )

    def close(self) -> None:
        self._client.close()

    def get(self, path: str) -> Document:
        return self._ask("GET", path)

    def create(self, path: str, document: Document) -> Document:
        return self._ask("POST", path, document)

    def patch(
        self, path: str, change: JsonValue, *, form: Literal["merge", "json"] = "merge"
    ) -> Document:
        """Change an object; a `resourceVersion` in the change makes it conditional (StateConflict where it moved)."""
        return self._ask("PATCH", path, change, content_type=_PATCHES[form])

    def delete(self, path: str, *, uid: str = "", grace_s: int | None = None) -> Document:
        """Delete the object with that uid and no later one of its name (StateConflict then)."""
        options: Document = {"apiVersion": "v1", "kind": "DeleteOptions"}
        if uid:
            options["preconditions"] = {"uid": uid}
        if grace_s is not None:
            options["gracePeriodSeconds"] = grace_s
        return self._ask("DELETE", path, options)

    def list_all(self, path: str, *, labels: str = "") -> Listing:
        """Everything below `path`, page by page of one snapshot.

        A snapshot that expires between two pages (410) is taken anew, twice at most: a list of two halves of
        different ages could miss a pod that moved between them.
        """
        for _ in range(3):
            try:
                return self._list(path, labels)
            except Expired:
                continue
        raise Unavailable(f"{path} changes faster than it can be listed")

    def watch(self, path: str, version: str, *, within_s: int) -> Iterator[tuple[str, Document]]:
        """What changed after `version`: (ADDED, MODIFIED, DELETED, BOOKMARK) and the object. Raises Expired."""
        query = {
            "watch": "true",
            "resourceVersion": version,
            "allowWatchBookmarks": "true",
            "timeoutSeconds": str(within_s),
        }
        try:
            with ExitStack() as opened:
                with within(within_s + 2 * self._timeout_s):
                    # The head alone: what comes then has its own end, and this thread other things to ask meanwhile.
                    response = opened.enter_context(self._open_watch(path, query, within_s))
                if response.status_code != httpx.codes.OK:
                    body = read_body(response, MAX_LINE, within_s=self._timeout_s, path=path)
                    raise _refusal(response.status_code, body, f"watch {path}")
                yield from _events(response, path, time.monotonic() + within_s)
        except httpx.ReadTimeout:
            return  # a quiet cluster; the caller looks again from the same place
        except httpx.HTTPError as error:
            raise _silence(path, error) from None

    def _open_watch(
        self, path: str, query: Mapping[str, str], within_s: int
    ) -> AbstractContextManager[httpx.Response]:
        return self._client.stream(
            "GET",
            path,
            params=query,
            headers=self._headers(),
            timeout=httpx.Timeout(self._timeout_s, read=within_s + self._timeout_s),
        )

    def _list(self, path: str, labels: str) -> Listing:
        items: list[Document] = []
        query = {"limit": str(PAGE)} | ({"labelSelector": labels} if labels else {})
        for _ in range(MAX_PAGES):
            page = self._ask("GET", path, query=query)
            items += _documents(page.get("items"), path)
            about = page.get("metadata")
            about = about if isinstance(about, dict) else {}
            rest = about.get("continue")
            if not rest:
                return Listing(items=tuple(items), version=str(about.get("resourceVersion", "")))
            query["continue"] = str(rest)
        raise Unavailable(f"{path} has more than {MAX_PAGES} pages of {PAGE}")

    def _ask(
        self,
        method: str,
        path: str,
        body: JsonValue = None,
        *,
        content_type: str = "application/json",
        query: Mapping[str, str] | None = None,
    ) -> Document:
        content = None if body is None else json.dumps(body).encode()
        headers = self._headers() | ({"content-type": content_type} if content else {})
        try:
            with (
                within(2 * self._timeout_s),
                self._client.stream(
                    method, path, content=content, headers=headers, params=query
                ) as response,
            ):
                raw = read_body(response, MAX_ANSWER, within_s=self._timeout_s, path=path)
                if not response.is_success:
                    raise _refusal(response.status_code, raw, f"{method} {path}")
        except httpx.HTTPError as error:
            raise _silence(path, error) from None
        return _document(raw, path)

    def _headers(self) -> dict[str, str]:
        if self._token_file is None:
            return {}
        try:
            token = self._token_file.read_text("ascii").strip()
        except (OSError, UnicodeDecodeError):
            raise Unavailable(
                "the token cannot be read", remedy=f"check {self._token_file}"
            ) from None
        return {"authorization": f"Bearer {token}"}


def connect_api(server: str = "", token_file: str | None = None, ca_file: str | None = None) -> Api:
    """The API server at `server`, or the one whose cluster we run in. Raises InvalidInput where neither is there."""
    if not server:
        host = os.environ.get("KUBERNETES_SERVICE_HOST", "")
        if not host:
            raise InvalidInput(
                "no API server is named, and this is no pod",
                path="server",
                remedy="give its https address, a token file and a CA file",
            )
        host = f"[{host}]" if ":" in host else host
        server = f"https://{host}:{os.environ.get('KUBERNETES_SERVICE_PORT', '443')}"
        token_file = token_file or str(_IN_CLUSTER / "token")
        ca_file = ca_file or str(_IN_CLUSTER / "ca.crt")
    if not server.startswith(("https://", "http://")):
        raise InvalidInput("is no https address", path="server", remedy="https://host:port")
    if token_file and not server.startswith("https://"):
        raise InvalidInput(
            "a token never goes over plain http", path="server", remedy="use an https address"
        )
    return Api(server, token_file=Path(token_file) if token_file else None, verify=_trust(ca_file))


def _trust(ca_file: str | None) -> ssl.SSLContext | bool:
    if ca_file is None:
        return True
    try:
        return ssl.create_default_context(cafile=ca_file)
    except (OSError, ssl.SSLError) as error:
        raise InvalidInput(f"is no CA file: {error}", path=ca_file) from None


def _events(response: httpx.Response, path: str, ends_s: float) -> Iterator[tuple[str, Document]]:
    rest = b""
    for chunk in (
        response.iter_raw()
        if not response.headers.get("content-encoding")
        else response.iter_bytes()
    ):
        *lines, rest = (rest + chunk).split(b"\n")
        if len(rest) > MAX_LINE:
            raise InvalidInput(f"a line of {path} is over {MAX_LINE} bytes", path=path)
        for line in filter(None, lines):
            event = _document(line, path)
            what, about = event.get("type"), event.get("object")
            if not isinstance(about, dict):
                raise InvalidInput("an event names no object", path=path)
            if what == "ERROR":
                raise _refusal_of(about, f"watch {path}")
            yield str(what), about
        if time.monotonic() > ends_s:
            return


def _document(raw: bytes, path: str) -> Document:
    value = parse_json(raw, path=path, limit=MAX_ANSWER, largest=INT64, any_float=True)
    if not isinstance(value, dict):
        raise InvalidInput("is no object", path=path)
    return value


def _documents(value: JsonValue, path: str) -> list[Document]:
    if value is None:
        return []
    if not isinstance(value, list):
        raise InvalidInput("has no list of items", path=path)
    found = [item for item in value if isinstance(item, dict)]
    if len(found) != len(value):
        raise InvalidInput("lists something that is no object", path=path)
    return found


def _refusal(status: int, raw: bytes, what: str) -> SekishoError:
    try:
        about = _document(raw, what)
    except InvalidInput:
        about = {}
    return _refusal_of(about | {"code": status}, what)


def _refusal_of(about: Document, what: str) -> SekishoError:
    """The server's `Status` as our error; nothing in its text is believed, so it is shortened."""
    status, said = about.get("code"), str(about.get("message", ""))[:300]
    message = f"{what}: {status} {said}".strip()
    if status in (401, 403):
        return NotAuthorised(
            message, remedy="grant what `sekisho agent kubernetes manifests` lists"
        )
    if status == 404:
        return Missing(message)
    if status == 409:
        return StateConflict(message, remedy="read it again and try again")
    if status == 410:
        return Expired(message, remedy="list anew")
    if status in (400, 413, 415, 422):
        return InvalidInput(message)
    return Unavailable(message)


def _silence(path: str, error: httpx.HTTPError) -> Unavailable:
    return Unavailable(f"the API server does not answer on {path}: {type(error).__name__} {error}")
