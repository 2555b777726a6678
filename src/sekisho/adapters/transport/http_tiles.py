"""A log's public files over HTTP(S), for reading only: whoever serves them is not believed, only bounded."""

from __future__ import annotations

import ipaddress

import httpx

from sekisho.adapters.transport.bounded_body import ACCEPTED, read_body
from sekisho.adapters.transport.whole_time import TimedTransport, within
from sekisho.model.errors import InvalidInput, StateConflict, Unavailable
from sekisho.ports.tile_store import NotStored

__all__ = ["HttpTileStore", "check_url"]

WHOLE_FILE_S = 30.0
_OK, _GONE, _FIRST_FAILURE = 200, (404, 410), 500


def check_url(url: str) -> str:
    """The address without its last slash. Raises InvalidInput unless it is https, or http to this very machine."""
    try:
        parsed = httpx.URL(url)
    except httpx.InvalidURL as error:
        raise InvalidInput(f"is not an address: {error}", path=url[:120]) from None
    if parsed.userinfo or parsed.query or parsed.fragment:
        raise InvalidInput("carries a user, a query or a fragment", path=url[:120])
    is_safe = parsed.scheme == "https" or (parsed.scheme == "http" and _is_loopback(parsed.host))
    if not (parsed.host and is_safe):
        raise InvalidInput(
            "is neither https nor http to this machine", path=url[:120], remedy="use https"
        )
    return url.rstrip("/")


class HttpTileStore:
    """A `TileStore` at an address like `https://log.example/log`. Never follows a redirect, never writes."""

    def __init__(self, url: str, *, timeout_s: float = 10.0) -> None:
        self.url = check_url(url)
        # A proxy may stand before a public log; one before this machine itself is a mistake.
        self._client = httpx.Client(
            timeout=timeout_s,
            follow_redirects=False,
            headers=ACCEPTED,
            transport=TimedTransport(trust_env=url.startswith("https:"), url=url),
        )

    def close(self) -> None:
        self._client.close()

    def read(self, path: str, limit: int) -> bytes:
        """The file, whole, within `limit` bytes and half a minute."""
        address = self._address(path)
        try:
            with within(WHOLE_FILE_S), self._client.stream("GET", address) as response:
                if response.status_code in _GONE:
                    raise NotStored(f"{path} is not there", remedy="check the log's address")
                if response.status_code != _OK:
                    raise Unavailable(f"{self.url} answered {response.status_code} for {path}")
                return read_body(response, limit, within_s=WHOLE_FILE_S, path=path)
        except httpx.HTTPError as error:
            raise Unavailable(
                f"{self.url} does not answer: {error}", remedy="try again later"
            ) from None

    def write(self, path: str, data: bytes) -> None:
        raise StateConflict(f"{self.url} is for reading; {path} ({len(data)} bytes) is not written")

    def exists(self, path: str) -> bool:
        """Asks with GET and reads no body: not every file server answers HEAD."""
        address = self._address(path)
        try:
            with within(WHOLE_FILE_S), self._client.stream("GET", address) as response:
                status = response.status_code
        except httpx.HTTPError as error:
            raise Unavailable(f"{self.url} does not answer: {error}") from None
        if status >= _FIRST_FAILURE:
            raise Unavailable(f"{self.url} answered {status} for {path}", remedy="try again later")
        return status == _OK

    def _address(self, path: str) -> str:
        parts = path.split("/")
        if {"", ".", ".."}.intersection(parts) or any(c in path for c in "\\%?#\0"):
            raise InvalidInput("this path would leave the store", path=path[:120])
        return f"{self.url}/{path}"


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False
