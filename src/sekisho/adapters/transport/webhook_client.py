"""Webhooks over HTTP, to addresses that strangers name, and never where they must not go.

The rule. (1) `https://`, or `http://` to localhost, 127.0.0.1 or ::1 by that very name; no user, no fragment. (2) The
name is resolved once, every address that it has is judged, and the connection goes to the very address that was judged
(a name that changes its mind in between gains nothing). (3) Refused are link-local, multicast, unspecified, reserved
and shared addresses, the metadata services of clouds, and IPv6 spellings of any of these; loopback counts only by (1).
Private addresses are allowed, with a certificate for the name: firms run their receivers there. (4) No redirect is
followed, no proxy of the environment is used, an answer is read up to 64 KiB and forgotten.
"""

from __future__ import annotations

import ipaddress
import logging
import socket
from collections.abc import Callable, Iterable
from typing import Final, Self, TypeAlias

import httpx

from sekisho.adapters.transport.bounded_body import ACCEPTED, read_body
from sekisho.adapters.transport.whole_time import TimedTransport, within
from sekisho.model.errors import InvalidInput, Unavailable
from sekisho.ports.subscriptions import Delivery

__all__ = ["HttpWebhooks", "is_allowed"]

Address: TypeAlias = ipaddress.IPv4Address | ipaddress.IPv6Address
Resolve: TypeAlias = Callable[[str, int], Iterable[str]]

MAX_URL: Final = 2_000
MAX_ANSWER: Final = 64 * 1024
TIMEOUT_S: Final = 5.0
WHOLE_S: Final = 10.0
# The library tells every address that it asks at level INFO, and the path of many a webhook is its secret.
logging.getLogger("httpx").setLevel(logging.WARNING)
_HERE: Final = frozenset({"localhost", "127.0.0.1", "::1"})
_REMEDY: Final = "give an https address that this machine may reach"
_SHARED: Final = ipaddress.ip_network("100.64.0.0/10")
_METADATA: Final = frozenset(
    ipaddress.ip_address(text)
    for text in ("169.254.169.254", "168.63.129.16", "fd00:ec2::254", "fd20:ce::254")
)
_ASSIGNED: Final = ipaddress.ip_network("192.0.0.0/24")
_NAT64: Final = (ipaddress.ip_network("64:ff9b::/96"), ipaddress.ip_network("64:ff9b:1::/48"))


class HttpWebhooks:
    """Implements ports.Webhooks."""

    def __init__(self, *, resolve: Resolve | None = None, verify: bool | str = True) -> None:
        self._resolve = resolve or _resolve
        # trust_env=False: a proxy that the environment names could go where we must not.
        self._client = httpx.Client(
            timeout=TIMEOUT_S,
            trust_env=False,
            follow_redirects=False,
            headers=ACCEPTED,
            transport=TimedTransport(verify=verify),
        )

    def close(self) -> None:
        self._client.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def check(self, url: str) -> None:
        parsed = _parse(url)
        try:
            literal = ipaddress.ip_address(parsed.host)
        except ValueError:
            return
        if not is_allowed(literal, is_here=parsed.host in _HERE):
            raise InvalidInput(
                f"{literal} is no address for a webhook", path="dest", remedy=_REMEDY
            )

    def deliver(self, delivery: Delivery) -> None:
        url = _parse(delivery.url)
        address = self._find(url)
        pinned = url.copy_with(host=address)
        headers = {**delivery.headers, "host": url.netloc.decode("ascii")}
        extensions = {"sni_hostname": url.raw_host.decode("ascii")}
        try:
            with (
                within(WHOLE_S),
                self._client.stream(
                    "POST", pinned, content=delivery.body, headers=headers, extensions=extensions
                ) as response,
            ):
                # Its host alone: the path of many a webhook is its secret, and this is told to people.
                read_body(response, MAX_ANSWER, within_s=WHOLE_S, path=url.host)
                if not response.is_success:
                    raise Unavailable(f"answered {response.status_code}")
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise Unavailable(f"does not answer: {type(error).__name__}: {error}") from None
        except InvalidInput as error:
            raise Unavailable(f"its answer cannot be read: {error.message}") from None

    def _find(self, url: httpx.URL) -> str:
        """The address to connect to: the first of those that the name has, all of which must be allowed."""
        port = url.port or (443 if url.scheme == "https" else 80)
        try:
            found = list(self._resolve(url.raw_host.decode("ascii"), port))
        except OSError as error:
            raise Unavailable(f"{url.host} cannot be resolved: {error}") from None
        if not found:
            raise Unavailable(f"{url.host} has no address")
        is_here = url.host in _HERE
        for text in found:
            address = ipaddress.ip_address(text.partition("%")[0])
            if not is_allowed(address, is_here=is_here) or (
                url.scheme == "http" and not address.is_loopback
            ):
                raise InvalidInput(
                    f"{url.host} is at {address}, which is no address for a webhook",
                    path="dest",
                    remedy=_REMEDY,
                )
        return found[0]


def is_allowed(address: Address, *, is_here: bool) -> bool:
    """Whether a webhook may be delivered to an address; `is_here`: the address was named as this machine's own."""
    if isinstance(address, ipaddress.IPv6Address):
        inner = _inner(address)
        if inner is not None:
            return is_allowed(inner, is_here=False) and not inner.is_private
    if address in _METADATA or (
        address.version == 4 and (address in _SHARED or address in _ASSIGNED)
    ):
        return False
    if address.is_loopback:
        return is_here
    return not (
        address.is_link_local
        or address.is_multicast
        or address.is_unspecified
        or address.is_reserved
        or (isinstance(address, ipaddress.IPv6Address) and address.is_site_local)
    )


def _inner(address: ipaddress.IPv6Address) -> ipaddress.IPv4Address | None:
    """The IPv4 address that an IPv6 one stands for, in whichever of the ways."""
    if address.ipv4_mapped is not None:
        return address.ipv4_mapped
    if address.sixtofour is not None:
        return address.sixtofour
    if address.teredo is not None:
        return address.teredo[1]
    if any(address in network for network in _NAT64):
        return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    return None


def _parse(text: str) -> httpx.URL:
    try:
        url = httpx.URL(text)
    except httpx.InvalidURL as error:
        raise InvalidInput(f"is no address: {error}", path="dest", remedy=_REMEDY) from None
    problem = _problem_of(text, url)
    if problem:
        raise InvalidInput(problem, path="dest", remedy=_REMEDY)
    return url


def _problem_of(text: str, url: httpx.URL) -> str:
    if len(text) > MAX_URL or not text.isascii() or not text.isprintable():
        return f"is longer than {MAX_URL} characters, or not printable ASCII"
    if url.scheme not in ("https", "http") or not url.host:
        return "is no https address"
    if url.scheme == "http" and url.host not in _HERE:
        return "http goes to this machine only"
    if url.userinfo or url.fragment:
        return "has a user or a fragment"
    return ""


def _resolve(host: str, port: int) -> list[str]:
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(row[4][0]) for row in found))
