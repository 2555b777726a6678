"""A register of chips over HTTP (EPCIS 2.0): documents sent, events fetched; answers bounded and parsed strictly."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final, Self
from urllib.parse import urlencode, urlsplit

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
from sekisho.model.wire import encode_base64, from_json, parse_json

__all__ = ["CaptureJob", "RegisterClient"]

MAX_ANSWER: Final = 64 * 1024 * 1024
TIMEOUT_S: Final = 120.0
WHOLE_S: Final = 300.0
_REMEDY: Final = "is it running? name its address with --url"
# What a status means to whoever sent; every other one is "not now".
_REFUSALS: Final[Mapping[int, type[SekishoError]]] = {
    400: InvalidInput,
    403: NotAuthorised,
    404: StateConflict,
    406: InvalidInput,
    409: StateConflict,
    413: InvalidInput,
    415: InvalidInput,
    422: InvalidInput,
}


class CaptureJob(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """What became of a document, as the register says."""

    capture_id: str = msgspec.field(name="captureID")
    success: bool
    events: int
    taken: int
    waiting: int
    refused: int
    repeated: int
    parties: tuple[str, ...] = ()
    powers: tuple[str, ...] = ()
    errors: tuple[dict[str, str], ...] = ()


class _Problem(msgspec.Struct, frozen=True, kw_only=True):
    code: str = ""
    detail: str = ""
    remedy: str = ""


class _Log(msgspec.Struct, frozen=True, kw_only=True):
    origin: str


class _State(msgspec.Struct, frozen=True, kw_only=True):
    log: _Log


class RegisterClient:
    """Speaks to the register at a base URL."""

    def __init__(self, url: str) -> None:
        self.url = url.rstrip("/")
        # trust_env=False: it is reached directly, never through a proxy that the environment names.
        self._client = httpx.Client(
            timeout=TIMEOUT_S,
            trust_env=False,
            follow_redirects=False,
            headers=ACCEPTED,
            transport=TimedTransport(),
        )

    def close(self) -> None:
        self._client.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def fetch_origin(self) -> str:
        """The origin of the log that it says it keeps; the caller decides whether it trusts one of that name."""
        answer = self._ask("GET", "/api/v1/state")[0]
        return from_json(_State, parse_json(answer, path=self.url), path=self.url).log.origin

    def send(
        self, document: bytes, endorsement: bytes | None, *, behaviour: str = "proceed"
    ) -> CaptureJob:
        """Hand a document in. Raises what the answer means, Unavailable where none comes."""
        headers = {"content-type": "application/ld+json", "gs1-capture-error-behaviour": behaviour}
        if endorsement is not None:
            headers["sekisho-endorsement"] = encode_base64(endorsement)
        answer = self._ask("POST", "/epcis/capture", document, headers)[0]
        return from_json(CaptureJob, parse_json(answer, path=self.url), path=self.url)

    def fetch_events(self, params: Sequence[tuple[str, str]]) -> Iterator[Any]:
        """Pages of events, as EPCIS query documents, until there are no more."""
        path = "/epcis/events"
        asked = f"{path}?{urlencode(params)}"
        while asked:
            answer, headers = self._ask("GET", asked)
            yield parse_json(answer, path=self.url, limit=MAX_ANSWER)
            asked = _following(headers.get("link", ""), path)

    def _ask(
        self,
        method: str,
        path: str,
        content: bytes | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> tuple[bytes, httpx.Headers]:
        try:
            with (
                within(WHOLE_S),
                self._client.stream(
                    method, f"{self.url}{path}", content=content, headers=headers
                ) as response,
            ):
                body = read_body(response, MAX_ANSWER, within_s=WHOLE_S, path=self.url)
                if response.is_success:
                    return body, response.headers
                status = response.status_code
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise Unavailable(f"{self.url} does not answer: {error}", remedy=_REMEDY) from None
        problem = _problem_of(body)
        kind = _REFUSALS.get(status, Unavailable)
        detail = f"{problem.code}: {problem.detail}" if problem.code else f"answered {status}"
        raise kind(detail[:1_000], remedy=problem.remedy)


def _problem_of(body: bytes) -> _Problem:
    try:
        return from_json(_Problem, parse_json(body, limit=65_536))
    except InvalidInput:
        return _Problem()


def _following(link: str, path: str) -> str:
    """The address of the next page; never one of another server or place."""
    address = link.partition(">")[0].removeprefix("<")
    parts = urlsplit(address)
    is_ours = not parts.scheme and not parts.netloc and parts.path == path
    return address if is_ours else ""
