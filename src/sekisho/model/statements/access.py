"""Access to served models: whose access an order ends, what an access point did, and weights under lock."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec

from sekisho.model.statements.shapes import (
    Count,
    Digest,
    Jurisdiction,
    Key64,
    Name,
    OrderReference,
    Predicate,
    Reference,
    Span,
    Wire,
)

__all__ = ["AccessDecided", "AccessTerms", "WeightsKeyReleased", "WeightsLocked"]


class AccessTerms(Wire, frozen=True, kw_only=True):
    """Users whose access to models ends: of any of these nationalities, or served in any of these jurisdictions.

    Both as the provider's own customer checks assert them; neither given means everybody. No `models`: every model.
    `unknown` says what happens to a user of whom the provider asserts nothing.
    """

    models: Annotated[tuple[Name, ...], msgspec.Meta(max_length=64)] = ()
    nationalities: Annotated[tuple[Jurisdiction, ...], msgspec.Meta(max_length=256)] = ()
    jurisdictions: Annotated[tuple[Jurisdiction, ...], msgspec.Meta(max_length=256)] = ()
    unknown: Literal["refuse", "serve"] = "refuse"


class AccessDecided(Predicate, frozen=True, kw_only=True):
    """An access point's roll-up of one period: requests served and refused for one model under the orders in force.

    Nothing about any user. `host` is the enrolled host that serves; its key signs. `workers`: how many of the server's
    workers told of the period; of none, the counts are 0 and mean not measured. `silent` of these stopped within it
    without having ended; each lost up to two seconds of its counts. No `workers`: not said.
    """

    host: Name
    model: Name
    period: Span
    served: Count
    refused: Count
    workers: Count | None = None
    silent: Count = 0
    orders: Annotated[tuple[OrderReference, ...], msgspec.Meta(max_length=64)] = ()
    state: Literal["open", "restricted", "closed"] = "open"


class WeightsLocked(Predicate, frozen=True, kw_only=True):
    """A model's weights stand encrypted under a licence: only who holds both licence and enrolment is given the key.

    `plaintext` and `ciphertext` are SHA-256 of the files, `key` that of the key with its salt, which proves later that
    the key released is the one that locked. Plaintext that leaked before stays leaked.
    """

    model: Name
    party: Name
    licence: Reference
    plaintext: Digest
    ciphertext: Digest
    bytes: Count
    key: Digest


class WeightsKeyReleased(Predicate, frozen=True, kw_only=True):
    """The key of locked weights was sealed to a host's fresh key, after its licence and enrolment were looked at."""

    model: Name
    locked: Reference
    licence: Reference
    host: Name
    sealed_to: Key64
    request: Digest
