"""What reaches an agent's duty from its threads: each a fact that happened, in the order in which it was heard of."""

from __future__ import annotations

from typing import TypeAlias

import msgspec

from sekisho.agent.follow import Finding
from sekisho.ports.control import Feed, FeedItem, LeaseAnswer

__all__ = [
    "Delivered",
    "Event",
    "FeedCame",
    "LeaseCame",
    "LeaseRefused",
    "Noticed",
    "OrderFetched",
    "ReceiptRefused",
    "Silence",
]


class FeedCame(msgspec.Struct, frozen=True):
    """An answer of the long poll."""

    feed: Feed


class OrderFetched(msgspec.Struct, frozen=True):
    """An outstanding order, or None where it could not be had."""

    register: str
    number: int
    item: FeedItem | None


class Delivered(msgspec.Struct, frozen=True):
    """A receipt reached the issuer; `acknowledgement` is an envelope that still has to be verified."""

    sequence: int
    acknowledgement: bytes | None


class ReceiptRefused(msgspec.Struct, frozen=True):
    """The issuer does not take a receipt: a broken chain, a fork, an unknown lease."""

    sequence: int
    detail: str


class LeaseCame(msgspec.Struct, frozen=True):
    """An answer to the request with these bytes."""

    request: bytes
    answer: LeaseAnswer


class LeaseRefused(msgspec.Struct, frozen=True):
    """The issuer says no to the request with these bytes, and why."""

    request: bytes
    detail: str


class Silence(msgspec.Struct, frozen=True):
    """The control plane did not answer."""

    detail: str


class Noticed(msgspec.Struct, frozen=True):
    """What rounds beside the duty have found."""

    findings: tuple[Finding, ...]


Event: TypeAlias = (
    FeedCame
    | OrderFetched
    | Delivered
    | ReceiptRefused
    | LeaseCame
    | LeaseRefused
    | Noticed
    | Silence
)
