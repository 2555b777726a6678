"""A host asks by its own key for what a sealed order says: not everybody who reads a feed reads that. Pure.

A request is a DSSE envelope of its own payload type over canonical JSON: nothing else that a host signs passes for one.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Final, Literal

import msgspec

from sekisho.model.errors import BadSignature, VerificationError
from sekisho.model.instants import Instant
from sekisho.model.statements import parse_payload_leniently
from sekisho.model.statements.shapes import Name
from sekisho.model.wire import canonical, from_json, parse_canonical
from sekisho.signing import PublicKey, Signer, distinct_signers, parse_envelope, sign_payload

__all__ = ["ASKED_TYPE", "OrderAsked", "StaleRequest", "is_sealed", "sign_asked", "verify_asked"]

ASKED_TYPE: Final = "application/vnd.sekisho.order-asked+json"
GOOD_FOR_S: Final = 600
"""A host's clock may be wrong by so much, and a request that somebody overheard is good for as long."""
MAX_ASKED: Final = 16_384


class StaleRequest(VerificationError):
    """A request that was signed too long ago, or for later, or for another log."""

    code = "stale-request"


class OrderAsked(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which host asks for which order of which log, and when."""

    format: Literal["sekisho-order-asked/v1"] = "sekisho-order-asked/v1"
    log: Name
    host: Name
    register: Name
    number: Annotated[int, msgspec.Meta(ge=1, le=2**53)]
    at: Instant


def sign_asked(asked: OrderAsked, signer: Signer) -> bytes:
    """The envelope of a request."""
    return sign_payload(canonical(asked), [signer], payload_type=ASKED_TYPE).raw


def verify_asked(
    raw: bytes, key_of: Callable[[str], PublicKey], *, log: str, now: Instant
) -> OrderAsked:
    """Who asks for what, once the host's own key says so.

    1. The form. 2. This log, and within ten minutes of now. 3. `key_of` gives the host's key, or raises what it raises
    for a stranger. 4. Its signature. Raises InvalidInput, StaleRequest, BadSignature.
    """
    envelope = parse_envelope(raw, path="request", payload_type=ASKED_TYPE, limit=MAX_ASKED)
    payload = parse_canonical(envelope.payload, path="request")
    asked = from_json(OrderAsked, payload, path="request")
    if asked.log != log:
        raise StaleRequest(f"the request is for the log {asked.log}, this is {log}")
    if abs(now.since(asked.at)) > GOOD_FOR_S:
        raise StaleRequest(
            f"the request is of {asked.at}, it is {now}", remedy="set the host's clock, ask again"
        )
    if not distinct_signers(envelope, [key_of(asked.host)]):
        raise BadSignature(f"host {asked.host} did not sign the request")
    return asked


def is_sealed(raw: bytes) -> bool:
    """Whether an envelope holds a sealed order. Raises InvalidInput where it cannot be read."""
    statement, _ = parse_payload_leniently(parse_envelope(raw, path="order").payload)
    return statement.kind == "order-sealed"
