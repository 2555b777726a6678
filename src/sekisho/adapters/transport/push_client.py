"""Sending a page of the feed to a host that listens: once, within a time, and whatever it answers is bounded."""

from __future__ import annotations

from typing import Final

import httpx

from sekisho.adapters.transport.bounded_body import ACCEPTED, read_body
from sekisho.adapters.transport.whole_time import TimedTransport, within
from sekisho.model.errors import InvalidInput, Unavailable

__all__ = ["PushClient"]

TIMEOUT_S: Final = 5.0
MAX_ANSWER: Final = 4_096


class PushClient:
    """Sends over connections that stay open. Never follows a redirect, never goes through a proxy."""

    def __init__(self, *, connections: int, timeout_s: float = TIMEOUT_S) -> None:
        self._timeout_s = timeout_s
        self._client = httpx.Client(
            trust_env=False,
            follow_redirects=False,
            headers=ACCEPTED,
            timeout=timeout_s,
            transport=TimedTransport(connections=connections),
        )

    def close(self) -> None:
        self._client.close()

    def send(self, url: str, body: bytes) -> None:
        """Raises Unavailable unless the host says that it has it."""
        try:
            with (
                within(2 * self._timeout_s),
                self._client.stream(
                    "POST", url, content=body, headers={"content-type": "application/json"}
                ) as response,
            ):
                read_body(response, MAX_ANSWER, within_s=self._timeout_s, path=url)
                if not response.is_success:
                    raise Unavailable(f"{url} answered {response.status_code}")
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise Unavailable(f"{url} does not answer: {error!r}") from None
        except InvalidInput as error:
            raise Unavailable(f"{url} answers at length: {error}") from None
