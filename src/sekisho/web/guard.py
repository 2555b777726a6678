"""What stands before every answer: the Host header is checked, and every response carries its security headers.

A page of some other site can make a browser resolve its own name to 127.0.0.1 (DNS rebinding) and then read what we
serve; the Host header still bears that other name, so only loopback names are answered. A page may also send without
reading: capture a document, subscribe its own address to all events. Browsers say so (Origin, Sec-Fetch-Site), and what
would change anything is refused then; programs that are no browsers send neither.
"""

from __future__ import annotations

import re
from typing import Final, Protocol, cast

from litestar import Litestar
from litestar.datastructures import MutableScopeHeaders
from litestar.enums import ScopeType
from litestar.types import (
    HTTPScope,
    LifeSpanReceive,
    LifeSpanScope,
    LifeSpanSend,
    Message,
    Receive,
    Scope,
    Send,
)

from sekisho.web.problems import PROBLEM_TYPE, Problem, encode_problem

__all__ = ["SECURITY_HEADERS", "Door", "GuardedApp", "is_cross_site", "is_loopback_host"]

_HOST: Final = re.compile(r"(127\.0\.0\.1|localhost|\[::1\])(:[0-9]{1,5})?", re.IGNORECASE)
_MISDIRECTED: Final = 421
_FORBIDDEN: Final = 403
_SAFE: Final = frozenset({"GET", "HEAD", "OPTIONS"})
_OWN_SITES: Final = frozenset({b"same-origin", b"none"})

SECURITY_HEADERS: Final[dict[str, str]] = {
    "content-security-policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
        "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    ),
    "x-content-type-options": "nosniff",
    # Nothing goes to others; to ourselves the origin does, else a browser sends "null" with our own forms.
    "referrer-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
}


def is_loopback_host(host: str) -> bool:
    """Whether a Host header names this machine, with any port or none."""
    return _HOST.fullmatch(host) is not None


class Door(Protocol):
    """Answers some requests by itself, before the framework."""

    async def answer(self, scope: HTTPScope, receive: Receive, send: Send) -> bool: ...


class GuardedApp(Litestar):
    """A Litestar application with the guard outside of everything, its own 404s included.

    `door` is asked first whether a request is one of its own; its answers bear the security headers already.
    """

    door: Door | None = None

    async def __call__(
        self,
        scope: Scope | LifeSpanScope,
        receive: Receive | LifeSpanReceive,
        send: Send | LifeSpanSend,
    ) -> None:
        """One call of the server: a lifespan, or a request that is answered only for a loopback host."""
        if scope["type"] != ScopeType.HTTP:
            await super().__call__(scope, receive, send)
            return

        async def send_guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableScopeHeaders.from_message(message)
                for name, value in SECURITY_HEADERS.items():
                    headers[name] = value
            await send(message)  # type: ignore[arg-type]  # an http scope has an http send

        if not is_loopback_host(_host_of(cast("Scope", scope))):
            await _refuse(send_guarded, _ELSEWHERE)
            return
        if is_cross_site(cast("HTTPScope", scope)):
            await _refuse(send_guarded, _CROSS_SITE)
            return
        if self.door is not None and await self.door.answer(
            cast("HTTPScope", scope), cast("Receive", receive), cast("Send", send)
        ):
            return
        await super().__call__(scope, receive, send_guarded)


def _host_of(scope: Scope) -> str:
    hosts = [value for name, value in scope["headers"] if name == b"host"]
    return hosts[0].decode("latin-1") if len(hosts) == 1 else ""


def is_cross_site(scope: HTTPScope) -> bool:
    """Whether another site's page sent something that may change things here, by what its browser says of it."""
    if scope["method"] in _SAFE:
        return False
    sites = [value for name, value in scope["headers"] if name == b"sec-fetch-site"]
    origins = [value for name, value in scope["headers"] if name == b"origin"]
    own = f"http://{_host_of(scope)}".lower()
    return any(site not in _OWN_SITES for site in sites) or any(
        origin.decode("latin-1").lower() != own for origin in origins
    )


_ELSEWHERE: Final = Problem(
    type="urn:sekisho:problem:misdirected",
    title="Misdirected Request",
    status=_MISDIRECTED,
    code="misdirected",
    detail="this server answers to 127.0.0.1, localhost and [::1] only",
    remedy="open the address that the server printed",
)
_CROSS_SITE: Final = Problem(
    type="urn:sekisho:problem:cross-site",
    title="Forbidden",
    status=_FORBIDDEN,
    code="cross-site",
    detail="another site's page asked for this",
    remedy="ask from this server's own pages, or from a program",
)


async def _refuse(send: Send, problem: Problem) -> None:
    body = encode_problem(problem)
    headers = [
        (b"content-type", PROBLEM_TYPE.encode()),
        (b"content-length", str(len(body)).encode()),
    ]
    await send({"type": "http.response.start", "status": problem.status, "headers": headers})
    await send({"type": "http.response.body", "body": body, "more_body": False})
