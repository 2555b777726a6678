"""Handing a signed statement in at a control plane; authority is in the signatures, so there is no login."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import httpx
import msgspec

from sekisho.adapters.transport.bounded_body import ACCEPTED, read_body
from sekisho.adapters.transport.http_tiles import check_url
from sekisho.adapters.transport.whole_time import TimedTransport, within
from sekisho.model.errors import (
    InvalidInput,
    NotAuthorised,
    SekishoError,
    StateConflict,
    Unavailable,
)
from sekisho.model.statements import Count
from sekisho.model.statements.shapes import Digest
from sekisho.model.wire import canonical, encode_base64, from_json, parse_json

__all__ = ["Placed", "send_envelope"]

MAX_ANSWER_BYTES = 64 * 1024
_OK = (200, 201)
_REFUSALS: Final[Mapping[int, type[SekishoError]]] = {
    400: InvalidInput,
    403: NotAuthorised,
    409: StateConflict,
    413: InvalidInput,
    422: InvalidInput,
}


class Placed(msgspec.Struct, frozen=True, kw_only=True):
    """Where the control plane says that a statement stands; a proof, not this answer, shows that it does."""

    index: Count
    leaf: Digest
    digest: Digest
    fresh: bool


class _Problem(msgspec.Struct, frozen=True):
    code: str = ""
    detail: str = ""


def send_envelope(
    url: str, raw: bytes, disclosures: tuple[str, ...] = (), *, timeout_s: float = 30.0
) -> Placed:
    """POST one envelope's exact bytes, and of a sealed order what it conceals.

    Sending it again is safe: the same statement has one place.

    Raises NotAuthorised, StateConflict, InvalidInput as the control plane refuses, Unavailable where it did not answer.
    """
    address = f"{check_url(url)}/api/v1/{'sealed-orders' if disclosures else 'statements'}"
    body = raw
    if disclosures:
        body = canonical({"disclosures": list(disclosures), "envelope": encode_base64(raw)})
    try:
        with (
            httpx.Client(
                timeout=timeout_s, trust_env=False, transport=_transport(address)
            ) as client,
            within(timeout_s),
            client.stream(
                "POST",
                address,
                content=body,
                headers={"content-type": "application/json"} | ACCEPTED,
            ) as response,
        ):
            status = response.status_code
            told = read_body(response, MAX_ANSWER_BYTES, within_s=timeout_s, path=address)
    except httpx.HTTPError as error:
        raise Unavailable(
            f"{address} does not answer: {error}", remedy="send it again; nothing is doubled"
        ) from None
    if status not in _OK:
        raise _refusal(status, told, address)
    return from_json(Placed, parse_json(told, path=address), path=address)


def _transport(address: str) -> TimedTransport:
    """Reading the host's certificates takes longer than an order may: not where no TLS is spoken."""
    secure = httpx.URL(address).scheme == "https"  # parsed, since HTTPS: is https as well
    return TimedTransport(verify=secure, trust_env=secure, url=address)


def _refusal(status: int, body: bytes, address: str) -> SekishoError:
    """The refusal in our own words of error; what the other side wrote is quoted, never printed as it came."""
    try:
        problem = from_json(_Problem, parse_json(body, path=address), path=address)
        told = f"{problem.code[:80]!a}: {problem.detail[:600]!r}"
    except InvalidInput:
        told = f"{body[:60]!r}; is this a control plane?"
    kind = _REFUSALS.get(status, Unavailable)
    return kind(f"{address} answered {status}: {told}")
