"""A whole exchange within one time, however slowly the other side speaks.

An HTTP library's timeout is of one read or write: whoever sends a byte of his header every few seconds keeps a thread
for days, and a host's poll with it. Here every step of an exchange gets what is left of the whole.
"""

from __future__ import annotations

import ssl
import threading
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any, Final
from urllib.request import getproxies, proxy_bypass

import httpcore
import httpx

from sekisho.model.errors import InvalidInput

__all__ = ["TimedTransport", "within"]

_PIECE: Final = 64 * 1024
"""So much is written at once: a reader who takes a byte at a time keeps one piece, not the rest of the body."""
_asked = threading.local()


@contextmanager
def within(seconds: float) -> Iterator[None]:
    """What this thread does through a `TimedTransport` ends within so many seconds, or raises httpx's timeout."""
    before = getattr(_asked, "until", None)
    _asked.until = time.monotonic() + seconds
    try:
        yield
    finally:
        _asked.until = before


class TimedTransport(httpx.HTTPTransport):
    """As httpx's own, every step bounded by `within` as well as by its own timeout.

    Nothing of the environment counts unless `trust_env` says so, which is for public logs: then its certificates do,
    and the HTTP proxy that it names for `url`.
    """

    def __init__(
        self,
        *,
        verify: ssl.SSLContext | str | bool = True,
        connections: int = 100,
        keepalive_s: float = 60.0,
        trust_env: bool = False,
        url: str = "",
    ) -> None:
        context = httpx.create_ssl_context(verify=verify, trust_env=trust_env)
        super().__init__(verify=context, trust_env=False)
        proxy = _find_proxy(url) if trust_env else None
        if proxy is not None:
            self._pool = httpcore.HTTPProxy(
                proxy_url=httpcore.URL(
                    scheme=proxy.raw_scheme,
                    host=proxy.raw_host,
                    port=proxy.port,
                    target=proxy.raw_path,
                ),
                proxy_auth=(proxy.username.encode(), proxy.password.encode())
                if proxy.userinfo
                else None,
                ssl_context=context,
                max_connections=connections,
                keepalive_expiry=keepalive_s,
                network_backend=_Backend(),
            )
            return
        self._pool = httpcore.ConnectionPool(
            ssl_context=context,
            max_connections=connections,
            keepalive_expiry=keepalive_s,
            network_backend=_Backend(),
        )


def _find_proxy(url: str) -> httpx.URL | None:
    """The proxy that the environment names for an address; None where it names none, or spares this host."""
    parsed = httpx.URL(url)
    named = getproxies()
    place = named.get(parsed.scheme) or named.get("all")
    if not place or proxy_bypass(parsed.host):
        return None
    found = httpx.URL(place if "://" in place else f"http://{place}")
    if found.scheme not in ("http", "https"):
        raise InvalidInput(
            f"a {found.scheme} proxy is not spoken here",
            path="all_proxy",
            remedy="name an HTTP proxy",
        )
    return found


class _Backend(httpcore.NetworkBackend):
    def __init__(self) -> None:
        self._inner = httpcore.SyncBackend()

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.NetworkStream:
        left = _left(timeout, httpcore.ConnectTimeout)
        stream = self._inner.connect_tcp(host, port, left, local_address, socket_options)
        return _Stream(stream)


class _Stream(httpcore.NetworkStream):
    def __init__(self, inner: httpcore.NetworkStream) -> None:
        self._inner = inner

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._inner.read(max_bytes, _left(timeout, httpcore.ReadTimeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        for start in range(0, len(buffer), _PIECE):
            left = _left(timeout, httpcore.WriteTimeout)
            self._inner.write(buffer[start : start + _PIECE], left)

    def close(self) -> None:
        self._inner.close()

    def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,
    ) -> httpcore.NetworkStream:
        left = _left(timeout, httpcore.ConnectTimeout)
        return _Stream(self._inner.start_tls(ssl_context, server_hostname, left))

    def get_extra_info(self, info: str) -> Any:
        return self._inner.get_extra_info(info)


def _left(timeout: float | None, error: type[httpcore.TimeoutException]) -> float | None:
    """What a step may take: its own timeout, and no more than is left of the whole. Raises `error` where none is."""
    until = getattr(_asked, "until", None)
    if until is None:
        return timeout
    left = float(until) - time.monotonic()
    if left <= 0:
        raise error("the whole exchange took too long")
    return left if timeout is None else min(timeout, left)
